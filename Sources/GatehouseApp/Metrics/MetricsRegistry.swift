import GateCore
import Synchronization

/// The process's metrics. Registered while it is put together, with all their labels, or with what says which there are now, as the
/// configuration has it; then only added to and read.
///
/// No label may hold what clients choose (addresses, paths, users): each value would be a series for ever.
package final class MetricsRegistry: Sendable {
    package typealias Labels = KeyValuePairs<String, String>

    enum Kind: String { case counter, gauge, histogram }

    struct Series: Sendable {
        var labels: [(name: String, value: String)]
        var sample: Sample
    }

    enum Sample: Sendable {
        case count(Counter)
        case value(@Sendable () -> Double?)
        case distribution(Histogram)
    }

    struct Family: Sendable {
        var name: String
        var help: String
        var kind: Kind
        var series: [Series] = []
        /// Series that come and go, read when asked for.
        var current: (@Sendable () -> [Reading])?
    }

    /// One of the series that come and go.
    struct Reading {
        var labels: [(name: String, value: String)]
        var value: Double
    }

    private let families = Mutex<[Family]>([])

    package init() {}

    /// A number that only grows. Several may share a name, with different values of the same labels.
    package func counter(_ name: String, _ help: String, labels: Labels = [:]) -> Counter {
        let counter = Counter()
        register(name, help, .counter, labels, .count(counter))
        return counter
    }

    /// A growing number that is kept elsewhere, read when asked for; `nil` where it cannot be had.
    package func counter(_ name: String, _ help: String, labels: Labels = [:], read: @escaping @Sendable () -> Double?) {
        register(name, help, .counter, labels, .value(read))
    }

    /// A number that goes up and down, read when asked for; `nil` where it cannot be had.
    package func gauge(_ name: String, _ help: String, labels: Labels = [:], read: @escaping @Sendable () -> Double?) {
        register(name, help, .gauge, labels, .value(read))
    }

    /// Numbers of whatever there is when somebody asks. All of a name are registered at once.
    func readings(_ kind: Kind, _ name: String, _ help: String, read: @escaping @Sendable () -> [Reading]) {
        precondition(PrometheusText.isName(name), "\(name) is no metric's name")
        families.withLock { families in
            precondition(families.allSatisfy { $0.name != name }, "\(name) is registered twice")
            families.append(Family(name: name, help: help, kind: kind, current: read))
        }
    }

    /// How durations are spread. `buckets` are their upper bounds, rising.
    package func histogram(_ name: String, _ help: String, labels: Labels = [:], buckets: [Duration] = Histogram.requestBuckets)
        -> Histogram
    {
        let histogram = Histogram(buckets)
        register(name, help, .histogram, labels, .distribution(histogram))
        return histogram
    }

    /// Everything, in Prometheus's text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
    package var text: String {
        // Read outside of the lock: what is read may take others.
        let families = families.withLock { $0 }
        var text = ""
        for family in families { PrometheusText.write(family, to: &text) }
        return text
    }

    /// The `Content-Type` of ``text``.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private func register(_ name: String, _ help: String, _ kind: Kind, _ labels: Labels, _ sample: Sample) {
        precondition(PrometheusText.isName(name) && labels.allSatisfy { PrometheusText.isLabelName($0.key) }, "\(name) is no metric's name")
        let series = Series(labels: labels.map { (name: $0.key, value: $0.value) }, sample: sample)
        families.withLock { families in
            guard let index = families.firstIndex(where: { $0.name == name }) else {
                families.append(Family(name: name, help: help, kind: kind, series: [series]))
                return
            }
            let isNew = families[index].series.allSatisfy { known in !known.labels.elementsEqual(series.labels) { $0 == $1 } }
            precondition(families[index].kind == kind && isNew, "\(name) is registered twice")
            families[index].series.append(series)
        }
    }
}

/// A number that only grows.
package final class Counter: Sendable {
    private let cells = AtomicCells(1)

    package func add(_ count: UInt64 = 1) { cells.add(count, to: 0) }

    package var value: UInt64 { cells.total(0) }
}

/// How often durations fell into which range.
package final class Histogram: Sendable {
    let buckets: [Duration]
    private let bounds: [Int64]
    /// One for each bucket, one for what is beyond all, one for the sum in nanoseconds.
    private let cells: AtomicCells

    /// From a quarter of a millisecond to ten seconds.
    package static let requestBuckets: [Duration] = [
        .microseconds(250), .microseconds(500), .milliseconds(1), .microseconds(2500), .milliseconds(5), .milliseconds(10),
        .milliseconds(25),
        .milliseconds(50), .milliseconds(100), .milliseconds(250), .milliseconds(500), .seconds(1), .milliseconds(2500), .seconds(5),
        .seconds(10),
    ]

    init(_ buckets: [Duration]) {
        precondition(!buckets.isEmpty && zip(buckets, buckets.dropFirst()).allSatisfy { $0 < $1 }, "buckets rise")
        self.buckets = buckets
        bounds = buckets.map(\.wholeNanoseconds)
        cells = AtomicCells(buckets.count + 2)
    }

    package func record(_ duration: Duration) {
        let nanoseconds = max(0, duration.wholeNanoseconds)
        var bucket = 0
        while bucket < bounds.count, nanoseconds > bounds[bucket] { bucket += 1 }
        let stripe = AtomicCells.Stripe.current
        cells.add(1, to: bucket, stripe: stripe)
        cells.add(UInt64(nanoseconds), to: bounds.count + 1, stripe: stripe)
    }

    /// How many fell into each bucket, the one beyond all last.
    var counts: [UInt64] { (0...bounds.count).map { cells.total($0) } }
    /// In nanoseconds.
    var sum: UInt64 { cells.total(bounds.count + 1) }
}
