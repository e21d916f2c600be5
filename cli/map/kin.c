/* SPDX-License-Identifier: MIT */
/*
 * Finding processes of a run, see kin.h.
 *
 * All of /proc is read each time: some ten microseconds a process. That happens when something is
 * being ended, and not otherwise.
 */
#include "map/kin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

enum {
    LIST_SIZE = 16384,
    CHUNK_SIZE = 32768,
    WORD_SIZE = 128, /* the longest that is looked for, with the NULs around it */
    GENERATIONS = 64,
};

/* One thread searches at a time, and coroutines' stacks are small. */
static _Alignas(16) char list_buffer[LIST_SIZE];
static char environment_buffer[WORD_SIZE + CHUNK_SIZE];

struct pattern {
    char text[WORD_SIZE]; /* a NUL, NAME=value, a NUL */
    size_t size;
    bool found;
};

void kin_signal_group(pid_t leader, int signal)
{
    if (kill(-leader, signal) != 0 && errno == ESRCH)
        (void)kill(leader, signal);
}

/* --- the environment ----------------------------------------------------------------------- */

static void look_for(struct pattern *pattern, const char *bytes, size_t size)
{
    if (!pattern->found && memmem(bytes, size, pattern->text, pattern->size) != NULL)
        pattern->found = true;
}

/* 1 it has both, 0 it has not, -1 nobody may look. */
static int carries(int folder, struct pattern *word, struct pattern *seq)
{
    int fd = openat(folder, "environ", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES || errno == EPERM ? -1 : 0;
    char *buffer = environment_buffer;
    buffer[0] = '\0'; /* what begins the first entry */
    size_t kept = 1;
    ssize_t got;
    word->found = false;
    seq->found = seq->size == 0;
    while (!(word->found && seq->found) && (got = read(fd, buffer + kept, CHUNK_SIZE)) > 0) {
        size_t size = kept + (size_t)got;
        look_for(word, buffer, size);
        look_for(seq, buffer, size);
        kept = size < WORD_SIZE - 1 ? size : WORD_SIZE - 1;
        memmove(buffer, buffer + size - kept, kept); /* one may lie across the chunks' border */
    }
    int error = word->found && seq->found ? 0 : errno;
    (void)close(fd);
    if (word->found && seq->found)
        return 1;
    return got < 0 && (error == EACCES || error == EPERM) ? -1 : 0;
}

/* --- descent ------------------------------------------------------------------------------- */

static bool is_leader(const struct kin_search *search, pid_t pid)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->leaders[i] == pid)
            return true;
    return false;
}

/* 0: it is gone. */
static pid_t parent_of(pid_t pid)
{
    char path[32];
    char text[512];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *behind_name = strrchr(text, ')'); /* a name may have any letters in it */
    if (behind_name == NULL || strlen(behind_name) < 5)
        return 0;
    return (pid_t)strtol(behind_name + 4, NULL, 10);
}

static bool descends(const struct kin_search *search, pid_t pid)
{
    for (int i = 0; i < GENERATIONS && pid > 1; i++) {
        if (pid == search->root || (search->seq == 0 && is_leader(search, pid)))
            return true;
        pid = parent_of(pid);
    }
    return false;
}

/* What cannot be looked into is root's in /proc; whose folder is another user's is not ours. */
static bool may_be_ours(int folder)
{
    struct stat status;
    return fstat(folder, &status) == 0 && (status.st_uid == 0 || status.st_uid == getuid());
}

/* --- all of them --------------------------------------------------------------------------- */

static void prepare(struct pattern *pattern, const char *text)
{
    pattern->size = 0;
    if (text == NULL || strlen(text) + 2 > WORD_SIZE)
        return;
    pattern->text[0] = '\0';
    memcpy(pattern->text + 1, text, strlen(text) + 1);
    pattern->size = strlen(text) + 2;
}

/* Must it still be asked? Then it counts as asked now. */
static bool is_new(struct kin_asked *asked, pid_t pid)
{
    if (asked == NULL)
        return true;
    const size_t room = sizeof(asked->pids) / sizeof(asked->pids[0]);
    for (size_t i = 0; i < asked->count && i < room; i++)
        if (asked->pids[i] == pid)
            return false;
    asked->pids[asked->count++ % room] = pid;
    return true;
}

/* Is it one of ours, and outside of the groups? Then it has been sent the signal. */
static bool visit(const struct kin_search *search, const char *name, struct pattern *word,
                  struct pattern *seq)
{
    pid_t pid = (pid_t)strtol(name, NULL, 10);
    if (pid <= 1 || pid == getpid() || pid == search->except)
        return false;
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return false;
    int carried = carries(folder, word, seq);
    bool is_kin = carried > 0 || (carried < 0 && may_be_ours(folder) && descends(search, pid));
    is_kin = is_kin && !is_leader(search, pid) && !is_leader(search, getpgid(pid));
    if (is_kin && search->signal != 0 && is_new(search->asked, pid))
        (void)syscall(SYS_pidfd_send_signal, folder, search->signal, NULL, 0); /* I1 */
    (void)close(folder);
    return is_kin;
}

size_t kin_signal(const struct kin_search *search)
{
    struct pattern word;
    struct pattern seq;
    char seq_text[40];
    (void)snprintf(seq_text, sizeof(seq_text), "SILLON_SEQ=%llu", (unsigned long long)search->seq);
    prepare(&word, search->word);
    prepare(&seq, search->seq != 0 ? seq_text : NULL);
    int folder = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return 0;
    size_t count = 0;
    ssize_t got;
    while ((got = getdents64(folder, list_buffer, sizeof(list_buffer))) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *entry = (const struct dirent64 *)(void *)(list_buffer + at);
            at += entry->d_reclen;
            if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
                count += visit(search, entry->d_name, &word, &seq);
        }
    }
    (void)close(folder);
    return count;
}
