/* SPDX-License-Identifier: MIT */
/*
 * Nested tasks: thousands of tasks that await their own children, on a single worker.
 * Teaches that sil_await in a task does not starve the pool: a child nobody has started is run
 * by the task that awaits it.
 */
#include <stdio.h>

#include <sillon/sillon.h>

typedef struct call {
    sil_executor *pool;
    int n;
} call;

static int fibonacci(void *arg, void *result)
{
    const call *c = arg;
    if (c->n < 2) {
        *(long *)result = c->n;
        return 0;
    }
    sil_future *f1 =
        sil_submit(c->pool, fibonacci, &(call){c->pool, c->n - 1}, sizeof(call), sizeof(long));
    sil_future *f2 =
        sil_submit(c->pool, fibonacci, &(call){c->pool, c->n - 2}, sizeof(call), sizeof(long));
    long a = 0, b = 0;
    int code1 = sil_take(f1, &a, SIL_FOREVER);
    int code2 = sil_take(f2, &b, SIL_FOREVER);
    *(long *)result = a + b;
    return code1 != 0 ? code1 : code2;
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    long y = 0;
    sil_future *f = sil_submit(pool, fibonacci, &(call){pool, 16}, sizeof(call), sizeof(long));
    int code = sil_take(f, &y, SIL_FOREVER);

    sil_executor_stats stats;
    sil_executor_stats_get(pool, &stats);
    printf("fibonacci(16) = %ld, in %llu tasks on %u worker\n", y,
           (unsigned long long)stats.submitted, sil_executor_workers(pool));
    sil_executor_close(pool);
    return code == 0 && y == 987 ? 0 : 1;
}
