package import GateAccess
import GateHTTP
import NIOHTTP1

/// A site as it is served: its rules, its door, and what answers behind it. A class: it is handed on with each request.
package final class GatewaySite: Sendable {
    package let route: SiteRoute
    package let door: Door
    package let handler: any RouteHandler
    /// Changes of the answers' fields that the handler does not make itself.
    let changes: ResponseChanges?

    /// - Parameters:
    ///   - policies: those of the route's ``SiteRoute/limits``.
    ///   - changesFields: whether ``SiteRoute/responseFields`` are the gateway's to apply.
    package init(_ route: SiteRoute, policies: [RoutePolicy], handler: any RouteHandler, changesFields: Bool) {
        self.route = route
        self.handler = handler
        door = Door(name: route.name, access: route.access, policies: policies)
        changes = changesFields && !route.responseFields.isEmpty ? ResponseChanges(route.responseFields) : nil
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
