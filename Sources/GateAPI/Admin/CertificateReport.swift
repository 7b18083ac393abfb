package import GateCore

/// One certificate as its operator sees it.
package struct CertificateReport: Sendable {
    /// Where it comes from; the raw value is what `tls.mode` says.
    package enum Source: String, Sendable {
        case acme, files
        case selfSigned = "self-signed"
    }

    package enum Status: String, Sendable {
        case valid
        /// Little of its time is left, and nothing has replaced it.
        case expiring
        case expired
        /// There is none yet: a self-signed one stands in.
        case missing
    }

    package struct LastProblem: Sendable {
        package var at: Timestamp
        /// What happened and what to do, in plain words.
        package var message: String
        /// The authority's own problem document, where one told.
        package var document: JSON?

        package init(at: Timestamp, message: String, document: JSON? = nil) {
            self.at = at
            self.message = message
            self.document = document
        }
    }

    package var names: [String]
    package var source: Source
    package var status: Status
    /// Whose name stands in it as the issuer.
    package var issuer: String?
    /// The authority's directory that it was ordered from, or is.
    package var authority: String?
    package var notBefore: Timestamp?
    package var notAfter: Timestamp?
    /// SHA-256 of the certificate, in hexadecimal.
    package var fingerprint: String?
    /// In a few words: "renew", "wait for a changed file".
    package var nextAction: String
    /// `nil`: nothing is waited for.
    package var nextActionAt: Timestamp?
    /// Why it is done then.
    package var reason: String?
    /// An order is under way.
    package var isBusy: Bool
    package var lastProblem: LastProblem?

    package init(
        names: [String], source: Source, status: Status, issuer: String? = nil, authority: String? = nil, notBefore: Timestamp? = nil,
        notAfter: Timestamp? = nil, fingerprint: String? = nil, nextAction: String, nextActionAt: Timestamp? = nil, reason: String? = nil,
        isBusy: Bool = false,
        lastProblem: LastProblem? = nil
    ) {
        self.names = names
        self.source = source
        self.status = status
        self.issuer = issuer
        self.authority = authority
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.fingerprint = fingerprint
        self.nextAction = nextAction
        self.nextActionAt = nextActionAt
        self.reason = reason
        self.isBusy = isBusy
        self.lastProblem = lastProblem
    }
}

/// The certificates of this server, as far as the operator has to do with them.
package protocol CertificateOperations: Sendable {
    func certificates() async -> [CertificateReport]

    /// Begins to renew, and returns before it is done.
    ///
    /// - Parameters:
    ///   - name: the certificate for this name; `nil` for all.
    ///   - force: also where the certificate is good for long yet.
    /// - Throws: `CertificateOperationError`.
    func renew(_ name: String?, force: Bool) async throws(CertificateOperationError)
}

/// Why a certificate is not renewed on demand.
package enum CertificateOperationError: Error, Hashable, Sendable {
    case unknownName
    /// In words for the operator: it does not come from an authority, or the authority's limits forbid it.
    case refused(String)
}
