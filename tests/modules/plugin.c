/* SPDX-License-Identifier: MIT */
/*
 * A library that tests load, see plugin.h. All builds have the same layout.
 */
#include "modules/plugin.h"

int plugin_task(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return PLUGIN_NUMBER;
}

static int static_task(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return 100 + PLUGIN_NUMBER;
}

sil_task_fn plugin_static_task(void)
{
    return static_task;
}
