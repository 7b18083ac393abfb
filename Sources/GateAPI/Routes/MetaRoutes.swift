import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

/// What is published about the server itself: its keys, and what its errors mean.
enum MetaRoutes {
    static func add(to routes: inout RouterBuilder<Endpoint>) {
        routes.add(.GET, "/.well-known/jwks.json", Endpoint(access: .everyone, limit: .none, handle: keys))
        routes.add(.GET, "/problems/{code...}", Endpoint(access: .everyone, limit: .none, handle: problem))
    }

    /// The keys that assertions are verified with, and access tokens unless they are signed with HS256, whose key is a secret
    /// (RFC 7517 §5).
    private static func keys(_ call: Call) -> Reply {
        var response = Response.json(.ok, call.services.doorkeeper.assertions.jwks.bytes)
        response.headers.add(name: "cache-control", value: "public, max-age=300")
        return .now(response)
    }

    private static func problem(_ call: Call) throws -> Reply {
        guard let code = call.parameters["code"], let kind = ProblemKind(rawValue: String(code)) else { throw Problem(.notFound) }
        return .now(.text(.ok, "\(kind.title) (HTTP \(kind.status.code), \(kind.rawValue))\n\n\(kind.explanation)\n"))
    }
}
