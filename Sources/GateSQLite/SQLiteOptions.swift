/// How an embedded database is run. The defaults fit a server with one file on a local disk.
package struct SQLiteOptions: Sendable {
    /// Connections for reading, each with a thread of its own.
    package var readers = 3
    /// The most writes that share one commit. A commit costs one fsync, whatever is in it.
    package var batchLimit = 512
    /// Writes, and likewise reads, that may wait; one more is answered with `.busy`.
    package var queueLimit = 16_384
    /// The growth of the write-ahead log, in pages, after which it is copied into the file. 1000 is SQLite's own default.
    package var checkpointInterval = 1000
    /// The size in bytes of the write-ahead log from which on the writer waits for readers in order to begin it anew.
    package var logLimit = 16 << 20
    /// Files below this size in bytes are checked page by page when opened (about 2 ms per MiB).
    package var checkedSize = 64 << 20
    /// The name of SQLite's file layer; `nil` is the system's. For fault injection in tests.
    package var vfs: String?

    package init() {}
}
