import GateBackup
import GateCore
import Glibc

/// The files of a data folder that a backup holds on request: where they stand in it, and where they belong.
enum SecretMembers {
    /// In bytes. What is larger is none of ours.
    static let largestFile = 1 << 20

    private static let secretsFile = "secrets.toml"
    private static let selfSigned = "self-signed.pem"
    private static let acme = "acme"

    static func collect(_ folder: String) throws(BackupError) -> [(path: String, content: BackupContents.Content)] {
        var members: [(path: String, content: BackupContents.Content)] = []
        func add(_ file: String, _ prefix: String) throws(BackupError) {
            guard Folders.exists("\(folder)/\(file)") else { return }
            members.append((prefix + file, .bytes(try FileSource("\(folder)/\(file)").all(limit: largestFile))))
        }
        try add(secretsFile, BackupManifest.secrets)
        try add(selfSigned, BackupManifest.certificates)
        try add("\(acme)/history.json", BackupManifest.certificates)
        // Orders under way are left out: they are begun anew.
        for part in ["accounts", "certificates"] {
            for name in try Folders.names(in: "\(folder)/\(acme)/\(part)") where !name.hasPrefix(".") && !name.contains(".pem.") {
                try add("\(acme)/\(part)/\(name)", BackupManifest.certificates)
            }
        }
        return members
    }

    /// Where a member belongs in a data folder; `nil` for one that does not.
    static func place(of member: String) -> String? {
        if member == BackupManifest.secrets + secretsFile { return secretsFile }
        guard member.hasPrefix(BackupManifest.certificates) else { return nil }
        let rest = String(member.dropFirst(BackupManifest.certificates.count))
        return rest == selfSigned || rest.hasPrefix(acme + "/") ? rest : nil
    }

    /// What of a data folder is replaced as a whole by members at these places.
    static func replaced(by places: [String]) -> [String] {
        Set(places.map { $0.hasPrefix(acme + "/") ? acme : $0 }).sorted()
    }
}
