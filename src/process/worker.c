/* SPDX-License-Identifier: MIT */
/*
 * The worker's loop: the next task, or none: look for a while, then sleep.
 *
 * It needs no descriptor: a task may close them all.
 */
#include "process/worker.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "base/spin.h"
#include "core/future.h"

/* What is at the next position? */
enum found { NOTHING, TASK, PASSED };

static enum found look(struct sil__worker *worker, struct sil__slot **out_slot)
{
    struct sil__slot *slot = &worker->channel->slots[worker->next % SIL__RING];
    uint32_t sent = sil__slot_state(worker->next, SIL__SLOT_SENT);
    /* Acquire pairs with the pool's release: the task before its state. */
    uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
    if (state == sent && atomic_compare_exchange_strong_explicit(
                             &slot->state, &state, sil__slot_state(worker->next, SIL__SLOT_BEGUN),
                             memory_order_acquire, memory_order_acquire)) {
        *out_slot = slot;
        return TASK;
    }
    return state == sil__slot_state(worker->next, SIL__SLOT_REVOKED) ? PASSED : NOTHING;
}

/*
 * The pool's thread and this one have come to share a CPU, which neither notices as long as each
 * sleeps while the other runs: so they may stay there for ever. Leave it, if there is another.
 */
static void move_away(struct sil__worker *worker)
{
    const int often = 3;
    const int64_t seldom = INT64_C(100000000);
    if (++worker->crossed < often || worker->hello->limits.pinned)
        return;
    worker->crossed = 0;
    int64_t now = sil__spin_now();
    if (now - worker->moved_at < seldom)
        return;
    worker->moved_at = now;
    cpu_set_t all, others;
    if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2)
        return;
    others = all;
    CPU_CLR((unsigned)sched_getcpu(), &others);
    if (sched_setaffinity(0, sizeof others, &others) != 0)
        return;
    (void)sched_setaffinity(0, sizeof all, &all);
    worker->spin_credit =
        sil__spin_credit(INT_MAX / 2, SIL__SPIN_SHORT); /* a sleep would lead back */
}

static void note_spin(struct sil__worker *worker, enum sil__spin_wait wait, bool shared)
{
    worker->spin_credit = sil__spin_credit(worker->spin_credit, wait);
    if (shared)
        move_away(worker);
    else if (wait == SIL__SPIN_SHORT)
        worker->crossed = 0;
}

/* True: there is something. */
static bool spin(struct sil__worker *worker)
{
    if (worker->spin_credit <= 0 || !sil__spin_pays)
        return false;
    const struct sil__slot *slot = &worker->channel->slots[worker->next % SIL__RING];
    uint32_t old = atomic_load_explicit(&slot->state, memory_order_relaxed);
    uint32_t sent = sil__slot_state(worker->next, SIL__SLOT_SENT);
    if (old == sent)
        return true;
    struct sil__spin spin;
    sil__spin_begin(&spin);
    while (sil__spin_again(&spin)) {
        if (atomic_load_explicit(&slot->state, memory_order_relaxed) != old) {
            note_spin(worker, sil__spin_outcome(&spin), spin.shared);
            return true;
        }
        if (atomic_load_explicit(&worker->channel->leave, memory_order_relaxed))
            return true;
    }
    note_spin(worker, SIL__SPIN_VAIN, spin.shared);
    return false;
}

static void rest(struct sil__worker *worker)
{
    const struct sil__slot *slot = &worker->channel->slots[worker->next % SIL__RING];
    uint32_t seen = atomic_load_explicit(&slot->state, memory_order_relaxed);
    uint32_t phase = seen & SIL__SLOT_PHASE;
    if (seen >> SIL__SLOT_SHIFT == (worker->next & (UINT32_MAX >> SIL__SLOT_SHIFT)) &&
        (phase == SIL__SLOT_SENT || phase == SIL__SLOT_REVOKED))
        return;
    int64_t since = sil__spin_now();
    sil__worker_sleep(worker, &slot->state, seen);
    bool is_short = sil__spin_now() - since < SIL__SPIN_TIME;
    worker->spin_credit =
        sil__spin_credit(worker->spin_credit, is_short ? SIL__SPIN_SHORT : SIL__SPIN_LONG);
}

/* A task ended its thread, which is the worker's only one: so it ended the worker. */
static void thread_ended(void *arg)
{
    (void)arg;
    _exit(0);
}

static bool is_next(const struct sil__worker *worker)
{
    uint32_t state = atomic_load_explicit(&worker->channel->slots[worker->next % SIL__RING].state,
                                          memory_order_acquire);
    return state == sil__slot_state(worker->next, SIL__SLOT_SENT) ||
           state == sil__slot_state(worker->next, SIL__SLOT_REVOKED);
}

/* False: leave. */
__attribute__((noinline)) static bool step(struct sil__worker *worker)
{
    struct sil__slot *slot;
    enum found found = look(worker, &slot);
    if (found != NOTHING && worker->unrung &&
        atomic_load_explicit(&worker->channel->answers_taken, memory_order_relaxed) !=
            worker->answers)
        sil__control_ring(worker->control);
    if (found != NOTHING) {
        worker->unrung = false;
        worker->passed = found == PASSED;
        if (found == TASK)
            sil__worker_perform(worker, slot);
        worker->next++;
        atomic_store_explicit(&worker->channel->passed, worker->next, memory_order_release);
        return true;
    }
    if (worker->unrung) {
        sil__answer_ring(worker);
        return true;
    }
    if (worker->passed) {
        worker->passed = false;
        struct sil__answer *answer = sil__answer_begin(worker);
        answer->kind = SIL__ANSWER_PASSED;
        sil__answer_send(worker, answer);
    }
    /* What was sent before it was told to leave is still done. */
    if (atomic_load_explicit(&worker->channel->leave, memory_order_acquire))
        return is_next(worker);
    if (!spin(worker))
        rest(worker);
    return true;
}

void sil__worker_loop(struct sil__worker *worker)
{
    pthread_cleanup_push(thread_ended, NULL);
    while (step(worker))
        ;
    pthread_cleanup_pop(0);
}
