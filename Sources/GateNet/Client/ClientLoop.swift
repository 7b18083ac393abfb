import GateCore
import GateHTTP
package import NIOCore

/// What a client does on one event loop: leases connections to calls, and ends what takes too long. Used on that loop only.
package final class ClientLoop {
    typealias Pool = ConnectionPool<ClientConnection>

    /// How often time limits are looked at while requests are on their way: the slack that every one has.
    private static let sweepInterval = TimeAmount.milliseconds(50)
    /// How often idle connections are looked at.
    private static let idleInterval = TimeAmount.seconds(1)

    package let eventLoop: any EventLoop
    /// Its place among the client's.
    let index: Int
    let executor: EventLoopExecutor
    let settings: ClientSettings
    /// Where requests are put together. Written out before the next one begins, it is used again.
    var output = ByteBuffer()
    /// The clock as it stood when a request began or time limits were looked at: while one is on its way, ``sweepInterval`` ago at most.
    private(set) var recent: MonotonicInstant
    var pool: Pool
    var isShutDown = false
    /// Who waits for a connection.
    var waiting: [Pool.Ticket: OutgoingCall] = [:]
    /// Time limits are fields of the calls, looked at every now and then: nothing is scheduled or cancelled for a request.
    private var calls: [OutgoingCall] = []
    private var sweep: Scheduled<Void>?
    private var isSweepQuick = false
    private var nextExpiry = MonotonicInstant(nanoseconds: 0)

    init(_ eventLoop: any EventLoop, index: Int, settings: ClientSettings) {
        self.eventLoop = eventLoop
        self.index = index
        self.settings = settings
        recent = settings.time.monotonic()
        executor = EventLoopExecutor(eventLoop)
        pool = Pool(limits: settings.limits)
    }

    /// Connections being made, in use, and idle.
    var connections: Int { pool.count }

    // MARK: Calls

    /// Reads the clock for a request that begins.
    func now() -> MonotonicInstant {
        recent = settings.time.monotonic()
        return recent
    }

    func start(_ call: OutgoingCall, _ waiter: OutgoingCall.Waiter) {
        call.wait(waiter)
        call.slot = calls.count
        calls.append(call)
        call.counter?.increment()
        scheduleSweep()
        lease(call)
    }

    /// Ends a call that waits for its response.
    func end(_ call: OutgoingCall, _ error: OutgoingError) {
        remove(call)
        call.resolve(.failure(error))
    }

    /// A call is over.
    func remove(_ call: OutgoingCall) {
        guard let slot = call.slot else { return }
        call.slot = nil
        call.stage = .over
        call.counter?.decrement()
        let last = calls.removeLast()
        guard last !== call else { return }
        calls[slot] = last
        last.slot = slot
    }

    /// Breaks a call off, whatever it is at.
    func giveUp(_ call: OutgoingCall, _ error: @autoclosure () -> OutgoingError) {
        guard call.slot != nil else { return }
        let error = error()
        guard call.giveUp(error) else { return }
        switch call.stage {
        case .waiting(let ticket):
            if let ticket {
                waiting[ticket] = nil
                pool.abandon(ticket, of: call.host)
            }
            end(call, error)
        case .connecting(let dial): dial.abort(error)
        case .exchange(let connection), .body(let connection): connection.fail(error)
        case .over: break
        }
    }

    // MARK: Time

    func scheduleSweep() {
        let isQuick = !calls.isEmpty
        if sweep != nil {
            guard isQuick, !isSweepQuick else { return }
            sweep?.cancel()
        } else if !isQuick, !pool.hasIdle {
            return
        }
        isSweepQuick = isQuick
        sweep = eventLoop.assumeIsolated().scheduleTask(in: isQuick ? Self.sweepInterval : Self.idleInterval) { [self] in
            sweep = nil
            lookAtTime(isQuick: isQuick)
            scheduleSweep()
        }
    }

    private func lookAtTime(isQuick: Bool) {
        let now = now()
        // A copy: a call that ends leaves the list.
        for call in calls {
            if call.isExpired(at: now) {
                giveUp(call, call.expiry)
            } else if now >= call.continueDeadline, case .exchange(let connection) = call.stage {
                connection.sendBody()
            }
        }
        guard !isQuick || now >= nextExpiry else { return }
        nextExpiry = now + Duration(Self.idleInterval)
        for connection in pool.expire(at: now) { discard(connection) }
    }

    /// Gives up every request, and closes every connection.
    func shutDown() {
        isShutDown = true
        for call in calls { giveUp(call, .shutDown(call.destination)) }
        for connection in pool.expire(at: .never) { discard(connection) }
        sweep?.cancel()
        sweep = nil
    }
}
