import GateHTTP
import GateProxy

extension ValueSyntax where Value == PathPrefix {
    static var pathPrefix: ValueSyntax {
        let paths = ValueSyntax<String>.plainPath
        return ValueSyntax(kind: paths.kind) { raw throws(InvalidValue) in
            let path = PathPrefix(try paths.read(raw))
            guard path.text != "/.gatehouse", !path.text.hasPrefix("/.gatehouse/") else {
                throw InvalidValue("\"\(path.text)\" is Gatehouse's own", cure: "choose another path")
            }
            return path
        } write: {
            .quoted($0.text)
        }
    }
}

extension ValueSyntax where Value == Configuration.Site.StrippedPrefix {
    static var strippedPrefix: ValueSyntax {
        ValueSyntax(kind: "true, false or a path") { raw throws(InvalidValue) in
            switch raw {
            case .bool(let own): return own ? .path : .none
            default: return .other(PathPrefix(try ValueSyntax<String>.plainPath.read(raw)).text)
            }
        } write: { prefix in
            switch prefix {
            case .none: .bare("false")
            case .path: .bare("true")
            case .other(let path): .quoted(path)
            }
        }
    }
}

extension ValueSyntax where Value == String {
    /// A path with one reading only: what access is decided by must not depend on how somebody spells it (CHECKLIST 32).
    static var plainPath: ValueSyntax {
        .text("path", example: "/app") { text throws(InvalidValue) in
            guard text.hasPrefix("/") else { throw InvalidValue("\"\(text)\" does not begin with a slash", cure: "write /\(text)") }
            let segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            let isPlain = text.utf8.allSatisfy { byte in byte > 0x20 && byte < 0x7F && !"%;?#\\*\"<>{}".utf8.contains(byte) }
            // A slash at the end makes the last segment empty.
            guard isPlain, !segments.dropLast().contains(""), !segments.contains("."), !segments.contains("..") else {
                throw InvalidValue(
                    "\"\(text)\" has more than one reading",
                    cure: "write it without //, dot segments, % ; ? # \\ * and beyond ASCII, as in /app")
            }
            return text
        } print: {
            $0
        }
    }

    /// A path and perhaps a query.
    static var target: ValueSyntax {
        .text("path", example: "/healthz") { text throws(InvalidValue) in
            guard RequestTarget(text) != nil else { throw InvalidValue("\"\(text)\" is no path", cure: "write it as in /healthz") }
            return text
        } print: {
            $0
        }
    }

    static var fileName: ValueSyntax {
        .text("file name", example: "index.html") { text throws(InvalidValue) in
            guard !text.isEmpty, !text.hasPrefix("."), !text.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") }) else {
                throw InvalidValue("\"\(text)\" is no file name", cure: "write a name without a folder, such as index.html")
            }
            return text
        } print: {
            $0
        }
    }

    /// A URL or a path, in which `{uri}` and `{host}` may stand.
    static var redirectLocation: ValueSyntax {
        .text("address", example: "https://www.example.com{uri}") { text throws(InvalidValue) in
            let known = text.replacing("{uri}", with: "").replacing("{host}", with: "localhost")
            guard !known.contains("{"), !known.contains("}") else {
                throw InvalidValue(
                    "\"\(text)\" holds something else than {uri} and {host}", cure: "write such as https://www.example.com{uri}")
            }
            guard
                known.isEmpty || known.hasPrefix("/") && !known.hasPrefix("//") ? RequestTarget("/" + known) != nil : HTTPURL(known) != nil
            else { throw InvalidValue("\"\(text)\" is no address", cure: "write such as https://www.example.com{uri}, or a path") }
            return text
        } print: {
            $0
        }
    }

    /// A name under `[limits.policies]`.
    static var policyName: ValueSyntax {
        .text("name", example: "site") { text throws(InvalidValue) in
            guard Configuration.Limits.isPolicyName(text) else {
                throw InvalidValue("\"\(text)\" is no name", cure: "write up to 32 letters, digits and -, in lower case")
            }
            return text
        } print: {
            $0
        }
    }
}

extension ValueSyntax where Value == String? {
    /// The text of a fixed answer; an empty one is one too.
    static var respondText: ValueSyntax {
        ValueSyntax(kind: "text") { raw throws(InvalidValue) in
            guard case .string(let text) = raw else {
                throw InvalidValue("is \(raw.kind), where a text is expected", cure: "write it in quotes")
            }
            return text
        } write: {
            $0.map { .quoted($0) }
        }
    }
}

extension ValueSyntax where Value == Int {
    static func oneOf(_ values: [Int]) -> ValueSyntax {
        ValueSyntax.integer(0...Int.max).checked { value throws(InvalidValue) in
            guard values.contains(value) else {
                throw InvalidValue("\(value) is not possible", cure: "choose one of \(values.map(String.init).joined(separator: ", "))")
            }
        }
    }
}
