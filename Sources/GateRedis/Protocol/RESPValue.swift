/// What a Redis server says: a reply, or a message that nobody asked for (RESP3, redis.io/docs/reference/protocol-spec).
package indirect enum RESPValue: Hashable, Sendable {
    /// A bulk, simple or verbatim string, or a big number as its digits.
    case string([UInt8])
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    case null
    case error(RESPError)
    /// An array or a set.
    case array([RESPValue])
    /// Keys and values in turn, as they came.
    case map([RESPValue])
    /// Out of band: a message of a subscription, say. Never inside another value.
    case push([RESPValue])
}

/// An error that the server answered with.
package struct RESPError: Error, Hashable, Sendable {
    /// The first word, in capitals by convention: `WRONGTYPE`, `NOSCRIPT`, `OOM`.
    package let code: String
    /// What follows. It may quote the command's arguments, so it is shown only where those are no secrets.
    package let message: String

    init(line: some Collection<UInt8>) {
        let text = String(decoding: line, as: UTF8.self)
        let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        code = words.first.map(String.init) ?? ""
        message = words.count > 1 ? String(words[1]) : ""
    }
}

extension RESPValue {
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

    package var text: String? {
        if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    package var elements: [RESPValue]? {
        switch self {
        case .array(let elements), .push(let elements): elements
        default: nil
        }
    }

    /// Of a map, or of an array that stands for one (RESP2): the value after that key.
    package subscript(key: String) -> RESPValue? {
        let pairs: [RESPValue]
        switch self {
        case .map(let all), .array(let all): pairs = all
        default: return nil
        }
        var index = 0
        while index + 1 < pairs.count {
            if pairs[index].text == key { return pairs[index + 1] }
            index += 2
        }
        return nil
    }
}
