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
    }

    /// False where a field holds what would end it early: CR, LF or NUL, or its name is no token. Nothing is to be sent then.
    static func encode(
        _ response: Response, framing: Framing, connection: Connection, id: RequestID, date: [UInt8], into buffer: inout ByteBuffer
    ) -> Bool {
        writeStatusLine(response.status, &buffer)
        for (name, value) in response.headers where !isFraming(name) {
            guard name.utf8.allSatisfy(Octet.isToken), !name.isEmpty, value.utf8.allSatisfy(Octet.isFieldContent) else { return false }
            buffer.writeString(name)
            buffer.writeStaticString(": ")
            buffer.writeString(value)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeBytes(response.encodedFields.bytes)
        switch framing {
        case .length(let length):
            buffer.writeStaticString("Content-Length: ")
            writeDecimal(length, &buffer)
            buffer.writeStaticString("\r\n")
        case .chunked: buffer.writeStaticString("Transfer-Encoding: chunked\r\n")
        case .untilClose, .none: break
        }
        switch connection {
        case .keepAlive: break
        case .keepAliveSaid: buffer.writeStaticString("Connection: keep-alive\r\n")
        case .close: buffer.writeStaticString("Connection: close\r\n")
        }
        buffer.writeStaticString("X-Request-Id: ")
        writeHex(id.value, &buffer)
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(date)
        buffer.writeStaticString("\r\n")
        return true
    }

    private static func writeStatusLine(_ status: HTTPResponseStatus, _ buffer: inout ByteBuffer) {
        guard status != .ok else {
            buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
            return
        }
        buffer.writeStaticString("HTTP/1.1 ")
        writeDecimal(Int(status.code), &buffer)
        buffer.writeStaticString(" ")
        let phrase = status.reasonPhrase
        if phrase.utf8.allSatisfy(Octet.isFieldContent) { buffer.writeString(phrase) }
        buffer.writeStaticString("\r\n")
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

    static func writeDecimal(_ number: Int, _ buffer: inout ByteBuffer) {
        guard number > 9 else {
            buffer.writeInteger(UInt8(ascii: "0") + UInt8(number))
            return
        }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { target in
            var rest = number
            var place = 20
            while rest > 0 {
                place -= 1
                target[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            for index in place..<20 { target[index - place] = target[index] }
            return 20 - place
        }
    }

    static func writeHex(_ value: UInt64, _ buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 16) { target in
            for place in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - place * 4) & 0xF)
                target[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
            }
            return 16
        }
    }
}
