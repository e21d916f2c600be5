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

#include <stddef.h>
#include <stdint.h>

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
};

extern const struct adapter bench_adapter;

#ifdef __cplusplus
}
#endif

#endif
