#include "durable_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

typedef struct image {
    int exists;
    unsigned char *bytes;
    size_t length;
} image;

static void resize(image *image, size_t length) {
    image->bytes = realloc(image->bytes, length > 0 ? length : 1);
    if (length > image->length) memset(image->bytes + image->length, 0, length - image->length);
    image->length = length;
}

static void overwrite(image *image, long long offset, const unsigned char *bytes, size_t length) {
    if ((size_t)offset + length > image->length) resize(image, (size_t)offset + length);
    memcpy(image->bytes + offset, bytes, length);
    image->exists = 1;
}

static void apply(image *image, const change *change) {
    switch (change->kind) {
        case CHANGE_WRITE: overwrite(image, change->offset, change->bytes, change->length); break;
        case CHANGE_TRUNCATE: resize(image, (size_t)change->offset); break;
        case CHANGE_DELETE: resize(image, 0); image->exists = 0; break;
    }
}

durable_file *durable_file_at(durable_file **list, const char *path) {
    for (durable_file *file = *list; file; file = file->next)
        if (strcmp(file->path, path) == 0) return file;
    durable_file *file = calloc(1, sizeof *file);
    file->path = strdup(path);
    file->last = &file->first;
    FILE *stream = fopen(path, "rb");
    if (stream) {
        file->exists = 1;
        fseek(stream, 0, SEEK_END);
        file->length = (size_t)ftell(stream);
        rewind(stream);
        file->bytes = malloc(file->length > 0 ? file->length : 1);
        file->length = fread(file->bytes, 1, file->length, stream);
        fclose(stream);
    }
    file->next = *list;
    *list = file;
    return file;
}

void durable_file_change(durable_file *file, enum change_kind kind, long long offset, const void *bytes, size_t length) {
    change *change = calloc(1, sizeof *change);
    change->kind = kind;
    change->offset = offset;
    change->length = length;
    if (length > 0) {
        change->bytes = malloc(length);
        memcpy(change->bytes, bytes, length);
    }
    *file->last = change;
    file->last = &change->next;
}

void durable_file_sync(durable_file *file) {
    image image = {file->exists, file->bytes, file->length};
    image.exists = 1;  // The first sync of a file also syncs its folder.
    while (file->first) {
        change *change = file->first;
        apply(&image, change);
        file->first = change->next;
        free(change->bytes);
        free(change);
    }
    file->last = &file->first;
    file->exists = 1;
    file->bytes = image.bytes;
    file->length = image.length;
}

static int coin(unsigned *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 24) & 1;
}

static void apply_by_chance(image *image, const change *change, unsigned *seed) {
    if (change->kind != CHANGE_WRITE) {
        if (coin(seed)) apply(image, change);
        return;
    }
    long long offset = change->offset;
    const long long end = change->offset + (long long)change->length;
    while (offset < end) {
        long long piece = SECTOR - offset % SECTOR;
        if (piece > end - offset) piece = end - offset;
        if (coin(seed)) overwrite(image, offset, change->bytes + (offset - change->offset), (size_t)piece);
        offset += piece;
    }
}

int durable_file_write(const durable_file *file, const char *target, unsigned *seed) {
    image image = {file->exists, NULL, 0};
    resize(&image, file->length);
    if (file->length > 0) memcpy(image.bytes, file->bytes, file->length);
    for (const change *change = file->first; change && *seed != 0; change = change->next) {
        if (change->kind == CHANGE_DELETE) {
            // What comes after is another file under the same name: without the deletion it is not to be found.
            if (!coin(seed)) break;
            apply(&image, change);
        } else {
            apply_by_chance(&image, change, seed);
        }
    }
    int result = 0;
    if (image.exists) {
        FILE *stream = fopen(target, "wb");
        result = stream && fwrite(image.bytes, 1, image.length, stream) == image.length ? 1 : -1;
        if (stream && fclose(stream) != 0) result = -1;
    }
    free(image.bytes);
    return result;
}
