import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// Writes the head of a response (RFC 9112 §4 and §5) straight into a buffer.
enum ResponseHeadEncoder {
    enum Framing: Hashable {
        case length(Int)
        case chunked
        /// Until the connection closes: a body of unknown length for an HTTP/1.0 client.
        case untilClose
        /// None at all: 204, 304 and 1xx.
        case none
    }

    enum Connection: Hashable {
        case keepAlive
        /// Said to HTTP/1.0 clients only: it is the rule since 1.1.
        case keepAliveSaid
        case close
        /// To the protocol of that name, or of the response's own field.
        case upgrade(String?)
    }

    /// False where a field holds what would end it early: CR, LF or NUL, or its name is no token. Nothing is to be sent then.
    static func encode(
        _ response: Response, framing: Framing, connection: Connection, id: RequestID, date: [UInt8], into buffer: inout ByteBuffer
    ) -> Bool {
        var fieldBytes = response.encodedFields.count
        for (name, value) in response.headers { fieldBytes += name.utf8.count + value.utf8.count + 4 }
        if case .upgrade(let name?) = connection { fieldBytes += name.utf8.count }
        var isSound = true
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: fixedSize + fieldBytes + date.count) { target in
            var octets = OctetWriter(target)
            writeStatusLine(response.status, &octets)
            for (name, value) in response.headers where !isFraming(name) {
                guard !name.isEmpty, octets.write(name, where: Octet.isToken) else {
                    isSound = false
                    return 0
                }
                octets.write(": ")
                guard octets.write(fieldContent: value) else {
                    isSound = false
                    return 0
                }
                octets.write("\r\n")
            }
            octets.write(response.encodedFields.first)
            octets.write(response.encodedFields.second)
            octets.write(response.encodedFields.rest)
            switch framing {
            case .length(let length):
                octets.write("Content-Length: ")
                octets.writeDecimal(length)
                octets.write("\r\n")
            case .chunked: octets.write("Transfer-Encoding: chunked\r\n")
            case .untilClose, .none: break
            }
            switch connection {
            case .keepAlive: break
            case .keepAliveSaid: octets.write("Connection: keep-alive\r\n")
            case .close: octets.write("Connection: close\r\n")
            case .upgrade(let name):
                octets.write("Connection: upgrade\r\n")
                if let name {
                    octets.write("Upgrade: ")
                    octets.write(name) { _ in true }
                    octets.write("\r\n")
                }
            }
            octets.write("X-Request-Id: ")
            octets.writeHex(id.value)
            octets.write("\r\n")
            octets.write(date)
            octets.write("\r\n")
            return octets.count
        }
        return isSound
    }

    /// More than all that is written besides fields and date takes: the longest lines of each kind, and a reason phrase.
    private static let fixedSize = 256
    private static let longestPhrase = 64

    private static func writeStatusLine(_ status: HTTPResponseStatus, _ octets: inout OctetWriter) {
        guard status != .ok else {
            octets.write("HTTP/1.1 200 OK\r\n")
            return
        }
        octets.write("HTTP/1.1 ")
        octets.writeDecimal(Int(status.code))
        octets.write(" ")
        let phrase = status.reasonPhrase
        if phrase.utf8.count <= longestPhrase, phrase.utf8.allSatisfy(Octet.isFieldContent) { octets.write(phrase) { _ in true } }
        octets.write("\r\n")
    }

    /// The fields that are the connection's to set.
    private static func isFraming(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: Octet.equalIgnoringCase(name.utf8, "date")
        case 10: Octet.equalIgnoringCase(name.utf8, "connection") || Octet.equalIgnoringCase(name.utf8, "keep-alive")
        case 12: Octet.equalIgnoringCase(name.utf8, "x-request-id")
        case 14: Octet.equalIgnoringCase(name.utf8, "content-length")
        case 17: Octet.equalIgnoringCase(name.utf8, "transfer-encoding")
        default: false
        }
    }
}

/// Writes one octet after the other into memory that is known to have room for all of them.
struct OctetWriter {
    private let target: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ target: UnsafeMutableRawBufferPointer) { self.target = target }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// - Returns: whether all of it is allowed; if not, what was written is to be dropped.
    @inline(__always) @discardableResult
    mutating func write(_ text: String, where isAllowed: (UInt8) -> Bool) -> Bool {
        var text = text
        return text.withUTF8 { octets in
            write(UnsafeRawBufferPointer(octets))
            for octet in octets where !isAllowed(octet) { return false }
            return true
        }
    }

    /// - Returns: whether a field value may hold all of it, as ``write(_:where:)``.
    @discardableResult
    mutating func write(fieldContent text: String) -> Bool {
        let isSound = text.utf8.withContiguousStorageIfAvailable { octets in
            let octets = UnsafeRawBufferPointer(octets)
            write(octets)
            return Octet.endOfFieldContent(octets, from: 0) == octets.count
        }
        return isSound ?? write(text, where: Octet.isFieldContent)
    }

    mutating func writeDecimal(_ number: Int) {
        var divisor = 1
        while number / divisor > 9 { divisor *= 10 }
        while divisor > 0 {
            target[count] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10)
            count += 1
            divisor /= 10
        }
    }

    mutating func writeHex(_ value: UInt64) {
        target.storeBytes(of: Hex.digits(of: value), toByteOffset: count, as: (UInt64, UInt64).self)
        count += 16
    }

    @inline(__always)
    private mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        UnsafeMutableRawBufferPointer(rebasing: target[count..<count + bytes.count]).copyMemory(from: bytes)
        count += bytes.count
    }
}
