package import GateCore

/// What one check has found.
package struct Finding: Hashable, Sendable {
    package enum Status: String, Sendable {
        case ok
        /// It works, or may; somebody should look at it.
        case warning
        /// Something does not work, or will soon not.
        case problem
        /// It could not be looked at, or need not be.
        case skipped
    }

    /// What was checked, in a word or two: the same from release to release.
    package let check: String
    /// What it was checked for: a host name, or this machine.
    package let about: String
    package let status: Status
    package let seen: String
    /// What to do; nothing where nothing is wrong.
    package let advice: String?

    /// Control characters are shown as `?`: servers' names and messages come from others.
    init(_ check: String, _ about: String, _ status: Status, _ seen: String, advice: String? = nil) {
        self.check = check
        self.about = about
        self.status = status
        self.seen = seen.printable
        self.advice = advice?.printable
    }

    static let thisMachine = "this machine"
    static let authority = "the certificate authority"
    static let certificate = "the certificate"
}

/// Everything that was found, in the order in which it is told.
package struct DoctorReport: Sendable {
    package let findings: [Finding]

    package init(findings: [Finding]) { self.findings = findings }

    /// Nothing is wrong; warnings are no problems.
    package var isHealthy: Bool { !findings.contains { $0.status == .problem } }

    package var json: JSON {
        [
            "healthy": .bool(isHealthy),
            "findings": .array(
                findings.map { finding in
                    [
                        "check": .string(finding.check), "about": .string(finding.about), "status": .string(finding.status.rawValue),
                        "seen": .string(finding.seen), "advice": finding.advice.map(JSON.string) ?? .null,
                    ]
                }),
        ]
    }
}

extension String {
    fileprivate var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { [.control, .format].contains($0.properties.generalCategory) ? "?" : $0 }))
    }
}
