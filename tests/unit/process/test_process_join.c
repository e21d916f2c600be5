/* SPDX-License-Identifier: MIT */
/*
 * Joining processes: deadlines, several at once, and those whose status others took.
 */
#include <sillon/sillon.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "support/child.h"
#include "support/test.h"

static int return_three(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return 3;
}

/* arg: sil_shared_semaphore *[2]. Says that it runs, and goes on when it may. */
static int wait_for_it(void *arg, void *result)
{
    (void)result;
    sil_shared_semaphore **semaphores = arg;
    (void)sil_shared_semaphore_release(semaphores[0], 1);
    return sil_shared_semaphore_acquire(semaphores[1], SIL_FOREVER) == 0 ? 0 : 1;
}

/* How it ended; destroys it. */
static int end_of(sil_process *process)
{
    assert_non_null(process);
    assert_code(sil_process_join(process, SIL_FOREVER), 0);
    int code = sil_process_exit_code(process);
    sil_process_destroy(process);
    return code;
}

/* One that runs wait_for_it. */
struct waiting {
    sil_shared_semaphore *semaphores[2];
    sil_process *process;
};

static struct waiting start_waiting(void)
{
    struct waiting waiting = {
        .semaphores = {sil_shared_semaphore_create(0), sil_shared_semaphore_create(0)}};
    assert_non_null(waiting.semaphores[0]);
    assert_non_null(waiting.semaphores[1]);
    waiting.process =
        sil_process_start(NULL, wait_for_it, (void *)waiting.semaphores, sizeof waiting.semaphores);
    assert_non_null(waiting.process);
    assert_code(sil_shared_semaphore_acquire(waiting.semaphores[0], SIL_FOREVER), 0);
    return waiting;
}

static void let_go_on(struct waiting *waiting)
{
    assert_code(sil_shared_semaphore_release(waiting->semaphores[1], 1), 0);
}

static int end_waiting(struct waiting *waiting)
{
    int code = end_of(waiting->process);
    sil_shared_semaphore_destroy(waiting->semaphores[0]);
    sil_shared_semaphore_destroy(waiting->semaphores[1]);
    return code;
}

/* --- joining ------------------------------------------------------------------------------- */

static void test_join_times_out(void **state)
{
    (void)state;
    struct waiting waiting = start_waiting();
    assert_code(sil_process_join(waiting.process, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_process_join(waiting.process, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_code(sil_process_exit_code(waiting.process), SIL_EINPROGRESS);
    let_go_on(&waiting);
    assert_code(sil_process_join(waiting.process, sil_in(TEST_PATIENCE)), 0);
    assert_code(sil_process_join(waiting.process, SIL_NOW), 0);
    assert_int_equal(end_waiting(&waiting), 0);
}

struct joiner {
    pthread_t thread;
    sil_process *process;
    sil_deadline until;
    int joined;
    int code;
};

static void *join(void *arg)
{
    struct joiner *joiner = arg;
    joiner->joined = sil_process_join(joiner->process, joiner->until);
    joiner->code = sil_process_exit_code(joiner->process);
    return NULL;
}

static void test_join_heeds_the_fake_clock(void **state)
{
    (void)state;
    struct waiting waiting = start_waiting();
    sil__clock_fake_start(SIL__SECOND);
    struct joiner joiner = {.process = waiting.process, .until = 100 * SIL__SECOND};
    assert_int_equal(pthread_create(&joiner.thread, NULL, join, &joiner), 0);
    sil__clock_fake_advance(99 * SIL__SECOND);
    (void)pthread_join(joiner.thread, NULL);
    sil__clock_fake_stop();
    assert_code(joiner.joined, SIL_ETIMEDOUT);
    let_go_on(&waiting);
    assert_int_equal(end_waiting(&waiting), 0);
}

static void test_join_from_four_threads(void **state)
{
    (void)state;
    struct waiting waiting = start_waiting();
    struct joiner joiners[4];
    for (size_t i = 0; i < COUNT_OF(joiners); i++) {
        joiners[i] = (struct joiner){.process = waiting.process, .until = SIL_FOREVER};
        assert_int_equal(pthread_create(&joiners[i].thread, NULL, join, &joiners[i]), 0);
    }
    let_go_on(&waiting);
    for (size_t i = 0; i < COUNT_OF(joiners); i++) {
        (void)pthread_join(joiners[i].thread, NULL);
        assert_code(joiners[i].joined, 0);
        assert_int_equal(joiners[i].code, 0);
    }
    assert_int_equal(end_waiting(&waiting), 0);
}

static void test_descriptor_becomes_readable(void **state)
{
    (void)state;
    struct waiting waiting = start_waiting();
    struct pollfd poll_one = {.fd = sil_process_descriptor(waiting.process), .events = POLLIN};
    assert_int_equal(poll(&poll_one, 1, 0), 0);
    let_go_on(&waiting);
    assert_int_equal(poll(&poll_one, 1, TEST_PATIENCE * 1000), 1);
    assert_int_equal(sil_process_exit_code(waiting.process), 0);
    assert_int_equal(end_waiting(&waiting), 0);
}

static void test_status_taken_by_others(void **state)
{
    (void)state;
    sil_process *process = sil_process_start(NULL, return_three, NULL, 0);
    assert_int_equal(waitpid((pid_t)sil_process_pid(process), NULL, 0), sil_process_pid(process));
    assert_code(sil_process_join(process, SIL_FOREVER), 0);
    assert_code(sil_process_exit_code(process), SIL_EALREADY);
    assert_code(sil_process_kill(process), SIL_EALREADY);
    sil_process_destroy(process);

    (void)signal(SIGCHLD, SIG_IGN);
    process = sil_process_start(NULL, return_three, NULL, 0);
    assert_code(sil_process_join(process, SIL_FOREVER), 0);
    assert_code(sil_process_exit_code(process), SIL_EALREADY);
    sil_process_destroy(process);
    (void)signal(SIGCHLD, SIG_DFL);
}

static int use_in_fork(void *arg)
{
    sil_process *process = arg;
    CHECK(sil_process_join(process, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_process_exit_code(process) == SIL_EFORKED);
    CHECK(sil_process_kill(process) == SIL_EFORKED);
    sil_process_destroy(process);
    return 0;
}

static void test_fork_does_not_own_it(void **state)
{
    (void)state;
    struct waiting waiting = start_waiting();
    assert_int_equal(child_run(use_in_fork, waiting.process), 0);
    assert_code(sil_process_exit_code(waiting.process), SIL_EINPROGRESS);
    let_go_on(&waiting);
    assert_int_equal(end_waiting(&waiting), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_join_times_out),         TEST(test_join_heeds_the_fake_clock),
        TEST(test_join_from_four_threads), TEST(test_descriptor_becomes_readable),
        TEST(test_status_taken_by_others), TEST(test_fork_does_not_own_it),
    };
    return test_run("process join", tests);
}
