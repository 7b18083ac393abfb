import GateACME
import GateAPI
import GateCore
import GateCrypto
import GateHTTP
import GateNet
import GateProxy
import GateTesting
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import GatehouseApp

@Suite("HTTPS as it is put together")
struct ServingTests {
    private let folder = TemporaryFolder()
    private let time = ManualTime()
    private let log = LogRecorder()

    private func certificates(_ change: (inout Configuration) -> Void) -> ServerCertificates {
        var configuration = Configuration()
        configuration.dataDirectory = folder.path
        configuration.publicURL = WebOrigin(scheme: .https, host: "localhost", port: 443)
        change(&configuration)
        return ServerCertificates(configuration, .files(configuration), time: time, entropy: SeededEntropy(seed: 1), log: log.logger)
    }

    private func selfSigned() -> ServerCertificates { certificates { $0.tls.mode = .selfSigned } }

    private func fromFiles() -> ServerCertificates {
        certificates {
            $0.tls.mode = .files
            $0.tls.certificates = [folder.file("a.pem")]
            $0.tls.keys = [folder.file("a.key")]
        }
    }

    /// A certificate for localhost in the files of ``fromFiles()``.
    @discardableResult
    private func write(entropy seed: UInt64) throws -> CertifiedKey {
        let made = try CertifiedKey.selfSigned(for: [.dns("localhost")], at: time.now(), entropy: SeededEntropy(seed: seed))
        folder.write("a.pem", bytes: made.chain)
        folder.write("a.key", bytes: made.key.exposed)
        return made
    }

    private struct Hello: Responder {
        func respond(to request: Request) -> Answer { .now(.text(.ok, "\(request.scheme)")) }
    }

    /// Serves on a free port for the time of `body`, which is given what asks for `https://localhost` and trusts one certificate alone.
    private func serving(
        _ front: HTTPSFront, _ body: (_ ask: (CertifiedKey) async throws -> Result<String, OutgoingError>) async throws -> Void
    )
        async throws
    {
        let server = HTTPServer(
            [Listener(.tcp(host: "127.0.0.1", port: 0), decorator: TLSServerDecorator(certificates: front.tls))], responder: Hello(),
            observer: ExchangeObservers([]), group: MultiThreadedEventLoopGroup.singleton, time: time)
        let port = try #require(try await server.start().first?.port)
        let time = time
        func ask(_ trusted: CertifiedKey) async throws -> Result<String, OutgoingError> {
            let client = HTTPClient(
                egress: .any,
                tls: try TLSClientConfiguration(authorities: trusted.chain, time: time))
            let result: Result<String, OutgoingError>
            do throws(OutgoingError) {
                let response = try await client.send(OutgoingRequest(.GET, HTTPURL("https://localhost:\(port)/")!))
                result = .success(String(buffer: response.body))
            } catch {
                result = .failure(error)
            }
            await client.shutDown()
            return result
        }
        do { try await body(ask) } catch {
            await server.shutdownGracefully(within: .zero)
            throw error
        }
        await server.shutdownGracefully(within: .zero)
    }

    @Test("Self-signed: served at once, said in the log, the same after a restart")
    func selfSignedServed() async throws {
        let front = try #require(try await selfSigned().open())
        let kept = try #require(try SelfSignedFile(folder: folder.path, names: ["localhost"]).read())
        #expect(log.lines.contains { $0.contains("self-signed") })
        try await serving(front) { ask in
            let scheme = try await ask(kept).get()
            #expect(scheme == "https")
        }
        let again = try #require(try await selfSigned().open())
        try await serving(again) { ask in
            let scheme = try await ask(kept).get()
            #expect(scheme == "https")
        }
        let report = try #require(await selfSigned().certificates().first)
        #expect(report.source == .selfSigned && report.status == .valid && report.fingerprint == Hex.encode(kept.leaf.fingerprint))
    }

    /// Runs the certificates' life for the time of `body`.
    private func living(_ certificates: ServerCertificates, _ body: () async throws -> Void) async throws {
        let life = Task { await certificates.run() }
        do { try await body() } catch {
            life.cancel()
            await life.value
            throw error
        }
        life.cancel()
        await life.value
    }

    /// Asks until it is so, ten seconds at most.
    private func comes(_ isSo: () async -> Bool) async -> Bool {
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            if await isSo() { return true }
            await Task.yield()
        }
        return false
    }

    @Test("CHECKLIST 39: with another configuration its certificates are served by the same listener")
    func otherConfiguration() async throws {
        let first = try write(entropy: 1)
        let certificates = fromFiles()
        let front = try #require(try await certificates.open())
        let second = try CertifiedKey.selfSigned(for: [.dns("localhost")], at: time.now(), entropy: SeededEntropy(seed: 2))
        folder.write("b.pem", bytes: second.chain)
        folder.write("b.key", bytes: second.key.exposed)
        try await serving(front) { ask in
            try await living(certificates) {
                _ = try await ask(first).get()
                var next = certificates.configuration
                next.tls.certificates = [folder.file("b.pem")]
                next.tls.keys = [folder.file("b.key")]
                certificates.replace(next)
                #expect(await comes { await certificates.certificates().first?.fingerprint == Hex.encode(second.leaf.fingerprint) })
                _ = try await ask(second).get()
                // What cannot be served changes nothing.
                next.tls.certificates = [folder.file("missing.pem")]
                certificates.replace(next)
                #expect(
                    await comes { log.lines.contains { $0.hasPrefix("error The certificates of the new configuration cannot be served") } })
                #expect(certificates.configuration.tls.certificates == [folder.file("b.pem")])
                _ = try await ask(second).get()
            }
        }
    }

    @Test("a self-signed certificate is made anew for the hosts of sites that are added")
    func addedHosts() async throws {
        let certificates = selfSigned()
        _ = try await certificates.open()
        try await living(certificates) {
            var next = certificates.configuration
            var site = Configuration.Site()
            site.hosts = [.exact("shop.test"), .wildcard(suffix: ".example.com")]
            next.sites = [site]
            certificates.replace(next)
            #expect(await comes { await certificates.certificates().first?.names == ["localhost", "shop.test"] })
        }
    }

    @Test("CHECKLIST 39: swapped files are served to the next connection, a pair that does not fit is not")
    func files() async throws {
        let first = try write(entropy: 1)
        let certificates = fromFiles()
        let front = try #require(try await certificates.open())
        try await serving(front) { ask in
            #expect(try await ask(first).get() == "https")
            let second = try write(entropy: 2)
            try await certificates.renew(nil, force: false)
            #expect(try await ask(second).get() == "https")
            guard case .failure(let error) = try await ask(first) else {
                Issue.record("the old certificate is still served")
                return
            }
            #expect(error.reason == .untrustedCertificate)

            folder.write("a.key", bytes: first.key.exposed)
            try await certificates.renew(nil, force: false)
            #expect(try await ask(second).get() == "https")
            let report = try #require(await certificates.certificates().first)
            #expect(report.status == .valid && report.lastProblem?.message.contains("do not belong together") == true)
        }
    }

    @Test("Files that cannot be served keep the server from starting, and are named")
    func brokenFiles() async throws {
        func failure() async -> CommandFailure? {
            do {
                _ = try await fromFiles().open()
                return nil
            } catch {
                return error as? CommandFailure
            }
        }
        #expect(await failure()?.message.contains("\(folder.file("a.pem")) does not exist") == true)
        try write(entropy: 1)
        folder.write("a.key", "x")
        #expect(await failure()?.code == .configuration)
        #expect(await failure()?.message.contains("\(folder.file("a.key"))") == true)
    }

    @Test("CHECKLIST 38: challenges come before the redirect, for their own tokens only")
    func challenges() async throws {
        let front = try #require(try await selfSigned().open())
        let redirect = HTTPSRedirect(to: WebOrigin(scheme: .https, host: "localhost", port: 443), names: [], api: Hello())
        let responder = HTTP01Responder(front.http01, before: redirect)
        func status(_ path: String) async -> UInt {
            await responder.respond(to: Request(id: RequestID(value: 1), method: .GET, target: RequestTarget(path)!)).response.status.code
        }
        let challenge = PresentedChallenge.http01(name: "localhost", token: "token", keyAuthorization: "token.thumbprint")
        #expect(await status("/x") == 308)
        try await front.present(challenge)
        let answer = await responder.respond(
            to: Request(id: RequestID(value: 1), method: .GET, target: RequestTarget("/.well-known/acme-challenge/token")!)
        ).response
        guard case .bytes(let body) = answer.body else {
            Issue.record("no body")
            return
        }
        #expect(String(buffer: body) == "token.thumbprint")
        await front.withdraw(challenge)
        #expect(await status("/x") == 308)
    }

    @Test("Without a server, what is stored is shown; what cannot be renewed is said")
    func stored() async throws {
        let acme = certificates {
            $0.tls.mode = .acme
            $0.acme.domains = ["a.test", "b.test"]
        }
        let reports = await acme.certificates()
        #expect(reports.map(\.names) == [["a.test"], ["b.test"]])
        #expect(reports.allSatisfy { $0.status == .missing && $0.source == .acme && $0.nextAction == "order" })
        let together = certificates {
            $0.tls.mode = .acme
            $0.acme.domains = ["a.test", "b.test"]
            $0.acme.certificates = .one
        }
        #expect(await together.certificates().map(\.names) == [["a.test", "b.test"]])
        #expect(await certificates { _ in }.certificates().isEmpty)
        try write(entropy: 1)
        #expect(await fromFiles().certificates().first?.status == .valid)
        await #expect(throws: CertificateOperationError.self) { try await selfSigned().renew(nil, force: true) }
    }

    @Test("check reads the files that the configuration names, and tells every fault of theirs")
    func checkedFiles() throws {
        var configuration = Configuration()
        configuration.tls.mode = .files
        configuration.tls.certificates = [folder.file("a.pem"), folder.file("b.pem")]
        configuration.tls.keys = [folder.file("a.key"), folder.file("b.key")]
        #expect(throws: ConfigurationFaults.self) { try configuration.checkFiles() }
        try write(entropy: 1)
        do throws(ConfigurationFaults) { try configuration.checkFiles() } catch {
            #expect(error.faults.map(\.place) == [.file(folder.file("b.pem"), line: 0, column: 0)])
        }
        configuration.tls.mode = .acme
        configuration.acme.caFile = folder.write("root.pem", "x")
        #expect(throws: ConfigurationFaults.self) { try configuration.checkFiles() }
        configuration.acme.caFile = folder.file("a.pem")
        try configuration.checkFiles()
    }
}
