import GateCore
import GateHTTP

/// One request on its way, from being asked for to the end of its response: what gives it up is a time limit, its task's cancellation, or
/// the client's shutdown. Used on one event loop only.
final class OutgoingCall {
    typealias Outcome = Result<StreamedResponse, OutgoingError>

    enum Stage {
        case waiting(ClientLoop.Pool.Ticket?)
        case connecting(Dial)
        case exchange(ClientConnection)
        /// The head of the response has been given out.
        case body(ClientConnection)
        case over
    }

    enum Limits {
        /// For everything, to the end of the response.
        case whole(Duration)
        case staged(connect: Duration, response: Duration, idle: Duration)
    }

    /// Who waits for the head of the response.
    enum Waiter {
        case task(UnsafeContinuation<Outcome, Never>)
        case callback((Outcome) -> Void)
    }

    let host: ClientLoop.Pool.Host
    let request: ClientRequest
    let limits: Limits
    /// Where it counts while it is on its way.
    var counter: InFlightCounter?
    var stage = Stage.waiting(nil)
    var isResent = false
    /// Its place in the loop's list.
    var slot: Int?
    /// Why it was given up.
    private(set) var failure: OutgoingError?
    private var waiter: Waiter?
    /// When what is waited for at the moment must have come: a connection, a response; then, room for the request's body.
    private var deadline: MonotonicInstant
    private var roomDeadline = MonotonicInstant.never
    /// When a body that waits to be asked for is sent unasked.
    var continueDeadline = MonotonicInstant.never

    init(_ request: ClientRequest, to host: ClientLoop.Pool.Host, limits: Limits, at now: MonotonicInstant) {
        self.request = request
        self.host = host
        self.limits = limits
        deadline =
            switch limits {
            case .whole(let time): now + time
            case .staged(let connect, _, _): now + connect
            }
    }

    var destination: Destination { host.destination }
    var isWaitedFor: Bool { waiter != nil }

    func wait(_ waiter: Waiter) { self.waiter = waiter }

    /// Tells who waits for the head of the response, once.
    func resolve(_ outcome: Outcome) {
        let waiter = waiter
        self.waiter = nil
        switch waiter {
        case .task(let continuation): continuation.resume(returning: outcome)
        case .callback(let done): done(outcome)
        case nil: break
        }
    }

    // MARK: Time

    /// From `now` on a response is waited for.
    func awaitResponse(since now: MonotonicInstant) {
        if case .staged(_, let time, _) = limits { deadline = now + time }
    }

    /// From `now` on the server has to do something: send a part, or, in a tunnel, anything.
    func awaitPart(since now: MonotonicInstant) {
        if case .staged(_, _, let time) = limits { deadline = now + time }
    }

    /// Nothing is waited for but what our own side has to do.
    func suspend() {
        if case .staged = limits { deadline = .never }
    }

    func awaitRoom(since now: MonotonicInstant) {
        if case .staged(_, _, let time) = limits { roomDeadline = now + time }
    }

    func endAwaitingRoom() { roomDeadline = .never }

    func isExpired(at now: MonotonicInstant) -> Bool { now >= deadline || now >= roomDeadline }

    /// What was waited for in vain, and for how long.
    var expiry: OutgoingError {
        let what =
            switch stage {
            case .waiting: "no connection was free"
            case .connecting: "no connection was made"
            case .exchange: roomDeadline < deadline ? "nothing of the request's body was taken" : "no response came"
            case .body(let connection) where connection.state.isTunnel: "nothing came through the tunnel"
            case .body, .over: "the response did not end"
            }
        let time: Duration =
            switch (limits, stage) {
            case (.whole(let time), _): time
            case (.staged(let connect, _, _), .waiting), (.staged(let connect, _, _), .connecting): connect
            case (.staged(_, let response, _), .exchange) where deadline <= roomDeadline: response
            case (.staged(_, _, let idle), _): idle
            }
        // All the connections that there may be are busy: that is our limit, and says nothing of the server.
        if case (.staged, .waiting) = (limits, stage) { return OutgoingError(.overloaded, "\(destination): \(what) within \(time.text)") }
        return .timedOut(destination, "\(what) within \(time.text)")
    }

    /// Notes why it is given up.
    /// - Returns: false where that has happened before.
    func giveUp(_ error: OutgoingError) -> Bool {
        guard failure == nil else { return false }
        failure = error
        return true
    }
}

extension MonotonicInstant {
    static let never = MonotonicInstant(nanoseconds: .max)
}
