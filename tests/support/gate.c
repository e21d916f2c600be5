/* SPDX-License-Identifier: MIT */
/*
 * Gates and latches over a mutex and a condition on the monotonic clock.
 */
#include "support/gate.h"

#include <time.h>

#include "support/test.h"

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static struct timespec end_of_patience(void)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += TEST_PATIENCE;
    return end;
}

void gate_init(struct gate *gate)
{
    *gate = (struct gate){.mutex = PTHREAD_MUTEX_INITIALIZER};
    init_condition(&gate->changed);
}

void gate_fini(struct gate *gate)
{
    (void)pthread_cond_destroy(&gate->changed);
    (void)pthread_mutex_destroy(&gate->mutex);
}

void gate_open(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->mutex);
    gate->open = true;
    (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->mutex);
}

bool gate_is_open(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->mutex);
    bool open = gate->open;
    (void)pthread_mutex_unlock(&gate->mutex);
    return open;
}

void gate_wait(struct gate *gate)
{
    struct timespec end = end_of_patience();
    (void)pthread_mutex_lock(&gate->mutex);
    gate->arrived++;
    (void)pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        if (pthread_cond_timedwait(&gate->changed, &gate->mutex, &end) != 0)
            test_hung("nobody opened the gate", __FILE__, __LINE__);
    (void)pthread_mutex_unlock(&gate->mutex);
}

void gate_wait_for_arrivals(struct gate *gate, unsigned count)
{
    struct timespec end = end_of_patience();
    (void)pthread_mutex_lock(&gate->mutex);
    while (gate->arrived < count)
        if (pthread_cond_timedwait(&gate->changed, &gate->mutex, &end) != 0)
            test_hung("too few came to the gate", __FILE__, __LINE__);
    (void)pthread_mutex_unlock(&gate->mutex);
}

void latch_init(struct latch *latch, unsigned count)
{
    *latch = (struct latch){.mutex = PTHREAD_MUTEX_INITIALIZER, .left = count};
    init_condition(&latch->changed);
}

void latch_fini(struct latch *latch)
{
    (void)pthread_cond_destroy(&latch->changed);
    (void)pthread_mutex_destroy(&latch->mutex);
}

void latch_down(struct latch *latch)
{
    (void)pthread_mutex_lock(&latch->mutex);
    if (latch->left > 0 && --latch->left == 0)
        (void)pthread_cond_broadcast(&latch->changed);
    (void)pthread_mutex_unlock(&latch->mutex);
}

void latch_wait(struct latch *latch)
{
    struct timespec end = end_of_patience();
    (void)pthread_mutex_lock(&latch->mutex);
    while (latch->left > 0)
        if (pthread_cond_timedwait(&latch->changed, &latch->mutex, &end) != 0)
            test_hung("nobody counted the latch down", __FILE__, __LINE__);
    (void)pthread_mutex_unlock(&latch->mutex);
}
