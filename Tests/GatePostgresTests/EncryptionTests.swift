import GateCore
import GatePostgres
import GateTesting
import Testing

/// `PORT` and `FOLDER` stand for the server's.
@Suite("TLS to Postgres, as the address asks for it")
struct EncryptionTests {
    private static let server: PostgresServer = {
        let server = PostgresServer()
        precondition(server.command("tls") == "done")
        return server
    }()

    private func url(_ host: String, user: String = "encrypted", _ settings: String) throws -> PostgresURL {
        let settings = settings.split(separator: "FOLDER", omittingEmptySubsequences: false).joined(separator: Self.server.folder)
        return try PostgresURL("postgres://\(user):keep-this-unseen@\(host):\(Self.server.port)/postgres?\(settings)")
    }

    @Test(
        "is used where the server has it, and proves the server where that is asked for",
        arguments: [
            ("127.0.0.1", ""), ("127.0.0.1", "sslmode=require"), ("127.0.0.1", "sslmode=verify-ca&sslrootcert=FOLDER/ca.pem"),
            ("localhost", "sslmode=verify-full&sslrootcert=FOLDER/ca.pem"),
        ])
    func encrypted(_ host: String, _ settings: String) async throws {
        let seen = try await PostgresExamination.of(try url(host, settings), time: SystemTime())
        #expect(seen.isEncrypted)
    }

    @Test("is not used where it is forbidden, and the server lets everybody in")
    func clear() async throws {
        let seen = try await PostgresExamination.of(try url("127.0.0.1", user: "gatehouse", "sslmode=disable"), time: SystemTime())
        #expect(!seen.isEncrypted)
    }

    @Test(
        "whoever cannot prove to be the server is refused, and so is who will not encrypt; the reason is told, without the password",
        arguments: [
            ("127.0.0.1", "sslmode=disable", "no encryption"),
            ("127.0.0.1", "sslmode=verify-full&sslrootcert=FOLDER/ca.pem", "does not match host name \"127.0.0.1\""),
            ("localhost", "sslmode=verify-full&sslrootcert=FOLDER/other-ca.pem", "certificate verify failed"),
            ("127.0.0.1", "sslmode=verify-ca&sslrootcert=FOLDER/other-ca.pem", "certificate verify failed"),
            ("127.0.0.1", "sslmode=require&sslrootcert=FOLDER/other-ca.pem", "certificate verify failed"),
            ("localhost", "sslmode=verify-full&sslrootcert=FOLDER/none.pem", "none.pem\" does not exist"),
            ("localhost", "sslmode=verify-sometimes", "invalid sslmode value"),
        ])
    func refused(_ host: String, _ settings: String, _ words: String) async throws {
        let url = try url(host, settings)
        await #expect {
            _ = try await Self.server.open(url)
        } throws: { error in
            guard case StorageError.unavailable(let reason) = error else { return false }
            return reason.contains(words) && !reason.contains("unseen")
        }
    }
}
