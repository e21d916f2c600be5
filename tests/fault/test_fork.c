/* SPDX-License-Identifier: MIT */
/*
 * Fork-join while memory or threads run out: it says why it could not begin; what has begun ends,
 * with fewer workers or lanes.
 */
#include "every_point.h"

struct fib {
    sil_child child;
    sil_executor *pool;
    int n;
    long result;
};

static void fib(sil_lane lane, void *arg)
{
    struct fib *f = arg;
    if (f->n < 2) {
        f->result = f->n;
        return;
    }
    struct fib a = {.pool = f->pool, .n = f->n - 1};
    struct fib b = {.pool = f->pool, .n = f->n - 2};
    sil_fork(&lane, &a.child, fib, &a);
    if (f->n == 8)
        (void)sil_fork_run(f->pool, fib, &b); /* on a worker it cannot fail */
    else
        fib(lane, &b);
    sil_join(&lane, &a.child);
    f->result = a.result + b.result;
}

static void forked(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 3});
    if (!was_made(pool))
        return;
    for (int i = 0; i < 3; i++) {
        struct fib f = {.pool = pool, .n = 12};
        int code = sil_fork_run(pool, fib, &f);
        assert_allowed(code);
        if (code == 0)
            assert_int_equal(f.result, 144);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_forks_survive(void **state)
{
    (void)state;
    survive(forked);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_forks_survive),
    };
    return test_run("fork faults", tests);
}
