import GateBackup
import GateCore
import Logging
import Synchronization

/// What became of this server's backups: in memory, and in the data folder.
final class BackupHistory: Sendable {
    private let path: String
    private let record: Mutex<BackupRecord>
    private let log: Logger

    init(folder: String, log: Logger) {
        path = folder + "/backup-state.json"
        self.log = log
        let stored = try? JSON(parsing: FileSource(path).all(limit: 1 << 20))
        record = Mutex(stored.map(BackupRecord.init(json:)) ?? BackupRecord())
    }

    var current: BackupRecord { record.withLock { $0 } }

    func note(_ success: BackupRecord.Success, isScheduled: Bool) { change { $0.note(success, isScheduled: isScheduled) } }

    func note(failure reason: String, at now: Timestamp, isScheduled: Bool) {
        change { $0.note(failure: reason, at: now, isScheduled: isScheduled) }
    }

    private func change(_ body: (inout BackupRecord) -> Void) {
        let changed = record.withLock { record in
            body(&record)
            return record
        }
        do throws(AtomicFile.Failure) {
            try AtomicFile.write(changed.json.bytes, to: path)
        } catch {
            // It is in memory; a full disk is what made the backup fail, perhaps.
            log.warning("What became of the backup could not be kept", metadata: ["error": "\(error)"])
        }
    }
}
