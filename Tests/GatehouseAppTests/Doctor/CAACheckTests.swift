import GateNet
import Testing

@testable import GatehouseApp

@Suite("Doctor: CAA")
struct CAACheckTests {
    struct Facts: Sendable {
        var caa: Result<CAASet, DNSError>
        var identities = ["letsencrypt.org"]
        var account: String?

        init(_ records: (String, String)..., critical: Bool = false, identities: [String] = ["letsencrypt.org"], account: String? = nil) {
            caa = .success(
                CAASet(
                    domain: records.isEmpty ? nil : DNSName("example"),
                    records: records.map { CAARecord(isCritical: critical, tag: $0.0, value: $0.1) }))
            self.identities = identities
            self.account = account
        }

        init(failure: DNSError) { caa = .failure(failure) }
    }

    static let situations: [Situation<Facts>] = [
        Situation("no record", Facts(), Verdict(.ok, "No CAA record restricts")),
        Situation("allowed", Facts(("issue", "letsencrypt.org")), Verdict(.ok, "allow letsencrypt.org")),
        Situation("only reports are wanted", Facts(("iodef", "mailto:a@example")), Verdict(.ok, "do not restrict")),
        Situation(
            "others only", Facts(("issue", "digicert.com")),
            Verdict(
                .problem, "allow only digicert.com to issue, and not acme.example (letsencrypt.org)",
                "Add the record: example. CAA 0 issue \"letsencrypt.org\"")),
        Situation("nobody", Facts(("issue", ";")), Verdict(.problem, "allow nobody", "in the place of the one that forbids all")),
        Situation(
            "another method", Facts(("issue", "letsencrypt.org; validationmethods=dns-01")),
            Verdict(.problem, "the methods dns-01 only; here http-01, tls-alpn-01 can be used", "validationmethods")),
        Situation(
            "another account", Facts(("issue", "letsencrypt.org; accounturi=https://a/1"), account: "https://a/2"),
            Verdict(.problem, "for the account https://a/1 only; this server's is https://a/2", "accounturi")),
        Situation(
            "a critical record that nobody knows", Facts(("tbs", "1"), critical: true),
            Verdict(.problem, "of the kind \"tbs\"", "Correct that record")),
        Situation(
            "the authority does not say its name", Facts(("issue", "ca.example"), identities: []),
            Verdict(.skipped, "issue \"ca.example\"")),
        Situation(
            "the question fails", Facts(failure: DNSError(.serverFailure, "CAA of example from 192.0.2.53: SERVFAIL")),
            Verdict(.problem, "could not be asked for: CAA of example", "must not issue then")),
    ]

    @Test("A table of situations", arguments: situations)
    func situation(_ situation: Situation<Facts>) {
        let check = CAACheck(
            name: "app.example", caa: situation.facts.caa, identities: situation.facts.identities, authority: "acme.example",
            methods: ["http-01", "tls-alpn-01"], account: situation.facts.account)
        expect([check.finding()], situation.verdicts)
    }
}
