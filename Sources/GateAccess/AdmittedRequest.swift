package import GateHTTP
package import GateIdentity

/// A request that its route has admitted: counted, and of somebody who may make it.
package struct AdmittedRequest: Sendable {
    private let arrival: Arrival
    /// `nil` where nobody is signed in, or the route does not ask.
    package let identity: AssertedIdentity?
    /// What the client is told beside the answer: how it stands under the route's limits.
    package let responseFields: EncodedFields

    /// One that goes on with every field that it came with: our own credentials too, if it carries any.
    package init(withholdingNothingOf request: Request, identity: AssertedIdentity? = nil) {
        self.init(Arrival(request: request, withheld: WithheldFields()), identity: identity, responseFields: EncodedFields())
    }

    init(_ arrival: Arrival, identity: AssertedIdentity? = nil, responseFields: EncodedFields) {
        self.arrival = arrival
        self.identity = identity
        self.responseFields = responseFields
    }

    /// As it came, with what is withheld still among its header fields. What an application is to see of `Cookie`, `Authorization`, and fields that
    /// may be ours, comes from ``forEachField(_:)`` alone; a field of any other name may be read here.
    package var arrived: Request { arrival.request }

    /// The header fields without what only we may say, and what only we may see: identity fields in every spelling, the session cookie, an
    /// access token of ours. What is left of the cookies stands in one `Cookie` field.
    package func forEachField(_ body: (_ name: String, _ value: String) -> Void) { arrival.forEachField(body) }

    package var principal: Principal? { identity?.principal }
    /// Who it is, as the application is told: fields in the form in which they are sent.
    package var identityFields: EncodedFields { identity?.fields ?? EncodedFields() }
}

/// What becomes of a request at a door.
package enum Admission: Sendable {
    case admitted(AdmittedRequest)
    /// What the client is told instead, but for the fields that every response of our own carries (`SecurityHeaders`).
    case refused(Response)
    /// The database, or a limit store elsewhere, has to be asked first.
    case later(@Sendable () async -> Admission)

    /// The same, once it is known: never `.later`.
    package var known: Admission {
        get async {
            var admission = self
            while case .later(let find) = admission { admission = await find() }
            return admission
        }
    }
}
