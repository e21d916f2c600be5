/* SPDX-License-Identifier: MIT */
/*
 * The helper: starts a pool's workers by fork, collects them, and takes them with it when the
 * pool's process is gone.
 *
 * What a worker leaves behind ends with it: its process group is killed. What left the group, too,
 * comes to the helper when its parent has gone, and is killed when the pool is closed.
 *
 * I1: a worker is reaped only after the pool was told of it with a pidfd, so that the pool never
 *     signals a process that has the same id by chance.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "core/error.h"
#include "process/begin.h"
#include "process/helper.h"
#include "process/region.h"
#include "process/takeover.h"

static bool tell(const struct sil__helper *helper, struct sil__news news, int fd)
{
    return sil__message_send(helper->socket, &news, sizeof news, &fd, fd >= 0 ? 1 : 0);
}

static bool tell_failed(const struct sil__helper *helper)
{
    struct sil__news news = {.kind = SIL__NEWS_FAILED, .code = sil_error_code(sil_last_error())};
    (void)snprintf(news.text, sizeof news.text, "%s", sil_error_message(sil_last_error()));
    return tell(helper, news, -1);
}

/* --- getting ready ------------------------------------------------------------------------- */

/* Workers can write the first part only. */
static bool map_control(struct sil__helper *helper, int fd)
{
    size_t size = helper->hello.control_size;
    size_t writable = offsetof(struct sil__control, modules);
    void *all = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (all == MAP_FAILED)
        return false;
    helper->control = all;
    return mmap(all, writable, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == all;
}

static bool attach(struct sil__helper *helper, int region_fd)
{
    const struct sil__hello *hello = &helper->hello;
    if (hello->region_base != 0)
        return sil__region_attach(region_fd, sil__address(hello->region_base),
                                  hello->region_size) != NULL;
    return hello->forked || sil__heaps_receive(helper->socket) == 0;
}

static bool take_hello(struct sil__helper *helper)
{
    struct sil__hello *hello = &helper->hello;
    int fds[2];
    if (!sil__message_receive(helper->socket, hello, sizeof *hello, fds, 2) ||
        hello->magic != SIL__HELLO_MAGIC || hello->size != sizeof *hello)
        return false; /* the pool's process has gone, or is another build */
    bool ok = map_control(helper, fds[0]);
    if (!ok)
        (void)sil_fail(SIL_ENOMEM, "no memory for the helper process: %s", strerror(errno));
    (void)close(fds[0]);
    ok = ok && attach(helper, fds[1]);
    if (hello->region_base == 0 && fds[1] >= 0)
        (void)close(fds[1]);
    helper->decoder = ok ? sil__decoder_create(&helper->control->modules) : NULL;
    /* A function of a module that cannot be found must not be found missing in each worker. */
    if (helper->decoder &&
        (!hello->initialized || sil__decode(helper->decoder, &hello->initializer)))
        return tell(helper, (struct sil__news){.kind = SIL__NEWS_READY}, -1);
    (void)tell_failed(helper);
    return false;
}

static void no_input(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)close(null);
    }
}

/* Signals of the terminal are not for us. Children are noticed by a descriptor. */
static int take_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGTTOU, SIG_IGN);
    (void)setpgid(0, 0);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &child, NULL);
    return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- workers ------------------------------------------------------------------------------- */

static struct sil__nursling *nursling_of(struct sil__helper *helper, pid_t pid)
{
    for (unsigned i = 0; i < helper->count; i++)
        if (helper->nurslings[i].pid == pid)
            return &helper->nurslings[i];
    return NULL;
}

static bool remember(struct sil__helper *helper, struct sil__start start)
{
    if (helper->count == helper->room) {
        unsigned room = helper->room ? 2 * helper->room : 16;
        struct sil__nursling *more = sil__alloc_array(room, sizeof *more);
        if (!more)
            return false;
        if (helper->count)
            memcpy(more, helper->nurslings, helper->count * sizeof *more);
        sil__free(helper->nurslings);
        helper->nurslings = more;
        helper->room = room;
    }
    helper->nurslings[helper->count] = (struct sil__nursling){.start = start};
    return true;
}

static void start_worker(struct sil__helper *helper, struct sil__start start, int channel_fd)
{
    struct sil__news news = {
        .kind = SIL__NEWS_REFUSED, .index = start.index, .generation = start.generation};
    pid_t pid = -1;
    errno = EMFILE; /* what it is if no channel came */
    if (channel_fd >= 0 && remember(helper, start))
        pid = fork();
    if (pid == 0)
        sil__worker_begin(helper, start, channel_fd); /* does not return */
    int pidfd = -1;
    if (pid > 0) {
        (void)setpgid(pid, pid);
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        helper->nurslings[helper->count++].pid = pid;
        news.kind = SIL__NEWS_STARTED;
        news.pid = pid;
    } else {
        news.code = errno;
    }
    if (channel_fd >= 0)
        (void)close(channel_fd);
    (void)tell(helper, news, pidfd);
    if (pidfd >= 0)
        (void)close(pidfd);
}

/* False: there is no more to collect. */
static bool collect(struct sil__helper *helper)
{
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return false;
    struct sil__nursling *nursling = nursling_of(helper, info.si_pid);
    /* While it is not reaped its group's number is its own. */
    if (nursling)
        (void)kill(-info.si_pid, SIGKILL);
    int status = 0;
    (void)waitpid(info.si_pid, &status, 0);
    if (!nursling)
        return true; /* somebody a task left behind */
    struct sil__news news = {
        .kind = SIL__NEWS_ENDED,
        .index = nursling->start.index,
        .generation = nursling->start.generation,
        .pid = info.si_pid,
        .status = status,
    };
    *nursling = helper->nurslings[--helper->count];
    (void)tell(helper, news, -1);
    return true;
}

/* Kill all children there are now. */
static void kill_children(void)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "/proc/self/task/%d/children", (int)getpid());
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    text[size > 0 ? size : 0] = 0;
    char *next = text;
    for (long pid; (pid = strtol(next, &next, 10)) > 0;)
        (void)kill((pid_t)pid, SIGKILL);
    if (fd >= 0)
        (void)close(fd);
}

/* Kill those who are still there: ours, what came to us, and what comes when its parent ends. */
static void end_all(struct sil__helper *helper)
{
    for (unsigned i = 0; i < helper->count; i++) {
        (void)kill(-helper->nurslings[i].pid, SIGKILL);
        (void)kill(helper->nurslings[i].pid, SIGKILL);
    }
    do {
        kill_children();
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    } while (waitpid(-1, NULL, 0) > 0);
}

/* --- the loop ------------------------------------------------------------------------------ */

static bool serve(struct sil__helper *helper)
{
    struct sil__start start;
    int channel_fd;
    if (!sil__message_receive(helper->socket, &start, sizeof start, &channel_fd, 1))
        return false;
    start_worker(helper, start, channel_fd);
    return true;
}

static void loop(struct sil__helper *helper)
{
    struct pollfd fds[] = {
        {.fd = helper->socket, .events = POLLIN},
        {.fd = helper->signals, .events = POLLIN},
        {.fd = helper->parent, .events = POLLIN},
    };
    for (;;) {
        if (poll(fds, sizeof fds / sizeof *fds, -1) < 0 && errno != EINTR)
            return;
        if (fds[1].revents) {
            struct signalfd_siginfo info;
            while (read(helper->signals, &info, sizeof info) > 0)
                ;
            while (collect(helper))
                ;
        }
        if (fds[0].revents && !serve(helper))
            return;
        if (fds[2].revents)
            return; /* our descriptor of the pool's may be open in others, too */
    }
}

int sil__helper_main(int socket)
{
    static struct sil__helper helper;
    pid_t parent = getppid();
    helper.self = getpid();
    helper.socket = socket;
    helper.parent = (int)syscall(SYS_pidfd_open, parent, 0);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    no_input();
    helper.signals = take_signals();
    if (getppid() != parent)
        return 0;
    if (helper.signals >= 0 && take_hello(&helper))
        loop(&helper);
    end_all(&helper);
    return 0;
}
