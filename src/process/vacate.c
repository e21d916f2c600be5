/* SPDX-License-Identifier: MIT */
/*
 * A worker has ended: what becomes of its tasks.
 *
 * The oldest, if it had begun, fails or is run again; all others go back to the queue's front, in
 * their order.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "process/death.h"
#include "process/pool.h"

#define SENTENCE 160

/* Workers that die before they take a task: of themselves, and by somebody's hand. */
#define MOST_FAILED_STARTS 3
#define MOST_KILLED_STARTS 100

static void describe_end(const struct sil__staff *staff, char *text, size_t size)
{
    if (staff->mad)
        (void)snprintf(text, size, "was ended, for it wrote rubbish into the pool's memory");
    else if (staff->status_known)
        sil__death_describe(staff->status, staff->oom, text, size);
    else
        (void)snprintf(text, size, "ended together with the pool's helper process");
}

static int signal_of(const struct sil__staff *staff)
{
    return staff->status_known && WIFSIGNALED(staff->status) ? WTERMSIG(staff->status) : 0;
}

static void explain(struct sil__procs *pool, unsigned index, const struct sil__flight *flight,
                    struct sil__ending *ending)
{
    struct sil__staff *staff = &pool->staff[index];
    char how[SENTENCE];
    char label[96];
    char text[SENTENCE + 256];
    describe_end(staff, how, sizeof how);
    (void)sil__future_label(flight->task, label, sizeof label);
    ending->outcome = (sil_outcome){.code = SIL_EBROKEN};
    bool meant = flight->position == staff->kill_task;
    if (staff->cancelled && meant) {
        ending->outcome.code = SIL_ECANCELLED;
        (void)snprintf(text, sizeof text, "%s was cancelled, and its process %lld ended", label,
                       (long long)staff->pid);
    } else if (staff->timed_out && meant) {
        ending->outcome.code = SIL_ETIMEDOUT;
        (void)snprintf(text, sizeof text,
                       "%s ran longer than its limit of %.3g s, and its process %lld was ended",
                       label, (double)flight->limit / 1e9, (long long)staff->pid);
    } else {
        (void)snprintf(text, sizeof text, "%s lost its worker: process %lld (%s-%u) %s", label,
                       (long long)staff->pid, pool->name, index, how);
    }
    ending->text = sil__alloc_text(text);
    (void)snprintf(ending->worker, sizeof ending->worker, "%.9s-%u", pool->name, index);
    ending->outcome.message = ending->text;
    ending->outcome.worker = ending->worker;
    ending->outcome.pid = staff->pid;
    ending->outcome.signal = signal_of(staff);
}

static bool run_again(struct sil__procs *pool, const struct sil__staff *staff,
                      const struct sil__flight *flight)
{
    sil_future *task = flight->task;
    unsigned retries = sil_task_retries(task);
    if (retries == 0)
        retries = pool->retries;
    bool meant = (staff->timed_out || staff->cancelled) && flight->position == staff->kill_task;
    if (retries == 0 || meant || pool->dropping || sil__state_cancel_asked(task))
        return false;
    struct sil__details *details = sil__future_details(task);
    if (!details || details->lost >= retries)
        return false;
    details->lost++;
    pool->retried++;
    return true;
}

/* The one that had begun. */
static void lose(struct sil__procs *pool, unsigned index, struct sil__flight *flight,
                 struct sil__endings *endings)
{
    struct sil__staff *staff = &pool->staff[index];
    bool again = run_again(pool, staff, flight);
    struct sil__ending *ending = &endings->of[endings->count];
    if (!again)
        explain(pool, index, flight, ending);
    if (flight->result)
        (void)sil__region_free(flight->result);
    flight->result = NULL;
    sil_future *task = sil__land_locked(pool, index, flight);
    if (again) {
        sil_task_recall(task);
        sil__queue_prepend(&pool->queue, task);
    } else {
        ending->task = task;
        endings->count++;
    }
}

/* The one that has begun is the oldest; what the worker says of later ones is not believed. */
static void empty(struct sil__procs *pool, unsigned index, struct sil__endings *endings)
{
    struct sil__staff *staff = &pool->staff[index];
    struct sil__flight *begun = NULL;
    for (uint32_t at = staff->oldest; at != staff->sent && !begun; at++)
        if (staff->flights[at % SIL__RING].task)
            begun = &staff->flights[at % SIL__RING];
    bool lost = begun && !sil__revoke_locked(staff, begun->position);
    for (uint32_t at = staff->sent; at != staff->oldest;) {
        struct sil__flight *flight = &staff->flights[--at % SIL__RING];
        if (!flight->task || (lost && flight == begun))
            continue;
        if (flight->result)
            (void)sil__region_free(flight->result);
        flight->result = NULL;
        sil_future *task = sil__land_locked(pool, index, flight);
        sil_task_recall(task);
        sil__queue_prepend(&pool->queue, task);
    }
    if (lost)
        lose(pool, index, begun, endings);
}

/* It never took a task: something is wrong with all of them, maybe. */
static void count_failed_start(struct sil__procs *pool, unsigned index)
{
    struct sil__staff *staff = &pool->staff[index];
    int signal = signal_of(staff);
    bool by_hand = signal == SIGKILL || signal == SIGTERM || !staff->status_known;
    pool->failed_starts++;
    if (pool->failed_starts < (by_hand ? MOST_KILLED_STARTS : MOST_FAILED_STARTS) &&
        !staff->said_broken)
        return;
    char text[SIL__TEXT_SIZE + SENTENCE];
    if (staff->said_broken) {
        staff->text[staff->text_size] = 0;
        (void)snprintf(text, sizeof text, "the initializer of pool '%s' failed with %d (%s)",
                       pool->name, staff->broken_code,
                       staff->text_size ? staff->text : sil_strerror(staff->broken_code));
    } else {
        char how[SENTENCE];
        describe_end(staff, how, sizeof how);
        (void)snprintf(text, sizeof text,
                       "no worker of pool '%s' gets as far as its first task: the last one %s",
                       pool->name, how);
    }
    if (pool->broken == 0) {
        pool->broken = SIL_EBROKEN;
        pool->why = sil__alloc_text(text);
        sil__kick(pool);
    }
}

void sil__vacate(struct sil__procs *pool, unsigned index, struct sil__endings *endings)
{
    struct sil__staff *staff = &pool->staff[index];
    bool expected = staff->state == SIL__STAFF_LEAVING && !staff->mad;
    bool had_tasks = staff->load > 0;
    empty(pool, index, endings);
    if (staff->refused == 0 && !staff->was_ready && !(expected && !had_tasks))
        count_failed_start(pool, index);
    if (staff->refused != 0)
        pool->failed_starts++;
    else if (!expected || had_tasks)
        pool->replaced++;
    sil__blocks_free(staff);
    (void)munmap(staff->channel, sizeof *staff->channel);
    staff->channel = NULL;
    if (staff->pidfd >= 0)
        (void)close(staff->pidfd);
    staff->pidfd = -1;
    staff->pid = 0;
    staff->state = SIL__STAFF_NONE;
    pool->loads[index] = SIL__NO_MORE;
    pool->live--;
    atomic_store_explicit(&staff->ended, false, memory_order_relaxed);
    atomic_fetch_sub_explicit(&pool->ends, 1, memory_order_relaxed);
    sil__kick(pool);
}
