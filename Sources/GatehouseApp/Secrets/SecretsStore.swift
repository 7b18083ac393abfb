package import GateCore
package import GateCrypto

/// Where the secrets of an installation are kept: a port. A file where one process has the data to itself, the database where instances share
/// it.
package protocol SecretsStore: Sendable {
    /// For messages: a path, or words.
    var place: String { get }

    /// How long new keys only verify before they sign: until every instance has them. Zero where there is one.
    var settling: Duration { get }

    /// - Returns: `nil` where there are none yet.
    /// - Throws: `SecretsError` for what cannot be used; `StorageError`.
    func load() async throws -> StoredSecrets?

    /// Puts `secrets` in the place of those of that version, or where there are none yet; durably.
    ///
    /// - Returns: the new version; `nil` where somebody else has changed them meanwhile: nothing was written then.
    /// - Throws: as ``load()``.
    func replace(_ version: SecretsVersion?, by secrets: Secrets) async throws -> SecretsVersion?
}

package struct StoredSecrets: Sendable {
    package var secrets: Secrets
    package var version: SecretsVersion
}

/// Different for each content that a store has had.
package struct SecretsVersion: Hashable, Sendable {
    let text: String
}

extension SecretsStore {
    /// How often somebody else may come first.
    private static var attempts: Int { 10 }

    /// Reads the secrets, or makes them where there are none yet; makes a key for each of `algorithms` that has none.
    ///
    /// - Parameter initial: taken instead of new ones where there are none yet.
    /// - Throws: as ``load()``.
    package func open(
        _ algorithms: [SigningAlgorithm], initial: Secrets? = nil, at now: Timestamp, entropy: some Entropy
    ) async throws -> StoredSecrets {
        try await change { existing throws(SecretsError) in
            var secrets = existing ?? initial ?? Secrets.generate(at: now, entropy: entropy)
            var isChanged = existing == nil
            for algorithm in algorithms {
                do throws(CryptoError) {
                    if try secrets.ensureSigningKey(algorithm, at: now, entropy: entropy) { isChanged = true }
                } catch {
                    throw SecretsError(
                        path: place, problem: "no \(algorithm.rawValue) key can be made (\(error))",
                        cure: "see whether OpenSSL works: openssl version -a")
                }
            }
            return isChanged ? secrets : nil
        }
    }

    /// Changes what is there now, however often somebody else comes first.
    ///
    /// - Parameter next: what shall be there instead; `nil` to leave it, which is possible only where something is there.
    func change(_ next: (Secrets?) throws -> Secrets?) async throws -> StoredSecrets {
        for _ in 0..<Self.attempts {
            let existing = try await load()
            guard let secrets = try next(existing?.secrets) else {
                if let existing { return existing }
                break
            }
            if let version = try await replace(existing?.version, by: secrets) {
                return StoredSecrets(secrets: secrets, version: version)
            }
        }
        throw SecretsError(path: place, problem: "somebody else changes it all the time", cure: "try again")
    }
}
