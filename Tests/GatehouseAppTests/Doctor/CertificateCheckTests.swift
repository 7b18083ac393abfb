import GateCore
import GateHTTP
import Testing

@testable import GatehouseApp

@Suite("Doctor: the authority and the certificate")
struct CertificateCheckTests {
    static let url = HTTPURL("https://acme.example/directory")!

    struct Authority: Sendable {
        var outcome: Result<AuthorityFacts.Directory, OutgoingError> = .success(AuthorityFacts.Directory())
        var caFile: String?
        var hasExternalAccount = false
        var profile: String?

        static func failed(_ reason: OutgoingError.Reason, caFile: String? = nil) -> Authority {
            Authority(outcome: .failure(OutgoingError(reason, "what happened")), caFile: caFile)
        }
    }

    static let authorities: [Situation<Authority>] = [
        Situation(
            "well", Authority(outcome: .success(.init(termsOfService: "https://acme.example/terms"))),
            Verdict(
                .ok, "acme.example can be reached and is trusted. Its terms of service, which using it accepts: https://acme.example/terms")
        ),
        Situation(
            "no such name", .failed(.nameNotFound), Verdict(.problem, "cannot be fetched: what happened", "acme.directory is spelled right")
        ),
        Situation(
            "a private authority without its root", .failed(.untrustedCertificate), Verdict(.problem, "what happened", "set acme.ca_file")),
        Situation(
            "a private authority with a wrong root", .failed(.untrustedCertificate, caFile: "/ca.pem"),
            Verdict(.problem, "what happened", "acme.ca_file must hold the root certificate")),
        Situation("no way out", .failed(.timedOut), Verdict(.problem, "what happened", "connect to acme.example on port 443")),
        Situation("a middlebox", .failed(.tls), Verdict(.problem, "what happened", "curl -v https://acme.example/directory")),
        Situation(
            "trouble there", Authority(outcome: .success(.init(status: 503, isDirectory: false))),
            Verdict(.problem, "status 503", "trouble of its own")),
        Situation(
            "another page", Authority(outcome: .success(.init(isDirectory: false))),
            Verdict(.problem, "it is no ACME directory", "https://acme-v02.api.letsencrypt.org/directory")),
        Situation(
            "customers only", Authority(outcome: .success(.init(needsExternalAccount: true))),
            Verdict(.ok, "trusted"), Verdict(.problem, "bound to one of its customers", "acme.eab.key_id")),
        Situation(
            "a customer", Authority(outcome: .success(.init(needsExternalAccount: true)), hasExternalAccount: true), Verdict(.ok, "trusted")
        ),
        Situation(
            "an unknown profile", Authority(outcome: .success(.init(profiles: ["classic"])), profile: "shortlived"),
            Verdict(.ok, "trusted"), Verdict(.problem, "no certificate profile \"shortlived\". It has classic", "acme.profile")),
    ]

    @Test("The authority", arguments: authorities)
    func authority(_ situation: Situation<Authority>) {
        let check = AuthorityCheck(
            facts: AuthorityFacts(url: Self.url, outcome: situation.facts.outcome), caFile: situation.facts.caFile,
            hasExternalAccount: situation.facts.hasExternalAccount, profile: situation.facts.profile)
        expect(check.findings(), situation.verdicts)
    }

    static let now = Timestamp(rfc3339: "2026-11-21T00:00:00Z")!

    struct Facts: Sendable {
        var mode = "acme"
        var certificates: [CertificateSummary] = []
        var files: [CertificateFile] = []
        var isRunning = true
    }

    private static func issued(_ days: Int, names: [String] = ["app.example"], problem: String? = nil) -> CertificateSummary {
        CertificateSummary(
            names: names, source: "acme", issuer: "R11", notAfter: now + .seconds(days * 86_400 + 3600), nextAction: "renew",
            nextActionAt: now + .seconds(3600),
            problem: problem.map { .init(at: now - .seconds(3600), message: $0, detail: "DNS problem") })
    }

    private static func file(
        _ names: Result<[String], CertificateFile.FileProblem>, days: Int = 60, keyMode: UInt32 = 0o600
    ) -> CertificateFile {
        CertificateFile(path: "/c.pem", keyPath: "/k.pem", names: names, notAfter: now + .seconds(days * 86_400 + 60), keyMode: keyMode)
    }

    static let situations: [Situation<Facts>] = [
        Situation("good for long", Facts(certificates: [issued(60)]), Verdict(.ok, "issued by R11, expires in 60 days, on 2027-01-20")),
        Situation("by a wildcard", Facts(certificates: [issued(60, names: ["*.example"])]), Verdict(.ok, "expires in 60 days")),
        Situation("soon over", Facts(certificates: [issued(10)]), Verdict(.warning, "expires in 10 days", "gatehouse cert renew")),
        Situation(
            "nearly over", Facts(certificates: [issued(1)], isRunning: false), Verdict(.problem, "expires in 1 day", "Start gatehouse")),
        Situation("over", Facts(certificates: [issued(-2)]), Verdict(.problem, "expired on 2026-11-19", "gatehouse cert status")),
        Situation(
            "none yet, and why",
            Facts(certificates: [
                CertificateSummary(
                    names: ["app.example"], source: "acme", isMissing: true, nextAction: "order", nextActionAt: now + .seconds(600),
                    problem: .init(at: now, message: "The authority could not connect to port 80.", detail: "Timeout during connect"))
            ]),
            Verdict(.problem, "no certificate for app.example yet: a self-signed one stands in", "gatehouse cert status"),
            Verdict(
                .problem,
                "failed on 2026-11-21 00:00 UTC: The authority could not connect to port 80. The authority wrote: \"Timeout during connect\"",
                "The next attempt is at 2026-11-21 00:10 UTC")),
        Situation(
            "none, and no server", Facts(isRunning: false), Verdict(.problem, "no certificate for app.example yet", "Start gatehouse")),
        Situation(
            "good, though the last renewal failed", Facts(certificates: [issued(25, problem: "The authority was not reached.")]),
            Verdict(.ok, "expires in 25 days"), Verdict(.warning, "The authority was not reached", "gatehouse cert renew")),
        Situation(
            "for another name", Facts(certificates: [issued(60, names: ["www.example"])]),
            Verdict(.ok, "www.example"), Verdict(.problem, "No certificate covers app.example", "acme.domains")),
        Situation(
            "self-signed",
            Facts(
                mode: "self-signed",
                certificates: [
                    CertificateSummary(names: ["app.example"], source: "self-signed", notAfter: now + .seconds(86_400))
                ]), Verdict(.warning, "is self-signed: browsers warn of it", "tls.mode")),
        Situation(
            "files", Facts(mode: "files", files: [file(.success(["app.example"]))]),
            Verdict(.ok, "/c.pem, for app.example, expires in 60 days")),
        Situation(
            "files that are over", Facts(mode: "files", files: [file(.success(["app.example"]), days: -1)]),
            Verdict(.problem, "expired", "Put a new certificate there")),
        Situation(
            "files that do not fit", Facts(mode: "files", files: [file(.failure(.init("key and certificate do not belong together")))]),
            Verdict(
                .problem, "/c.pem with /k.pem cannot be used: key and certificate do not belong together", "tls.certificate and tls.key")),
        Situation(
            "a key for everybody", Facts(mode: "files", files: [file(.success(["app.example"]), keyMode: 0o644)]),
            Verdict(.ok, "/c.pem"), Verdict(.problem, "Everybody on this machine can read the key /k.pem (mode 0644)", "chmod 0640 /k.pem")),
        Situation(
            "files for another name", Facts(mode: "files", files: [file(.success(["www.example"]))]),
            Verdict(.ok, "www.example"), Verdict(.problem, "No certificate covers app.example", "tls.certificate")),
    ]

    @Test("The certificate", arguments: situations)
    func certificate(_ situation: Situation<Facts>) {
        let facts = situation.facts
        let check = CertificateCheck(
            mode: facts.mode, names: ["app.example"], certificates: facts.certificates, files: facts.files, isRunning: facts.isRunning,
            now: Self.now)
        expect(check.findings(), situation.verdicts)
    }

    @Test("What the operator's API answers is read")
    func summary() throws {
        let json = try JSON(
            parsing: Array(
                """
                {"names":["a.example"],"source":"acme","status":"missing","issuer":null,"not_after":null,"next_action":"order",
                 "next_action_at":"2026-11-21T00:10:00.000Z","busy":false,
                 "last_problem":{"at":"2026-11-21T00:00:00.000Z","message":"Why.","document":{"detail":"In its words"}}}
                """.utf8))
        #expect(
            CertificateSummary(json: json)
                == CertificateSummary(
                    names: ["a.example"], source: "acme", isMissing: true, nextAction: "order", nextActionAt: Self.now + .seconds(600),
                    problem: .init(at: Self.now, message: "Why.", detail: "In its words")))
    }
}
