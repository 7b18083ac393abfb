import GateCore
import GateCrypto
import GateTesting
import Glibc
import Testing

@testable import GateACME

@Suite("Store of certificates")
struct CertificateStoreTests {
    let folder = TemporaryFolder()
    let now = SystemTime().now()
    var store: FileCertificateStore { FileCertificateStore(folder: folder.file("acme")) }
    var records: CertificateRecords { CertificateRecords(store) }

    @Test("files keep the contract", arguments: CertificateStoreContract.cases)
    func contract(_ contract: CertificateStoreContract.Case) async throws {
        let store = store
        try await contract.run(CertificateStoreContract.Subject(store: store, other: store, isShared: false))
    }

    private func made() throws -> StoredCertificate {
        let pair = try CertifiedKey.selfSigned(for: [.dns("example.com")], at: now, entropy: SystemEntropy())
        return StoredCertificate(
            pair: pair, names: ["example.com"], directory: "https://ca.test/directory", obtainedAt: Timestamp(milliseconds: 1234),
            draw: 0.25)
    }

    @Test("CHECKLIST 37: what is stored is found again; files are 0600 in folders of 0700, also where they were open before")
    func roundTrip() async throws {
        mkdir(folder.file("acme"), 0o755)
        try store.open()
        let certificate = try made()
        try await records.save(certificate, id: "example.com-1")
        let found = try #require(await records.certificate("example.com-1", draw: 0.9, at: now).value)
        #expect(found.pair.leaf == certificate.pair.leaf && found.pair.key == certificate.pair.key)
        #expect(found.names == ["example.com"] && found.directory == "https://ca.test/directory")
        #expect(found.obtainedAt == Timestamp(milliseconds: 1234) && found.draw == 0.25)
        let account = try ACMEAccount.generate(contact: ["mailto:a@example.com"], entropy: SystemEntropy())
        try await records.save(account, directory: "https://ca.test/directory")
        #expect(
            await records.account("https://ca.test/directory", externalAccount: nil, at: now).value?.key.material == account.key.material)
        #expect(await records.account("https://ca.test/other", externalAccount: nil, at: now).value == nil)
        let order = SavedOrder(
            directory: "https://ca.test/directory", url: "https://ca.test/o/1", names: ["example.com"], key: certificate.pair.key)
        try await records.save(order, id: "a", directory: "https://ca.test/directory")
        #expect(await records.order("a", directory: "https://ca.test/directory", at: now).value == order)
        await records.forgetOrder("a", directory: "https://ca.test/directory")
        #expect(await records.order("a", directory: "https://ca.test/directory", at: now).value == nil)
        try await records.saveHistory(["failures": [:]])
        for path in ["acme", "acme/accounts", "acme/certificates", "acme/orders"] { #expect(folder.mode(path) == 0o700) }
        for path in ["acme/certificates/example.com-1.pem", "acme/history.json"] { #expect(folder.mode(path) == 0o600) }
        #expect(try store.keys(of: .certificate) == ["example.com-1"])
    }

    @Test("The file of a certificate is plain PEM to others, and one that was put there by hand is taken")
    func plainPEM() async throws {
        try store.open()
        let certificate = try made()
        try await records.save(certificate, id: "x")
        let text = try #require(folder.read("acme/certificates/x.pem"))
        #expect(text.hasPrefix("Gatehouse-Certificate: {\"names\":[\"example.com\"]"))
        let byHand = text.split(separator: "\n").dropFirst().joined(separator: "\n") + "\n"
        folder.write("acme/certificates/y.pem", byHand)
        let found = try #require(await records.certificate("y", draw: 0.5, at: now).value)
        #expect(found.pair.leaf == certificate.pair.leaf && found.directory == nil && found.names == ["example.com"] && found.draw == 0.5)
    }

    @Test("No private key shows where a stored certificate or an order is printed")
    func redacted() throws {
        let certificate = try made()
        let key = String(decoding: certificate.pair.key.exposed, as: UTF8.self).split(separator: "\n")[1]
        var dumped = ""
        dump(certificate, to: &dumped)
        dump(certificate.file, to: &dumped)
        #expect(!dumped.contains(key) && !"\(certificate)".contains(key))
    }

    @Test("A file that cannot be read is not overwritten")
    func unreadable() async throws {
        try store.open()
        folder.write("acme/history.json", "{}", mode: 0)
        #expect {
            try withoutRootsRights { _ = try store.load(.history) }
        } throws: { error in
            (error as? StoreFailure)?.cure.contains("let the user that runs gatehouse own") == true
        }
    }

    @Test("A folder that cannot be read is not an empty one; one that is not there is")
    func unreadableFolder() throws {
        #expect(try store.keys(of: .certificate) == [])
        try store.open()
        folder.write("acme/certificates/a.pem", "x")
        chmod(folder.file("acme/certificates"), 0)
        #expect {
            try withoutRootsRights { _ = try store.keys(of: .certificate) }
        } throws: { error in
            (error as? StoreFailure)?.path.hasSuffix("acme/certificates") == true
        }
        chmod(folder.file("acme/certificates"), 0o700)
        #expect(try store.keys(of: .certificate) == ["a"])
    }

    @Test("What is no file is no file of the store")
    func folderInstead() async throws {
        try store.open()
        mkdir(folder.file("acme/history.json"), 0o700)
        let loaded = await records.history(at: now)
        #expect(loaded.isBlocked && loaded.value == nil)
        guard case .unreadable(_, let reason) = loaded.event else {
            Issue.record("told nothing")
            return
        }
        #expect(reason.contains("is no file"))
    }

    @Test("Ids are the same whatever the order of the names, and fit for file names")
    func ids() throws {
        let one = try ManagedCertificate(names: ["B.test", "a.test", "b.test"])
        #expect(one.names == ["b.test", "a.test"])
        #expect(one.id.hasPrefix("b.test-") && one.id.count == 15)
        #expect(try ManagedCertificate(names: ["b.test", "a.test"]).id == one.id)
        #expect(try ManagedCertificate(names: ["2001:db8::1"]).id.hasPrefix("2001_db8__1-"))
        #expect(throws: CertificateError.self) { try ManagedCertificate(names: ["../x"]) }
        #expect(throws: CertificateError.self) { try ManagedCertificate(names: []) }
    }
}
