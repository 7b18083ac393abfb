import GateHTTP
import NIOCore
import NIOHTTP1

/// Compresses responses for those who ask for it (RFC 9110 §8.4, §12.5.3).
enum ContentCoding {
    /// Below it the head of the gzip format and the work are not worth it, in bytes.
    private static let threshold = 1 << 10
    /// What is compressed in one go on the event loop, in bytes: about a millisecond's work. More goes out as a stream.
    private static let inPlace = 64 << 10
    /// Larger files go out as they are, in bytes: for them there is compressing once, ahead.
    private static let largestFile = 8 << 20

    /// Whether a body of this size could be worth it, whatever it is.
    static func isWorthwhile(_ body: ResponseBody) -> Bool {
        switch body {
        case .empty, .tunnel: false
        case .bytes(let bytes): bytes.readableBytes >= threshold
        case .stream(let length, _): length ?? .max >= threshold
        case .file(let body): body.range.count >= threshold && body.range.count <= largestFile
        }
    }

    static func apply(to response: inout Response, for request: HTTPHeaders, loop: LoopContext) {
        guard isWorthwhile(response.body), qualifies(response) else { return }
        // Said also to those who get it plain: a cache in between must tell them apart.
        if !response.headers[canonicalForm: "vary"].contains(where: { $0.lowercased() == "accept-encoding" }) {
            response.headers.add(name: "vary", value: "Accept-Encoding")
        }
        guard AcceptedCodings(request).weight(of: "gzip") > 0 else { return }
        switch response.body {
        case .empty, .tunnel: return
        case .bytes(let bytes) where bytes.readableBytes <= inPlace:
            guard let compressed = loop.compress(bytes) else { return }
            response.body = .bytes(compressed)
        case .bytes(let bytes):
            response.body = .stream(length: nil) { writer in
                try await stream(to: writer) { writer in
                    var rest = bytes
                    while let part = rest.readSlice(length: min(inPlace, rest.readableBytes)), part.readableBytes > 0 {
                        try await writer.write(part)
                        // Others on this event loop want their turn.
                        await Task.yield()
                    }
                }
            }
        case .file(let body):
            response.body = .stream(length: nil) { writer in try await stream(to: writer) { try await body.write(to: $0) } }
        case .stream(_, let produce):
            response.body = .stream(length: nil) { writer in try await stream(to: writer, produce) }
        }
        response.headers.add(name: "content-encoding", value: "gzip")
        // The bytes are others now, so a strong validator no longer holds (RFC 9110 §8.8.3.3).
        if let tag = response.headers.first(name: "etag"), !tag.hasPrefix("W/") {
            response.headers.replaceOrAdd(name: "etag", value: "W/" + tag)
        }
    }

    private static func stream(
        to writer: any BodyWriter, _ produce: @Sendable (any BodyWriter) async throws -> Void
    ) async throws {
        guard let gzip = GzipWriter(writer) else {
            try await produce(writer)
            return
        }
        try await produce(gzip)
        try await gzip.finish()
    }

    private static func qualifies(_ response: Response) -> Bool {
        guard response.status.mayHaveResponseBody, response.status != .partialContent,
            !response.headers.contains(name: "content-encoding"), !response.headers.contains(name: "content-range"),
            let type = response.headers.first(name: "content-type")
        else { return false }
        if response.headers[canonicalForm: "cache-control"].contains(where: { $0 == "no-transform" }) { return false }
        return isCompressible(type)
    }

    /// Text by its type. Images, films and archives are compressed already; events must go out one by one and are short.
    static func isCompressible(_ contentType: String) -> Bool {
        let type = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        if type == "text/event-stream" { return false }
        if type.hasPrefix("text/") || type.hasSuffix("+json") || type.hasSuffix("+xml") { return true }
        return ["application/json", "application/javascript", "application/xml", "application/wasm", "application/yaml"].contains(type)
    }
}
