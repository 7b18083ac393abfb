import GateCore
import GateHTTP
import GateNet
import NIOCore
import NIOHTTP1

/// Asks the servers of applications for their health, each at its interval, as long as it runs.
package final class HealthChecks: Sendable {
    private let configurations = AsyncStream<[Upstream]>.makeStream(bufferingPolicy: .bufferingNewest(1))

    package init() {}

    /// From now on these are asked, and no others.
    package func watch(_ upstreams: [Upstream]) { configurations.continuation.yield(upstreams) }

    /// Returns when its task is cancelled.
    package func run() async {
        var round: Task<Void, Never>?
        for await upstreams in configurations.stream {
            round?.cancel()
            await round?.value
            round = Task { await Self.check(upstreams) }
        }
        round?.cancel()
        await round?.value
    }

    private static func check(_ upstreams: [Upstream]) async {
        await withDiscardingTaskGroup { group in
            for upstream in upstreams {
                guard let rules = upstream.rules.health else { continue }
                for index in upstream.endpoints.indices {
                    group.addTask {
                        while !Task.isCancelled {
                            await upstream.check(index, rules)
                            try? await Task.sleep(for: rules.interval)
                        }
                    }
                }
            }
        }
    }
}

extension Upstream {
    /// More of an answer than this is not read, in bytes: its connection is given up.
    private static let healthAnswerLimit = 64 << 10

    /// Asks one server once. An answer from 200 to 399 in time is good, whatever its body says.
    func check(_ index: Int, _ rules: UpstreamRules.HealthCheck) async {
        let name: String? = if case .fixed(let name) = self.rules.authority { name } else { nil }
        let request = StreamedRequest(
            .GET, rules.path, authority: name, headers: ["user-agent": "gatehouse-health-check"], responseTime: rules.timeout,
            idleTime: rules.timeout)
        do throws(OutgoingError) {
            let response = try await endpoints[index].stream(request)
            let isGood = (200..<400).contains(response.status.code)
            checked(index, fault: isGood ? nil : "\(rules.path) was answered with \(response.status.code)")
            guard case .stream(_, let body) = response.body else { return }
            var read = 0
            while read < Self.healthAnswerLimit, let part = try? await body.next() { read += part.readableBytes }
        } catch {
            // Being stopped says nothing about the server.
            if error.reason != .cancelled { checked(index, fault: "\(rules.path): \(error)") }
        }
    }
}
