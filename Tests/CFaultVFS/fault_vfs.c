#include "fault_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "durable_file.h"

struct fault_vfs {
    sqlite3_vfs base;
    sqlite3_vfs *system;
    pthread_mutex_t lock;  // guards everything below
    unsigned operations;
    long nth, count, failures;
    int lasting, system_error, power_is_off;
    enum fault_kind kind;
    durable_file *files;
};

typedef struct fault_file {
    sqlite3_file base;
    fault_vfs *vfs;
    durable_file *durable;  // of the main database and its logs; NULL for other files
    sqlite3_file *system;
} fault_file;

#define VFS(pointer) ((fault_vfs *)(pointer))
#define FILE_OF(pointer) ((fault_file *)(pointer))
#define SYSTEM(pointer) (FILE_OF(pointer)->system)

static int code_of(enum fault_kind kind, enum fault_operation operation) {
    if (operation == FAULT_OPEN) return SQLITE_CANTOPEN;
    if (kind == FAULT_KIND_FULL) return SQLITE_FULL;
    if (kind == FAULT_KIND_READ_ONLY) return SQLITE_READONLY;
    switch (operation) {
        case FAULT_READ: return SQLITE_IOERR_READ;
        case FAULT_WRITE: return SQLITE_IOERR_WRITE;
        case FAULT_SYNC: return SQLITE_IOERR_FSYNC;
        case FAULT_TRUNCATE: return SQLITE_IOERR_TRUNCATE;
        case FAULT_DELETE: return SQLITE_IOERR_DELETE;
        default: return SQLITE_IOERR;
    }
}

/// Counts the operation; called with the lock held. Returns SQLITE_OK, or the code to fail with.
static int fault(fault_vfs *vfs, enum fault_operation operation) {
    if (vfs->power_is_off) return code_of(FAULT_KIND_IO, operation);
    if (vfs->nth == 0 || !(vfs->operations & operation)) return SQLITE_OK;
    vfs->count++;
    if (vfs->kind == FAULT_KIND_NONE || vfs->kind == FAULT_KIND_LYING_SYNC) return SQLITE_OK;
    if (vfs->lasting ? vfs->count < vfs->nth : vfs->count != vfs->nth) return SQLITE_OK;
    vfs->failures++;
    if (vfs->kind == FAULT_KIND_POWER_CUT) vfs->power_is_off = 1;
    return code_of(vfs->kind, operation);
}

static int fault_close(sqlite3_file *file) { return SYSTEM(file)->pMethods ? SYSTEM(file)->pMethods->xClose(SYSTEM(file)) : SQLITE_OK; }

static int fault_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset) {
    fault_vfs *vfs = FILE_OF(file)->vfs;
    pthread_mutex_lock(&vfs->lock);
    int code = fault(vfs, FAULT_READ);
    pthread_mutex_unlock(&vfs->lock);
    return code != SQLITE_OK ? code : SYSTEM(file)->pMethods->xRead(SYSTEM(file), bytes, length, offset);
}

static int fault_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
    fault_vfs *vfs = FILE_OF(file)->vfs;
    pthread_mutex_lock(&vfs->lock);
    int code = fault(vfs, FAULT_WRITE);
    int reached = code == SQLITE_OK ? length : vfs->power_is_off || vfs->kind == FAULT_KIND_READ_ONLY ? 0 : length / 2;
    if (reached > 0) {
        int written = SYSTEM(file)->pMethods->xWrite(SYSTEM(file), bytes, reached, offset);
        if (code == SQLITE_OK) code = written;
        if (written == SQLITE_OK && FILE_OF(file)->durable)
            durable_file_change(FILE_OF(file)->durable, CHANGE_WRITE, offset, bytes, (size_t)reached);
    }
    pthread_mutex_unlock(&vfs->lock);
    return code;
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size) {
    fault_vfs *vfs = FILE_OF(file)->vfs;
    pthread_mutex_lock(&vfs->lock);
    int code = fault(vfs, FAULT_TRUNCATE);
    if (code == SQLITE_OK) code = SYSTEM(file)->pMethods->xTruncate(SYSTEM(file), size);
    if (code == SQLITE_OK && FILE_OF(file)->durable) durable_file_change(FILE_OF(file)->durable, CHANGE_TRUNCATE, size, NULL, 0);
    pthread_mutex_unlock(&vfs->lock);
    return code;
}

static int fault_sync(sqlite3_file *file, int flags) {
    (void)flags;
    fault_vfs *vfs = FILE_OF(file)->vfs;
    pthread_mutex_lock(&vfs->lock);
    int code = fault(vfs, FAULT_SYNC);
    // The medium is the record in memory here: a real fsync would add nothing but time.
    const int lies = vfs->nth > 0 && vfs->kind == FAULT_KIND_LYING_SYNC;
    if (code == SQLITE_OK && !lies && FILE_OF(file)->durable) durable_file_sync(FILE_OF(file)->durable);
    pthread_mutex_unlock(&vfs->lock);
    return code;
}

static int fault_file_size(sqlite3_file *file, sqlite3_int64 *size) { return SYSTEM(file)->pMethods->xFileSize(SYSTEM(file), size); }
static int fault_lock(sqlite3_file *file, int level) { return SYSTEM(file)->pMethods->xLock(SYSTEM(file), level); }
static int fault_unlock(sqlite3_file *file, int level) { return SYSTEM(file)->pMethods->xUnlock(SYSTEM(file), level); }
static int fault_check_lock(sqlite3_file *file, int *held) { return SYSTEM(file)->pMethods->xCheckReservedLock(SYSTEM(file), held); }
static int fault_control(sqlite3_file *file, int code, void *argument) {
    return SYSTEM(file)->pMethods->xFileControl(SYSTEM(file), code, argument);
}
static int fault_sector_size(sqlite3_file *file) { return SYSTEM(file)->pMethods->xSectorSize(SYSTEM(file)); }
static int fault_characteristics(sqlite3_file *file) { return SYSTEM(file)->pMethods->xDeviceCharacteristics(SYSTEM(file)); }
static int fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **pointer) {
    return SYSTEM(file)->pMethods->xShmMap(SYSTEM(file), page, size, extend, pointer);
}
static int fault_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return SYSTEM(file)->pMethods->xShmLock(SYSTEM(file), offset, count, flags);
}
static void fault_shm_barrier(sqlite3_file *file) { SYSTEM(file)->pMethods->xShmBarrier(SYSTEM(file)); }
static int fault_shm_unmap(sqlite3_file *file, int delete) { return SYSTEM(file)->pMethods->xShmUnmap(SYSTEM(file), delete); }

// Version 2: without mapped pages, which would pass by the functions above.
static const sqlite3_io_methods methods = {
    2, fault_close, fault_read, fault_write, fault_truncate, fault_sync, fault_file_size, fault_lock, fault_unlock,
    fault_check_lock, fault_control, fault_sector_size, fault_characteristics, fault_shm_map, fault_shm_lock, fault_shm_barrier,
    fault_shm_unmap, NULL, NULL,
};

static int fault_open(sqlite3_vfs *base, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags) {
    fault_vfs *vfs = VFS(base);
    fault_file *opened = FILE_OF(file);
    memset(opened, 0, sizeof *opened);
    opened->vfs = vfs;
    opened->system = (sqlite3_file *)(opened + 1);
    pthread_mutex_lock(&vfs->lock);
    int code = fault(vfs, FAULT_OPEN);
    const int kept = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
    if (code == SQLITE_OK && name && flags & kept) opened->durable = durable_file_at(&vfs->files, name);
    if (code == SQLITE_OK) code = vfs->system->xOpen(vfs->system, name, opened->system, flags, out_flags);
    if (code == SQLITE_OK) opened->base.pMethods = &methods;
    pthread_mutex_unlock(&vfs->lock);
    return code;
}

static int fault_delete(sqlite3_vfs *base, const char *name, int sync_folder) {
    fault_vfs *vfs = VFS(base);
    pthread_mutex_lock(&vfs->lock);
    int code = fault(vfs, FAULT_DELETE);
    if (code == SQLITE_OK) {
        durable_file *file = durable_file_at(&vfs->files, name);
        code = vfs->system->xDelete(vfs->system, name, sync_folder);
        if (code == SQLITE_OK) {
            durable_file_change(file, CHANGE_DELETE, 0, NULL, 0);
            if (sync_folder) {
                durable_file_sync(file);
                file->exists = 0;
            }
        }
    }
    pthread_mutex_unlock(&vfs->lock);
    return code;
}

static int fault_access(sqlite3_vfs *base, const char *name, int flags, int *result) {
    return VFS(base)->system->xAccess(VFS(base)->system, name, flags, result);
}
static int fault_full_pathname(sqlite3_vfs *base, const char *name, int length, char *full) {
    return VFS(base)->system->xFullPathname(VFS(base)->system, name, length, full);
}
static int fault_randomness(sqlite3_vfs *base, int length, char *bytes) {
    return VFS(base)->system->xRandomness(VFS(base)->system, length, bytes);
}
static int fault_sleep(sqlite3_vfs *base, int microseconds) { return VFS(base)->system->xSleep(VFS(base)->system, microseconds); }
static int fault_time(sqlite3_vfs *base, double *time) { return VFS(base)->system->xCurrentTime(VFS(base)->system, time); }
static int fault_time_milliseconds(sqlite3_vfs *base, sqlite3_int64 *time) {
    return VFS(base)->system->xCurrentTimeInt64(VFS(base)->system, time);
}
static int fault_last_error(sqlite3_vfs *base, int length, char *text) {
    (void)length;
    (void)text;
    pthread_mutex_lock(&VFS(base)->lock);
    int error = VFS(base)->system_error;
    pthread_mutex_unlock(&VFS(base)->lock);
    return error;
}

fault_vfs *fault_vfs_create(const char *name) {
    fault_vfs *vfs = calloc(1, sizeof *vfs);
    vfs->system = sqlite3_vfs_find(NULL);
    pthread_mutex_init(&vfs->lock, NULL);
    vfs->base.iVersion = 2;
    vfs->base.szOsFile = (int)sizeof(fault_file) + vfs->system->szOsFile;
    vfs->base.mxPathname = vfs->system->mxPathname;
    vfs->base.zName = strdup(name);
    vfs->base.xOpen = fault_open;
    vfs->base.xDelete = fault_delete;
    vfs->base.xAccess = fault_access;
    vfs->base.xFullPathname = fault_full_pathname;
    vfs->base.xRandomness = fault_randomness;
    vfs->base.xSleep = fault_sleep;
    vfs->base.xCurrentTime = fault_time;
    vfs->base.xGetLastError = fault_last_error;
    vfs->base.xCurrentTimeInt64 = fault_time_milliseconds;
    sqlite3_vfs_register(&vfs->base, 0);
    return vfs;
}

void fault_vfs_arm(fault_vfs *vfs, unsigned operations, long nth, int lasting, enum fault_kind kind, int system_error) {
    pthread_mutex_lock(&vfs->lock);
    vfs->operations = operations;
    vfs->nth = nth;
    vfs->count = 0;
    vfs->lasting = lasting;
    vfs->kind = kind;
    vfs->system_error = system_error;
    pthread_mutex_unlock(&vfs->lock);
}

void fault_vfs_heal(fault_vfs *vfs) {
    pthread_mutex_lock(&vfs->lock);
    vfs->nth = 0;
    vfs->system_error = 0;
    pthread_mutex_unlock(&vfs->lock);
}

long fault_vfs_count(fault_vfs *vfs) {
    pthread_mutex_lock(&vfs->lock);
    long count = vfs->count;
    pthread_mutex_unlock(&vfs->lock);
    return count;
}

long fault_vfs_failures(fault_vfs *vfs) {
    pthread_mutex_lock(&vfs->lock);
    long failures = vfs->failures;
    pthread_mutex_unlock(&vfs->lock);
    return failures;
}

int fault_vfs_power_cut(fault_vfs *vfs, const char *folder, const char *target, unsigned seed) {
    int count = 0;
    const size_t length = strlen(folder);
    pthread_mutex_lock(&vfs->lock);
    for (const durable_file *file = vfs->files; file && count >= 0; file = file->next) {
        if (strncmp(file->path, folder, length) != 0 || file->path[length] != '/') continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", target, file->path + length + 1);
        int written = durable_file_write(file, path, &seed);
        count = written < 0 ? -1 : count + written;
    }
    pthread_mutex_unlock(&vfs->lock);
    return count;
}
