/* SPDX-License-Identifier: MIT */
/*
 * Crash: what a task of a process breaks is its own worker. It alone fails, with an error that
 * tells what happened; the worker is replaced, and nobody else notices.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "contract.h"

enum death { BY_SIGNAL, BY_ABORT, BY_EXIT, BY_EXIT_NOW };

struct end {
    enum death death;
    int number;       /**< the signal, or the status */
    const char *said; /**< of the message; for the test alone */
};

/* Never returns, unless it is run by the test's own process, whose id is on the board. */
static int die(void *arg, void *result)
{
    (void)result;
    struct end *end = arg;
    if (*(pid_t *)contract_board() == getpid())
        return sil_fail(ECHILD, "this ought to have run in another process");
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    if (end->death == BY_EXIT)
        exit(end->number);
    if (end->death == BY_EXIT_NOW)
        _exit(end->number);
    if (end->death == BY_ABORT)
        abort();
    /* a forked worker has the handlers of cmocka and of the sanitizers */
    (void)signal(end->number, SIG_DFL);
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, end->number);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(end->number);
    return EIO;
}

static sil_executor *create_for_crashes(void)
{
    *(pid_t *)contract_board() = getpid();
    return contract_create();
}

static sil_future *submit_death(sil_executor *executor, struct end end)
{
    return sil_submit_with(executor, &(sil_submit_options){.name = "reckless"}, die, &end,
                           sizeof end, 0);
}

static void assert_broken(const sil_error *error, struct end end)
{
    assert_code(sil_error_code(error), SIL_EBROKEN);
    assert_string_equal(sil_error_task(error), "reckless");
    assert_contains(sil_error_message(error), end.said);
    assert_true(sil_error_pid(error) > 0);
    assert_int_not_equal(sil_error_pid(error), getpid());
    assert_int_equal(sil_error_signal(error), end.death <= BY_ABORT ? end.number : 0);
    assert_string_not_equal(sil_error_worker(error), "");
    assert_null(sil_error_host(error));
}

static void test_crash_fails_its_own_task_alone(void **state)
{
    (void)state;
    static const struct end ends[] = {
        {BY_SIGNAL, SIGSEGV, "SIGSEGV"},          {BY_SIGNAL, SIGKILL, "SIGKILL"},
        {BY_SIGNAL, SIGTERM, "SIGTERM"},          {BY_SIGNAL, SIGBUS, "SIGBUS"},
        {BY_ABORT, SIGABRT, "SIGABRT"},           {BY_EXIT, 0, "exited with status"},
        {BY_EXIT_NOW, 3, "exited with status 3"}, {BY_EXIT_NOW, 255, "exited with status 255"},
    };
    sil_executor *executor = create_for_crashes();
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        sil_future *before = submit_int(executor, task_square, 5);
        sil_future *future = submit_death(executor, ends[i]);
        sil_future *after = submit_int(executor, task_square, 6);
        int values[2] = {0};
        assert_code(sil_await(future, SIL_FOREVER), SIL_EBROKEN);
        assert_int_equal(sil_future_state(future), SIL_FINISHED);
        assert_null(sil_future_result(future, NULL));
        assert_broken(sil_future_error(future), ends[i]);
        sil_future_release(future);
        assert_code(sil_take(before, &values[0], SIL_FOREVER), 0);
        assert_code(sil_take(after, &values[1], SIL_FOREVER), 0);
        assert_int_equal(values[0] + values[1], 25 + 36);
    }
    contract_close(executor);
}

static const struct end killed = {BY_SIGNAL, SIGKILL, "SIGKILL"};

static void test_executor_goes_on_after_many_crashes(void **state)
{
    (void)state;
    sil_executor *executor = create_for_crashes();
    enum { ROUNDS = 10, EACH = CONTRACT_BOUND / 2 };
    for (int round = 0; round < ROUNDS; round++) {
        sil_future *bad[EACH];
        sil_future *good[EACH];
        for (int i = 0; i < EACH; i++) {
            bad[i] = submit_death(executor, killed);
            good[i] = submit_int(executor, task_square, i);
        }
        for (int i = 0; i < EACH; i++) {
            int value = -1;
            assert_code(sil_take(bad[i], NULL, SIL_FOREVER), SIL_EBROKEN);
            assert_code(sil_take(good[i], &value, SIL_FOREVER), 0);
            assert_int_equal(value, i * i);
        }
    }
    assert_code(sil_executor_shutdown(executor, false, SIL_FOREVER), 0);
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(executor, &stats), 0);
    assert_int_equal(stats.submitted, 2 * ROUNDS * EACH);
    assert_int_equal(stats.done, stats.submitted);
    assert_int_equal(stats.pending + stats.running, 0);
    contract_close(executor);
}

static void test_crash_leaves_the_task_of_another_worker_alone(void **state)
{
    (void)state;
    sil_executor *executor = create_for_crashes();
    struct gate *gate = contract_gate();
    sil_future *other = submit_gate(executor, gate);
    gate_wait_for_arrivals(gate, 1);
    for (int i = 0; i < 5; i++)
        assert_code(sil_take(submit_death(executor, killed), NULL, SIL_FOREVER), SIL_EBROKEN);
    assert_int_equal(sil_future_state(other), SIL_RUNNING);
    gate_open(gate);
    contract_finish(other);
    assert_int_equal(gate->arrived, 1);
    contract_close(executor);
}

static void note_code(sil_future *future, void *user)
{
    struct end *seen = user;
    seen->number += sil_future_code(future);
}

static void test_crash_calls_back_once(void **state)
{
    (void)state;
    sil_executor *executor = create_for_crashes();
    struct end seen = {0};
    sil_future *future = submit_death(executor, killed);
    assert_code(sil_future_add_done_callback(future, note_code, &seen), 0);
    sil_future_release(future);
    contract_close(executor);
    assert_code(seen.number, SIL_EBROKEN);
}

static void test_close_while_tasks_crash(void **state)
{
    (void)state;
    sil_executor *executor = create_for_crashes();
    sil_future *futures[CONTRACT_BOUND];
    for (int i = 0; i < CONTRACT_BOUND; i++)
        futures[i] = submit_death(executor, killed);
    contract_close(executor);
    for (int i = 0; i < CONTRACT_BOUND; i++)
        assert_code(sil_take(futures[i], NULL, SIL_NOW), SIL_EBROKEN);
}

static int square_or_die_at_77(void *arg, void *result)
{
    struct end end = killed;
    int n = *(int *)arg;
    *(int *)result = n * n;
    return n == 77 ? die(&end, NULL) : 0;
}

static void test_map_fails_when_an_element_crashes(void **state)
{
    (void)state;
    sil_executor *executor = create_for_crashes();
    int args[200];
    int results[200];
    for (int i = 0; i < 200; i++)
        args[i] = i;
    size_t size = sizeof(int);
    assert_code(sil_map(executor, square_or_die_at_77, args, size, results, size, 200),
                SIL_EBROKEN);
    assert_code(sil_map(executor, square_or_die_at_77, args, size, results, size, 77), 0);
    for (int i = 0; i < 77; i++)
        assert_int_equal(results[i], i * i);
    contract_close(executor);
}

static void test_post_that_crashes_is_forgotten(void **state)
{
    (void)state;
    sil_executor *executor = create_for_crashes();
    for (int i = 0; i < CONTRACT_BOUND / 2; i++)
        assert_code(sil_post(executor, die, &killed, sizeof killed), 0);
    contract_finish(submit_nothing(executor));
    contract_close(executor);
}

/* --- run again ----------------------------------------------------------------------------- */

struct stubborn {
    atomic_uint *runs;
    unsigned deaths;
};

/* Kills its worker the first so many times; result: which run it was that succeeded. */
static int succeed_later(void *arg, void *result)
{
    struct stubborn *stubborn = arg;
    unsigned run = atomic_fetch_add(stubborn->runs, 1) + 1;
    struct end end = killed;
    *(unsigned *)result = run;
    return run <= stubborn->deaths ? die(&end, NULL) : 0;
}

static void check_retries(unsigned deaths, unsigned retries, int code, unsigned runs)
{
    sil_executor *executor = create_for_crashes();
    struct stubborn stubborn = {contract_count(), deaths};
    unsigned run = 0;
    sil_future *future = sil_submit_with(executor, &(sil_submit_options){.retries = retries},
                                         succeed_later, &stubborn, sizeof stubborn, sizeof run);
    assert_code(sil_take(future, &run, SIL_FOREVER), code);
    assert_int_equal(*stubborn.runs, runs);
    assert_int_equal(run, code == 0 ? runs : 0);
    contract_close(executor);
}

static void test_task_whose_worker_dies_is_run_again_if_asked(void **state)
{
    (void)state;
    check_retries(1, 1, 0, 2);
    check_retries(2, 2, 0, 3);
    check_retries(2, 10, 0, 3);
}

static void test_task_whose_worker_dies_once_too_often_fails(void **state)
{
    (void)state;
    check_retries(1, 0, SIL_EBROKEN, 1);
    check_retries(2, 1, SIL_EBROKEN, 2);
    check_retries(5, 3, SIL_EBROKEN, 4);
}

static int count_and_fail(void *arg, void *result)
{
    (void)task_count(arg, result);
    return EIO;
}

static void test_task_that_fails_by_itself_is_not_run_again(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    atomic_uint *runs = contract_count();
    sil_submit_options options = {.retries = 5};
    sil_future *future = sil_submit_with(executor, &options, count_and_fail, &runs, sizeof runs, 0);
    assert_code(sil_take(future, NULL, SIL_FOREVER), EIO);
    contract_close(executor);
    assert_int_equal(*runs, 1);
}

const struct contract_test contract_crash[] = {
    PROMISE(test_crash_fails_its_own_task_alone, PROCESSES),
    PROMISE(test_executor_goes_on_after_many_crashes, PROCESSES),
    PROMISE(test_crash_leaves_the_task_of_another_worker_alone, PROCESSES | PARALLEL),
    PROMISE(test_crash_calls_back_once, PROCESSES),
    PROMISE(test_close_while_tasks_crash, PROCESSES),
    PROMISE(test_map_fails_when_an_element_crashes, PROCESSES | TAKES_ALL),
    PROMISE(test_post_that_crashes_is_forgotten, PROCESSES),
    PROMISE(test_task_whose_worker_dies_is_run_again_if_asked, PROCESSES),
    PROMISE(test_task_whose_worker_dies_once_too_often_fails, PROCESSES),
    PROMISE(test_task_that_fails_by_itself_is_not_run_again, PROCESSES),
    {0},
};
