import GateAPI
import GateBackup
import GateCore
import GateHTTP
import Glibc

extension Backups: BackupOperations {
    func make(_ order: BackupOrder) async -> JSON {
        do throws(BackupError) {
            return try await make(plan(order)).json
        } catch {
            let failure = CommandFailure(error)
            return ["error": ["message": .string(failure.message), "exit_code": .integer(Int64(failure.code.rawValue))]]
        }
    }

    private func plan(_ order: BackupOrder) throws(BackupError) -> Plan {
        var recipients = configuration.backup.recipients
        if !order.recipients.isEmpty {
            recipients = []
            for text in order.recipients {
                guard let recipient = AgeRecipient(text) else {
                    throw BackupError(.invalid, "a recipient is no public key of age: write one as age-keygen shows it (age1…)")
                }
                recipients.append(recipient)
            }
        }
        let lock: AgeLock? = order.passphrase.map { .passphrase($0) } ?? (recipients.isEmpty ? nil : .recipients(recipients))
        return Plan(
            reason: order.isScheduled ? .scheduled : .manual, isStaged: order.isStaged,
            includesSecrets: order.includesSecrets ?? configuration.backup.includeSecrets, lock: lock)
    }

    func list() async -> JSON {
        let entries = BackupFolder(configuration.backupDirectory).entries
        return [
            "directory": .string(configuration.backupDirectory),
            "backups": .array(
                entries.map { entry in
                    [
                        "file": .string(entry.path), "size": .integer(Int64(entry.size)), "created_at": .string(entry.name.time.rfc3339),
                        "encrypted": .bool(entry.name.isEncrypted),
                        "reason": entry.name.series == .beforeMigration ? "before-migration" : .null,
                    ]
                }),
            "state": history.current.json,
        ]
    }

    func discard(staged name: String) async {
        guard BackupName(name) != nil else { return }
        unlink("\(staging.path)/\(name)")
    }
}

extension Backups.Made {
    var json: JSON {
        [
            "file": .string(path), "size": .integer(Int64(size)), "created_at": .string(manifest.createdAt.rfc3339),
            "reason": .string(manifest.reason.rawValue), "version": .string(manifest.version),
            "schema_version": .integer(Int64(manifest.schemaVersion)), "encrypted": .bool(isEncrypted),
            "secrets": .bool(manifest.hasSecrets),
            "members": .array(
                manifest.members.map { ["path": .string($0.path), "size": .integer(Int64($0.size)), "sha256": .string($0.hash)] }),
            "duration_ms": .integer(duration.wholeMilliseconds), "deleted": .array(rotated.map { .string($0) }),
        ]
    }
}
