package import GateCore
import GateHTTP

/// Where Redis is, as an address:
///
///     redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]          rediss:// with TLS
///     unix://[USER[:PASSWORD]@]/PATH[?db=DATABASE]
///     redis+sentinel://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…]/NAME[/DATABASE]          rediss+sentinel:// with TLS
///
/// User and password are percent-encoded where they hold other characters than letters, digits and `-._~`. What is alone before `@` is the
/// user, with a colon in front the password (of the user `default`). What is wrong with an address is told without quoting it.
package struct RedisURL: Equatable, Sendable {
    package enum Server: Hashable, Sendable {
        case tcp(Host)
        case unix(path: String)
        case sentinels([Host], name: String)
    }

    package struct Host: Hashable, Sendable {
        package var name: String
        package var port: Int
    }

    package var server: Server
    package var isSecure: Bool
    package var user: String?
    package var password: Secret?
    package var database: Int

    private static let cure = "write redis://HOST:6379, rediss://HOST:6379, unix:///PATH or redis+sentinel://HOST:26379/NAME"
    /// `databases` in redis.conf may say more than the usual 16.
    private static let databases = 0...1_000_000

    init(_ text: String) throws(InvalidValue) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
            throw InvalidValue("is no address of Redis", cure: Self.cure)
        }
        let scheme = text[..<colon].lowercased()
        var rest = text[colon...].dropFirst(3)
        (user, password) = try Self.takeCredentials(&rest)
        isSecure = scheme.hasPrefix("rediss")
        switch scheme {
        case "redis", "rediss":
            let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            server = .tcp(try Self.host(parts.first ?? "", port: 6379))
            database = try Self.database(parts.count > 1 ? parts[1] : "")
        case "unix", "redis+unix":
            let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            guard let path = parts.first, path.hasPrefix("/"), path.utf8.count < 108, !path.utf8.contains(0) else {
                throw InvalidValue("names no Unix socket", cure: "write unix:///run/redis/redis-server.sock")
            }
            server = .unix(path: String(path))
            let query = parts.count > 1 ? parts[1] : ""
            guard query.isEmpty || query.hasPrefix("db=") else {
                throw InvalidValue("has another query than db=NUMBER", cure: Self.cure)
            }
            database = try Self.database(query.dropFirst(3))
        case "redis+sentinel", "rediss+sentinel":
            let parts = rest.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count > 1, !parts[1].isEmpty else {
                throw InvalidValue("does not say which primary the sentinels watch", cure: "write redis+sentinel://HOST:26379/NAME")
            }
            var hosts: [Host] = []
            for part in parts[0].split(separator: ",", omittingEmptySubsequences: false) { hosts.append(try Self.host(part, port: 26_379)) }
            server = .sentinels(hosts, name: try Self.decoded(parts[1]))
            database = try Self.database(parts.count > 2 ? parts[2] : "")
        default: throw InvalidValue("has a scheme that Redis is not reached by", cure: Self.cure)
        }
    }

    private static func takeCredentials(_ rest: inout Substring) throws(InvalidValue) -> (user: String?, password: Secret?) {
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let at = authority.lastIndex(of: "@") else { return (nil, nil) }
        let credentials = rest[..<at]
        rest = rest[rest.index(after: at)...]
        guard let colon = credentials.firstIndex(of: ":") else {
            throw InvalidValue("has a user and no password", cure: "write USER:PASSWORD@, or :PASSWORD@ where there is no user")
        }
        let user = try decoded(credentials[..<colon])
        return (user.isEmpty ? nil : user, Secret(try decoded(credentials[credentials.index(after: colon)...])))
    }

    private static func host(_ text: Substring, port: Int) throws(InvalidValue) -> Host {
        var name = text
        var port = port
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            name = text[..<colon]
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else {
                throw InvalidValue("has a port that is none", cure: "choose from 1 to 65535")
            }
            port = number
        }
        if name.hasPrefix("["), name.hasSuffix("]") {
            guard let address = IPAddress(String(name.dropFirst().dropLast())), !address.isIPv4 else {
                throw InvalidValue("has brackets around what is no IPv6 address", cure: cure)
            }
            return Host(name: address.description, port: port)
        }
        guard HostName.isValid(name) else { throw InvalidValue("names no host", cure: cure) }
        return Host(name: String(name), port: port)
    }

    private static func database(_ text: Substring) throws(InvalidValue) -> Int {
        guard !text.isEmpty else { return 0 }
        guard let number = Int(text), databases.contains(number) else {
            throw InvalidValue("has a database that is no number", cure: "write 0 or leave it out, unless Redis was set up with more")
        }
        return number
    }

    private static func decoded(_ text: Substring) throws(InvalidValue) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Hex.value(of:)), let low = rest.popFirst().flatMap(Hex.value(of:)) else {
                throw InvalidValue("has a % that is no percent-encoding", cure: "write %25 for a percent sign")
            }
            bytes.append(high << 4 | low)
        }
        guard !bytes.contains(0), let decoded = String(validating: bytes, as: UTF8.self) else {
            throw InvalidValue("is percent-encoded to what is no text", cure: cure)
        }
        return decoded
    }
}

extension RedisURL: CustomStringConvertible {
    /// Without user and password.
    package var description: String {
        let scheme = isSecure ? "rediss" : "redis"
        let number = database == 0 ? "" : "/\(database)"
        return switch server {
        case .tcp(let host): "\(scheme)://\(Self.list([host]))\(number)"
        case .unix(let path): "unix://\(path)\(database == 0 ? "" : "?db=\(database)")"
        case .sentinels(let hosts, let name): "\(scheme)+sentinel://\(Self.list(hosts))/\(name)\(number)"
        }
    }

    private static func list(_ hosts: [Host]) -> String {
        hosts.map { $0.name.contains(":") ? "[\($0.name)]:\($0.port)" : "\($0.name):\($0.port)" }.joined(separator: ",")
    }
}
