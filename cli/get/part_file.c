/* SPDX-License-Identifier: MIT */
/*
 * A file on its way, see part_file.h.
 */
#include "get/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/status.h>

static int fail(const struct part_file *file, const char *what, int error)
{
    return sil_fail(error, "cannot %s %s: %s", what, file->name, sil_strerror(error));
}

int part_file_open(struct part_file *file, int folder, const char *name)
{
    *file = (struct part_file){.folder = folder, .name = name, .fd = -1};
    /* The process id keeps two programs apart, O_EXCL what a killed one with this id has left. */
    for (unsigned number = 0; file->fd < 0; number++) {
        (void)snprintf(file->part_name, sizeof(file->part_name), ".%.200s.sillon-part-%d-%u", name,
                       (int)getpid(), number);
        /* 0666 less the umask: the same rights as any other new file. */
        file->fd = openat(folder, file->part_name,
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (file->fd < 0 && errno != EEXIST) {
            file->part_name[0] = '\0';
            return fail(file, "create", errno);
        }
    }
    return 0;
}

int part_file_restart(struct part_file *file)
{
    if (file->size == 0)
        return 0;
    if (ftruncate(file->fd, 0) != 0 || lseek(file->fd, 0, SEEK_SET) != 0)
        return fail(file, "rewrite", errno);
    file->size = 0;
    return 0;
}

int part_file_write(struct part_file *file, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(file->fd, bytes, count);
        if (written < 0 && errno != EINTR)
            return fail(file, "write", errno);
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
            file->size += (uint64_t)written;
        }
    }
    return 0;
}

/* A new name that fails with EEXIST rather than take another file's place. */
static int rename_if_free(const struct part_file *file)
{
    if (linkat(file->folder, file->part_name, file->folder, file->name, 0) == 0) {
        (void)unlinkat(file->folder, file->part_name, 0);
        return 0;
    }
    if (errno == EEXIST)
        return -1;
    /* A file system without links, such as FAT: look first, and hope for that moment. */
    if (faccessat(file->folder, file->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(file->folder, file->part_name, file->folder, file->name);
}

int part_file_commit(struct part_file *file, bool replace)
{
    /* Network file systems say only here that the disk is full. */
    int closed = close(file->fd);
    file->fd = -1;
    int error = closed == 0 ? 0 : errno;
    if (error == 0) {
        int renamed = replace ? renameat(file->folder, file->part_name, file->folder, file->name)
                              : rename_if_free(file);
        error = renamed == 0 ? 0 : errno;
    }
    if (error == 0) {
        file->part_name[0] = '\0';
        return 0;
    }
    return fail(file, closed == 0 ? "name" : "write", error);
}

void part_file_close(struct part_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (file->part_name[0] != '\0')
        (void)unlinkat(file->folder, file->part_name, 0);
    file->fd = -1;
    file->part_name[0] = '\0';
}
