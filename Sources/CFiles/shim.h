#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// System calls that glibc 2.36 has no function for, or that are variadic, which Swift does not import. Each answers a negative errno
// where it fails.

/// O_PATH and RWF_NOWAIT of <fcntl.h> and <sys/uio.h>, which show them to GNU programs only.
enum { files_o_path = 010000000, files_rwf_nowait = 8 };

/// What fstat(2) says, times in nanoseconds since 1970.
struct files_status {
    uint64_t inode;
    uint32_t mode;
    int64_t size;
    int64_t modified;
    int64_t changed;
};

/// openat2(2).
static inline int files_openat2(int folder, const char *path, uint64_t flags, uint64_t resolve) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = flags;
    how.resolve = resolve;
    long descriptor = syscall(SYS_openat2, folder, path, &how, sizeof how);
    return descriptor < 0 ? -errno : (int)descriptor;
}

/// fstat(2).
static inline int files_fstat(int descriptor, struct files_status *status) {
    struct stat raw;
    if (fstat(descriptor, &raw) != 0) return -errno;
    status->inode = raw.st_ino;
    status->mode = raw.st_mode;
    status->size = raw.st_size;
    status->modified = (int64_t)raw.st_mtim.tv_sec * 1000000000 + raw.st_mtim.tv_nsec;
    status->changed = (int64_t)raw.st_ctim.tv_sec * 1000000000 + raw.st_ctim.tv_nsec;
    return 0;
}

/// preadv2(2) into one piece of memory.
static inline long files_pread(int descriptor, void *target, size_t count, int64_t offset, int flags) {
    struct iovec piece = {target, count};
    long read = syscall(SYS_preadv2, descriptor, &piece, 1UL, (long)offset, 0L, flags);
    return read < 0 ? -errno : read;
}
