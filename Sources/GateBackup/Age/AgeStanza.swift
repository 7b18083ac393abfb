import GateCore
import GateCrypto

/// How a file's key is wrapped for a recipient, and for a passphrase.
extension AgeHeader.Stanza {
    private static let x25519 = "X25519"
    private static let scrypt = "scrypt"
    private static let saltSize = 16
    /// 128 MiB of memory, and a third of a second: what OWASP asks of scrypt, and what a machine of 512 MB has.
    static let logWork = 17
    /// 1 GiB. `age` itself writes 18; beyond this a hostile file would take the machine's memory.
    static let maximumLogWork = 20
    private static let nonce = [UInt8](repeating: 0, count: ChaCha20Poly1305.nonceSize)

    /// Wraps it for a public key: with an ephemeral one.
    static func wrap(_ fileKey: Secret, for recipient: AgeRecipient, entropy: some Entropy) throws(BackupError) -> Self {
        try cryptography { () throws(CryptoError) in
            let ephemeral = Secret(entropy.bytes(X25519.size))
            let share = try X25519.publicKey(of: ephemeral)
            let shared = try X25519.agree(ephemeral, with: recipient.publicKey)
            let key = agreed(shared, share: share, recipient: recipient.publicKey)
            return Self(arguments: [x25519, AgeBase64.encode(share)], body: try seal(fileKey, with: key))
        }
    }

    /// Wraps it with a passphrase. No other stanza may stand beside it.
    static func wrap(_ fileKey: Secret, with passphrase: Secret, logWork: Int = logWork, entropy: some Entropy) throws(BackupError) -> Self
    {
        try cryptography { () throws(CryptoError) in
            let salt = entropy.bytes(saltSize)
            let key = try Scrypt.derive(passphrase, salt: salted(salt), logWork: logWork)
            return Self(arguments: [scrypt, AgeBase64.encode(salt), "\(logWork)"], body: try seal(fileKey, with: key))
        }
    }

    var wantsPassphrase: Bool { arguments[0] == Self.scrypt }

    /// - Returns: the file's key; `nil` where it was not wrapped for this identity.
    func unwrap(_ identity: AgeIdentity) throws(BackupError) -> Secret? {
        guard arguments[0] == Self.x25519 else { return nil }
        guard arguments.count == 2, let share = AgeBase64.decode(arguments[1]), share.count == X25519.size else { throw Self.damaged }
        // A share that makes every secret zero is refused there.
        guard let shared = try? X25519.agree(identity.secret, with: share) else { throw Self.damaged }
        return try open(with: Self.agreed(shared, share: share, recipient: identity.publicKey))
    }

    /// - Returns: the file's key; `nil` where the passphrase is another one.
    func unwrap(passphrase: Secret) throws(BackupError) -> Secret? {
        guard arguments.count == 3, let salt = AgeBase64.decode(arguments[1]), salt.count == Self.saltSize,
            let logWork = Int(arguments[2]), "\(logWork)" == arguments[2], logWork > 0
        else { throw Self.damaged }
        guard logWork <= Self.maximumLogWork else {
            throw BackupError(.invalid, "the passphrase's work factor is 2^\(logWork); at most 2^\(Self.maximumLogWork) is worked through")
        }
        return try open(
            with: try Self.cryptography { () throws(CryptoError) in
                try Scrypt.derive(passphrase, salt: Self.salted(salt), logWork: logWork)
            })
    }

    private static func agreed(_ shared: Secret, share: [UInt8], recipient: [UInt8]) -> Secret {
        HKDFSHA256.derive(shared, salt: share + recipient, info: "age-encryption.org/v1/X25519")
    }

    private static func salted(_ salt: [UInt8]) -> [UInt8] { Array("age-encryption.org/v1/scrypt".utf8) + salt }

    private static func seal(_ fileKey: Secret, with key: Secret) throws(CryptoError) -> [UInt8] {
        let buffer = IOBuffer(size: AgeHeader.fileKeySize + ChaCha20Poly1305.tagSize)
        let cipher = try ChaCha20Poly1305(key: key)
        let bytes = fileKey.exposed
        let result: Result<Void, CryptoError> = bytes.withUnsafeBytes { bytes in
            do throws(CryptoError) { return .success(try cipher.seal(bytes, nonce: nonce, into: buffer.bytes)) } catch {
                return .failure(error)
            }
        }
        try result.get()
        return Array(buffer.bytes)
    }

    private func open(with key: Secret) throws(BackupError) -> Secret? {
        guard body.count == AgeHeader.fileKeySize + ChaCha20Poly1305.tagSize else { throw Self.damaged }
        let buffer = IOBuffer(size: AgeHeader.fileKeySize)
        let isSound = try Self.cryptography { () throws(CryptoError) in
            let cipher = try ChaCha20Poly1305(key: key)
            let result: Result<Bool, CryptoError> = body.withUnsafeBytes { body in
                do throws(CryptoError) {
                    return .success(try cipher.open(body, nonce: Self.nonce, into: buffer.bytes))
                } catch { return .failure(error) }
            }
            return try result.get()
        }
        return isSound ? Secret(Array(buffer.bytes)) : nil
    }

    private static let damaged = BackupError(.damaged, "the encrypted file's header is damaged")

    static func cryptography<Result>(_ body: () throws(CryptoError) -> Result) throws(BackupError) -> Result {
        do throws(CryptoError) { return try body() } catch { throw BackupError(.failed, error.description) }
    }
}
