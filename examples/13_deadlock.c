/* SPDX-License-Identifier: MIT */
/*
 * Deadlock: two tasks that wait for each other are told so, instead of hanging for ever.
 * Teaches SIL_EDEADLK, whose message names the tasks of the cycle.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <sillon/sillon.h>

static sil_future *tasks[2];
static atomic_bool both_submitted;

static int wait_for_other(void *arg, void *result)
{
    (void)result;
    while (!atomic_load(&both_submitted))
        sil_sleep(sil_in(0.001));
    return sil_await(tasks[1 - *(int *)arg], SIL_FOREVER);
}

static bool is_deadlock(sil_future *f)
{
    int code = sil_await(f, SIL_FOREVER);
    const char *message = sil_error_message(sil_future_error(f));
    bool both = strstr(message, "you first") != NULL && strstr(message, "after you") != NULL;
    printf("%s: %s, %s\n", sil_future_name(f), sil_status_name(code),
           both ? "names both tasks" : message);
    fprintf(stderr, "%s\n", message);
    return code == SIL_EDEADLK && both;
}

int main(void)
{
    const char *names[2] = {"you first", "after you"};
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    for (int i = 0; i < 2; i++)
        tasks[i] = sil_submit_with(pool, &(sil_submit_options){.name = names[i]}, wait_for_other,
                                   &i, sizeof i, 0);
    atomic_store(&both_submitted, true);

    bool first = is_deadlock(tasks[0]);
    bool second = is_deadlock(tasks[1]);
    sil_executor_close(pool); /* from here on nobody uses the two futures */
    sil_future_release(tasks[0]);
    sil_future_release(tasks[1]);
    return first && second ? 0 : 1;
}
