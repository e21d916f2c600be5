/* SPDX-License-Identifier: MIT */
/*
 * A bounded queue: what happens when tasks come faster than they are done.
 * Teaches .max_pending with .when_full: fail, run in the caller, or wait for room.
 */
#include <stdatomic.h>
#include <stdio.h>

#include <sillon/sillon.h>

static _Thread_local bool is_main_thread;
static atomic_bool open_gate;

static int hold(void *arg, void *result)
{
    (void)arg, (void)result;
    while (!atomic_load(&open_gate))
        sil_sleep(sil_in(0.001));
    return 0;
}

static int where(void *arg, void *result)
{
    (void)arg;
    *(const char **)result = is_main_thread ? "ran in the caller" : "ran on the worker";
    return 0;
}

/* One worker, held busy, and room for two: what becomes of the third? */
static void submit_three(const char *policy, sil_when_full when_full)
{
    atomic_store(&open_gate, false);
    sil_executor *pool = sil_thread_pool(
        &(sil_thread_pool_options){.workers = 1, .max_pending = 2, .when_full = when_full});
    sil_future *busy = sil_submit(pool, hold, NULL, 0, 0);
    while (sil_future_state(busy) != SIL_RUNNING)
        sil_sleep(sil_in(0.001));

    sil_future *tasks[3];
    for (int i = 0; i < 3; i++) {
        sil_submit_options options = {.deadline = i == 2 ? sil_in(0.02) : 0}; /* waits no longer */
        tasks[i] = sil_submit_with(pool, &options, where, NULL, 0, sizeof(char *));
    }
    atomic_store(&open_gate, true);
    for (int i = 0; i < 3; i++) {
        const char *place;
        int code = sil_take(tasks[i], &place, SIL_FOREVER);
        printf("%-7s %d: %s\n", policy, i + 1, code == 0 ? place : sil_strerror(code));
    }
    sil_future_release(busy);
    sil_executor_close(pool);
}

int main(void)
{
    is_main_thread = true;
    submit_three("fail", SIL_FULL_FAIL);
    submit_three("caller", SIL_FULL_CALLER);
    submit_three("block", SIL_FULL_BLOCK);
}
