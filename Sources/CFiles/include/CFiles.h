#pragma once
#include <stddef.h>
#include <stdint.h>

// System calls for files that glibc 2.36 has no function for, or one that Swift does not import because it is variadic. Each answers a
// negative errno where it fails.
//
// This is compiled C and not a header around the system's: structures of the system's headers would belong to two modules then.

/// How a path is to be looked up, see openat2(2).
enum files_lookup {
    /// Wherever it leads.
    files_anywhere = 0,
    /// Not out of the folder (RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS).
    files_beneath = 1,
    /// Only as far as no disk is needed and no mount point crossed (RESOLVE_CACHED, RESOLVE_NO_XDEV).
    files_cached = 2,
};

/// Opens a folder, to open other files in it.
int files_open_folder(const char *path, unsigned lookup);

/// Opens what is at `path`, seen from `folder`, for reading; a FIFO is not waited for.
int files_open(int folder, const char *path, unsigned lookup);

/// What fstat(2) says, times in nanoseconds since 1970.
struct files_status {
    uint64_t inode;
    int64_t size;
    int64_t modified;
    int64_t changed;
    int is_file;
    int is_folder;
};

int files_get_status(int descriptor, struct files_status *status);

/// pread(2), with `cached` only of what lies in memory: -EAGAIN where the disk is needed (RWF_NOWAIT, see preadv2(2)).
long files_read(int descriptor, void *target, size_t count, int64_t offset, int cached);
