/* SPDX-License-Identifier: MIT */
/*
 * Shutdown: refuse new work, and let the old end, or drop what has not started.
 * Teaches sil_executor_shutdown and sil_executor_close, and that nothing is lost on the way:
 * each future ends, one way or another.
 */
#include <stdatomic.h>
#include <stdio.h>

#include <sillon/sillon.h>

enum { COUNT = 5 };

static atomic_bool open_gate;

static int work(void *arg, void *result)
{
    (void)arg;
    (void)result;
    while (!atomic_load(&open_gate))
        sil_sleep(sil_in(0.001));
    return 0;
}

static void shut_down(bool cancel_pending)
{
    atomic_store(&open_gate, false);
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_future *tasks[COUNT];
    sil_submit_many(pool, NULL, work, NULL, 0, 0, COUNT, tasks);
    while (sil_future_state(tasks[0]) != SIL_RUNNING)
        sil_sleep(sil_in(0.001));

    sil_executor_shutdown(pool, cancel_pending, SIL_NOW); /* begin, and do not wait */
    int late = sil_take(sil_submit(pool, work, NULL, 0, 0), NULL, SIL_FOREVER);
    int busy = sil_executor_shutdown(pool, cancel_pending, sil_in(0.01));
    printf("one more task: %s; within 10 ms: %s\n", sil_strerror(late), sil_strerror(busy));

    atomic_store(&open_gate, true);
    sil_executor_close(pool); /* waits for the rest */
    int done = 0, cancelled = 0;
    for (int i = 0; i < COUNT; i++) {
        int code = sil_take(tasks[i], NULL, SIL_NOW);
        done += code == 0;
        cancelled += code == SIL_ECANCELLED;
    }
    printf("%d done, %d cancelled\n", done, cancelled);
}

int main(void)
{
    shut_down(false);
    shut_down(true);
}
