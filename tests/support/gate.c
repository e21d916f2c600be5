/* SPDX-License-Identifier: MIT */
/*
 * Gates and latches: atomic words, and futexes that processes share.
 *
 * I1: whoever changes a word does not touch it again, so that the one who was waiting for the
 *     change may free it. The futex call that follows is given the address only, and does no harm
 *     to memory that is gone.
 */
#include "support/gate.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "support/test.h"

static struct timespec end_of_patience(void)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += TEST_PATIENCE;
    return end;
}

static void wake_all(atomic_uint *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Sleeps while the word has this value. False: the end came. */
static bool sleep_while(atomic_uint *word, unsigned value, const struct timespec *end)
{
    long slept =
        syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, end, NULL, FUTEX_BITSET_MATCH_ANY);
    return slept == 0 || errno != ETIMEDOUT;
}

void gate_init(struct gate *gate)
{
    atomic_init(&gate->open, 0);
    atomic_init(&gate->arrived, 0);
}

/* A plain write, which ThreadSanitizer reports if somebody still comes. */
void gate_fini(struct gate *gate)
{
    (void)memset((void *)gate, 0xff, sizeof *gate);
}

void gate_open(struct gate *gate)
{
    atomic_store(&gate->open, 1);
    wake_all(&gate->open);
}

bool gate_is_open(struct gate *gate)
{
    return atomic_load(&gate->open) != 0;
}

void gate_wait(struct gate *gate)
{
    struct timespec end = end_of_patience();
    (void)atomic_fetch_add(&gate->arrived, 1);
    wake_all(&gate->arrived);
    while (atomic_load(&gate->open) == 0)
        if (!sleep_while(&gate->open, 0, &end))
            test_hung("nobody opened the gate", __FILE__, __LINE__);
}

void gate_wait_for_arrivals(struct gate *gate, unsigned count)
{
    struct timespec end = end_of_patience();
    for (unsigned arrived; (arrived = atomic_load(&gate->arrived)) < count;)
        if (!sleep_while(&gate->arrived, arrived, &end))
            test_hung("too few came to the gate", __FILE__, __LINE__);
}

void latch_init(struct latch *latch, unsigned count)
{
    atomic_init(&latch->left, count);
}

void latch_fini(struct latch *latch)
{
    (void)memset((void *)latch, 0xff, sizeof *latch);
}

void latch_down(struct latch *latch)
{
    unsigned left = atomic_load(&latch->left);
    while (left > 0 && !atomic_compare_exchange_weak(&latch->left, &left, left - 1))
        continue;
    if (left == 1)
        wake_all(&latch->left);
}

void latch_wait(struct latch *latch)
{
    struct timespec end = end_of_patience();
    for (unsigned left; (left = atomic_load(&latch->left)) > 0;)
        if (!sleep_while(&latch->left, left, &end))
            test_hung("nobody counted the latch down", __FILE__, __LINE__);
}
