/* SPDX-License-Identifier: MIT */
/*
 * Runs one command and tells what it took: the time from before it was started until it has been
 * waited for, processor time with that of its children, and the most memory that one of them had.
 *
 * In C and small, because the kernel counts as a process's highest memory what the one that
 * started it had, up to exec: of a command that Python starts one would learn how large Python is.
 *
 *     command_run [-C FOLDER] [-i FILE] [-o FILE] [-e FILE] [-s SECONDS] [-t SECONDS] [-w FILE]
 *                 COMMAND...
 *
 *     -i -o -e   its standard input, output and error; without, /dev/null
 *     -s         end it by TERM after that time: that is its wall time then
 *     -t         kill it after that time: it has failed
 *     -w         tell how large this file was at the end of the wall time
 *
 * It leads a session of its own, so that no terminal of ours is its. Prints
 * wall_ns,cpu_us,memory_kib,status,why,size; why: ended, stopped, late.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_S = 2 };

static const int64_t second = 1000000000;

struct plan {
    const char *files[3];
    double stop_s, late_s; /* 0: never */
    const char *watched;   /* NULL: none */
};

static void must(int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    exit(2);
}

static int64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * second + at.tv_nsec;
}

static void redirect(posix_spawn_file_actions_t *actions, const struct plan *plan)
{
    for (int fd = 0; fd < 3; fd++) {
        int flags = fd == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
        int file = open(plan->files[fd], flags | O_NOCTTY | O_CLOEXEC, 0644);
        must(file < 0 ? errno : 0, plan->files[fd]);
        must(posix_spawn_file_actions_adddup2(actions, file, fd), "adddup2");
    }
}

static pid_t start(char **command, const struct plan *plan)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t how;
    sigset_t none;
    pid_t child;
    sigemptyset(&none);
    must(posix_spawn_file_actions_init(&actions), "actions");
    must(posix_spawnattr_init(&how), "attributes");
    must(posix_spawnattr_setsigmask(&how, &none), "mask");
    must(posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK), "flags");
    redirect(&actions, plan);
    must(posix_spawnp(&child, command[0], &actions, &how, command, environ), command[0]);
    return child;
}

/* Until the child has ended, or the time has come. SIGCHLD is blocked, so none is missed. */
static pid_t wait_until(pid_t child, int64_t until, int *status, struct rusage *usage)
{
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    for (;;) {
        pid_t waited = wait4(child, status, until == 0 ? 0 : WNOHANG, usage);
        if (waited == child)
            return child;
        int64_t left = until - now();
        if (left <= 0)
            return 0;
        struct timespec time = {.tv_sec = left / second, .tv_nsec = left % second};
        (void)sigtimedwait(&ended, NULL, &time);
    }
}

static int64_t after(int64_t begin, double seconds)
{
    return begin + (int64_t)(seconds * 1e9);
}

static long long size_of(const char *path)
{
    struct stat facts;
    return path != NULL && stat(path, &facts) == 0 ? (long long)facts.st_size : 0;
}

static int measure(char **command, const struct plan *plan)
{
    int status = 0;
    struct rusage usage = {0};
    const char *why = "ended";
    double limit = plan->stop_s > 0 ? plan->stop_s : plan->late_s;
    int64_t begin = now();
    pid_t child = start(command, plan);
    pid_t ended = wait_until(child, limit > 0 ? after(begin, limit) : 0, &status, &usage);
    int64_t wall = now() - begin;
    long long size = size_of(plan->watched);
    if (ended == 0) {
        why = plan->stop_s > 0 ? "stopped" : "late";
        (void)kill(-child, plan->stop_s > 0 ? SIGTERM : SIGKILL);
        ended = wait_until(child, after(now(), GRACE_S), &status, &usage);
        (void)kill(-child, SIGKILL); /* what it has left behind, too */
        if (ended == 0)
            (void)wait_until(child, 0, &status, &usage);
    }
    int64_t cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
                  usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("%lld,%lld,%ld,%d,%s,%lld\n", (long long)wall, (long long)cpu, usage.ru_maxrss, code,
           why, size);
    return 0;
}

int main(int argc, char **argv)
{
    struct plan plan = {.files = {"/dev/null", "/dev/null", "/dev/null"}};
    int option;
    while ((option = getopt(argc, argv, "+C:i:o:e:s:t:w:")) != -1) {
        if (option == 'C')
            must(chdir(optarg) == 0 ? 0 : errno, optarg);
        else if (option == 'i' || option == 'o' || option == 'e')
            plan.files[option == 'i' ? 0 : option == 'o' ? 1 : 2] = optarg;
        else if (option == 's')
            plan.stop_s = atof(optarg);
        else if (option == 't')
            plan.late_s = atof(optarg);
        else if (option == 'w')
            plan.watched = optarg;
        else
            return 2;
    }
    if (optind == argc)
        return 2;
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    must(sigprocmask(SIG_BLOCK, &ended, NULL) == 0 ? 0 : errno, "sigprocmask");
    return measure(argv + optind, &plan);
}
