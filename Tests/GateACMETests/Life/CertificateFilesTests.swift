import GateCore
import GateCrypto
import GateTesting
import Testing

@testable import GateACME

@Suite("Certificates from files")
struct CertificateFilesTests {
    let folder = TemporaryFolder()
    let simulation = Simulation()
    let time = ManualTime(wall: SystemTime().now())

    private func files(_ observed: EventList) -> CertificateFiles {
        CertificateFiles(
            [CertificateFilePaths(certificate: folder.file("c.pem"), key: folder.file("k.pem"))], installer: simulation.installed,
            time: time,
            sleep: { _ in }, observe: { observed.add($0) })
    }

    private func made(_ name: String, lifetime: Duration = .days(90)) throws -> CertifiedKey {
        try CertifiedKey.selfSigned(for: [.dns(name)], at: time.now(), lifetime: lifetime, entropy: SystemEntropy())
    }

    private func write(_ pair: CertifiedKey) {
        folder.write("c.pem", bytes: pair.chain)
        folder.write("k.pem", bytes: pair.key.exposed)
    }

    @Test("CHECKLIST 39: a changed pair is taken when both files fit together; a bad one keeps the old one, and is told once")
    func changes() async throws {
        let observed = EventList()
        let files = files(observed)
        let (first, second) = (try made("a.test"), try made("b.test"))
        write(first)
        try await files.open()
        #expect(simulation.installed.leaves == [first.leaf])
        for _ in 0..<3 { await files.look() }
        #expect(observed.count == 1)

        // The certificate alone, as in the middle of a renewal.
        folder.write("c.pem", bytes: second.chain)
        await files.look()
        #expect(observed.count == 1 && simulation.installed.leaves == [first.leaf])
        folder.write("k.pem", bytes: second.key.exposed)
        await files.look()
        #expect(simulation.installed.leaves == [second.leaf] && observed.count == 2)

        folder.write("k.pem", "nothing")
        for _ in 0..<5 { await files.look() }
        #expect(simulation.installed.leaves == [second.leaf])
        #expect(observed.refusals == [folder.file("k.pem")])
        #expect(await files.statuses.first?.problem?.sentence.contains("BEGIN PRIVATE KEY") == true)

        write(first)
        await files.look()
        #expect(simulation.installed.leaves == [first.leaf])
        #expect(await files.statuses.first?.problem == nil)
    }

    @Test("Asked for at once, what is bad is told at once; files that are gone keep the certificate too")
    func reload() async throws {
        let observed = EventList()
        let files = files(observed)
        let first = try made("a.test")
        write(first)
        try await files.open()
        folder.write("c.pem", bytes: try made("b.test").chain)
        await files.reload()
        await files.reload()
        #expect(observed.refusals == [folder.file("c.pem")])
        #expect(simulation.installed.leaves == [first.leaf])
    }

    @Test(
        "At the start a bad pair is an error that names the file and the cure",
        arguments: [
            ("c.pem", "", "BEGIN CERTIFICATE"), ("k.pem", "", "BEGIN PRIVATE KEY"),
            (
                "k.pem",
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg=\n-----END ENCRYPTED PRIVATE KEY-----\n",
                ""
            ),
        ])
    func start(file: String, content: String, says: String) async throws {
        write(try made("a.test"))
        folder.write(file, content)
        let error = await #expect(throws: StoreFailure.self) { try await files(EventList()).open() }
        #expect(error?.path == folder.file(file))
        #expect(try #require(error).description.contains(says))
    }

    @Test("Files that are not there, and keys that all can read, are told")
    func missingAndExposed() async throws {
        let observed = EventList()
        let error = await #expect(throws: StoreFailure.self) { try await files(observed).open() }
        #expect(error?.problem == "does not exist")
        let pair = try made("a.test", lifetime: .days(1))
        write(pair)
        folder.write("k.pem", bytes: pair.key.exposed, mode: 0o644)
        let watched = files(observed)
        try await watched.open()
        #expect(observed.exposures == [folder.file("k.pem")])
        time.advance(by: .hours(23))
        await watched.look()
        #expect(observed.healths == [.urgent])
        #expect(await watched.statuses.first?.current?.health == .urgent)
    }
}

final class EventList: Sendable {
    private let list = LockedList<CertificateEvent>()
    func add(_ event: CertificateEvent) { list.append(event) }
    var count: Int { list.all.count }
    var refusals: [String] { list.all.compactMap { if case .filesRefused(let path, _) = $0 { path } else { nil } } }
    var exposures: [String] { list.all.compactMap { if case .keyExposed(let path) = $0 { path } else { nil } } }
    var healths: [CertificateHealth] { list.all.compactMap { if case .ending(_, let health, _) = $0 { health } else { nil } } }
}
