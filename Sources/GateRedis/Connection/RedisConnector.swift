import GateCore
import GateNet
import NIOCore
import Synchronization

/// Makes connections: to the server, or to the one that the sentinels name; signed in, on the right database, in RESP3.
final class RedisConnector: Sendable {
    let settings: RedisSettings
    private let dialer: StreamDialer
    private let time: any TimeSource
    /// Of the sentinels, the one that answered last.
    private let sentinel = Mutex(0)

    init(_ settings: RedisSettings, time: any TimeSource) {
        self.settings = settings
        self.time = time
        dialer = StreamDialer(tls: settings.tls, connectTime: settings.connectTime, time: time)
    }

    /// A connection to a server that takes writes.
    func connect(on eventLoop: any EventLoop) async throws(RedisError) -> RedisConnection {
        let place = try await primary(on: eventLoop)
        let connection = try await open(place, on: eventLoop)
        do throws(RedisError) {
            try await signIn(connection, at: place)
            return connection
        } catch {
            connection.close(error)
            throw error
        }
    }

    /// Where the primary is now: the address itself, or what the first sentinel says that can be asked.
    func primary(on eventLoop: any EventLoop) async throws(RedisError) -> StreamDialer.Place {
        guard case .watched(let name, let sentinels) = settings.server else {
            if case .one(let place) = settings.server { return place }
            throw .notConnected("no server is configured")
        }
        let first = sentinel.withLock { $0 }
        var failures: [String] = []
        for offset in sentinels.indices {
            let index = (first + offset) % sentinels.count
            do throws(RedisError) {
                let place = try await ask(sentinels[index], for: name, on: eventLoop)
                sentinel.withLock { $0 = index }
                return place
            } catch {
                failures.append("\(sentinels[index]): \(error)")
            }
        }
        throw .notConnected("no sentinel names the primary \"\(name)\": \(failures.joined(separator: "; "))")
    }

    func shutDown() async { await dialer.shutDown() }

    private func ask(_ place: StreamDialer.Place, for name: String, on eventLoop: any EventLoop) async throws(RedisError)
        -> StreamDialer.Place
    {
        let connection = try await open(place, on: eventLoop)
        defer { connection.close() }
        if let password = settings.sentinelPassword {
            var command = RedisCommand(parts: 2)
            command.add("AUTH")
            command.add(password.exposed)
            try await Self.privately { () async throws(RedisError) in try await connection.send(command, within: settings.connectTime) }
        }
        let reply = try await connection.send(
            RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name), within: settings.connectTime)
        if case .null = reply { throw .notConnected("it knows no primary of that name") }
        guard let parts = reply.elements, parts.count == 2, let host = parts[0].text, let port = parts[1].text.flatMap({ Int($0) }),
            (1...65_535).contains(port), !host.isEmpty
        else { throw .unexpectedReply }
        return .tcp(host: host, port: port)
    }

    private func open(_ place: StreamDialer.Place, on eventLoop: any EventLoop) async throws(RedisError) -> RedisConnection {
        let serverName: String? =
            switch (settings.tls, place) {
            case (nil, _), (_, .unix): nil
            case (_, .tcp(let host, _)): host
            }
        do {
            return try await dialer.dial(place, serverName: serverName, on: eventLoop).flatMapThrowing { [settings, time] channel in
                try RedisConnection(channel, silence: settings.silence, time: time)
            }.get()
        } catch {
            throw .notConnected("\(error)")
        }
    }

    private func signIn(_ connection: RedisConnection, at place: StreamDialer.Place) async throws(RedisError) {
        var hello = RedisCommand(parts: settings.password == nil ? 4 : 7)
        hello.add("HELLO")
        hello.add("3")
        if let password = settings.password {
            hello.add("AUTH")
            hello.add(settings.user ?? "default")
            hello.add(password.exposed)
        }
        hello.add("SETNAME")
        hello.add("gatehouse")
        let command = hello
        let greeting = try await Self.privately { () async throws(RedisError) in
            try await connection.send(command, within: settings.connectTime)
        }
        guard case .map = greeting else { throw .unexpectedReply }
        if let role = greeting["role"]?.text, role == "replica" || role == "slave" {
            throw .notConnected("\(place) is a replica, which takes no writes: name the primary, or its sentinels")
        }
        if greeting["mode"]?.text == "cluster" {
            throw .notConnected("\(place) is part of a Redis Cluster, where keys of one request lie on different servers")
        }
        if settings.database != 0 {
            _ = try await connection.send(RedisCommand("SELECT", String(settings.database)), within: settings.connectTime)
        }
    }

    /// What a server says to a command that holds a password may quote it.
    @discardableResult
    private static func privately(_ body: () async throws(RedisError) -> RESPValue) async throws(RedisError) -> RESPValue {
        do throws(RedisError) {
            return try await body()
        } catch .refused(let error) {
            switch error.code {
            case "WRONGPASS": throw .notConnected("user or password is wrong (WRONGPASS)")
            case "NOAUTH": throw .notConnected("it wants a password (NOAUTH)")
            case "NOPERM": throw .notConnected("the user may not sign in like this (NOPERM)")
            case "NOPROTO": throw .notConnected("it does not speak RESP3 (NOPROTO): Redis 6 or later is needed")
            case "ERR": throw .notConnected("it refuses HELLO or AUTH (ERR): Redis 6 or later is needed, with a password if one is given")
            default: throw .notConnected("it refuses to be signed in to (\(error.code.prefix(20)))")
            }
        } catch {
            throw error
        }
    }
}
