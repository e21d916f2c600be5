/* SPDX-License-Identifier: MIT */
/*
 * Done callbacks: be told when a future is final, without waiting for it.
 * Teaches sil_future_add_done_callback: once each, in the order added, on the thread that ended
 * the task; at once if it had ended already.
 */
#include <errno.h>
#include <stdio.h>

#include <sillon/sillon.h>

static int halve(void *arg, void *result)
{
    int n = *(int *)arg;
    *(int *)result = n / 2;
    return n % 2 == 0 ? 0 : sil_fail(EDOM, "%d is odd", n);
}

static void print(sil_future *f, void *user)
{
    FILE *out = user;
    const int *value = sil_future_result(f, NULL);
    if (value != NULL)
        fprintf(out, "the half is %d\n", *value);
    else
        fprintf(out, "failed: %s\n", sil_error_message(sil_future_error(f)));
}

static void count(sil_future *f, void *user)
{
    (void)f;
    printf("%d so far\n", ++*(int *)user);
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    int ended = 0; /* one worker, so one callback at a time */
    for (int n = 10; n < 12; n++) {
        sil_future *f = sil_submit(pool, halve, &n, sizeof n, sizeof n);
        sil_future_add_done_callback(f, print, stdout);
        sil_future_add_done_callback(f, count, &ended);
        sil_future_release(f); /* the task runs on, and its callbacks are called */
    }
    sil_executor_shutdown(pool, false, SIL_FOREVER); /* until all of that has happened */

    sil_future *refused = sil_submit(pool, halve, &(int){4}, sizeof(int), sizeof(int));
    sil_future_add_done_callback(refused, print, stdout); /* it has failed already */
    sil_future_release(refused);
    sil_executor_close(pool);
    return ended == 2 ? 0 : 1;
}
