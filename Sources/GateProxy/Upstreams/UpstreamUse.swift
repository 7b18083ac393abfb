import Synchronization

/// One request's hold on a server, as long as something of it is on its way: until it is ended, or let go of, in whatever way the
/// exchange ended.
final class UpstreamUse: Sendable {
    private let server: UpstreamServer
    private let hasEnded = Atomic(false)

    /// For a request that has begun.
    init(_ server: UpstreamServer) { self.server = server }

    deinit { end() }

    func end() {
        guard !hasEnded.exchange(true, ordering: .relaxed) else { return }
        server.ended()
    }
}
