import GateCore
import NIOCore
import Synchronization

/// Has connections make room where accept(2) finds no descriptor or memory. However many listening sockets find that at the same time,
/// connections are asked once in ``AcceptBackoff/pause``: half of those in their handshake go each time.
final class RoomKeeper: Sendable {
    private let last = Mutex<MonotonicInstant?>(nil)
    private let time: any TimeSource
    private let ask: @Sendable () -> Void

    init(_ time: any TimeSource, _ ask: @escaping @Sendable () -> Void) {
        self.time = time
        self.ask = ask
    }

    func makeRoom() {
        let now = time.monotonic()
        let isDue = last.withLock { last in
            if let before = last, now < before + .nanoseconds(AcceptBackoff.pause.nanoseconds) { return false }
            last = now
            return true
        }
        if isDue { ask() }
    }
}
