import GateCore
import GateHTTP
import NIOCore

/// What a client does on one event loop: leases connections to requests, and ends what takes too long. Used on that loop only.
final class ClientLoop {
    typealias Pool = ConnectionPool<ClientConnection>

    /// How often deadlines are looked at while requests are on their way: the slack that every time limit has.
    private static let sweepInterval = TimeAmount.milliseconds(50)
    /// How often idle connections are looked at while there are only those.
    private static let idleInterval = TimeAmount.seconds(1)

    let eventLoop: any EventLoop
    let executor: EventLoopExecutor
    let settings: ClientSettings
    /// Where requests are put together. Written out before the next one begins, it is used again.
    var output = ByteBuffer()
    private var pool: Pool
    private var waiting: [Pool.Ticket: CheckedContinuation<Result<Void, OutgoingError>, Never>] = [:]
    /// What tickets have been granted: a connection, where it is no place to make one.
    private var handedOver: [Pool.Ticket: ClientConnection] = [:]
    /// Deadlines are fields of the calls, looked at every now and then: nothing is scheduled or cancelled for a request.
    private var calls: [OutgoingCall] = []
    private var sweep: (task: Scheduled<Void>, isQuick: Bool)?
    private var isShutDown = false

    init(_ eventLoop: any EventLoop, settings: ClientSettings) {
        self.eventLoop = eventLoop
        self.settings = settings
        executor = EventLoopExecutor(eventLoop)
        pool = Pool(limits: settings.limits)
    }

    /// Connections being made, in use, and idle.
    var connections: Int { pool.count }

    /// Sends `request` and returns with the head of its response. The connection is the caller's until it has taken the body.
    func open(_ request: ClientRequest, for call: OutgoingCall) async throws(OutgoingError) -> (ClientConnection, ResponseHead) {
        add(call)
        do throws(OutgoingError) {
            return try await attempt(request, for: call)
        } catch {
            call.abort = nil
            remove(call)
            throw error
        }
    }

    private func attempt(_ request: ClientRequest, for call: OutgoingCall) async throws(OutgoingError) -> (ClientConnection, ResponseHead) {
        var isFirst = true
        while true {
            let connection = try await lease(call)
            call.stage = .exchange
            call.abort = { connection.fail($0) }
            guard connection.begin(request, for: call) else {
                release(connection)
                throw OutgoingError(.badRequest, "the request for \(call.destination) cannot be written as HTTP/1.1")
            }
            do throws(OutgoingError) {
                return (connection, try await connection.head())
            } catch {
                guard isFirst, connection.isRetriable, error.reason == .disconnected, call.failure == nil else { throw error }
                isFirst = false
                // The others have been kept as long.
                for old in pool.dropIdle(call.destination) { discard(old) }
                add(call)
            }
        }
    }

    // MARK: Connections

    private func lease(_ call: OutgoingCall) async throws(OutgoingError) -> ClientConnection {
        if isShutDown { throw .shutDown(call.destination) }
        if let failure = call.failure { throw failure }
        switch pool.lease(call.destination, at: settings.time.monotonic()) {
        case .use(let connection): return take(connection)
        case .connect(let evicted):
            if let evicted { discard(evicted) }
            return try await connect(call)
        case .wait(let ticket):
            if let granted = try await wait(ticket, call) { return take(granted) }
            return try await connect(call)
        case .overloaded: throw OutgoingError(.overloaded, "too many requests wait for a connection to \(call.destination) already")
        }
    }

    private func take(_ connection: ClientConnection) -> ClientConnection {
        connection.standing = .leased
        return connection
    }

    /// - Returns: a connection, or `nil` for the place to make one.
    private func wait(_ ticket: Pool.Ticket, _ call: OutgoingCall) async throws(OutgoingError) -> ClientConnection? {
        call.stage = .waiting
        let result: Result<Void, OutgoingError> = await withCheckedContinuation { continuation in
            waiting[ticket] = continuation
            call.abort = { [self] error in
                guard let waiter = waiting.removeValue(forKey: ticket) else { return }
                pool.abandon(ticket, of: call.destination)
                waiter.resume(returning: .failure(error))
            }
        }
        call.abort = nil
        try result.get()
        let granted = handedOver.removeValue(forKey: ticket)
        // Granted and given up in the same moment: somebody else can have it.
        if let failure = call.failure {
            if let granted { release(granted) } else { perform(pool.vacate(call.destination)) }
            throw failure
        }
        return granted
    }

    private func connect(_ call: OutgoingCall) async throws(OutgoingError) -> ClientConnection {
        call.stage = .connecting
        let outcome: Dial.Outcome = await withCheckedContinuation { continuation in
            let dial = Dial(call.destination, settings, on: eventLoop) { continuation.resume(returning: $0) }
            call.abort = { dial.abort($0) }
            dial.start()
        }
        call.abort = nil
        do throws(OutgoingError) {
            let channel = try outcome.get()
            if let failure = call.failure {
                channel.close(promise: nil)
                throw failure
            }
            let connection = ClientConnection(loop: self, destination: call.destination)
            do {
                try channel.pipeline.syncOperations.addHandler(connection)
            } catch {
                throw .disconnected(call.destination, "closed the connection without a response")
            }
            return connection
        } catch {
            perform(pool.vacate(call.destination))
            throw error
        }
    }

    /// Takes back a connection that can serve another request.
    func release(_ connection: ClientConnection) {
        guard !isShutDown, connection.state.isIdle, connection.context?.channel.isActive == true else {
            connection.close()
            return
        }
        // A second less than the server keeps it: a request sent in the moment that it gives up is lost.
        let time = connection.state.keepAliveTimeout.map { min(settings.limits.idleTime, .seconds($0 - 1)) } ?? settings.limits.idleTime
        guard time > .zero else {
            connection.close()
            return
        }
        connection.standing = .idle
        let (grant, closing) = pool.release(connection, to: connection.destination, until: settings.time.monotonic() + time)
        if let closing { discard(closing) }
        perform(grant)
        scheduleSweep()
    }

    /// A connection is being closed.
    func leave(_ connection: ClientConnection) {
        let standing = connection.standing
        connection.standing = .gone
        switch standing {
        case .leased: perform(pool.vacate(connection.destination))
        case .idle: perform(pool.idleClosed(connection, of: connection.destination))
        case .gone: break
        }
    }

    /// Closes a connection whose place the pool has freed already.
    private func discard(_ connection: ClientConnection) {
        connection.standing = .gone
        connection.close()
    }

    private func perform(_ grant: Pool.Grant?) {
        switch grant {
        case .use(let ticket, let connection):
            connection.standing = .leased
            handedOver[ticket] = connection
            waiting.removeValue(forKey: ticket)?.resume(returning: .success(()))
        case .connect(let ticket): waiting.removeValue(forKey: ticket)?.resume(returning: .success(()))
        case nil: break
        }
    }

    // MARK: Time

    private func add(_ call: OutgoingCall) {
        guard call.slot == nil else { return }
        call.slot = calls.count
        calls.append(call)
        scheduleSweep()
    }

    func remove(_ call: OutgoingCall) {
        guard let slot = call.slot else { return }
        call.slot = nil
        let last = calls.removeLast()
        guard last !== call else { return }
        calls[slot] = last
        last.slot = slot
    }

    private func scheduleSweep() {
        let isQuick = !calls.isEmpty
        guard isQuick || pool.hasIdle else { return }
        if let sweep {
            guard isQuick, !sweep.isQuick else { return }
            sweep.task.cancel()
        }
        let task = eventLoop.assumeIsolated().scheduleTask(in: isQuick ? Self.sweepInterval : Self.idleInterval) { [self] in
            sweep = nil
            let now = settings.time.monotonic()
            // A copy: a call that ends leaves the list.
            for call in calls where now >= call.deadline { call.expire() }
            for connection in pool.expire(at: now) { discard(connection) }
            scheduleSweep()
        }
        sweep = (task, isQuick)
    }

    /// Gives up every request, and closes every connection.
    func shutDown() {
        isShutDown = true
        for call in calls { call.end(.shutDown(call.destination)) }
        for connection in pool.expire(at: MonotonicInstant(nanoseconds: .max)) { discard(connection) }
        sweep?.task.cancel()
        sweep = nil
    }
}
