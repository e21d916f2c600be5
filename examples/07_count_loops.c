/* SPDX-License-Identifier: MIT */
/*
 * Two count loops, one after the other and in parallel, and how much faster that was.
 * Teaches that C threads run at the same time (no lock holds one back), and the clock. The
 * figures depend on the machine: with one free processor there is nothing to win.
 */
#include <stdio.h>

#include <sillon/sillon.h>

enum { LOOPS = 2 };

static int count_to(void *arg, void *result)
{
    volatile uint64_t n = 0; /* volatile: the compiler may not replace the loop by its outcome */
    for (uint64_t limit = *(uint64_t *)arg; n < limit;)
        n = n + 1;
    *(uint64_t *)result = n;
    return 0;
}

/* Seconds that all loops take; negative if one of them went wrong. */
static double seconds_on(sil_executor *executor)
{
    const uint64_t limits[LOOPS] = {20000000, 20000000};
    int64_t begin = sil_clock();

    sil_future *loops[LOOPS];
    sil_submit_many(executor, NULL, count_to, limits, sizeof *limits, sizeof *limits, LOOPS, loops);

    bool ok = true;
    for (int i = 0; i < LOOPS; i++) {
        uint64_t n = 0;
        ok = sil_take(loops[i], &n, SIL_FOREVER) == 0 && n == limits[i] && ok;
    }
    sil_executor_close(executor);
    return ok ? (double)(sil_clock() - begin) / 1e9 : -1;
}

int main(void)
{
    printf("sillon %s, %u processors\n", sil_version(), sil_process_cpu_count());
    double sequential = seconds_on(sil_inline_executor());
    double parallel = seconds_on(sil_thread_pool(&(sil_thread_pool_options){.workers = LOOPS}));
    if (sequential < 0 || parallel < 0)
        return 1;
    printf("one after the other: %.3f s\n", sequential);
    printf("in parallel:         %.3f s, %.2f times as fast\n", parallel, sequential / parallel);
    return 0;
}
