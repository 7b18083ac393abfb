package import GateCore
package import GateHTTP

/// An order as the authority shows it (RFC 8555 §7.1.3).
package struct OrderObject: Hashable, Sendable {
    /// RFC 8555 §7.1.6.
    package enum Status: String, CaseIterable, Sendable {
        /// Authorizations are wanting.
        case pending
        /// All authorizations are there: to be finalized.
        case ready
        /// The certificate is being made.
        case processing
        /// It is there.
        case valid
        /// Given up by the authority: `error` says why, or one of the authorizations does.
        case invalid
    }

    package let status: Status
    package let expires: Timestamp?
    package let identifiers: [OrderIdentifier]
    package let authorizations: [HTTPURL]
    package let finalize: HTTPURL
    /// Where the status is `valid`.
    package let certificate: HTTPURL?
    package let error: ProblemDocument?

    package init(parsing bytes: [UInt8]) throws(MalformedAnswer) {
        let reader = try ObjectReader("order", parsing: bytes)
        status = try reader.status()
        expires = try reader.optionalTime("expires")
        var identifiers: [OrderIdentifier] = []
        for identifier in try reader.objects("identifiers") { identifiers.append(try OrderIdentifier(identifier)) }
        self.identifiers = identifiers
        authorizations = try reader.urls("authorizations")
        finalize = try reader.url("finalize")
        certificate = try reader.optionalURL("certificate")
        error = try reader.optional("error", "problem document") { ProblemDocument(json: $0) }
        if status == .valid, certificate == nil { throw MalformedAnswer("order", "it is valid and has no \"certificate\"") }
    }
}
