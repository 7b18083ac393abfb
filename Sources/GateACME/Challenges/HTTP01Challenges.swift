import GateCore
package import GateHTTP
import NIOCore
import NIOHTTP1
import Synchronization

/// The tokens of HTTP-01 (RFC 8555 §8.3) that are to be answered now.
package final class HTTP01Challenges: Sendable {
    private let answers = Mutex<[String: String]>([:])

    private static let pathPrefix: StaticString = "/.well-known/acme-challenge/"

    package init() {}

    /// From now on the token is answered with its key authorization.
    package func present(token: String, keyAuthorization: String) { answers.withLock { $0[token] = keyAuthorization } }

    package func withdraw(token: String) { _ = answers.withLock { $0.removeValue(forKey: token) } }

    /// `nil` unless the token is one of ours.
    package func answer(token: Substring) -> String? { answers.withLock { $0[String(token)] } }

    /// What `target` asks for; `nil` where it cannot be a token: base64url (RFC 8555 §8.3). Authorities take 22 characters or more.
    static func token(in target: RequestTarget) -> Substring? {
        guard target.begins(with: pathPrefix) else { return nil }
        let token = target.path.dropFirst(pathPrefix.utf8CodeUnitCount)
        return (1...256).contains(token.utf8.count) && token.utf8.allSatisfy(isTokenCharacter) ? token : nil
    }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// Answers challenges before anything else is asked: redirect, sign-in, limits, proxy (CHECKLIST 38). What is no token of ours passes on,
/// so that an application behind may have certificates of its own.
package struct HTTP01Responder: Responder {
    private let challenges: HTTP01Challenges
    private let shared: SharedChallenges?
    private let next: any Responder

    /// - Parameter shared: the challenges of other instances; `nil` where there are none.
    package init(_ challenges: HTTP01Challenges, shared: SharedChallenges? = nil, before next: any Responder) {
        self.challenges = challenges
        self.shared = shared
        self.next = next
    }

    package func respond(to request: Request) -> Answer {
        guard let token = HTTP01Challenges.token(in: request.target), request.method == .GET || request.method == .HEAD else {
            return next.respond(to: request)
        }
        if let answer = challenges.answer(token: token) { return .now(Self.response(answer)) }
        guard let shared else { return next.respond(to: request) }
        return .later {
            if let answer = await shared.keyAuthorization(of: token) { return Self.response(answer) }
            return await next.respond(to: request).response
        }
    }

    private static func response(_ keyAuthorization: String) -> Response {
        Response(
            .ok, headers: ["content-type": "application/octet-stream", "cache-control": "no-store"],
            body: .bytes(ByteBuffer(string: keyAuthorization)))
    }
}
