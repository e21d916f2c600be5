/* SPDX-License-Identifier: MIT */
/*
 * NAME.part on the disk, see part_file.h.
 */
#include "get/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not blocking: a FIFO of that name must not hold up a thread. Of regular files it means nothing.
 * */
enum { OPEN_FLAGS = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };
enum { MOST_TRIES = 100 };

int folders_make(int folder, const char *path)
{
    char *part = strdup(path);
    if (part == NULL)
        return ENOMEM;
    int error = 0;
    for (char *slash = part + 1; error == 0 && (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        if (mkdirat(folder, part, 0777) != 0 && errno != EEXIST)
            error = errno;
        *slash = '/';
    }
    free(part);
    return error;
}

/* --- opening --------------------------------------------------------------------------------- */

/* Does the name still stand for what is open? It may have been renamed before we got the lock. */
static bool is_named(const struct part_file *file, int fd, struct stat *out)
{
    struct stat named;
    return fstat(fd, out) == 0 &&
           fstatat(file->folder, file->part_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           out->st_dev == named.st_dev && out->st_ino == named.st_ino;
}

/* EAGAIN: it has gone meanwhile. */
static int lock(struct part_file *file, int fd)
{
    struct stat status = {0};
    int error = 0;
    /* File systems that have no locks: then O_EXCL is all there is. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno != ENOLCK && errno != EOPNOTSUPP &&
        errno != ENOSYS)
        error = errno == EWOULDBLOCK ? EBUSY : errno;
    else if (!is_named(file, fd, &status))
        error = EAGAIN;
    else if (!S_ISREG(status.st_mode))
        error = EEXIST;
    if (error != 0)
        return error;
    file->fd = fd;
    file->size = (uint64_t)status.st_size;
    return 0;
}

int part_file_adopt(struct part_file *file, int fd)
{
    int error = lock(file, fd);
    if (error != 0)
        (void)close(fd);
    return error == EAGAIN ? part_file_open(file) : error;
}

static int open_once(struct part_file *file, int more_flags)
{
    int fd = openat(file->folder, file->part_name, OPEN_FLAGS | more_flags, 0666);
    if (fd < 0)
        return errno;
    int error = lock(file, fd);
    if (error != 0)
        (void)close(fd);
    return error;
}

int part_file_open(struct part_file *file)
{
    int error = EAGAIN;
    for (int i = 0; i < MOST_TRIES && error == EAGAIN; i++)
        error = open_once(file, 0);
    return error == EAGAIN ? EBUSY : error;
}

int part_file_create(struct part_file *file)
{
    bool made_folders = false;
    for (int i = 0; i < MOST_TRIES; i++) {
        int error = open_once(file, O_CREAT | O_EXCL);
        if (error == EEXIST)
            error = open_once(file, 0);
        if (error == 0) {
            file->has_meta = true; /* somebody may have left one, also without a .part */
            return part_file_cut(file, 0);
        }
        if (error == ENOENT && !made_folders) {
            made_folders = true;
            error = folders_make(file->folder, file->part_name);
            if (error != 0)
                return error;
        } else if (error != EAGAIN && (error != ENOENT || i > MOST_TRIES / 2)) {
            return error; /* ENOENT: another run may just have finished with it */
        }
    }
    return EBUSY;
}

/* --- bytes ----------------------------------------------------------------------------------- */

static int remove_meta(struct part_file *file)
{
    if (file->has_meta && unlinkat(file->folder, file->meta_name, 0) != 0 && errno != ENOENT)
        return errno;
    file->has_meta = false;
    return 0;
}

int part_file_cut(struct part_file *file, uint64_t size)
{
    int error = size == 0 ? remove_meta(file) : 0;
    if (error != 0 || file->size <= size)
        return error;
    if (ftruncate(file->fd, (off_t)size) != 0)
        return errno;
    file->size = size;
    return 0;
}

int part_file_write(struct part_file *file, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = pwrite(file->fd, bytes, size, (off_t)file->size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        bytes += written;
        size -= (size_t)written;
        file->size += (uint64_t)written;
    }
    return 0;
}

int part_file_flush(struct part_file *file, bool sync)
{
    if (sync)
        return fdatasync(file->fd) == 0 ? 0 : errno;
    if (!file->far)
        return 0;
    /* Network file systems say at a close that the disk is full; but the lock is to stay. */
    int twin = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    return twin < 0 || close(twin) == 0 || errno == EINTR ? 0 : errno;
}

/* --- names ----------------------------------------------------------------------------------- */

static int rename_if_free(const struct part_file *file, const char *name)
{
    if (renameat2(file->folder, file->part_name, file->folder, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    if (linkat(file->folder, file->part_name, file->folder, name, 0) == 0) {
        (void)unlinkat(file->folder, file->part_name, 0);
        return 0;
    }
    if (errno == EEXIST)
        return errno;
    /* A file system without links, such as FAT: look first, and hope for that moment. */
    if (faccessat(file->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return EEXIST;
    return renameat(file->folder, file->part_name, file->folder, name) == 0 ? 0 : errno;
}

int part_file_rename(struct part_file *file, const char *name, bool replace)
{
    if (!replace)
        return rename_if_free(file, name);
    return renameat(file->folder, file->part_name, file->folder, name) == 0 ? 0 : errno;
}

static int sync_folder(int folder, const char *path)
{
    int fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    (void)close(fd);
    return error;
}

int part_file_sync_folders(const struct part_file *file, const char *name)
{
    char *path = strdup(name);
    if (path == NULL)
        return ENOMEM;
    int error = 0;
    char *slash;
    while (error == 0 && (slash = strrchr(path, '/')) != NULL && slash != path) {
        *slash = '\0';
        error = sync_folder(file->folder, path);
    }
    free(path);
    return error != 0 ? error : sync_folder(file->folder, name[0] == '/' ? "/" : ".");
}

void part_file_close(struct part_file *file, bool remove)
{
    if (file->fd < 0)
        return;
    if (remove) {
        (void)remove_meta(file);
        (void)unlinkat(file->folder, file->part_name, 0);
    }
    (void)close(file->fd);
    file->fd = -1;
}
