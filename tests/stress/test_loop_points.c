/* SPDX-License-Identifier: MIT */
/*
 * Every kind of wait of a coroutine, with a cancel, or the end of a deadline scope, at each: the wait
 * ends with that, or with its value, and then the next one does; it is delivered once; what is waited for
 * to clean up is waited for; and nothing is left.
 *
 * A victim goes through the steps below, from one of them on; a meddler beside it sees it wait, and ends
 * the wait some turns later. Time stands still unless the meddler moves it, so that nothing else does.
 */
#include <sillon/sillon.h>

#include <stdio.h>
#include <string.h>

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
    (void)keep_future(sil_thread_start(NULL, nap_and_act, &(struct deed){act, object},
                                       sizeof(struct deed), 0));
}

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

/* --- steps: what is no future ------------------------------------------------------------------- */

static void destroy_mutex(void *mutex)
{
    sil_mutex_destroy(mutex);
}

static int hold_mutex(void *arg, void *result)
{
    (void)result;
    sil_mutex *mutex = *(sil_mutex **)arg;
    int code = sil_mutex_lock(mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    code = sil_sleep(sil_clock() + MILLI);
    (void)sil_mutex_unlock(mutex);
    return code;
}

static int step_mutex(void)
{
    sil_mutex *mutex = keep(sil_mutex_create(NULL), destroy_mutex);
    (void)keep_future(sil_go(hold_mutex, (void *)&mutex, sizeof mutex, 0));
    int code = sil_yield();
    if (code == 0)
        code = sil_mutex_lock(mutex, SIL_FOREVER);
    if (code == 0)
        (void)sil_mutex_unlock(mutex);
    else if (sil_mutex_unlock(mutex) != SIL_EINVAL)
        return UNEXPECTED; /* it is not ours */
    return code;
}

static int step_mutex_of_thread(void)
{
    sil_mutex *mutex = keep(sil_mutex_create(NULL), destroy_mutex);
    (void)keep_future(sil_thread_start(NULL, hold_mutex, (void *)&mutex, sizeof mutex, 0));
    while (!sil_mutex_locked(mutex) && !sil_cancelled() && sil_deadline_current() > sil_clock())
        test_yield();
    int code = sil_mutex_lock(mutex, SIL_FOREVER);
    if (code == 0)
        (void)sil_mutex_unlock(mutex);
    return code;
}

static void notify(void *condition)
{
    (void)sil_condition_notify(condition, 1);
}

static void destroy_condition(void *condition)
{
    sil_condition_destroy(condition);
}

static int step_condition(void)
{
    sil_mutex *mutex = keep(sil_mutex_create(NULL), destroy_mutex);
    sil_condition *condition = keep(sil_condition_create(NULL), destroy_condition);
    int code = sil_mutex_lock(mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    go_act(notify, condition);
    code = sil_condition_wait(condition, mutex, SIL_FOREVER);
    return sil_mutex_unlock(mutex) == 0 ? code : UNEXPECTED; /* it is ours in any case */
}

static void set_event(void *event)
{
    (void)sil_event_set(event);
}

static void destroy_event(void *event)
{
    sil_event_destroy(event);
}

static int step_event(void)
{
    sil_event *event = keep(sil_event_create(NULL), destroy_event);
    act_from_thread(set_event, event);
    return sil_event_wait(event, SIL_FOREVER);
}

static void give_one(void *semaphore)
{
    (void)sil_semaphore_release(semaphore, 1);
}

static void destroy_semaphore(void *semaphore)
{
    sil_semaphore_destroy(semaphore);
}

static int step_semaphore(void)
{
    sil_semaphore *semaphore = keep(sil_semaphore_create(NULL, 0, 0), destroy_semaphore);
    go_act(give_one, semaphore);
    return sil_semaphore_acquire(semaphore, SIL_FOREVER);
}

static void come(void *barrier)
{
    (void)sil_barrier_wait(barrier, NULL, sil_clock() + 10 * MILLI);
}

static void destroy_barrier(void *barrier)
{
    sil_barrier_destroy(barrier);
}

static int step_barrier(void)
{
    sil_barrier *barrier = keep(sil_barrier_create(NULL, 2), destroy_barrier);
    go_act(come, barrier);
    int code = sil_barrier_wait(barrier, NULL, SIL_FOREVER);
    /* The other may have been there alone, and have given up: at the very same time. */
    return code == SIL_EBROKEN && now.how == EXPIRE ? SIL_ETIMEDOUT : code;
}

static void put_item(void *queue)
{
    (void)sil_queue_put(queue, &(int){1}, SIL_NOW);
}

static void get_item(void *queue)
{
    int item;
    (void)sil_queue_get(queue, &item, SIL_NOW);
    (void)sil_queue_task_done(queue);
}

static void destroy_queue(void *queue)
{
    sil_queue_destroy(queue);
}

static sil_queue *queue_of_one(void)
{
    const sil_queue_options options = {.item_size = sizeof(int), .max_items = 1};
    return keep(sil_queue_create(&options), destroy_queue);
}

static int step_get(void)
{
    sil_queue *queue = queue_of_one();
    go_act(put_item, queue);
    int item;
    return sil_queue_get(queue, &item, SIL_FOREVER);
}

static int step_put(void)
{
    sil_queue *queue = queue_of_one();
    put_item(queue);
    act_from_thread(get_item, queue);
    return sil_queue_put(queue, &(int){2}, SIL_FOREVER);
}

static int step_queue_join(void)
{
    sil_queue *queue = queue_of_one();
    put_item(queue);
    go_act(get_item, queue);
    return sil_queue_join(queue, SIL_FOREVER);
}

static void close_executor(void *executor)
{
    (void)sil_executor_close(executor);
}

static int shut_down(sil_executor *executor)
{
    (void)keep(executor, close_executor);
    (void)keep_future(sil_submit(executor, nap, NULL, 0, 0));
    return sil_executor_shutdown(executor, false, SIL_FOREVER);
}

static int step_shut_down_loop(void)
{
    return shut_down(sil_loop_thread(NULL));
}

static int step_shut_down_pool(void)
{
    return shut_down(sil_thread_pool(&(sil_thread_pool_options){.workers = 1}));
}

/* Room is waited for whatever happens, for a submit has no other answer: it stays due. */
static int step_room(void)
{
    sil_executor *loop =
        keep(sil_loop_thread(&(sil_loop_options){.max_pending = 1}), close_executor);
    for (int i = 0; i < 5; i++)
        (void)keep_future(sil_submit(loop, task_nothing, NULL, 0, 0));
    return 0;
}

/* --- all of them -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*step)(void);
} steps[] = {
#define STEP(name) {#name, step_##name}
    STEP(yield),          STEP(sleep),           STEP(await_pool),
    STEP(take_pool),      STEP(await_loop),      STEP(take_loop),
    STEP(promise),        STEP(await_fresh),     STEP(take_fresh),
    STEP(take_running),   STEP(await_joined),    STEP(chain),
    STEP(on_top),         STEP(wait_all),        STEP(wait_first),
    STEP(wait_failure),   STEP(as_completed),    STEP(all),
    STEP(any),            STEP(race),            STEP(then_here),
    STEP(then_in_pool),   STEP(then_at_once),    STEP(map),
    STEP(group),          STEP(group_closed_only), STEP(gather),
    STEP(gather_all),     STEP(await_or_cancel), STEP(shield),
    STEP(mutex),          STEP(mutex_of_thread), STEP(condition),
    STEP(event),          STEP(semaphore),       STEP(barrier),
    STEP(get),            STEP(put),             STEP(queue_join),
    STEP(shut_down_loop), STEP(shut_down_pool),  STEP(room),
    STEP(yield),          STEP(sleep),
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
    sil_deadline outer = sil_deadline_scope(now.how == EXPIRE ? sil_clock() + 1000 * SIL__SECOND
                                                              : SIL_FOREVER);
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
