/* SPDX-License-Identifier: MIT */
/*
 * What a pool and a worker say to each other, through memory both have mapped: one ring of tasks,
 * one of answers. Each has one writer and one reader.
 *
 * A task in the ring can be called back: its slot's state says at which position of the endless
 * sequence of tasks it stands, and whether it was sent, has begun, or was revoked. The pool and the
 * worker race for it by compare-and-swap.
 *
 *            pool           worker
 *     (old) ------> SENT ------------> BEGUN
 *                    |
 *                    +--> REVOKED    (pool; the worker passes over it)
 *
 * The worker may be gone, or mad, at any time: the pool keeps what it relies on in its own memory,
 * and takes whatever stands here as a claim to be checked. A channel belongs to one process and is
 * never used again by the next.
 *
 * I1: sleeping. Whoever writes something for the other looks afterwards, behind a full fence,
 *     whether it sleeps; whoever sleeps says so first and looks once more, behind a full fence.
 */
#ifndef SIL__PROCESS_CHANNEL_H
#define SIL__PROCESS_CHANNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "process/module.h"

/* Tasks a worker can have waiting, and answers the pool can have. A power of two. */
#define SIL__RING 256
/* Bytes of arguments, and of results, that travel in the ring itself. */
#define SIL__SLOT_BYTES 64
#define SIL__ANSWER_BYTES 96
#define SIL__TASK_NAME_SIZE 64
#define SIL__PAGE 4096

/* --- tasks --------------------------------------------------------------------------------- */

/* In a slot's state, below the position. */
enum {
    SIL__SLOT_SENT = 1,
    SIL__SLOT_BEGUN = 2,
    SIL__SLOT_REVOKED = 3,
    SIL__SLOT_PHASE = 3,
    SIL__SLOT_CANCEL = 4, /* it is asked to stop */
    SIL__SLOT_SHIFT = 3,
};

enum {
    SIL__TASK_ARG_BLOCK = 1,    /* the argument lies in a block; else in bytes */
    SIL__TASK_RESULT_BLOCK = 2, /* there is a block for the result; else it goes into the answer */
    SIL__TASK_NAMED = 4,
    SIL__TASK_TIMED = 8, /* say when it begins */
    SIL__TASK_ITEMS = 16,
};

struct sil__slot {
    _Atomic uint32_t state; /* position << SHIFT, and the phase */
    uint32_t flags;
    uint32_t module;
    uint32_t items;
    uint64_t offset;
    uint64_t arg_size;
    uint64_t result_size;
    uint64_t arg;    /* address of the block */
    uint64_t result; /* address of the block */
    int64_t deadline;
    unsigned char bytes[SIL__SLOT_BYTES];
};

/* --- answers ------------------------------------------------------------------------------- */

enum sil__answer_kind {
    SIL__ANSWER_READY = 1, /* the worker takes tasks now; size is its pid */
    SIL__ANSWER_BROKEN,    /* it cannot: code, text before */
    SIL__ANSWER_TEXT,      /* size bytes of the message that goes with the next answer */
    SIL__ANSWER_DONE,  /* of the task at position; code; the result: size bytes here, or in block */
    SIL__ANSWER_ALLOC, /* wants a block of size; the pool replies */
    SIL__ANSWER_FREE,  /* gives block back */
    SIL__ANSWER_PASSED, /* passed over what was revoked, and has nothing to do */
};

struct sil__answer {
    _Atomic uint32_t number; /* 1 for the first answer, and so on: it is ready */
    uint32_t kind;
    uint32_t position;
    int32_t code;
    uint64_t size;
    uint64_t block;
    unsigned char bytes[SIL__ANSWER_BYTES];
};

struct sil__channel {
    /* Written by the pool. */
    _Alignas(128) _Atomic uint32_t call; /* futex; one more when a sleeper is to look */
    _Atomic uint32_t leave;              /* end when there are no tasks */
    _Atomic uint32_t answers_taken;      /* answers below are read */
    _Atomic uint32_t replies;            /* futex; requests answered */
    _Atomic uint64_t reply;              /* the block; 0: there is none */
    /* Written by the worker. */
    _Alignas(128) _Atomic uint32_t asleep;
    _Atomic uint32_t passed; /* tasks below are done, or were called back */
    _Atomic uint32_t timed;  /* the position of the timed task that began at begun_at */
    _Atomic int64_t begun_at;
    _Atomic uint32_t progress_of; /* position + 1 */
    _Atomic uint64_t progress_done;
    _Atomic uint64_t progress_total;

    _Alignas(128) struct sil__slot slots[SIL__RING];
    struct sil__answer answers[SIL__RING];
    char names[SIL__RING][SIL__TASK_NAME_SIZE];
};

_Static_assert(sizeof(struct sil__slot) == 128, "two cache lines");
_Static_assert(sizeof(struct sil__answer) == 128, "two cache lines");

static inline uint32_t sil__slot_state(uint32_t position, uint32_t phase)
{
    return position << SIL__SLOT_SHIFT | phase;
}

/* An address that came through the ring. */
static inline void *sil__address(uint64_t number)
{
    return (void *)(uintptr_t)number; // NOLINT(performance-no-int-to-ptr): it is one
}

/* --- what all workers of a pool share ------------------------------------------------------ */

/* Who sees to it that answers are taken. */
enum {
    SIL__WATCH_AWAKE,  /* somebody looks, or will in a moment */
    SIL__WATCH_WAITER, /* wake who waits on waiter */
    SIL__WATCH_THREAD, /* wake the pool's own thread */
};

struct sil__control {
    _Alignas(128) _Atomic uint32_t watch;
    _Alignas(128) _Atomic uint32_t waiter; /* futexes; one more at each wake */
    _Alignas(128) _Atomic uint32_t thread;
    /* Workers cannot write from here on. */
    _Alignas(SIL__PAGE) struct sil__module_table modules;
    _Alignas(SIL__PAGE) unsigned char initializer_arg[];
};

/* A full fence, also towards other processes. */
static inline void sil__channel_fence(void)
{
#if defined(__x86_64__)
    /* What gcc makes of a fence; clang takes mfence, which is eight times slower. */
    __asm__ volatile("lock orl $0, (%%rsp)" ::: "memory", "cc");
#elif defined(__aarch64__)
    __asm__ volatile("dmb ish" ::: "memory");
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* An answer was written, or something else has happened: call whoever is to look. */
void sil__control_ring(struct sil__control *control);

/* Wake a worker that sleeps; after something was written for it. True: it did sleep. */
bool sil__channel_call(struct sil__channel *channel);

/* The same two, whatever is said of who sleeps, which may be rubbish: seldom. */
void sil__control_call(struct sil__control *control);
void sil__channel_wake(struct sil__channel *channel);

#endif
