/* SPDX-License-Identifier: MIT */
/*
 * In the child of a fork: what depends on the parent's threads says so, and nothing hangs.
 */
#include <sillon/combine.h>
#include <sillon/map.h>
#include <sillon/thread.h>
#include <sillon/thread_pool.h>

#include "support/child.h"
#include "support/tasks.h"
#include "support/test.h"

struct family {
    sil_executor *pool;
    sil_future *pending;
    sil_future *ended_thread;
    sil_map_iterator *iterator;
};

static int pass_on(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)arg;
    (void)result;
    return 0;
}

static void never_called(sil_future *future, void *user)
{
    (void)future;
    (void)user;
}

static int combine_in_child(void *arg)
{
    struct family *family = arg;
    sil_future **pending = &family->pending;
    CHECK(sil_take(sil_all(pending, 1), NULL, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_take(sil_any(pending, 1), NULL, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_take(sil_race(pending, 1), NULL, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_take(sil_then(*pending, NULL, pass_on, NULL, 0, 0), NULL, SIL_FOREVER) ==
          SIL_EFORKED);
    CHECK(sil_future_add_done_callback(*pending, never_called, NULL) == SIL_EFORKED);
    sil_executor_stats stats;
    CHECK(sil_executor_stats_get(family->pool, &stats) == SIL_EFORKED);
    return 0;
}

#ifndef TEST_TSAN /* which knows no threads in the child of a program with threads */
static int give_up_in_child(void *arg)
{
    struct family *family = arg;
    CHECK(sil_map_next(family->iterator, NULL, SIL_FOREVER) == SIL_EFORKED);
    sil_map_iterator_destroy(family->iterator);
    CHECK(sil_take(family->ended_thread, NULL, SIL_FOREVER) == 0);
    CHECK(sil_take(sil_thread_start(NULL, task_nothing, NULL, 0, 0), NULL, SIL_FOREVER) == 0);
    return 0;
}
#endif

static void in_a_child(int (*fn)(void *arg))
{
    struct gate gate;
    struct gate *gate_arg = &gate;
    gate_init(&gate);
    struct family family = {
        .pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1}),
        .ended_thread = sil_thread_start(NULL, task_nothing, NULL, 0, 0),
    };
    assert_code(sil_await(family.ended_thread, SIL_FOREVER), 0);
    family.pending = submit_gate(family.pool, &gate);
    gate_wait_for_arrivals(&gate, 1);
    family.iterator = sil_map_iterator_create(
        family.pool,
        &(sil_map_options){
            .fn = task_gate, .arg_size = sizeof gate_arg, .args = &gate_arg, .count = 1});
    assert_code(sil_map_next(family.iterator, NULL, SIL_NOW), SIL_ETIMEDOUT);
    assert_int_equal(child_run(fn, &family), 0);
    gate_open(&gate);
    sil_map_iterator_destroy(family.iterator);
    assert_code(sil_take(family.pending, NULL, SIL_FOREVER), 0);
    sil_future_release(family.ended_thread);
    assert_code(sil_executor_close(family.pool), 0);
    gate_fini(&gate);
}

static void test_combinations_with_a_parents_future_are_refused(void **state)
{
    (void)state;
    in_a_child(combine_in_child);
}

#ifndef TEST_TSAN
static void test_giving_up_what_the_parent_began_does_not_hang(void **state)
{
    (void)state;
    in_a_child(give_up_in_child);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_combinations_with_a_parents_future_are_refused),
#ifndef TEST_TSAN
        TEST(test_giving_up_what_the_parent_began_does_not_hang),
#endif
    };
    return test_run("forked", tests);
}
