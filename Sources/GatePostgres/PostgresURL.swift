import GateCore

/// The address of a Postgres database: `postgres://user:password@host:port/database?sslmode=verify-full`, as libpq reads it
/// (PostgreSQL manual, §34.1.1.2), with the setting `prepare` of our own.
///
/// It is read strictly, so that no part of a password that was not percent-encoded ends in a host's name, which libpq writes into its errors.
package struct PostgresURL: Sendable, CustomStringConvertible {
    /// For libpq: without what is ours. One for each host, in the order in which they are to be tried.
    let addresses: [Secret]
    /// Without passwords: for people and logs.
    package let description: String
    /// Whether statements are prepared under names. Behind a pooler that hands its connections on after each transaction they must not be.
    let preparesStatements: Bool
    /// What the address asks of TLS, in libpq's words; `nil` where it says nothing: `prefer`, unless the environment says otherwise.
    package let sslMode: String?

    package struct Fault: Error, Hashable, Sendable {
        package let problem: String
        package let cure: String
    }

    /// - Throws: what is wrong, in words that repeat nothing of `text`.
    package init(_ text: String) throws(Fault) {
        let schemes = ["postgres://", "postgresql://"]
        guard let scheme = schemes.first(where: text.hasPrefix) else {
            throw Fault(problem: "is no Postgres address", cure: "begin with postgres://")
        }
        let rest = text.dropFirst(scheme.count)
        guard rest.utf8.allSatisfy({ 0x21...0x7E ~= $0 }), !rest.contains("#") else {
            throw Fault(problem: "holds a character that an address must not hold", cure: "percent-encode it: a space is %20, # is %23")
        }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = parts[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let authority = place[0].split(separator: "@", omittingEmptySubsequences: false)
        guard authority.count <= 2, place.count < 2 || !place[1].contains(where: { "@/:".contains($0) }) else {
            throw Fault(
                problem: "cannot be told apart into user, host and database",
                cure: "percent-encode the password: @ is %40, / is %2F, : is %3A, ? is %3F")
        }
        let hosts = authority.last ?? ""
        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) where !Self.isHost(host) {
            throw Fault(problem: "names no host and port", cure: "write postgres://user:password@host:5432/database")
        }
        let query = try Self.settings(parts.count > 1 ? parts[1] : "")
        try Self.checkHosts(hosts, query.libpq)
        guard Self.isEncoded(rest) else { throw Fault(problem: "holds a % that encodes nothing", cure: "write a % as %25") }

        sslMode = query.libpq.last { $0.name == "sslmode" }?.value
        preparesStatements = query.ours["prepare"] != "off"
        let credentials = authority.count == 2 ? authority[0].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false) : []
        let database = place.count > 1 ? "/\(place[1])" : ""
        let userInfo = authority.count == 2 ? "\(authority[0])@" : ""
        let options = query.libpq.map { "\($0.name)=\($0.value)" }
        addresses = hosts.split(separator: ",", omittingEmptySubsequences: false).map {
            Secret("postgres://\(userInfo)\($0)\(database)" + Self.query(options))
        }
        let shownUser = credentials.first.map { "\($0)\(credentials.count > 1 ? ":<redacted>" : "")@" } ?? ""
        let shown = (query.libpq + query.ours.map { ($0.key, $0.value) }).map { "\($0)=\(Self.secrets.contains($0) ? "<redacted>" : $1)" }
        description = "postgres://\(shownUser)\(hosts)\(database)" + Self.query(shown)
    }

    private static func query(_ settings: [String]) -> String { settings.isEmpty ? "" : "?" + settings.joined(separator: "&") }

    private static let secrets: Set = ["password", "sslpassword"]

    /// What libpq is told by the address. What would change the meaning of results, or what we set ourselves, is not among it.
    private static let known: Set = [
        "host", "hostaddr", "port", "user", "password", "dbname", "passfile", "channel_binding",
        "sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslcrldir", "sslsni", "ssl_min_protocol_version",
        "ssl_max_protocol_version", "gssencmode", "krbsrvname", "target_session_attrs", "keepalives", "keepalives_idle",
        "keepalives_interval", "keepalives_count", "tcp_user_timeout",
    ]

    private static func settings(_ text: Substring) throws(Fault) -> (libpq: [(name: String, value: String)], ours: [String: String]) {
        var libpq: [(name: String, value: String)] = []
        var ours: [String: String] = [:]
        for field in text.split(separator: "&") {
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, pair[0] == "prepare" || known.contains(pair[0]) else {
                throw Fault(
                    problem: "has a setting after the ? that is not known",
                    cure: "see DEPLOYMENT.md; of libpq's, sslmode, sslrootcert and passfile are the usual ones")
            }
            guard pair[0] == "prepare" else {
                libpq.append((pair[0], pair[1]))
                continue
            }
            guard ["on", "off"].contains(pair[1]) else {
                throw Fault(problem: "says neither prepare=on nor prepare=off", cure: "choose one")
            }
            ours["prepare"] = pair[1]
        }
        return (libpq, ours)
    }

    /// Each host has an address of its own here, while libpq would take a list in a setting, or split a name at what it decodes to a comma.
    private static func checkHosts(_ hosts: Substring, _ settings: [(name: String, value: String)]) throws(Fault) {
        let several = "write several hosts before the /: postgres://user@one:5432,two:5432/database"
        let places = settings.filter { ["host", "hostaddr", "port"].contains($0.name) }
        guard !isList(hosts), !places.contains(where: { $0.value.contains(",") || isList($0.value[...]) }) else {
            throw Fault(problem: "lists hosts in a place where it names one", cure: several)
        }
        guard hosts.isEmpty || !places.contains(where: { $0.name == "host" }) else {
            throw Fault(problem: "names hosts before the / and after the ?", cure: several)
        }
        guard !hosts.contains(",") || places.isEmpty else {
            throw Fault(problem: "says one address or port for several hosts", cure: several)
        }
    }

    /// Whether it holds a percent-encoded comma.
    private static func isList(_ text: Substring) -> Bool { text.contains("%2C") || text.contains("%2c") }

    /// A name, an address, `[::1]`, or a percent-encoded folder of a Unix socket, with or without a port; empty where the query says it.
    private static func isHost(_ text: Substring) -> Bool {
        var host = text
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            guard text[..<end].dropFirst().utf8.allSatisfy({ isHexadecimal($0) || "%.:".utf8.contains($0) }) else { return false }
            host = text[text.index(after: end)...]
            guard host.isEmpty || host.hasPrefix(":") else { return false }
        }
        let parts = host.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.first ?? ""
        guard name.utf8.allSatisfy({ isNameByte($0) }) else { return false }
        return parts.count < 2 || UInt16(parts[1]) != nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39: true
        default: "-._%".utf8.contains(byte)
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"), 0x30...0x39: true
        default: false
        }
    }

    /// Whether every `%` begins the code of a byte other than NUL.
    private static func isEncoded(_ text: Substring) -> Bool {
        var rest = text.utf8[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "%")) {
            let code = rest[start...].dropFirst().prefix(2)
            guard code.count == 2, code.allSatisfy(isHexadecimal), !code.elementsEqual("00".utf8) else { return false }
            rest = rest[start...].dropFirst(3)
        }
        return true
    }
}

extension PostgresURL: Hashable {
    package static func == (left: PostgresURL, right: PostgresURL) -> Bool {
        left.addresses == right.addresses && left.preparesStatements == right.preparesStatements
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
