package import GateCore
package import GateCrypto

/// A public key that files can be encrypted to: `age1…` (age-encryption.org/v1, §X25519 recipient stanza).
package struct AgeRecipient: Hashable, Sendable, CustomStringConvertible {
    package let publicKey: [UInt8]

    private static let prefix = "age"

    package init(publicKey: [UInt8]) { self.publicKey = publicKey }

    /// `nil` for what is no such key. A secret key given by mistake is none either.
    package init?(_ text: String) {
        guard text.hasPrefix("age1"), let key = Bech32.decode(text, prefix: Self.prefix), key.count == X25519.size else { return nil }
        publicKey = key
    }

    package var description: String { Bech32.encode(publicKey, prefix: Self.prefix) }
}

/// A secret key that files can be decrypted with: `AGE-SECRET-KEY-1…`.
package struct AgeIdentity: Sendable {
    let secret: Secret
    let publicKey: [UInt8]

    package init(secret: Secret) throws(CryptoError) {
        self.secret = secret
        publicKey = try X25519.publicKey(of: secret)
    }

    package var recipient: AgeRecipient { AgeRecipient(publicKey: publicKey) }

    /// Those of a file as `age-keygen` writes it: one on a line, with comments and empty lines between.
    ///
    /// - Throws: `.invalid`, naming the line and nothing of what is in it.
    package static func read(_ text: String) throws(BackupError) -> [AgeIdentity] {
        var identities: [AgeIdentity] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.hasSuffix("\r") ? line.dropLast() : line
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard line.hasPrefix("AGE-SECRET-KEY-1"), let key = Bech32.decode(String(line), prefix: "age-secret-key-"),
                let identity = try? AgeIdentity(secret: Secret(key))
            else { throw BackupError(.invalid, "line \(index + 1) of the identity file is no AGE-SECRET-KEY-1…") }
            identities.append(identity)
        }
        guard !identities.isEmpty else { throw BackupError(.invalid, "the identity file holds no key") }
        return identities
    }
}

/// Whom a backup is encrypted for.
package enum AgeLock: Sendable {
    case recipients([AgeRecipient])
    case passphrase(Secret)
}

/// What a backup is decrypted with.
package struct AgeKeys: Sendable {
    package var identities: [AgeIdentity]
    /// Asked for where the file wants one; `nil` where there is nobody to ask.
    package var passphrase: (@Sendable () throws -> Secret)?
    /// The key of a file that was just written, to read it again.
    var fileKey: Secret?

    package init(identities: [AgeIdentity] = [], passphrase: (@Sendable () throws -> Secret)? = nil) {
        self.identities = identities
        self.passphrase = passphrase
    }

    init(fileKey: Secret) {
        identities = []
        self.fileKey = fileKey
    }
}
