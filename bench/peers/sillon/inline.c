/* SPDX-License-Identifier: MIT */
/*
 * Fork-join in its inline form: sil_join_here tells that nobody took the child, and the function
 * itself is called, by a plain call that the compiler sees. Where that can be, the child lies in a
 * block that ends before the call.
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

static long fib(sil_lane lane, long n)
{
    if (n < 2)
        return n;
    long b;
    {
        struct fib_task task;
        task.n = n - 1;
        sil_fork(&lane, &task.child, fib_taken, &task);
        b = fib(lane, n - 2);
        if (!sil_join_here(&lane, &task.child))
            return task.result + b;
    }
    return fib(lane, n - 1) + b;
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

static long queens(sil_lane lane, unsigned all, unsigned columns, unsigned left, unsigned right)
{
    unsigned free = all & ~(columns | left | right);
    if (free == 0)
        return columns == all;
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

static long queens_run(int n)
{
    struct queens_task root = {.all = (1u << n) - 1};
    pool_must(sil_fork_run(pool, queens_taken, &root));
    return root.found;
}

const struct adapter bench_adapter = {
    .name = "sillon-inline",
    .start = pool_start,
    .stop = pool_stop,
    .fib = fib_run,
    .n_queens = queens_run,
    .stolen = pool_stolen,
};
