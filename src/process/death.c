/* SPDX-License-Identifier: MIT */
/*
 * How a process ended, see death.h, waitpid(2), cgroups(7) and the kernel's cgroup-v2.rst,
 * "memory.events".
 *
 * The kernel says only that a process was killed, not why. That it was for want of memory is known
 * by a count that has risen meanwhile: of our own cgroup, in which the workers are too; it counts
 * there even if the limit is that of a parent.
 */
#include "process/death.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define PATH_SIZE 4096

/* --- names --------------------------------------------------------------------------------- */

/* An own table, for musl has no sigabbrev_np, nor glibc before 2.32. */
#define NAME(signal) [signal] = #signal

static const char *const signal_names[] = {
    NAME(SIGHUP),  NAME(SIGINT),    NAME(SIGQUIT), NAME(SIGILL),    NAME(SIGTRAP), NAME(SIGABRT),
    NAME(SIGBUS),  NAME(SIGFPE),    NAME(SIGKILL), NAME(SIGUSR1),   NAME(SIGSEGV), NAME(SIGUSR2),
    NAME(SIGPIPE), NAME(SIGALRM),   NAME(SIGTERM), NAME(SIGSTKFLT), NAME(SIGCHLD), NAME(SIGCONT),
    NAME(SIGSTOP), NAME(SIGTSTP),   NAME(SIGTTIN), NAME(SIGTTOU),   NAME(SIGURG),  NAME(SIGXCPU),
    NAME(SIGXFSZ), NAME(SIGVTALRM), NAME(SIGPROF), NAME(SIGWINCH),  NAME(SIGIO),   NAME(SIGPWR),
    NAME(SIGSYS),
};

const char *sil__death_signal_name(int signal, char *buffer, size_t size)
{
    int count = (int)(sizeof signal_names / sizeof *signal_names);
    if (signal > 0 && signal < count && signal_names[signal])
        return signal_names[signal];
    (void)snprintf(buffer, size, "signal %d", signal);
    return buffer;
}

void sil__death_describe(int status, int oom, char *buffer, size_t size)
{
    if (WIFEXITED(status)) {
        (void)snprintf(buffer, size, "exited with status %d", WEXITSTATUS(status));
        return;
    }
    if (!WIFSIGNALED(status)) {
        (void)snprintf(buffer, size, "ended with wait status %#x", (unsigned)status);
        return;
    }
    char name[32];
    int signal = WTERMSIG(status);
    const char *meaning = "";
    if (signal == SIGKILL && oom)
        meaning = ", out of memory";
    else if (signal == SIGXCPU)
        meaning = ", its processor time was used up";
    (void)snprintf(buffer, size, "was killed by %s%s%s",
                   sil__death_signal_name(signal, name, sizeof name), meaning,
                   WCOREDUMP(status) ? " (core dumped)" : "");
}

/* --- killed for want of memory ------------------------------------------------------------- */

/* The process's path in the hierarchy of that controller; "" is the unified one's name. */
static bool find_cgroup(const char *root, const char *controller, char *out_path)
{
    char line[PATH_SIZE];
    bool found = false;
    if (snprintf(line, sizeof line, "%s/proc/self/cgroup", root) >= (int)sizeof line)
        return false;
    FILE *stream = fopen(line, "re");
    if (!stream)
        return false;
    while (!found && fgets(line, sizeof line, stream)) {
        /* "4:memory:/path" or "0::/path" */
        line[strcspn(line, "\n")] = '\0';
        char *name = strchr(line, ':');
        char *path = name ? strchr(name + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        found = strcmp(name + 1, controller) == 0;
        if (found)
            memcpy(out_path, path, strlen(path) + 1);
    }
    (void)fclose(stream);
    return found;
}

/* The number behind "oom_kill" in root, folder, path and file. */
static bool read_count(const char *root, const char *folder, const char *path, const char *file,
                       uint64_t *out)
{
    static const char key[] = "oom_kill ";
    char line[2 * PATH_SIZE];
    bool found = false;
    int length = snprintf(line, sizeof line, "%s/sys/fs/cgroup%s%s/%s", root, folder, path, file);
    if (length < 0 || (size_t)length >= sizeof line)
        return false;
    FILE *stream = fopen(line, "re");
    if (!stream)
        return false;
    while (!found && fgets(line, sizeof line, stream)) {
        found = strncmp(line, key, sizeof key - 1) == 0;
        if (found)
            *out = strtoull(line + sizeof key - 1, NULL, 10);
    }
    (void)fclose(stream);
    return found;
}

/* Of one hierarchy. */
static bool count_kills(const char *root, const char *controller, const char *folder,
                        const char *file, uint64_t *out)
{
    char path[PATH_SIZE];
    if (!find_cgroup(root, controller, path))
        return false;
    /* A container may see only its own part of the hierarchy, and that as the whole. */
    return read_count(root, folder, path, file, out) || read_count(root, folder, "", file, out);
}

uint64_t sil__death_oom_kills(const char *root)
{
    uint64_t kills = 0;
    if (!count_kills(root, "", "", "memory.events", &kills))
        (void)count_kills(root, "memory", "/memory", "memory.oom_control", &kills);
    return kills;
}
