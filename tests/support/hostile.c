/* SPDX-License-Identifier: MIT */
/*
 * Hostile tasks: each a function, and its row in the table.
 */
#include "support/hostile.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS = 1024, THREADS = 4 };

static int fork_and_return(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return fork() < 0; /* here and there */
}

static int leave_a_daemon(void *arg, void *result)
{
    (void)arg;
    (void)result;
    if (fork() != 0)
        return 0;
    (void)setsid();
    if (fork() != 0)
        _exit(0);
    for (;;)
        (void)pause();
}

static int leave_a_session(void *arg, void *result)
{
    (void)arg;
    (void)result;
    if (fork() != 0)
        return 0;
    (void)setsid();
    for (;;)
        (void)pause();
}

static int close_all(void *arg, void *result)
{
    (void)arg;
    (void)result;
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        (void)close(fd);
    return 0;
}

static int end_with_exit(void *arg, void *result)
{
    (void)arg;
    (void)result;
    exit(3);
}

static int end_at_once(void *arg, void *result)
{
    (void)arg;
    (void)result;
    _exit(4);
}

static int end_by_abort(void *arg, void *result)
{
    (void)arg;
    (void)result;
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    (void)signal(SIGABRT, SIG_DFL);
    abort();
}

static int end_thread(void *arg, void *result)
{
    (void)arg;
    (void)result;
    pthread_exit(NULL);
}

static jmp_buf where;
static volatile bool was_there;

static int set_where(void *arg, void *result)
{
    (void)arg;
    (void)result;
    was_there = true;
    if (setjmp(where) != 0)
        _exit(5); /* in a frame that is gone: so far it went well */
    return 0;
}

/* Undefined, and may end in any way. */
static int jump(void *arg, void *result)
{
    (void)arg;
    (void)result;
    if (!was_there)
        return 0;
    (void)alarm(2);
    (void)signal(SIGALRM, SIG_DFL);
    longjmp(where, 1);
}

static int block_signals_and_loop(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    for (volatile unsigned turns = 1; turns != 0; turns |= 1)
        continue;
    return 0;
}

static void *wait_for_ever(void *arg)
{
    for (;;)
        (void)pause();
    return arg;
}

static int leave_threads(void *arg, void *result)
{
    (void)arg;
    (void)result;
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
            return 1;
        (void)pthread_detach(thread);
    }
    return 0;
}

static int print_much(void *arg, void *result)
{
    (void)arg;
    (void)result;
    if (freopen("/dev/null", "w", stdout) == NULL)
        return 0; /* it has no descriptors */
    for (int i = 0; i < 10000; i++)
        (void)printf("%d %s\n", i, "what a task says to the world");
    return 0;
}

static int stop_itself(void *arg, void *result)
{
    (void)arg;
    (void)result;
    (void)raise(SIGSTOP);
    return 0;
}

/* The first mapping of which /proc/self/maps says so. */
static int unmap(const char *name)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        unsigned long begin;
        unsigned long end;
        if (strstr(line, name) == NULL || sscanf(line, "%lx-%lx", &begin, &end) != 2)
            continue;
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        (void)signal(SIGSEGV, SIG_DFL);
        (void)fclose(maps);
        return munmap((void *)begin, end - begin);
    }
    if (maps != NULL)
        (void)fclose(maps);
    return SIL_EBROKEN; /* it has no descriptors */
}

static int unmap_its_channel(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return unmap("memfd:sillon-channel");
}

static int unmap_the_control(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return unmap("memfd:sillon-control");
}

static int unmap_its_stack(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return unmap("[stack]");
}

static int forbid_descriptors(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return setrlimit(RLIMIT_NOFILE, &(struct rlimit){0});
}

static int outlive_the_parent(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return prctl(PR_SET_PDEATHSIG, 0L);
}

static int kill_its_parent(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return kill(getppid(), SIGKILL);
}

static int kill_its_group(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return kill(0, SIGKILL);
}

static int join_its_parents_group(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return setpgid(0, getpgid(getppid()));
}

#define HOSTILE(function, how)                             \
    {                                                      \
        .name = #function, .fn = (function), .ends = (how) \
    }

const struct hostile hostiles[] = {
    HOSTILE(fork_and_return, 0),
    HOSTILE(leave_a_daemon, 0),
    HOSTILE(leave_a_session, 0),
    HOSTILE(close_all, 0),
    HOSTILE(end_with_exit, SIL_EBROKEN),
    HOSTILE(end_at_once, SIL_EBROKEN),
    HOSTILE(end_by_abort, SIL_EBROKEN),
    HOSTILE(end_thread, SIL_EBROKEN),
    {.name = "jump", .fn = jump, .before = set_where, .ends = HOSTILE_ANY},
    HOSTILE(block_signals_and_loop, SIL_ETIMEDOUT),
    HOSTILE(leave_threads, 0),
    HOSTILE(print_much, 0),
    HOSTILE(stop_itself, SIL_ETIMEDOUT),
    HOSTILE(unmap_its_channel, SIL_EBROKEN),
    HOSTILE(unmap_the_control, HOSTILE_ANY),
    HOSTILE(unmap_its_stack, SIL_EBROKEN),
    HOSTILE(forbid_descriptors, 0),
    HOSTILE(outlive_the_parent, 0),
    HOSTILE(kill_its_group, SIL_EBROKEN),
    HOSTILE(join_its_parents_group, 0),
    {.name = "kill_its_parent", .fn = kill_its_parent, .ends = HOSTILE_ANY, .takes_others = true},
};

const size_t hostile_count = sizeof hostiles / sizeof *hostiles;
