/* SPDX-License-Identifier: MIT */
/*
 * The worker's loop: the next task, or none: look for a while, then sleep.
 *
 * It needs no descriptor: a task may close them all.
 */
#include "process/worker.h"

#include <pthread.h>
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
            worker->spin_credit = sil__spin_credit(worker->spin_credit, sil__spin_outcome(&spin));
            return true;
        }
        if (atomic_load_explicit(&worker->channel->leave, memory_order_relaxed))
            return true;
    }
    worker->spin_credit = sil__spin_credit(worker->spin_credit, SIL__SPIN_VAIN);
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

void sil__worker_loop(struct sil__worker *worker)
{
    pthread_cleanup_push(thread_ended, NULL);
    for (;;) {
        struct sil__slot *slot;
        enum found found = look(worker, &slot);
        if (found == TASK)
            sil__worker_perform(worker, slot);
        if (found != NOTHING) {
            worker->next++;
            atomic_store_explicit(&worker->channel->passed, worker->next, memory_order_release);
        } else if (atomic_load_explicit(&worker->channel->leave, memory_order_acquire)) {
            break;
        } else if (!spin(worker)) {
            rest(worker);
        }
    }
    pthread_cleanup_pop(0);
}
