/* SPDX-License-Identifier: MIT */
/*
 * Whole files: sil_file_read_all and sil_file_write_all, each one piece of work that looks now and
 * then whether it is to stop.
 */
#include <sillon/file.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sillon/status.h>
#include <sillon/task.h>

#include "base/alloc.h"
#include "core/context.h"
#include "coro/file_task.h"

#define CHUNK ((size_t)1024 * 1024) /* bytes between two looks */
#define FIRST ((size_t)4096)        /* of a file whose size is not known */
#define LOOK 20                     /* milliseconds between two looks */

struct whole {
    struct sil__file_task task; /* first */
    const char *path;
    size_t limit;
    char *data;
    size_t size;
};

/* --- reading ------------------------------------------------------------------------------- */

/* Room for more bytes, and the zero. */
static int grow(struct whole *whole, size_t *room, size_t wanted)
{
    char *larger = wanted < SIL__SIZE_LIMIT ? sil__alloc_raw(wanted + 1) : NULL;
    if (!larger)
        return SIL_ENOMEM;
    if (whole->size > 0)
        memcpy(larger, whole->data, whole->size);
    sil__free(whole->data);
    whole->data = larger;
    *room = wanted;
    return 0;
}

/* The size that is told may be none (/proc), or wrong by the time we are there. */
static size_t expected(int fd)
{
    struct stat status;
    bool known = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    return known ? (size_t)status.st_size + 1 : FIRST; /* one more: to see the end */
}

static int read_on(struct whole *whole, int fd, size_t room, size_t *out_got)
{
    size_t wanted = room - whole->size < CHUNK ? room - whole->size : CHUNK;
    ssize_t got;
    int error;
    do {
        if (sil_cancelled())
            return SIL_ECANCELLED;
        got = read(fd, whole->data + whole->size, wanted);
        error = got < 0 ? errno : 0;
        if (error == EAGAIN) /* a pipe, a terminal: there will be more */
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, LOOK);
    } while (error == EAGAIN || error == EINTR);
    if (error)
        return error;
    *out_got = (size_t)got;
    return 0;
}

static int read_whole(struct whole *whole, int fd)
{
    size_t limit = whole->limit ? whole->limit : SIL__SIZE_LIMIT;
    size_t room = 0;
    size_t wanted = expected(fd);
    size_t got = 0;
    do {
        /* As far as one beyond the limit. */
        wanted = wanted > limit ? limit + 1 : wanted;
        int code = whole->size == room ? grow(whole, &room, wanted) : 0;
        wanted = room * 2;
        if (code == 0)
            code = read_on(whole, fd, room, &got);
        if (code != 0)
            return code;
        whole->size += got;
        if (whole->size > limit)
            return SIL_ETOOLONG;
    } while (got > 0);
    whole->data[whole->size] = '\0';
    return 0;
}

static void do_read(struct sil__file_task *task)
{
    struct whole *whole = (struct whole *)task;
    int fd = -1;
    task->code = sil__file_open(whole->path, O_RDONLY, 0, &fd);
    if (task->code != 0)
        return;
    task->code = read_whole(whole, fd);
    (void)close(fd);
    if (task->code != 0) {
        sil__free(whole->data);
        whole->data = NULL;
    }
}

/* --- writing ------------------------------------------------------------------------------- */

#define NAME ".sil-%016llx~"
#define NAME_SIZE (sizeof ".sil-0123456789abcdef~")

/* What is to be replaced. */
struct target {
    char *path;
    bool exists;
    struct stat old; /* if it exists */
};

static int write_rest(const struct whole *whole, int fd)
{
    for (size_t done = 0; done < whole->size;) {
        if (sil_cancelled())
            return SIL_ECANCELLED;
        size_t wanted = whole->size - done < CHUNK ? whole->size - done : CHUNK;
        ssize_t moved = write(fd, whole->data + done, wanted);
        if (moved < 0 && errno != EINTR)
            return errno;
        done += moved > 0 ? (size_t)moved : 0;
    }
    return 0;
}

/*
 * The owner, group and permissions of the old file, as far as we may: without a set-id bit if it
 * would be another's, and no more for a group of ours than others have.
 */
static int take_after(int fd, const struct stat *old)
{
    mode_t mode = old->st_mode & 07777;
    if (fchown(fd, old->st_uid, old->st_gid) != 0) {
        mode &= ~(mode_t)06000;
        if (fchown(fd, (uid_t)-1, old->st_gid) != 0)
            mode &= ~(mode_t)070 | (mode & 07) << 3;
    }
    return fchmod(fd, mode) == 0 ? 0 : errno;
}

/* To the disk. Closes. */
static int fill(const struct whole *whole, int fd, const struct target *target)
{
    int code = write_rest(whole, fd);
    if (code == 0 && target->exists)
        code = take_after(fd, &target->old);
    if (code == 0 && fsync(fd) != 0)
        code = errno;
    if (close(fd) != 0 && errno != EINTR && code == 0)
        code = errno;
    return code;
}

/* A new file beside it, nobody else's to read before it is what the old one was. Its name: in room,
 * and short, since the target's own may be as long as names can be. */
static int create_beside(const struct target *target, char *room, size_t size, int *out_fd)
{
    const char *slash = strrchr(target->path, '/');
    int folder = slash ? (int)(slash + 1 - target->path) : 0;
    int error;
    do {
        uint64_t number;
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            return errno;
        (void)snprintf(room, size, "%.*s" NAME, folder, target->path, (unsigned long long)number);
        error =
            sil__file_open(room, O_WRONLY | O_CREAT | O_EXCL, target->exists ? 0600 : 0666, out_fd);
    } while (error == EEXIST);
    return error;
}

/* The new name is on the disk, too, once its directory is. Not all file systems can. */
static void sync_directory(char *target)
{
    char *slash = strrchr(target, '/');
    if (slash)
        slash[slash == target ? 1 : 0] = '\0';
    int fd = -1;
    if (sil__file_open(slash ? target : ".", O_RDONLY | O_DIRECTORY, 0, &fd) != 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

static int write_whole(const struct whole *whole, const struct target *target)
{
    size_t size = strlen(target->path) + NAME_SIZE;
    char *beside = sil__alloc_raw(size);
    if (!beside)
        return SIL_ENOMEM;
    int fd = -1;
    int code = create_beside(target, beside, size, &fd);
    if (code == 0) {
        code = fill(whole, fd, target);
        if (code == 0 && rename(beside, target->path) != 0)
            code = errno;
        if (code != 0)
            (void)unlink(beside);
    }
    sil__free(beside);
    if (code == 0)
        sync_directory(target->path);
    return code;
}

/* Where a symbolic link leads; what is not there yet is taken as it is. */
static int find_target(const char *path, struct target *target)
{
    struct stat link;
    char *resolved = NULL;
    int error = stat(path, &target->old) == 0 ? 0 : errno;
    target->exists = error == 0;
    if (error && (error != ENOENT || lstat(path, &link) == 0)) /* a link that leads nowhere */
        return error;
    if (target->exists && !S_ISREG(target->old.st_mode))
        return S_ISDIR(target->old.st_mode) ? EISDIR : SIL_EINVAL;
    if (target->exists && !(resolved = realpath(path, NULL)))
        return errno;
    target->path = sil__alloc_text(resolved ? resolved : path);
    free(resolved);
    return target->path ? 0 : SIL_ENOMEM;
}

static void do_write(struct sil__file_task *task)
{
    struct whole *whole = (struct whole *)task;
    struct target target;
    task->code = find_target(whole->path, &target);
    if (task->code != 0)
        return;
    task->code = write_whole(whole, &target);
    sil__free(target.path);
}

/* --- for the caller ------------------------------------------------------------------------ */

static int do_whole(struct whole *whole, const char *what, sil_deadline until)
{
    int code = sil__file_do(&whole->task, what, until);
    if (code == 0 && whole->task.code != 0)
        code = sil__fail(whole->task.code, "%s '%s': %s", what, whole->path,
                         whole->task.code == SIL_EINVAL ? "not a regular file"
                                                        : sil_strerror(whole->task.code));
    return code;
}

int sil_file_read_all(const char *path, size_t limit, char **out_data, size_t *out_size,
                      sil_deadline until)
{
    if (!path || !out_data)
        return sil__fail(SIL_EINVAL, "sil_file_read_all: NULL");
    struct whole whole = {.task.work = do_read, .path = path, .limit = limit};
    int code = do_whole(&whole, "sil_file_read_all", until);
    if (code != 0)
        return code;
    *out_data = whole.data;
    if (out_size)
        *out_size = whole.size;
    return 0;
}

int sil_file_write_all(const char *path, const void *data, size_t size, sil_deadline until)
{
    if (!path || (!data && size > 0))
        return sil__fail(SIL_EINVAL, "sil_file_write_all: NULL");
    struct whole whole = {.task.work = do_write, .path = path, .data = (char *)data, .size = size};
    return do_whole(&whole, "sil_file_write_all", until);
}
