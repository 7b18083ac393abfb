#pragma once
#include <stddef.h>

// What of one file is on the medium, and what only the system's cache knows.

enum change_kind { CHANGE_WRITE, CHANGE_TRUNCATE, CHANGE_DELETE };

typedef struct change {
    enum change_kind kind;
    long long offset;  // of the write, or the length that truncation leaves
    size_t length;
    unsigned char *bytes;
    struct change *next;
} change;

typedef struct durable_file {
    char *path;
    int exists;
    unsigned char *bytes;
    size_t length;
    change *first, **last;
    struct durable_file *next;
} durable_file;

/// The record of `path`, made from what the file holds now if there is none.
durable_file *durable_file_at(durable_file **list, const char *path);
void durable_file_change(durable_file *file, enum change_kind kind, long long offset, const void *bytes, size_t length);
/// All changes reach the medium.
void durable_file_sync(durable_file *file);
/// Writes what a power cut leaves into `target`. Returns 1 if a file is left, 0 if none, -1 on failure.
int durable_file_write(const durable_file *file, const char *target, unsigned *seed);
