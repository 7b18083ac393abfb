import GateHTTP
import Glibc
import Synchronization

/// A responder that is exchanged as a whole while requests run: those under way go on with the one that they began with.
final class ReplaceableResponder: Responder {
    /// One for each of so many groups of threads, so that event loops hardly ever meet at one lock: it is taken for every request.
    private final class Stripe: Sendable {
        let responder: Mutex<any Responder>
        init(_ responder: any Responder) { self.responder = Mutex(responder) }
    }

    private let stripes: [Stripe]

    init(_ first: any Responder) { stripes = (0..<64).map { _ in Stripe(first) } }

    /// Returns when every later request meets `next`.
    func replace(_ next: any Responder) {
        for stripe in stripes { stripe.responder.withLock { $0 = next } }
    }

    func respond(to request: Request) -> Answer {
        let responder = stripes[Self.place].responder.withLock { $0 }
        return responder.respond(to: request)
    }

    /// Threads lie pages apart; the multiplication spreads what differs over the upper bits.
    private static var place: Int { Int(truncatingIfNeeded: (UInt64(pthread_self()) >> 12 &* 0x9E37_79B9_7F4A_7C15) >> 58) }
}
