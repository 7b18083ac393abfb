package import GateCore
package import GateHTTP
import NIOCore
import NIOHTTP1

/// A response of the authority, with those fields that ACME gives a meaning.
package struct AuthorityAnswer: Hashable, Sendable {
    package var status: Int
    package var body: [UInt8]
    /// In lower case, without parameters.
    package var contentType: String?
    /// `Location`, absolute.
    package var location: HTTPURL?
    /// `Location` as it was sent: an account's URL is compared byte by byte (RFC 8555 §6.2).
    package var locationText: String?
    /// At most ``maximumRetryAfter``; a moment that has passed is zero.
    package var retryAfter: Duration?
    /// `Link: <…>;rel="alternate"` (RFC 8555 §7.4.2).
    package var alternates: [HTTPURL]
    /// `Replay-Nonce` (RFC 8555 §6.5).
    package var nonce: String?

    /// Whatever an authority says, it is asked again after ten days: a slip of its pen must not let a certificate expire.
    package static let maximumRetryAfter = Duration.seconds(10 * 86_400)

    package init(
        status: Int, body: [UInt8] = [], contentType: String? = nil, location: HTTPURL? = nil, locationText: String? = nil,
        retryAfter: Duration? = nil,
        alternates: [HTTPURL] = [], nonce: String? = nil
    ) {
        self.status = status
        self.body = body
        self.contentType = contentType
        self.location = location
        self.locationText = locationText ?? location?.description
        self.retryAfter = retryAfter
        self.alternates = alternates
        self.nonce = nonce
    }

    /// - Parameters:
    ///   - url: what was asked for; relative references are resolved against it.
    ///   - now: what a `Retry-After` with a date is counted from.
    package init(_ response: OutgoingResponse, to url: HTTPURL, at now: Timestamp) {
        self.init(
            status: Int(response.status.code), body: Array(response.body.readableBytesView),
            contentType: response.headers.first(name: "content-type").map(Self.mediaType),
            location: response.headers.first(name: "location").flatMap { url.resolving($0) },
            locationText: response.headers.first(name: "location").flatMap { HTTPURL($0) == nil ? nil : $0 },
            retryAfter: response.headers.first(name: "retry-after").flatMap { Self.retryAfter($0, at: now) },
            alternates: LinkField.targets(of: "alternate", in: response.headers["link"]).compactMap { url.resolving($0) },
            nonce: response.headers.first(name: "replay-nonce").flatMap { NoncePool.isNonce($0) ? $0 : nil })
    }

    package var isSuccess: Bool { (200...299).contains(status) }

    /// What an answer that is no success says; where its body is no problem document, one is made of the status.
    package var problem: ProblemDocument? {
        guard !isSuccess else { return nil }
        guard let json = try? JSON(parsing: body), let document = ProblemDocument(json: json) else {
            return ProblemDocument(type: "about:blank", detail: "HTTP status \(status)", status: status)
        }
        return ProblemDocument(
            type: document.type, title: document.title, detail: document.detail, status: document.status ?? status,
            identifier: document.identifier, instance: document.instance, subproblems: document.subproblems)
    }

    /// RFC 9110 §10.2.3: seconds, or a date.
    static func retryAfter(_ text: String, at now: Timestamp) -> Duration? {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return min(.seconds(Int64(text) ?? .max), maximumRetryAfter)
        }
        guard let moment = Timestamp(httpDate: text) else { return nil }
        return min(max(moment - now, .zero), maximumRetryAfter)
    }

    private static func mediaType(_ text: String) -> String {
        let type = text.prefix { $0 != ";" }.lowercased()
        return String(type.filter { $0 != " " && $0 != "\t" })
    }
}
