import GateCore
package import GateHTTP
import NIOCore
import NIOHTTP1
import Synchronization

/// The tokens of HTTP-01 (RFC 8555 §8.3) that are to be answered now.
package final class HTTP01Challenges: Sendable {
    private let answers = Mutex<[String: String]>([:])

    package static let pathPrefix = "/.well-known/acme-challenge/"

    package init() {}

    /// From now on the token is answered with its key authorization.
    package func present(token: String, keyAuthorization: String) { answers.withLock { $0[token] = keyAuthorization } }

    package func withdraw(token: String) { _ = answers.withLock { $0.removeValue(forKey: token) } }

    /// `nil` unless `path` is that of a token of ours.
    package func answer(path: Substring) -> String? {
        guard path.hasPrefix(Self.pathPrefix) else { return nil }
        let token = String(path.dropFirst(Self.pathPrefix.count))
        return answers.withLock { $0[token] }
    }
}

/// Answers challenges before anything else is asked: redirect, sign-in, limits, proxy (CHECKLIST 38). What is no token of ours passes on,
/// so that an application behind may have certificates of its own.
package struct HTTP01Responder: Responder {
    private let challenges: HTTP01Challenges
    private let next: any Responder

    package init(_ challenges: HTTP01Challenges, before next: any Responder) {
        self.challenges = challenges
        self.next = next
    }

    package func respond(to request: Request) -> Answer {
        guard request.method == .GET || request.method == .HEAD, let answer = challenges.answer(path: request.target.path) else {
            return next.respond(to: request)
        }
        return .now(
            Response(
                .ok, headers: ["content-type": "application/octet-stream", "cache-control": "no-store"],
                body: .bytes(ByteBuffer(string: answer))))
    }
}
