/* SPDX-License-Identifier: MIT */
/*
 * Tasks that do to their worker whatever a task may do, or should not: the pool ends each of them
 * as it ought to, and answers a hundred others afterwards, every time.
 */
#include <sillon/sillon.h>

#include <stdatomic.h>

#include "support/hostile.h"
#include "support/leftovers.h"
#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { AFTERWARDS = 100, MOST = 64 };

#define TIMEOUT (0.1 * TEST_SLOWNESS)

static bool is_expected(const struct hostile *hostile, int code)
{
    return hostile->ends == HOSTILE_ANY ? code == 0 || code == SIL_EBROKEN || code == SIL_ETIMEDOUT
                                        : code == hostile->ends;
}

/* Those after it succeed, but for what a helper takes with it. */
static void submit_others(sil_executor *pool, const struct hostile *hostile)
{
    sil_future *others[AFTERWARDS];
    int lost = 0;
    for (int i = 0; i < AFTERWARDS; i++)
        others[i] = submit_int(pool, task_square, i);
    for (int i = 0; i < AFTERWARDS; i++) {
        int value = -1;
        int code = sil_take(others[i], &value, SIL_FOREVER);
        if (code == SIL_EBROKEN && hostile->takes_others)
            lost++;
        else
            assert_code(code, 0);
        assert_true(code != 0 || value == i * i);
    }
    assert_true(lost <= 2);
}

static void suffer(sil_executor *pool, const struct hostile *hostile)
{
    bool times = hostile->ends == SIL_ETIMEDOUT;
    if (hostile->before != NULL)
        (void)sil_take(sil_submit(pool, hostile->before, NULL, 0, 0), NULL, SIL_FOREVER);
    sil_future *future =
        sil_submit_with(pool, &(sil_submit_options){.timeout = times ? TIMEOUT : TEST_PATIENCE / 2},
                        hostile->fn, NULL, 0, 0);
    int code = sil_take(future, NULL, SIL_FOREVER);
    if (!is_expected(hostile, code))
        print_error("%s: %d, %s\n", hostile->name, code, sil_error_message(sil_last_error()));
    assert_true(is_expected(hostile, code));
    submit_others(pool, hostile);
}

static void check_gone(void)
{
    double begin = test_seconds();
    eventually(leftovers_collect());
    assert_true(test_seconds() - begin < 2.0 * TEST_SLOWNESS);
}

static void suffer_alone(sil_start start, unsigned workers)
{
    leftovers_adopt(true);
    for (size_t i = 0; i < hostile_count; i++) {
        if (hostiles[i].takes_others && start == SIL_START_FORK)
            continue; /* breaks the pool */
        sil_executor *pool =
            sil_process_pool(&(sil_process_pool_options){.workers = workers, .start = start});
        assert_non_null(pool);
        suffer(pool, &hostiles[i]);
        assert_code(sil_executor_close(pool), 0);
        if (!hostiles[i].takes_others)
            assert_true(leftovers_no_children());
        check_gone();
    }
    leftovers_adopt(false);
}

static void test_each_in_a_pool_of_its_own(void **state)
{
    (void)state;
    suffer_alone(SIL_START_SPAWN, 1);
    suffer_alone(SIL_START_SPAWN, 2);
}

static void test_each_in_a_forked_pool(void **state)
{
    (void)state;
    suffer_alone(SIL_START_FORK, 2);
}

static void test_all_in_one_pool(void **state)
{
    (void)state;
    struct random random = {1};
    sil_executor *pool = sil_process_pool(&(sil_process_pool_options){.workers = 2});
    assert_non_null(pool);
    leftovers_adopt(true);
    for (int i = 0; i < 3; i++) {
        size_t order[MOST];
        random_permutation(&random, order, hostile_count);
        for (size_t j = 0; j < hostile_count; j++)
            if (!hostiles[order[j]].takes_others) /* the helper, which knows of daemons */
                suffer(pool, &hostiles[order[j]]);
    }
    assert_code(sil_executor_close(pool), 0);
    check_gone();
    leftovers_adopt(false);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_each_in_a_pool_of_its_own),
        TEST(test_each_in_a_forked_pool),
        TEST(test_all_in_one_pool),
    };
    return test_run("hostile tasks", tests);
}
