/* SPDX-License-Identifier: MIT */
/*
 * What the owner's side of a fork and a join costs by itself, for the disciplines one could choose
 * between: fib on one worker, and nobody who steals. Not a scheduler: the thief's side is missing,
 * the owner's is real.
 *
 *     floor_fork_join [N] [REPETITIONS]     prints floor,DISCIPLINE,1,ns_per_call,VALUE
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/clock.h"
#include "harness/tree.h"

enum { DEPTH = 4096 };

/* Hides from the compiler what a pointer points to. */
#define OPAQUE(pointer) __asm__("" : "+r"(pointer))

static inline bool likely(bool condition)
{
    return __builtin_expect(condition, 1);
}

/* 1. Split deque (Lace, Wool): the newest tasks are private, pushed and popped by plain stores; a
 * flag tells when somebody is hungry. The join calls the function itself, or (2.) through the
 * pointer that the fork stored. */

struct task {
    void (*run)(struct task *task);
    _Atomic(void *) state;
    long arg;
    long result;
} __attribute__((aligned(64)));

static struct task tasks[DEPTH];

static struct {
    _Atomic(struct task *) split;
    _Atomic int wanted;
} shared __attribute__((aligned(128)));

static inline void split_push(struct task *top, void (*run)(struct task *task), long arg)
{
    top->run = run;
    top->arg = arg;
    atomic_store_explicit(&top->state, top, memory_order_relaxed);
    if (!likely(atomic_load_explicit(&shared.wanted, memory_order_relaxed) == 0))
        atomic_store_explicit(&shared.split, top, memory_order_release);
}

static inline bool split_pop(struct task *top)
{
    return likely(atomic_load_explicit(&shared.wanted, memory_order_relaxed) == 0 &&
                  atomic_load_explicit(&shared.split, memory_order_relaxed) <= top);
}

static long fib_split(struct task *top, long n);

static void run_split(struct task *task)
{
    task->result = fib_split(task + 1, task->arg);
}

static long fib_split(struct task *top, long n)
{
    if (n < 2)
        return n;
    split_push(top, run_split, n - 1);
    long b = fib_split(top + 1, n - 2);
    if (split_pop(top))
        return fib_split(top, top->arg) + b;
    run_split(top);
    return top->result + b;
}

static long fib_split_pointer(struct task *top, long n);

static void run_split_pointer(struct task *task)
{
    task->result = fib_split_pointer(task + 1, task->arg);
}

static __attribute__((noinline)) long fib_split_pointer(struct task *top, long n)
{
    if (n < 2)
        return n;
    split_push(top, run_split_pointer, n - 1);
    long b = fib_split_pointer(top + 1, n - 2);
    if (!split_pop(top))
        abort();
    void (*run)(struct task *) = top->run;
    OPAQUE(run);
    run(top);
    return top->result + b;
}

/* 3. Chase-Lev: the owner's take needs a fence between its store and its load; (4.) or only the
 * compiler's, when thieves pay with membarrier(2). The task lies on the stack. */

static _Atomic long top_index __attribute__((aligned(128)));
static _Atomic long bottom_index __attribute__((aligned(128)));
static _Atomic(void *) slots[DEPTH];

static inline void deque_push(void *task)
{
    long bottom = atomic_load_explicit(&bottom_index, memory_order_relaxed);
    long top = atomic_load_explicit(&top_index, memory_order_acquire);
    if (bottom - top > DEPTH - 2)
        abort();
    atomic_store_explicit(&slots[bottom % DEPTH], task, memory_order_relaxed);
    atomic_store_explicit(&bottom_index, bottom + 1, memory_order_release);
}

static inline void *deque_take_last(long bottom, long top)
{
    void *task = atomic_load_explicit(&slots[bottom % DEPTH], memory_order_relaxed);
    if (!atomic_compare_exchange_strong(&top_index, &top, top + 1))
        task = NULL;
    atomic_store_explicit(&bottom_index, bottom + 1, memory_order_relaxed);
    return task;
}

static inline void *deque_take(bool fence)
{
    long bottom = atomic_load_explicit(&bottom_index, memory_order_relaxed) - 1;
    atomic_store_explicit(&bottom_index, bottom, memory_order_relaxed);
    if (fence)
        atomic_thread_fence(memory_order_seq_cst);
    else
        atomic_signal_fence(memory_order_seq_cst);
    long top = atomic_load_explicit(&top_index, memory_order_relaxed);
    if (top < bottom)
        return atomic_load_explicit(&slots[bottom % DEPTH], memory_order_relaxed);
    if (top == bottom)
        return deque_take_last(bottom, top);
    atomic_store_explicit(&bottom_index, bottom + 1, memory_order_relaxed);
    return NULL;
}

static __attribute__((noinline)) long fib_deque(long n, bool fence)
{
    if (n < 2)
        return n;
    struct task task;
    task.arg = n - 1;
    deque_push(&task);
    long b = fib_deque(n - 2, fence);
    if (deque_take(fence) != &task)
        abort();
    return fib_deque(task.arg, fence) + b;
}

/* 5. Heartbeat (Spice): a list through the frames, and one flag to look at. */

struct job {
    struct job *previous;
    struct job *next;
    void (*taken)(struct job *job);
    long arg;
};

static _Atomic int beat;

static __attribute__((noinline, cold)) void on_beat(void)
{
    atomic_store(&beat, 0);
}

static __attribute__((noinline)) long fib_heartbeat(struct job **tail, long n)
{
    if (n < 2)
        return n;
    struct job job = {.previous = *tail, .arg = n - 1};
    job.previous->next = &job;
    *tail = &job;
    if (!likely(atomic_load_explicit(&beat, memory_order_relaxed) == 0))
        on_beat();
    long b = fib_heartbeat(tail, n - 2);
    __asm__ volatile("" ::: "memory"); /* somebody might have taken it */
    if (job.taken != NULL)
        abort();
    *tail = job.previous;
    job.previous->next = NULL;
    return fib_heartbeat(tail, job.arg) + b;
}

/* 6. A counted future on the heap for each task, in a Chase-Lev deque, called by pointer: what a
 * library does whose fork is a submit. */

struct future {
    void (*run)(struct future *future);
    long arg;
    long result;
    _Atomic int references;
    _Atomic int state;
};

static long fib_heap(long n);

static void future_release(struct future *future)
{
    if (atomic_fetch_sub_explicit(&future->references, 1, memory_order_acq_rel) == 1)
        free(future);
}

static void run_heap(struct future *future)
{
    future->result = fib_heap(future->arg);
    atomic_exchange_explicit(&future->state, 1, memory_order_acq_rel);
    future_release(future);
}

static __attribute__((noinline)) long fib_heap(long n)
{
    if (n < 2)
        return n;
    struct future *future = malloc(sizeof *future);
    if (future == NULL)
        abort();
    future->run = run_heap;
    future->arg = n - 1;
    atomic_store_explicit(&future->references, 2, memory_order_relaxed);
    atomic_store_explicit(&future->state, 0, memory_order_relaxed);
    deque_push(future);
    long b = fib_heap(n - 2);
    future = deque_take(true);
    if (future == NULL)
        abort();
    void (*run)(struct future *) = future->run;
    OPAQUE(run);
    run(future);
    long a = future->result;
    future_release(future);
    return a + b;
}

static long walk_split(long n)
{
    return fib_split(tasks, n);
}

static long walk_split_pointer(long n)
{
    return fib_split_pointer(tasks, n);
}

static long walk_deque_fence(long n)
{
    return fib_deque(n, true);
}

static long walk_deque_no_fence(long n)
{
    return fib_deque(n, false);
}

static long walk_heartbeat(long n)
{
    struct job root = {0};
    struct job *tail = &root;
    return fib_heartbeat(&tail, n);
}

static const struct {
    const char *name;
    long (*walk)(long n);
} disciplines[] = {
    {"split_deque_inline_join", walk_split}, {"split_deque_pointer_join", walk_split_pointer},
    {"chase_lev_fence", walk_deque_fence},   {"chase_lev_no_fence", walk_deque_no_fence},
    {"heartbeat_list", walk_heartbeat},      {"heap_future_chase_lev", fib_heap},
};

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 35;
    int repetitions = argc > 2 ? atoi(argv[2]) : 3;
    struct task below; /* keeps take off the path of the last task, as at any depth but the first */
    atomic_store(&shared.split, tasks);
    deque_push(&below);
    for (int i = 0; i < repetitions; i++) {
        for (size_t k = 0; k < sizeof disciplines / sizeof disciplines[0]; k++) {
            uint64_t begin = clock_now_ns();
            long result = disciplines[k].walk(n);
            double ns = (double)(clock_now_ns() - begin);
            if (result != fib_result(n))
                abort();
            printf("floor,%s,1,ns_per_call,%.4g\n", disciplines[k].name, ns / (double)fib_calls(n));
            fflush(stdout);
        }
    }
    return 0;
}
