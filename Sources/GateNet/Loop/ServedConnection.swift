import GateCore

/// A connection as the context of its event loop knows it, whatever it speaks.
protocol ServedConnection: AnyObject {
    /// Its place in the context's list.
    var slot: Int? { get set }

    /// Ends what has taken too long.
    func checkDeadlines(_ now: MonotonicInstant)

    /// The server stops: closes after the responses that it is at, or where no request comes for a moment.
    func stop()

    /// Closes where it is idle and has had an answer. One that has not had any stays: its request may be on its way.
    func makeRoom()

    /// Closes without another word.
    func cutOff()
}
