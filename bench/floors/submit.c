/* SPDX-License-Identifier: MIT */
/*
 * The least that a C pool has to do for one outside submitter. Not a library: it shows where the
 * floor lies.
 *
 * A ring of cells in a reserved mapping. The submitter does two plain stores, a release store and
 * a relaxed load; the worker that goes to sleep pays for the missing fence with membarrier(2).
 * Workers claim several cells with one compare-and-swap. Nothing checks that the ring is full: at
 * most RING_CELLS tasks may be pending.
 *
 * With FLOOR_SPIN_NS 0 nobody spins before going to sleep.
 */
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "harness/adapter.h"
#include "harness/clock.h"
#include "harness/event.h"

#ifndef FLOOR_SPIN_NS
#define FLOOR_SPIN_NS 20000
#endif

enum { RING_CELLS = 1 << 24, BATCH = 64, ENOUGH_TO_SHARE = 16, SPINS_PER_LOOK = 16 };

struct cell {
    task_fn fn;
    void *arg;
};

static struct cell *ring;
static int worker_count;
static uint64_t own_tail; /* the one submitter's */

static _Atomic uint64_t tail __attribute__((aligned(128)));
static _Atomic uint64_t head __attribute__((aligned(128)));

static struct {
    _Atomic uint32_t epoch;
    _Atomic uint32_t sleepers;
    _Atomic uint32_t searchers;
} crowd __attribute__((aligned(128)));

/* Time-bounded spinning: a pause has no fixed length, least of all on a virtual machine. */
struct spin {
    uint64_t end;
    unsigned turns;
};

static bool spin_on(struct spin *spin)
{
    if (FLOOR_SPIN_NS == 0)
        return false;
    cpu_pause();
    if (++spin->turns % SPINS_PER_LOOK != 0)
        return true;
    uint64_t now = clock_now_ns();
    if (spin->end == 0)
        spin->end = now + FLOOR_SPIN_NS;
    return now < spin->end;
}

/* Take one token off the sleepers. */
static bool sleeper_take(void)
{
    uint32_t count = atomic_load_explicit(&crowd.sleepers, memory_order_relaxed);
    while (count > 0)
        if (atomic_compare_exchange_weak(&crowd.sleepers, &count, count - 1))
            return true;
    return false;
}

static void wake_one(void)
{
    if (!sleeper_take())
        return;
    atomic_fetch_add(&crowd.epoch, 1);
    futex_wake((const uint32_t *)&crowd.epoch, 1);
}

static bool someone_must_wake(void)
{
    return atomic_load_explicit(&crowd.sleepers, memory_order_relaxed) != 0 &&
           atomic_load_explicit(&crowd.searchers, memory_order_relaxed) == 0;
}

static uint64_t pending(memory_order order)
{
    uint64_t first = atomic_load_explicit(&head, order);
    uint64_t last = atomic_load_explicit(&tail, order);
    return last > first ? last - first : 0;
}

/* Copies cells first and claims them after, so that one that is claimed is never overwritten.
 * Returns how many; 0: there was nothing; -1: somebody else was faster. */
static int claim(struct cell *out)
{
    uint64_t first = atomic_load_explicit(&head, memory_order_acquire);
    uint64_t last = atomic_load_explicit(&tail, memory_order_acquire);
    if (first >= last)
        return 0;
    uint64_t count = (last - first) / (2u * (unsigned)worker_count);
    count = count < 1 ? 1 : count > BATCH ? BATCH : count;
    for (uint64_t i = 0; i < count; i++)
        out[i] = ring[(first + i) % RING_CELLS];
    return atomic_compare_exchange_strong(&head, &first, first + count) ? (int)count : -1;
}

static bool search(void)
{
    struct spin spin = {0};
    bool found;
    atomic_fetch_add(&crowd.searchers, 1);
    do {
        found = pending(memory_order_relaxed) > 0;
    } while (!found && spin_on(&spin));
    atomic_fetch_sub(&crowd.searchers, 1);
    return found;
}

static void sleep_until_woken(void)
{
    uint32_t epoch = atomic_load(&crowd.epoch);
    atomic_fetch_add(&crowd.sleepers, 1);
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    if (pending(memory_order_seq_cst) > 0) {
        (void)sleeper_take(); /* or a waker took our token, and the epoch has moved: the same */
        return;
    }
    while (atomic_load(&crowd.epoch) == epoch)
        futex_wait((const uint32_t *)&crowd.epoch, epoch);
}

static void *worker(void *arg)
{
    struct cell batch[BATCH];
    (void)arg;
    for (;;) {
        int count = claim(batch);
        if (count > 0 && pending(memory_order_relaxed) > ENOUGH_TO_SHARE && someone_must_wake())
            wake_one();
        for (int i = 0; i < count; i++)
            batch[i].fn(batch[i].arg);
        if (count == 0 && !search())
            sleep_until_woken();
    }
    return NULL;
}

static void start(int workers)
{
    worker_count = workers;
    ring = mmap(NULL, sizeof(struct cell) * RING_CELLS, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring == MAP_FAILED)
        abort();
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0)
        abort();
    for (int i = 0; i < workers; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, NULL) != 0)
            abort();
    }
}

static inline void put(task_fn fn, void *arg)
{
    struct cell *cell = &ring[own_tail % RING_CELLS];
    cell->fn = fn;
    cell->arg = arg;
    atomic_store_explicit(&tail, ++own_tail, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst); /* the sleeper's membarrier is the other half */
    if (__builtin_expect(someone_must_wake(), 0))
        wake_one();
}

static void post(task_fn fn, void *arg)
{
    put(fn, arg);
}

struct handle {
    task_fn fn;
    void *arg;
    uint32_t done;
};

static void handle_run(void *arg)
{
    struct handle *handle = arg;
    handle->fn(handle->arg);
    event_set(&handle->done);
}

static void submit(void *memory, task_fn fn, void *arg)
{
    struct handle *handle = memory;
    handle->fn = fn;
    handle->arg = arg;
    event_clear(&handle->done);
    put(handle_run, handle);
}

static void get(void *memory)
{
    struct handle *handle = memory;
    struct spin spin = {0};
    while (__atomic_load_n(&handle->done, __ATOMIC_ACQUIRE) != EVENT_SET && spin_on(&spin))
        continue;
    event_wait(&handle->done);
}

const struct adapter bench_adapter = {
    .name = FLOOR_SPIN_NS > 0 ? "floor-submit" : "floor-submit-nospin",
    .start = start,
    .post = post,
    .handle_size = sizeof(struct handle),
    .submit = submit,
    .get = get,
};
