import GateCore
import GateHTTP
import NIOHTTP1
import Testing

@testable import GatehouseApp

/// Reads the text format 0.0.4 strictly; `nil` where a rule is broken.
struct Exposition {
    var types: [String: String] = [:]
    var help: [String: String] = [:]
    var samples: [String: Double] = [:]

    init?(_ text: String) {
        guard text.hasSuffix("\n") else { return nil }
        var family = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("# HELP ") {
                let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1)
                // A family's lines are one group, and each name comes once.
                guard parts.count == 2, help[String(parts[0])] == nil else { return nil }
                help[String(parts[0])] = String(parts[1])
            } else if line.hasPrefix("# TYPE ") {
                let parts = line.dropFirst(7).split(separator: " ")
                family = String(parts[0])
                guard parts.count == 2, help[family] != nil, types[family] == nil, ["counter", "gauge", "histogram"].contains(parts[1])
                else {
                    return nil
                }
                types[family] = String(parts[1])
            } else {
                guard let space = line.lastIndex(of: " "),
                    let value = Double(line[line.index(after: space)...].replacing("+Inf", with: "inf"))
                else { return nil }
                let series = String(line[..<space])
                let name = String(series.prefix { $0 != "{" })
                let suffixes = types[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
                guard suffixes.contains(where: { name == family + $0 }), samples[series] == nil, Self.hasValidLabels(series) else {
                    return nil
                }
                samples[series] = value
            }
        }
    }

    private static func hasValidLabels(_ series: String) -> Bool {
        guard let start = series.firstIndex(of: "{") else { return true }
        guard series.hasSuffix("}") else { return false }
        return series[start...].wholeMatch(
            of: /\{([a-zA-Z_][a-zA-Z0-9_]*="(\\[\\"n]|[^\\"\n])*")(,[a-zA-Z_][a-zA-Z0-9_]*="(\\[\\"n]|[^\\"\n])*")*\}/) != nil
    }
}

@Suite("Metrics")
struct MetricsTests {
    @Test("The exposition keeps the rules of the text format, odd texts included")
    func exposition() throws {
        let registry = MetricsRegistry()
        let counter = registry.counter("a_total", "A \\ with\na line end.", labels: ["x": "q\"\\\n", "y": ""])
        _ = registry.counter("a_total", "", labels: ["x": "other", "y": ""])
        registry.gauge("b", "B.") { -1.5 }
        registry.gauge("c", "C.") { nil }
        registry.gauge("d", "D.") { .infinity }
        let histogram = registry.histogram("e_seconds", "E.", labels: ["z": "1"], buckets: [.milliseconds(1), .seconds(1)])
        counter.add(3)
        for duration in [Duration.zero, .milliseconds(1), .microseconds(1001), .seconds(2), .seconds(-1)] { histogram.record(duration) }
        let text = registry.text
        #expect(
            text == #"""
                # HELP a_total A \\ with\na line end.
                # TYPE a_total counter
                a_total{x="q\"\\\n",y=""} 3
                a_total{x="other",y=""} 0
                # HELP b B.
                # TYPE b gauge
                b -1.5
                # HELP c C.
                # TYPE c gauge
                # HELP d D.
                # TYPE d gauge
                d +Inf
                # HELP e_seconds E.
                # TYPE e_seconds histogram
                e_seconds_bucket{z="1",le="0.001"} 3
                e_seconds_bucket{z="1",le="1"} 4
                e_seconds_bucket{z="1",le="+Inf"} 5
                e_seconds_sum{z="1"} 2.002001
                e_seconds_count{z="1"} 5

                """#)
        let read = try #require(Exposition(text))
        #expect(read.samples["e_seconds_count{z=\"1\"}"] == 5)
    }

    @Test("Additions from many threads are all counted")
    func parallel() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("a_total", "A.")
        let histogram = registry.histogram("b_seconds", "B.")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for step in 0..<10_000 {
                        counter.add()
                        histogram.record(.milliseconds(step % 20))
                    }
                }
            }
        }
        #expect(counter.value == 80_000)
        #expect(histogram.counts.reduce(0, +) == 80_000)
        #expect(histogram.sum == 80_000 / 20 * 190 * 1_000_000)
    }

    @Test("Exchanges are counted by method and status class, and nothing that clients choose becomes a label")
    func exchanges() throws {
        let registry = MetricsRegistry()
        let metrics = HTTPMetrics(registry)
        func finish(_ method: HTTPMethod, _ status: Int, isAborted: Bool = false) {
            metrics.finished(
                Exchange(
                    request: Request(id: RequestID(value: 1), method: method, target: RequestTarget("/x")!),
                    status: HTTPResponseStatus(statusCode: status), responseBytes: 100, duration: .milliseconds(3), isAborted: isAborted))
        }
        let before = registry.text.count { $0 == "\n" }
        finish(.GET, 200)
        finish(.GET, 204)
        finish(.POST, 429)
        finish(.RAW(value: "HACK"), 999, isAborted: true)
        #expect(registry.text.count { $0 == "\n" } == before)
        let samples = try #require(Exposition(registry.text)).samples
        #expect(samples["gatehouse_http_requests_total{method=\"GET\",status=\"2xx\"}"] == 2)
        #expect(samples["gatehouse_http_requests_total{method=\"POST\",status=\"4xx\"}"] == 1)
        #expect(samples["gatehouse_http_requests_total{method=\"other\",status=\"5xx\"}"] == 1)
        #expect(samples["gatehouse_http_response_bytes_total"] == 400)
        #expect(samples["gatehouse_http_aborted_total"] == 1)
        #expect(samples["gatehouse_http_request_duration_seconds_bucket{le=\"0.0025\"}"] == 0)
        #expect(samples["gatehouse_http_request_duration_seconds_bucket{le=\"0.005\"}"] == 4)
    }

    @Test("The kernel's figures of this process are there and plausible")
    func process() throws {
        let registry = MetricsRegistry()
        registry.registerProcess()
        let samples = try #require(Exposition(registry.text)).samples
        #expect(try #require(samples["process_resident_memory_bytes"]) > 1_048_576)
        #expect(try #require(samples["process_open_fds"]) >= 3)
        #expect(try #require(samples["process_cpu_seconds_total"]) >= 0)
        let age = Double(SystemTime().now().seconds) - (try #require(samples["process_start_time_seconds"]))
        #expect(-2...100_000 ~= age)
        #expect(samples.count == 7)
    }

    @Test(
        "A program's name may hold anything",
        arguments: [
            ("1 (a b) S 2 3 4 5 6 7 8 9 10 11 14 15 16 17 18 19 20 21 22 23 24 25", true),
            ("1 (x) y) S 2 3 4 5 6 7 8 9 10 11 14 15 16 17 18 19 20 21 22 23 24 25", true),
            ("", false), ("1 (a", false), ("1 (a) S 2 3", false),
        ])
    func stat(text: String, isReadable: Bool) {
        let status = ProcessMetrics.Status(text)
        #expect((status != nil) == isReadable)
        if let status { #expect((status.userTicks, status.systemTicks, status.threads, status.startTicks) == (14, 15, 20, 22)) }
    }
}
