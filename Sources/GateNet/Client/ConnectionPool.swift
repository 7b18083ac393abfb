import GateCore
import NIOCore

/// The connections of one event loop by destination: which one serves a request, how many there may be, how long an idle one is kept, and
/// who waits. No socket, no clock.
///
/// A connection that is being made belongs to the request that asked for it. A place is taken from the moment that ``lease(_:at:)`` says
/// `.connect` until ``vacate(_:)`` or, for an idle connection, ``idleClosed(_:of:)``.
struct ConnectionPool<Connection: AnyObject> {
    typealias Ticket = UInt64

    enum Lease {
        /// An idle connection, the one used last: it is the least likely to be closed.
        case use(Connection)
        /// There is a place for a new one, once `evicting` has been closed.
        case connect(evicting: Connection?)
        /// To be answered by a ``Grant`` with this ticket, or taken back by ``abandon(_:of:)``.
        case wait(Ticket)
        case overloaded
    }

    enum Grant {
        case use(Ticket, Connection)
        case connect(Ticket)
    }

    private struct Idle {
        let connection: Connection
        let expiry: MonotonicInstant
    }

    private struct Host {
        /// The one used last stands last.
        var idle: [Idle] = []
        /// Places taken: connections being made, in use, and idle.
        var places = 0
        var waiting = CircularBuffer<Ticket>()
    }

    private let limits: ClientLimits
    private var hosts: [Destination: Host] = [:]
    private var places = 0
    private var waitingCount = 0
    private var waitingHosts: Set<Destination> = []
    private var lastTicket: Ticket = 0

    init(limits: ClientLimits) { self.limits = limits }

    /// Connections being made, in use, and idle.
    var count: Int { places }
    var hasIdle: Bool { hosts.values.contains { !$0.idle.isEmpty } }
    var waiters: Int { waitingCount }

    mutating func lease(_ destination: Destination, at now: MonotonicInstant) -> Lease {
        if let last = hosts[destination]?.idle.popLast() {
            // Its place goes to the new one.
            return last.expiry > now ? .use(last.connection) : .connect(evicting: last.connection)
        }
        if hosts[destination]?.places ?? 0 < limits.connectionsPerHost {
            if places < limits.connections {
                take(destination)
                return .connect(evicting: nil)
            }
            if let evicted = evictOldest() {
                take(destination)
                return .connect(evicting: evicted)
            }
        }
        guard waitingCount < limits.waiting else { return .overloaded }
        lastTicket += 1
        waitingCount += 1
        waitingHosts.insert(destination)
        hosts[destination, default: Host()].waiting.append(lastTicket)
        return .wait(lastTicket)
    }

    /// A connection that can take another request goes to who waits for one, or is kept until `expiry`.
    ///
    /// - Returns: `closing` is a connection that has to make room for one elsewhere, `grant` who goes on.
    mutating func release(
        _ connection: Connection, to destination: Destination, until expiry: MonotonicInstant
    ) -> (grant: Grant?, closing: Connection?) {
        if let ticket = popWaiter(destination) { return (.use(ticket, connection), nil) }
        guard longestWaiting != nil else {
            hosts[destination]?.idle.append(Idle(connection: connection, expiry: expiry))
            return (nil, nil)
        }
        return (vacate(destination), connection)
    }

    /// A connection in use is gone, or could not be made.
    mutating func vacate(_ destination: Destination) -> Grant? {
        places -= 1
        hosts[destination]!.places -= 1
        tidy(destination)
        guard let (ticket, name) = longestWaiting else { return nil }
        _ = popWaiter(name)
        take(name)
        return .connect(ticket)
    }

    /// An idle connection is gone. Nothing where it is none of the idle ones.
    mutating func idleClosed(_ connection: Connection, of destination: Destination) -> Grant? {
        guard let index = hosts[destination]?.idle.lastIndex(where: { $0.connection === connection }) else { return nil }
        hosts[destination]!.idle.remove(at: index)
        return vacate(destination)
    }

    /// Takes back a ticket that has not been granted.
    mutating func abandon(_ ticket: Ticket, of destination: Destination) {
        guard let index = hosts[destination]?.waiting.firstIndex(of: ticket) else { return }
        hosts[destination]!.waiting.remove(at: index)
        waitingCount -= 1
        if hosts[destination]!.waiting.isEmpty { waitingHosts.remove(destination) }
        tidy(destination)
    }

    /// Gives up the idle connections to `destination`: one of them was found closed, and the others are as old.
    mutating func dropIdle(_ destination: Destination) -> [Connection] {
        let dropped = hosts[destination]?.idle.map(\.connection) ?? []
        hosts[destination]?.idle = []
        free(dropped.count, of: destination)
        return dropped
    }

    /// Gives up what has been idle for too long.
    mutating func expire(at now: MonotonicInstant) -> [Connection] {
        var expired: [Connection] = []
        for (destination, host) in hosts where host.idle.contains(where: { $0.expiry <= now }) {
            let old = host.idle.filter { $0.expiry <= now }
            hosts[destination]!.idle.removeAll { $0.expiry <= now }
            expired += old.map(\.connection)
            free(old.count, of: destination)
        }
        return expired
    }

    /// Who has waited longest, of those whose host may have one more connection. While there is one, nothing is kept idle.
    private var longestWaiting: (Ticket, Destination)? {
        guard !waitingHosts.isEmpty else { return nil }
        var longest: (Ticket, Destination)?
        for name in waitingHosts {
            let host = hosts[name]!
            guard host.places < limits.connectionsPerHost, let ticket = host.waiting.first, ticket < longest?.0 ?? .max else { continue }
            longest = (ticket, name)
        }
        return longest
    }

    /// Idle connections are gone. Nobody waited for their places, see ``longestWaiting``.
    private mutating func free(_ count: Int, of destination: Destination) {
        guard count > 0 else { return }
        places -= count
        hosts[destination]!.places -= count
        tidy(destination)
    }

    private mutating func take(_ destination: Destination) {
        places += 1
        hosts[destination, default: Host()].places += 1
    }

    private mutating func popWaiter(_ destination: Destination) -> Ticket? {
        guard let ticket = hosts[destination]?.waiting.popFirst() else { return nil }
        waitingCount -= 1
        if hosts[destination]!.waiting.isEmpty { waitingHosts.remove(destination) }
        return ticket
    }

    private mutating func evictOldest() -> Connection? {
        var oldest: (destination: Destination, expiry: MonotonicInstant)?
        for (destination, host) in hosts {
            guard let first = host.idle.first, first.expiry < oldest?.expiry ?? MonotonicInstant(nanoseconds: .max) else { continue }
            oldest = (destination, first.expiry)
        }
        guard let destination = oldest?.destination else { return nil }
        let evicted = hosts[destination]!.idle.removeFirst().connection
        free(1, of: destination)
        return evicted
    }

    private mutating func tidy(_ destination: Destination) {
        if let host = hosts[destination], host.places == 0, host.waiting.isEmpty { hosts[destination] = nil }
    }
}
