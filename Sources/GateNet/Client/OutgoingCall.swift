import GateCore
import GateHTTP

/// One request on its way, from being asked for to the end of its response: what gives it up is its deadline, its task's cancellation, or
/// the client's shutdown. Used on one event loop only.
final class OutgoingCall {
    enum Stage: String {
        case waiting = "no connection was free"
        case connecting = "no connection was made"
        case exchange = "no response came"
        case body = "the response did not end"
    }

    let destination: Destination
    /// Where each sign of life moves the deadline: by so much. `nil` where the deadline is for the whole.
    private let idleLimit: Duration?
    private let limit: Duration
    private(set) var deadline: MonotonicInstant
    var stage = Stage.waiting
    /// Its place in the loop's list.
    var slot: Int?
    private(set) var failure: OutgoingError?
    /// Breaks off what the call waits for at the moment.
    var abort: ((OutgoingError) -> Void)?

    init(_ destination: Destination, limit: Duration, idleLimit: Duration? = nil, at now: MonotonicInstant) {
        self.destination = destination
        self.limit = limit
        self.idleLimit = idleLimit
        deadline = now + limit
    }

    func progress(_ now: @autoclosure () -> MonotonicInstant) {
        if let idleLimit { deadline = now() + idleLimit }
    }

    func expire() {
        let time = stage == .body ? idleLimit ?? limit : limit
        end(.timedOut(destination, "\(stage.rawValue) within \(time.text)"))
    }

    func end(_ error: OutgoingError) {
        guard failure == nil else { return }
        failure = error
        let abort = abort
        self.abort = nil
        abort?(error)
    }
}
