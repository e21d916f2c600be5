/* SPDX-License-Identifier: MIT */
/*
 * Posted tasks in the queue: their order, and what happens when there is no room.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "contract.h"
#include "support/self.h"

/* --- order --------------------------------------------------------------------------------- */

enum { STEPS = 2000 };

/* Lies on the board. */
struct trail {
    atomic_uint count;
    unsigned order[STEPS];
};

/* arg: unsigned; the tasks of these tests run one after the other. */
static int leave_trail(void *arg, void *result)
{
    (void)result;
    struct trail *trail = contract_board();
    unsigned at = atomic_fetch_add(&trail->count, 1);
    if (at < STEPS)
        trail->order[at] = *(unsigned *)arg;
    return 0;
}

/* Hand over the numbers from first on, in one of the four ways; how many. */
static unsigned hand_over(sil_executor *executor, unsigned way, unsigned first)
{
    enum { GROUP = 100 };
    unsigned numbers[GROUP] = {0};
    sil_future *futures[GROUP];
    unsigned count = way < 2 ? 1 : 1 + first % GROUP;
    if (count > STEPS - first)
        count = STEPS - first;
    for (unsigned i = 0; i < count; i++)
        numbers[i] = first + i;
    switch (way) {
    case 0:
        assert_code(sil_post(executor, leave_trail, numbers, sizeof numbers[0]), 0);
        break;
    case 1:
        sil_future_release(sil_submit(executor, leave_trail, numbers, sizeof numbers[0], 0));
        break;
    case 2:
        assert_code(sil_post_many(executor, leave_trail, numbers, sizeof numbers[0], count), 0);
        break;
    default:
        assert_code(sil_submit_many(executor, NULL, leave_trail, numbers, sizeof numbers[0], 0,
                                    count, futures),
                    0);
        for (unsigned i = 0; i < count; i++)
            sil_future_release(futures[i]);
    }
    return count;
}

static void check_order(bool occupied_first)
{
    sil_executor *executor = contract_create();
    struct occupied occupied;
    struct trail *trail = contract_board();
    trail->count = 0;
    if (occupied_first)
        contract_occupy(&occupied, executor);
    unsigned way = 0;
    for (unsigned next = 0; next < STEPS; way = (way * 5 + next) % 4)
        next += hand_over(executor, way, next);
    if (occupied_first)
        contract_free(&occupied);
    contract_close(executor);
    assert_int_equal(trail->count, STEPS);
    for (unsigned i = 0; i < STEPS; i++)
        assert_int_equal(trail->order[i], i);
}

static void test_one_worker_keeps_the_order_of_posts_and_submits(void **state)
{
    (void)state;
    check_order(true);
    for (int i = 0; i < contract_rounds(20); i++)
        check_order(false);
}

/* --- a bounded queue ----------------------------------------------------------------------- */

static int post_count(sil_executor *executor, atomic_uint *count)
{
    return sil_post(executor, task_count, &count, sizeof count);
}

/* An executor whose workers are busy, with so many posted tasks in its queue. */
struct full {
    sil_executor *executor;
    struct occupied occupied;
    atomic_uint *count; /**< of posted tasks that have run */
};

static void fill(struct full *full, int posted)
{
    full->executor = contract_create();
    full->count = contract_count();
    contract_occupy(&full->occupied, full->executor);
    for (int i = 0; i < posted; i++)
        assert_code(post_count(full->executor, full->count), 0);
    assert_int_equal(*full->count, 0);
}

/* Everything runs; so many were accepted. */
static void drain(struct full *full, unsigned accepted)
{
    contract_free(&full->occupied);
    contract_close(full->executor);
    assert_int_equal(*full->count, accepted);
}

static void test_full_queue_fails_the_post(void **state)
{
    (void)state;
    struct full full;
    fill(&full, CONTRACT_BOUND);
    assert_code(post_count(full.executor, full.count), SIL_EFULL);
    assert_code(sil_error_code(sil_last_error()), SIL_EFULL);
    drain(&full, CONTRACT_BOUND);
}

static void test_post_many_beyond_the_bound_runs_those_before(void **state)
{
    (void)state;
    struct full full;
    fill(&full, 3);
    atomic_uint *args[2 * CONTRACT_BOUND];
    for (size_t i = 0; i < COUNT_OF(args); i++)
        args[i] = full.count;
    assert_code(sil_post_many(full.executor, task_count, args, sizeof args[0], COUNT_OF(args)),
                SIL_EFULL);
    drain(&full, CONTRACT_BOUND);
}

static _Atomic pid_t thread_seen;

static int see_thread(void *arg, void *result)
{
    (void)arg;
    (void)result;
    thread_seen = gettid();
    return 0;
}

static void test_full_queue_has_the_caller_run_what_it_posts(void **state)
{
    (void)state;
    struct full full;
    fill(&full, CONTRACT_BOUND);
    thread_seen = 0;
    assert_code(sil_post(full.executor, see_thread, NULL, 0), 0);
    assert_int_equal(thread_seen, gettid());
    drain(&full, CONTRACT_BOUND);
}

/* A thread that posts to a full executor that blocks. */
struct blocked {
    struct full *full;
    _Atomic pid_t thread;
    atomic_bool posted;
    int code;
};

static void *post_blocked(void *arg)
{
    struct blocked *blocked = arg;
    blocked->thread = gettid();
    blocked->code = post_count(blocked->full->executor, blocked->full->count);
    blocked->posted = true;
    return NULL;
}

static void check_blocked(bool shutdown, int expected)
{
    struct full full;
    fill(&full, CONTRACT_BOUND);
    struct blocked blocked = {.full = &full};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, post_blocked, &blocked), 0);
    eventually(blocked.posted || (blocked.thread != 0 && self_asleep(blocked.thread)));
    assert_false(blocked.posted);
    if (shutdown)
        assert_code(sil_executor_shutdown(full.executor, false, SIL_NOW), 0);
    else
        gate_open(full.occupied.gate);
    (void)pthread_join(thread, NULL);
    assert_code(blocked.code, expected);
    drain(&full, CONTRACT_BOUND + (expected == 0));
}

static void test_full_queue_blocks_the_post_until_there_is_room(void **state)
{
    (void)state;
    check_blocked(false, 0);
}

static void test_blocked_post_fails_when_the_executor_is_shut_down(void **state)
{
    (void)state;
    check_blocked(true, SIL_ESHUTDOWN);
}

const struct contract_test contract_post_queue[] = {
    PROMISE(test_one_worker_keeps_the_order_of_posts_and_submits,
            ASYNCHRONOUS | TAKES_ALL | ONE_WORKER),
    PROMISE(test_full_queue_fails_the_post, FULL_FAILS),
    PROMISE(test_post_many_beyond_the_bound_runs_those_before, FULL_FAILS),
    PROMISE(test_full_queue_has_the_caller_run_what_it_posts, FULL_CALLS),
    PROMISE(test_full_queue_blocks_the_post_until_there_is_room, FULL_BLOCKS),
    PROMISE(test_blocked_post_fails_when_the_executor_is_shut_down, FULL_BLOCKS),
    {0},
};
