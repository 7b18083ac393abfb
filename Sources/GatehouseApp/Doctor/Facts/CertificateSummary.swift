package import GateAPI
package import GateCore

/// A certificate as the running server tells of it, or as it is stored.
package struct CertificateSummary: Hashable, Sendable {
    package var names: [String]
    /// `acme`, `files` or `self-signed`.
    package var source: String
    package var isMissing: Bool
    package var issuer: String?
    package var notAfter: Timestamp?
    package var nextAction: String
    package var nextActionAt: Timestamp?
    package var problem: Problem?

    package struct Problem: Hashable, Sendable {
        package var at: Timestamp?
        /// What happened and what to do, in plain words.
        package var message: String
        /// In the authority's words.
        package var detail: String?

        package init(at: Timestamp?, message: String, detail: String? = nil) {
            self.at = at
            self.message = message
            self.detail = detail
        }
    }

    package init(
        names: [String], source: String, isMissing: Bool = false, issuer: String? = nil, notAfter: Timestamp? = nil,
        nextAction: String = "", nextActionAt: Timestamp? = nil, problem: Problem? = nil
    ) {
        self.names = names
        self.source = source
        self.isMissing = isMissing
        self.issuer = issuer
        self.notAfter = notAfter
        self.nextAction = nextAction
        self.nextActionAt = nextActionAt
        self.problem = problem
    }

    package init(_ report: CertificateReport) {
        self.init(
            names: report.names, source: report.source.rawValue, isMissing: report.status == .missing, issuer: report.issuer,
            notAfter: report.notAfter, nextAction: report.nextAction, nextActionAt: report.nextActionAt,
            problem: report.lastProblem.map {
                Problem(at: $0.at, message: $0.message, detail: $0.document?["detail"]?.string)
            })
    }

    /// Reads one of the answer to `GET /admin/certificates`.
    init(json: JSON) {
        func time(_ name: String) -> Timestamp? { json[name]?.string.flatMap { Timestamp(rfc3339: $0) } }
        self.init(
            names: (json["names"]?.array ?? []).compactMap(\.string), source: json["source"]?.string ?? "",
            isMissing: json["status"]?.string == "missing", issuer: json["issuer"]?.string, notAfter: time("not_after"),
            nextAction: json["next_action"]?.string ?? "", nextActionAt: time("next_action_at"),
            problem: json["last_problem"]?["message"]?.string.map { message in
                Problem(
                    at: json["last_problem"]?["at"]?.string.flatMap { Timestamp(rfc3339: $0) }, message: message,
                    detail: json["last_problem"]?["document"]?["detail"]?.string)
            })
    }
}

/// A certificate and its key as files of the configuration (`tls.certificate`, `tls.key`).
package struct CertificateFile: Hashable, Sendable {
    package var path: String
    package var keyPath: String
    /// The names in it; what is wrong with the pair, otherwise.
    package var names: Result<[String], FileProblem>
    package var notAfter: Timestamp?
    package var keyMode: UInt32?

    package struct FileProblem: Error, Hashable, Sendable {
        package var words: String

        package init(_ words: String) { self.words = words }
    }

    package init(path: String, keyPath: String, names: Result<[String], FileProblem>, notAfter: Timestamp? = nil, keyMode: UInt32? = nil) {
        self.path = path
        self.keyPath = keyPath
        self.names = names
        self.notAfter = notAfter
        self.keyMode = keyMode
    }
}
