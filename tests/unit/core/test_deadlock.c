/* SPDX-License-Identifier: MIT */
/*
 * Cycles of waits end with SIL_EDEADLK, and the message names who waits for whom.
 */
#include <sillon/future.h>

#include <stdio.h>

#include "support/slot.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
    assert_non_null(pool);
    return pool;
}

/* The future ends with SIL_EDEADLK and a message that has both names. Releases it. */
static void assert_deadlock(sil_future *future, const char *one, const char *other)
{
    assert_code(sil_await(future, SIL_FOREVER), SIL_EDEADLK);
    const char *message = sil_error_message(sil_future_error(future));
    assert_contains(message, one);
    assert_contains(message, other);
    sil_future_release(future);
}

/* A ring of tasks, each awaiting the next; how many seconds it took until all had ended. */
static double run_ring(sil_executor *const *pools, unsigned pool_count, unsigned count)
{
    enum { MOST = 50 };
    struct gate gate;
    gate_init(&gate);
    sil_future *slots[MOST];
    for (unsigned i = 0; i < count; i++) {
        char name[20];
        (void)snprintf(name, sizeof name, "ring-%c%c", 'a' + i / 10, 'a' + i % 10);
        slots[i] = submit_slot(pools[i % pool_count], name,
                               (struct slot_task){&gate, &slots[(i + 1) % count], 0});
    }
    double start = test_seconds();
    gate_open(&gate);
    for (unsigned i = 0; i < count; i++)
        assert_code(sil_await(slots[i], SIL_FOREVER), SIL_EDEADLK);
    double seconds = test_seconds() - start;
    for (unsigned i = 0; i < count; i++) {
        const char *message = sil_error_message(sil_future_error(slots[i]));
        assert_contains(message, "ring-"); /* a long cycle is named in part */
        for (unsigned k = 0; k < count && count <= 3; k++)
            assert_contains(message, sil_future_name(slots[k]));
    }
    for (unsigned i = 0; i < count; i++)
        sil_future_release(slots[i]);
    gate_fini(&gate);
    return seconds;
}

static void test_cycles_of_every_length_are_reported(void **state)
{
    (void)state;
    static const unsigned workers[] = {1, 2, 4};
    static const unsigned lengths[] = {1, 2, 3, 4, 7, 50};
    for (size_t w = 0; w < COUNT_OF(workers); w++) {
        sil_executor *pool = create_pool(workers[w]);
        for (size_t i = 0; i < COUNT_OF(lengths); i++)
            (void)run_ring(&pool, 1, lengths[i]);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_cycles_across_pools_are_reported(void **state)
{
    (void)state;
    sil_executor *pools[] = {create_pool(1), create_pool(1), create_pool(2)};
    (void)run_ring(pools, 2, 2);
    (void)run_ring(pools, 3, 3);
    (void)run_ring(pools, 3, 20);
    for (size_t i = 0; i < COUNT_OF(pools); i++)
        assert_code(sil_executor_close(pools[i]), 0);
}

static void test_two_tasks_are_told_within_100_ms(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        sil_executor *pool = create_pool(workers);
        double best = 1e9;
        for (int i = 0; i < 5; i++) {
            double seconds = run_ring(&pool, 1, 2);
            best = seconds < best ? seconds : best;
        }
        assert_true(best < 0.1);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_every_round_of_many_is_reported(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(4);
    for (int round = 0; round < TEST_SCALE(500); round++)
        (void)run_ring(&pool, 1, 2 + (unsigned)round % 4);
    assert_code(sil_executor_close(pool), 0);
}

/* Runs one cycle in which first awaits made(second), and second awaits first. */
static void run_cycle_through(sil_future *(*make)(sil_future *second, sil_executor *pool),
                              unsigned workers)
{
    sil_executor *pool = create_pool(workers);
    struct gate gate;
    gate_init(&gate);
    sil_future *made = NULL;
    sil_future *first = NULL;
    first = submit_slot(pool, "first", (struct slot_task){&gate, &made, 0});
    sil_future *second = submit_slot(pool, "second", (struct slot_task){&gate, &first, 0});
    made = make(second, pool);
    gate_open(&gate);
    sil_future *all[] = {first, second, made};
    assert_code(sil_wait(all, 3, SIL_ALL_COMPLETED, SIL_FOREVER, NULL), 0);
    for (int i = 0; i < 3; i++)
        assert_deadlock(all[i], "first", "second");
    gate_fini(&gate);
    assert_code(sil_executor_close(pool), 0);
}

static sil_future *make_all(sil_future *second, sil_executor *pool)
{
    sil_future *other = submit_nothing(pool);
    sil_future *inputs[] = {other, second};
    sil_future *all = sil_all(inputs, 2);
    sil_future_release(other);
    return all;
}

static int pass(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)arg;
    (void)result;
    return 0;
}

static sil_future *make_then_here(sil_future *second, sil_executor *pool)
{
    (void)pool;
    return sil_then(second, NULL, pass, NULL, 0, 0);
}

static sil_future *make_then_there(sil_future *second, sil_executor *pool)
{
    return sil_then(second, pool, pass, NULL, 0, 0);
}

static sil_future *make_race_of_twice_the_same(sil_future *second, sil_executor *pool)
{
    (void)pool;
    sil_future *inputs[] = {second, second};
    return sil_race(inputs, 2);
}

static sil_future *make_all_of_then_of_any(sil_future *second, sil_executor *pool)
{
    sil_future *any = sil_any(&second, 1);
    sil_future *then = sil_then(any, pool, pass, NULL, 0, 0);
    sil_future *all = sil_all(&then, 1);
    sil_future_release(any);
    sil_future_release(then);
    return all;
}

static void test_cycles_through_combinations_are_reported(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        run_cycle_through(make_all, workers);
        run_cycle_through(make_then_here, workers);
        run_cycle_through(make_then_there, workers);
        run_cycle_through(make_race_of_twice_the_same, workers);
        run_cycle_through(make_all_of_then_of_any, workers);
    }
}

/* What follows a future awaits the task that awaits what follows. */
static int await_first(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)result;
    return sil_await(**(sil_future ***)arg, SIL_FOREVER);
}

static void test_cycle_through_the_function_of_a_then_is_reported(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        sil_executor *pool = create_pool(workers);
        struct gate gate;
        gate_init(&gate);
        sil_promise *promise;
        sil_future *source = promise_int(&promise);
        sil_future *next = NULL;
        sil_future *first = submit_slot(pool, "first", (struct slot_task){&gate, &next, 0});
        next =
            sil_then(source, pool, await_first, &(sil_future **){&first}, sizeof(sil_future **), 0);
        gate_open(&gate);
        assert_code(sil_promise_resolve(promise, NULL), 0);
        assert_code(sil_await(first, SIL_FOREVER), SIL_EDEADLK);
        assert_deadlock(next, "first", "");
        assert_deadlock(first, "first", "");
        sil_promise_destroy(promise);
        sil_future_release(source);
        gate_fini(&gate);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_cycle_of_a_thread_and_a_pool_is_reported(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct gate gate;
    gate_init(&gate);
    sil_future *in_pool = NULL;
    sil_future *on_thread = start_slot("loner", (struct slot_task){&gate, &in_pool, 0});
    in_pool = submit_slot(pool, "member", (struct slot_task){&gate, &on_thread, 0});
    gate_open(&gate);
    assert_code(sil_await(in_pool, SIL_FOREVER), SIL_EDEADLK);
    assert_deadlock(on_thread, "loner", "member");
    assert_deadlock(in_pool, "loner", "member");
    gate_fini(&gate);
    assert_code(sil_executor_close(pool), 0);
}

/* Waits for several slots at once by sil_wait or sil_as_completed. */
struct many_slots {
    struct gate *gate;
    sil_future **slots;
    size_t count;
    int how; /* a sil_wait_for, or -1: as completed */
};

static int wait_for_slots(void *arg, void *result)
{
    (void)result;
    struct many_slots *many = arg;
    gate_wait(many->gate);
    if (many->how >= 0)
        return sil_wait(many->slots, many->count, (sil_wait_for)many->how, SIL_FOREVER, NULL);
    sil_as_completed *it = sil_as_completed_create(many->slots, many->count);
    sil_future *future = NULL;
    int code = 0;
    while (code == 0)
        code = sil_as_completed_next(it, &future, SIL_FOREVER);
    sil_as_completed_destroy(it);
    return code == SIL_EEND ? 0 : code;
}

static void test_cycles_through_waits_for_many_are_reported(void **state)
{
    (void)state;
    for (int how = -1; how <= SIL_FIRST_EXCEPTION; how++) {
        sil_executor *pool = create_pool(4);
        struct gate gate;
        gate_init(&gate);
        sil_future *slots[3] = {NULL};
        struct many_slots many = {&gate, slots, 2, how};
        slots[2] = sil_submit_with(pool, &(sil_submit_options){.name = "waiter"}, wait_for_slots,
                                   &many, sizeof many, 0);
        slots[0] = submit_slot(pool, "left", (struct slot_task){&gate, &slots[2], 0});
        slots[1] = submit_slot(pool, "right", (struct slot_task){&gate, &slots[2], 0});
        gate_open(&gate);
        int deadlocks = 0;
        for (int i = 0; i < 3; i++)
            deadlocks += sil_await(slots[i], SIL_FOREVER) == SIL_EDEADLK;
        assert_in_range(deadlocks, 1, 3); /* who closes the cycle is told, then others may go on */
        for (int i = 0; i < 3; i++)
            sil_future_release(slots[i]);
        gate_fini(&gate);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* A loop whose pieces await the task that runs the loop. */
struct looper {
    sil_executor *pool;
    struct gate *gate;
    sil_future **self;
};

static int await_self(size_t begin, size_t end, void *user)
{
    (void)begin;
    (void)end;
    struct looper *looper = user;
    return sil_await(*looper->self, SIL_FOREVER);
}

static int loop_over_self(void *arg, void *result)
{
    (void)result;
    struct looper *looper = arg;
    gate_wait(looper->gate);
    return sil_parallel_for(looper->pool, 0, 8, 1, await_self, looper);
}

static void test_cycle_through_a_loop_is_reported(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        sil_executor *pool = create_pool(workers);
        struct gate gate;
        gate_init(&gate);
        sil_future *self = NULL;
        struct looper looper = {pool, &gate, &self};
        self = sil_submit_with(pool, &(sil_submit_options){.name = "looper"}, loop_over_self,
                               &looper, sizeof looper, 0);
        gate_open(&gate);
        assert_deadlock(self, "looper", "");
        gate_fini(&gate);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_pool_is_as_good_as_new_afterwards(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    for (int round = 0; round < 20; round++)
        (void)run_ring(&pool, 1, 5);
    struct gate gate;
    gate_init(&gate);
    sil_future *one = submit_gate(pool, &gate);
    sil_future *other = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 2);
    gate_open(&gate);
    assert_code(sil_take(one, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(other, NULL, SIL_FOREVER), 0);
    sil_executor_stats stats;
    assert_code(sil_executor_shutdown(pool, false, SIL_FOREVER), 0);
    assert_code(sil_executor_stats_get(pool, &stats), 0);
    assert_int_equal(stats.done, stats.submitted);
    assert_int_equal(stats.blocked, 0);
    gate_fini(&gate);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_cycles_of_every_length_are_reported),
        TEST(test_cycles_across_pools_are_reported),
        TEST(test_two_tasks_are_told_within_100_ms),
        TEST(test_every_round_of_many_is_reported),
        TEST(test_cycles_through_combinations_are_reported),
        TEST(test_cycle_through_the_function_of_a_then_is_reported),
        TEST(test_cycle_of_a_thread_and_a_pool_is_reported),
        TEST(test_cycles_through_waits_for_many_are_reported),
        TEST(test_cycle_through_a_loop_is_reported),
        TEST(test_pool_is_as_good_as_new_afterwards),
    };
    return test_run("deadlock", tests);
}
