/* SPDX-License-Identifier: MIT */
/*
 * sillon, linked as a user would: public headers, the shared library. Fork-join by function
 * pointers; its inline forms are measured by inline.c and elided.c beside this file.
 */
#include <stdlib.h>

#include "forks.h"
#include "harness/adapter.h"
#include "harness/latch.h"
#include "harness/sum.h"
#include "pool.h"

/* The harness's two empty tasks as a user of this library would write them. */
static int count_down(void *arg, void *result)
{
    (void)arg, (void)result;
    latch_count_down();
    return 0;
}

static int nothing(void *arg, void *result)
{
    (void)arg, (void)result;
    nothing_count();
    return 0;
}

/* Any other task of the harness. */
struct call {
    task_fn fn;
    void *arg;
};

static int call(void *arg, void *result)
{
    const struct call *c = arg;
    (void)result;
    c->fn(c->arg);
    return 0;
}

/* NULL: there is no native form. */
static inline sil_task_fn native(task_fn fn)
{
    if (fn == task_count_down)
        return count_down;
    return fn == task_nothing ? nothing : NULL;
}

static void post(task_fn fn, void *arg)
{
    sil_task_fn own = native(fn);
    if (own != NULL)
        pool_must(sil_post(pool, own, NULL, 0));
    else
        pool_must(sil_post(pool, call, &(struct call){fn, arg}, sizeof(struct call)));
}

static void post_many(task_fn fn, size_t count)
{
    pool_must(sil_post_many(pool, native(fn), NULL, 0, count));
}

static void submit(void *handle, task_fn fn, void *arg)
{
    sil_task_fn own = native(fn);
    sil_future **future = handle;
    if (own != NULL)
        *future = sil_submit(pool, own, NULL, 0, 0);
    else
        *future = sil_submit(pool, call, &(struct call){fn, arg}, sizeof(struct call), 0);
}

static void submit_many(void *handles, task_fn fn, size_t count)
{
    pool_must(sil_submit_many(pool, NULL, native(fn), NULL, 0, 0, count, handles));
}

static void get(void *handle)
{
    pool_must(sil_take(*(sil_future **)handle, NULL, SIL_FOREVER));
}

static int fold(size_t begin, size_t end, void *accumulator, void *user)
{
    double *sum = accumulator;
    *sum += sum_range(user, begin, end);
    return 0;
}

static void combine(void *accumulator, const void *later, void *user)
{
    double *sum = accumulator;
    (void)user;
    *sum += *(const double *)later;
}

static double sum(const double *values, size_t count)
{
    double total = 0;
    pool_must(sil_parallel_reduce(pool, 0, count, SUM_GRAIN, fold, combine, (void *)values, &total,
                                  sizeof total));
    return total;
}

const struct adapter bench_adapter = {
    .name = "sillon",
    .start = pool_start,
    .stop = pool_stop,
    .post = post,
    .post_many = post_many,
    .handle_size = sizeof(sil_future *),
    .submit = submit,
    .submit_many = submit_many,
    .get = get,
    .fib = forks_fib,
    .n_queens = forks_queens,
    .sum = sum,
    .stolen = pool_stolen,
};
