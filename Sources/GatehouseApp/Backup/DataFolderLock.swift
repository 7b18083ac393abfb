import GateBackup
import GateCore
import GateSQLite

/// How a data folder is taken for work: locked, and with what an interrupted restore has decided carried through.
enum DataFolderLock {
    /// - Throws: `StorageError` where it is taken; `CommandFailure` where the restore cannot be carried through.
    static func take(_ folder: String) throws -> DataDirectoryLock {
        let lock = try DataDirectoryLock(folder: folder)
        do throws(BackupError) {
            try RestoreJournal.resume(in: folder)
        } catch {
            lock.release()
            throw CommandFailure(error)
        }
        return lock
    }
}
