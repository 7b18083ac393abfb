import CCrypt
import COpenSSL
import GateCore
import Glibc

/// A stored bcrypt hash, taken apart: `[sha384:]$2b$12$`, 22 characters of salt, 31 of hash.
struct Bcrypt: Equatable {
    /// Whether bcrypt was given the password's SHA-384 instead of the password.
    let isPrehashed: Bool
    let cost: Int
    /// Without the marker: what crypt(3) takes as its setting.
    let text: String

    static let prehashMarker = "sha384:"

    /// `nil` for what is no hash of variant a, b or y. These three differ in defects of old implementations only; `x` marks a
    /// hash made by one of those and is refused.
    init?(_ hash: PasswordHash) {
        isPrehashed = hash.text.hasPrefix(Self.prehashMarker)
        text = isPrehashed ? String(hash.text.dropFirst(Self.prehashMarker.count)) : hash.text
        let bytes = Array(text.utf8)
        guard bytes.count == 60, bytes.starts(with: "$2".utf8), [0x61, 0x62, 0x79].contains(bytes[2]), bytes[3] == 0x24,
            (0x30...0x39).contains(bytes[4]), (0x30...0x39).contains(bytes[5]), bytes[6] == 0x24,
            bytes[7...].allSatisfy({ ($0 >= 0x2E && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x5A) || ($0 >= 0x61 && $0 <= 0x7A) })
        else { return nil }
        cost = Int(bytes[4] - 0x30) * 10 + Int(bytes[5] - 0x30)
    }

    /// bcrypt reads 72 bytes and stops at a NUL. What is longer or holds one goes in as its SHA-384.
    static func needsPrehash(_ password: Secret) -> Bool { password.count > 72 || password.exposed.contains(0) }

    /// A setting for crypt(3): variant b, the cost, and 16 bytes of salt.
    static func setting(cost: Int, salt: [UInt8]) -> String {
        var output = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        let made = salt.withUnsafeBytes {
            crypt_gensalt_rn("$2b$", UInt(cost), $0.baseAddress, Int32($0.count), &output, Int32(output.count))
        }
        precondition(made != nil, "crypt_gensalt_rn refuses cost \(cost) with \(salt.count) bytes of salt")
        return String(decoding: output.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A setting that no password answers to, for spending the time of a verification.
    static func unmatched(cost: Int) -> String { setting(cost: cost, salt: [UInt8](repeating: 0, count: 16)) }
}

/// What one thread needs to run crypt(3): 32 KiB, wiped after each use.
struct BcryptWorkspace: ~Copyable {
    private let data: UnsafeMutablePointer<crypt_data>

    init() {
        data = .allocate(capacity: 1)
        explicit_bzero(data, MemoryLayout<crypt_data>.size)
    }

    deinit { data.deallocate() }

    /// The 60 characters that `password` gives under `setting`; `nil` where crypt(3) refuses the setting, or cannot.
    ///
    /// Takes as long as the setting's cost says: 2^cost rounds, some 200 ms at cost 12.
    func hash(_ password: Secret, setting: String, prehash: Bool) -> String? {
        // Room for the password or its digest's 64 characters, and the NUL that ends them. Allocated once: an array that grows
        // would leave a copy behind.
        let phrase = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(password.count, 64) + 1)
        phrase.initialize(repeating: 0)
        defer {
            explicit_bzero(phrase.baseAddress!, phrase.count)
            phrase.deallocate()
        }
        if prehash {
            var digest = password.exposed.withUnsafeBytes { MessageDigest.sha384.hash($0) }
            EVP_EncodeBlock(phrase.baseAddress, digest, Int32(digest.count))
            digest.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) }
        } else {
            _ = phrase.update(fromContentsOf: password.exposed)
        }
        defer { explicit_bzero(data, MemoryLayout<crypt_data>.size) }
        let output = phrase.withMemoryRebound(to: CChar.self) {
            crypt_rn($0.baseAddress, setting, data, Int32(MemoryLayout<crypt_data>.size))
        }
        return output.map { String(cString: $0) }
    }
}
