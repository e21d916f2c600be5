/* SPDX-License-Identifier: MIT */
/*
 * Fork-join in its inline form (see inline.c), and forks left out while enough children wait for
 * others to take them: then these are plain functions that ask one question.
 */
#include "harness/adapter.h"
#include "pool.h"

struct fib_task {
    sil_child child;
    long n;
    long result;
};

static long fib(sil_lane lane, long n);

static void fib_taken(sil_lane lane, void *arg)
{
    struct fib_task *task = arg;
    task->result = fib(lane, task->n);
}

/* Apart, so that the function above it is small enough to be inlined into itself. */
static __attribute__((noinline)) long fib_forked(sil_lane lane, long n)
{
    struct fib_task task;
    task.n = n - 1;
    sil_fork(&lane, &task.child, fib_taken, &task);
    long b = fib(lane, n - 2);
    return (sil_join_here(&lane, &task.child) ? fib(lane, n - 1) : task.result) + b;
}

static long fib(sil_lane lane, long n)
{
    if (n < 2)
        return n;
    if (sil_fork_wanted(&lane))
        return fib_forked(lane, n);
    return fib(lane, n - 1) + fib(lane, n - 2);
}

static long fib_run(int n)
{
    struct fib_task root = {.n = n};
    pool_must(sil_fork_run(pool, fib_taken, &root));
    return root.result;
}

struct queens_task {
    sil_child child;
    unsigned all;
    unsigned columns;
    unsigned left;
    unsigned right;
    long found;
};

enum { MAX_QUEENS = 16 };

static long queens(sil_lane lane, unsigned all, unsigned columns, unsigned left, unsigned right);

static long queens_below(sil_lane lane, const struct queens_task *task)
{
    return queens(lane, task->all, task->columns, task->left, task->right);
}

static void queens_taken(sil_lane lane, void *arg)
{
    struct queens_task *task = arg;
    task->found = queens_below(lane, task);
}

static long queens_forked(sil_lane lane, unsigned all, unsigned columns, unsigned left,
                          unsigned right)
{
    unsigned free = all & ~(columns | left | right);
    struct queens_task tasks[MAX_QUEENS];
    int forked = 0;
    for (; free & (free - 1); free &= free - 1) {
        unsigned bit = free & -free;
        struct queens_task *task = &tasks[forked++];
        task->all = all;
        task->columns = columns | bit;
        task->left = (left | bit) << 1;
        task->right = (right | bit) >> 1;
        sil_fork(&lane, &task->child, queens_taken, task);
    }
    long found = queens(lane, all, columns | free, (left | free) << 1, (right | free) >> 1);
    while (forked > 0) {
        struct queens_task *task = &tasks[--forked];
        found += sil_join_here(&lane, &task->child) ? queens_below(lane, task) : task->found;
    }
    return found;
}

static long queens(sil_lane lane, unsigned all, unsigned columns, unsigned left, unsigned right)
{
    unsigned free = all & ~(columns | left | right);
    if (free == 0)
        return columns == all;
    if (sil_fork_wanted(&lane))
        return queens_forked(lane, all, columns, left, right);
    long found = 0;
    for (; free != 0; free &= free - 1) {
        unsigned bit = free & -free;
        found += queens(lane, all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}

static long queens_run(int n)
{
    struct queens_task root = {.all = (1u << n) - 1};
    pool_must(sil_fork_run(pool, queens_taken, &root));
    return root.found;
}

const struct adapter bench_adapter = {
    .name = "sillon-elided",
    .start = pool_start,
    .stop = pool_stop,
    .fib = fib_run,
    .n_queens = queens_run,
    .stolen = pool_stolen,
};
