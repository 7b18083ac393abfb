package import GateAccess
package import GateHTTP

/// What answers the requests of one route.
package protocol RouteHandler: Sendable {
    /// Whether its answers have what a site adds to them already: what the route changes of their fields, its security fields, and
    /// ``AdmittedRequest/responseFields``.
    var finishesAnswers: Bool { get }

    /// Called on the event loop of the request's connection, so it must not block.
    func answer(_ admitted: AdmittedRequest) -> Answer
}

extension RouteHandler {
    package var finishesAnswers: Bool { false }
}
