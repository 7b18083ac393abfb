import CSQLite
import GateCore
import GateSQL
import Logging

/// When the write-ahead log is copied into the database file, and how it is kept from growing.
///
/// A log all of whose frames are copied is begun anew by the next commit, unless a reader still stands in it. With readers that
/// always overlap that never comes by itself; so beyond a limit the writer waits for those that stand in it now
/// (`SQLITE_CHECKPOINT_RESTART`): later ones find everything in the database file and do not enter it. A backup is not waited for: the log
/// grows until it is done, and is begun anew after that.
struct WriteAheadLog: ~Copyable {
    /// Frames after the last commit; SQLite's hook writes it.
    private let frames: UnsafeMutablePointer<Int>
    private var framesBefore = 0
    private var nextCheckpoint: Int
    /// In frames.
    private let interval: Int
    private let limit: Int
    private let condition: WriterCondition
    private let logger: Logger

    /// In bytes: a page of 4096, and a header.
    private static let frameSize = 4120
    /// How long commits may wait for readers, in milliseconds. A read lasts a few.
    private static let patience: Int32 = 250

    init(options: SQLiteOptions, condition: WriterCondition, logger: Logger) {
        interval = options.checkpointInterval
        nextCheckpoint = interval
        limit = options.logLimit / Self.frameSize
        self.condition = condition
        self.logger = logger
        frames = .allocate(capacity: 1)
        frames.initialize(to: 0)
    }

    deinit { frames.deallocate() }

    /// `connection` must be gone before this is.
    mutating func follow(_ connection: SQLiteConnection) { connection.reportFrames(to: frames) }

    /// Called after each commit, when its writers have been answered.
    mutating func committed(_ connection: SQLiteConnection) {
        let count = frames.pointee
        if count < framesBefore { nextCheckpoint = interval }
        framesBefore = count
        guard count >= nextCheckpoint else { return }
        nextCheckpoint = count + interval
        do throws(StorageError) {
            // A backup reads for as long as it takes: waiting for it would only hold up the writes.
            if count < limit || condition.isReadAtLength {
                _ = try connection.checkpoint(SQLITE_CHECKPOINT_PASSIVE)
            } else {
                connection.setBusyTimeout(milliseconds: Self.patience)
                defer { connection.setBusyTimeout(milliseconds: SQLiteFile.busyTimeout) }
                _ = try connection.checkpoint(SQLITE_CHECKPOINT_RESTART)
            }
        } catch {
            // Everything is safe in the log; it is only longer than it should be.
            condition.writeFailed(error)
            logger.warning("The write-ahead log was not copied", metadata: ["reason": "\(error)", "frames": "\(count)"])
        }
    }

    /// Copies everything and empties the log, before `connection` is closed.
    mutating func finish(_ connection: SQLiteConnection) {
        do throws(StorageError) {
            _ = try connection.checkpoint(SQLITE_CHECKPOINT_TRUNCATE)
            connection.setCheckpointOnClose(true)
        } catch {
            logger.warning("The write-ahead log stays beside the database", metadata: ["reason": "\(error)"])
        }
    }
}
