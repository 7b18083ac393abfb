import GateHTTP
import NIOHPACK
import NIOHTTP1

/// Makes the field section of a response (RFC 9113 §8.3.2).
///
/// Nothing goes into the dynamic table but `:status`: NIO's encoder lets the client choose the size of that table, up to 4 GiB, and looks
/// through it field by field. nginx does without it too.
enum HTTP2ResponseHead {
    /// What a field section may have, in bytes before compression: NIO writes it as one HEADERS frame, of which every client takes 16 KiB
    /// (RFC 9113 §4.2), and Huffman's code makes no text longer that is not made for it.
    private static let sizeLimit = 15 << 10

    /// `nil` where a field holds what must not be in one, or where they are too many.
    static func encode(_ response: Response, length: Int?, id: RequestID, date: String) -> HPACKHeaders? {
        var head = HPACKHeaders()
        head.reserveCapacity(response.headers.count + 12)
        let isTunnel = if case .tunnel = response.body { true } else { false }
        // RFC 8441 §5.1: a tunnel is agreed to with 200, and the key that is answered here was never sent.
        head.add(name: ":status", value: isTunnel ? "200" : status(response.status), indexing: .indexable)
        var size = 0
        for (name, value) in response.headers {
            if isTunnel, Octet.equalIgnoringCase(name.utf8, "sec-websocket-accept") { continue }
            guard add(name, value, to: &head, &size) else { return nil }
        }
        guard response.encodedFields.forEachField({ add($0, $1, to: &head, &size) }), size <= sizeLimit else { return nil }
        if let length { head.add(name: "content-length", value: String(length), indexing: .nonIndexable) }
        head.add(name: "x-request-id", value: id.description, indexing: .nonIndexable)
        head.add(name: "date", value: date, indexing: .nonIndexable)
        return head
    }

    /// The field section behind a body; `nil` where there is none.
    static func trailers(_ fields: HTTPHeaders?) -> HPACKHeaders? {
        guard let fields else { return nil }
        var section = HPACKHeaders()
        var size = 0
        for (name, value) in TrailerFields.sendable(fields) {
            guard add(name, value, to: &section, &size), size <= sizeLimit else { return nil }
        }
        return section.isEmpty ? nil : section
    }

    private static func add(_ name: String, _ value: String, to head: inout HPACKHeaders, _ size: inout Int) -> Bool {
        let isLowerCase = name.utf8.allSatisfy { $0 < UInt8(ascii: "A") || $0 > UInt8(ascii: "Z") }
        let name = isLowerCase ? name : name.lowercased()
        guard !isTheConnections(name) else { return true }
        guard !name.isEmpty, name.utf8.allSatisfy(Octet.isToken), value.utf8.allSatisfy(Octet.isFieldContent) else { return false }
        size += name.utf8.count + value.utf8.count + 4
        // RFC 7541 §7.1.3: what a proxy in between must not put into a table either.
        head.add(name: name, value: value, indexing: name == "set-cookie" ? .neverIndexed : .nonIndexable)
        return true
    }

    private static func status(_ status: HTTPResponseStatus) -> String { status == .ok ? "200" : String(status.code) }

    /// The fields that are the connection's to set, and those that HTTP/2 doesn't have (RFC 9113 §8.2.2).
    private static func isTheConnections(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: name == "date"
        case 7: name == "upgrade"
        case 10: name == "connection" || name == "keep-alive"
        case 12: name == "x-request-id"
        case 14: name == "content-length"
        case 16: name == "proxy-connection"
        case 17: name == "transfer-encoding"
        default: false
        }
    }
}

extension EncodedFields {
    /// Hands out name and value of each field as long as `take` agrees; whether it always did.
    func forEachField(_ take: (String, String) -> Bool) -> Bool {
        Self.forEachField(of: first, take) && Self.forEachField(of: second, take) && Self.forEachField(of: rest, take)
    }

    /// From contiguous memory: made from a lazy collection, strings cost a third of a small response.
    private static func forEachField(of lines: [UInt8], _ take: (String, String) -> Bool) -> Bool {
        lines.withUnsafeBufferPointer { lines in
            var rest = lines[...]
            while let colon = rest.firstIndex(of: Octet.colon), let end = rest[colon...].firstIndex(of: Octet.cr) {
                let name = String(unsafeUninitializedCapacity: colon - rest.startIndex) { target in
                    for (place, octet) in rest[..<colon].enumerated() { target[place] = Octet.lowercased(octet) }
                    return colon - rest.startIndex
                }
                var start = colon + 1
                while start < end, rest[start] == Octet.space { start += 1 }
                guard take(name, String(decoding: UnsafeBufferPointer(rebasing: rest[start..<end]), as: UTF8.self)) else { return false }
                rest = rest[min(end + 2, rest.endIndex)...]
            }
            return true
        }
    }
}
