/* SPDX-License-Identifier: MIT */
/*
 * Waits that can still end are never reported as a deadlock.
 */
#include <sillon/future.h>

#include "support/slot.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
    assert_non_null(pool);
    return pool;
}

static void test_chain_of_waits_on_a_promise(void **state)
{
    (void)state;
    enum { LENGTH = 50 };
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        sil_executor *pool = create_pool(workers);
        struct gate gate;
        gate_init(&gate);
        sil_promise *promise;
        sil_future *slots[LENGTH + 1];
        slots[LENGTH] = promise_int(&promise);
        for (int i = 0; i < LENGTH; i++)
            slots[i] = submit_slot(pool, "link", (struct slot_task){&gate, &slots[i + 1], 0});
        gate_open(&gate);
        assert_code(sil_await(slots[0], sil_in(0.01)), SIL_ETIMEDOUT);
        assert_code(sil_promise_resolve(promise, NULL), 0);
        for (int i = 0; i <= LENGTH; i++)
            assert_code(sil_await(slots[i], SIL_FOREVER), 0);
        for (int i = 0; i <= LENGTH; i++)
            sil_future_release(slots[i]);
        sil_promise_destroy(promise);
        gate_fini(&gate);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_wait_with_a_deadline_in_a_cycle_times_out(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        sil_executor *pool = create_pool(workers);
        struct gate gate;
        gate_init(&gate);
        sil_future *slots[2] = {NULL};
        slots[0] = submit_slot(pool, "patient", (struct slot_task){&gate, &slots[1], 0});
        sil_deadline until = sil_in(0.05);
        slots[1] = submit_slot(pool, "hasty", (struct slot_task){&gate, &slots[0], until});
        gate_open(&gate);
        assert_code(sil_await(slots[1], SIL_FOREVER), SIL_ETIMEDOUT);
        assert_code(sil_await(slots[0], SIL_FOREVER), SIL_ETIMEDOUT);
        assert_true(sil_clock() >= until);
        sil_future_release(slots[0]);
        sil_future_release(slots[1]);
        gate_fini(&gate);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_promise_is_never_reported(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    sil_promise *promise;
    sil_future *slot = promise_int(&promise);
    struct gate gate;
    gate_init(&gate);
    gate_open(&gate);
    struct slot_task task = {&gate, &slot, sil_in(0.05)};
    assert_code(sil_take(submit_slot(pool, "alone", task), NULL, SIL_FOREVER), SIL_ETIMEDOUT);
    sil_future *waiter = submit_await(pool, slot);
    sil_promise_destroy(promise);
    assert_code(sil_take(waiter, NULL, SIL_FOREVER), SIL_EBROKEN);
    sil_future_release(slot);
    gate_fini(&gate);
    assert_code(sil_executor_close(pool), 0);
}

/* A task that waits for the first of its slots, or for a combination of them. */
struct chooser {
    struct gate *gate;
    sil_future **slots;
    int how;
};

static int wait_for_the_first(void *arg, void *result)
{
    (void)result;
    struct chooser *chooser = arg;
    gate_wait(chooser->gate);
    sil_future *future = NULL;
    sil_as_completed *it;
    int code;
    switch (chooser->how) {
    case 0:
        return sil_wait(chooser->slots, 2, SIL_FIRST_COMPLETED, SIL_FOREVER, NULL);
    case 1:
        it = sil_as_completed_create(chooser->slots, 2);
        code = sil_as_completed_next(it, &future, SIL_FOREVER);
        sil_as_completed_destroy(it);
        return code;
    case 2:
        return sil_take(sil_any(chooser->slots, 2), NULL, SIL_FOREVER);
    default:
        return sil_take(sil_race(chooser->slots, 2), NULL, SIL_FOREVER);
    }
}

static void test_wait_with_a_way_out_of_the_cycle(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        sil_executor *pool = create_pool(4);
        struct gate gate;
        gate_init(&gate);
        sil_promise *promise;
        sil_future *slots[3] = {NULL};
        slots[1] = promise_int(&promise);
        struct chooser chooser = {&gate, slots, how};
        slots[2] = sil_submit(pool, wait_for_the_first, &chooser, sizeof chooser, 0);
        slots[0] = submit_slot(pool, "other", (struct slot_task){&gate, &slots[2], 0});
        gate_open(&gate);
        gate_wait_for_arrivals(&gate, 2);
        assert_code(sil_await(slots[2], sil_in(0.02)), SIL_ETIMEDOUT);
        assert_code(sil_promise_resolve(promise, NULL), 0);
        assert_code(sil_await(slots[2], SIL_FOREVER), 0);
        assert_code(sil_await(slots[0], SIL_FOREVER), 0);
        for (int i = 0; i < 3; i++)
            sil_future_release(slots[i]);
        sil_promise_destroy(promise);
        gate_fini(&gate);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_diamond_of_waits(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        sil_executor *pool = create_pool(workers);
        struct gate gate;
        gate_init(&gate);
        sil_future *bottom = submit_gate(pool, &gate);
        sil_future *left = submit_slot(pool, "left", (struct slot_task){&gate, &bottom, 0});
        sil_future *right = submit_slot(pool, "right", (struct slot_task){&gate, &bottom, 0});
        sil_future *both[] = {left, right};
        sil_future *all = sil_all(both, 2);
        sil_future *top = submit_slot(pool, "top", (struct slot_task){&gate, &all, 0});
        gate_open(&gate);
        assert_code(sil_take(top, NULL, SIL_FOREVER), 0);
        assert_code(sil_take(all, NULL, SIL_FOREVER), 0);
        assert_code(sil_take(left, NULL, SIL_FOREVER), 0);
        assert_code(sil_take(right, NULL, SIL_FOREVER), 0);
        assert_code(sil_take(bottom, NULL, SIL_FOREVER), 0);
        gate_fini(&gate);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* Its child waits for it, but it waits for something else: no cycle, wherever the child runs. */
struct parent {
    sil_executor *pool;
    struct gate *gate;
    sil_future **self;
    sil_future **child;
    sil_future *awaited;
};

static int parent_of_a_waiter(void *arg, void *result)
{
    (void)result;
    struct parent *parent = arg;
    gate_wait(parent->gate);
    *parent->child =
        submit_slot(parent->pool, "child", (struct slot_task){parent->gate, parent->self, 0});
    return sil_await(parent->awaited, SIL_FOREVER);
}

static void test_child_that_waits_for_its_parent(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        sil_executor *pool = create_pool(workers);
        struct gate gate;
        gate_init(&gate);
        sil_promise *promise;
        sil_future *self = NULL;
        sil_future *child = NULL;
        struct parent parent = {pool, &gate, &self, &child, promise_int(&promise)};
        self = sil_submit(pool, parent_of_a_waiter, &parent, sizeof parent, 0);
        gate_open(&gate);
        gate_wait_for_arrivals(&gate, 2); /* the child runs, though its parent blocks */
        assert_code(sil_promise_resolve(promise, NULL), 0);
        assert_code(sil_await(self, SIL_FOREVER), 0);
        assert_code(sil_take(child, NULL, SIL_FOREVER), 0);
        sil_future_release(self);
        sil_future_release(parent.awaited);
        sil_promise_destroy(promise);
        gate_fini(&gate);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* The worker that is to run what first awaits is held by a task that awaits first. */
static void test_cycle_of_workers_is_none_of_tasks(void **state)
{
    (void)state;
    sil_executor *here = create_pool(1);
    sil_executor *there = create_pool(1);
    struct gate gate;
    struct gate last_gate;
    gate_init(&gate);
    gate_init(&last_gate);
    gate_open(&last_gate);
    sil_future *last = NULL;
    sil_future *first = submit_slot(here, "first", (struct slot_task){&gate, &last, 0});
    sil_future *holder = submit_slot(there, "holder", (struct slot_task){&gate, &first, 0});
    gate_wait_for_arrivals(&gate, 2);
    last = submit_gate(there, &last_gate);
    gate_open(&gate);
    assert_code(sil_take(holder, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(first, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(last, NULL, SIL_FOREVER), 0);
    gate_fini(&last_gate);
    gate_fini(&gate);
    assert_code(sil_executor_close(here), 0);
    assert_code(sil_executor_close(there), 0);
}

static void test_random_waits_without_a_cycle(void **state)
{
    (void)state;
    enum { TASKS = 40 };
    sil_executor *pool = create_pool(3);
    for (int round = 0; round < TEST_SCALE(100); round++) {
        struct gate gate;
        gate_init(&gate);
        gate_open(&gate);
        sil_future *slots[TASKS];
        slots[0] = submit_gate(pool, &gate);
        for (int i = 1; i < TASKS; i++) /* each awaits one before it */
            slots[i] = submit_slot(pool, "some",
                                   (struct slot_task){&gate, &slots[(i * 31 + round) % i], 0});
        for (int i = 0; i < TASKS; i++)
            assert_code(sil_await(slots[i], SIL_FOREVER), 0);
        for (int i = 0; i < TASKS; i++)
            sil_future_release(slots[i]);
        gate_fini(&gate);
    }
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_chain_of_waits_on_a_promise),
        TEST(test_wait_with_a_deadline_in_a_cycle_times_out),
        TEST(test_promise_is_never_reported),
        TEST(test_wait_with_a_way_out_of_the_cycle),
        TEST(test_diamond_of_waits),
        TEST(test_child_that_waits_for_its_parent),
        TEST(test_cycle_of_workers_is_none_of_tasks),
        TEST(test_random_waits_without_a_cycle),
    };
    return test_run("no deadlock", tests);
}
