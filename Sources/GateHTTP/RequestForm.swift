package import GateCore
import NIOCore
package import NIOHTTP1

/// The fields of a request's body, whether they came as a JSON object or as a form.
package struct RequestForm: Sendable {
    private let fields: [String: JSON]

    package init(fields: [String: JSON]) { self.fields = fields }

    /// Whether the field was sent at all; `null` counts.
    package func contains(_ name: String) -> Bool { fields[name] != nil }

    /// The field's text; `nil` where it is missing, `null`, or something else than text.
    package func text(_ name: String) -> String? { fields[name]?.string }

    /// Faults of the fields named, for a 422: the required ones that are missing or empty, and all that are no text.
    package func faults(required: [String], optional: [String] = []) -> [Problem.FieldError] {
        var faults: [Problem.FieldError] = []
        for name in required + optional {
            switch fields[name] {
            case .string(let text) where !text.isEmpty || optional.contains(name): continue
            case nil where optional.contains(name), .null where optional.contains(name): continue
            case nil, .null, .string: faults.append(Problem.FieldError(field: name, code: "required", message: "This field is required."))
            default: faults.append(Problem.FieldError(field: name, code: "not_text", message: "This field must be text."))
            }
        }
        return faults
    }
}

extension Request {
    /// Reads the body as fields: `application/json` (an object) or `application/x-www-form-urlencoded`, in UTF-8.
    ///
    /// - Throws: `Problem`: 415 for another type or a compressed body, 413 beyond `limit` bytes, 400 with the place of the fault
    ///   for what cannot be read, 408 where it comes too slowly.
    package func form(limit: Int) async throws(Problem) -> RequestForm {
        let encoding = headers.first(name: "content-encoding")?.lowercased() ?? "identity"
        guard encoding == "identity" else {
            throw Problem(.unsupportedMediaType, "A compressed request body is not accepted.", headers: ["accept-encoding": "identity"])
        }
        switch headers.mediaType {
        case "application/json": return try Self.json(try await bytes(limit: limit))
        case "application/x-www-form-urlencoded": return try Self.urlEncoded(try await bytes(limit: limit))
        case nil where headers.first(name: "content-type") == nil:
            let bytes = try await bytes(limit: limit)
            guard bytes.readableBytes > 0 else { return RequestForm(fields: [:]) }
            throw Problem(.unsupportedMediaType, "Content-Type is missing: send application/json.")
        default:
            throw Problem(
                .unsupportedMediaType, "Send application/json or application/x-www-form-urlencoded, in UTF-8.",
                headers: ["accept": "application/json, application/x-www-form-urlencoded"])
        }
    }

    private func bytes(limit: Int) async throws(Problem) -> ByteBuffer {
        do {
            return try await body.collect(upTo: limit)
        } catch .tooLarge(let limit) {
            throw Problem(.tooLarge, "The body may have \(limit) bytes at most.")
        } catch .timedOut {
            throw Problem(.timedOut, "The body did not arrive in time.")
        } catch {
            throw Problem(.malformed, "The body did not arrive whole.")
        }
    }

    private static func json(_ bytes: ByteBuffer) throws(Problem) -> RequestForm {
        let value: JSON
        do {
            value = try JSON(parsing: bytes.readableBytesView)
        } catch {
            throw Problem(.malformed, "The body is not valid JSON: \(error.message) at line \(error.line), column \(error.column).")
        }
        guard let members = value.members else { throw Problem(.malformed, "The body must be a JSON object.") }
        return RequestForm(fields: Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) }))
    }

    private static func urlEncoded(_ bytes: ByteBuffer) throws(Problem) -> RequestForm {
        guard let pairs = FormEncoding.pairs(bytes.readableBytesView) else {
            throw Problem(.malformed, "The form is not valid: a percent sign without two digits, or text that is not UTF-8.")
        }
        var fields: [String: JSON] = [:]
        for pair in pairs where fields.updateValue(.string(pair.value), forKey: pair.name) != nil {
            throw Problem(.malformed, "A field of the form occurs twice.")
        }
        return RequestForm(fields: fields)
    }
}

extension HTTPHeaders {
    /// The type of `Content-Type`, lower case and without parameters; `nil` where there is none, where there are several, or where
    /// its `charset` is other than UTF-8.
    package var mediaType: String? {
        let values = self["content-type"]
        guard values.count == 1 else { return nil }
        let parts = values[0].split(separator: ";")
        for parameter in parts.dropFirst() {
            let pair = parameter.trimmingSpaces().lowercased().split(separator: "=", maxSplits: 1)
            if pair.first == "charset", pair.count == 2, pair[1] != "utf-8", pair[1] != "\"utf-8\"" { return nil }
        }
        return parts.first.map { $0.trimmingSpaces().lowercased() }
    }
}
