/* SPDX-License-Identifier: MIT */
/*
 * Priorities and figures: which task goes first, and what a pool is doing.
 * Teaches .priority, and sil_executor_stats_get, which may be read at any time.
 */
#include <stdatomic.h>
#include <stdio.h>

#include <sillon/sillon.h>

static atomic_bool open_gate;

static int hold(void *arg, void *result)
{
    (void)arg;
    (void)result;
    while (!atomic_load(&open_gate))
        sil_sleep(sil_in(0.001));
    return 0;
}

static int say_name(void *arg, void *result)
{
    (void)arg;
    (void)result;
    printf("  %s\n", sil_current_name());
    return 0;
}

static void submit(sil_executor *pool, const char *name, sil_priority priority)
{
    sil_submit_options options = {.name = name, .priority = priority};
    sil_future_release(sil_submit_with(pool, &options, say_name, NULL, 0, 0));
}

int main(void)
{
    sil_executor_stats now, end;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_future *busy = sil_submit(pool, hold, NULL, 0, 0); /* so that the others queue up */
    while (sil_future_state(busy) != SIL_RUNNING)
        sil_sleep(sil_in(0.001));
    submit(pool, "low: tidy up", SIL_PRIORITY_LOW);
    submit(pool, "normal: one", SIL_PRIORITY_NORMAL);
    submit(pool, "normal: two", SIL_PRIORITY_NORMAL);
    submit(pool, "high: answer the user", SIL_PRIORITY_HIGH);

    sil_executor_stats_get(pool, &now);
    printf("%d runs, %d wait\n", (int)now.running, (int)now.pending);
    atomic_store(&open_gate, true);
    sil_executor_shutdown(pool, false, SIL_FOREVER);
    sil_executor_stats_get(pool, &end);
    printf("%d submitted, %d done\n", (int)end.submitted, (int)end.done);
    sil_future_release(busy);
    sil_executor_close(pool);
    return now.running == 1 && now.pending == 4 && end.done == 5 ? 0 : 1;
}
