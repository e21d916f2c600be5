/* SPDX-License-Identifier: MIT */
/*
 * A loop's stacks: whose end is told to the sanitizers, and of which memory goes back after a burst.
 */
#include "coro/loop.h"

/* Nanoseconds: after a burst, and between two pieces of what it left. */
#define FIRST_TRIM INT64_C(1000000000)
#define NEXT_TRIM INT64_C(100000000)
/* So many coroutines are no burst. */
#define FEW 256

/* Its fiber is parked between two tasks: it leaves for good (coroutine.c). */
static void forget(struct sil__stack *stack)
{
    struct sil__coroutine *coroutine = (struct sil__coroutine *)stack;
    if (!coroutine->warm)
        return;
    struct sil__loop *loop = coroutine->loop;
    coroutine->task = NULL;
    sil__fiber_switch(&loop->root, &coroutine->fiber);
    sil__fiber_fini(&coroutine->fiber);
    coroutine->warm = false;
}

static void on_trim(struct sil__timer *timer)
{
    struct sil__loop *loop = (struct sil__loop *)((char *)timer - offsetof(struct sil__loop, trim));
    loop->most_live = loop->live_count;
    if (sil__stacks_trim(&loop->stacks))
        sil__timer_set(&loop->reactor.timers, timer, loop->reactor.now + NEXT_TRIM);
}

void sil__loop_init_stacks(struct sil__loop *loop)
{
    sil__stacks_init(&loop->stacks);
    loop->stacks.forget = forget;
    loop->trim.fire = on_trim;
}

void sil__loop_look_after_stacks(struct sil__loop *loop)
{
    if (loop->most_live > FEW && loop->live_count < loop->most_live / 2 &&
        !sil__timer_is_set(&loop->trim))
        sil__timer_set(&loop->reactor.timers, &loop->trim, loop->reactor.now + FIRST_TRIM);
}

void sil__loop_fini_stacks(struct sil__loop *loop)
{
    sil__timer_cancel(&loop->reactor.timers, &loop->trim);
    sil__stacks_fini(&loop->stacks);
}
