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
        /// For each of its stages: the others are the request's.
        case staged(connect: Duration)
    }

    /// Who waits for the head of the response.
    enum Waiter {
        case task(UnsafeContinuation<Outcome, Never>)
        case callback((Outcome) -> Void)
    }

    private let loop: ClientLoop
    let host: ClientLoop.Pool.Host
    let request: StreamedRequest
    /// What `Host` says.
    let authority: String
    let limits: Limits
    /// Where it counts while it is on its way.
    let counter: InFlightCounter?
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

    init(
        _ request: StreamedRequest, to host: ClientLoop.Pool.Host, _ authority: String, limits: Limits, on loop: ClientLoop,
        counter: InFlightCounter? = nil
    ) {
        self.loop = loop
        self.request = request
        self.host = host
        self.authority = request.authority ?? authority
        self.limits = limits
        self.counter = counter
        let now = loop.now()
        deadline =
            switch limits {
            case .whole(let time): now + time
            case .staged(let time): now + time
            }
    }

    var destination: Destination { host.destination }
    var isWaitedFor: Bool { waiter != nil }

    func wait(_ waiter: Waiter) { self.waiter = waiter }

    /// Tells who waits for the head of the response, once.
    func resolve(_ outcome: Outcome) {
        switch waiter.take() {
        case .task(let continuation): continuation.resume(returning: outcome)
        case .callback(let done): done(outcome)
        case nil: break
        }
    }

    // MARK: Time

    /// From `now` on a response is waited for.
    func awaitResponse(since now: MonotonicInstant) {
        if case .staged = limits { deadline = now + request.responseTime }
    }

    /// From `now` on the server has to do something: send a part, or, in a tunnel, anything.
    func awaitPart(since now: MonotonicInstant) {
        if case .staged = limits { deadline = now + request.idleTime }
    }

    /// Nothing is waited for but what our own side has to do.
    func suspend() {
        if case .staged = limits { deadline = .never }
    }

    func awaitRoom(since now: MonotonicInstant) {
        if case .staged = limits { roomDeadline = now + request.idleTime }
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
            case (.staged(let time), .waiting), (.staged(let time), .connecting): time
            case (.staged, .exchange) where deadline <= roomDeadline: request.responseTime
            case (.staged, _): request.idleTime
            }
        // All the connections that there may be are busy: that is our limit, and says nothing of the server.
        if case (.staged, .waiting) = (limits, stage) { return OutgoingError(.overloaded, "\(destination): \(what) within \(time.text)") }
        return .timedOut(destination, "\(what) within \(time.text)")
    }

    /// Gives it up.
    func cancel() { loop.giveUp(self, .cancelled(destination)) }

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
