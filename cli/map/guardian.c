/* SPDX-License-Identifier: MIT */
/*
 * The guardian, see guardian.h.
 *
 * I1  No signal but SIGKILL and SIGSTOP reaches it: it was forked with all of them blocked.
 * I2  It cannot be taken for one of another run's processes: if that run started us, its word stands
 *     in our environment, and so in the guardian's; it is wiped out there.
 * I3  The pipe ends when all who have it are gone: we, and who of our children does not execute its
 *     program yet. So by then all carry the word.
 */
#include "map/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "map/kin.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum {
    PATIENCE_MS = 1000, /* from TERM to KILL */
    SEARCH_MS = 3000,   /* from KILL to giving up */
    FIRST_PAUSE_MS = 2,
    LONGEST_PAUSE_MS = 64,
};

static int64_t now_ms(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void pause_ms(int milliseconds)
{
    struct timespec time = {.tv_nsec = milliseconds * 1000000L};
    (void)nanosleep(&time, NULL);
}

/* I2 */
static void hide_words(void)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (strncmp(*entry, "SILLON_", strlen("SILLON_")) == 0)
            memset(*entry, '_', strlen(*entry));
}

/* All but the pipe. For a kernel without close_range (before 5.9): those that matter most. */
static void close_all_but(int kept)
{
    bool done = syscall(SYS_close_range, kept + 1, ~0U, 0) == 0;
    done = done && (kept == 0 || syscall(SYS_close_range, 0, kept - 1, 0) == 0);
    for (int fd = 0; !done && fd < 1024; fd++)
        if (fd != kept)
            (void)close(fd);
}

/* Forget those that are gone: their numbers may become others'. @return are there others? */
static bool groups_left(const struct guardian_plan *plan)
{
    bool left = false;
    for (size_t i = 0; i < plan->count; i++) {
        pid_t leader = plan->leaders[i];
        if (leader <= 0)
            continue;
        if (kill(-leader, 0) != 0 && errno == ESRCH && kill(leader, 0) != 0 && errno == ESRCH)
            plan->leaders[i] = 0;
        else
            left = true;
    }
    return left;
}

/* To the groups and to who has left them. @return how many those are. */
static size_t signal_all(const struct guardian_plan *plan, int signal)
{
    for (size_t i = 0; i < plan->count; i++)
        if (signal != 0 && plan->leaders[i] > 0)
            kin_signal_group(plan->leaders[i], signal);
    return kin_signal(&(struct kin_search){
        .word = plan->word,
        .leaders = plan->leaders,
        .count = plan->count,
        .signal = signal,
    });
}

/* Until none is left, twice in a row: one may be starting another while we look. */
static bool wait_until_gone(const struct guardian_plan *plan, int signal, int patience)
{
    int calm = 0;
    int pause = FIRST_PAUSE_MS;
    for (int64_t end = now_ms() + patience; now_ms() < end;) {
        bool left = groups_left(plan);
        calm = signal_all(plan, signal) == 0 && !left ? calm + 1 : 0;
        if (calm == 2)
            return true;
        pause_ms(pause);
        pause = pause < LONGEST_PAUSE_MS ? pause * 2 : pause;
    }
    return false;
}

static void end_all(const struct guardian_plan *plan)
{
    (void)signal_all(plan, SIGTERM);
    (void)signal_all(plan, SIGCONT); /* who is stopped cannot end */
    if (!wait_until_gone(plan, 0, PATIENCE_MS))
        (void)wait_until_gone(plan, SIGKILL, SEARCH_MS);
}

_Noreturn void guardian_main(const struct guardian_plan *plan)
{
    (void)setsid();
    (void)prctl(PR_SET_NAME, "sillon-guard", 0, 0, 0);
    hide_words();
    close_all_but(plan->pipe);
    (void)chdir("/");
    char byte;
    ssize_t got;
    do
        got = read(plan->pipe, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        end_all(plan);
    _exit(0);
}
