import GateAPI
import GateCore
import NIOHTTP1
import Synchronization
import Testing

/// Certificates as a table says.
final class ScriptedCertificates: CertificateOperations {
    let reports = Mutex<[CertificateReport]>([])
    let renewals = Mutex<[String]>([])

    func certificates() async -> [CertificateReport] { reports.withLock { $0 } }

    func renew(_ name: String?, force: Bool) async throws(CertificateOperationError) {
        if name == "files.test" { throw .refused("It comes from a file.") }
        guard name == nil || name == "a.test" else { throw .unknownName }
        renewals.withLock { $0.append("\(name ?? "all")\(force ? " force" : "")") }
        reports.withLock { reports in for index in reports.indices { reports[index].isBusy = true } }
    }
}

@Suite("The operator's calls about certificates")
struct AdminCertificateTests {
    @Test("CHECKLIST 39: a certificate is told with what happens next and the authority's own problem document")
    func list() async throws {
        let gate = try await APIHarness()
        #expect(await gate.operate(.GET, "/admin/certificates").text == #"{"certificates":[]}"#)
        gate.certificates.reports.withLock {
            $0 = [
                CertificateReport(
                    names: ["a.test", "b.test"], source: .acme, status: .expiring, issuer: "Fake CA", authority: "https://ca.test/dir",
                    notBefore: Timestamp(seconds: 0), notAfter: Timestamp(seconds: 86_400), fingerprint: "ab", nextAction: "retry",
                    nextActionAt: Timestamp(seconds: 60),
                    lastProblem: CertificateReport.LastProblem(
                        at: Timestamp(seconds: 1), message: "The authority said no.", document: ["type": "urn:x"])),
                CertificateReport(names: ["c.test"], source: .selfSigned, status: .missing, nextAction: "order"),
            ]
        }
        let reply = await gate.operate(.GET, "/admin/certificates")
        let first = reply["certificates"]?.array?.first
        #expect(first?["names"] == ["a.test", "b.test"])
        #expect(first?["not_after"] == "1970-01-02T00:00:00.000Z")
        #expect(first?["last_problem"]?["document"] == ["type": "urn:x"])
        #expect(first?["busy"] == false)
        let second = reply["certificates"]?.array?.last
        #expect(second?["source"] == "self-signed")
        #expect(second?["not_after"] == .null && second?["last_problem"] == .null && second?["issuer"] == .null)
        await gate.close()
    }

    @Test("a renewal is begun for one name or all; what cannot be renewed is said")
    func renew() async throws {
        let gate = try await APIHarness()
        gate.certificates.reports.withLock {
            $0 = [CertificateReport(names: ["a.test"], source: .acme, status: .valid, nextAction: "renew")]
        }
        let begun = await gate.operate(.POST, "/admin/certificates/renew?name=a.test&force=true")
        #expect(begun["certificates"]?.array?.first?["busy"] == true)
        _ = await gate.operate(.POST, "/admin/certificates/renew")
        #expect(gate.certificates.renewals.withLock { $0 } == ["a.test force", "all"])
        let unknown = await gate.operate(.POST, "/admin/certificates/renew?name=x.test")
        #expect(unknown.status == 404 && unknown["detail"] == "There is no certificate for x.test.")
        let refused = await gate.operate(.POST, "/admin/certificates/renew?name=files.test")
        #expect(refused.status == 422 && refused["detail"] == "It comes from a file.")
        await gate.close()
    }
}
