/* SPDX-License-Identifier: MIT */
/*
 * Dumps of loops: who awaits whom, what each coroutine waits for, from inside, from other threads, and
 * from a loop that does not answer.
 */
#include <sillon/dump.h>

#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "support/dump_text.h"

#include "scenario.h"

static sil_mutex *mutex;
static sil_condition *condition;
static sil_event *event;
static sil_semaphore *semaphore;
static sil_barrier *barrier;
static sil_queue *queue;
static sil_queue *full;

static sil_future *go_named(const char *name, sil_task_fn fn, const void *arg, size_t size)
{
    return sil_go_with(&(sil_go_options){.name = name}, fn, arg, size, 0);
}

static int take(sil_future *future)
{
    return sil_take(future, NULL, SIL_FOREVER);
}

static int cancel(sil_future *future)
{
    (void)sil_future_cancel(future);
    return take(future);
}

/* --- who awaits whom ----------------------------------------------------------------------------- */

static int sleeper(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_sleep(SIL_FOREVER);
}

static int starter(void *arg, void *result)
{
    (void)arg, (void)result;
    return take(go_named("leaf", sleeper, NULL, 0));
}

static int awaiter(void *arg, void *result)
{
    (void)result;
    return sil_await(*(sil_future **)arg, SIL_FOREVER);
}

SCENARIO(dump_is_a_tree)
{
    (void)arg, (void)result;
    sil_future *stem = go_named("stem", starter, NULL, 0);
    sil_future *other = go_named("other", awaiter, &stem, sizeof stem);
    give_way(3);
    char *text = dump_text();
    EXPECT(text);
    EXPECT(strstr(dump_line(text, "loop 'loop'", ""), "1 running, 0 ready, 3 waiting, 0 pending"));
    EXPECT(dump_line(text, "'main' ", "  running ")[0]);
    EXPECT(dump_line(text, "'stem' ", "  waiting ")[0]);
    EXPECT(dump_line(text, "'leaf' ", ": sleep")[0]);
    EXPECT(dump_depth(text, "'main' ") == 0);
    EXPECT(dump_depth(text, "'other' ") == 0);
    EXPECT(dump_depth(text, ": future 'leaf'") == 1);
    EXPECT(dump_depth(text, ": sleep") == 2);
    free(text);
    EXPECT_CODE(cancel(other), SIL_ECANCELLED);
    EXPECT_CODE(cancel(stem), SIL_ECANCELLED);
    EXPECT(!dump_has("'stem'", ""));
    return 0;
}

SCENARIO(dump_shows_one_once)
{
    (void)arg, (void)result;
    sil_future *both = go_named("both", sleeper, NULL, 0);
    sil_future *a = go_named("a", awaiter, &both, sizeof both);
    sil_future *b = go_named("b", awaiter, &both, sizeof both);
    give_way(3);
    char *text = dump_text();
    EXPECT(text);
    EXPECT(dump_line(text, "'both' ", ": sleep")[0]);
    EXPECT(dump_line(text, "'both' ", ": see above")[0]);
    free(text);
    EXPECT_CODE(cancel(a), SIL_ECANCELLED);
    EXPECT_CODE(cancel(b), SIL_ECANCELLED);
    return cancel(both) == SIL_ECANCELLED ? 0 : UNEXPECTED;
}

static int group_main(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_group *group = sil_group_open("fetch");
    EXPECT(sil_group_go(group, sleeper, NULL, 0, 0));
    EXPECT(sil_group_go(group, sleeper, NULL, 0, 0));
    int code = sil_group_wait(group, SIL_FOREVER);
    sil_group_close(group);
    return code;
}

SCENARIO(dump_shows_a_group)
{
    (void)arg, (void)result;
    sil_future *head = go_named("head", group_main, NULL, 0);
    give_way(3);
    char *text = dump_text();
    EXPECT(text);
    EXPECT(dump_line(text, "'head' ", ": group 'fetch'")[0]);
    const char *first = strstr(text, ": sleep\n");
    EXPECT(first && strstr(first + 1, ": sleep\n"));
    EXPECT(dump_depth(text, ": sleep") == 1);
    free(text);
    return cancel(head) == SIL_ECANCELLED ? 0 : UNEXPECTED;
}

/* More than are listed. */
static int waits_for_many(void *arg, void *result)
{
    (void)arg, (void)result;
    enum { MANY = 20 };
    sil_future *futures[MANY];
    for (int i = 0; i < MANY; i++)
        futures[i] = sil_go(sleeper, NULL, 0, 0);
    int code = sil_gather(futures, MANY, SIL_GATHER_ALL, SIL_FOREVER);
    for (int i = 0; i < MANY; i++)
        sil_future_release(futures[i]);
    return code;
}

SCENARIO(dump_lists_some_of_many)
{
    (void)arg, (void)result;
    sil_future *head = go_named("head", waits_for_many, NULL, 0);
    give_way(3);
    EXPECT(dump_has("... and 4 more", ""));
    return cancel(head) == SIL_ECANCELLED ? 0 : UNEXPECTED;
}

/* --- what is waited for -------------------------------------------------------------------------- */

static int locks(void *arg, void *result)
{
    (void)arg, (void)result;
    int code = sil_mutex_lock(mutex, SIL_FOREVER);
    return code == 0 ? sil_mutex_unlock(mutex) : code;
}

static int keeps(void *arg, void *result)
{
    EXPECT_CODE(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    (void)sleeper(arg, result);
    return sil_mutex_unlock(mutex);
}

static int waits_condition(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_mutex *own = sil_mutex_create("own");
    (void)sil_mutex_lock(own, SIL_FOREVER);
    int code = sil_condition_wait(condition, own, SIL_FOREVER);
    (void)sil_mutex_unlock(own);
    sil_mutex_destroy(own);
    return code;
}

static int waits_event(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_event_wait(event, SIL_FOREVER);
}

static int waits_semaphore(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_semaphore_acquire(semaphore, SIL_FOREVER);
}

static int waits_barrier(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_barrier_wait(barrier, NULL, SIL_FOREVER);
}

static int gets(void *arg, void *result)
{
    (void)arg, (void)result;
    int item;
    return sil_queue_get(queue, &item, SIL_FOREVER);
}

static int puts_more(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_queue_put(full, &(int){2}, SIL_FOREVER);
}

static int joins_queue(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_queue_join(full, SIL_FOREVER);
}

static int reads(void *arg, void *result)
{
    (void)result;
    char byte;
    size_t got;
    return sil_read(*(sil_stream **)arg, &byte, 1, &got, SIL_FOREVER);
}

static void make_things(void)
{
    mutex = sil_mutex_create("fork 1");
    condition = sil_condition_create("hungry");
    event = sil_event_create("dawn");
    semaphore = sil_semaphore_create("seats", 0, 0);
    barrier = sil_barrier_create("start", 5);
    queue = sil_queue_create(&(sil_queue_options){.name = "jobs", .item_size = sizeof(int)});
    full = sil_queue_create(
        &(sil_queue_options){.name = "full", .item_size = sizeof(int), .max_items = 1});
    (void)sil_queue_put(full, &(int){1}, SIL_NOW);
}

static void destroy_things(void)
{
    sil_mutex_destroy(mutex);
    sil_condition_destroy(condition);
    sil_event_destroy(event);
    sil_semaphore_destroy(semaphore);
    sil_barrier_destroy(barrier);
    sil_queue_destroy(queue);
    sil_queue_destroy(full);
}

static int check_things(const char *text, int fd)
{
    char read_of[40];
    (void)snprintf(read_of, sizeof read_of, "read of fd %d", fd);
    EXPECT(dump_line(text, "'keeper' ", ": sleep")[0]);
    EXPECT(dump_line(text, "'locker' ", ": mutex 'fork 1' held by 'keeper'")[0]);
    EXPECT(dump_line(text, "'a' ", ": condition 'hungry'")[0]);
    EXPECT(dump_line(text, "'b' ", ": event 'dawn'")[0]);
    EXPECT(dump_line(text, "'c' ", ": semaphore 'seats'")[0]);
    EXPECT(dump_line(text, "'d' ", ": barrier 'start'")[0]);
    EXPECT(dump_line(text, "'e' ", ": get of queue 'jobs'")[0]);
    EXPECT(dump_line(text, "'f' ", ": put to queue 'full'")[0]);
    EXPECT(dump_line(text, "'g' ", ": join of queue 'full'")[0]);
    EXPECT(dump_line(text, "'h' ", read_of)[0]);
    return 0;
}

SCENARIO(dump_tells_what_is_waited_for)
{
    (void)arg, (void)result;
    const sil_task_fn fns[] = {waits_condition, waits_event, waits_semaphore, waits_barrier, gets,
                               puts_more,       joins_queue};
    sil_future *waiting[COUNT_OF(fns) + 3];
    size_t count = 0;
    sil_stream *ends[2];
    EXPECT_CODE(sil_socketpair(&ends[0], &ends[1]), 0);
    make_things();
    waiting[count++] = go_named("keeper", keeps, NULL, 0);
    waiting[count++] = go_named("locker", locks, NULL, 0);
    waiting[count++] = go_named("h", reads, &ends[0], sizeof ends[0]);
    for (size_t i = 0; i < COUNT_OF(fns); i++)
        waiting[count++] = go_named((char[]){(char)('a' + i), '\0'}, fns[i], NULL, 0);
    give_way(3);
    char *text = dump_text();
    EXPECT(text);
    int code = check_things(text, sil_stream_fd(ends[0]));
    free(text);
    while (count > 0)
        (void)cancel(waiting[--count]);
    sil_stream_close(ends[0]);
    sil_stream_close(ends[1]);
    destroy_things();
    return code;
}

SCENARIO(dump_tells_how_long)
{
    (void)arg, (void)result;
    sil__clock_fake_start(1000 * SIL__SECOND);
    give_way(200); /* the loop has looked at the clock */
    sil_future *waits = go_named("patient", sleeper, NULL, 0);
    give_way(3);
    sil__clock_fake_advance(12 * SIL__SECOND + SIL__SECOND / 4);
    bool told = dump_has("'patient' ", "  waiting     12.250 s  ");
    sil__clock_fake_stop();
    EXPECT_CODE(cancel(waits), SIL_ECANCELLED);
    EXPECT(told);
    return 0;
}

/* --- several threads ------------------------------------------------------------------------------ */

static int hold(void *arg, void *result)
{
    (void)result;
    return task_gate(arg, NULL);
}

static void test_dump_of_another_thread(void **state)
{
    (void)state;
    sil_executor *loop = sil_loop_thread(&(sil_loop_options){.name = "far"});
    sil_promise *promise;
    sil_future *end = promise_int(&promise);
    sil_future *task = sil_go_with(&(sil_go_options){.name = "distant", .loop = loop}, awaiter,
                                   &end, sizeof end, 0);
    eventually(dump_has("'distant' ", ": future "));
    assert_true(dump_has("loop 'far'", "1 waiting"));
    assert_code(sil_promise_resolve(promise, &(int){1}), 0);
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    assert_true(dump_has("loop 'far'", "0 running, 0 ready, 0 waiting, 0 pending, 1 done"));
    sil_promise_destroy(promise);
    sil_future_release(end);
    assert_code(sil_executor_close(loop), 0);
    assert_false(dump_has("loop 'far'", ""));
}

static void test_dump_of_a_loop_that_is_held(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate);
    struct gate *at = &gate;
    sil_executor *loop = sil_loop_thread(&(sil_loop_options){.name = "far"});
    sil_future *task =
        sil_go_with(&(sil_go_options){.name = "hog", .loop = loop}, hold, &at, sizeof at, 0);
    gate_wait_for_arrivals(&gate, 1);
    char *text = dump_text();
    assert_non_null(text);
    assert_contains(dump_line(text, "loop 'far'", ""), "does not answer");
    assert_contains(dump_line(text, "'hog' ", ""), "  running ");
    assert_contains(dump_line(text, "'hog' ", ""), ": holds the loop");
    free(text);
    gate_open(&gate);
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(loop), 0);
    gate_fini(&gate);
}

static int dumps(void *arg, void *result)
{
    (void)arg, (void)result;
    char *text = dump_text();
    bool seen =
        text && dump_line(text, "loop 'one'", "")[0] && dump_line(text, "loop 'two'", "")[0];
    free(text);
    return seen ? 0 : UNEXPECTED;
}

/* Each waits for the other, which dumps, too. */
static void test_loops_dump_each_other(void **state)
{
    (void)state;
    sil_executor *one = sil_loop_thread(&(sil_loop_options){.name = "one"});
    sil_executor *two = sil_loop_thread(&(sil_loop_options){.name = "two"});
    for (int i = 0; i < TEST_SCALE(100); i++) {
        sil_future *a = sil_submit(one, dumps, NULL, 0, 0);
        sil_future *b = sil_submit(two, dumps, NULL, 0, 0);
        assert_code(sil_take(a, NULL, SIL_FOREVER), 0);
        assert_code(sil_take(b, NULL, SIL_FOREVER), 0);
    }
    assert_code(sil_executor_close(one), 0);
    assert_code(sil_executor_close(two), 0);
}

static void test_tree_spans_threads(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate);
    struct gate *at = &gate;
    sil_executor *loop = sil_loop_thread(&(sil_loop_options){.name = "far"});
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1, .name = "mill"});
    sil_future *work =
        sil_submit_with(pool, &(sil_submit_options){.name = "grind"}, task_gate, &at, sizeof at, 0);
    sil_future *task = sil_go_with(&(sil_go_options){.name = "distant", .loop = loop}, awaiter,
                                   &work, sizeof work, 0);
    gate_wait_for_arrivals(&gate, 1);
    eventually(dump_has("'distant' ", ": future 'grind'"));
    char *text = dump_text();
    assert_non_null(text);
    assert_contains(dump_line(text, "'grind' ", "running"), "[thread pool 'mill', thread ");
    assert_int_equal(dump_depth(text, "'distant' "), 0);
    assert_true(strstr(text, "'distant' ") < strstr(text, "'grind' "));
    free(text);
    gate_open(&gate);
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(work, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(loop), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

/* --- a loop of libuv's -------------------------------------------------------------------------- */

static void test_dump_of_an_attached_loop(void **state)
{
    (void)state;
    uv_loop_t uv;
    assert_int_equal(uv_loop_init(&uv), 0);
    sil_executor *loop = sil_loop_attach(&uv, &(sil_loop_options){.name = "guest"});
    assert_non_null(loop);
    sil_future *task =
        sil_submit_with(loop, &(sil_submit_options){.name = "nap"}, sleeper, NULL, 0, 0);
    assert_true(dump_has("loop 'guest'", "1 pending"));
    (void)uv_run(&uv, UV_RUN_NOWAIT);
    assert_true(dump_has("'nap' ", ": sleep"));
    (void)sil_future_cancel(task);
    assert_code(sil_executor_close(loop), 0);
    assert_code(sil_take(task, NULL, SIL_NOW), SIL_ECANCELLED);
    assert_false(dump_has("guest", ""));
    assert_int_equal(uv_loop_close(&uv), 0);
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_dump_is_a_tree),
        TEST(test_dump_shows_one_once),
        TEST(test_dump_shows_a_group),
        TEST(test_dump_lists_some_of_many),
        TEST(test_dump_tells_what_is_waited_for),
        TEST(test_dump_tells_how_long),
        TEST(test_dump_of_another_thread),
        TEST(test_dump_of_a_loop_that_is_held),
        TEST(test_loops_dump_each_other),
        TEST(test_tree_spans_threads),
        TEST(test_dump_of_an_attached_loop),
    };
    return test_run("coro.dump", tests);
}
