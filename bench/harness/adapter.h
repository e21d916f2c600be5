/* SPDX-License-Identifier: MIT */
/*
 * The adapter: what a scheduler must provide to be measured.
 *
 * The questions (questions/) know peers only through this table, so all of them get the same
 * tasks, the same clock and the same latch. A member that is NULL says that the peer cannot do
 * that; the question then prints "unsupported".
 *
 * To add a peer: write peers/NAME.c (or .cpp) that defines bench_adapter, and name it in
 * CMakeLists.txt and in runner/plan.py. An adapter stays thin: it calls the peer as the peer's own
 * documentation does, and keeps no queue, cache or shortcut of its own.
 */
#ifndef BENCH_ADAPTER_H
#define BENCH_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/stint.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A task of the harness (harness/latch.h, event.h, gate.h). */
typedef void (*task_fn)(void *arg);

struct adapter {
    const char *name; /**< as printed in each line */

    /** Make the pool. Called once, before anything below. */
    void (*start)(int workers);
    /** Undo it; NULL: ends with the process. */
    void (*stop)(void);
    /** Call body where tasks can be made at all (OpenMP: inside a team); NULL: anywhere. */
    void (*inside)(int workers, void (*body)(void *arg), void *arg);

    /* From one thread outside the pool. */

    /** Fire and forget. */
    void (*post)(task_fn fn, void *arg);
    /** The same task count times, in one call; without an argument. */
    void (*post_many)(task_fn fn, size_t count);
    /** Called after the last task has run, inside the timing: what the peer still has to do. */
    void (*drain)(void);

    /** Bytes of a handle, the harness's memory; 0: the peer has no futures. */
    size_t handle_size;
    /** Hand over a task that get can wait for. */
    void (*submit)(void *handle, task_fn fn, void *arg);
    /** The same task count times, in one call; handles lie one after the other. */
    void (*submit_many)(void *handles, task_fn fn, size_t count);
    /** Wait for it, and free what the handle holds. */
    void (*get)(void *handle);

    /* Called from main; the peer gets into its pool by itself. */

    /** Fibonacci, one spawn and one call at each node, no cutoff. */
    long (*fib)(int n);
    /** Solutions of n queens, one task a child but the last, no cutoff. */
    long (*n_queens)(int n);
    /** Sum of an array, in pieces of SUM_GRAIN (harness/sum.h). */
    double (*sum)(const double *values, size_t count);

    /** Tasks that a worker took from another one, so far; NULL: not told. */
    uint64_t (*stolen)(void);

    /* Pools of processes: their tasks reach nothing of the harness, so it sends them values. */

    /** Make the pool, with a limit on how long a task may run. Called in place of start. */
    void (*start_limited)(int workers, double seconds);
    /** results[i] = args[i], each by a call of a function in a worker. */
    void (*map)(int *args, int *results, size_t count);
    /** results[i] = the process in which that call ran: to see that they leave this one. */
    void (*map_pids)(int *args, int *results, size_t count);
    /** A task with size bytes of argument, which begin with that size (size_t), and as many of
     *  result. With touch it copies the one to the other, else it does nothing. */
    void (*copy)(const void *arg, void *result, size_t size, bool touch);
    /** Memory that workers can reach by a pointer to it. */
    void *(*block_new)(size_t size);
    void (*block_free)(void *block);
    /** Hand over a task that adds one to the first byte and to the last of such a block. For get. */
    void (*submit_block)(void *handle, void *block, size_t size);
    /** Hand over a stint. */
    void (*submit_stint)(void *handle, const struct stint *stint);
    /** Wait for it, and free what the handle holds. @return 0; anything else: the task failed */
    int (*get_stint)(void *handle, struct stint_report *out);

    /* Event loops. Each call but loop_set runs a loop on the calling thread, has coroutines do it
     * all, and returns when they have ended. Results are nanoseconds that it took inside. */

    /** Two coroutines give way to each other, n times together. */
    uint64_t (*loop_yield)(long n);
    /** So many coroutines that do nothing, each awaited before the next. */
    uint64_t (*loop_go)(long n);
    /** So many messages to and fro between two, a queue with room for one each way. limit: seconds
     *  that each may be waited for; 0: none. */
    uint64_t (*loop_message)(long n, double limit);
    /** So many coroutines asleep at once, for so long. */
    uint64_t (*loop_asleep)(long n, double seconds);
    /** One sleeps again and again while so many others do nothing but give way; out: how long each
     *  sleep took. */
    void (*loop_beside)(long others, double seconds, uint64_t *out, long count);
    /** One has the pool (start) do nothing, again and again, and awaits it; out: how long each. */
    void (*loop_offload)(uint64_t *out, long count);
    /** One calls waits, and waits for an event; loop_set sets it, on another thread. */
    void (*loop_wait)(void (*waits)(void));
    void (*loop_set)(void);

    /** Make room for so many timers. */
    void (*timers_new)(long n);
    /** Set them all, in so many milliseconds each; cancel them all. @return nanoseconds */
    uint64_t (*timers_set)(const uint32_t *ms, long n);
    uint64_t (*timers_cancel)(long n);
};

extern const struct adapter bench_adapter;

#ifdef __cplusplus
}
#endif

#endif
