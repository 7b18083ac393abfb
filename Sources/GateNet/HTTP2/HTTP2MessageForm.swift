import GateHTTP
import NIOHPACK

/// Whether a field section is of a message that is not malformed (RFC 9113 §8.1.1): what is, ends its stream with PROTOCOL_ERROR.
///
/// `NIOHTTP2Handler` has these rules as well. It holds what is sent to them too, which ``HTTP2ResponseHead`` sees to, and the two together
/// were 66 k of the 418 k instructions of a small request; that `Content-Length` tells the truth (``HTTP2Stream/keepsPromise(isEnd:)``) was 4 k.
enum HTTP2MessageForm {
    private struct PseudoFields: OptionSet {
        let rawValue: UInt8
        static let method = PseudoFields(rawValue: 1)
        static let scheme = PseudoFields(rawValue: 2)
        static let path = PseudoFields(rawValue: 4)
        static let authority = PseudoFields(rawValue: 8)
        static let upgrade = PseudoFields(rawValue: 16)
    }

    static func isRequest(_ block: HPACKHeaders) -> Bool {
        var seen: PseudoFields = []
        var isConnect = false
        var hasRegular = false
        for (name, value, _) in block {
            if name.utf8.first == Octet.colon {
                // RFC 9113 §8.3: each once, and before all others.
                guard !hasRegular, let field = pseudoField(name), seen.insert(field).inserted, isPseudoValue(value) else { return false }
                if field == .path, value.isEmpty { return false }
                if field == .method { isConnect = value == "CONNECT" }
            } else {
                hasRegular = true
                guard isRegular(name, value), name != "te" || value == "trailers" else { return false }
            }
        }
        let whole: PseudoFields = [.method, .scheme, .path]
        // RFC 9113 §8.5, and RFC 8441 §4 where there is a :protocol.
        if isConnect, !seen.contains(.upgrade) { return seen == [.method, .authority] }
        return seen.isSuperset(of: whole) && (isConnect || !seen.contains(.upgrade))
    }

    static func isTrailers(_ block: HPACKHeaders) -> Bool {
        block.allSatisfy { name, value, _ in isRegular(name, value) }
    }

    private static func pseudoField(_ name: String) -> PseudoFields? {
        switch name {
        case ":method": .method
        case ":scheme": .scheme
        case ":path": .path
        case ":authority": .authority
        case ":protocol": .upgrade
        default: nil
        }
    }

    /// Nothing that could end a request line, or part it otherwise than we do.
    private static func isPseudoValue(_ value: String) -> Bool {
        value.withOctets { octets in octets.allSatisfy { $0 > Octet.space && $0 != 0x7F } } ?? false
    }

    private static func isRegular(_ name: String, _ value: String) -> Bool {
        let isName = name.withOctets { name in
            // RFC 9113 §8.2.1.
            guard !name.isEmpty, name.allSatisfy({ Octet.isToken($0) && Octet.lowercased($0) == $0 }) else { return false }
            return !isAboutTheConnection(name)
        }
        guard isName ?? false else { return false }
        return value.withOctets { value in
            let end = Octet.endOfFieldContent(value, from: 0)
            return !value[end...].contains { $0 == 0 || $0 == Octet.cr || $0 == Octet.lf }
        } ?? false
    }

    /// RFC 9113 §8.2.2.
    private static func isAboutTheConnection(_ name: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 7: Octet.matches(name, "upgrade")
        case 10: Octet.matches(name, "connection") || Octet.matches(name, "keep-alive")
        case 16: Octet.matches(name, "proxy-connection")
        case 17: Octet.matches(name, "transfer-encoding")
        default: false
        }
    }
}

extension String {
    /// Lends its UTF-8 to `body`; `nil` where it is not contiguous, which no string is that was made here.
    @inline(__always)
    func withOctets<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        utf8.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
    }
}
