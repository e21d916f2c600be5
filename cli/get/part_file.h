/* SPDX-License-Identifier: MIT */
/*
 * A file on its way: written under a hidden name, and given its own when it is whole.
 *
 * I1  What stands under the final name is whole, also after kill -9 or a full disk.
 * I2  The hidden name stands in the same folder, so that giving the final one is one step.
 * I3  What is closed without being committed leaves nothing behind.
 *
 * Functions return 0 or an errno value, and leave a message that names the file with sil_fail.
 */
#ifndef CLI_GET_PART_FILE_H
#define CLI_GET_PART_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct part_file {
    int folder;       /**< borrowed: a descriptor */
    const char *name; /**< borrowed: the final one */
    int fd;           /**< -1: not open */
    uint64_t size;
    char part_name[NAME_MAX + 1];
};

/**
 * Begin a file.
 *
 * @param folder  borrows until close; its descriptor.
 * @param name    borrows until close.
 */
int part_file_open(struct part_file *file, int folder, const char *name);

/** Make it empty again. */
int part_file_restart(struct part_file *file);

int part_file_write(struct part_file *file, const char *bytes, size_t count);

/**
 * Give it its final name.
 *
 * @param replace  may a file that stands there go; otherwise that is EEXIST.
 */
int part_file_commit(struct part_file *file, bool replace);

/** Remove it unless it was committed. */
void part_file_close(struct part_file *file);

#endif
