import GateAccess
import GateCore
import GateHTTP
import NIOHTTP1

/// Forward-auth: another proxy asks whether a request may pass, and for whom.
enum VerifyRoutes {
    static func add(to routes: inout RouterBuilder<Endpoint>) {
        routes.add(.GET, "/api/v1/auth/verify", Endpoint(access: .everyone, limit: .none, handle: verify))
    }

    /// Decided by the doorkeeper, like a request to the application itself, and counted by its door.
    private static func verify(_ call: Call) throws -> Reply {
        let services = call.services
        let asked = try ForwardedQuestion(call.request, trusted: services.trustedProxies)
        let door: Door
        switch services.doors.door(authority: asked.request.authority, path: asked.request.target.path) {
        case .door(let found): door = found
        case .none: door = services.otherDoor.named(asked.request.authority)
        case .ambiguous: return .now(asked.answer(to: ForwardedQuestion.ambiguousPath, services))
        }
        let admission = services.doorkeeper.admit(asked.request, at: door)
        guard case .later = admission else { return .now(asked.answer(to: admission, services)) }
        return .later { asked.answer(to: await admission.known, services) }
    }
}
