/* SPDX-License-Identifier: MIT */
/*
 * Batches: a worker takes several tasks from an intake in one go. Nobody may have to wait for
 * those it holds, when the first of them waits: they are there for others, and in their order.
 */
#include <sillon/sillon.h>

#include <stdatomic.h>

#include "support/gate.h"
#include "support/random.h"
#include "support/slot.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
    assert_non_null(pool);
    return pool;
}

/* All workers of a pool, held so that what comes next stays in the intake. */
struct held {
    sil_executor *pool;
    struct gate gate;
    sil_future *tasks[4];
};

static void hold(struct held *held, unsigned workers)
{
    held->pool = create_pool(workers);
    gate_init(&held->gate);
    for (unsigned i = 0; i < workers; i++) {
        held->tasks[i] = submit_gate(held->pool, &held->gate);
        gate_wait_for_arrivals(&held->gate, i + 1);
    }
}

static void let_go(struct held *held)
{
    unsigned workers = sil_executor_workers(held->pool);
    gate_open(&held->gate);
    for (unsigned i = 0; i < workers; i++)
        assert_code(sil_take(held->tasks[i], NULL, SIL_FOREVER), 0);
}

static void close_held(struct held *held)
{
    assert_code(sil_executor_close(held->pool), 0);
    gate_fini(&held->gate);
}

static int open_gate(void *arg, void *result)
{
    (void)result;
    gate_open(*(struct gate **)arg);
    return 0;
}

static void post_nothings(sil_executor *pool, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_code(sil_post(pool, task_nothing, NULL, 0), 0);
}

/* One task blocks its worker until another has run that comes so much later. */
static void check_blocked_by_later(unsigned between, unsigned after)
{
    struct held held;
    struct gate gate;
    struct gate *arg = &gate;
    gate_init(&gate);
    hold(&held, 2);
    assert_code(sil_post(held.pool, task_gate, &arg, sizeof arg), 0);
    post_nothings(held.pool, between);
    assert_code(sil_post(held.pool, open_gate, &arg, sizeof arg), 0);
    post_nothings(held.pool, after);
    let_go(&held);
    gate_wait(&gate);
    close_held(&held);
    gate_fini(&gate);
}

static void test_first_task_blocks_until_a_later_one_has_run(void **state)
{
    (void)state;
    for (unsigned between = 0; between < 40; between += between < 6 ? 1 : 7)
        for (unsigned after = 0; after < 200; after = after * 3 + 1)
            check_blocked_by_later(between, after);
}

static void test_a_task_blocks_until_a_later_one_has_run_wherever_they_stand(void **state)
{
    (void)state;
    struct random random = {11};
    for (int i = 0; i < TEST_SCALE(2000); i++) {
        struct held held;
        struct gate gate;
        struct gate *arg = &gate;
        gate_init(&gate);
        hold(&held, 2);
        post_nothings(held.pool, (unsigned)random_below(&random, 70));
        assert_code(sil_post(held.pool, task_gate, &arg, sizeof arg), 0);
        post_nothings(held.pool, (unsigned)random_below(&random, 20));
        assert_code(sil_post(held.pool, open_gate, &arg, sizeof arg), 0);
        post_nothings(held.pool, (unsigned)random_below(&random, 70));
        let_go(&held);
        gate_wait(&gate);
        close_held(&held);
        gate_fini(&gate);
    }
}

/* --- waits for futures --------------------------------------------------------------------- */

static int resolve_it(void *arg, void *result)
{
    (void)result;
    return sil_promise_resolve(*(sil_promise **)arg, NULL);
}

static void check_await_of_later(unsigned workers, unsigned between, unsigned after)
{
    struct held held;
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    hold(&held, workers);
    sil_future *waiter = submit_await(held.pool, value);
    post_nothings(held.pool, between);
    assert_code(sil_post(held.pool, resolve_it, &promise, sizeof promise), 0);
    post_nothings(held.pool, after);
    let_go(&held);
    assert_code(sil_take(waiter, NULL, SIL_FOREVER), 0);
    close_held(&held);
    sil_promise_destroy(promise);
    sil_future_release(value);
}

static void test_first_task_awaits_what_a_later_one_resolves(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++)
        for (unsigned between = 0; between < 40; between += between < 6 ? 1 : 7)
            for (unsigned after = 0; after < 200; after = after * 3 + 1)
                check_await_of_later(workers, between, after);
}

static void check_await_of_future(unsigned workers, unsigned between)
{
    struct held held;
    struct gate open;
    sil_future *later = NULL;
    gate_init(&open);
    gate_open(&open);
    hold(&held, workers);
    sil_future *waiter = submit_slot(held.pool, "waiter", (struct slot_task){&open, &later, 0});
    post_nothings(held.pool, between);
    later = submit_int(held.pool, task_int, 7); /* it looks when it is let go */
    post_nothings(held.pool, 100);
    let_go(&held);
    assert_code(sil_take(waiter, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(later, NULL, SIL_FOREVER), 0);
    close_held(&held);
    gate_fini(&open);
}

static void test_first_task_awaits_a_later_one_of_its_batch(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++)
        for (unsigned between = 0; between < 20; between++)
            check_await_of_future(workers, between);
}

/* --- order --------------------------------------------------------------------------------- */

enum { STEPS = 300 };

static struct {
    atomic_uint count;
    unsigned order[STEPS];
} trail;

struct step {
    unsigned number;
    sil_future *await;     /* or NULL */
    sil_promise *resolves; /* or NULL */
};

static int leave_trail(void *arg, void *result)
{
    (void)result;
    struct step *step = arg;
    unsigned at = atomic_fetch_add(&trail.count, 1);
    if (at < STEPS)
        trail.order[at] = step->number;
    if (step->resolves != NULL)
        (void)sil_promise_resolve(step->resolves, NULL);
    return step->await != NULL ? sil_await(step->await, SIL_FOREVER) : 0;
}

/* While a task waits another worker goes on, where the first one was. (When the wait ends there are
 * two for a moment, and what is in their hands then is in no order.) */
static void check_order(unsigned waits, unsigned resolves)
{
    struct held held;
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    trail.count = 0;
    hold(&held, 1);
    for (unsigned i = 0; i < STEPS; i++) {
        struct step step = {.number = i,
                            .await = i == waits ? value : NULL,
                            .resolves = i == resolves ? promise : NULL};
        assert_code(sil_post(held.pool, leave_trail, &step, sizeof step), 0);
    }
    let_go(&held);
    close_held(&held);
    assert_int_equal(trail.count, STEPS);
    for (unsigned i = 0; i < STEPS; i++)
        assert_int_equal(trail.order[i], i);
    sil_promise_destroy(promise);
    sil_future_release(value);
}

static void test_one_worker_keeps_the_order_though_a_task_waits(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(200); i++) {
        check_order(0, STEPS - 1);
        check_order(3, STEPS - 1);
    }
}

/* Fillers that each wait until the next ones are posted: the intake is never empty. */
struct flood {
    atomic_uint posted;
    atomic_bool over;
    atomic_uint at; /* fillers begun when the one that was left behind ran */
    atomic_uint begun;
};

enum { AHEAD = 40, FLOOD = 2000 };

static int fill(void *arg, void *result)
{
    (void)result;
    struct flood *flood = *(struct flood **)arg;
    unsigned mine = atomic_fetch_add(&flood->begun, 1);
    eventually(flood->posted >= mine + AHEAD || flood->over);
    return 0;
}

static int note_when(void *arg, void *result)
{
    (void)result;
    struct flood *flood = *(struct flood **)arg;
    flood->at = flood->begun;
    return 0;
}

static void test_what_a_waiting_worker_holds_is_not_left_behind(void **state)
{
    (void)state;
    struct held held;
    struct flood flood = {.at = FLOOD};
    struct flood *arg = &flood;
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    hold(&held, 1);
    sil_future *waiter = submit_await(held.pool, value);
    assert_code(sil_post(held.pool, note_when, &arg, sizeof arg), 0);
    for (unsigned i = 0; i < FLOOD; i++) {
        assert_code(sil_post(held.pool, fill, &arg, sizeof arg), 0);
        flood.posted = i + 1;
        if (i == 2 * AHEAD)
            let_go(&held);
        eventually(i < 2 * AHEAD || flood.begun + 2 * AHEAD > i);
    }
    flood.over = true;
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_code(sil_take(waiter, NULL, SIL_FOREVER), 0);
    close_held(&held);
    assert_true(flood.at < FLOOD / 2);
    sil_promise_destroy(promise);
    sil_future_release(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_task_blocks_until_a_later_one_has_run),
        TEST(test_a_task_blocks_until_a_later_one_has_run_wherever_they_stand),
        TEST(test_first_task_awaits_what_a_later_one_resolves),
        TEST(test_first_task_awaits_a_later_one_of_its_batch),
        TEST(test_one_worker_keeps_the_order_though_a_task_waits),
        TEST(test_what_a_waiting_worker_holds_is_not_left_behind),
    };
    return test_run("batches", tests);
}
