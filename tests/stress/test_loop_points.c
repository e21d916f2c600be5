/* SPDX-License-Identifier: MIT */
/*
 * Every kind of wait of a coroutine, with a cancel, or the end of a deadline scope, at each: the wait
 * ends with that, or with its value, and then the next one does; it is delivered once; what is waited for
 * to clean up is waited for; and nothing is left.
 *
 * A victim goes through the steps below, from one of them on; a meddler beside it sees it wait, and ends
 * the wait some turns later. Time stands still unless the meddler moves it, so that nothing else does.
 */
#include <stdio.h>

#include "loop_points.h"
#include "loop_points_futures.h"
#include "loop_points_objects.h"

/* --- all of them -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*step)(void);
} steps[] = {
#define STEP(name)         \
    {                      \
#name, step_##name \
    }
    /* clang-format off */
    STEP(yield), STEP(sleep), STEP(await_pool), STEP(take_pool), STEP(await_loop),
    STEP(take_loop), STEP(promise), STEP(await_fresh), STEP(take_fresh), STEP(take_running),
    STEP(await_joined), STEP(chain), STEP(on_top), STEP(wait_all), STEP(wait_first),
    STEP(wait_failure), STEP(as_completed), STEP(all), STEP(any), STEP(race), STEP(then_here),
    STEP(then_in_pool), STEP(then_at_once), STEP(map), STEP(group), STEP(group_closed_only),
    STEP(gather), STEP(gather_all), STEP(await_or_cancel), STEP(shield), STEP(mutex),
    STEP(mutex_of_thread), STEP(condition), STEP(event), STEP(semaphore), STEP(barrier),
    STEP(get), STEP(put), STEP(queue_join), STEP(shut_down_loop), STEP(shut_down_pool),
    STEP(room), STEP(yield), STEP(sleep),
    /* clang-format on */
};

enum { STEPS = COUNT_OF(steps) };

static int unexpected(const char *what, int code)
{
    (void)snprintf(now.message, sizeof now.message, "%s, lag %d: %s is %d",
                   steps[now.target - 1].name, now.lag, what, code);
    return UNEXPECTED;
}

/* What everybody does who cleans up: wait, in every way. */
static int clean_up(void)
{
    int code = sil_yield();
    if (code == 0)
        code = sil_take(go_nap(), NULL, SIL_FOREVER);
    if (code == 0)
        code = sil_sleep(sil_clock() + MILLI);
    if (code == 0)
        code = sil_take(sil_submit(now.pool, task_nothing, NULL, 0, 0), NULL, SIL_FOREVER);
    return code;
}

static int victim(void *arg, void *result)
{
    (void)arg, (void)result;
    const int wanted = now.how == EXPIRE ? SIL_ETIMEDOUT : SIL_ECANCELLED;
    sil_deadline outer =
        sil_deadline_scope(now.how == EXPIRE ? sil_clock() + 1000 * SIL__SECOND : SIL_FOREVER);
    int code = 0;
    /* Where the value was there first, the next wait ends; where nobody waits, nothing has happened. */
    for (int i = now.target - 1; code == 0 && i < STEPS && i < now.target + 2; i++) {
        now.step = i + 1;
        code = steps[i].step();
    }
    now.step = 0;
    if (code == 0 && now.meddled)
        code = sil_sleep(SIL_FOREVER);
    sil_deadline_restore(outer);
    if (!now.meddled)
        return code == 0 ? 0 : unexpected("without meddling the code", code);
    if (code != wanted)
        return unexpected("the code of the wait", code);
    if (now.how != EXPIRE && !sil_cancelled())
        return unexpected("sil_cancelled", 0);
    int clean = clean_up();
    return clean == 0 ? 0 : unexpected("the code of a wait to clean up", clean);
}

/* --- who ends the wait -------------------------------------------------------------------------- */

static int cancel_it(void *arg, void *result)
{
    (void)result;
    (void)sil_future_cancel(*(sil_future **)arg);
    return 0;
}

static void end_wait(void)
{
    now.meddled = true;
    switch (now.how) {
    case EXPIRE:
        sil__clock_fake_advance(2000 * SIL__SECOND);
        break;
    case CANCEL_BY_THREAD: {
        /* The loop stands still until the thread has done it: then the word lies there. */
        sil_future *future =
            sil_thread_start(NULL, cancel_it, (void *)&now.victim, sizeof now.victim, 0);
        while (!sil_future_done(future))
            test_yield();
        sil_future_release(future);
        break;
    }
    case CANCEL_TWICE:
        (void)sil_future_cancel(now.victim);
        (void)sil_future_cancel(now.victim);
        break;
    default:
        (void)sil_future_cancel(now.victim);
        break;
    }
}

/* Runs once whenever the victim waits: at the target it ends the wait; later it lets time pass. */
static int meddle(void *arg, void *result)
{
    (void)arg, (void)result;
    int seen = 0;
    for (int step = 0; !sil_future_done(now.victim); seen++) {
        if (now.step != step)
            seen = 0;
        step = now.step;
        if (step == now.target && seen == now.lag && !now.meddled)
            end_wait();
        if (seen > now.lag)
            sil__clock_fake_advance(MILLI / 4);
        (void)sil_yield();
    }
    return 0;
}

static int let_time_pass(void *arg, void *result)
{
    (void)arg, (void)result;
    while (sil_yield() == 0)
        sil__clock_fake_advance(MILLI / 4);
    return 0;
}

static int run(void *arg, void *result)
{
    (void)arg, (void)result;
    now.victim = sil_go_with(&(sil_go_options){.name = "victim"}, victim, NULL, 0, 0);
    sil_future *meddler = sil_go(meddle, NULL, 0, 0);
    int code = sil_take(meddler, NULL, SIL_FOREVER);
    if (code == 0)
        code = sil_take(now.victim, NULL, SIL_FOREVER);
    sil_future *time = sil_go(let_time_pass, NULL, 0, 0);
    while (now.kept_count > 0) {
        struct kept *kept = &now.kept[--now.kept_count];
        kept->give_back(kept->object);
    }
    (void)sil_future_cancel(time);
    (void)sil_take(time, NULL, SIL_FOREVER);
    return code;
}

static void at_every_point(enum how how)
{
    sil__clock_fake_start(SIL__SECOND);
    now.loop = sil_loop_thread(NULL);
    now.pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    now.same = sil_inline_executor();
    assert_true(now.loop && now.pool && now.same);
    int meddled = 0;
    for (int lag = 0; lag <= 2; lag++) {
        for (int target = 1; target <= STEPS; target++) {
            now.how = how;
            now.target = target;
            now.lag = lag;
            now.step = 0;
            now.meddled = false;
            int code = sil_run(run, NULL, 0, NULL, 0);
            if (code != 0)
                print_error("%s\n", now.message);
            assert_code(code, 0);
            meddled += now.meddled;
        }
    }
    assert_true(meddled > STEPS);
    assert_code(sil_executor_close(now.loop), 0);
    assert_code(sil_executor_close(now.pool), 0);
    assert_code(sil_executor_close(now.same), 0);
    sil__clock_fake_stop();
}

static void test_cancel_at_every_wait(void **state)
{
    (void)state;
    at_every_point(CANCEL);
}

static void test_cancel_by_a_thread_at_every_wait(void **state)
{
    (void)state;
    at_every_point(CANCEL_BY_THREAD);
}

static void test_cancel_twice_at_every_wait(void **state)
{
    (void)state;
    at_every_point(CANCEL_TWICE);
}

static void test_deadline_at_every_wait(void **state)
{
    (void)state;
    at_every_point(EXPIRE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_cancel_at_every_wait),
        TEST(test_cancel_by_a_thread_at_every_wait),
        TEST(test_cancel_twice_at_every_wait),
        TEST(test_deadline_at_every_wait),
    };
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv keeps two descriptors from then on */
    return test_run("every kind of wait", tests);
}
