/* SPDX-License-Identifier: MIT */
/*
 * OpenMP tasks and loops: libgomp when gcc compiles this file, libomp when clang does.
 *
 * Tasks exist only inside a team of threads, so there is no outside thread: the submitter is one
 * member of a team of workers + 1. Both libraries let it run tasks inline once a small bound is
 * full, and libgomp makes no tasks at all in a team of one.
 */
#include <omp.h>

#include "harness/adapter.h"
#include "harness/sum.h"

static int threads;

static void start(int workers)
{
    threads = workers;
}

static void inside(int workers, void (*body)(void *arg), void *arg)
{
#pragma omp parallel num_threads(workers + 1)
#pragma omp single
    body(arg);
}

static void post(task_fn fn, void *arg)
{
#pragma omp task firstprivate(fn, arg)
    fn(arg);
}

static long fib(int n)
{
    if (n < 2)
        return n;
    long a;
#pragma omp task shared(a)
    a = fib(n - 1);
    long b = fib(n - 2);
#pragma omp taskwait
    return a + b;
}

static long fib_run(int n)
{
    long result = 0;
#pragma omp parallel num_threads(threads)
#pragma omp single
    result = fib(n);
    return result;
}

enum { MAX_QUEENS = 16 };

static long queens(unsigned all, unsigned columns, unsigned left, unsigned right)
{
    unsigned free = all & ~(columns | left | right);
    if (free == 0)
        return columns == all;
    long found[MAX_QUEENS];
    int forked = 0;
    for (; free & (free - 1); free &= free - 1) {
        unsigned bit = free & -free;
        long *out = &found[forked++];
#pragma omp task firstprivate(out, bit)
        *out = queens(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    long total = queens(all, columns | free, (left | free) << 1, (right | free) >> 1);
    if (forked > 0) {
#pragma omp taskwait
        for (int i = 0; i < forked; i++)
            total += found[i];
    }
    return total;
}

static long queens_run(int n)
{
    long result = 0;
#pragma omp parallel num_threads(threads)
#pragma omp single
    result = queens((1u << n) - 1, 0, 0, 0);
    return result;
}

static double sum(const double *values, size_t count)
{
    double total = 0;
    size_t pieces = (count + SUM_GRAIN - 1) / SUM_GRAIN;
#pragma omp parallel for num_threads(threads) reduction(+ : total) schedule(static)
    for (size_t i = 0; i < pieces; i++) {
        size_t begin = i * SUM_GRAIN;
        size_t end = begin + SUM_GRAIN < count ? begin + SUM_GRAIN : count;
        total += sum_range(values, begin, end);
    }
    return total;
}

const struct adapter bench_adapter = {
#ifdef __clang__
    .name = "libomp",
#else
    .name = "libgomp",
#endif
    .start = start,
    .inside = inside,
    .post = post,
    .fib = fib_run,
    .n_queens = queens_run,
    .sum = sum,
};
