/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "harness/clock.h"
#include "harness/futex.h"
#include "limits.h"

static long word __attribute__((aligned(128)));
static uint32_t futex_word;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int event_descriptor;

static void fetch_add(long i)
{
    (void)i;
    __atomic_fetch_add(&word, 1, __ATOMIC_RELAXED);
}

static void exchange(long i)
{
    __atomic_exchange_n(&word, i, __ATOMIC_RELAXED);
}

static void compare_and_swap(long i)
{
    long expected = i;
    __atomic_store_n(&word, i, __ATOMIC_RELAXED);
    __atomic_compare_exchange_n(&word, &expected, i + 1, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static void store_then_fence(long i)
{
    __atomic_store_n(&word, i, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void store_without_fence(long i)
{
    __atomic_store_n(&word, i, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void do_nothing(void)
{
    __asm__ volatile("");
}

static void (*volatile opaque)(void) = do_nothing;

static void call_by_pointer(long i)
{
    (void)i;
    opaque();
}

static void pause_once(long i)
{
    (void)i;
    cpu_pause();
}

static void read_clock(long i)
{
    (void)i;
    (void)clock_now_ns();
}

static void system_call(long i)
{
    (void)i;
    syscall(SYS_getppid);
}

static void wake_nobody(long i)
{
    (void)i;
    futex_wake(&futex_word, 1);
}

static void yield_alone(long i)
{
    (void)i;
    sched_yield();
}

static void lock_and_unlock(long i)
{
    (void)i;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void event_write_read(long i)
{
    uint64_t value = 1;
    (void)i;
    if (write(event_descriptor, &value, sizeof value) != sizeof value ||
        read(event_descriptor, &value, sizeof value) != sizeof value)
        abort();
}

static void malloc_and_free(long i)
{
    (void)i;
    void *block = malloc(64);
    __asm__ volatile("" : "+r"(block));
    free(block);
}

/* Inlined for each step, so that the loop adds next to nothing. */
static inline __attribute__((always_inline)) void cost(const char *what, long count,
                                                       void (*step)(long i))
{
    uint64_t begin = clock_now_ns();
    for (long i = 0; i < count; i++)
        step(i);
    limits_print(what, 1, "ns", (double)(clock_now_ns() - begin) / (double)count);
}

enum { BLOCKS = 200000, MALLOC_ROUNDS = 3 };

static void *blocks[BLOCKS];

static void blocks_fill(void)
{
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(64);
}

static void blocks_free(void)
{
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

/* The last round counts: by then the allocator has its memory. */
static void malloc_many(void)
{
    double fill_ns = 0;
    double free_ns = 0;
    for (int round = 0; round < MALLOC_ROUNDS; round++) {
        uint64_t begin = clock_now_ns();
        blocks_fill();
        uint64_t filled = clock_now_ns();
        blocks_free();
        fill_ns = (double)(filled - begin);
        free_ns = (double)(clock_now_ns() - filled);
    }
    limits_print("malloc_64_of_200000", 1, "ns", fill_ns / BLOCKS);
    limits_print("free_64_of_200000", 1, "ns", free_ns / BLOCKS);
}

static void *free_elsewhere(void *arg)
{
    double *ns = arg;
    uint64_t begin = clock_now_ns();
    blocks_free();
    *ns = (double)(clock_now_ns() - begin);
    return NULL;
}

static void malloc_here_free_there(void)
{
    double ns = 0;
    blocks_fill();
    pthread_join(limits_thread(free_elsewhere, &ns), NULL);
    limits_print("free_64_by_other_thread", 2, "ns", ns / BLOCKS);
}

void limits_one_thread(void)
{
    event_descriptor = eventfd(0, 0);
    cost("fetch_add", 20000000, fetch_add);
    cost("exchange", 20000000, exchange);
    cost("compare_and_swap", 20000000, compare_and_swap);
    cost("store_then_fence", 20000000, store_then_fence);
    cost("store_without_fence", 20000000, store_without_fence);
    cost("call_by_pointer", 50000000, call_by_pointer);
    cost("pause", 2000000, pause_once);
    cost("clock_gettime", 5000000, read_clock);
    cost("system_call", 2000000, system_call);
    cost("futex_wake_nobody", 2000000, wake_nobody);
    cost("sched_yield_alone", 1000000, yield_alone);
    cost("mutex_lock_unlock", 20000000, lock_and_unlock);
    cost("eventfd_write_read", 500000, event_write_read);
    cost("malloc_64_free", 5000000, malloc_and_free);
    malloc_many();
    malloc_here_free_there();
    close(event_descriptor);
}
