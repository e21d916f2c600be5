/* SPDX-License-Identifier: MIT */
/*
 * Scenarios that run in coroutines. They see no assert, which would leave the coroutine's stack by
 * a long jump: an EXPECT that does not hold is the scenario's error, and the test's own thread
 * asserts that.
 */
#ifndef TESTS_UNIT_CORO_SCENARIO_H
#define TESTS_UNIT_CORO_SCENARIO_H

#include <errno.h>
#include <stdio.h>

#include <sillon/sillon.h>

#include "support/tasks.h"
#include "support/test.h"

/** The code of a scenario that did not go as expected. */
enum { UNEXPECTED = 40000 };

#define EXPECT(condition)                                                                       \
    do {                                                                                        \
        if (!(condition))                                                                       \
            return sil_fail(UNEXPECTED, "%s:%d: not true: %s", __FILE__, __LINE__, #condition); \
    } while (0)

#define EXPECT_CODE(actual, expected)                                                   \
    do {                                                                                \
        int actual_ = (actual);                                                         \
        if (actual_ != (expected))                                                      \
            return sil_fail(UNEXPECTED, "%s:%d: %s is %s", __FILE__, __LINE__, #actual, \
                            scenario_code_name(actual_));                               \
    } while (0)

static inline const char *scenario_code_name(int code)
{
    const char *name = sil_status_name(code);
    return name ? name : code == 0 ? "0" : sil_strerror(code);
}

/** What became of those that count. */
struct tally {
    int begun;
    int cancelled;
    int ended;
};

/** Of the present scenario. */
__attribute__((unused)) static struct tally tally;

/** Run it as the main coroutine of a loop, and assert that all went as expected. */
static inline void run_scenario(sil_task_fn scenario)
{
    tally = (struct tally){0};
    int code = sil_run(scenario, NULL, 0, NULL, 0);
    if (code != 0)
        print_error("%s\n", sil_error_message(sil_last_error()));
    assert_code(code, 0);
}

/** main's first: libuv opens two descriptors for the process when the first loop begins. */
static inline void begin_scenarios(void)
{
    (void)sil_run(task_nothing, NULL, 0, NULL, 0);
}

/** Let the others run, so many times. */
static inline void give_way(int turns)
{
    for (int i = 0; i < turns; i++)
        (void)sil_yield();
}

/** Define a scenario and the test that runs it, test_NAME. */
#define SCENARIO(name)                        \
    static int name(void *arg, void *result); \
    static void test_##name(void **state)     \
    {                                         \
        (void)state;                          \
        run_scenario(name);                   \
    }                                         \
    static int name(void *arg, void *result)

/* --- coroutines that scenarios start -------------------------------------------------------- */

/** arg: struct tally *. Waits until it is cancelled. */
static inline int co_forever(void *arg, void *result)
{
    (void)result;
    struct tally *counts = *(struct tally **)arg;
    counts->begun++;
    int code = sil_sleep(SIL_FOREVER);
    counts->cancelled += code == SIL_ECANCELLED;
    counts->ended++;
    return code;
}

/** arg: struct tally *. Waits until it is cancelled, lets others run, and then succeeds. */
static inline int co_stubborn(void *arg, void *result)
{
    int code = co_forever(arg, result);
    give_way(3);
    return code == SIL_ECANCELLED ? 0 : UNEXPECTED;
}

/** arg: struct tally *. Waits until it is cancelled, and then fails with EIO. */
static inline int co_fail_when_cancelled(void *arg, void *result)
{
    int code = co_forever(arg, result);
    give_way(3);
    return code == SIL_ECANCELLED ? sil_fail(EIO, "failed when it was cancelled") : UNEXPECTED;
}

/** arg: int. Lets others run, then fails with this code. */
static inline int co_fail(void *arg, void *result)
{
    (void)result;
    int code = *(int *)arg;
    (void)sil_yield();
    return sil_fail(code, "failed with %d", code);
}

/** arg: int. Lets others run, then has the same int as its value. */
static inline int co_int(void *arg, void *result)
{
    (void)sil_yield();
    *(int *)result = *(int *)arg;
    return 0;
}

/** arg: sil_future *. Lets others run, then cancels it. */
static inline int co_cancel(void *arg, void *result)
{
    (void)result;
    give_way(2);
    (void)sil_future_cancel(*(sil_future **)arg);
    return 0;
}

/** In a group. */
static inline sil_future *group_int(sil_group *group, sil_task_fn fn, int arg)
{
    return sil_group_go(group, fn, &arg, sizeof arg, sizeof(int));
}

static inline sil_future *group_tally(sil_group *group, sil_task_fn fn, struct tally *counts)
{
    return sil_group_go(group, fn, &counts, sizeof counts, 0);
}

/** By itself. */
static inline sil_future *go_int(sil_task_fn fn, int arg)
{
    return sil_go(fn, &arg, sizeof arg, sizeof(int));
}

static inline sil_future *go_tally(sil_task_fn fn, struct tally *counts)
{
    return sil_go(fn, &counts, sizeof counts, 0);
}

static inline int int_of(const sil_future *future)
{
    const int *value = sil_future_result(future, NULL);
    return value ? *value : -1;
}

#endif
