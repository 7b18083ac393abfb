package import GateAccess
import GateHTTP
import NIOHTTP1

/// A site as it is served: its rules, its door, and what answers behind it. A class: it is handed on with each request.
package final class GatewaySite: Sendable {
    package let route: SiteRoute
    package let door: Door
    private let handler: any RouteHandler
    /// For answers that their handler has not finished.
    private let changes: ResponseChanges
    private let security: SiteSecurityHeaders?

    /// - Parameters:
    ///   - policies: those of the route's ``SiteRoute/limits``.
    ///   - security: of use where ``SiteRoute/addsSecurityHeaders`` is set.
    package init(_ route: SiteRoute, policies: [RoutePolicy], handler: any RouteHandler, security: SiteSecurityHeaders? = nil) {
        self.route = route
        self.handler = handler
        self.security = route.addsSecurityHeaders ? security : nil
        door = Door(name: route.name, access: route.access, policies: policies)
        changes = ResponseChanges(route.responseFields)
    }

    /// Called on the event loop of the request's connection, so it must not block.
    func answer(_ admitted: AdmittedRequest) -> Answer {
        let answer = handler.answer(admitted)
        if handler.finishesAnswers { return answer }
        let scheme = admitted.arrived.scheme
        let fields = admitted.responseFields
        return answer.changed { [changes, security] response in
            changes.apply(to: &response)
            security?.decorate(&response, over: scheme)
            response.encodedFields.append(fields)
        }
    }
}

/// Removes fields from an answer of ours, and sets others.
struct ResponseChanges: Sendable {
    private let removed: [String]
    private let set: [(name: String, value: String)]

    init(_ changes: FieldChanges) {
        set = changes.set.filter { FieldChanges.isSettable($0.name) }
        removed = changes.removed + set.map(\.name)
    }

    func apply(to response: inout Response) {
        for name in removed { response.headers.remove(name: name) }
        for field in set { response.headers.add(name: field.name, value: field.value) }
    }
}
