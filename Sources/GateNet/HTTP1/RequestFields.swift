import GateHTTP
import NIOHTTP1

/// The fields of a request's head, and what the connection itself goes by in them.
final class RequestFields {
    private(set) var headers: HTTPHeaders = [:]
    private(set) var host: String?
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var wantsClose = false
    private(set) var wantsKeepAlive = false
    private(set) var expectsContinue = false
    private(set) var wantsUpgrade = false
    private(set) var upgrade: String?
    private(set) var mayBeForwarded = false

    /// - Parameter lines: complete, every one of them ending with CR LF; the empty one at the end with them.
    init(_ lines: UnsafeRawBufferPointer, limits: ServerLimits) throws(RequestFault) {
        var fields: [(String, String)] = []
        fields.reserveCapacity(8)
        var place = 0
        while lines[place] != Octet.cr || lines[place + 1] != Octet.lf {
            let line = try FieldLine(lines, &place)
            guard line.length <= limits.fieldSize else {
                throw .headersTooLarge("A header field may have \(limits.fieldSize) bytes.")
            }
            guard fields.count < limits.fieldCount else { throw .headersTooLarge("There may be \(limits.fieldCount) header fields.") }
            try interpret(line.name, line.value)
            fields.append((String(decoding: line.name, as: UTF8.self), String(decoding: line.value, as: UTF8.self)))
        }
        headers = HTTPHeaders(fields)
    }

    /// Looks at the fields that the connection itself goes by.
    private func interpret(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(RequestFault) {
        switch name.count {
        case 4 where Octet.matches(name, "host"):
            guard host == nil else { throw .malformed("There is more than one Host field.") }
            host = try Self.authority(value)
        case 6 where Octet.matches(name, "expect"):
            guard Octet.matches(value, "100-continue") else { throw .malformed("Expect can only be 100-continue.") }
            expectsContinue = true
        case 10 where Octet.matches(name, "connection"):
            for option in value.split(separator: Octet.comma) {
                let option = FieldList.trimmed(UnsafeRawBufferPointer(rebasing: option))
                if Octet.matches(option, "close") { wantsClose = true }
                if Octet.matches(option, "keep-alive") { wantsKeepAlive = true }
                if Octet.matches(option, "upgrade") { wantsUpgrade = true }
            }
        case 7 where Octet.matches(name, "upgrade"): if upgrade == nil { upgrade = Upgrade.protocolName(in: value) }
        case 14 where Octet.matches(name, "content-length"):
            guard contentLength == nil else { throw .malformed("There is more than one Content-Length field.") }
            contentLength = try FieldLine.contentLength(value)
        case 17 where Octet.matches(name, "transfer-encoding"):
            guard !isChunked, Octet.matches(value, "chunked") else { throw .malformed("Transfer-Encoding can only be chunked, once.") }
            isChunked = true
        case 3 where Octet.matches(name, "via"): mayBeForwarded = true
        default: if ForwardedHeaders.reads(name) { mayBeForwarded = true }
        }
    }

    static func authority(_ value: some Collection<UInt8>) throws(RequestFault) -> String {
        guard !value.isEmpty, value.count <= 300, value.allSatisfy(Octet.isAuthority) else {
            throw .malformed("The host is no host with an optional port.")
        }
        return String(unsafeUninitializedCapacity: value.count) { buffer in
            var count = 0
            for octet in value {
                buffer[count] = Octet.lowercased(octet)
                count += 1
            }
            return count
        }
    }
}
