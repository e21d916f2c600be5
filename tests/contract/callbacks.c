/* SPDX-License-Identifier: MIT */
/*
 * Done callbacks: once each, in the order added, never under a lock, free to call anything.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "contract.h"

/* What several callbacks write down, in turn. */
struct diary {
    unsigned count; /**< each entry is made by the thread that completes the future */
    int entries[1200];
    sil_future *future;
    struct latch latch;
};

struct line {
    struct diary *diary;
    int number;
};

static void write_line(sil_future *future, void *user)
{
    struct line *line = user;
    struct diary *diary = line->diary;
    diary->entries[diary->count++] = line->number;
    diary->future = future;
    latch_down(&diary->latch);
}

/* Adds so many callbacks before a future ends and so many after, and sees them run in order. */
static void see_order(unsigned before, unsigned after)
{
    static struct line lines[1200];
    struct diary diary = {0};
    latch_init(&diary.latch, before);
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    if ((contract_engine()->capabilities & ASYNCHRONOUS) == 0)
        gate_open(gate);
    sil_future *future = submit_gate(executor, gate);
    for (unsigned i = 0; i < before + after; i++) {
        if (i == before) {
            gate_open(gate);
            latch_wait(&diary.latch);
        }
        lines[i] = (struct line){&diary, (int)i};
        assert_code(sil_future_add_done_callback(future, write_line, &lines[i]), 0);
    }
    gate_open(gate);
    latch_wait(&diary.latch);
    contract_close(executor);
    assert_int_equal(diary.count, before + after);
    for (unsigned i = 0; i < before + after; i++)
        assert_int_equal(diary.entries[i], i);
    assert_ptr_equal(diary.future, future);
    sil_future_release(future);
    latch_fini(&diary.latch);
}

static void test_callbacks_run_once_in_order(void **state)
{
    (void)state;
    see_order(1, 0);
    see_order(5, 0);
    see_order(3, 3);
    see_order(1200, 0);
}

static void test_callback_of_a_final_future_runs_at_once(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int cancelled = 0; cancelled <= 1; cancelled++) {
        atomic_uint called = 0;
        sil_future *future = submit_int(executor, task_fail, cancelled ? SIL_ECANCELLED : ERANGE);
        (void)sil_await(future, SIL_FOREVER);
        assert_code(sil_future_add_done_callback(future, count_done, &called), 0);
        assert_int_equal(called, 1);
        assert_code(sil_future_add_done_callback(future, count_done, &called), 0);
        assert_int_equal(called, 2);
        sil_future_release(future);
    }
    contract_close(executor);
}

/* Calls everything there is on its future. */
struct nosy {
    struct latch latch;
    atomic_uint again;
    sil_state state;
    int codes[4];
    int value;
    int length;
};

static void call_everything(sil_future *future, void *user)
{
    struct nosy *nosy = user;
    char line[100];
    size_t size = 0;
    uint64_t done = 0;
    nosy->state = sil_future_state(future);
    nosy->codes[0] = sil_future_code(future);
    nosy->codes[1] = sil_await(future, SIL_FOREVER);
    nosy->codes[2] = sil_take(sil_future_retain(future), &nosy->value, SIL_NOW);
    nosy->codes[3] = sil_future_cancel(future);
    nosy->length = sil_future_describe(future, line, sizeof line);
    (void)sil_future_done(future);
    (void)sil_future_result(future, &size);
    (void)sil_future_error(future);
    (void)sil_future_name(future);
    sil_future_progress(future, &done, &done);
    (void)sil_future_add_done_callback(future, count_done, &nosy->again);
    (void)sil_wait(&future, 1, SIL_ALL_COMPLETED, SIL_FOREVER, NULL);
    latch_down(&nosy->latch);
}

static int gated_int(void *arg, void *result)
{
    gate_wait(*(struct gate **)arg);
    *(int *)result = 5;
    return 0;
}

static sil_future *submit_gated_int(sil_executor *executor, struct gate *gate)
{
    if ((contract_engine()->capabilities & ASYNCHRONOUS) == 0)
        gate_open(gate);
    return sil_submit(executor, gated_int, &gate, sizeof gate, sizeof(int));
}

static void test_callback_may_call_everything_on_its_future(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    struct nosy nosy = {.value = 0};
    latch_init(&nosy.latch, 1);
    sil_future *future = submit_gated_int(executor, gate);
    assert_code(sil_future_add_done_callback(future, call_everything, &nosy), 0);
    gate_open(gate);
    latch_wait(&nosy.latch);
    sil_future_release(future);
    contract_close(executor);
    assert_int_equal(nosy.state, SIL_FINISHED);
    assert_code(nosy.codes[0], 0);
    assert_code(nosy.codes[1], 0);
    assert_code(nosy.codes[2], 0);
    assert_code(nosy.codes[3], SIL_EALREADY);
    assert_int_equal(nosy.value, 5);
    assert_true(nosy.length > 0);
    assert_int_equal(nosy.again, 1);
    latch_fini(&nosy.latch);
}

static void release_it(sil_future *future, void *user)
{
    sil_future_release(future);
    latch_down(user);
}

static void test_callback_may_release_the_last_reference(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int i = 0; i < TEST_SCALE(100); i++) {
        struct gate *gate = contract_gate();
        struct latch latch;
        latch_init(&latch, 1);
        sil_future *future = submit_gated_int(executor, gate);
        assert_code(sil_future_add_done_callback(future, release_it, &latch), 0);
        gate_open(gate);
        latch_wait(&latch);
        latch_fini(&latch);
        contract_unshare(gate);
    }
    contract_close(executor);
}

/* Stops at a gate: whoever asks for a lock held meanwhile would hang. */
static void stop(sil_future *future, void *user)
{
    (void)future;
    gate_wait(user);
}

static void test_callbacks_run_under_no_lock(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    struct gate stopper;
    gate_init(&stopper);
    sil_future *future = submit_gated_int(executor, gate);
    assert_code(sil_future_add_done_callback(future, stop, &stopper), 0);
    gate_open(gate);
    gate_wait_for_arrivals(&stopper, 1);

    char line[100];
    assert_true(sil_future_done(future));
    assert_true(sil_future_describe(future, line, sizeof line) > 0);
    assert_code(sil_await(future, SIL_FOREVER), 0);
    assert_code(sil_future_cancel(future), SIL_EALREADY);
    atomic_uint called = 0;
    assert_code(sil_future_add_done_callback(future, count_done, &called), 0);
    sil_future *other = submit_int(executor, task_int, 1);
    if ((contract_engine()->capabilities & PARALLEL) != 0)
        assert_code(sil_await(other, SIL_FOREVER), 0);
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(executor, &stats), 0);
    assert_code(sil_executor_shutdown(executor, false, SIL_NOW), 0);

    gate_open(&stopper);
    contract_finish(other);
    contract_close(executor);
    assert_int_equal(called, 1);
    sil_future_release(future);
    gate_fini(&stopper);
}

static void misbehave(sil_future *future, void *user)
{
    (void)user;
    (void)sil_fail(EIO, "not the task's error");
    (void)sil_await(NULL, SIL_NOW);
    (void)sil_future_cancel(future);
    (void)sil_result_alloc(100);
    sil_progress(7, 8);
    errno = ENOSPC;
}

static void test_callback_that_misbehaves_breaks_nothing(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    struct latch latch;
    atomic_uint called = 0;
    latch_init(&latch, 1);
    sil_future *future = submit_gated_int(executor, gate);
    assert_code(sil_future_add_done_callback(future, misbehave, NULL), 0);
    assert_code(sil_future_add_done_callback(future, count_done, &called), 0);
    assert_code(sil_future_add_done_callback(future, latch_down_done, &latch), 0);
    gate_open(gate);
    latch_wait(&latch);
    assert_int_equal(called, 1);
    int value = 0;
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 5);
    contract_finish(submit_nothing(executor));
    contract_close(executor);
    latch_fini(&latch);
}

static void *add_callbacks(void *arg)
{
    struct {
        sil_future *future;
        atomic_uint *count;
    } *job = arg;
    for (int i = 0; i < 20; i++)
        if (sil_future_add_done_callback(job->future, count_done, job->count) != 0)
            return arg;
    return NULL;
}

static void test_callbacks_added_while_the_future_ends_run_once(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int round = 0; round < TEST_SCALE(100); round++) {
        atomic_uint count = 0;
        sil_future *future = submit_int(executor, task_int, round);
        struct {
            sil_future *future;
            atomic_uint *count;
        } job = {future, &count};
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, add_callbacks, &job), 0);
        for (int i = 0; i < 2; i++) {
            void *failure = NULL;
            (void)pthread_join(threads[i], &failure);
            assert_null(failure);
        }
        (void)sil_await(future, SIL_FOREVER);
        eventually(atomic_load(&count) >= 40);
        sil_future_release(future);
        assert_int_equal(count, 40);
    }
    contract_close(executor);
}

const struct contract_test contract_callbacks[] = {
    PROMISE(test_callbacks_run_once_in_order, 0),
    PROMISE(test_callback_of_a_final_future_runs_at_once, 0),
    PROMISE(test_callback_may_call_everything_on_its_future, 0),
    PROMISE(test_callback_may_release_the_last_reference, 0),
    PROMISE(test_callbacks_run_under_no_lock, ASYNCHRONOUS),
    PROMISE(test_callback_that_misbehaves_breaks_nothing, 0),
    PROMISE(test_callbacks_added_while_the_future_ends_run_once, 0),
    {0},
};
