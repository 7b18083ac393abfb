/// What one value may cost. Whatever is beyond is a fault of the connection: the server is not the one that we think it is.
package struct RESPLimits: Sendable {
    /// Bytes of a line without its end: a length, a number, a simple string, an error.
    package var line = 64 << 10
    /// Bytes of one value with all that is in it.
    package var value = 64 << 20
    /// Values inside one value, at all depths.
    package var elements = 1 << 20
    package var depth = 8

    package init() {}
}

/// Why what came is no RESP3.
package enum RESPFault: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownType(UInt8)
    case malformedLine
    case malformedNumber
    case missingLineEnd
    case lineTooLong
    case valueTooLarge
    case tooManyElements
    case tooDeep
    /// A push inside another value.
    case misplaced

    package var description: String {
        switch self {
        case .unknownType(let byte): "what came is no RESP3: a value begins with byte \(byte)"
        case .malformedLine: "what came is no RESP3: a line is malformed"
        case .malformedNumber: "what came is no RESP3: a number is malformed"
        case .missingLineEnd: "what came is no RESP3: a value does not end with CR LF"
        case .lineTooLong: "a line of the reply is too long"
        case .valueTooLarge: "the reply is too large"
        case .tooManyElements: "the reply has too many elements"
        case .tooDeep: "the reply is nested too deeply"
        case .misplaced: "what came is no RESP3: a push stands inside another value"
        }
    }
}
