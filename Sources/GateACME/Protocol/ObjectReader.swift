import GateCore
import GateHTTP

/// An answer of the authority that is not what RFC 8555 says it must be.
package struct MalformedAnswer: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which object, such as `order`.
    package let object: String
    package let reason: String

    package init(_ object: String, _ reason: String) {
        self.object = object
        self.reason = reason
    }

    package var description: String { "the authority's \(object) cannot be read: \(reason)" }
}

/// Takes an object of the authority apart. Members that are not asked for are passed over, as RFC 8555 §7.1 wants; those that are must
/// have their type.
struct ObjectReader {
    private let object: String
    private let json: JSON

    init(_ object: String, _ json: JSON) throws(MalformedAnswer) {
        guard json.members != nil else { throw MalformedAnswer(object, "it is no JSON object") }
        self.object = object
        self.json = json
    }

    init(_ object: String, parsing bytes: [UInt8]) throws(MalformedAnswer) {
        let json: JSON
        do throws(JSONSyntaxError) {
            json = try JSON(parsing: bytes)
        } catch {
            throw MalformedAnswer(object, error.description)
        }
        try self.init(object, json)
    }

    /// Missing and `null` are the same.
    func optional<Value>(_ name: String, _ kind: String, _ read: (JSON) -> Value?) throws(MalformedAnswer) -> Value? {
        guard let value = json[name], !value.isNull else { return nil }
        guard let read = read(value) else { throw MalformedAnswer(object, "\"\(name)\" is no \(kind)") }
        return read
    }

    func required<Value>(_ name: String, _ kind: String, _ read: (JSON) -> Value?) throws(MalformedAnswer) -> Value {
        guard let value = try optional(name, kind, read) else { throw MalformedAnswer(object, "it has no \"\(name)\"") }
        return value
    }

    func text(_ name: String) throws(MalformedAnswer) -> String { try required(name, "text") { $0.string } }
    func optionalText(_ name: String) throws(MalformedAnswer) -> String? { try optional(name, "text") { $0.string } }
    func optionalBool(_ name: String) throws(MalformedAnswer) -> Bool? { try optional(name, "truth value") { $0.bool } }
    func url(_ name: String) throws(MalformedAnswer) -> HTTPURL { try required(name, "URL", Self.url) }
    func optionalURL(_ name: String) throws(MalformedAnswer) -> HTTPURL? { try optional(name, "URL", Self.url) }
    func time(_ name: String) throws(MalformedAnswer) -> Timestamp { try required(name, "time", Self.time) }
    func optionalTime(_ name: String) throws(MalformedAnswer) -> Timestamp? { try optional(name, "time", Self.time) }

    func urls(_ name: String) throws(MalformedAnswer) -> [HTTPURL] {
        try required(name, "array of URLs") { $0.array.flatMap { all($0, Self.url) } }
    }

    /// One of the raw values of `Status`: a state that we don't know cannot be acted upon.
    func status<Status: RawRepresentable<String>>() throws(MalformedAnswer) -> Status {
        let text = try text("status")
        guard let status = Status(rawValue: text) else { throw MalformedAnswer(object, "\"\(text)\" is no status of it") }
        return status
    }

    func object(_ name: String) throws(MalformedAnswer) -> ObjectReader? {
        guard let value = json[name], !value.isNull else { return nil }
        return try ObjectReader("\(object)'s \"\(name)\"", value)
    }

    func objects(_ name: String) throws(MalformedAnswer) -> [ObjectReader] {
        var readers: [ObjectReader] = []
        for element in try required(name, "array", { $0.array }) { readers.append(try ObjectReader("\(object)'s \"\(name)\"", element)) }
        return readers
    }

    private static func url(_ json: JSON) -> HTTPURL? { json.string.flatMap { HTTPURL($0) } }
    private static func time(_ json: JSON) -> Timestamp? { json.string.flatMap { Timestamp(rfc3339: $0) } }
}

/// Every element read, or `nil` where one cannot be.
private func all<Element>(_ elements: [JSON], _ read: (JSON) -> Element?) -> [Element]? {
    let values = elements.compactMap(read)
    return values.count == elements.count ? values : nil
}
