import GateCore
import GateCrypto

extension CertificateRecord {
    /// What an authority is called in keys: its host, for people, and a hash of the whole URL.
    static func authority(_ directory: String) -> String {
        let host = directory.split(separator: "/").dropFirst().first ?? "authority"
        let safe = host.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "_" }
        return String(safe.prefix(100)) + "-" + Hex.encode(SHA256.hash(Array(directory.utf8)).prefix(4))
    }
}
