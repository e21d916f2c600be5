/* SPDX-License-Identifier: MIT */
/*
 * For stress/test_loop_points.c: steps that wait for futures. Part of that program.
 */
#ifndef TESTS_STRESS_LOOP_POINTS_FUTURES_H
#define TESTS_STRESS_LOOP_POINTS_FUTURES_H

#include "loop_points.h"

/* --- steps: futures ----------------------------------------------------------------------------- */

static int step_yield(void)
{
    return sil_yield();
}

static int step_sleep(void)
{
    return sil_sleep(sil_clock() + MILLI);
}

static int step_await_pool(void)
{
    return sil_await(keep_future(sil_submit(now.pool, nap, NULL, 0, 0)), SIL_FOREVER);
}

static int step_take_pool(void)
{
    return sil_take(sil_submit(now.pool, nap, NULL, 0, 0), NULL, SIL_FOREVER);
}

static int step_await_loop(void)
{
    return sil_await(keep_future(sil_submit(now.loop, nap_twice, NULL, 0, 0)), SIL_FOREVER);
}

static int step_take_loop(void)
{
    return sil_take(sil_submit(now.loop, nap, NULL, 0, 0), NULL, SIL_FOREVER);
}

static void resolve(void *promise)
{
    (void)sil_promise_resolve(promise, NULL);
}

static void destroy_promise(void *promise)
{
    sil_promise_destroy(promise);
}

static int step_promise(void)
{
    sil_promise *promise = keep(sil_promise_create(NULL, 0), destroy_promise);
    act_from_thread(resolve, promise);
    return sil_take(sil_promise_future(promise), NULL, SIL_FOREVER);
}

static int step_await_fresh(void)
{
    return sil_await(keep_future(go_nap()), SIL_FOREVER);
}

static int step_take_fresh(void)
{
    return sil_take(go_nap(), NULL, SIL_FOREVER);
}

static int step_take_running(void)
{
    sil_future *future = keep_future(sil_go(nap_twice, NULL, 0, 0));
    int code = sil_yield();
    return code != 0 ? code : sil_take(sil_future_retain(future), NULL, SIL_FOREVER);
}

static int await_it(void *arg, void *result)
{
    (void)result;
    return sil_await(*(sil_future **)arg, SIL_FOREVER);
}

/* It has a joiner already, so it is listened to. */
static int step_await_joined(void)
{
    sil_future *future = keep_future(sil_go(nap_twice, NULL, 0, 0));
    (void)keep_future(sil_go(await_it, (void *)&future, sizeof future, 0));
    int code = sil_yield();
    return code != 0 ? code : sil_await(future, SIL_FOREVER);
}

static int take_deeper(void *arg, void *result)
{
    (void)result;
    int depth = *(int *)arg - 1;
    if (depth == 0)
        return nap(NULL, NULL);
    return sil_take(sil_go(take_deeper, &depth, sizeof depth, 0), NULL, SIL_FOREVER);
}

static int step_chain(void)
{
    return sil_take(sil_go(take_deeper, &(int){10}, sizeof(int), 0), NULL, SIL_FOREVER);
}

static int step_on_top(void)
{
    sil_future *future = sil_submit(now.same, nap, NULL, 0, 0);
    return sil_take(future, NULL, SIL_FOREVER);
}

/* --- steps: several futures --------------------------------------------------------------------- */

enum { MIXED = 4 };

static void mix(sil_future **futures)
{
    futures[0] = keep_future(go_nap());
    futures[1] = keep_future(sil_submit(now.pool, nap, NULL, 0, 0));
    futures[2] = keep_future(sil_submit(now.loop, nap, NULL, 0, 0));
    futures[3] = keep_future(sil_go(nap_twice, NULL, 0, 0));
}

static int wait_mixed(sil_wait_for what)
{
    sil_future *futures[MIXED];
    mix(futures);
    return sil_wait(futures, MIXED, what, SIL_FOREVER, NULL);
}

static int step_wait_all(void)
{
    return wait_mixed(SIL_ALL_COMPLETED);
}

static int step_wait_first(void)
{
    return wait_mixed(SIL_FIRST_COMPLETED);
}

static int step_wait_failure(void)
{
    sil_future *futures[] = {keep_future(sil_go(nap_twice, NULL, 0, 0)),
                             keep_future(sil_go(fail_after_nap, NULL, 0, 0))};
    return sil_wait(futures, 2, SIL_FIRST_EXCEPTION, SIL_FOREVER, NULL);
}

static void destroy_iterator(void *iterator)
{
    sil_as_completed_destroy(iterator);
}

static int step_as_completed(void)
{
    sil_future *futures[MIXED], *future;
    mix(futures);
    sil_as_completed *iterator = keep(sil_as_completed_create(futures, MIXED), destroy_iterator);
    int code;
    while ((code = sil_as_completed_next(iterator, &future, SIL_FOREVER)) == 0)
        continue;
    return code == SIL_EEND ? 0 : code;
}

static int combine(sil_future *(*how)(sil_future *const *futures, size_t count))
{
    sil_future *futures[MIXED];
    mix(futures);
    return sil_take(how(futures, MIXED), NULL, SIL_FOREVER);
}

static int step_all(void)
{
    return combine(sil_all);
}

static int step_any(void)
{
    return combine(sil_any);
}

static int step_race(void)
{
    return combine(sil_race);
}

static int nap_then(sil_future *source, void *arg, void *result)
{
    (void)source;
    return nap(arg, result);
}

static int follow(sil_executor *executor)
{
    sil_future *source = keep_future(go_nap());
    return sil_take(sil_then(source, executor, nap_then, NULL, 0, 0), NULL, SIL_FOREVER);
}

static int step_then_here(void)
{
    return follow(sil_loop_current());
}

static int step_then_in_pool(void)
{
    return follow(now.pool);
}

static int step_then_at_once(void)
{
    return follow(NULL);
}

/* A map's elements are waited for, come what may: the request stays due. */
static int nap_element(void *arg, void *result)
{
    (void)nap(arg, result);
    return 0;
}

static int step_map(void)
{
    int values[4] = {0};
    int code = sil_map(sil_loop_current(), nap_element, values, sizeof values[0], NULL, 0, 4);
    return now.how == EXPIRE || code == 0 ? code : UNEXPECTED;
}

/* --- steps: groups ------------------------------------------------------------------------------ */

static int step_group(void)
{
    sil_group *group = sil_group_open("g");
    (void)sil_group_go(group, nap, NULL, 0, 0);
    (void)sil_group_submit(group, now.pool, NULL, nap, NULL, 0, 0);
    int code = sil_group_wait(group, SIL_FOREVER);
    sil_group_close(group);
    return code;
}

static int step_group_closed_only(void)
{
    sil_group *group = sil_group_open("g");
    (void)sil_group_go(group, nap, NULL, 0, 0);
    int code = sil_yield();
    sil_group_close(group);
    /* Its task may have failed by the deadline: then the group ends our waits, too. */
    return now.how == EXPIRE && code == SIL_ECANCELLED ? SIL_ETIMEDOUT : code;
}

static int gather(sil_gather_how how)
{
    sil_future *futures[MIXED];
    mix(futures);
    return sil_gather(futures, MIXED, how, SIL_FOREVER);
}

static int step_gather(void)
{
    return gather(SIL_GATHER_FIRST_ERROR);
}

static int step_gather_all(void)
{
    return gather(SIL_GATHER_ALL);
}

static int step_await_or_cancel(void)
{
    return sil_await_or_cancel(keep_future(go_nap()), SIL_FOREVER);
}

static int step_shield(void)
{
    return sil_take(sil_shield(keep_future(go_nap())), NULL, SIL_FOREVER);
}

#endif
