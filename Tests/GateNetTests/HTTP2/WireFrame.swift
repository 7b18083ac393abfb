import NIOCore
import NIOHPACK

/// One frame as it is on the wire (RFC 9113 §4.1): what the server must never be sent is sayable too.
struct WireFrame: Sendable, Hashable, CustomStringConvertible {
    var type: UInt8
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    enum FrameType {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let priority: UInt8 = 2
        static let resetStream: UInt8 = 3
        static let settings: UInt8 = 4
        static let pushPromise: UInt8 = 5
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    static let endStream: UInt8 = 0x1
    static let ack: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let withPriority: UInt8 = 0x20

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func data(_ stream: UInt32, _ bytes: [UInt8], end: Bool = false) -> WireFrame {
        WireFrame(type: FrameType.data, flags: end ? endStream : 0, stream: stream, payload: bytes)
    }
    static func data(_ stream: UInt32, _ text: String, end: Bool = false) -> WireFrame { data(stream, Array(text.utf8), end: end) }

    static func headers(_ stream: UInt32, _ block: [UInt8], end: Bool = true, endsBlock: Bool = true) -> WireFrame {
        WireFrame(
            type: FrameType.headers, flags: (end ? endStream : 0) | (endsBlock ? endHeaders : 0), stream: stream, payload: block)
    }
    static func headers(_ stream: UInt32, _ fields: [(String, String)], end: Bool = true, endsBlock: Bool = true) -> WireFrame {
        headers(stream, block(fields), end: end, endsBlock: endsBlock)
    }
    static func continuation(_ stream: UInt32, _ block: [UInt8], ends: Bool = true) -> WireFrame {
        WireFrame(type: FrameType.continuation, flags: ends ? endHeaders : 0, stream: stream, payload: block)
    }
    static func priority(_ stream: UInt32, dependsOn other: UInt32 = 0, exclusive: Bool = false, weight: UInt8 = 255) -> WireFrame {
        WireFrame(type: FrameType.priority, stream: stream, payload: bytes(other | (exclusive ? 1 << 31 : 0)) + [weight])
    }
    static func resetStream(_ stream: UInt32, _ code: UInt32 = ErrorCode.cancel) -> WireFrame {
        WireFrame(type: FrameType.resetStream, stream: stream, payload: bytes(code))
    }
    static func settings(_ settings: [(UInt16, UInt32)] = []) -> WireFrame {
        WireFrame(
            type: FrameType.settings, payload: settings.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xFF)] + bytes($0.1) })
    }
    static let settingsAck = WireFrame(type: FrameType.settings, flags: ack)
    static func ping(_ text: String = "12345678", isAck: Bool = false) -> WireFrame {
        WireFrame(type: FrameType.ping, flags: isAck ? ack : 0, payload: Array(text.utf8))
    }
    static func goAway(last: UInt32 = 0, _ code: UInt32 = 0) -> WireFrame {
        WireFrame(type: FrameType.goAway, payload: bytes(last) + bytes(code))
    }
    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> WireFrame {
        WireFrame(type: FrameType.windowUpdate, stream: stream, payload: bytes(increment))
    }

    /// Literals without indexing and without Huffman's code (RFC 7541 §6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] { fields.flatMap { [0] + text($0.0) + text($0.1) } }

    /// A request line and what follows it.
    static func request(
        _ method: String = "GET", _ path: String = "/", authority: String = "a", _ fields: [(String, String)] = []
    ) -> [(String, String)] {
        [(":method", method), (":scheme", "http"), (":path", path), (":authority", authority)] + fields
    }

    private static func text(_ text: String) -> [UInt8] {
        var length: [UInt8] = []
        var rest = text.utf8.count
        if rest < 127 {
            length = [UInt8(rest)]
        } else {
            length = [127]
            rest -= 127
            while rest >= 128 {
                length.append(UInt8(rest % 128 + 128))
                rest /= 128
            }
            length.append(UInt8(rest))
        }
        return length + Array(text.utf8)
    }

    static func bytes(_ number: UInt32) -> [UInt8] {
        [UInt8(number >> 24), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
    }

    var bytes: [UInt8] {
        [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF), type, flags]
            + Self.bytes(stream) + payload
    }

    func number(at place: Int) -> UInt32 { payload[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) } }
    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }
    var text: String { String(decoding: payload, as: UTF8.self) }

    var description: String {
        let names = [
            "DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION",
        ]
        let name = Int(type) < names.count ? names[Int(type)] : "type \(type)"
        return "\(name)(\(stream), flags \(flags), \(payload.count) bytes: \(payload.prefix(16)))"
    }
}

/// RFC 9113 §7.
enum ErrorCode {
    static let noError: UInt32 = 0
    static let protocolError: UInt32 = 1
    static let internalError: UInt32 = 2
    static let flowControl: UInt32 = 3
    static let streamClosed: UInt32 = 5
    static let frameSize: UInt32 = 6
    static let refusedStream: UInt32 = 7
    static let cancel: UInt32 = 8
    static let compression: UInt32 = 9
    static let enhanceYourCalm: UInt32 = 11
}
