/* SPDX-License-Identifier: MIT */
/*
 * Cancel: what has not started never runs; what runs is asked to stop, and heeds it or not.
 * Teaches sil_future_cancel, sil_cancelled, and that sil_sleep ends when its task is cancelled.
 */
#include <stdatomic.h>
#include <stdio.h>

#include <sillon/sillon.h>

static atomic_int runs_of_never;

static int search(void *arg, void *result)
{
    (void)arg;
    for (uint64_t *tried = result;; ++*tried) /* endless */
        if (sil_cancelled())                  /* long tasks look now and then */
            return SIL_ECANCELLED;
}

static int nap(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return sil_sleep(SIL_FOREVER); /* SIL_ECANCELLED when asked to stop */
}

static int never(void *arg, void *result)
{
    (void)arg;
    (void)result;
    atomic_fetch_add(&runs_of_never, 1);
    return 0;
}

static void cancel(const char *what, sil_future *f)
{
    printf("cancel %-9s %s", what, sil_strerror(sil_future_cancel(f)));
    printf(" -> %s\n", sil_strerror(sil_take(f, NULL, SIL_FOREVER)));
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    sil_future *searching = sil_submit(pool, search, NULL, 0, sizeof(uint64_t));
    sil_future *napping = sil_submit(pool, nap, NULL, 0, 0);
    sil_future *waiting = sil_submit(pool, never, NULL, 0, 0); /* both workers are taken */
    while (sil_future_state(searching) != SIL_RUNNING || sil_future_state(napping) != SIL_RUNNING)
        sil_sleep(sil_in(0.001));

    cancel("waiting:", waiting);
    cancel("napping:", napping);
    cancel("search:", searching);
    sil_executor_close(pool);
    printf("the waiting task ran %d times\n", atomic_load(&runs_of_never));
    return atomic_load(&runs_of_never) == 0 ? 0 : 1;
}
