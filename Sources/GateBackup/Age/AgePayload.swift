import GateCore
import GateCrypto

/// How the ciphertext is cut: chunks of 64 KiB, each sealed by itself, the last one marked (age-encryption.org/v1, §Payload; STREAM).
enum AgePayload {
    static let chunkSize = 64 << 10
    static let nonceSize = 16

    static func key(_ fileKey: Secret, nonce: [UInt8]) -> Secret { HKDFSHA256.derive(fileKey, salt: nonce, info: "payload") }

    /// Counts chunks. 2^64 of them are more than there is.
    struct Counter {
        private var value: UInt64 = 0

        mutating func nonce(isLast: Bool) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: ChaCha20Poly1305.nonceSize)
            for place in 0..<8 { bytes[3 + place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (7 - place))) }
            bytes[11] = isLast ? 1 : 0
            value += 1
            return bytes
        }
    }
}

/// Encrypts what is written to it.
final class AgeSink: ByteSink {
    private let next: any ByteSink
    private let cipher: ChaCha20Poly1305
    private var counter = AgePayload.Counter()
    private let plain = IOBuffer(size: AgePayload.chunkSize)
    private let sealed = IOBuffer(size: AgePayload.chunkSize + ChaCha20Poly1305.tagSize)
    private var count = 0
    /// For reading it again.
    let fileKey: Secret

    /// Writes the header.
    init(_ lock: AgeLock, to next: any ByteSink, entropy: some Entropy) throws(BackupError) {
        self.next = next
        let fileKey = Secret(entropy.bytes(AgeHeader.fileKeySize))
        self.fileKey = fileKey
        var stanzas: [AgeHeader.Stanza] = []
        switch lock {
        case .passphrase(let passphrase): stanzas.append(try .wrap(fileKey, with: passphrase, entropy: entropy))
        case .recipients(let recipients):
            guard !recipients.isEmpty else { throw BackupError(.invalid, "there is nobody to encrypt for") }
            for recipient in recipients { stanzas.append(try .wrap(fileKey, for: recipient, entropy: entropy)) }
        }
        let nonce = entropy.bytes(AgePayload.nonceSize)
        cipher = try AgeHeader.Stanza.cryptography { () throws(CryptoError) in
            try ChaCha20Poly1305(key: AgePayload.key(fileKey, nonce: nonce))
        }
        try next.write(AgeHeader(stanzas, fileKey: fileKey).bytes + nonce)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        var rest = bytes
        while !rest.isEmpty {
            // A full chunk is kept until more comes: it might be the last.
            if count == AgePayload.chunkSize { try seal(isLast: false) }
            let part = rest.prefix(AgePayload.chunkSize - count)
            UnsafeMutableRawBufferPointer(rebasing: plain.bytes[count...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
            count += part.count
            rest = UnsafeRawBufferPointer(rebasing: rest[part.endIndex...])
        }
    }

    func finish() throws(BackupError) {
        try seal(isLast: true)
        try next.finish()
    }

    private func seal(isLast: Bool) throws(BackupError) {
        let nonce = counter.nonce(isLast: isLast)
        try AgeHeader.Stanza.cryptography { () throws(CryptoError) in
            try cipher.seal(UnsafeRawBufferPointer(rebasing: plain.bytes[..<count]), nonce: nonce, into: sealed.bytes)
        }
        try next.write(UnsafeRawBufferPointer(rebasing: sealed.bytes[..<(count + ChaCha20Poly1305.tagSize)]))
        count = 0
    }
}

/// Decrypts what another source gives. What it has given is authentic; that all has come is known at the end only.
final class AgeSource: ByteSource {
    private let source: any ByteSource
    private let cipher: ChaCha20Poly1305
    private var counter = AgePayload.Counter()
    /// A chunk, and a byte of the next one: whether there is one tells which is the last.
    private let sealed = IOBuffer(size: AgePayload.chunkSize + ChaCha20Poly1305.tagSize + 1)
    private var sealedCount = 0
    private let plain = IOBuffer(size: AgePayload.chunkSize)
    private var waiting = 0..<0
    private var isFirst = true
    private var isOver = false

    /// Reads the header, and finds the file's key.
    init(_ source: any ByteSource, keys: AgeKeys) throws(BackupError) {
        self.source = source
        let header = try AgeHeader(source)
        let fileKey = try keys.fileKey(of: header)
        guard header.isAuthentic(fileKey) else { throw BackupError(.damaged, "the encrypted file's header was changed") }
        let nonce = IOBuffer(size: AgePayload.nonceSize)
        guard try source.fill(nonce.bytes) == AgePayload.nonceSize else { throw Self.cutShort }
        cipher = try AgeHeader.Stanza.cryptography { () throws(CryptoError) in
            try ChaCha20Poly1305(key: AgePayload.key(fileKey, nonce: Array(nonce.bytes)))
        }
    }

    func read(into target: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int {
        while waiting.isEmpty {
            if isOver { return 0 }
            try openChunk()
        }
        let part = waiting.prefix(target.count)
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: plain.bytes[part.startIndex..<part.endIndex]))
        waiting = part.endIndex..<waiting.upperBound
        return part.count
    }

    private func openChunk() throws(BackupError) {
        let chunk = AgePayload.chunkSize + ChaCha20Poly1305.tagSize
        sealedCount += try source.fill(UnsafeMutableRawBufferPointer(rebasing: sealed.bytes[sealedCount...]))
        let isLast = sealedCount <= chunk
        let count = min(sealedCount, chunk)
        // An empty last chunk stands only where nothing at all was encrypted.
        guard count > ChaCha20Poly1305.tagSize || (isFirst && count == ChaCha20Poly1305.tagSize) else { throw Self.cutShort }
        let nonce = counter.nonce(isLast: isLast)
        let isSound = try AgeHeader.Stanza.cryptography { () throws(CryptoError) in
            try cipher.open(UnsafeRawBufferPointer(rebasing: sealed.bytes[..<count]), nonce: nonce, into: plain.bytes)
        }
        guard isSound else { throw BackupError(.damaged, "the encrypted file is cut short or was changed") }
        if !isLast { sealed.bytes[0] = sealed.bytes[chunk] }
        sealedCount -= count
        waiting = 0..<(count - ChaCha20Poly1305.tagSize)
        isFirst = false
        isOver = isLast
    }

    private static let cutShort = BackupError(.damaged, "the encrypted file is cut short")
}

extension AgeKeys {
    fileprivate func fileKey(of header: AgeHeader) throws(BackupError) -> Secret {
        if let fileKey { return fileKey }
        if header.stanzas.contains(where: \.wantsPassphrase) {
            guard header.stanzas.count == 1 else { throw BackupError(.damaged, "the encrypted file's header is damaged") }
            guard let passphrase else { throw BackupError(.wrongKey, "it is encrypted with a passphrase") }
            let answer: Secret
            do { answer = try passphrase() } catch { throw BackupError(.wrongKey, "it is encrypted with a passphrase: \(error)") }
            guard let key = try header.stanzas[0].unwrap(passphrase: answer) else {
                throw BackupError(.wrongKey, "the passphrase is not the one that it was encrypted with")
            }
            return key
        }
        guard !identities.isEmpty else {
            throw BackupError(.wrongKey, "it is encrypted to a public key: name the file with the secret key (--identity)")
        }
        for stanza in header.stanzas {
            for identity in identities {
                if let key = try stanza.unwrap(identity) { return key }
            }
        }
        throw BackupError(.wrongKey, "it is encrypted to other keys than those of the identity file")
    }
}
