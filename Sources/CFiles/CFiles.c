#define _GNU_SOURCE
#include "CFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int open_patiently(int folder, const char *path, uint64_t flags, unsigned lookup) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = flags;
    if (lookup & files_beneath) how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (lookup & files_cached) how.resolve |= RESOLVE_CACHED;
    if (lookup & files_cached && lookup & files_beneath) how.resolve |= RESOLVE_NO_XDEV;
    for (int tries = 1;; tries++) {
        long descriptor = syscall(SYS_openat2, folder, path, &how, sizeof how);
        if (descriptor >= 0) return (int)descriptor;
        // Without RESOLVE_CACHED, EAGAIN says that somebody renamed something meanwhile. Who does so all the time stops nobody for ever.
        int is_race = errno == EAGAIN && !(lookup & files_cached) && tries < 32;
        if (errno != EINTR && !is_race) return -errno;
    }
}

int files_open_folder(const char *path, unsigned lookup) {
    return open_patiently(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, lookup);
}

int files_open(int folder, const char *path, unsigned lookup) {
    return open_patiently(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, lookup);
}

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec; }

int files_get_status(int descriptor, struct files_status *status) {
    struct stat raw;
    if (fstat(descriptor, &raw) != 0) return -errno;
    status->inode = raw.st_ino;
    status->size = raw.st_size;
    status->modified = nanoseconds(raw.st_mtim);
    status->changed = nanoseconds(raw.st_ctim);
    status->is_file = S_ISREG(raw.st_mode);
    status->is_folder = S_ISDIR(raw.st_mode);
    return 0;
}

long files_read(int descriptor, void *target, size_t count, int64_t offset, int cached) {
    struct iovec piece = {target, count};
    for (;;) {
        ssize_t read = preadv2(descriptor, &piece, 1, offset, cached ? RWF_NOWAIT : 0);
        if (read >= 0) return read;
        if (errno != EINTR) return -errno;
    }
}
