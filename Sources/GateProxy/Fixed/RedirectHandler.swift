package import GateAccess
package import GateHTTP
import NIOHTTP1

/// Sends every request of a route somewhere else.
package struct RedirectHandler: RouteHandler {
    private enum Piece: Hashable {
        case text(String)
        case uri
        case host
    }

    private let pieces: [Piece]
    /// The operator's own host follows.
    private let isSchemeRelative: Bool
    private let status: HTTPResponseStatus
    private let baseURL: String

    /// - Parameter baseURL: the public URL without a slash at its end, for problem documents.
    package init(_ rules: RedirectRules, baseURL: String) {
        isSchemeRelative = rules.location.hasPrefix("//") && !rules.location.hasPrefix("//{uri}")
        pieces = Self.pieces(of: rules.location)
        status = HTTPResponseStatus(statusCode: rules.status)
        self.baseURL = baseURL
    }

    package func answer(_ admitted: AdmittedRequest) -> Answer {
        let request = admitted.arrived
        guard let location = location(for: request) else {
            let problem = Problem(.malformed, "Where this leads cannot be told from the request: its host or its path is missing a part.")
            return .now(problem.answer(to: request, baseURL: baseURL))
        }
        return .now(Response(status, headers: ["location": location]))
    }

    /// `nil` where the request has no host, or where its path would be read as a host (`//other.example`, RFC 3986 §4.2; browsers take a
    /// backslash for a slash).
    private func location(for request: Request) -> String? {
        var location = ""
        for piece in pieces {
            switch piece {
            case .text(let text): location += text
            case .uri: location += request.target.raw
            case .host:
                guard let host = Self.host(of: request.authority) else { return nil }
                location += host
            }
        }
        let begin = location.utf8.prefix(2)
        guard begin.count == 2, begin.allSatisfy({ $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }) else { return location }
        return isSchemeRelative ? location : nil
    }

    /// Without the port, which is seldom the new scheme's.
    private static func host(of authority: String) -> Substring? {
        let host =
            if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") { authority[...end] } else {
                authority.prefix { $0 != ":" }
            }
        return host.isEmpty ? nil : host
    }

    private static func pieces(of template: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = template[...]
        while !rest.isEmpty {
            if rest.hasPrefix("{uri}") {
                pieces.append(.uri)
                rest = rest.dropFirst("{uri}".count)
            } else if rest.hasPrefix("{host}") {
                pieces.append(.host)
                rest = rest.dropFirst("{host}".count)
            } else {
                let text = rest.first.map(String.init)! + rest.dropFirst().prefix { $0 != "{" }
                pieces.append(.text(text))
                rest = rest.dropFirst(text.count)
            }
        }
        return pieces
    }
}
