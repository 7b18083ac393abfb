package import GateCore
package import GateCrypto
import Glibc

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

    /// Reads the secrets, or makes them where there is no file yet; makes a key for `algorithm` where there is none.
    package func open(_ algorithm: SigningAlgorithm, at now: Timestamp, entropy: some Entropy) throws(SecretsError) -> Secrets {
        let existing = try read()
        var secrets = existing ?? Secrets.generate(at: now, entropy: entropy)
        let isChanged: Bool
        do throws(CryptoError) {
            isChanged = try secrets.ensureSigningKey(algorithm, at: now, entropy: entropy)
        } catch {
            throw SecretsError(
                path: path, problem: "no \(algorithm.rawValue) key can be made (\(error))",
                cure: "see whether OpenSSL works: openssl version -a")
        }
        if existing == nil {
            try write(secrets, replacing: false)
        } else if isChanged {
            try write(secrets)
        }
        return secrets
    }

    /// `nil`: there is no file.
    package func read() throws(SecretsError) -> Secrets? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("cannot be opened (\(String(cString: strerror(errno))))", "run gatehouse as the user who owns it")
        }
        var status = stat()
        fstat(descriptor, &status)
        close(descriptor)
        guard status.st_mode & S_IFMT == S_IFREG else { throw failure("is no file", "move it away") }
        guard status.st_mode & 0o077 == 0 else {
            throw failure(
                "others on this machine can read or change it", "chmod 600 \(path), and if they may have: gatehouse secret rotate")
        }
        let text: String
        do throws(ConfigurationFault) {
            text = try TextFile(path: path).text
        } catch {
            throw failure(error.problem, Self.restore)
        }
        return try SecretsDocument.read(text, path: path)
    }

    /// Replaces the file, atomically and durably.
    package func write(_ secrets: Secrets) throws(SecretsError) { try write(secrets, replacing: true) }

    private func write(_ secrets: Secrets, replacing: Bool) throws(SecretsError) {
        do throws(AtomicFile.Failure) {
            try AtomicFile.write(SecretsDocument.text(of: secrets).utf8, to: path, mode: 0o600, replacing: replacing)
        } catch {
            throw failure(
                "\(error)", error.isTaken ? "another server has just made it: start again" : "see that data_dir exists and has room")
        }
    }

    static let restore = "restore it from a backup, or move it away: new secrets are then made, and everyone has to sign in again"

    private func failure(_ problem: String, _ cure: String) -> SecretsError { SecretsError(path: path, problem: problem, cure: cure) }
}
