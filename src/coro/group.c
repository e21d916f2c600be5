/* SPDX-License-Identifier: MIT */
/*
 * Coroutines of a group (core/group.c).
 */
#include <sillon/coro.h>
#include <sillon/group.h>

#include "core/group.h"

sil_future *sil_group_go(sil_group *group, sil_task_fn fn, const void *arg, size_t arg_size,
                         size_t result_size)
{
    struct sil__child *child = sil__group_enter(group);
    if (!child)
        return sil__group_refused(group);
    return sil__group_join(group, child, sil_go(fn, arg, arg_size, result_size), false);
}
