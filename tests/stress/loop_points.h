/* SPDX-License-Identifier: MIT */
/*
 * For stress/test_loop_points.c: what its steps share. Part of that program.
 */
#ifndef TESTS_STRESS_LOOP_POINTS_H
#define TESTS_STRESS_LOOP_POINTS_H

#include <sillon/sillon.h>

#include "base/clock.h"
#include "support/tasks.h"
#include "support/test.h"

#define MILLI INT64_C(1000000)

enum { UNEXPECTED = 40000 };
enum { MOST_KEPT = 32 };

/* How the wait is to end. */
enum how { CANCEL, CANCEL_BY_THREAD, CANCEL_TWICE, EXPIRE, HOWS };

struct kept {
    void *object;
    void (*give_back)(void *object);
};

static struct {
    sil_executor *loop; /* another one */
    sil_executor *pool;
    sil_executor *same; /* the inline executor */

    enum how how;
    int step; /* at which the victim is; counted from 1 */
    int target;
    int lag; /* turns of the meddler before it does it */
    sil_future *victim;
    bool meddled;
    char message[100];

    /* Of the steps: given back in the end, the last first. */
    struct kept kept[MOST_KEPT];
    int kept_count;
} now;

static void *keep(void *object, void (*give_back)(void *object))
{
    if (now.kept_count == MOST_KEPT || !object)
        test_hung("too many things to keep, or none", __FILE__, __LINE__);
    now.kept[now.kept_count++] = (struct kept){object, give_back};
    return object;
}

static void wait_and_release(void *future)
{
    (void)sil_await(future, SIL_FOREVER);
    sil_future_release(future);
}

static sil_future *keep_future(sil_future *future)
{
    return keep(future, wait_and_release);
}

/* --- the others ------------------------------------------------------------------------------- */

static int nap(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_sleep(sil_clock() + MILLI);
}

static int nap_twice(void *arg, void *result)
{
    int code = nap(arg, result);
    return code != 0 ? code : nap(arg, result);
}

static sil_future *go_nap(void)
{
    return sil_go(nap, NULL, 0, 0);
}

static int fail_after_nap(void *arg, void *result)
{
    int code = nap(arg, result);
    return code != 0 ? code : sil_fail(1, "failed");
}

/* Sleep, then do something to what is waited for. */
struct deed {
    void (*act)(void *object);
    void *object;
};

static int nap_and_act(void *arg, void *result)
{
    (void)result;
    const struct deed *deed = arg;
    /* Also when the scope ends that it inherited: whoever waits must not wait in vain. */
    (void)nap(NULL, NULL);
    deed->act(deed->object);
    return 0;
}

static void go_act(void (*act)(void *object), void *object)
{
    (void)keep_future(sil_go(nap_and_act, &(struct deed){act, object}, sizeof(struct deed), 0));
}

static void act_from_thread(void (*act)(void *object), void *object)
{
    (void)keep_future(
        sil_thread_start(NULL, nap_and_act, &(struct deed){act, object}, sizeof(struct deed), 0));
}

#endif
