/* SPDX-License-Identifier: MIT */
/*
 * What the library's own layers need of executors beyond the public contract.
 */
#ifndef SIL__CORE_EXECUTOR_H
#define SIL__CORE_EXECUTOR_H

#include <sillon/executor_impl.h>

#include "core/future.h"

/* Make a task and hand it to its executor; never NULL. */
sil_future *sil__submit(const struct sil__task_spec *spec);

/* Hand over a pending task that was made before, with a reference (takes). */
void sil__submit_task(sil_future *task);

/* Do its tasks see our memory? False for NULL. */
bool sil__executor_shares_memory(const sil_executor *executor);

#endif
