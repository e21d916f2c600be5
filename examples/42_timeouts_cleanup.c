/* SPDX-License-Identifier: MIT */
/*
 * Timeouts and clean-up. Teaches sil_deadline_scope (one deadline for any number of waits, and for what
 * is started meanwhile), and that a cancel arrives as SIL_ECANCELLED at the next wait: the coroutine
 * cleans up, which may wait too, and then ends.
 */
#include <stdio.h>

#include <sillon/sillon.h>

static int copy_slowly(void *arg, void *result)
{
    (void)result;
    int copied = 0, code = 0;
    printf("%s: lock\n", *(const char **)arg);
    while (copied < 1000 && (code = sil_sleep(sil_in(0.01))) == 0)
        copied++;
    if (code == SIL_ECANCELLED) {
        sil_sleep(sil_in(0.01)); /* clean-up may wait */
        printf("%s: cancelled, unlock\n", *(const char **)arg);
    } else if (code == SIL_ETIMEDOUT) {
        printf("%s: out of time, unlock\n", *(const char **)arg);
    }
    return code;
}

static int two_steps(void)
{
    sil_deadline outer = sil_deadline_scope(sil_in(1)); /* for both steps together */
    int code = sil_sleep(sil_in(0.01));
    sil_future *copy = sil_go(copy_slowly, &(const char *){"first"}, sizeof(char *), 0);
    if (code == 0)
        code = sil_await(copy, SIL_FOREVER); /* for ever is until the deadline, for copy too */
    sil_deadline_restore(outer);
    (void)sil_take(copy, NULL, SIL_FOREVER); /* it may still be cleaning up */
    return code;
}

static int run(void *arg, void *result)
{
    (void)arg, (void)result;
    printf("two steps: %s\n", sil_status_name(two_steps()));

    sil_future *copy = sil_go(copy_slowly, &(const char *){"second"}, sizeof(char *), 0);
    sil_sleep(sil_in(0.05));
    sil_future_cancel(copy);
    printf("a copy: %s\n", sil_status_name(sil_take(copy, NULL, SIL_FOREVER)));

    /* Cancelled at its deadline, and waited for: nothing goes on unseen. */
    copy = sil_go(copy_slowly, &(const char *){"third"}, sizeof(char *), 0);
    printf("another: %s\n", sil_status_name(sil_await_or_cancel(copy, sil_in(0.05))));
    sil_future_release(copy);
    return 0;
}

int main(void)
{
    return sil_run(run, NULL, 0, NULL, 0);
}
