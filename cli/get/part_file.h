/* SPDX-License-Identifier: MIT */
/*
 * NAME.part and NAME.part.meta on the disk. Called by one thread at a time; all may block.
 *
 * I1  Whoever has it open has it locked, and the name is that of the file that is locked.
 * I2  A .meta tells of the bytes beside it or of none: it goes before they go, and comes before
 *     they come. One that was cut short is none.
 * I3  Bytes are written behind each other: what is there is always the beginning of the file.
 *
 * Functions return 0 or an errno value.
 */
#ifndef CLI_GET_PART_FILE_H
#define CLI_GET_PART_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct part_file {
    int folder;            /**< borrowed: its descriptor */
    bool far;              /**< behind a network: what a close says matters */
    const char *name;      /**< borrowed, as the two below */
    const char *part_name; /**< NAME.part */
    const char *meta_name; /**< NAME.part.meta */
    int fd;                /**< -1: not open */
    uint64_t size;         /**< bytes in it */
    bool has_meta;         /**< or may have */
};

/** What a .meta holds. */
struct part_meta {
    const char *url; /**< borrowed */
    uint64_t length; /**< STORE_UNKNOWN */
    char etag[256], modified[64];
};

/** Open what an earlier run has left. ENOENT: nothing; EBUSY: another run is at it. */
int part_file_open(struct part_file *file);

/** Lock what was opened elsewhere (fd): as part_file_open. */
int part_file_adopt(struct part_file *file, int fd);

/** Open it, and have it empty; makes the folders that it wants. */
int part_file_create(struct part_file *file);

/** Keep only so many bytes; none: nor the .meta. */
int part_file_cut(struct part_file *file, uint64_t size);

int part_file_write(struct part_file *file, const char *bytes, size_t size);

/** A text in it that cannot be put down is no error: then nothing is written. */
int part_file_write_meta(struct part_file *file, const struct part_meta *meta);

/** @return is there one, whole, of this URL? @param meta  its url is given; receives the rest. */
bool part_file_read_meta(const struct part_file *file, struct part_meta *meta);

/** Its bytes have arrived, as far as anybody can tell; on the disk, with sync. */
int part_file_flush(struct part_file *file, bool sync);

/** Give it a final name. @param replace  may another file go for that; if not: EEXIST. */
int part_file_rename(struct part_file *file, const char *name, bool replace);

/** The folders that a name is in are on the disk. */
int part_file_sync_folders(const struct part_file *file, const char *name);

/** Close it. @param remove  and have nothing left of it. */
void part_file_close(struct part_file *file, bool remove);

/** Make the folders in a path below folder; the last part is none. */
int folders_make(int folder, const char *path);

#endif
