import GateCore
import GateCrypto
import GateHTTP
import GateNet
import NIOHTTP1

/// The proof that an application speaks WebSocket and not a protocol that merely echoes (RFC 6455 §1.3 and §4.1). A client on HTTP/2 makes no
/// key (RFC 8441 §5.1), so we make one for it; the answer is checked in either case.
struct WebSocketHandshake {
    /// The only protocol that requests are upgraded to: `h2c` would lead requests past the access rules.
    static let upgrade = "websocket"

    private static let suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    let key: String
    /// Whether the client didn't send it.
    let isOurs: Bool

    init(_ request: Request, _ entropy: any Entropy) {
        let sent = request.headers["sec-websocket-key"]
        isOurs = request.version == .http2 || sent.isEmpty
        key = isOurs ? Self.base64(entropy.bytes(16)) : sent[0]
    }

    func isAccepted(by response: StreamedResponse) -> Bool {
        response.fields.first("sec-websocket-accept") == Self.accept(for: key)
    }

    static func accept(for key: String) -> String { base64(SHA1.hash(Array((key + suffix).utf8))) }

    /// RFC 4648 §4, with padding.
    private static func base64(_ bytes: [UInt8]) -> String {
        var text = String(Base64URL.encode(bytes).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        while text.utf8.count % 4 != 0 { text += "=" }
        return text
    }
}
