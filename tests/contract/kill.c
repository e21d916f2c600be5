/* SPDX-License-Identifier: MIT */
/*
 * Kill: a task of a process that does not heed anything can be ended all the same: by its timeout,
 * by sil_future_kill, with all of its pool; and what is killed from outside is replaced.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "contract.h"
#include "support/child.h"

enum { MOST_PIDS = 8 };

static int tell_pid(void *arg, void *result)
{
    (void)arg;
    *(pid_t *)result = getpid();
    return 0;
}

static pid_t pid_of_a_worker(sil_executor *executor)
{
    pid_t pid = 0;
    sil_future *future = sil_submit(executor, tell_pid, NULL, 0, sizeof pid);
    assert_code(sil_take(future, &pid, SIL_FOREVER), 0);
    return pid;
}

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) != 0 && errno == ESRCH;
}

/* Kills it, and sees it dead, whether or not its parent has noticed. One that ended a moment ago is
 * none to kill. */
static void kill_worker(pid_t pid)
{
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        return;
    (void)kill(pid, SIGKILL);
    struct pollfd end = {.fd = process, .events = POLLIN};
    assert_int_equal(poll(&end, 1, TEST_PATIENCE * 1000), 1);
    (void)close(process);
}

/* --- one task ------------------------------------------------------------------------------ */

static void test_timeout_ends_a_task_that_never_returns(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate(); /* which stays closed */
    sil_submit_options options = {.name = "endless", .timeout = 0.05};
    sil_deadline earliest = sil_in(0.04);
    sil_future *future = sil_submit_with(executor, &options, task_gate, &gate, sizeof gate, 0);
    sil_future *next = submit_int(executor, task_square, 3);
    assert_code(sil_await(future, SIL_FOREVER), SIL_ETIMEDOUT);
    assert_true(sil_clock() >= earliest);
    assert_int_equal(sil_future_state(future), SIL_FINISHED);
    const sil_error *error = sil_future_error(future);
    assert_string_equal(sil_error_task(error), "endless");
    assert_int_not_equal(sil_error_pid(error), getpid());
    sil_future_release(future);
    int value = 0;
    assert_code(sil_take(next, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 9);
    contract_close(executor);
}

static void test_timeout_counts_from_the_start_of_the_task(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    sil_deadline later = sil_in(0.2);
    sil_submit_options options = {.timeout = 0.1};
    sil_future *future = sil_submit_with(executor, &options, task_int, &(int){4}, sizeof(int), 4);
    eventually(sil_clock() > later);
    contract_free(&occupied);
    int value = 0;
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 4);
    contract_close(executor);
}

static void test_kill_ends_a_running_task(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (unsigned i = 0; i < 5; i++) {
        struct gate *gate = contract_gate(); /* which stays closed */
        sil_future *future = submit_gate(executor, gate);
        sil_future *next = submit_int(executor, task_square, 3);
        gate_wait_for_arrivals(gate, 1);
        if (i % 2 != 0) /* asked before, and it did not heed */
            assert_code(sil_future_cancel(future), SIL_EINPROGRESS);
        assert_code(sil_future_kill(future), SIL_EINPROGRESS);
        assert_code(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
        assert_int_equal(sil_future_state(future), SIL_CANCELLED);
        assert_code(sil_error_code(sil_future_error(future)), SIL_ECANCELLED);
        assert_code(sil_future_kill(future), 0);
        sil_future_release(future);
        contract_finish(next);
    }
    contract_close(executor);
}

static void test_kill_of_a_task_leaves_that_of_another_worker_alone(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *closed = contract_gate();
    struct gate *gate = contract_gate();
    sil_future *other = submit_gate(executor, gate);
    sil_future *future = submit_gate(executor, closed);
    gate_wait_for_arrivals(gate, 1);
    gate_wait_for_arrivals(closed, 1);
    assert_code(sil_future_kill(future), SIL_EINPROGRESS);
    assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    assert_int_equal(sil_future_state(other), SIL_RUNNING);
    gate_open(gate);
    contract_finish(other);
    contract_close(executor);
}

static void test_killed_task_is_not_run_again(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate(); /* which stays closed */
    sil_submit_options options = {.retries = 5};
    sil_future *future = sil_submit_with(executor, &options, task_gate, &gate, sizeof gate, 0);
    gate_wait_for_arrivals(gate, 1);
    assert_code(sil_future_kill(future), SIL_EINPROGRESS);
    assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    contract_finish(submit_nothing(executor));
    contract_close(executor);
    assert_int_equal(gate->arrived, 1);
}

/* --- workers ------------------------------------------------------------------------------- */

static void test_pids_are_those_of_the_workers(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    contract_free(&occupied);
    pid_t pid = pid_of_a_worker(executor);
    int64_t pids[MOST_PIDS] = {0};
    /* A worker may be at its task before the pool has heard its number. */
    eventually(sil_process_pool_pids(executor, pids, MOST_PIDS) == occupied.count);
    bool found = false;
    for (unsigned i = 0; i < occupied.count; i++) {
        assert_true(pids[i] > 0);
        assert_int_not_equal(pids[i], getpid());
        found |= pids[i] == pid;
        for (unsigned k = 0; k < i; k++)
            assert_int_not_equal(pids[i], pids[k]);
    }
    assert_true(found);
    pids[1] = -1;
    assert_int_equal(sil_process_pool_pids(executor, NULL, 0), occupied.count);
    assert_int_equal(sil_process_pool_pids(executor, pids, 1), occupied.count);
    assert_int_equal(pids[1], -1);
    contract_close(executor);
}

static void test_closed_executors_leave_no_worker(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    int64_t pids[MOST_PIDS] = {0};
    size_t count = occupied.count;
    eventually(sil_process_pool_pids(executor, pids, MOST_PIDS) == count);
    contract_free(&occupied);
    contract_close(executor);
    for (size_t i = 0; i < count; i++)
        eventually(is_gone((pid_t)pids[i]));
}

static void test_worker_killed_while_idle_is_replaced(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int round = 0; round < 5; round++) {
        pid_t before = pid_of_a_worker(executor);
        int64_t pids[MOST_PIDS] = {0};
        size_t count = sil_process_pool_pids(executor, pids, MOST_PIDS);
        assert_in_range(count, 1, MOST_PIDS);
        for (size_t i = 0; i < count; i++)
            kill_worker((pid_t)pids[i]);
        for (int i = 0; i < CONTRACT_BOUND; i++)
            assert_int_not_equal(pid_of_a_worker(executor), before);
    }
    contract_close(executor);
}

/* --- all of a pool ------------------------------------------------------------------------- */

static void check_end_of_workers(int (*end)(sil_executor *pool))
{
    sil_executor *executor = contract_create();
    struct occupied occupied;
    contract_occupy(&occupied, executor);
    atomic_uint *count = contract_count();
    sil_future *pending[3];
    for (size_t i = 0; i < COUNT_OF(pending); i++)
        pending[i] = submit_count(executor, count);
    assert_code(end(executor), 0);
    for (size_t i = 0; i < COUNT_OF(pending); i++)
        assert_code(sil_take(pending[i], NULL, SIL_FOREVER), SIL_ECANCELLED);
    for (unsigned i = 0; i < occupied.count; i++)
        assert_code(sil_take(occupied.futures[i], NULL, SIL_FOREVER), SIL_EBROKEN);
    assert_code(sil_take(submit_nothing(executor), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    assert_code(end(executor), 0);
    contract_close(executor);
    assert_int_equal(*count, 0);
    assert_code(end(executor), SIL_ESHUTDOWN);
}

static void test_kill_workers_ends_everything(void **state)
{
    (void)state;
    check_end_of_workers(sil_process_pool_kill_workers);
}

static void test_terminate_workers_ends_everything(void **state)
{
    (void)state;
    check_end_of_workers(sil_process_pool_terminate_workers);
}

/* Deaf to SIGTERM. */
static int deaf_at_gate(void *arg, void *result)
{
    (void)signal(SIGTERM, SIG_IGN);
    return task_gate(arg, result);
}

static void test_terminate_workers_kills_the_deaf_in_the_end(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate(); /* which stays closed */
    sil_future *future = sil_submit(executor, deaf_at_gate, &gate, sizeof gate, 0);
    gate_wait_for_arrivals(gate, 1);
    assert_code(sil_process_pool_terminate_workers(executor), 0);
    assert_code(sil_await(future, SIL_FOREVER), SIL_EBROKEN);
    assert_int_equal(sil_error_signal(sil_future_error(future)), SIGKILL);
    sil_future_release(future);
    contract_close(executor);
}

static int end_parents_workers(void *arg)
{
    sil_executor *executor = arg;
    CHECK(sil_process_pool_kill_workers(executor) == SIL_EFORKED);
    CHECK(sil_process_pool_terminate_workers(executor) == SIL_EFORKED);
    return 0;
}

static void test_workers_of_what_is_no_pool_of_ours_are_refused(void **state)
{
    (void)state;
    sil_executor *other = sil_inline_executor();
    assert_code(sil_process_pool_kill_workers(NULL), SIL_EINVAL);
    assert_code(sil_process_pool_terminate_workers(NULL), SIL_EINVAL);
    assert_code(sil_process_pool_kill_workers(other), SIL_EINVAL);
    assert_code(sil_process_pool_terminate_workers(other), SIL_EINVAL);
    assert_int_equal(sil_process_pool_pids(other, NULL, 0), 0);
    assert_int_equal(sil_process_pool_pids(NULL, NULL, 0), 0);
    contract_close(other);

    sil_executor *executor = contract_create();
    contract_finish(submit_nothing(executor));
    assert_int_equal(child_run(end_parents_workers, executor), 0);
    contract_finish(submit_nothing(executor));
    contract_close(executor);
}

const struct contract_test contract_kill[] = {
    PROMISE(test_timeout_ends_a_task_that_never_returns, PROCESSES),
    PROMISE(test_timeout_counts_from_the_start_of_the_task, PROCESSES),
    PROMISE(test_kill_ends_a_running_task, PROCESSES),
    PROMISE(test_kill_of_a_task_leaves_that_of_another_worker_alone, PROCESSES | PARALLEL),
    PROMISE(test_killed_task_is_not_run_again, PROCESSES),
    PROMISE(test_pids_are_those_of_the_workers, PROCESSES),
    PROMISE(test_closed_executors_leave_no_worker, PROCESSES),
    PROMISE(test_worker_killed_while_idle_is_replaced, PROCESSES),
    PROMISE(test_kill_workers_ends_everything, PROCESSES),
    PROMISE(test_terminate_workers_ends_everything, PROCESSES),
    PROMISE(test_terminate_workers_kills_the_deaf_in_the_end, PROCESSES),
    PROMISE(test_workers_of_what_is_no_pool_of_ours_are_refused, PROCESSES),
    {0},
};
