/* SPDX-License-Identifier: MIT */
/*
 * The keeper: the thread that hires workers, learns of their ends, keeps the time, and is the last
 * to leave.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/spin.h"
#include "core/context.h"
#include "process/death.h"
#include "process/pool.h"

/* Who was told to leave and does not is killed after so many nanoseconds. */
#define PATIENCE INT64_C(2000000000)
/* ... and who has ended, but was not told of, counts so after this. */
#define HELPER_PATIENCE INT64_C(200000000)
/* Helpers that are started anew in place of one that died. */
#define MOST_HELPERS 10 /* in the life of a pool: more is no accident */

void sil__kick(struct sil__procs *pool)
{
    if (atomic_exchange_explicit(&pool->kicked, true, memory_order_acq_rel))
        return;
    uint64_t one = 1;
    ssize_t written = write(pool->kick_fd, &one, sizeof one);
    (void)written; /* it counts: it cannot fail but when it is full, and then it is readable */
}

void sil__alarm_locked(struct sil__procs *pool, int64_t when)
{
    if (pool->alarm != 0 && pool->alarm <= when)
        return;
    pool->alarm = when;
    const struct itimerspec spec = {
        .it_value = {.tv_sec = when / INT64_C(1000000000), .tv_nsec = when % INT64_C(1000000000)}};
    (void)timerfd_settime(pool->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void drain(int fd)
{
    uint64_t count;
    ssize_t size = read(fd, &count, sizeof count);
    (void)size;
}

/* --- news of the helper -------------------------------------------------------------------- */

static struct sil__staff *staff_of_locked(struct sil__procs *pool, const struct sil__news *news)
{
    if (news->index >= pool->base.workers)
        return NULL;
    struct sil__staff *staff = &pool->staff[news->index];
    return staff->channel && staff->generation == news->generation ? staff : NULL;
}

static void started(struct sil__procs *pool, const struct sil__news *news, int pidfd)
{
    sil__lock_take(&pool->lock);
    struct sil__staff *staff = staff_of_locked(pool, news);
    if (staff) {
        staff->pid = news->pid;
        staff->pidfd = pidfd;
        staff->started = true;
        if (staff->doomed)
            sil__kill_locked(staff, SIGKILL);
        struct epoll_event event = {
            .events = EPOLLIN | EPOLLONESHOT,
            .data.u64 = (uint64_t)news->generation << 32 | news->index,
        };
        if (pidfd >= 0)
            (void)epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, pidfd, &event);
    } else if (pidfd >= 0) {
        (void)close(pidfd);
    }
    sil__lock_drop(&pool->lock);
}

/* Its descriptor tells that it has ended. How is told by the helper, in a moment; but for a helper
 * that somebody stopped nobody waits long. */
static void died(struct sil__procs *pool, uint64_t whom)
{
    const struct sil__news news = {.index = (uint32_t)whom, .generation = (uint32_t)(whom >> 32)};
    sil__lock_take(&pool->lock);
    struct sil__staff *staff = staff_of_locked(pool, &news);
    if (staff) {
        staff->silent_until = sil__spin_now() + HELPER_PATIENCE;
        sil__alarm_locked(pool, staff->silent_until);
    }
    sil__lock_drop(&pool->lock);
}

/* Whoever has the watch sees to the rest. */
void sil__ended_locked(struct sil__procs *pool, struct sil__staff *staff)
{
    if (!atomic_load_explicit(&staff->ended, memory_order_relaxed)) {
        atomic_store_explicit(&staff->ended, true, memory_order_release);
        atomic_fetch_add_explicit(&pool->ends, 1, memory_order_release);
    }
}

static void ended(struct sil__procs *pool, const struct sil__news *news)
{
    bool killed = news->kind == SIL__NEWS_ENDED && WIFSIGNALED(news->status) &&
                  WTERMSIG(news->status) == SIGKILL;
    uint64_t oom_kills = killed ? sil__death_oom_kills("") : 0; /* reads files: without the lock */
    sil__lock_take(&pool->lock);
    struct sil__staff *staff = staff_of_locked(pool, news);
    if (staff && news->kind == SIL__NEWS_ENDED) {
        staff->status = news->status;
        staff->status_known = true;
        if (killed && oom_kills > 0 && !staff->timed_out && !staff->cancelled) {
            staff->oom = oom_kills > pool->oom_kills;
            pool->oom_kills = oom_kills;
        }
        sil__ended_locked(pool, staff);
    } else if (staff) {
        staff->refused = news->code ? news->code : EAGAIN;
        sil__ended_locked(pool, staff);
    }
    sil__lock_drop(&pool->lock);
    sil__control_call(pool->control);
}

/* The helper has gone, and its workers with it, or will in a moment. */
static void helper_lost(struct sil__procs *pool)
{
    sil__helper_close(pool);
    sil__lock_take(&pool->lock);
    for (unsigned i = 0; i < pool->base.workers; i++) {
        struct sil__staff *staff = &pool->staff[i];
        if (!staff->channel)
            continue;
        if (staff->pidfd >= 0)
            sil__kill_locked(staff, SIGKILL);
        sil__ended_locked(pool, staff);
    }
    bool leaving = pool->leaving;
    sil__lock_drop(&pool->lock);
    sil__control_call(pool->control);
    if (leaving)
        return;
    if (pool->hello.forked)
        sil__procs_break(pool, SIL_EBROKEN, "its helper process ended, and cannot be forked again");
    else if (++pool->helpers_lost > MOST_HELPERS || sil__helper_open(pool) != 0)
        sil__procs_break(pool, SIL_EBROKEN, "its helper process ended, and cannot be replaced");
    else
        sil__keeper_watch(pool, pool->helper_socket, SIL__KEEPER_HELPER);
}

static void hear(struct sil__procs *pool)
{
    struct sil__news news;
    int pidfd;
    if (!sil__message_receive(pool->helper_socket, &news, sizeof news, &pidfd, 1)) {
        helper_lost(pool);
        return;
    }
    news.text[sizeof news.text - 1] = 0;
    switch (news.kind) {
    case SIL__NEWS_READY:
        pool->helper_ready = true;
        break;
    case SIL__NEWS_FAILED:
        if (news.code == SIL_EAGAIN)
            break; /* an address that another process may not have: it ends, and is replaced */
        sil__procs_break(pool, SIL_EBROKEN, news.text);
        break;
    case SIL__NEWS_STARTED:
        started(pool, &news, pidfd);
        return;
    default:
        ended(pool, &news);
    }
    if (pidfd >= 0)
        (void)close(pidfd);
}

/* --- the end ------------------------------------------------------------------------------- */

/* All is done: workers leave. True: they have. */
static bool let_go(struct sil__procs *pool)
{
    sil__lock_take(&pool->lock);
    bool leaving = pool->leaving;
    for (unsigned i = 0; leaving && i < pool->base.workers; i++)
        if (pool->staff[i].state == SIL__STAFF_WORKING)
            sil__leave_locked(pool, i);
    if (leaving && pool->live > 0 && pool->kill_at == 0) {
        int status; /* somebody may have stopped it */
        if (pool->helper_pid > 0 &&
            waitpid(pool->helper_pid, &status, WUNTRACED | WNOHANG) == pool->helper_pid) {
            if (WIFSTOPPED(status))
                (void)kill(pool->helper_pid, SIGCONT);
            else
                pool->helper_pid = 0; /* it has ended, which its socket tells */
        }
        pool->kill_at = sil__spin_now() + PATIENCE;
        sil__alarm_locked(pool, pool->kill_at);
    }
    bool gone = leaving && pool->live == 0;
    sil__lock_drop(&pool->lock);
    return gone;
}

static void end(struct sil__procs *pool)
{
    sil__helper_close(pool);
    atomic_store_explicit(&pool->collector_ends, true, memory_order_release);
    sil__collector_call(pool);
    (void)pthread_join(pool->collector, NULL);
    sil__callbacks_end(pool);
    sil__lock_take(&pool->lock);
    bool orphan = pool->orphan;
    sil__lock_drop(&pool->lock);
    if (!orphan)
        return;
    (void)pthread_detach(pthread_self());
    sil__procs_destroy(pool);
}

static void wake_up(struct sil__procs *pool)
{
    struct epoll_event events[16];
    int count = epoll_wait(pool->epoll_fd, events, sizeof events / sizeof *events, -1);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == SIL__KEEPER_KICK)
            drain(pool->kick_fd);
        else if (events[i].data.u64 == SIL__KEEPER_TIMER)
            drain(pool->timer_fd);
        else if (events[i].data.u64 != SIL__KEEPER_HELPER)
            died(pool, events[i].data.u64);
        else if (pool->helper_socket >= 0)
            hear(pool);
    }
}

/* An initializer failed, or workers die before they do anything. */
static void see_broken(struct sil__procs *pool)
{
    sil__lock_take(&pool->lock);
    int code = pool->broken;
    bool open = pool->queue.count > 0 || pool->in_flight > 0;
    sil__lock_drop(&pool->lock);
    if (code != 0 && open)
        sil__procs_break(pool, code, NULL);
}

void sil__keeper_watch(struct sil__procs *pool, int fd, uint64_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = what};
    (void)epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void *sil__keeper_main(void *arg)
{
    struct sil__procs *pool = arg;
    (void)prctl(PR_SET_NAME, "sil-keeper");
    for (;;) {
        atomic_store_explicit(&pool->kicked, false, memory_order_release);
        see_broken(pool);
        sil__misfits_end(pool);
        sil__procs_see_closed(pool);
        sil__hire(pool);
        sil__lock_take(&pool->lock);
        sil__timing_look_locked(pool);
        sil__lock_drop(&pool->lock);
        if (let_go(pool))
            break;
        wake_up(pool);
    }
    end(pool);
    return NULL;
}
