package import GateCore

/// What `cert status` and the operator's API show of one certificate.
package struct CertificateStatus: Sendable {
    package struct Current: Hashable, Sendable {
        /// Who signed it, by name.
        package let issuer: String?
        /// The directory that it was ordered from; `nil` where it was put there by hand.
        package let directory: String?
        package let names: [String]
        package let notBefore: Timestamp
        package let notAfter: Timestamp
        /// SHA-256 in hexadecimal.
        package let fingerprint: String
        package let health: CertificateHealth
    }

    package enum Action: Hashable, Sendable {
        /// The first certificate is to be ordered.
        case order
        case renew
        /// After a failure.
        case tryAgain
        /// An order is under way.
        case ordering
        /// Read the files again when they change.
        case watchFiles
    }

    package let names: [String]
    /// What is served now; `nil` while there is none.
    package let current: Current?
    package let nextAction: Action
    /// `nil`: now.
    package let nextActionAt: Timestamp?
    /// Why then, in plain words.
    package let reason: String
    /// The last failure since the last success.
    package let problem: CertificateProblem?
    /// The authority's page about its renewal window.
    package let explanationURL: String?
}

/// A failed attempt, for the operator.
package struct CertificateProblem: Hashable, Sendable {
    package let at: Timestamp
    /// The directory that was asked; `nil` for files.
    package let directory: String?
    /// What happened and what to do.
    package let sentence: String
    /// The authority's own words.
    package let document: ProblemDocument?
    package let authorizations: [ACMEFailure.Authorization]
    /// Failures in a row.
    package let count: Int
    package let wasRehearsal: Bool

    package init(
        at: Timestamp, directory: String?, sentence: String, document: ProblemDocument? = nil,
        authorizations: [ACMEFailure.Authorization] = [], count: Int, wasRehearsal: Bool = false
    ) {
        self.at = at
        self.directory = directory
        self.sentence = sentence
        self.document = document
        self.authorizations = authorizations
        self.count = count
        self.wasRehearsal = wasRehearsal
    }
}

/// Whether `cert renew` was heard.
package enum RenewalAnswer: Hashable, Sendable {
    case started(names: [String])
    /// An order is under way already.
    case underWay(names: [String])
    /// The authority's limits stand against it until then.
    case refused(names: [String], until: Timestamp, reason: String)
}
