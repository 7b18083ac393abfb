import GateCrypto
import GateNet

/// What the handshakes add up to.
struct TLSMetrics: TLSObserver {
    private let full: Counter
    private let resumed: Counter
    private let failed: Counter

    init(_ registry: MetricsRegistry) {
        func counter(_ result: String) -> Counter {
            registry.counter("gatehouse_tls_handshakes_total", "TLS handshakes, by how they ended.", labels: ["result": result])
        }
        full = counter("full")
        resumed = counter("resumed")
        failed = counter("failed")
    }

    func handshakeEnded(_ result: Result<TLSHandshake, TLSError>) {
        switch result {
        case .success(let handshake): (handshake.isResumed ? resumed : full).add()
        case .failure: failed.add()
        }
    }
}
