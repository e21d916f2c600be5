/* SPDX-License-Identifier: MIT */
/*
 * A time limit for tasks that may never end, and do not look whether they should.
 * Teaches .task_timeout: the process of a task that runs longer is ended, and another one takes
 * its place. A submit may give its task more time.
 */
#include <stdio.h>

#include <sillon/sillon.h>

/* How many steps it takes to come to 1: halve what is even, triple what is odd and add 1. */
static int count_steps(void *arg, void *result)
{
    volatile uint64_t n = *(uint64_t *)arg;
    for (; n != 1; ++*(int *)result) /* endless from 0, and nobody thought of it */
        n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    return 0;
}

static void report(sil_future *f)
{
    sil_await(f, SIL_FOREVER);
    const sil_error *e = sil_future_error(f);
    if (e != NULL)
        printf("%s: %s\n", sil_error_task(e), sil_status_name(sil_error_code(e)));
    else
        printf("%s: %d steps\n", sil_future_name(f), *(const int *)sil_future_result(f, NULL));
    sil_future_release(f);
}

int main(void)
{
    const sil_process_pool_options limited = {.workers = 1, .task_timeout = 0.1}; /* seconds */
    const sil_submit_options endless = {.name = "from 0"};
    const sil_submit_options patient = {.name = "from 27", .timeout = 60};
    const uint64_t from[] = {0, 27};

    sil_executor *pool = sil_process_pool(&limited);
    sil_future *first =
        sil_submit_with(pool, &endless, count_steps, &from[0], sizeof *from, sizeof(int));
    sil_future *second =
        sil_submit_with(pool, &patient, count_steps, &from[1], sizeof *from, sizeof(int));
    report(first);
    report(second); /* in a new process */
    sil_executor_close(pool);
    return 0;
}
