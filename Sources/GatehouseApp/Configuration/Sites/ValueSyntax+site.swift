import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import GateProxy

extension ValueSyntax where Value == HostPattern {
    static var hostPattern: ValueSyntax {
        .text("host", example: "app.example.com") { text throws(InvalidValue) in
            if text == "*" { return .any }
            let name = text.lowercased().hasSuffix(".") ? String(text.lowercased().dropLast()) : text.lowercased()
            if name.hasPrefix("*.") {
                guard HostName.isValid(name.dropFirst(2)) else { throw fault(text) }
                return .wildcard(suffix: String(name.dropFirst()))
            }
            if name.hasPrefix("["), name.hasSuffix("]"), let address = IPAddress(name), !address.isIPv4 { return .exact("[\(address)]") }
            if let address = IPAddress(name), !address.isIPv4 { return .exact("[\(address)]") }
            guard HostName.isValid(name) else { throw fault(text) }
            return .exact(name)
        } print: {
            $0.text
        }
    }

    private static func fault(_ text: String) -> InvalidValue {
        if text.contains("://") { return InvalidValue("\"\(text)\" is an address", cure: "write the host alone, such as app.example.com") }
        if let (host, port) = splitHostAndPort(text[...]), port != nil {
            return InvalidValue(
                "\"\(text)\" has a port", cure: "leave it out: a site is served on every port that is listened on, as \"\(host)\"")
        }
        return InvalidValue(
            "\"\(text)\" is no host", cure: "write app.example.com, *.example.com or *; names beyond ASCII in their xn-- form")
    }
}

extension ValueSyntax where Value == String {
    /// One host, without a star.
    static var hostName: ValueSyntax {
        let patterns = ValueSyntax<HostPattern>.hostPattern
        return ValueSyntax(kind: "host") { raw throws(InvalidValue) in
            guard case .exact(let name) = try patterns.read(raw) else {
                throw InvalidValue("is more than one host", cure: "write one, such as auth.example.com")
            }
            return name
        } write: {
            .quoted($0)
        }
    }
}

extension ValueSyntax where Value == UpstreamRules.Server {
    static var upstreamServer: ValueSyntax {
        .text("server", example: "http://127.0.0.1:3000") { text throws(InvalidValue) in
            if text.hasPrefix("unix:") {
                let path = text.hasPrefix("unix://") ? String(text.dropFirst(7)) : String(text.dropFirst(5))
                guard path.hasPrefix("/") else {
                    throw InvalidValue("\"\(text)\" names no absolute path", cure: "write unix:/run/app.sock")
                }
                return UpstreamRules.Server(url: HTTPURL("http://localhost")!, socket: try socketPath(path))
            }
            guard text.contains("://") else {
                throw InvalidValue("\"\(text)\" has no scheme", cure: "write http://\(text.hasPrefix(":") ? "127.0.0.1" : "")\(text)")
            }
            guard let url = HTTPURL(text) else {
                throw InvalidValue("\"\(text)\" is no address", cure: "write http://127.0.0.1:3000, https://NAME or unix:/path")
            }
            guard url.target.raw == "/" else {
                throw InvalidValue("\"\(text)\" has a path", cure: "leave it out, and write add_prefix = \"\(url.target.path)\"")
            }
            return UpstreamRules.Server(url: url)
        } print: { server in
            server.socket.map { "unix:\($0)" } ?? String(server.url.description.dropLast())
        }
    }
}

extension ValueSyntax where Value == AccessRule {
    static var accessRule: ValueSyntax {
        .text("rule", example: "signed-in") { text throws(InvalidValue) in
            let words = ["public", "optional", "signed-in", "role:owner", "role:admin", "role:member"]
            switch text {
            case "public": return .everyone
            case "optional": return .optional
            case "signed-in": return .signedIn
            case _ where text.hasPrefix("role:"):
                let name = String(text.dropFirst(5))
                guard Role(rawValue: name) != nil else {
                    let roles = Role.allCases.map(\.rawValue)
                    throw InvalidValue(
                        "there is no role \"\(name)\"",
                        cure: nearestName(to: name, among: roles).map { "did you mean role:\($0)?" }
                            ?? "the roles are \(roles.joined(separator: ", "))")
                }
                return .role(name)
            case _ where text.hasPrefix("org:"):
                guard let id = Organisation.ID(text.dropFirst(4)) else {
                    throw InvalidValue("\"\(text)\" names no organisation", cure: "write org: and the id, as GET /api/v1/orgs shows it")
                }
                return .organisation(id)
            default:
                throw InvalidValue(
                    "\"\(text)\" is not known",
                    cure: nearestName(to: text, among: words).map { "did you mean \($0)?" }
                        ?? "write public, optional, signed-in, role:NAME or org:ID")
            }
        } print: {
            $0.text
        }
    }
}

extension ValueSyntax where Value == Configuration.Site.BodyLimit {
    static var bodyLimit: ValueSyntax {
        let sizes = ValueSyntax<ByteSize>.byteSize(ByteSize(bytes: 0)...ByteSize(bytes: 1 << 50))
        return ValueSyntax(kind: "size, or \"unlimited\"") { raw throws(InvalidValue) in
            raw == .string("unlimited") ? .unlimited : .bytes(try sizes.read(raw))
        } write: { limit in
            switch limit {
            case .bytes(let size): .quoted(size.description)
            case .unlimited: .quoted("unlimited")
            }
        }
    }
}

extension ValueSyntax where Value == UpstreamRules.Authority {
    static var upstreamAuthority: ValueSyntax {
        .text("name", example: "client") { text throws(InvalidValue) in
            switch text {
            case "client": return .client
            case "upstream": return .upstream
            default:
                guard let (host, _) = splitHostAndPort(text[...]),
                    HostName.isValid(host) || host.hasPrefix("[") && IPAddress(String(host)) != nil
                else { throw InvalidValue("\"\(text)\" is no host", cure: "write client, upstream or a name, with its port if it has one") }
                return .fixed(text.lowercased())
            }
        } print: { authority in
            switch authority {
            case .client: "client"
            case .upstream: "upstream"
            case .fixed(let name): name
            }
        }
    }
}
