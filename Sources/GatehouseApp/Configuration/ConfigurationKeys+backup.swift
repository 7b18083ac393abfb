import GateBackup
import GateCore

extension Configuration {
    static let backupKeys = [
        ConfigurationKey(
            "backup.directory", \.backup.directory, .path,
            "The folder for backups, relative to data_dir unless it begins with /. A folder on another disk survives the loss of this one."),
        ConfigurationKey(
            "backup.keep", \.backup.keep, .integer(0...100_000),
            "How many backups are kept in backup.directory; older ones are deleted after each new one. 0 keeps all. The newest is never "
                + "deleted, nor is a file of another name."),
        ConfigurationKey(
            "backup.keep_for", \.backup.keepFor, .duration(.zero ... .seconds(100 * 365 * 86_400)), example: "90d",
            "How long a backup is kept, counted from the one before the newest. 0s keeps it however old it is."),
        ConfigurationKey(
            "backup.include_secrets", \.backup.includeSecrets, .bool,
            "Whether backups hold secrets.toml and the certificates with their keys as well. Whoever reads such a backup can sign in as "
                + "anybody: encrypt it."),
        ConfigurationKey(
            "backup.recipients", \.backup.recipients, .list(of: .ageRecipient), example: exampleRecipient,
            recipe: "age-keygen -o backup-key.txt",
            "Public keys that backups are encrypted to, as age-keygen shows them (age1…). The secret keys belong on another machine. "
                + "Without one, backups are not encrypted."),
        ConfigurationKey(
            "backup.max_age", \.backup.maxAge, .duration(.zero ... .seconds(366 * 86_400)),
            "Once backups are made on schedule: how old the last one may be before health is degraded. 0s: however old."),
    ]

    /// The one in the documentation of age.
    static let exampleRecipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
}

extension ValueSyntax where Value == AgeRecipient {
    /// A public key of age.
    static var ageRecipient: ValueSyntax {
        .text("age public key", example: Configuration.exampleRecipient) { text throws(InvalidValue) in
            if text.uppercased().hasPrefix("AGE-SECRET-KEY-") {
                throw InvalidValue(
                    "is a secret key, which must not be here", cure: "write the public key (age1…), and keep this one on another machine")
            }
            guard let recipient = AgeRecipient(text) else {
                throw InvalidValue(
                    "\"\(text)\" is no public key of age",
                    cure: "write one as age-keygen shows it, such as \(Configuration.exampleRecipient)")
            }
            return recipient
        } print: {
            $0.description
        }
    }
}
