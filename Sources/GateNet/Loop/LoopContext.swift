import GateCore
import GateHTTP
import NIOCore

/// What the connections of one event loop share. Used on that loop only.
final class LoopContext {
    let eventLoop: any EventLoop
    let service: HTTPService
    let executor: EventLoopExecutor
    /// Where responses are put together. Written out before the next one begins, it is used again; still waiting for its reader, the
    /// next one gets storage of its own.
    var output = ByteBuffer()
    private(set) var isStopping = false
    private var requestIDs: RequestIDSequence
    private var date = DateField()
    private var connections: [any ServedConnection] = []
    private var compressor: LoopCompressor?
    private var sweep: Scheduled<Void>?

    init(_ eventLoop: any EventLoop, number: Int, idStart: UInt64, service: HTTPService) {
        self.eventLoop = eventLoop
        self.service = service
        executor = EventLoopExecutor(eventLoop)
        requestIDs = RequestIDSequence(start: idStart, loop: number)
    }

    func nextRequestID() -> RequestID { requestIDs.next() }

    func dateLine(at moment: MonotonicInstant) -> [UInt8] {
        date.refresh(at: moment, service.time)
        return date.line
    }

    func compress(_ bytes: ByteBuffer) -> ByteBuffer? {
        if compressor == nil { compressor = LoopCompressor() }
        return compressor?.compress(bytes)
    }

    func add(_ connection: some ServedConnection) {
        connection.slot = connections.count
        connections.append(connection)
        if sweep == nil { scheduleSweep() }
    }

    func remove(_ connection: some ServedConnection) {
        guard let slot = connection.slot else { return }
        connection.slot = nil
        let last = connections.removeLast()
        guard last !== connection else { return }
        connections[slot] = last
        last.slot = slot
    }

    /// Deadlines are fields of the connections, looked at every now and then: nothing is scheduled or cancelled for a request.
    private func scheduleSweep() {
        sweep = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(service.configuration.limits.sweepInterval)) { [self] in
            sweep = nil
            let now = service.monotonic()
            // A copy: a connection that is closed leaves the list.
            for connection in connections { connection.checkDeadlines(now) }
            if !connections.isEmpty { scheduleSweep() }
        }
    }

    /// Closes what waits for a request, and lets the rest close after the responses that they are at.
    func stop() {
        isStopping = true
        for connection in connections { connection.stop() }
    }

    /// Gives up kept connections for new ones.
    func makeRoom() {
        for connection in connections { connection.makeRoom() }
    }

    func closeAll() {
        for connection in connections { connection.cutOff() }
    }
}
