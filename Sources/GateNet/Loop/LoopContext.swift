import GateCore
import GateHTTP
import NIOCore

/// What the connections of one event loop share. Used on that loop only.
final class LoopContext {
    let eventLoop: any EventLoop
    /// Among those of the server, from zero.
    let number: Int
    let service: HTTPService
    let executor: EventLoopExecutor
    /// Where responses are put together. Written out before the next one begins, it is used again; still waiting for its reader, the
    /// next one gets storage of its own.
    var output = ByteBuffer()
    /// For most responses with their bodies, in bytes.
    static let outputCapacity = 512
    /// Tells the storage of ``output`` from every other that there is at the time.
    typealias OutputStorage = UnsafeRawPointer?
    var outputStorage: OutputStorage { output.withVeryUnsafeBytes { $0.baseAddress } }
    private(set) var isStopping = false
    private var requestIDs: RequestIDSequence
    private var date = DateField()
    private var connections: [any ServedConnection] = []
    private var compressor: LoopCompressor?
    private var entrance: Entrance
    private var sweep: Scheduled<Void>?

    init(_ eventLoop: any EventLoop, number: Int, of loopCount: Int, idStart: UInt64, service: HTTPService) {
        self.eventLoop = eventLoop
        self.number = number
        self.service = service
        entrance = Entrance(limit: service.configuration.limits.handshakes / loopCount)
        executor = EventLoopExecutor(eventLoop)
        requestIDs = RequestIDSequence(start: idStart, loop: number)
    }

    func nextRequestID() -> RequestID { requestIDs.next() }

    /// Whether what was written out of this storage of ``output`` is held by nobody any more. May be false for one that is, and never true for
    /// one that is not.
    func isReleased(_ storage: OutputStorage) -> Bool {
        guard outputStorage == storage else { return false }
        output.clear(minimumCapacity: Self.outputCapacity)
        return outputStorage == storage
    }

    func dateLine(at moment: MonotonicInstant) -> [UInt8] {
        date.refresh(at: moment, service.time)
        return date.line
    }

    func dateValue(at moment: MonotonicInstant) -> String {
        date.refresh(at: moment, service.time)
        return date.value
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

    /// Times a connection that does not speak HTTP yet, until ``leave(_:)``. Others may have to go for it.
    func enter(_ channel: any Channel, from peer: IPAddress?) -> Entrance.Entrant {
        let entrant = Entrance.Entrant(
            channel, from: peer?.limitedNetwork, deadline: service.monotonic() + service.configuration.limits.handshakeTime)
        let shed = entrance.add(entrant)
        if sweep == nil { scheduleSweep() }
        shed?.channel.close(promise: nil)
        return entrant
    }

    func leave(_ entrant: Entrance.Entrant) { entrance.remove(entrant) }

    /// Deadlines are fields of the connections, looked at every now and then: nothing is scheduled or cancelled for a request.
    private func scheduleSweep() {
        sweep = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(service.configuration.limits.sweepInterval)) { [self] in
            sweep = nil
            let now = service.monotonic()
            // A copy: a connection that is closed leaves the list.
            for connection in connections { connection.checkDeadlines(now) }
            while let expired = entrance.removeExpired(at: now) { expired.channel.close(promise: nil) }
            if !connections.isEmpty || entrance.count > 0 { scheduleSweep() }
        }
    }

    /// Lets connections close after the responses that they are at, or where no request comes for a moment.
    func stop() {
        isStopping = true
        for connection in connections { connection.stop() }
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(service.configuration.limits.stopTime)) { [self] in
            while let entrant = entrance.removeOldest() { entrant.channel.close(promise: nil) }
        }
    }

    /// Gives up kept connections for new ones, and half of those in their handshake.
    func makeRoom() {
        for connection in connections { connection.makeRoom() }
        for _ in 0..<(entrance.count + 1) / 2 { entrance.removeFromLargest()?.channel.close(promise: nil) }
    }

    func closeAll() {
        for connection in connections { connection.cutOff() }
        while let entrant = entrance.removeOldest() { entrant.channel.close(promise: nil) }
    }
}
