package import GateAccess
package import GateHTTP

/// What answers the requests of one route.
package protocol RouteHandler: Sendable {
    /// Called on the event loop of the request's connection, so it must not block.
    func answer(_ admitted: AdmittedRequest) -> Answer
}
