import Testing

@testable import GatehouseApp

/// What a check should find in a situation: its status, and words that the operator must be told.
struct Verdict: Sendable {
    let status: Finding.Status
    let seen: String
    let advice: String?

    init(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) {
        self.status = status
        self.seen = seen
        self.advice = advice
    }
}

/// A situation and what is found in it, in order.
struct Situation<Facts: Sendable>: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let facts: Facts
    let verdicts: [Verdict]

    init(_ description: String, _ facts: Facts, _ verdicts: Verdict...) { self.init(description, facts, verdicts) }

    init(_ description: String, _ facts: Facts, _ verdicts: [Verdict]) {
        testDescription = description
        self.facts = facts
        self.verdicts = verdicts
    }
}

func expect(
    _ findings: [Finding], _ verdicts: [Verdict], sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(
        findings.map(\.status) == verdicts.map(\.status), "\(findings.map { "\($0.status): \($0.seen)" })", sourceLocation: sourceLocation)
    for (finding, verdict) in zip(findings, verdicts) {
        #expect(finding.seen.contains(verdict.seen), "\(finding.seen)", sourceLocation: sourceLocation)
        if let advice = verdict.advice {
            #expect(finding.advice?.contains(advice) == true, "\(finding.advice ?? "no advice")", sourceLocation: sourceLocation)
        }
        // Whoever is told of a fault is told what to do.
        if finding.status == .problem { #expect(finding.advice != nil, "\(finding.seen)", sourceLocation: sourceLocation) }
    }
}
