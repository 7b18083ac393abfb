import GateCore
import GateHTTP
import NIOCore

extension ClientLoop {
    /// Finds a connection for `call`, makes one, or lets it wait.
    func lease(_ call: OutgoingCall) {
        guard !isShutDown else {
            end(call, .shutDown(call.destination))
            return
        }
        switch pool.lease(call.host, at: recent) {
        case .use(let connection):
            connection.standing = .leased
            exchange(call, on: connection)
        case .connect(let evicted):
            if let evicted { discard(evicted) }
            connect(call)
        case .wait(let ticket):
            waiting[ticket] = call
            call.stage = .waiting(ticket)
        case .overloaded: end(call, OutgoingError(.overloaded, "too many requests wait for a connection to \(call.destination) already"))
        }
    }

    private func connect(_ call: OutgoingCall) {
        let dial = Dial(call.destination, settings, on: eventLoop) { [self] in connected(call, $0) }
        call.stage = .connecting(dial)
        dial.start()
    }

    private func connected(_ call: OutgoingCall, _ outcome: Dial.Outcome) {
        do throws(OutgoingError) {
            let channel = try outcome.get()
            let connection = ClientConnection(loop: self, host: call.host)
            do {
                try channel.pipeline.syncOperations.addHandler(connection)
            } catch {
                throw .disconnected(call.destination, "closed the connection without a response")
            }
            exchange(call, on: connection)
        } catch {
            perform(pool.vacate(call.host))
            end(call, error)
        }
    }

    private func exchange(_ call: OutgoingCall, on connection: ClientConnection) {
        call.stage = .exchange(connection)
        guard connection.begin(call) else {
            release(connection)
            end(call, OutgoingError(.badRequest, "the request for \(call.destination) cannot be written as HTTP/1.1"))
            return
        }
    }

    /// A call's connection has broken off.
    func fail(_ call: OutgoingCall, on connection: ClientConnection, _ error: OutgoingError) {
        guard call.isWaitedFor, !call.isResent, call.failure == nil, error.reason == .disconnected, connection.isRetriable(call.request)
        else {
            end(call, error)
            return
        }
        call.isResent = true
        // The others have been kept as long.
        for old in pool.dropIdle(call.host) { discard(old) }
        lease(call)
    }

    /// Takes back a connection that can serve another request.
    func release(_ connection: ClientConnection) {
        guard !isShutDown, connection.state.isIdle, connection.context?.channel.isActive == true else {
            connection.close()
            return
        }
        let longest = connection.destination.rules?.keepAliveTime ?? settings.limits.idleTime
        // A second less than the server keeps it: a request sent in the moment that it gives up is lost.
        let time = connection.state.keepAliveTimeout.map { min(longest, .seconds($0 - 1)) } ?? longest
        guard time > .zero else {
            connection.close()
            return
        }
        connection.standing = .idle
        let (grant, closing) = pool.release(connection, to: connection.host, until: recent + time)
        if let closing { discard(closing) }
        perform(grant)
        scheduleSweep()
    }

    /// A connection is being closed.
    func leave(_ connection: ClientConnection) {
        let standing = connection.standing
        connection.standing = .gone
        switch standing {
        case .leased: perform(pool.vacate(connection.host))
        case .idle: perform(pool.idleClosed(connection, of: connection.host))
        case .gone: break
        }
    }

    /// Closes a connection whose place the pool has freed already.
    func discard(_ connection: ClientConnection) {
        connection.standing = .gone
        connection.close()
    }

    private func perform(_ grant: Pool.Grant?) {
        switch grant {
        case .use(let ticket, let connection):
            connection.standing = .leased
            guard let call = waiting.removeValue(forKey: ticket) else { return release(connection) }
            exchange(call, on: connection)
        case .connect(let ticket):
            guard let call = waiting.removeValue(forKey: ticket) else { return }
            connect(call)
        case nil: break
        }
    }
}
