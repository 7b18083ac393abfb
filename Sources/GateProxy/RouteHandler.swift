package import GateHTTP
package import GateIdentity

/// A request that its route has admitted: counted, and of somebody who may make it.
package struct AdmittedRequest: Sendable {
    /// Without what only we may say: the identity fields are dropped, in every spelling.
    package var request: Request
    /// `nil` where nobody is signed in, or the route does not ask.
    package var principal: Principal?
    /// Who it is, as the application is told: fields in the form in which they are sent.
    package var identityFields: EncodedFields

    package init(_ request: Request, principal: Principal? = nil, identityFields: EncodedFields = EncodedFields()) {
        self.request = request
        self.principal = principal
        self.identityFields = identityFields
    }
}

/// What answers the requests of one route.
package protocol RouteHandler: Sendable {
    /// Called on the event loop of the request's connection, so it must not block.
    func answer(_ admitted: AdmittedRequest) -> Answer
}
