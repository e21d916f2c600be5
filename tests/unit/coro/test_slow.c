/* SPDX-License-Identifier: MIT */
/*
 * Coroutines that hold their loop for too long are told of: each for its own time, and by its name.
 */
#include <sillon/loop.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#include "scenario.h"

#define MILLISECOND (SIL__SECOND / 1000)

/* What on_slow was told. */
enum { MOST = 8 };

static struct {
    char names[MOST][20];
    sil_task_fn fns[MOST];
    double seconds[MOST];
    int count;
} told;

static void on_slow(const char *name, sil_task_fn fn, double seconds, void *user)
{
    if (user != &told || told.count == MOST)
        abort();
    (void)snprintf(told.names[told.count], sizeof told.names[0], "%s", name);
    told.fns[told.count] = fn;
    told.seconds[told.count++] = seconds;
}

static void run(sil_task_fn fn)
{
    const sil_loop_options options = {.slow_after = 0.010, .on_slow = on_slow, .user = &told};
    memset(&told, 0, sizeof told);
    sil__clock_fake_start(1000 * SIL__SECOND);
    int code = sil_run_with(&options, fn, NULL, 0, NULL, 0);
    sil__clock_fake_stop();
    if (code != 0)
        print_error("%s\n", sil_error_message(sil_last_error()));
    assert_code(code, 0);
}

static void assert_told(int index, const char *name, sil_task_fn fn, double seconds)
{
    assert_true(index < told.count);
    assert_string_equal(told.names[index], name);
    assert_true(told.fns[index] == fn);
    assert_true(told.seconds[index] > seconds - 1e-6 && told.seconds[index] < seconds + 1e-6);
}

/* arg: int64_t. It takes so long, and ends. */
static int busy(void *arg, void *result)
{
    (void)result;
    sil__clock_fake_advance(*(int64_t *)arg);
    return 0;
}

static sil_future *go_busy(const char *name, int64_t milliseconds)
{
    int64_t time = milliseconds * MILLISECOND;
    return sil_go_with(&(sil_go_options){.name = name}, busy, &time, sizeof time, 0);
}

static int take(sil_future *future)
{
    return sil_take(future, NULL, SIL_FOREVER);
}

/* --- who is told of -------------------------------------------------------------------------- */

static int ends_slowly(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_future *futures[] = {go_busy("quick", 9), go_busy("slow", 25), go_busy("quick", 9),
                             go_busy("just", 10)};
    for (size_t i = 0; i < COUNT_OF(futures); i++)
        EXPECT_CODE(take(futures[i]), 0);
    return 0;
}

/* One after the other on one stack, without a switch: none has another's time. */
static void test_slow_is_told_when_it_ends(void **state)
{
    (void)state;
    run(ends_slowly);
    assert_int_equal(told.count, 2);
    assert_told(0, "slow", busy, 0.025);
    assert_told(1, "just", busy, 0.010);
}

static int joins_slow(void *arg, void *result)
{
    (void)arg, (void)result;
    EXPECT_CODE(take(go_busy("slow", 25)), 0);
    sil__clock_fake_advance(9 * MILLISECOND);
    return 0;
}

static void test_who_joins_a_slow_one_is_not_slow(void **state)
{
    (void)state;
    run(joins_slow);
    assert_int_equal(told.count, 1);
    assert_told(0, "slow", busy, 0.025);
}

/* arg: sil_queue *. Holds the loop for each item. */
static int holds_again(void *arg, void *result)
{
    (void)result;
    int item;
    sil_queue *queue = *(sil_queue **)arg;
    while (sil_queue_get(queue, &item, SIL_FOREVER) == 0)
        sil__clock_fake_advance(20 * MILLISECOND);
    return 0;
}

static int waits_slowly(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_queue *queue = sil_queue_create(&(sil_queue_options){.item_size = sizeof(int)});
    sil_future *future =
        sil_go_with(&(sil_go_options){.name = "again"}, holds_again, &queue, sizeof queue, 0);
    for (int i = 0; i < 2; i++) {
        EXPECT_CODE(sil_yield(), 0);
        sil__clock_fake_advance(9 * MILLISECOND);
        EXPECT_CODE(sil_queue_put(queue, &i, SIL_FOREVER), 0);
    }
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_queue_close(queue), 0);
    EXPECT_CODE(take(future), 0);
    sil_queue_destroy(queue);
    return 0;
}

static void test_slow_is_told_when_it_waits(void **state)
{
    (void)state;
    run(waits_slowly);
    assert_int_equal(told.count, 2);
    assert_told(0, "again", holds_again, 0.020);
    assert_told(1, "again", holds_again, 0.020);
}

static int yields_slowly(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_future *other = sil_go(task_nothing, NULL, 0, 0);
    sil__clock_fake_advance(30 * MILLISECOND);
    EXPECT_CODE(sil_yield(), 0);
    sil__clock_fake_advance(9 * MILLISECOND);
    return take(other);
}

static void test_slow_is_told_when_it_yields(void **state)
{
    (void)state;
    run(yields_slowly);
    assert_int_equal(told.count, 1);
    assert_told(0, "main", yields_slowly, 0.030);
}

/* Nobody else is there, so it goes on until the turn ends: that is where the loop was held. */
static int holds_alone(void *arg, void *result)
{
    (void)arg, (void)result;
    sil__clock_fake_advance(30 * MILLISECOND);
    return sil_sleep(sil_in(0.0));
}

static void test_slow_is_told_at_the_end_of_a_turn(void **state)
{
    (void)state;
    run(holds_alone);
    assert_int_equal(told.count, 1);
    assert_told(0, "main", holds_alone, 0.030);
}

static void callback(sil_future *future, void *user)
{
    (void)future, (void)user;
    sil__clock_fake_advance(40 * MILLISECOND);
}

static int has_a_slow_callback(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_future *future = go_busy("", 1);
    EXPECT_CODE(sil_future_add_done_callback(future, callback, NULL), 0);
    return take(future);
}

static void test_callbacks_count_as_their_task(void **state)
{
    (void)state;
    run(has_a_slow_callback);
    assert_int_equal(told.count, 1);
    assert_told(0, "", busy, 0.041);
}

/* --- without on_slow --------------------------------------------------------------------------- */

static void test_slow_is_told_on_stderr(void **state)
{
    (void)state;
    char path[] = "/tmp/sillon-test-XXXXXX";
    char text[400];
    int fd = mkstemp(path);
    (void)unlink(path);
    int saved = dup(STDERR_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    sil__clock_fake_start(1000 * SIL__SECOND);
    int code = sil_run_with(&(sil_loop_options){.slow_after = 0.010, .name = "table"}, ends_slowly,
                            NULL, 0, NULL, 0);
    sil__clock_fake_stop();
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    (void)close(fd);
    text[size > 0 ? size : 0] = '\0';
    assert_code(code, 0);
    assert_contains(text, "sillon: coroutine 'slow' ");
    assert_contains(text, " held loop 'table' for 0.025 s\n");
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_slow_is_told_when_it_ends),
        TEST(test_who_joins_a_slow_one_is_not_slow),
        TEST(test_slow_is_told_when_it_waits),
        TEST(test_slow_is_told_when_it_yields),
        TEST(test_slow_is_told_at_the_end_of_a_turn),
        TEST(test_callbacks_count_as_their_task),
        TEST(test_slow_is_told_on_stderr),
    };
    return test_run("coro.slow", tests);
}
