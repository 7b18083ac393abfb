import GateCore
import NIOCore
import Synchronization

/// Turns names into addresses, elsewhere than on an event loop.
protocol NameResolver: Sendable {
    /// The addresses of `name`, the most promising first, never none.
    /// - Parameter lookup: tells when nobody waits for the answer any more.
    /// - Returns: a future of `eventLoop` that fails with ``NameResolutionError`` only.
    func addresses(of name: String, for lookup: NameLookup, on eventLoop: any EventLoop) -> EventLoopFuture<[IPAddress]>

    func shutDown() async
}

/// One question to a resolver, and whether it still matters: getaddrinfo(3) cannot be stopped, but need not begin.
final class NameLookup: Sendable {
    private let abandoned = Atomic<Bool>(false)

    var isAbandoned: Bool { abandoned.load(ordering: .relaxed) }
    func abandon() { abandoned.store(true, ordering: .relaxed) }
}

/// For the operator: what failed, without the name.
struct NameResolutionError: Error, Hashable, CustomStringConvertible {
    let description: String
}
