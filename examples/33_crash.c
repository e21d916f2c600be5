/* SPDX-License-Identifier: MIT */
/*
 * Tasks that crash: each takes its own worker process with it, and no other task notices.
 * Teaches the error of a task whose process died, and .retries, for tasks that may run twice.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <sillon/sillon.h>

static int decode(void *arg, void *result)
{
    int picture = *(int *)arg;
    if (picture == 13)
        abort(); /* a bug in a library, say */
    *(int *)result = 100 * picture;
    return 0;
}

/* Is killed the first two times, as happens when memory runs out. */
static int convert(void *arg, void *result)
{
    atomic_int *begun = *(atomic_int **)arg; /* shared: it outlives the process */
    if (atomic_fetch_add(begun, 1) < 2)
        raise(SIGKILL);
    *(int *)result = atomic_load(begun);
    return 0;
}

static void report(sil_future *f)
{
    int code = sil_await(f, SIL_FOREVER);
    const sil_error *e = sil_future_error(f); /* its message has all of this, and the process */
    if (code == 0)
        printf("%s: %d\n", sil_future_name(f), *(const int *)sil_future_result(f, NULL));
    else
        printf("%s: %s, signal %d\n", sil_error_task(e), sil_status_name(code),
               sil_error_signal(e));
    sil_future_release(f);
}

int main(void)
{
    atomic_int *begun = sil_shared_alloc(sizeof *begun);
    if (begun == NULL)
        return 1;
    atomic_init(begun, 0);
    sil_executor *pool = sil_process_pool(&(sil_process_pool_options){.workers = 2});
    sil_submit_options named = {.name = "decode"}, again = {.name = "convert", .retries = 2};
    sil_future *all[4];
    sil_submit_many(pool, &named, decode, (int[]){12, 13, 14}, sizeof(int), sizeof(int), 3, all);
    all[3] = sil_submit_with(pool, &again, convert, &begun, sizeof begun, sizeof(int));
    for (int i = 0; i < 4; i++)
        report(all[i]);
    sil_executor_close(pool);
    sil_shared_free(begun);
    return 0;
}
