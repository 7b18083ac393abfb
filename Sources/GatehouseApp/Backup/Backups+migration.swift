import GateBackup
import GateCore
import GateSQL
import Logging

extension Backups {
    /// A backup of a database whose schema is about to be changed. A new one, or one that nothing is pending for, needs none; of
    /// Postgres the operator makes it.
    ///
    /// - Throws: `CommandFailure` where it cannot be made: then nothing must be changed. `StorageError`.
    func makeBeforeMigration(_ plan: MigrationPlan) async throws {
        guard let database else { return }
        let steps = try await plan.status(database)
        guard steps.contains(where: { $0.state == .pending }), steps.contains(where: { $0.state == .applied }) else { return }
        try await makeBeforeSchemaChange()
    }

    /// The same, whatever is pending. A database that is not in a file of ours is its operator's to back up.
    func makeBeforeSchemaChange() async throws {
        guard database != nil else { return }
        let recipients = configuration.backup.recipients
        let plan = Plan(
            reason: .beforeMigration, includesSecrets: configuration.backup.includeSecrets,
            lock: recipients.isEmpty ? nil : .recipients(recipients))
        do throws(BackupError) {
            _ = try await make(plan)
        } catch {
            let failure = CommandFailure(error)
            throw CommandFailure(
                failure.code,
                "The database has to be migrated, and no backup of it can be made before: \(failure.message). Nothing was changed. Mend "
                    + "that, or migrate without one: gatehouse migrate up --without-backup")
        }
    }
}
