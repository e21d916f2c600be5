/* SPDX-License-Identifier: MIT */
/*
 * The worker's answers, see channel.h.
 */
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/futex.h"
#include "base/spin.h"
#include "core/context.h"
#include "process/worker.h"

void sil__worker_sleep(struct sil__worker *worker, const _Atomic uint32_t *word, uint32_t seen)
{
    struct sil__channel *channel = worker->channel;
    uint32_t call = atomic_load_explicit(&channel->call, memory_order_acquire);
    atomic_store_explicit(&channel->asleep, 1, memory_order_relaxed);
    sil__channel_fence(); /* channel.h, I1 */
    if (atomic_load_explicit(word, memory_order_acquire) == seen &&
        !atomic_load_explicit(&channel->leave, memory_order_relaxed))
        (void)sil__futex_wait_shared(&channel->call, call, INT64_MAX);
    atomic_store_explicit(&channel->asleep, 0, memory_order_relaxed);
}

struct sil__answer *sil__answer_begin(struct sil__worker *worker)
{
    struct sil__channel *channel = worker->channel;
    if (*worker->witness != 1)
        _exit(0); /* a fork of the worker, which has nothing to say */
    sil__lock_take(&worker->lock);
    for (;;) {
        uint32_t taken = atomic_load_explicit(&channel->answers_taken, memory_order_acquire);
        if (worker->answers - taken < SIL__RING)
            return &channel->answers[worker->answers % SIL__RING];
        sil__control_ring(worker->control);
        /* Told to leave we must not sleep; but nobody is when answers are still wanted. */
        sil__worker_sleep(worker, &channel->answers_taken, taken);
    }
}

void sil__answer_send(struct sil__worker *worker, struct sil__answer *answer)
{
    /* Release pairs with the pool's acquire: the answer before its number. */
    atomic_store_explicit(&answer->number, ++worker->answers, memory_order_release);
    sil__lock_drop(&worker->lock);
    sil__control_ring(worker->control);
}

static bool has_next(const struct sil__worker *worker)
{
    uint32_t next = worker->position + 1;
    return atomic_load_explicit(&worker->channel->slots[next % SIL__RING].state,
                                memory_order_relaxed) == sil__slot_state(next, SIL__SLOT_SENT);
}

void sil__answer_send_done(struct sil__worker *worker, struct sil__answer *answer)
{
    atomic_store_explicit(&answer->number, ++worker->answers, memory_order_release);
    sil__lock_drop(&worker->lock);
    sil__channel_fence(); /* channel.h, I1 */
    uint32_t watch = atomic_load_explicit(&worker->control->watch, memory_order_relaxed);
    worker->unrung = watch == SIL__WATCH_THREAD && !has_next(worker);
    if (watch != SIL__WATCH_AWAKE && !worker->unrung)
        sil__control_ring(worker->control);
}

void sil__answer_ring(struct sil__worker *worker)
{
    const int tight = 24, patience = 32;
    const struct sil__channel *channel = worker->channel;
    worker->unrung = false;
    for (int i = 0; i < patience; i++) {
        if (atomic_load_explicit(&channel->answers_taken, memory_order_relaxed) == worker->answers)
            return;
        if (atomic_load_explicit(&worker->control->watch, memory_order_relaxed) !=
            SIL__WATCH_THREAD)
            break;
        if (has_next(worker))
            break;
        if (i < tight)
            sil__spin_pause();
        else
            (void)sched_yield(); /* it may wait for our CPU */
    }
    sil__control_ring(worker->control);
}

void sil__answer_text(struct sil__worker *worker, const char *text)
{
    const size_t most = 4096;
    size_t size = strnlen(text, most);
    for (size_t done = 0; done < size;) {
        size_t part = size - done < SIL__ANSWER_BYTES ? size - done : SIL__ANSWER_BYTES;
        struct sil__answer *answer = sil__answer_begin(worker);
        answer->kind = SIL__ANSWER_TEXT;
        answer->size = part;
        memcpy(answer->bytes, text + done, part);
        sil__answer_send(worker, answer);
        done += part;
    }
}

void *sil__answer_alloc(struct sil__worker *worker, size_t size)
{
    struct sil__channel *channel = worker->channel;
    sil__lock_take(&worker->request);
    struct sil__answer *answer = sil__answer_begin(worker);
    answer->kind = SIL__ANSWER_ALLOC;
    answer->size = size;
    sil__answer_send(worker, answer);
    while (atomic_load_explicit(&channel->replies, memory_order_acquire) == worker->replies)
        (void)sil__futex_wait_shared(&channel->replies, worker->replies, INT64_MAX);
    worker->replies++;
    void *block = sil__address(atomic_load_explicit(&channel->reply, memory_order_relaxed));
    sil__lock_drop(&worker->request);
    if (!block)
        sil__fail(SIL_ENOMEM, "no shared memory for %zu bytes", size);
    return block;
}

void sil__answer_free(struct sil__worker *worker, void *block)
{
    struct sil__answer *answer = sil__answer_begin(worker);
    answer->kind = SIL__ANSWER_FREE;
    answer->block = (uintptr_t)block;
    sil__answer_send(worker, answer);
}
