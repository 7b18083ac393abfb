#pragma once

// A file layer for SQLite that fails on demand and remembers what a power cut would leave. It passes everything on to the
// system's own layer and is registered under a name of its own, never as the default.

typedef struct fault_vfs fault_vfs;

enum fault_operation {
    FAULT_READ = 1,
    FAULT_WRITE = 2,
    FAULT_SYNC = 4,
    FAULT_TRUNCATE = 8,
    FAULT_OPEN = 16,
    FAULT_DELETE = 32,
    FAULT_ALL = 63,
};

enum fault_kind {
    /// SQLITE_IOERR_READ, _WRITE, …, SQLITE_CANTOPEN for FAULT_OPEN; half of a failed write reaches the file.
    FAULT_KIND_IO,
    /// SQLITE_FULL; half of a failed write reaches the file.
    FAULT_KIND_FULL,
    /// SQLITE_READONLY, and SQLITE_CANTOPEN with the given errno for FAULT_OPEN.
    FAULT_KIND_READ_ONLY,
    /// Nothing fails that this is chosen for; operations are counted.
    FAULT_KIND_NONE,
    /// Nothing fails, but no sync does anything: a disk, or a server, that lies about what is durable.
    FAULT_KIND_LYING_SYNC,
    /// From there on everything fails, and nothing reaches the medium any more.
    FAULT_KIND_POWER_CUT,
};

/// Registers a layer called `name`. It lives until the process ends: SQLite keeps no count of who still uses it.
fault_vfs *fault_vfs_create(const char *name);

/// Fails the `nth` (from one, counted from now on) of the operations in the set `operations`, and those after it if `lasting`.
/// `system_error` is the errno that SQLite is told.
void fault_vfs_arm(fault_vfs *vfs, unsigned operations, long nth, int lasting, enum fault_kind kind, int system_error);

/// Ends the fault.
void fault_vfs_heal(fault_vfs *vfs);

/// The number of armed operations since `fault_vfs_arm`, and how many of all were made to fail.
long fault_vfs_count(fault_vfs *vfs);
long fault_vfs_failures(fault_vfs *vfs);

/// Writes the files that a power cut now (or, after a FAULT_KIND_POWER_CUT, then) would leave of those in `folder` into
/// `target`: what was synced, and of the rest a random half of the 512-byte sectors if `seed` is not zero.
/// Returns the number of files, or -1.
int fault_vfs_power_cut(fault_vfs *vfs, const char *folder, const char *target, unsigned seed);
