/* SPDX-License-Identifier: MIT */
/*
 * The count loops of 07_count_loops, on processes too.
 * Teaches that threads and processes take the same tasks: only the line that makes the executor
 * differs. The seconds depend on the machine, so they go to stderr.
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

static bool run(const char *way, sil_executor *executor)
{
    double seconds = seconds_on(executor);
    fprintf(stderr, "%-11s %.3f s\n", way, seconds);
    printf("%-11s %s\n", way, seconds < 0 ? "went wrong" : "both loops counted to the end");
    return seconds >= 0;
}

int main(void)
{
    bool ok = run("sequential", sil_inline_executor());
    ok &= run("threads", sil_thread_pool(&(sil_thread_pool_options){.workers = LOOPS}));
    ok &= run("processes", sil_process_pool(&(sil_process_pool_options){.workers = LOOPS}));
    return ok ? 0 : 1;
}
