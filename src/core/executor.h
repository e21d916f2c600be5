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

/*
 * The same for each element of an array of arguments (spec.arg), in groups. 0, or why none could
 * be handed over; then all futures have failed with that.
 */
int sil__submit_many(struct sil__task_spec spec, size_t count, sil_future **out_futures);

/* Hand over a pending task that was made before, with a reference (takes). */
void sil__submit_task(sil_future *task);

/* As sil_post_many, by way of tasks whose futures are dropped at once. */
int sil__post_tasks(sil_executor *executor, sil_task_fn fn, const void *args, size_t arg_size,
                    size_t count);

/* Do its tasks see our memory? False for NULL. */
bool sil__executor_shares_memory(const sil_executor *executor);

/* May a task be for several elements of a map? */
bool sil__executor_takes_items(const sil_executor *executor);

#endif
