import GateHTTP
import NIOCore
import NIOHTTP1

/// Fields behind a body (RFC 9110 §6.5).
enum TrailerFields {
    /// Whether a trailer may have this name: none that frames or routes a message, says how its content is to be read, changes what is asked
    /// for, or tells who asks (RFC 9110 §6.5.1). Who reads a trailer of such a name as if it had stood in the head would be misled.
    static func mayHold(_ name: some Collection<UInt8>) -> Bool {
        let name = String(decoding: name.lazy.map(Octet.lowercased), as: UTF8.self)
        return !forbidden.contains(name) && !name.hasPrefix("if-") && !name.hasPrefix("x-forwarded-")
    }

    private static let forbidden: Set<String> = [
        "age", "authorization", "cache-control", "connection", "content-encoding", "content-length", "content-range", "content-type",
        "cookie", "date", "expect", "expires", "forwarded", "host", "keep-alive", "location", "max-forwards", "pragma",
        "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "range", "retry-after", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade",
        "vary", "www-authenticate",
    ]

    /// Those of `fields` that may be sent: by their names, and since they hold nothing that would end them early.
    static func sendable(_ fields: HTTPHeaders) -> [(name: String, value: String)] {
        fields.filter { name, value in
            !name.isEmpty && name.utf8.allSatisfy(Octet.isToken) && value.utf8.allSatisfy(Octet.isFieldContent) && mayHold(name.utf8)
        }.map { (name: $0.name, value: $0.value) }
    }

    /// The end of a body in chunks (RFC 9112 §7.1).
    static func lastChunk(_ fields: HTTPHeaders?) -> ByteBuffer {
        guard let fields else { return ByteBuffer(staticString: "0\r\n\r\n") }
        var end = ByteBuffer(staticString: "0\r\n")
        for (name, value) in sendable(fields) { end.writeString("\(name): \(value)\r\n") }
        end.writeStaticString("\r\n")
        return end
    }
}
