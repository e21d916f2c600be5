/* SPDX-License-Identifier: MIT */
/*
 * Where jobs' bytes are kept: memory files, as long as all of them together hold no more than the
 * budget, then files without a name in TMPDIR, which the disk may take.
 *
 * A running job's file grows without us, so some of them are looked at whenever another begins. What one
 * job alone writes is not bounded by that: its file was chosen when it began.
 *
 * A file is never used for a second job: a process that the first one left behind may still have it, and
 * nothing tells so cheaply. (Using it again would save 4 us of the 8 that a new one costs.)
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sillon/error.h>

#include "map/outputs.h"

/** How many running captures are looked at when one begins, in turns: a few, for that is 1 us each. */
enum { LOOKS = 4 };

/* Descriptors 0 to 2 are for others; as an output they would mean SIL_INHERIT, or get lost. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    (void)close(fd);
    errno = error;
    return higher;
}

/* As files that are appended to: what a shell's `> /dev/stderr` cut off leaves no hole behind. */
static int memory_file(void)
{
    int fd = above_standard(memfd_create("sillon-output", MFD_CLOEXEC));
    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, O_RDWR | O_APPEND);
    return fd;
}

static int named_and_unlinked(const char *folder)
{
    char *path;
    if (asprintf(&path, "%s/sillon-XXXXXX", folder) < 0) {
        errno = ENOMEM;
        return -1;
    }
    int fd = above_standard(mkostemp(path, O_APPEND | O_CLOEXEC));
    int error = errno;
    if (fd >= 0)
        (void)unlink(path);
    free(path);
    errno = error;
    return fd;
}

static int unlinked_file(const char *folder)
{
    int fd = above_standard(open(folder, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600));
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL))
        fd = named_and_unlinked(folder);
    return fd;
}

int keep_open(struct outputs *outputs, struct sink *sink)
{
    bool in_memory = outputs->held < outputs->budget;
    int fd = in_memory ? memory_file() : unlinked_file(outputs->spill);
    if (fd < 0) {
        int error = errno;
        return sil_fail(error, "cannot keep a job's output in %s: %s",
                        in_memory ? "memory" : outputs->spill, strerror(error));
    }
    *sink = (struct sink){.fd = fd, .in_memory = in_memory};
    return 0;
}

int keep_open_saved(struct outputs *outputs, struct sink *sink, uint64_t seq, int number)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%" PRIu64 ".%s", seq, number == 1 ? "out" : "err");
    /* Anew, so that who was left behind by an earlier try writes to the earlier file. */
    (void)unlinkat(outputs->saved, name, 0);
    int fd = above_standard(
        openat(outputs->saved, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666));
    if (fd < 0) {
        int error = errno;
        return sil_fail(error, "cannot create %s in the folder of --save: %s", name,
                        strerror(error));
    }
    *sink = (struct sink){.fd = fd};
    return 0;
}

static void count(struct outputs *outputs, struct sink *sink, uint64_t size)
{
    outputs->held += size - sink->counted;
    sink->counted = size;
}

void keep_measure(struct outputs *outputs, struct sink *sink)
{
    struct stat now;
    if (sink->fd < 0 || fstat(sink->fd, &now) != 0)
        return;
    sink->size = (uint64_t)now.st_size;
    if (sink->in_memory)
        count(outputs, sink, sink->size);
}

uint64_t keep_left(const struct sink *sink)
{
    struct stat now;
    if (fstat(sink->fd, &now) != 0 || (uint64_t)now.st_size >= sink->size)
        return sink->size;
    return (uint64_t)now.st_size;
}

size_t keep_write(struct outputs *outputs, struct sink *sink, const char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t wrote = write(sink->fd, bytes + done, size - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            break;
        done += (size_t)wrote;
    }
    sink->size += done;
    if (sink->in_memory)
        count(outputs, sink, sink->size);
    return done;
}

void keep_close(struct outputs *outputs, struct sink *sink)
{
    if (sink->fd < 0)
        return;
    count(outputs, sink, 0);
    (void)close(sink->fd);
    sink->fd = -1;
}

bool keep_is_short(const struct outputs *outputs)
{
    struct statvfs now;
    if (outputs->keeping != KEEP_WHOLE || outputs->held < outputs->budget ||
        statvfs(outputs->spill, &now) != 0)
        return false;
    /* No blocks at all: a file system that does not count them. */
    return now.f_blocks > 0 && (uint64_t)now.f_bavail * now.f_frsize < outputs->reserve;
}

void keep_look(struct outputs *outputs)
{
    struct capture *first = outputs->running;
    for (int i = 0; i < LOOKS && outputs->running != NULL; i++) {
        struct capture *capture = outputs->running;
        keep_measure(outputs, &capture->sinks[0]);
        keep_measure(outputs, &capture->sinks[1]);
        outputs->running = capture->next;
        if (outputs->running == first)
            break;
    }
}
