/* SPDX-License-Identifier: MIT */
/*
 * A program that is killed while it has process pools, tasks that run and wait, a process of its
 * own, and children of tasks: within moments none of them is left, nor any file. And a helper that
 * is killed alone: its pool starts another, or says that it cannot.
 */
#include <sillon/sillon.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/leftovers.h"
#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { ROUNDS = TEST_SCALE(60), QUICK = 20 };

/* Seconds in which all must be gone. */
#define MOST_SECONDS (2.0 * TEST_SLOWNESS)

/* --- a program that is killed -------------------------------------------------------------- */

/* Lies in shared memory: all processes of the program come by. */
struct program {
    sil_start start;
    atomic_uint arrived;
    atomic_uint done;
};

enum { ARRIVALS = 7 };

static _Noreturn void stay(struct program *program)
{
    atomic_fetch_add(&program->arrived, 1);
    for (;;)
        (void)pause();
}

/* arg: struct program *. */
static int stay_task(void *arg, void *result)
{
    (void)result;
    stay(*(struct program **)arg);
}

/* Its child, and the child of that which is a session of its own and lets its parent go. */
static int fork_and_stay(void *arg, void *result)
{
    (void)result;
    struct program *program = *(struct program **)arg;
    if (fork() == 0)
        stay(program);
    if (fork() == 0) {
        (void)setsid();
        if (fork() != 0)
            _exit(0);
        stay(program);
    }
    stay(program);
}

/* A pool of the task's own. */
static int nest_and_stay(void *arg, void *result)
{
    (void)result;
    struct program *program = *(struct program **)arg;
    sil_executor *pool = sil_process_pool(&(sil_process_pool_options){.workers = 1});
    if (pool == NULL)
        return 1;
    (void)sil_submit(pool, stay_task, arg, sizeof program, 0);
    stay(program);
}

/* Never returns. */
static void run_program(struct program *program)
{
    const size_t size = sizeof(struct program *);
    sil_executor *busy =
        sil_process_pool(&(sil_process_pool_options){.workers = 3, .start = program->start});
    sil_executor *quick =
        sil_process_pool(&(sil_process_pool_options){.workers = 2, .start = program->start});
    if (busy == NULL || quick == NULL)
        _exit(1);
    (void)sil_submit(busy, fork_and_stay, (void *)&program, size, 0);
    (void)sil_submit(busy, nest_and_stay, (void *)&program, size, 0);
    (void)sil_process_start(NULL, stay_task, (void *)&program, size);
    eventually(program->arrived == ARRIVALS - 1);
    for (int i = 0; i < 500; i++) /* one of them runs */
        (void)sil_submit(busy, stay_task, (void *)&program, size, 0);
    for (;; atomic_fetch_add(&program->done, 1))
        if (sil_take(submit_int(quick, task_square, 3), NULL, SIL_FOREVER) != 0)
            _exit(2);
}

/* At a moment of chance: before, while or after all have come. */
static void wait_for_a_moment(const struct program *program, pid_t child, struct random *random)
{
    unsigned arrivals = (unsigned)random_below(random, ARRIVALS + 1);
    unsigned done = (unsigned)random_below(random, QUICK);
    eventually((program->arrived >= arrivals && program->done >= done) ||
               waitpid(child, NULL, WNOHANG) != 0);
    for (size_t i = random_below(random, 200); i > 0; i--)
        random_yield(random);
}

static void kill_a_program(sil_start start, struct random *random)
{
    struct program *program = sil_shared_alloc(sizeof *program);
    assert_non_null(program);
    *program = (struct program){.start = start};
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(TEST_PATIENCE);
        run_program(program);
    }
    wait_for_a_moment(program, child, random);
    int status = 0;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    double start_time = test_seconds();
    eventually(leftovers_collect());
    assert_true(test_seconds() - start_time < MOST_SECONDS);
    sil_shared_free(program);
}

static void kill_programs(sil_start start)
{
    struct random random = {start};
    unsigned files = leftovers_files();
    leftovers_adopt(true);
    for (int i = 0; i < ROUNDS; i++)
        kill_a_program(start, &random);
    leftovers_adopt(false);
    assert_int_equal(leftovers_files(), files);
}

static void test_all_go_with_the_program(void **state)
{
    (void)state;
    kill_programs(SIL_START_SPAWN);
}

static void test_all_go_with_the_program_when_forked(void **state)
{
    (void)state;
    kill_programs(SIL_START_FORK);
}

/* --- a helper that is killed --------------------------------------------------------------- */

static int tell_helper(void *arg, void *result)
{
    (void)arg;
    *(pid_t *)result = getppid();
    return 0;
}

enum { HELPERS = 5, TASKS = 100 };

static void signal_helper(sil_executor *pool, int number)
{
    pid_t helper = 0;
    sil_future *future = sil_submit(pool, tell_helper, NULL, 0, sizeof helper);
    assert_code(sil_take(future, &helper, SIL_FOREVER), 0);
    assert_int_equal(kill(helper, number), 0);
}

/* How many succeeded. */
static int take_squares(sil_future **futures, int count)
{
    int well = 0;
    for (int i = 0; i < count; i++) {
        int value = 0;
        int code = sil_take(futures[i], &value, SIL_FOREVER);
        assert_true(code == 0 || code == SIL_EBROKEN);
        assert_int_equal(value, code == 0 ? i * i : 0);
        well += code == 0;
    }
    return well;
}

static void submit_squares(sil_executor *pool, sil_future **futures, int count)
{
    for (int i = 0; i < count; i++)
        futures[i] = submit_int(pool, task_square, i);
}

static void test_pool_goes_on_when_its_helper_is_killed(void **state)
{
    (void)state;
    sil_executor *pool = sil_process_pool(&(sil_process_pool_options){.workers = 2});
    sil_future *futures[2 * TASKS];
    assert_non_null(pool);
    for (int i = 0; i < HELPERS; i++) {
        submit_squares(pool, futures, TASKS);
        signal_helper(pool, SIGKILL);
        submit_squares(pool, futures + TASKS, TASKS);
        assert_in_range(take_squares(futures, TASKS), TASKS - 2, TASKS);
        assert_in_range(take_squares(futures + TASKS, TASKS), TASKS - 2, TASKS);
    }
    assert_code(sil_executor_close(pool), 0);
    assert_true(leftovers_no_children());
}

static void test_forked_pool_says_that_its_helper_is_gone(void **state)
{
    (void)state;
    sil_executor *pool =
        sil_process_pool(&(sil_process_pool_options){.workers = 2, .start = SIL_START_FORK});
    sil_future *futures[TASKS];
    assert_non_null(pool);
    signal_helper(pool, SIGKILL);
    int value = 0;
    sil_future *future;
    for (int code = 0; code == 0;) {
        future = submit_int(pool, task_square, 3);
        code = sil_await(future, SIL_FOREVER);
        assert_true(code == 0 || code == SIL_EBROKEN);
        if (code == 0)
            assert_code(sil_take(future, &value, SIL_NOW), 0);
    }
    sil_future_release(future);
    submit_squares(pool, futures, TASKS);
    for (int i = 0; i < TASKS; i++) {
        assert_code(sil_await(futures[i], SIL_FOREVER), SIL_EBROKEN);
        assert_contains(sil_error_message(sil_future_error(futures[i])), "helper");
        sil_future_release(futures[i]);
    }
    assert_code(sil_executor_close(pool), 0);
    assert_true(leftovers_no_children());
}

static void test_pool_closes_though_its_helper_is_stopped(void **state)
{
    (void)state;
    sil_executor *pool = sil_process_pool(&(sil_process_pool_options){.workers = 1});
    sil_future *futures[TASKS];
    assert_non_null(pool);
    signal_helper(pool, SIGSTOP);
    submit_squares(pool, futures, TASKS);
    assert_int_equal(take_squares(futures, TASKS), TASKS);
    assert_code(sil_executor_close(pool), 0);
    assert_true(leftovers_no_children());
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_all_go_with_the_program),
        TEST(test_all_go_with_the_program_when_forked),
        TEST(test_pool_goes_on_when_its_helper_is_killed),
        TEST(test_forked_pool_says_that_its_helper_is_gone),
        TEST(test_pool_closes_though_its_helper_is_stopped),
    };
    return test_run("a pool's parent and helper", tests);
}
