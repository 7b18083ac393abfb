import GateCore

/// The credentials that systemd gives a service (systemd.exec(5), `LoadCredential=`): files, each named like the setting that it is the
/// value of.
///
/// `LoadCredential=gatehouse:FOLDER` passes on every file of a folder, with `gatehouse_` before its name.
struct CredentialsFolder {
    struct Credential: Hashable {
        /// The path of a setting, as far as it is one: `auth.jwt_secret`.
        let setting: String
        let path: String
        /// Whether it can be for nobody else.
        let isOurs: Bool
    }

    /// Sorted by name; none where the folder cannot be read.
    let credentials: [Credential]

    private static let prefix = "gatehouse_"

    init(_ folder: String) {
        let names = FolderContents.names(in: folder).filter { !$0.hasPrefix(".") }
        credentials = names.map { name in
            let isOurs = name.hasPrefix(Self.prefix)
            return Credential(
                setting: isOurs ? String(name.dropFirst(Self.prefix.count)) : name, path: folder + "/" + name, isOurs: isOurs)
        }
    }
}
