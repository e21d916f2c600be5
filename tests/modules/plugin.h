/* SPDX-License-Identifier: MIT */
/*
 * A library with two tasks, in several builds: PLUGIN_NUMBER is what the tasks return.
 */
#ifndef TESTS_MODULES_PLUGIN_H
#define TESTS_MODULES_PLUGIN_H

#include <sillon/task.h>

SIL_BEGIN_DECLS

SIL_API int plugin_task(void *arg, void *result);

/** A task of the library that is not exported; it returns 100 more. */
SIL_API sil_task_fn plugin_static_task(void);

SIL_END_DECLS

#endif
