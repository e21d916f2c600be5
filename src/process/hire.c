/* SPDX-License-Identifier: MIT */
/*
 * The helper from the pool's side, and how workers are hired.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/spin.h"
#include "core/context.h"
#include "process/environment.h"
#include "process/pool.h"
#include "process/takeover.h"

/* --- the helper ---------------------------------------------------------------------------- */

static int fork_helper(struct sil__procs *pool, int ours, int theirs)
{
    pid_t pid = sil__fault(SIL__FAULT_PROCESS) ? (errno = EAGAIN, -1) : fork();
    if (pid < 0)
        return sil__fail(errno == ENOMEM ? SIL_ENOMEM : SIL_EAGAIN, "no helper process: %s",
                         strerror(errno));
    if (pid == 0) {
        (void)close(ours);
        sil__context_restart(sil__context());
        char **changed = sil__environment_create((const char *const *)pool->environment);
        if (changed)
            environ = changed;
        _exit(sil__helper_main(theirs));
    }
    pool->helper_pid = pid;
    return 0;
}

static int start_helper(struct sil__procs *pool, int ours, int theirs)
{
    if (pool->hello.forked)
        return fork_helper(pool, ours, theirs);
    char name[sizeof pool->hello.name + 16];
    (void)snprintf(name, sizeof name, "%s: helper", pool->name);
    const struct sil__spawn spawn = {
        .child = SIL__CHILD_HELPER,
        .socket = theirs,
        .name = name,
        .environment = (const char *const *)pool->environment,
        .standard = {-1, -1, -1},
        .no_input = true,
    };
    return sil__spawn_self(&spawn, &pool->helper_pid);
}

static int greet(struct sil__procs *pool, int socket)
{
    int fds[2] = {pool->control_fd, sil__region_fd(pool->region)};
    unsigned count = pool->hello.region_base != 0 ? 2 : 1;
    if (!sil__message_send(socket, &pool->hello, sizeof pool->hello, fds, count))
        return sil__fail(SIL_EAGAIN, "the helper process ended at once");
    if (pool->hello.region_base != 0 || pool->hello.forked)
        return 0;
    return sil__heaps_send(socket);
}

int sil__helper_open(struct sil__procs *pool)
{
    int sockets[2];
    if (sil__fault(SIL__FAULT_SYSTEM) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return sil__fail(SIL_EAGAIN, "no sockets for a helper process: %s", strerror(errno));
    pool->helper_ready = false;
    int code = start_helper(pool, sockets[0], sockets[1]);
    (void)close(sockets[1]);
    pool->helper_socket = sockets[0];
    if (code == 0)
        code = greet(pool, sockets[0]);
    if (code != 0)
        sil__helper_close(pool);
    return code;
}

/* Somebody may have stopped it. Only then it is told to go on: a debugger's stop is not ours to end. */
static void wait_for_helper(pid_t pid)
{
    int status;
    for (;;) {
        pid_t who = waitpid(pid, &status, WUNTRACED);
        if (who == pid && WIFSTOPPED(status))
            (void)kill(pid, SIGCONT);
        else if (who == pid || errno != EINTR)
            return;
    }
}

void sil__helper_close(struct sil__procs *pool)
{
    if (pool->helper_socket >= 0)
        (void)shutdown(pool->helper_socket, SHUT_RDWR);
    if (pool->helper_pid > 0)
        wait_for_helper(pool->helper_pid);
    if (pool->helper_socket >= 0)
        (void)close(pool->helper_socket);
    pool->helper_socket = -1;
    pool->helper_pid = 0;
    pool->helper_ready = false;
}

/* --- workers ------------------------------------------------------------------------------- */

static struct sil__channel *create_channel(int *out_fd)
{
    int fd = sil__fault(SIL__FAULT_SYSTEM)
                 ? -1
                 : memfd_create("sillon-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return NULL;
    void *channel = MAP_FAILED;
    /* Sealed: a worker that cut it short would have us die of SIGBUS. */
    if (ftruncate(fd, sizeof(struct sil__channel)) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        channel =
            mmap(NULL, sizeof(struct sil__channel), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (channel == MAP_FAILED) {
        (void)close(fd);
        return NULL;
    }
    *out_fd = fd;
    return channel;
}

static void occupy_locked(struct sil__procs *pool, unsigned index, struct sil__channel *channel)
{
    struct sil__staff *staff = &pool->staff[index];
    void **blocks = staff->blocks;
    size_t block_room = staff->block_room;
    /* All but the channel, which is looked at without lock. */
    const size_t kept = offsetof(struct sil__staff, state);
    memset((char *)staff + kept, 0, sizeof *staff - kept);
    staff->state = SIL__STAFF_WORKING;
    staff->pidfd = -1;
    staff->blocks = blocks;
    staff->block_room = block_room;
    staff->generation = ++pool->generations;
    if (pool->idle_time != 0) {
        staff->idle_since = sil__spin_now();
        sil__alarm_locked(pool, staff->idle_since + pool->idle_time);
    }
    pool->loads[index] = 0;
    pool->live++;
    __atomic_store_n(&staff->channel, channel, __ATOMIC_RELEASE);
}

/* A free place, if more workers are wanted; base.workers: none. */
static unsigned wanted_locked(struct sil__procs *pool)
{
    if (pool->broken || pool->leaving || !pool->helper_ready ||
        (pool->dropping && pool->in_flight == 0))
        return pool->base.workers;
    uint64_t useful = pool->in_flight + pool->queue.count;
    if (useful > pool->keep)
        pool->keep = useful < pool->base.workers ? (unsigned)useful : pool->base.workers;
    unsigned place = pool->base.workers;
    unsigned working = 0;
    for (unsigned i = pool->base.workers; i-- > 0;) {
        working += pool->staff[i].state == SIL__STAFF_WORKING;
        if (pool->staff[i].state == SIL__STAFF_NONE)
            place = i;
    }
    return working < pool->keep ? place : pool->base.workers;
}

/* True: it was started, or nobody is wanted. */
static bool hire_one(struct sil__procs *pool, bool *out_more)
{
    *out_more = false;
    sil__lock_take(&pool->lock);
    unsigned index = wanted_locked(pool);
    sil__lock_drop(&pool->lock);
    if (index == pool->base.workers)
        return true;
    int fd;
    struct sil__channel *channel = create_channel(&fd);
    if (!channel)
        return false;
    sil__lock_take(&pool->lock);
    occupy_locked(pool, index, channel);
    struct sil__start start = {.index = index, .generation = pool->staff[index].generation};
    sil__send_locked(pool);
    bool misfits = pool->misfits;
    sil__lock_drop(&pool->lock);
    if (misfits)
        sil__misfits_end(pool);
    /* If it cannot be sent the helper is gone, which the keeper sees at its socket. */
    (void)sil__message_send(pool->helper_socket, &start, sizeof start, &fd, 1);
    (void)close(fd);
    *out_more = true;
    return true;
}

/* Nobody can be had: what waits fails, once nobody is left who could do it. */
static void give_up(struct sil__procs *pool)
{
    sil__lock_take(&pool->lock);
    sil_future *tasks = NULL;
    if (pool->live == 0) {
        tasks = sil__queue_take_all(&pool->queue);
        pool->keep = 0;
        pool->failed_starts = 0;
    }
    sil__lock_drop(&pool->lock);
    sil__procs_drop(pool, tasks, SIL_EAGAIN);
}

void sil__hire(struct sil__procs *pool)
{
    const unsigned most_refused = 20;
    bool more = true;
    while (more) {
        if (!hire_one(pool, &more)) {
            give_up(pool);
            return;
        }
    }
    sil__lock_take(&pool->lock);
    bool hopeless = pool->failed_starts >= most_refused && pool->live == 0;
    sil__lock_drop(&pool->lock);
    if (hopeless)
        give_up(pool);
}
