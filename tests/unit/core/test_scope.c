/* SPDX-License-Identifier: MIT */
/*
 * Deadline scopes on threads and in tasks of pools: nesting, and what inherits them. In coroutines:
 * unit/coro/test_scope.c.
 */
#include <sillon/deadline.h>

#include <sillon/sync.h>

#include "support/tasks.h"
#include "support/test.h"

#define SECOND INT64_C(1000000000)

static void test_without_a_scope_there_is_no_end(void **state)
{
    (void)state;
    assert_true(sil_deadline_current() == SIL_FOREVER);
    sil_deadline outer = sil_deadline_scope(SIL_FOREVER);
    assert_true(sil_deadline_current() == SIL_FOREVER);
    sil_deadline_restore(outer);
    assert_true(sil_deadline_current() == SIL_FOREVER);
}

static void test_inner_scopes_only_end_earlier(void **state)
{
    (void)state;
    sil_deadline now = sil_clock();
    sil_deadline outer = sil_deadline_scope(now + 100 * SECOND);
    assert_true(sil_deadline_current() == now + 100 * SECOND);
    sil_deadline middle = sil_deadline_scope(now + 200 * SECOND);
    assert_true(sil_deadline_current() == now + 100 * SECOND);
    sil_deadline inner = sil_deadline_scope(now + 50 * SECOND);
    assert_true(sil_deadline_current() == now + 50 * SECOND);
    sil_deadline innermost = sil_deadline_scope(SIL_FOREVER);
    assert_true(sil_deadline_current() == now + 50 * SECOND);
    sil_deadline_restore(innermost);
    assert_true(sil_deadline_current() == now + 50 * SECOND);
    sil_deadline_restore(inner);
    assert_true(sil_deadline_current() == now + 100 * SECOND);
    sil_deadline_restore(middle);
    assert_true(sil_deadline_current() == now + 100 * SECOND);
    sil_deadline_restore(outer);
    assert_true(sil_deadline_current() == SIL_FOREVER);
}

/* What waits, with a deadline far beyond the scope's. */
static int wait_in_many_ways(sil_deadline until, int *out_codes, size_t *out_count)
{
    sil_promise *promise = sil_promise_create("never", 0);
    sil_future *never = sil_promise_future(promise);
    sil_event *event = sil_event_create(NULL);
    sil_semaphore *semaphore = sil_semaphore_create(NULL, 0, 0);
    sil_queue *queue = sil_queue_create(&(sil_queue_options){.item_size = 4});
    sil_as_completed *iterator = sil_as_completed_create(&never, 1);
    sil_future *next = NULL;
    int item;
    size_t i = 0;
    out_codes[i++] = sil_await(never, until);
    out_codes[i++] = sil_take(sil_future_retain(never), NULL, until);
    out_codes[i++] = sil_wait(&never, 1, SIL_ALL_COMPLETED, until, NULL);
    out_codes[i++] = sil_wait(&never, 1, SIL_FIRST_COMPLETED, until, NULL);
    out_codes[i++] = sil_as_completed_next(iterator, &next, until);
    out_codes[i++] = sil_sleep(until);
    out_codes[i++] = sil_event_wait(event, until);
    out_codes[i++] = sil_semaphore_acquire(semaphore, until);
    out_codes[i++] = sil_queue_get(queue, &item, until);
    *out_count = i;
    sil_as_completed_destroy(iterator);
    sil_event_destroy(event);
    sil_semaphore_destroy(semaphore);
    sil_queue_destroy(queue);
    sil_future_release(never);
    sil_promise_destroy(promise);
    return 0;
}

static void test_all_waits_of_a_thread_end_with_the_scope(void **state)
{
    (void)state;
    static const double ends[] = {0, 0.02};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        sil_deadline end = sil_in(ends[i]);
        sil_deadline outer = sil_deadline_scope(end);
        int codes[16];
        size_t count;
        (void)wait_in_many_ways(sil_in(1e6), codes, &count);
        assert_true(sil_clock() >= end);
        for (size_t j = 0; j < count; j++)
            assert_code(codes[j], SIL_ETIMEDOUT);
        (void)wait_in_many_ways(SIL_NOW, codes, &count);
        for (size_t j = 0; j < count; j++)
            assert_code(codes[j], j == 5 ? 0 : SIL_ETIMEDOUT); /* that moment has come */
        sil_deadline_restore(outer);
    }
}

static void test_what_is_there_is_had_also_too_late(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    assert_code(sil_promise_resolve(promise, &(int){3}), 0);
    sil_deadline outer = sil_deadline_scope(SIL_NOW);
    assert_code(sil_await(future, SIL_FOREVER), 0);
    assert_code(sil_wait(&future, 1, SIL_ALL_COMPLETED, SIL_FOREVER, NULL), 0);
    assert_true(sil_deadline_current() < sil_clock());
    sil_deadline_restore(outer);
    sil_future_release(future);
    sil_promise_destroy(promise);
}

/* --- inheriting ----------------------------------------------------------------------------- */

static int tell(void *arg, void *result)
{
    (void)arg;
    *(sil_deadline *)result = sil_deadline_current();
    return 0;
}

static int tell_of_child(void *arg, void *result)
{
    sil_executor *executor = *(sil_executor **)arg;
    sil_future *child = sil_submit(executor, tell, NULL, 0, sizeof(sil_deadline));
    int code = sil_await(child, SIL_FOREVER);
    if (code == 0)
        *(sil_deadline *)result = *(const sil_deadline *)sil_future_result(child, NULL);
    sil_future_release(child);
    return code;
}

static void test_tasks_and_their_tasks_inherit(void **state)
{
    (void)state;
    sil_executor *executors[] = {sil_inline_executor(), sil_thread_pool(NULL),
                                 sil_loop_thread(NULL)};
    sil_deadline end = sil_in(1000);
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        sil_executor *executor = executors[i];
        sil_deadline outer = sil_deadline_scope(end);
        sil_deadline told = 0;
        sil_future *task = sil_submit(executor, tell, NULL, 0, sizeof told);
        assert_code(sil_take(task, &told, SIL_FOREVER), 0);
        assert_true(told == end);
        task = sil_submit(executor, tell_of_child, (void *)&executor, sizeof executor, sizeof told);
        assert_code(sil_take(task, &told, SIL_FOREVER), 0);
        assert_true(told == end);

        /* An earlier deadline of its own counts, a later one does not. */
        sil_submit_options sooner = {.deadline = end - SECOND};
        task = sil_submit_with(executor, &sooner, tell, NULL, 0, sizeof told);
        assert_code(sil_take(task, &told, SIL_FOREVER), 0);
        assert_true(told == end - SECOND);
        sil_submit_options later = {.deadline = end + SECOND};
        task = sil_submit_with(executor, &later, tell, NULL, 0, sizeof told);
        assert_code(sil_take(task, &told, SIL_FOREVER), 0);
        assert_true(told == end);

        sil_future *many[3];
        assert_code(sil_submit_many(executor, NULL, tell, NULL, 0, sizeof told, 3, many), 0);
        for (int j = 0; j < 3; j++) {
            assert_code(sil_take(many[j], &told, SIL_FOREVER), 0);
            assert_true(told == end);
        }
        sil_deadline_restore(outer);

        task = sil_submit(executor, tell, NULL, 0, sizeof told);
        assert_code(sil_take(task, &told, SIL_FOREVER), 0);
        assert_true(told == SIL_FOREVER);
        assert_code(sil_executor_close(executor), 0);
    }
}

static int tell_then(sil_future *source, void *arg, void *result)
{
    (void)source;
    return tell(arg, result);
}

static void test_what_follows_a_future_inherits(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(NULL);
    sil_executor *executors[] = {NULL, pool};
    sil_deadline end = sil_in(1000);
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        sil_promise *promise;
        sil_future *source = promise_int(&promise);
        sil_deadline outer = sil_deadline_scope(end);
        sil_deadline told = 0;
        sil_future *then = sil_then(source, executors[i], tell_then, NULL, 0, sizeof told);
        sil_deadline_restore(outer);
        assert_code(sil_promise_resolve(promise, &(int){0}), 0);
        assert_code(sil_take(then, &told, SIL_FOREVER), 0);
        assert_true(told == end);
        sil_future_release(source);
        sil_promise_destroy(promise);
    }
    assert_code(sil_executor_close(pool), 0);
}

static int tell_index(void *arg, void *result)
{
    (void)arg;
    *(sil_deadline *)result = sil_deadline_current();
    return 0;
}

static void test_elements_of_a_map_inherit(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(NULL);
    sil_deadline end = sil_in(1000);
    sil_deadline told[8] = {0};
    int indices[8] = {0};
    sil_deadline outer = sil_deadline_scope(end);
    assert_code(sil_map(pool, tell_index, indices, sizeof(int), told, sizeof told[0], 8), 0);
    sil_deadline_restore(outer);
    for (int i = 0; i < 8; i++)
        assert_true(told[i] == end);
    assert_code(sil_executor_close(pool), 0);
}

/* A posted function has nobody who would hear that it came too late: it is run. */
static void test_what_is_posted_outlasts_the_scope(void **state)
{
    (void)state;
    sil_executor *executors[] = {sil_inline_executor(), sil_thread_pool(NULL),
                                 sil_loop_thread(NULL)};
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        atomic_uint count = 0;
        atomic_uint *counter = &count;
        sil_deadline outer = sil_deadline_scope(SIL_NOW);
        for (int j = 0; j < 3; j++)
            assert_code(sil_post(executors[i], task_count, (void *)&counter, sizeof counter), 0);
        assert_true(sil_deadline_current() < sil_clock());
        sil_deadline_restore(outer);
        assert_code(sil_executor_close(executors[i]), 0);
        assert_int_equal(count, 3);
    }
}

/* A scope ends with the task that opened it, if that does not. */
static int forget_scope(void *arg, void *result)
{
    (void)arg, (void)result;
    (void)sil_deadline_scope(sil_in(1));
    return 0;
}

static void test_forgotten_scope_ends_with_its_task(void **state)
{
    (void)state;
    sil_executor *executors[] = {sil_inline_executor(),
                                 sil_thread_pool(&(sil_thread_pool_options){.workers = 1}),
                                 sil_loop_thread(NULL)};
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        sil_deadline told = 0;
        sil_future *task = sil_submit(executors[i], forget_scope, NULL, 0, 0);
        assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
        task = sil_submit(executors[i], tell, NULL, 0, sizeof told);
        assert_code(sil_take(task, &told, SIL_FOREVER), 0);
        assert_true(told == SIL_FOREVER);
        assert_true(sil_deadline_current() == SIL_FOREVER);
        assert_code(sil_executor_close(executors[i]), 0);
    }
}

/* --- tasks ---------------------------------------------------------------------------------- */

static int wait_for_ever(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_promise *promise = sil_promise_create(NULL, 0);
    int code = sil_take(sil_promise_future(promise), NULL, SIL_FOREVER);
    sil_promise_destroy(promise);
    return code == SIL_ETIMEDOUT && !sil_cancelled() ? 1 : code;
}

static void test_deadline_of_a_task_ends_its_waits(void **state)
{
    (void)state;
    sil_executor *executors[] = {sil_thread_pool(&(sil_thread_pool_options){.workers = 1}),
                                 sil_loop_thread(NULL)};
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        sil_submit_options options = {.deadline = sil_in(0.02)};
        sil_future *task = sil_submit_with(executors[i], &options, wait_for_ever, NULL, 0, 0);
        assert_code(sil_take(task, NULL, SIL_FOREVER), SIL_ETIMEDOUT);
        assert_code(sil_executor_close(executors[i]), 0);
    }
}

/* Closing waits for the end, whatever the scope. */
static int work_on(void *arg, void *result)
{
    (void)result;
    struct gate *gate = *(struct gate **)arg;
    gate_wait(gate);
    return sil_sleep(sil_in(5e-3));
}

static int open_later(void *arg, void *result)
{
    (void)result;
    (void)sil_sleep(sil_in(20e-3));
    gate_open(*(struct gate **)arg);
    return 0;
}

static void test_closing_is_no_wait_that_a_scope_ends(void **state)
{
    (void)state;
    sil_executor *executors[] = {sil_thread_pool(NULL), sil_loop_thread(NULL)};
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        struct gate gate;
        gate_init(&gate);
        struct gate *shared = &gate;
        sil_future *task = sil_submit(executors[i], work_on, (void *)&shared, sizeof shared, 0);
        gate_wait_for_arrivals(&gate, 1);
        sil_future *opener = sil_thread_start(NULL, open_later, (void *)&shared, sizeof shared, 0);
        sil_deadline outer = sil_deadline_scope(SIL_NOW);
        assert_code(sil_executor_close(executors[i]), 0);
        sil_deadline_restore(outer);
        assert_true(sil_future_done(task));
        assert_code(sil_take(task, NULL, SIL_NOW), 0);
        assert_code(sil_take(opener, NULL, SIL_FOREVER), 0);
        gate_fini(&gate);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_without_a_scope_there_is_no_end),
        TEST(test_inner_scopes_only_end_earlier),
        TEST(test_all_waits_of_a_thread_end_with_the_scope),
        TEST(test_what_is_there_is_had_also_too_late),
        TEST(test_tasks_and_their_tasks_inherit),
        TEST(test_what_follows_a_future_inherits),
        TEST(test_elements_of_a_map_inherit),
        TEST(test_what_is_posted_outlasts_the_scope),
        TEST(test_forgotten_scope_ends_with_its_task),
        TEST(test_deadline_of_a_task_ends_its_waits),
        TEST(test_closing_is_no_wait_that_a_scope_ends),
    };
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv keeps two descriptors from then on */
    return test_run("deadline scopes", tests);
}
