/* SPDX-License-Identifier: MIT */
/*
 * The task of slot.h.
 */
#include "support/slot.h"

static int await_slot(void *arg, void *result)
{
    (void)result;
    struct slot_task *task = arg;
    gate_wait(task->gate);
    return sil_await(*task->slot, task->until == 0 ? SIL_FOREVER : task->until);
}

sil_future *submit_slot(sil_executor *executor, const char *name, struct slot_task task)
{
    return sil_submit_with(executor, &(sil_submit_options){.name = name}, await_slot, &task,
                           sizeof task, 0);
}

sil_future *start_slot(const char *name, struct slot_task task)
{
    return sil_thread_start(&(sil_thread_options){.name = name}, await_slot, &task, sizeof task, 0);
}
