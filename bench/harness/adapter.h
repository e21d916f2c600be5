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
};

extern const struct adapter bench_adapter;

#ifdef __cplusplus
}
#endif

#endif
