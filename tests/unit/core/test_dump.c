/* SPDX-License-Identifier: MIT */
/*
 * Dumps of threads and pools: what runs, what waits for what, and that names do no harm.
 */
#include <sillon/dump.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support/child.h"
#include "support/dump_text.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *make_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers, .name = "mill"});
}

static sil_future *submit_named(sil_executor *executor, const char *name, sil_task_fn fn,
                                const void *arg, size_t size)
{
    return sil_submit_with(executor, &(sil_submit_options){.name = name}, fn, arg, size, 0);
}

static void test_dump_shows_a_running_task(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate);
    struct gate *at = &gate;
    sil_executor *pool = make_pool(1);
    sil_future *task = submit_named(pool, "grind", task_gate, &at, sizeof at);
    gate_wait_for_arrivals(&gate, 1);
    char *text = dump_text();
    assert_non_null(text);
    assert_contains(dump_line(text, "thread pool 'mill'", ""), "1 running, 0 pending, 0 done");
    assert_contains(dump_line(text, "'grind'", ""), "  running ");
    assert_contains(dump_line(text, "'grind'", ""), "'mill-0'");
    free(text);
    gate_open(&gate);
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    assert_false(dump_has("mill", ""));
    gate_fini(&gate);
}

static void test_dump_shows_a_posted_task(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate);
    struct gate *at = &gate;
    sil_executor *pool = make_pool(1);
    assert_code(sil_post(pool, task_gate, &at, sizeof at), 0);
    gate_wait_for_arrivals(&gate, 1);
    assert_true(dump_has("  running ", "'mill-0'"));
    gate_open(&gate);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static void test_dump_shows_what_is_awaited(void **state)
{
    (void)state;
    sil_executor *pool = make_pool(2);
    sil_promise *promise = sil_promise_create("flour", 0);
    sil_future *flour = sil_promise_future(promise);
    sil_future *dough = submit_named(pool, "dough", task_await, &flour, sizeof flour);
    sil_future *bread = submit_named(pool, "bread", task_await, &dough, sizeof dough);
    eventually(dump_has("'dough'", ": future 'flour'") && dump_has("'bread'", ": future 'dough'"));
    char *text = dump_text();
    assert_non_null(text);
    assert_contains(dump_line(text, "'bread' ", ""), "  waiting ");
    assert_contains(dump_line(text, "[promise]", ""), "  pending ");
    assert_int_equal(dump_depth(text, "'bread' "), 0);
    assert_int_equal(dump_depth(text, ": future 'flour'"), 1);
    assert_int_equal(dump_depth(text, "[promise]"), 2);
    free(text);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    sil_promise_destroy(promise);
    assert_code(sil_take(bread, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(dough, NULL, SIL_FOREVER), 0);
    sil_future_release(flour);
    assert_code(sil_executor_close(pool), 0);
}

struct nested {
    sil_executor *pool;
    struct gate *gate;
};

static int outer_task(void *arg, void *result)
{
    (void)result;
    const struct nested *nested = arg;
    sil_future *inner =
        submit_named(nested->pool, "inner", task_gate, &nested->gate, sizeof nested->gate);
    return sil_take(inner, NULL, SIL_FOREVER);
}

static void test_dump_shows_tasks_on_one_stack(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate);
    sil_executor *pool = make_pool(1);
    struct nested nested = {pool, &gate};
    sil_future *outer = submit_named(pool, "outer", outer_task, &nested, sizeof nested);
    gate_wait_for_arrivals(&gate, 1);
    char *text = dump_text();
    assert_non_null(text);
    assert_contains(dump_line(text, "'outer' ", ""), ": future 'inner'");
    assert_contains(dump_line(text, "'inner' ", ""), "  running ");
    assert_int_equal(dump_depth(text, "'inner' "), 1);
    free(text);
    gate_open(&gate);
    assert_code(sil_take(outer, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static void test_dump_shows_combined_futures(void **state)
{
    (void)state;
    sil_executor *pool = make_pool(1);
    sil_promise *promises[2];
    sil_future *parts[2] = {promise_int(&promises[0]), promise_int(&promises[1])};
    sil_future *any = sil_any(parts, 2);
    sil_future *task = submit_named(pool, "chooser", task_await, &any, sizeof any);
    eventually(dump_has("'chooser'", ": future "));
    char *text = dump_text();
    assert_non_null(text);
    assert_contains(text, "one of 2 futures to succeed");
    assert_int_equal(dump_depth(text, "one of 2 futures"), 1);
    assert_int_equal(dump_depth(text, "[promise]"), 2);
    free(text);
    for (int i = 0; i < 2; i++) {
        assert_code(sil_promise_resolve(promises[i], &(int){1}), 0);
        sil_promise_destroy(promises[i]);
    }
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    sil_future_release(any);
    sil_future_release(parts[0]);
    sil_future_release(parts[1]);
    assert_code(sil_executor_close(pool), 0);
}

/* --- threads ----------------------------------------------------------------------------------- */

static sil_mutex *mutex;
static sil_event *event;

static int mutex_keeper(void *arg, void *result)
{
    (void)result;
    (void)sil_mutex_lock(mutex, SIL_FOREVER);
    int code = task_gate(arg, NULL);
    (void)sil_mutex_unlock(mutex);
    return code;
}

static void *thread_main(void *arg)
{
    (void)arg;
    (void)prctl(PR_SET_NAME, "wanderer");
    (void)sil_mutex_lock(mutex, SIL_FOREVER);
    (void)sil_mutex_unlock(mutex);
    (void)sil_event_wait(event, SIL_FOREVER);
    return NULL;
}

static void test_dump_shows_waiting_threads(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate);
    struct gate *at = &gate;
    mutex = sil_mutex_create("fork 1");
    event = sil_event_create("dawn");
    sil_executor *pool = make_pool(1);
    sil_future *keeper = submit_named(pool, "kant", mutex_keeper, &at, sizeof at);
    gate_wait_for_arrivals(&gate, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, thread_main, NULL), 0);
    eventually(dump_has("'wanderer': mutex 'fork 1' held by 'kant'", "  waiting "));
    gate_open(&gate);
    eventually(dump_has("'wanderer': event 'dawn'", "  waiting "));
    assert_code(sil_event_set(event), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(dump_has("wanderer", ""));
    assert_code(sil_take(keeper, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    sil_mutex_destroy(mutex);
    sil_event_destroy(event);
    gate_fini(&gate);
}

static void *closer_main(void *pool)
{
    (void)sil_executor_close(pool);
    return NULL;
}

static void test_dump_shows_who_closes_a_pool(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate);
    sil_executor *pool = make_pool(1);
    sil_future *task = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, closer_main, pool), 0);
    eventually(dump_has("the end of a thread pool's tasks", "  waiting "));
    gate_open(&gate);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    gate_fini(&gate);
}

/* --- names ------------------------------------------------------------------------------------- */

static void test_dump_keeps_lines_whole(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate);
    struct gate *at = &gate;
    sil_executor *pool = make_pool(1);
    sil_future *task =
        submit_named(pool, "a\nb\033[2J\x7f\xc2\x9b\xc3\xa9", task_gate, &at, sizeof at);
    gate_wait_for_arrivals(&gate, 1);
    assert_true(dump_has("'a\\x0ab\\x1b[2J\\x7f\\xc2\x9b\xc3\xa9'", "running"));
    gate_open(&gate);
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static void test_dump_cuts_long_names(void **state)
{
    (void)state;
    char name[200];
    struct gate gate;
    gate_init(&gate);
    struct gate *at = &gate;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memcpy(name + 59, "\xe2\x82\xac", 3); /* a character that does not fit */
    sil_executor *pool = make_pool(1);
    sil_future *task = submit_named(pool, name, task_gate, &at, sizeof at);
    gate_wait_for_arrivals(&gate, 1);
    assert_true(dump_has("nnnnn' ", "running"));
    assert_false(dump_has("\xe2", ""));
    gate_open(&gate);
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

/* --- what goes wrong ---------------------------------------------------------------------------- */

static void test_dump_says_what_is_wrong(void **state)
{
    (void)state;
    assert_code(sil_dump(NULL), SIL_EINVAL);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_code(sil_dump(full), ENOSPC);
    (void)fclose(full);
}

/* --- by a signal -------------------------------------------------------------------------------- */

/* What stderr has got since it became the file. */
static bool file_has(int fd, const char *part)
{
    char text[8000];
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return strstr(text, part);
}

static int to_file(int *out_saved)
{
    char path[] = "/tmp/sillon-test-XXXXXX";
    int fd = mkstemp(path);
    (void)unlink(path);
    *out_saved = dup(STDERR_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    return fd;
}

static void from_file(int fd, int saved)
{
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    (void)close(fd);
}

static volatile sig_atomic_t former_calls;

static void former_handler(int number)
{
    (void)number;
    former_calls++;
}

static void test_signal_dumps(void **state)
{
    (void)state;
    struct sigaction former = {.sa_handler = former_handler};
    assert_int_equal(sigaction(SIGUSR1, &former, NULL), 0);
    int saved;
    int fd = to_file(&saved);
    assert_code(sil_dump_on_signal(SIGUSR1), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    eventually(file_has(fd, "sillon: dump of process"));
    assert_code(sil_dump_on_signal(SIGUSR2), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(former_calls, 1);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    eventually(file_has(fd, "sillon: dump of process"));
    assert_code(sil_dump_on_signal(0), 0);
    assert_code(sil_dump_on_signal(0), 0);
    from_file(fd, saved);
    assert_code(sil_dump_on_signal(SIGKILL), SIL_EINVAL);
    assert_code(sil_dump_on_signal(-1), SIL_EINVAL);
    (void)signal(SIGUSR1, SIG_DFL);
}

/* --- in the child of a fork --------------------------------------------------------------------- */

static int child_dumps(void *arg)
{
    (void)arg;
    if (dump_has("mill", "") || dump_has("grind", ""))
        return 1;
    /* The thread is not there, so the signal is as it was. */
    struct sigaction action;
    (void)sigaction(SIGUSR1, NULL, &action);
    if (action.sa_handler != SIG_DFL)
        return 2;
    char *text = dump_text();
    bool ok = text && strstr(text, "sillon: dump of process");
    free(text);
    return ok ? 0 : 3;
}

static void test_child_has_a_dump_of_its_own(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate);
    struct gate *at = &gate;
    sil_executor *pool = make_pool(1);
    sil_future *task = submit_named(pool, "grind", task_gate, &at, sizeof at);
    gate_wait_for_arrivals(&gate, 1);
    assert_code(sil_dump_on_signal(SIGUSR1), 0);
    assert_int_equal(child_run(child_dumps, NULL), 0);
    assert_code(sil_dump_on_signal(0), 0);
    gate_open(&gate);
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dump_shows_a_running_task),
        TEST(test_dump_shows_a_posted_task),
        TEST(test_dump_shows_what_is_awaited),
        TEST(test_dump_shows_tasks_on_one_stack),
        TEST(test_dump_shows_combined_futures),
        TEST(test_dump_shows_waiting_threads),
        TEST(test_dump_shows_who_closes_a_pool),
        TEST(test_dump_keeps_lines_whole),
        TEST(test_dump_cuts_long_names),
        TEST(test_dump_says_what_is_wrong),
        TEST(test_signal_dumps),
        TEST(test_child_has_a_dump_of_its_own),
    };
    return test_run("core.dump", tests);
}
