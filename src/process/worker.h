/* SPDX-License-Identifier: MIT */
/*
 * The worker's side: a process that takes tasks from its channel and runs them.
 */
#ifndef SIL__PROCESS_WORKER_H
#define SIL__PROCESS_WORKER_H

#include "base/lock.h"
#include "core/remote.h"
#include "process/channel.h"
#include "process/nursery.h"

struct sil__worker {
    /* Read-only. */
    const struct sil__hello *hello;
    struct sil__control *control;
    struct sil__channel *channel;
    struct sil__decoder *decoder;
    volatile uint32_t *witness; /* 1; 0 in whatever process is forked from this one */

    uint32_t next;            /* the position of the next task */
    uint32_t answers;         /* written so far */
    uint32_t replies;         /* had so far */
    struct sil__lock lock;    /* an answer is being written; tasks may have threads */
    struct sil__lock request; /* a request waits for its reply */
    bool passed;              /* over something revoked, since the last answer */
    bool unrung;              /* an answer was sent, and nobody called yet */
    int spin_credit;
    int crossed; /* spins that stood in another thread's way, in a row */
    int64_t moved_at;

    /* The functions met last. */
    struct {
        struct sil__code code;
        sil_task_fn fn;
    } known[16];

    /* The task that runs. */
    struct sil__remote remote;
    struct sil__slot *slot;
    uint32_t position;
    void *own_result; /* of sil_result_alloc: a block, */
    size_t own_size;
    _Alignas(max_align_t) unsigned char small_result[SIL__ANSWER_BYTES]; /* or these bytes */
    bool owns_small;
};

/* Run tasks until told to leave. */
void sil__worker_loop(struct sil__worker *worker);

/* Run the task in this slot, which has begun, and answer. (worker_task.c) */
void sil__worker_perform(struct sil__worker *worker, struct sil__slot *slot);

/* --- answers (answer.c) -------------------------------------------------------------------- */

/* The next answer's place, to be filled; waits for room. Others wait until it is sent. */
struct sil__answer *sil__answer_begin(struct sil__worker *worker);

/* It is filled. */
void sil__answer_send(struct sil__worker *worker, struct sil__answer *answer);

/* The same for the last word on a task, which can wait a moment if there is no next one: whoever
 * submitted it may come to wait for it, so that nobody else need be woken. sil__answer_ring later. */
void sil__answer_send_done(struct sil__worker *worker, struct sil__answer *answer);
void sil__answer_ring(struct sil__worker *worker);

/* The text that goes with the next answer. */
void sil__answer_text(struct sil__worker *worker, const char *text);

/* A block of the pool's, and back; an error is set when there is none. */
void *sil__answer_alloc(struct sil__worker *worker, size_t size);
void sil__answer_free(struct sil__worker *worker, void *block);

/* Sleep until the pool calls; there must be nothing in seen's place, which is read last. */
void sil__worker_sleep(struct sil__worker *worker, const _Atomic uint32_t *word, uint32_t seen);

#endif
