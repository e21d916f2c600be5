/* SPDX-License-Identifier: MIT */
/*
 * The adder and the subtracter: two tasks, each with waits of its own, share one total.
 * Teaches that the waits overlap: one after the other these two would never end, because each
 * first waits until the other has started. What tasks share is an atomic.
 */
#include <stdatomic.h>
#include <stdio.h>

#include <sillon/sillon.h>

enum { STEPS = 5 };

static atomic_int total;
static atomic_int started;

/* Adds arg to the total, five times, with a wait before each. Its result: when it was at work. */
typedef struct span {
    int64_t begin, end;
} span;

static int add_repeatedly(void *arg, void *result)
{
    int amount = *(int *)arg;
    span *worked = result;

    worked->begin = sil_clock();
    atomic_fetch_add(&started, 1);
    while (atomic_load(&started) < 2) /* until the other is there too */
        sil_sleep(sil_in(0.001));

    for (int i = 0; i < STEPS; i++) {
        sil_sleep(sil_in(0.01)); /* as if for a disk or a network */
        atomic_fetch_add(&total, amount);
    }
    worked->end = sil_clock();
    return 0;
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    sil_future *adder = sil_submit(pool, add_repeatedly, &(int){+3}, sizeof(int), sizeof(span));
    sil_future *subtracter =
        sil_submit(pool, add_repeatedly, &(int){-2}, sizeof(int), sizeof(span));

    span a = {0}, s = {0};
    if (sil_take(adder, &a, SIL_FOREVER) != 0 || sil_take(subtracter, &s, SIL_FOREVER) != 0)
        return 1;
    sil_executor_close(pool);

    bool overlapped = a.begin < s.end && s.begin < a.end;
    printf("%d times +3 and %d times -2: %d\n", STEPS, STEPS, atomic_load(&total));
    printf("the waits overlapped: %s\n", overlapped ? "yes" : "no");
    return overlapped ? 0 : 1;
}
