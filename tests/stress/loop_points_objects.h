/* SPDX-License-Identifier: MIT */
/*
 * For stress/test_loop_points.c: steps that wait for what is no future. Part of that program.
 */
#ifndef TESTS_STRESS_LOOP_POINTS_OBJECTS_H
#define TESTS_STRESS_LOOP_POINTS_OBJECTS_H

#include "loop_points.h"

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

#endif
