/* SPDX-License-Identifier: MIT */
/*
 * A bounded queue: at most CONTRACT_BOUND tasks wait; a full one blocks, fails or calls.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "contract.h"
#include "support/self.h"

/* An executor whose workers are busy and whose queue is full. */
struct full {
    sil_executor *executor;
    struct occupied occupied;
    atomic_uint *count; /**< of pending tasks that have run */
    sil_future *pending[CONTRACT_BOUND];
};

static void fill(struct full *full)
{
    full->executor = contract_create();
    full->count = contract_count();
    contract_occupy(&full->occupied, full->executor);
    for (int i = 0; i < CONTRACT_BOUND; i++) {
        full->pending[i] = submit_count(full->executor, full->count);
        assert_int_equal(sil_future_state(full->pending[i]), SIL_PENDING);
    }
}

/* Lets everything run; all pending tasks but the cancelled one must succeed. */
static void drain(struct full *full, int cancelled)
{
    contract_free(&full->occupied);
    for (int i = 0; i < CONTRACT_BOUND; i++)
        assert_code(sil_take(full->pending[i], NULL, SIL_FOREVER),
                    i == cancelled ? SIL_ECANCELLED : 0);
    contract_close(full->executor);
}

static void test_full_queue_fails_the_submit(void **state)
{
    (void)state;
    struct full full;
    fill(&full);
    sil_future *refused = submit_count(full.executor, full.count);
    assert_int_equal(sil_future_state(refused), SIL_FINISHED);
    assert_code(sil_future_code(refused), SIL_EFULL);
    assert_string_not_equal(sil_error_message(sil_future_error(refused)), "");
    sil_future_release(refused);
    drain(&full, -1);
    assert_int_equal(*full.count, CONTRACT_BOUND);
}

static void test_queue_with_room_again_takes_again(void **state)
{
    (void)state;
    struct full full;
    fill(&full);
    sil_executor *executor = full.executor;
    contract_free(&full.occupied);
    for (int i = 0; i < CONTRACT_BOUND; i++)
        contract_finish(full.pending[i]);
    for (int i = 0; i < 20; i++)
        contract_finish(submit_count(executor, full.count));
    contract_close(executor);
    assert_int_equal(*full.count, CONTRACT_BOUND + 20);
}

static void test_cancelled_pending_task_makes_room(void **state)
{
    (void)state;
    struct full full;
    fill(&full);
    assert_code(sil_future_cancel(full.pending[3]), 0);
    sil_future *accepted = submit_count(full.executor, full.count);
    assert_int_equal(sil_future_state(accepted), SIL_PENDING);
    drain(&full, 3);
    contract_finish(accepted);
    assert_int_equal(*full.count, CONTRACT_BOUND);
}

static int tell_thread(void *arg, void *result)
{
    (void)arg;
    *(pid_t *)result = gettid();
    return 0;
}

static void test_full_queue_has_the_caller_run_the_task(void **state)
{
    (void)state;
    struct full full;
    fill(&full);
    sil_future *future = sil_submit(full.executor, tell_thread, NULL, 0, sizeof(pid_t));
    assert_int_equal(sil_future_state(future), SIL_FINISHED);
    pid_t thread = 0;
    assert_code(sil_take(future, &thread, SIL_NOW), 0);
    assert_int_equal(thread, gettid());
    drain(&full, -1);
}

/* A thread that submits to a full executor that blocks. */
struct blocked {
    struct full *full;
    _Atomic pid_t thread;
    atomic_bool submitted;
    sil_future *future;
};

static void *submit_blocked(void *arg)
{
    struct blocked *blocked = arg;
    blocked->thread = gettid();
    blocked->future = submit_count(blocked->full->executor, blocked->full->count);
    blocked->submitted = true;
    return NULL;
}

static void start_blocked(struct blocked *blocked, struct full *full, pthread_t *thread)
{
    *blocked = (struct blocked){.full = full};
    assert_int_equal(pthread_create(thread, NULL, submit_blocked, blocked), 0);
    eventually(blocked->submitted || (blocked->thread != 0 && self_asleep(blocked->thread)));
    assert_false(blocked->submitted);
}

static void test_full_queue_blocks_until_there_is_room(void **state)
{
    (void)state;
    struct full full;
    fill(&full);
    struct blocked blocked;
    pthread_t thread;
    start_blocked(&blocked, &full, &thread);
    contract_free(&full.occupied);
    (void)pthread_join(thread, NULL);
    contract_finish(blocked.future);
    for (int i = 0; i < CONTRACT_BOUND; i++)
        contract_finish(full.pending[i]);
    contract_close(full.executor);
}

static void test_blocked_submit_goes_on_when_a_pending_task_is_cancelled(void **state)
{
    (void)state;
    struct full full;
    fill(&full);
    struct blocked blocked;
    pthread_t thread;
    start_blocked(&blocked, &full, &thread);
    assert_code(sil_future_cancel(full.pending[0]), 0);
    (void)pthread_join(thread, NULL);
    assert_int_equal(sil_future_state(blocked.future), SIL_PENDING);
    drain(&full, 0);
    assert_code(sil_take(blocked.future, NULL, SIL_NOW), 0);
    assert_int_equal(*full.count, CONTRACT_BOUND);
}

static void test_blocked_submit_fails_when_the_executor_is_shut_down(void **state)
{
    (void)state;
    struct full full;
    fill(&full);
    struct blocked blocked;
    pthread_t thread;
    start_blocked(&blocked, &full, &thread);
    assert_code(sil_executor_shutdown(full.executor, false, SIL_NOW), 0);
    (void)pthread_join(thread, NULL);
    assert_code(sil_take(blocked.future, NULL, SIL_NOW), SIL_ESHUTDOWN);
    drain(&full, -1);
    assert_int_equal(*full.count, CONTRACT_BOUND);
}

static void test_blocked_submit_waits_no_longer_than_its_deadline(void **state)
{
    (void)state;
    struct full full;
    fill(&full);
    atomic_uint *count = full.count;
    sil_submit_options options = {.deadline = sil_in(0.03)};
    sil_future *future =
        sil_submit_with(full.executor, &options, task_count, &count, sizeof count, 0);
    assert_true(sil_clock() >= options.deadline);
    assert_code(sil_take(future, NULL, SIL_NOW), SIL_ETIMEDOUT);
    drain(&full, -1);
    assert_int_equal(*full.count, CONTRACT_BOUND);
}

struct parent {
    sil_executor *executor;
    atomic_uint *count;
};

/* Submits more than fits and awaits it all; tells how many were refused. */
static int submit_children(void *arg, void *result)
{
    struct parent *parent = arg;
    enum { CHILDREN = CONTRACT_BOUND * 5 };
    sil_future *children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++)
        children[i] = submit_count(parent->executor, parent->count);
    for (int i = 0; i < CHILDREN; i++) {
        int code = sil_take(children[i], NULL, SIL_FOREVER);
        if (code == SIL_EFULL)
            ++*(int *)result;
        else if (code != 0)
            return code;
    }
    return 0;
}

static void test_tasks_that_overfill_their_own_queue_finish(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    atomic_uint *count = contract_count();
    enum { PARENTS = 4 };
    sil_future *parents[PARENTS];
    struct parent parent = {executor, count};
    for (int i = 0; i < PARENTS; i++)
        parents[i] = sil_submit(executor, submit_children, &parent, sizeof parent, sizeof(int));
    int refused = 0;
    for (int i = 0; i < PARENTS; i++) {
        int value = 0;
        assert_code(sil_take(parents[i], &value, SIL_FOREVER), 0);
        refused += value;
    }
    contract_close(executor);
    assert_int_equal(*count + (unsigned)refused, PARENTS * CONTRACT_BOUND * 5);
    if ((contract_engine()->capabilities & FULL_FAILS) == 0)
        assert_int_equal(refused, 0);
}

static void test_submit_many_beyond_the_bound(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    enum { MANY = CONTRACT_BOUND * 5 };
    atomic_uint *count = contract_count();
    atomic_uint *args[MANY];
    sil_future *futures[MANY];
    for (int i = 0; i < MANY; i++)
        args[i] = count;
    int code = sil_submit_many(executor, NULL, task_count, args, sizeof args[0], 0, MANY, futures);
    unsigned refused = 0;
    for (int i = 0; i < MANY; i++) {
        int one = sil_take(futures[i], NULL, SIL_FOREVER);
        assert_true(one == 0 || one == SIL_EFULL);
        refused += one == SIL_EFULL;
    }
    contract_close(executor);
    assert_int_equal(*count + refused, MANY);
    assert_code(code, refused > 0 ? SIL_EFULL : 0);
    if ((contract_engine()->capabilities & FULL_FAILS) == 0)
        assert_int_equal(refused, 0);
}

#define FULL_ANY(test, needed)                                                   \
    PROMISE(test, FULL_BLOCKS | (needed)), PROMISE(test, FULL_FAILS | (needed)), \
        PROMISE(test, FULL_CALLS | (needed))

const struct contract_test contract_bounded[] = {
    PROMISE(test_full_queue_fails_the_submit, FULL_FAILS),
    FULL_ANY(test_queue_with_room_again_takes_again, 0),
    FULL_ANY(test_cancelled_pending_task_makes_room, 0),
    PROMISE(test_full_queue_has_the_caller_run_the_task, FULL_CALLS),
    PROMISE(test_full_queue_blocks_until_there_is_room, FULL_BLOCKS),
    PROMISE(test_blocked_submit_goes_on_when_a_pending_task_is_cancelled, FULL_BLOCKS),
    PROMISE(test_blocked_submit_fails_when_the_executor_is_shut_down, FULL_BLOCKS),
    PROMISE(test_blocked_submit_waits_no_longer_than_its_deadline, FULL_BLOCKS),
    FULL_ANY(test_tasks_that_overfill_their_own_queue_finish, SHARES_MEMORY),
    FULL_ANY(test_submit_many_beyond_the_bound, 0),
    {0},
};
