/* SPDX-License-Identifier: MIT */
/*
 * The map iterator: results in input order with a bounded number under way.
 */
#include <sillon/map.h>

#include <errno.h>
#include <stdatomic.h>

#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers, .name = "map"});
}

/* Counts up to a limit; then ends, with the code at the limit. */
struct counter {
    int next;
    int limit;
    int code_at_limit;
    int calls_after_limit;
};

static int count_up(void *user, void *arg)
{
    struct counter *counter = user;
    if (counter->next >= counter->limit) {
        counter->calls_after_limit++;
        return counter->code_at_limit;
    }
    *(int *)arg = counter->next++;
    return 0;
}

static sil_map_iterator *create(sil_executor *executor, sil_task_fn fn, struct counter *counter,
                                size_t buffer)
{
    return sil_map_iterator_create(executor, &(sil_map_options){.fn = fn,
                                                                .arg_size = sizeof(int),
                                                                .result_size = sizeof(int),
                                                                .input = count_up,
                                                                .user = counter,
                                                                .buffer = buffer,
                                                                .name = "square"});
}

static int square_after_a_while(void *arg, void *result)
{
    for (int i = 0; i < 5; i++)
        random_yield_here();
    *(int *)result = *(int *)arg * *(int *)arg;
    return 0;
}

static void test_yields_in_input_order(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(4);
    for (size_t buffer = 0; buffer < 40; buffer = buffer * 2 + 1) {
        struct counter counter = {0, 1000, SIL_EEND, 0};
        sil_map_iterator *it = create(pool, square_after_a_while, &counter, buffer);
        int value = -1;
        for (int i = 0; i < 1000; i++) {
            assert_code(sil_map_next(it, &value, SIL_FOREVER), 0);
            assert_int_equal(value, i * i);
        }
        assert_code(sil_map_next(it, &value, SIL_FOREVER), SIL_EEND);
        assert_code(sil_map_next(it, &value, SIL_NOW), SIL_EEND);
        assert_int_equal(counter.calls_after_limit, 1);
        sil_map_iterator_destroy(it);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_a_million_inputs(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct counter counter = {0, TEST_SCALE(1000000), SIL_EEND, 0};
    sil_map_iterator *it = create(pool, task_int, &counter, 64);
    int value = -1;
    int next = 0;
    int wrong = 0;
    while (sil_map_next(it, &value, SIL_FOREVER) == 0)
        wrong += value != next++;
    assert_int_equal(wrong, 0);
    assert_int_equal(next, counter.limit);
    sil_map_iterator_destroy(it);
    assert_code(sil_executor_close(pool), 0);
}

/* How many have been started and not yielded must never exceed the buffer. */
static atomic_int started;
static atomic_int yielded;
static atomic_int most;

static int count_started(void *arg, void *result)
{
    int ahead = atomic_fetch_add(&started, 1) + 1 - atomic_load(&yielded);
    int seen = atomic_load(&most);
    while (ahead > seen && !atomic_compare_exchange_weak(&most, &seen, ahead)) {
    }
    *(int *)result = *(int *)arg;
    return 0;
}

static void test_never_more_than_the_buffer_under_way(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(4);
    static const int buffers[] = {1, 3, 10};
    for (size_t b = 0; b < COUNT_OF(buffers); b++) {
        started = 0;
        yielded = 0;
        most = 0;
        struct counter counter = {0, TEST_SCALE(20000), SIL_EEND, 0};
        sil_map_iterator *it = create(pool, count_started, &counter, (size_t)buffers[b]);
        int drawn = 0;
        for (;;) {
            /* what this call yields no longer counts: it makes room before it draws more */
            yielded++;
            if (sil_map_next(it, NULL, SIL_FOREVER) != 0)
                break;
            drawn = counter.next - yielded > drawn ? counter.next - yielded : drawn;
        }
        assert_in_range(most, 1, buffers[b]);
        assert_in_range(drawn, 0, buffers[b]);
        sil_map_iterator_destroy(it);
    }
    assert_code(sil_executor_close(pool), 0);
}

static int fail_at_50(void *arg, void *result)
{
    int n = *(int *)arg;
    if (n == 50)
        return sil_fail(EDOM, "50 is bad");
    *(int *)result = n;
    return 0;
}

static void test_first_error_ends_the_iteration(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(4);
    struct counter counter = {0, 1000000, SIL_EEND, 0};
    sil_map_iterator *it = create(pool, fail_at_50, &counter, 16);
    int value = -1;
    for (int i = 0; i < 50; i++) {
        assert_code(sil_map_next(it, &value, SIL_FOREVER), 0);
        assert_int_equal(value, i);
    }
    assert_code(sil_map_next(it, &value, SIL_FOREVER), EDOM);
    assert_string_equal(sil_error_message(sil_last_error()), "50 is bad");
    assert_string_equal(sil_error_task(sil_last_error()), "square");
    assert_int_equal(value, 49);
    int drawn = counter.next;
    for (int i = 0; i < 3; i++)
        assert_code(sil_map_next(it, &value, SIL_FOREVER), SIL_EEND);
    assert_int_equal(counter.next, drawn);
    sil_map_iterator_destroy(it);
    assert_code(sil_executor_close(pool), 0);
}

static void test_error_of_the_input_comes_after_what_was_drawn(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct counter counter = {0, 20, ENOENT, 0};
    sil_map_iterator *it = create(pool, task_int, &counter, 8);
    int value = -1;
    int yields = 0;
    int code;
    while ((code = sil_map_next(it, &value, SIL_FOREVER)) == 0)
        assert_int_equal(value, yields++);
    assert_code(code, ENOENT);
    assert_int_equal(yields, 20);
    assert_code(sil_map_next(it, &value, SIL_FOREVER), SIL_EEND);
    assert_int_equal(counter.calls_after_limit, 1);
    sil_map_iterator_destroy(it);
    assert_code(sil_executor_close(pool), 0);
}

static void test_no_inputs_at_all(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct counter counter = {0, 0, SIL_EEND, 0};
    sil_map_iterator *it = create(pool, task_int, &counter, 0);
    assert_code(sil_map_next(it, NULL, SIL_FOREVER), SIL_EEND);
    sil_map_iterator_destroy(it);
    it = sil_map_iterator_create(pool, &(sil_map_options){.fn = task_nothing, .count = 0});
    assert_non_null(it);
    assert_code(sil_map_next(it, NULL, SIL_FOREVER), SIL_EEND);
    sil_map_iterator_destroy(it);
    assert_code(sil_executor_close(pool), 0);
}

static void test_array_of_no_bytes(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    sil_map_iterator *it =
        sil_map_iterator_create(pool, &(sil_map_options){.fn = task_nothing, .count = 30});
    for (int i = 0; i < 30; i++)
        assert_code(sil_map_next(it, NULL, SIL_FOREVER), 0);
    assert_code(sil_map_next(it, NULL, SIL_FOREVER), SIL_EEND);
    sil_map_iterator_destroy(it);
    assert_code(sil_executor_close(pool), 0);
}

static int gate_then_int(void *arg, void *result)
{
    struct gate *gate = *(struct gate **)arg;
    gate_wait(gate);
    *(int *)result = 5;
    return 0;
}

static void test_timed_out_next_may_be_called_again(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct gate gate;
    gate_init(&gate);
    struct gate *args[] = {&gate, &gate};
    sil_map_iterator *it =
        sil_map_iterator_create(pool, &(sil_map_options){.fn = gate_then_int,
                                                         .arg_size = sizeof args[0],
                                                         .result_size = sizeof(int),
                                                         .args = args,
                                                         .count = 2});
    int value = 0;
    assert_code(sil_map_next(it, &value, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_map_next(it, &value, sil_in(0.01)), SIL_ETIMEDOUT);
    gate_open(&gate);
    for (int i = 0; i < 2; i++) {
        value = 0;
        assert_code(sil_map_next(it, &value, SIL_FOREVER), 0);
        assert_int_equal(value, 5);
    }
    assert_code(sil_map_next(it, &value, SIL_FOREVER), SIL_EEND);
    sil_map_iterator_destroy(it);
    gate_fini(&gate);
    assert_code(sil_executor_close(pool), 0);
}

static void test_destroy_cancels_what_has_not_started_and_waits_for_what_runs(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    for (int yields = 0; yields < 3; yields++) {
        started = 0;
        struct counter counter = {0, 1000000, SIL_EEND, 0};
        sil_map_iterator *it = create(pool, count_started, &counter, 32);
        for (int i = 0; i < yields; i++)
            assert_code(sil_map_next(it, NULL, SIL_FOREVER), 0);
        sil_map_iterator_destroy(it);
        int after = started;
        assert_in_range(counter.next, 0, 32 + yields);
        assert_code(sil_take(submit_nothing(pool), NULL, SIL_FOREVER), 0);
        assert_int_equal(started, after);
    }
    assert_code(sil_executor_close(pool), 0);
}

struct inside {
    sil_executor *pool;
};

static int iterate_inside(void *arg, void *result)
{
    struct inside *inside = arg;
    struct counter counter = {0, 100, SIL_EEND, 0};
    sil_map_iterator *it = create(inside->pool, task_int, &counter, 4);
    int value = 0;
    int code;
    while ((code = sil_map_next(it, &value, SIL_FOREVER)) == 0)
        *(int *)result += value;
    sil_map_iterator_destroy(it);
    return code == SIL_EEND ? 0 : code;
}

static void test_inside_a_task_of_its_own_pool(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] =
            sil_submit(pool, iterate_inside, &(struct inside){pool}, sizeof pool, sizeof(int));
    for (int i = 0; i < 3; i++) {
        int sum = 0;
        assert_code(sil_take(futures[i], &sum, SIL_FOREVER), 0);
        assert_int_equal(sum, 4950);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_bad_input_is_refused(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    int arg = 0;
    struct counter counter = {0};
    static const sil_map_options good = {.fn = task_int, .arg_size = 4, .result_size = 4};
    sil_map_options bad[8];
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = good;
        bad[i].args = &arg;
        bad[i].count = 1;
    }
    bad[0].fn = NULL;
    bad[1].args = NULL;
    bad[2].arg_size = SIZE_MAX;
    bad[3].result_size = SIZE_MAX;
    bad[4].count = SIZE_MAX;
    bad[5].input = count_up; /* both an array and a function */
    bad[5].user = &counter;
    bad[6].buffer = SIZE_MAX;
    bad[7].reserved[2] = 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        sil_map_iterator *it = sil_map_iterator_create(pool, &bad[i]);
        if (it != NULL)
            print_error("options %zu were accepted\n", i);
        assert_null(it);
        assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    }
    bad[1].args = &arg;
    assert_null(sil_map_iterator_create(NULL, &bad[1]));
    assert_null(sil_map_iterator_create(pool, NULL));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_map_next(NULL, NULL, SIL_FOREVER), SIL_EINVAL);
    sil_map_iterator_destroy(NULL);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_yields_in_input_order),
        TEST(test_a_million_inputs),
        TEST(test_never_more_than_the_buffer_under_way),
        TEST(test_first_error_ends_the_iteration),
        TEST(test_error_of_the_input_comes_after_what_was_drawn),
        TEST(test_no_inputs_at_all),
        TEST(test_array_of_no_bytes),
        TEST(test_timed_out_next_may_be_called_again),
        TEST(test_destroy_cancels_what_has_not_started_and_waits_for_what_runs),
        TEST(test_inside_a_task_of_its_own_pool),
        TEST(test_bad_input_is_refused),
    };
    return test_run("map iterator", tests);
}
