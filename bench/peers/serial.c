/* SPDX-License-Identifier: MIT */
/*
 * No scheduler at all: plain C in one thread, which the compiler may inline as it likes. What
 * "no overhead" means. A task that is posted is a function call.
 */
#include "harness/adapter.h"
#include "harness/sum.h"

static long fib(int n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static long queens(unsigned all, unsigned columns, unsigned left, unsigned right)
{
    if (columns == all)
        return 1;
    long found = 0;
    for (unsigned free = all & ~(columns | left | right); free != 0; free &= free - 1) {
        unsigned bit = free & -free;
        found += queens(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}

static long n_queens(int n)
{
    return queens((1u << n) - 1, 0, 0, 0);
}

static void start(int workers)
{
    (void)workers;
}

static void post(task_fn fn, void *arg)
{
    fn(arg);
}

static double sum(const double *values, size_t count)
{
    return sum_range(values, 0, count);
}

const struct adapter bench_adapter = {
    .name = "serial",
    .start = start,
    .post = post,
    .fib = fib,
    .n_queens = n_queens,
    .sum = sum,
};
