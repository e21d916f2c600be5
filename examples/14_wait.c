/* SPDX-License-Identifier: MIT */
/*
 * Wait for many: until the first has ended, the first has failed, or all have ended.
 * Teaches sil_wait and its three conditions. The outcomes are read from the futures afterwards.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include <sillon/sillon.h>

/* Runner number i may finish once the flag has been lowered i times. */
static atomic_int flag_lowered;

static int run_lap(void *arg, void *result)
{
    (void)result;
    int number = *(int *)arg;
    while (atomic_load(&flag_lowered) < number)
        sil_sleep(sil_in(0.001));
    return number == 2 ? sil_fail(EIO, "runner 2 lost a shoe") : 0;
}

static bool wait_for(const char *condition, sil_future **runners, sil_wait_for what)
{
    size_t done;
    int code = sil_wait(runners, 3, what, SIL_FOREVER, &done);
    printf("%-16s %s, %zu of 3 have ended\n", condition, code == 0 ? "holds" : sil_strerror(code),
           done);
    return code == 0;
}

int main(void)
{
    int numbers[] = {1, 2, 3};
    sil_future *runners[3];
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 3});
    sil_submit_many(pool, NULL, run_lap, numbers, sizeof(int), 0, 3, runners);

    size_t done;
    int early = sil_wait(runners, 3, SIL_FIRST_COMPLETED, sil_in(0.01), &done);
    printf("nobody runs yet: %s, %zu of 3\n", sil_strerror(early), done);

    atomic_store(&flag_lowered, 1);
    bool ok = wait_for("first completed:", runners, SIL_FIRST_COMPLETED);
    atomic_store(&flag_lowered, 2);
    ok = wait_for("first exception:", runners, SIL_FIRST_EXCEPTION) && ok;
    atomic_store(&flag_lowered, 3);
    ok = wait_for("all completed:", runners, SIL_ALL_COMPLETED) && ok;

    for (int i = 0; i < 3; i++)
        ok = sil_take(runners[i], NULL, SIL_NOW) == (i == 1 ? EIO : 0) && ok;
    sil_executor_close(pool);
    return ok && early == SIL_ETIMEDOUT ? 0 : 1;
}
