import GateHTTP

/// Header fields that are not the operator's to set.
enum ReservedFields {
    case ofRequests, ofResponses

    /// - Parameter name: in lower case.
    func contain(_ name: String) -> Bool {
        // How long a message is, and what the connection is for, is decided where it is sent (RFC 9110 §7.6.1, RFC 9112 §6).
        let framing = [
            "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        ]
        if framing.contains(name) { return true }
        switch self {
        case .ofRequests: return name == "host" || name.hasPrefix("x-gatehouse-") || name.hasPrefix("x_gatehouse_")
        case .ofResponses: return name == "date"
        }
    }
}

extension ValueSyntax where Value == String {
    /// The name of a header field (RFC 9110 §5.1).
    static var fieldName: ValueSyntax {
        .text("field name", example: "X-Powered-By") { text throws(InvalidValue) in
            guard EncodedFields([(text, "")]) != nil, text.utf8.allSatisfy({ !"\"(),/;<=>?@[\\]{}".utf8.contains($0) }) else {
                throw InvalidValue("\"\(text)\" is no field name", cure: "write one as it is sent, such as X-Powered-By")
            }
            return text
        } print: {
            $0
        }
    }
}

extension ValueSyntax where Value == [Configuration.Site.Field] {
    static func fields(refusing reserved: ReservedFields) -> ValueSyntax {
        ValueSyntax(kind: "table of header fields") { raw throws(InvalidValue) in
            guard case .table(let members) = raw else {
                throw InvalidValue("is \(raw.kind), where a table is expected", cure: "write it as in { X-Frame-Options = \"DENY\" }")
            }
            var fields: [Configuration.Site.Field] = []
            for member in members {
                let name = try ValueSyntax<String>.fieldName.read(.string(member.name))
                guard !reserved.contain(name.lowercased()) else {
                    let cure = name.lowercased() == "host" ? "set upstream_host" : "leave it out"
                    throw InvalidValue("\(name) is set by Gatehouse", cure: cure)
                }
                do throws(InvalidValue) {
                    fields.append(Configuration.Site.Field(name: name, value: try ValueSyntax<String>.headerValue.read(member.value)))
                } catch {
                    throw InvalidValue("\(name): \(error.problem)", cure: error.cure)
                }
            }
            return fields
        } write: { fields in
            fields.isEmpty ? nil : .table(fields.map { Literal.Field(name: $0.name, value: $0.value) })
        }
    }
}
