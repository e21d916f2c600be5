/* SPDX-License-Identifier: MIT */
/*
 * Timeouts: one argument, a moment, for everything that waits.
 * Teaches sil_in, a wait that gives up while its task goes on, and a task that is dropped
 * because it could not start in time.
 */
#include <stdatomic.h>
#include <stdio.h>

#include <sillon/sillon.h>

static atomic_bool tea_is_ready;

static int make_tea(void *arg, void *result)
{
    (void)arg;
    while (!atomic_load(&tea_is_ready))
        sil_sleep(sil_in(0.001));
    *(int *)result = 4;
    return 0;
}

static int make_toast(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return 0;
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_future *tea = sil_submit(pool, make_tea, NULL, 0, sizeof(int));

    printf("is it ready?   %s\n", sil_strerror(sil_await(tea, SIL_NOW)));
    printf("in a moment?   %s\n", sil_strerror(sil_await(tea, sil_in(0.05))));

    /* The only worker makes tea: the toast, wanted within 10 ms, is never begun. */
    sil_deadline soon = sil_in(0.01);
    sil_future *toast =
        sil_submit_with(pool, &(sil_submit_options){.deadline = soon}, make_toast, NULL, 0, 0);
    sil_sleep(soon);
    atomic_store(&tea_is_ready, true);
    printf("and the toast? %s\n", sil_strerror(sil_take(toast, NULL, SIL_FOREVER)));

    int cups = 0;
    int code = sil_take(tea, &cups, SIL_FOREVER);
    printf("take your time %s: %d cups\n", sil_strerror(code), cups);
    sil_executor_close(pool);
    return code == 0 && cups == 4 ? 0 : 1;
}
