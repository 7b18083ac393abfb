import GateCore
import GateHTTP
import GateTesting
import Testing

@testable import GateNet

@Suite("The pool of outgoing connections")
struct ClientPoolTests {
    final class Connection {
        let name: String
        init(_ name: String) { self.name = name }
    }

    /// A pool on a clock that is moved by hand, whose leases and grants are told as words.
    final class Bench {
        var pool: ConnectionPool<Connection>
        var now = MonotonicInstant(nanoseconds: 1_000_000_000)
        let idleTime = Duration.seconds(30)

        init(total: Int = 10, perHost: Int = 2, waiting: Int = 10) {
            var limits = ClientLimits()
            limits.connections = total
            limits.connectionsPerHost = perHost
            limits.waiting = waiting
            pool = ConnectionPool(limits: limits)
        }

        func host(_ name: String, _ egress: EgressRule = .any) -> ConnectionPool<Connection>.Host {
            pool.host(Destination(HTTPURL("http://\(name)/")!, socket: nil, egress: egress))
        }

        func lease(_ host: String, _ egress: EgressRule = .any) -> String {
            switch pool.lease(self.host(host, egress), at: now) {
            case .use(let connection): "use \(connection.name)"
            case .connect(nil): "connect"
            case .connect(let evicted?): "connect for \(evicted.name)"
            case .wait(let ticket): "wait \(ticket)"
            case .overloaded: "overloaded"
            }
        }

        func release(_ connection: Connection, _ host: String) -> String {
            let (grant, closing) = pool.release(connection, to: self.host(host), until: now + idleTime)
            return [Self.told(grant), closing.map { "close \($0.name)" }].compactMap(\.self).joined(separator: ", ")
        }

        func vacate(_ host: String) -> String { Self.told(pool.vacate(self.host(host))) ?? "" }

        static func told(_ grant: ConnectionPool<Connection>.Grant?) -> String? {
            switch grant {
            case .use(let ticket, let connection): "\(ticket) uses \(connection.name)"
            case .connect(let ticket): "\(ticket) connects"
            case nil: nil
            }
        }
    }

    @Test("An idle connection is used again, the last used first, until its time is over")
    func reuse() {
        let bench = Bench()
        let (a, b) = (Connection("a"), Connection("b"))
        #expect(bench.lease("one") == "connect")
        #expect(bench.lease("one") == "connect")
        #expect(bench.release(a, "one") == "")
        bench.now = bench.now + .seconds(10)
        #expect(bench.release(b, "one") == "")
        #expect(bench.lease("two") == "connect", "Another host's connection is not used.")
        #expect(bench.lease("one") == "use b")
        #expect(bench.release(b, "one") == "")
        #expect(bench.pool.expire(at: bench.now + .seconds(19)).isEmpty)
        #expect(bench.pool.expire(at: bench.now + .seconds(20)).map(\.name) == ["a"])
        bench.now = bench.now + .seconds(30)
        #expect(bench.lease("one") == "connect for b", "What has expired and was not swept yet is not used either.")
        #expect(bench.pool.count == 2)
    }

    @Test("CHECKLIST 59: a connection made under one rule of egress serves no request under another")
    func egress() {
        let bench = Bench()
        #expect(bench.lease("one", .any) == "connect")
        #expect(bench.release(Connection("a"), "one") == "")
        #expect(bench.lease("one", .public) == "connect")
    }

    @Test("No more than allowed to one host; the next waits, first come, first served")
    func perHost() {
        let bench = Bench()
        #expect([bench.lease("one"), bench.lease("one")] == ["connect", "connect"])
        #expect([bench.lease("one"), bench.lease("one")] == ["wait 1", "wait 2"])
        #expect(bench.lease("two") == "connect", "Another host is not held up.")
        #expect(bench.release(Connection("a"), "one") == "1 uses a")
        #expect(bench.vacate("one") == "2 connects", "A connection that closed makes room for a new one.")
        #expect(bench.release(Connection("b"), "two") == "")
        #expect(bench.pool.count == 3 && bench.pool.waiters == 0)
    }

    @Test("No more than allowed in all: the longest idle one makes room, then requests wait")
    func total() {
        let bench = Bench(total: 2)
        #expect([bench.lease("one"), bench.lease("two")] == ["connect", "connect"])
        #expect(bench.release(Connection("a"), "one") == "")
        bench.now = bench.now + .seconds(1)
        #expect(bench.release(Connection("b"), "two") == "")
        #expect(bench.lease("three") == "connect for a")
        #expect(bench.lease("four") == "connect for b")
        #expect([bench.lease("five"), bench.lease("six")] == ["wait 1", "wait 2"])
        #expect(bench.pool.count == 2)
        #expect(bench.release(Connection("c"), "three") == "1 connects, close c", "Not kept while others have no place.")
        #expect(bench.vacate("four") == "2 connects")
        #expect(bench.pool.count == 2)
    }

    @Test("A host whose own limit holds it up costs the others none of their idle connections")
    func saturatedHost() {
        let bench = Bench(total: 3, perHost: 1)
        #expect([bench.lease("one"), bench.lease("one"), bench.lease("two")] == ["connect", "wait 1", "connect"])
        #expect(bench.release(Connection("b"), "two") == "")
        #expect(bench.lease("two") == "use b")
        #expect(bench.vacate("one") == "1 connects")
    }

    @Test("Who has waited longest goes first, across hosts")
    func fairness() {
        let bench = Bench(total: 1)
        #expect(
            [bench.lease("one"), bench.lease("three"), bench.lease("two"), bench.lease("one")] == ["connect", "wait 1", "wait 2", "wait 3"])
        #expect(bench.vacate("one") == "1 connects")
        #expect(bench.vacate("three") == "2 connects")
        #expect(bench.vacate("two") == "3 connects")
    }

    @Test("CHECKLIST 58: where more wait than can be served at once, the last goes first")
    func overload() {
        let bench = Bench(perHost: 2)
        #expect(
            (1...6).map { _ in bench.lease("one") } == ["connect", "connect", "wait 1", "wait 2", "wait 3", "wait 4"])
        #expect(bench.release(Connection("a"), "one") == "4 uses a")
        #expect(bench.vacate("one") == "3 connects")
        #expect(bench.release(Connection("b"), "one") == "1 uses b", "No more than can be served at once: in their order again.")
        #expect(bench.release(Connection("b"), "one") == "2 uses b")
    }

    @Test("Who gives up waiting is passed over; the queue is bounded")
    func waiting() {
        let bench = Bench(perHost: 1, waiting: 2)
        #expect(
            [bench.lease("one"), bench.lease("one"), bench.lease("one"), bench.lease("one")] == [
                "connect", "wait 1", "wait 2", "overloaded",
            ])
        bench.pool.abandon(1, of: bench.host("one"))
        #expect(bench.lease("one") == "wait 3")
        bench.pool.abandon(3, of: bench.host("one"))
        #expect(bench.release(Connection("a"), "one") == "2 uses a")
        bench.pool.abandon(2, of: bench.host("one"))
        #expect(bench.release(Connection("a"), "one") == "")
        #expect(bench.pool.waiters == 0)
    }

    @Test("Idle connections that close, or are given up, leave their places")
    func idleCloses() {
        let bench = Bench()
        let (a, b) = (Connection("a"), Connection("b"))
        _ = (bench.lease("one"), bench.lease("one"))
        _ = (bench.release(a, "one"), bench.release(b, "one"))
        #expect(Bench.told(bench.pool.idleClosed(a, of: bench.host("one"))) == nil)
        #expect(Bench.told(bench.pool.idleClosed(a, of: bench.host("one"))) == nil, "Told twice, it counts once.")
        #expect(bench.pool.count == 1 && bench.pool.hasIdle)
        #expect(bench.pool.dropIdle(bench.host("one")).map(\.name) == ["b"])
        #expect(bench.pool.count == 0 && !bench.pool.hasIdle)
        #expect(bench.lease("one") == "connect")
    }

    @Test("Whatever happens in whatever order, the places add up")
    func randomWalk() {
        let random = SeededEntropy(seed: 7)
        let bench = Bench(total: 5, perHost: 2, waiting: 8)
        let hosts = ["one", "two", "three", "four"]
        var inUse: [(Connection, String)] = []
        var tickets: [UInt64: String] = [:]
        var idle: [(Connection, String)] = []
        var made = 0
        func connection() -> Connection {
            made += 1
            return Connection("\(made)")
        }
        func apply(_ grant: ConnectionPool<Connection>.Grant?) {
            switch grant {
            case .use(let ticket, let connection): inUse.append((connection, tickets.removeValue(forKey: ticket)!))
            case .connect(let ticket): inUse.append((connection(), tickets.removeValue(forKey: ticket)!))
            case nil: break
            }
        }
        for _ in 0..<20_000 {
            bench.now = bench.now + .milliseconds(Int64(random.next() % 2000))
            let host = hosts[Int(random.next() % 4)]
            switch random.next() % 6 {
            case 0, 1:
                switch bench.pool.lease(bench.host(host), at: bench.now) {
                case .use(let connection):
                    let index = idle.firstIndex { $0.0 === connection }
                    #expect(index.map { idle[$0].1 } == host)
                    inUse.append(idle.remove(at: index!))
                case .connect(let evicted):
                    if let evicted { idle.removeAll { $0.0 === evicted } }
                    inUse.append((connection(), host))
                case .wait(let ticket): tickets[ticket] = host
                case .overloaded: #expect(tickets.count == 8)
                }
            case 2, 3:
                guard !inUse.isEmpty else { continue }
                let (connection, host) = inUse.remove(at: Int(random.next() % UInt64(inUse.count)))
                let (grant, closing) = bench.pool.release(connection, to: bench.host(host), until: bench.now + .seconds(5))
                if grant == nil, closing == nil { idle.append((connection, host)) }
                apply(grant)
            case 4:
                guard !inUse.isEmpty else { continue }
                let (_, host) = inUse.remove(at: Int(random.next() % UInt64(inUse.count)))
                apply(bench.pool.vacate(bench.host(host)))
            default:
                for expired in bench.pool.expire(at: bench.now) { idle.removeAll { $0.0 === expired } }
                if let (ticket, host) = tickets.first, random.next() % 2 == 0 {
                    tickets[ticket] = nil
                    bench.pool.abandon(ticket, of: bench.host(host))
                }
            }
            #expect(bench.pool.count == inUse.count + idle.count)
            #expect(bench.pool.waiters == tickets.count)
            #expect(bench.pool.count <= 5)
            for host in hosts { #expect((inUse + idle).count { $0.1 == host } <= 2) }
            // Nobody waits who could be served.
            for host in Set(tickets.values) {
                #expect(inUse.count + idle.count == 5 && idle.isEmpty || (inUse + idle).count { $0.1 == host } == 2)
            }
        }
    }
}
