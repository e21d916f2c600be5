/* SPDX-License-Identifier: MIT */
/*
 * Process pools while memory, threads, processes or descriptors run out: they cannot be made and
 * say why, or tasks fail with a code that tells of it, or all goes well.
 */
#include "every_point.h"

#include <stdlib.h>
#include <string.h>

#include "support/leftovers.h"

enum { SMALL = 4, LARGE = 50000 };

/* A helper forked from us fails at the same points, and cannot be forked again. */
static bool may_break;

/* As take_allowed. */
static int take(sil_future *future, void *out)
{
    assert_non_null(future);
    int code = sil_take(future, out, SIL_FOREVER);
    if (code != SIL_EBROKEN || !may_break)
        assert_allowed(code);
    return code;
}

static sil_executor *make(sil_start start)
{
    may_break = start == SIL_START_FORK;
    const sil_process_pool_options options = {
        .workers = 2,
        .start = start,
        .environment = (const char *const[]){"A=1", NULL},
    };
    return sil_process_pool(&options);
}

/* arg: bytes. result: as many, each one more. */
static int add_one(void *arg, void *result)
{
    const unsigned char *from = arg;
    unsigned char *to = result;
    for (size_t i = 0; i < LARGE; i++)
        to[i] = (unsigned char)(from[i] + 1);
    return 0;
}

static int make_large(void *arg, void *result)
{
    (void)arg;
    (void)result;
    unsigned char *bytes = sil_result_alloc(LARGE);
    if (bytes == NULL)
        return sil_error_code(sil_last_error());
    (void)memset(bytes, 7, LARGE);
    return 0;
}

static void close_it(sil_executor *pool)
{
    assert_code(sil_executor_close(pool), 0);
    assert_true(leftovers_no_children());
}

static void small_tasks(sil_executor *pool)
{
    sil_future *futures[SMALL];
    for (int i = 0; i < SMALL; i++)
        futures[i] = submit_int(pool, task_square, i);
    for (int i = 0; i < SMALL; i++) {
        int value = -1;
        if (futures[i] != NULL && take(futures[i], &value) == 0)
            assert_int_equal(value, i * i);
    }
}

static void large_tasks(sil_executor *pool)
{
    static unsigned char bytes[LARGE];
    static unsigned char back[LARGE];
    (void)memset(bytes, 3, LARGE);
    sil_future *future = sil_submit(pool, add_one, bytes, LARGE, LARGE);
    if (take(future, back) == 0)
        assert_true(back[0] == 4 && memcmp(back, back + 1, LARGE - 1) == 0);
    future = sil_submit(pool, make_large, NULL, 0, 0);
    int code = sil_await(future, SIL_FOREVER);
    assert_true(is_allowed(code) || (code == SIL_EBROKEN && may_break));
    size_t size = 0;
    const unsigned char *made = sil_future_result(future, &size);
    assert_true(made == NULL || (size == LARGE && made[0] == 7 && made[LARGE - 1] == 7));
    sil_future_release(future);
}

static void use(sil_start start)
{
    sil_executor *pool = make(start);
    if (!was_made(pool))
        return;
    small_tasks(pool);
    large_tasks(pool);
    close_it(pool);
}

static void spawned(void)
{
    use(SIL_START_SPAWN);
}

static void forked(void)
{
    use(SIL_START_FORK);
}

/* Nobody looks before it is closed. */
static void closed_at_once(void)
{
    sil_executor *pool = make(SIL_START_SPAWN);
    if (!was_made(pool))
        return;
    sil_future *futures[SMALL];
    for (int i = 0; i < SMALL; i++)
        futures[i] = submit_int(pool, task_square, i);
    close_it(pool);
    for (int i = 0; i < SMALL; i++)
        (void)take(futures[i], NULL);
}

static int die(void *arg, void *result)
{
    (void)arg;
    (void)result;
    _Exit(1);
}

/* One whose worker must be replaced. */
static void broken(void)
{
    sil_executor *pool = make(SIL_START_SPAWN);
    if (!was_made(pool))
        return;
    sil_future *future = sil_submit(pool, die, NULL, 0, 0);
    int code = sil_take(future, NULL, SIL_FOREVER);
    assert_true(code == SIL_EBROKEN || is_allowed(code));
    small_tasks(pool);
    close_it(pool);
}

static void survive_all(void (*scenario)(void))
{
    for (int site = 0; site < SIL__FAULT_SITES; site++)
        fail_each_point(site, scenario);
}

static void test_spawned_pools_survive(void **state)
{
    (void)state;
    survive_all(spawned);
}

static void test_forked_pools_survive(void **state)
{
    (void)state;
    survive_all(forked);
}

static void test_pools_survive_that_are_closed_at_once(void **state)
{
    (void)state;
    survive_all(closed_at_once);
}

static void test_pools_survive_a_crash(void **state)
{
    (void)state;
    survive_all(broken);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_spawned_pools_survive),
        TEST(test_forked_pools_survive),
        TEST(test_pools_survive_that_are_closed_at_once),
        TEST(test_pools_survive_a_crash),
    };
    return test_run("process pool faults", tests);
}
