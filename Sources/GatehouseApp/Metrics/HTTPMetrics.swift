package import GateHTTP
import NIOHTTP1

/// What the exchanges add up to. Its labels are the method, one of a few, and the status's class.
package struct HTTPMetrics: ExchangeObserver {
    /// By method, then by status class from 1xx to 5xx.
    private let requests: [[Counter]]
    private let duration: Histogram
    private let responseBytes: Counter
    private let aborted: Counter

    private static let methods: [HTTPMethod] = [.GET, .HEAD, .POST, .PUT, .PATCH, .DELETE, .OPTIONS]

    package init(_ registry: MetricsRegistry) {
        requests = (Self.methods.map(\.rawValue) + ["other"]).map { method in
            (1...5).map { status in
                registry.counter(
                    "gatehouse_http_requests_total", "Requests answered, by method and status class.",
                    labels: ["method": method, "status": "\(status)xx"])
            }
        }
        duration = registry.histogram(
            "gatehouse_http_request_duration_seconds", "From a request's head to the last byte of its answer.")
        responseBytes = registry.counter("gatehouse_http_response_bytes_total", "Bytes of answers' bodies.")
        aborted = registry.counter("gatehouse_http_aborted_total", "Exchanges whose client was gone before the answer was complete.")
    }

    package func finished(_ exchange: Exchange) {
        let method = Self.methods.firstIndex(of: exchange.request.method) ?? Self.methods.count
        let status = min(max(Int(exchange.status.code) / 100, 1), 5) - 1
        requests[method][status].add()
        duration.record(exchange.duration)
        responseBytes.add(UInt64(max(0, exchange.responseBytes)))
        if exchange.isAborted { aborted.add() }
    }
}
