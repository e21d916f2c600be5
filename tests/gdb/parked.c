/* SPDX-License-Identifier: MIT */
/*
 * A program with coroutines that wait, for check.sh to look at: all_parked is called when they all do.
 */
#include <sillon/sillon.h>

#define NOINLINE __attribute__((noinline))

void all_parked(void);

/* Here the debugger stops. */
NOINLINE void all_parked(void)
{
    __asm__ volatile("" ::: "memory");
}

NOINLINE static int innermost(int depth, sil_event *event)
{
    int code = sil_event_wait(event, SIL_FOREVER);
    __asm__ volatile("" ::: "memory"); /* no tail call */
    return code + depth;
}

NOINLINE static int middle(int depth, sil_event *event)
{
    int code = depth > 0 ? middle(depth - 1, event) : innermost(7, event);
    __asm__ volatile("" ::: "memory");
    return code;
}

static int waits_deep(void *arg, void *result)
{
    (void)result;
    return middle(2, *(sil_event **)arg) == 7 ? 0 : 1;
}

static int awaits(void *arg, void *result)
{
    (void)result;
    int code = sil_await(*(sil_future **)arg, SIL_FOREVER);
    __asm__ volatile("" ::: "memory");
    return code;
}

static int main_task(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_event *event = sil_event_create("dawn");
    sil_future *deep =
        sil_go_with(&(sil_go_options){.name = "deep one"}, waits_deep, &event, sizeof event, 0);
    sil_future *second =
        sil_go_with(&(sil_go_options){.name = "second"}, awaits, &deep, sizeof deep, 0);
    for (int i = 0; i < 3; i++)
        (void)sil_yield();
    all_parked();
    (void)sil_event_set(event);
    int code = sil_take(second, NULL, SIL_FOREVER);
    code = code ? code : sil_take(deep, NULL, SIL_FOREVER);
    sil_event_destroy(event);
    return code;
}

int main(void)
{
    return sil_run_with(&(sil_loop_options){.name = "table"}, main_task, NULL, 0, NULL, 0);
}
