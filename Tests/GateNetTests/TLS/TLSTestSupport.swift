import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import GateNet

/// Certificates for all tests of this folder; making one takes a process.
enum TestCertificates {
    static let authority = CommandLineAuthority()
    static let localhost = authority.certified("DNS:localhost,IP:127.0.0.1")
    static let renewed = authority.certified("DNS:localhost,DNS:renewed.test,IP:127.0.0.1")
    static let other = authority.certified("DNS:other.test,DNS:*.wild.test")

    /// Trusts the authority, and nobody else.
    static func client(newest: TLSHandshake.Version = .tls13) throws -> TLSClientConfiguration {
        TLSClientConfiguration(
            context: try TLSClientContext(authorities: authority.read("root.pem"), trustsSystem: false, newest: newest))
    }
}

/// Keeps how handshakes ended, and lets a test await it.
struct HandshakeRecorder: TLSObserver {
    let stream: AsyncStream<Result<TLSHandshake, TLSError>>
    private let continuation: AsyncStream<Result<TLSHandshake, TLSError>>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func handshakeEnded(_ result: Result<TLSHandshake, TLSError>) { continuation.yield(result) }

    func next() async -> Result<TLSHandshake, TLSError>? { await stream.first { _ in true } }
}

/// Who is asked for challenges that were not presented here.
struct ChallengeSearch {
    let find: @Sendable (_ name: String) async -> CertifiedKey?
}

/// An HTTPS server on a free port of the loopback interface, for the time of `body`.
struct TLSTestServer {
    let certificates: TLSCertificates
    let handshakes: HandshakeRecorder
    let server: HTTPServer
    let observer: RecordingObserver
    let port: Int

    static func run(
        _ configuration: HTTPServerConfiguration = HTTPServerConfiguration(), fallback: CertifiedKey = TestCertificates.localhost,
        protocols: [ApplicationProtocol] = [.http1], tickets: SessionTickets = SessionTickets(),
        challenges: ChallengeSearch? = nil,
        answer: @escaping @Sendable (Request) -> Answer = { _ in .now(.text(.ok, "hello")) },
        _ body: (TLSTestServer) async throws -> Void
    ) async throws {
        let certificates = try TLSCertificates(fallback: fallback, protocols: protocols, tickets: tickets, challenges: challenges?.find)
        let handshakes = HandshakeRecorder()
        let observer = RecordingObserver()
        let server = HTTPServer(
            [Listener(.tcp(host: "127.0.0.1", port: 0), decorator: TLSServerDecorator(certificates: certificates, observer: handshakes))],
            configuration: configuration, responder: ClosureResponder(answer: answer), observer: observer,
            group: MultiThreadedEventLoopGroup.singleton)
        let port = try await server.start()[0].port!
        do {
            try await body(
                TLSTestServer(certificates: certificates, handshakes: handshakes, server: server, observer: observer, port: port))
        } catch {
            await server.shutdownGracefully(within: .zero)
            throw error
        }
        await server.shutdownGracefully(within: .zero)
        #expect(server.openConnections == 0)
    }

    /// A client that speaks TLS.
    func connect(_ host: String = "localhost", newest: TLSHandshake.Version = .tls13, receives: Bool = true) async throws -> RawClient {
        try await RawClient(port: port, receives: receives, tls: (TestCertificates.client(newest: newest), host))
    }

    /// A client that speaks nothing by itself.
    func connectPlain() async throws -> RawClient { try await RawClient(port: port) }

    /// What `openssl s_client ARGUMENTS` says, fed by the shell command `input`.
    /// What `openssl s_client` is answered that asks after so many key updates. It takes one command with each read, so each waits until the
    /// one before was carried out.
    func answer(afterKeyUpdates count: Int) -> String {
        OpenSSLCommand.run(
            #"""
            version >/dev/null; bash <<'END'
            trap "" PIPE
            coproc CLIENT { timeout 20 openssl s_client -connect 127.0.0.1:\#(port) -tls1_3 -servername localhost 2>&1; }
            exec 3<&"${CLIENT[0]}" 4>&"${CLIENT[1]}"
            eval "exec ${CLIENT[1]}>&-"
            for i in $(seq \#(count)); do
                echo k >&4 || break
                while read -r line <&3; do [[ $line != *KEYUPDATE* ]] || break; done
            done
            printf 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' >&4
            cat <&3
            END
            true
            """#
        ).text
    }

    func openssl(_ arguments: String, input: String = "true") -> String {
        OpenSSLCommand.run("version >/dev/null; (\(input)) | timeout 10 openssl s_client -connect 127.0.0.1:\(port) \(arguments)").text
    }
}
