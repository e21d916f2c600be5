/* SPDX-License-Identifier: MIT */
/*
 * Parallel loops: a range of indexes, cut into pieces for all processors and the caller.
 * Teaches sil_parallel_for (each index on its own) and sil_parallel_reduce (many to one value;
 * the same at every run, floating point included).
 */
#include <stdio.h>

#include <sillon/sillon.h>

enum { N = 100000 };

static int fill(size_t begin, size_t end, void *user)
{
    double *terms = user;
    for (size_t i = begin; i < end; i++)
        terms[i] = (i % 2 == 0 ? 4.0 : -4.0) / (double)(2 * i + 1);
    return 0;
}

static int add_range(size_t begin, size_t end, void *accumulator, void *user)
{
    const double *terms = user;
    double sum = *(double *)accumulator;
    for (size_t i = begin; i < end; i++)
        sum += terms[i];
    *(double *)accumulator = sum;
    return 0;
}

static void add_two(void *accumulator, const void *later, void *user)
{
    (void)user;
    *(double *)accumulator += *(const double *)later;
}

int main(void)
{
    static double terms[N];
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 4});
    int code = sil_parallel_for(pool, 0, N, 0, fill, terms); /* 0: a grain is chosen for us */

    double pi = 0; /* in: what a sum of nothing is; out: the sum */
    if (code == 0)
        code = sil_parallel_reduce(pool, 0, N, 0, add_range, add_two, terms, &pi, sizeof pi);

    sil_executor *single = sil_inline_executor();
    double again = 0;
    if (code == 0)
        code = sil_parallel_reduce(single, 0, N, 0, add_range, add_two, terms, &again, sizeof pi);
    sil_executor_close(single);
    sil_executor_close(pool);
    printf("pi is about %.4f\n", pi);
    printf("to the last bit the same on one thread: %s\n", pi == again ? "yes" : "no");
    return code == 0 && pi == again ? 0 : 1;
}
