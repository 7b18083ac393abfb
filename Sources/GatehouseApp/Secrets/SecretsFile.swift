import GateCore
import GateCrypto
import Synchronization

/// Why the secrets cannot be used. The server does not start: to go on with new ones would end every session.
package struct SecretsError: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    package let problem: String
    package let cure: String

    package var description: String { "\(path): \(problem): \(cure)" }
}

/// `secrets.toml` in the data folder: made at first start, readable by its owner only, never overwritten where it cannot be read.
package struct SecretsFile: Sendable {
    package let path: String

    package init(folder: String) { path = folder + "/secrets.toml" }

    /// `nil`: there is no file.
    package func read() throws(SecretsError) -> Secrets? {
        guard let text = try PrivateFile(path: path, cure: Self.restore, remedy: "gatehouse secret rotate").text() else { return nil }
        return try SecretsDocument.read(text, path: path)
    }

    /// Replaces the file, atomically and durably.
    package func write(_ secrets: Secrets) throws(SecretsError) { _ = try write(SecretsDocument.text(of: secrets), replacing: true) }

    /// - Returns: `false` where there is one that is not to be replaced.
    private func write(_ text: String, replacing: Bool) throws(SecretsError) -> Bool {
        do throws(AtomicFile.Failure) {
            try AtomicFile.write(text.utf8, to: path, mode: 0o600, replacing: replacing)
            return true
        } catch {
            if error.isTaken { return false }
            throw failure("\(error)", "see that data_dir exists and has room")
        }
    }

    static let restore = "restore it from a backup, or move it away: new secrets are then made, and everyone has to sign in again"

    private func failure(_ problem: String, _ cure: String) -> SecretsError { SecretsError(path: path, problem: problem, cure: cure) }
}

/// The folder is locked by the process that uses the file, so nobody else writes it.
extension SecretsFile: SecretsStore {
    package var place: String { path }
    package var settling: Duration { .zero }

    /// Held from the look at what is there to the end of writing: two rotations at once must not lose one of them.
    private static let exclusive = Mutex(())

    package func load() async throws -> StoredSecrets? {
        try read().map { StoredSecrets(secrets: $0, version: Self.version(SecretsDocument.text(of: $0))) }
    }

    package func replace(_ version: SecretsVersion?, by secrets: Secrets) async throws -> SecretsVersion? {
        let text = SecretsDocument.text(of: secrets)
        return try Self.exclusive.withLock { _ in
            let current = try read().map { Self.version(SecretsDocument.text(of: $0)) }
            guard current == version, try write(text, replacing: version != nil) else { return nil }
            return Self.version(text)
        }
    }

    private static func version(_ text: String) -> SecretsVersion { SecretsVersion(text: Hex.encode(SHA256.hash(Array(text.utf8)))) }
}
