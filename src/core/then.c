/* SPDX-License-Identifier: MIT */
/*
 * Then and catch: a task that waits for a future before it is submitted.
 *
 * It is a pending task like any other, with a listener on its source. When the source ends, the
 * task is handed to its executor, or run on the spot, or, when its condition does not hold, ends
 * with the source's own outcome.
 *
 * I1: source is held until the task has run or taken over the source's outcome; a task that its
 *     executor refused holds it to its own end. Either way a long chain is freed link by link.
 * I2: while the listener is in the source's list, or told but not yet done, it holds a reference
 *     to the task.
 */
#include <sillon/combine.h>

#include <string.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "core/context.h"
#include "core/error.h"
#include "core/executor.h"
#include "core/future.h"
#include "core/settle.h"
#include "core/wait.h"

/* In the task's argument bytes, followed by the user's own argument. */
struct then {
    struct sil__listener listener;
    sil_future *task;   /* not counted: the task this lies in */
    sil_future *source; /* I1; guarded by the task's lock */
    sil_then_fn fn;
    bool on_failure; /* catch */
    size_t arg_size; /* of the user's argument */
};

#define THEN_SIZE sil__size_align(sizeof(struct then))

static struct then *then_of(sil_future *task)
{
    return (struct then *)task->bytes;
}

static sil_future *take_source(sil_future *task)
{
    struct then *then = then_of(task);
    sil__lock_take(&task->lock);
    sil_future *source = then->source;
    then->source = NULL;
    sil__lock_drop(&task->lock);
    return source;
}

static int then_run(sil_future *task)
{
    struct then *then = then_of(task);
    void *arg = then->arg_size ? task->bytes + THEN_SIZE : NULL;
    int code = then->fn(then->source, arg, sil__future_result_bytes(task));
    sil_future_release(take_source(task));
    return code;
}

static sil_future *then_cancelled(sil_future *task)
{
    sil_future *source = take_source(task);
    if (source && sil__state_unlisten(source, &then_of(task)->listener))
        sil_future_release(task); /* I2 */
    return source;
}

static size_t then_inputs(sil_future *task, sil_future *const **out_futures,
                          enum sil__need *out_need)
{
    struct then *then = then_of(task);
    *out_futures = &then->source;
    *out_need = SIL__NEED_ALL;
    return then->source ? 1 : 0;
}

static sil_future *then_destroy(sil_future *task)
{
    return then_of(task)->source;
}

static const struct sil__future_kind then_kind = {
    .run = then_run,
    .cancelled = then_cancelled,
    .inputs = then_inputs,
    .destroy = then_destroy,
};

static void then_ready(struct sil__listener *listener, sil_future *source)
{
    struct then *then = (struct then *)listener;
    sil_future *task = then->task;
    bool failed = sil_future_code(source) != 0;
    if (failed != then->on_failure) {
        if (sil__state_claim(task)) {
            sil__settle_like(task, source);
            sil_future_release(take_source(task));
        }
    } else if (task->executor) {
        sil__state_set_ready(task);
        sil__submit_task(sil_future_retain(task));
    } else {
        (void)sil_task_run(task);
    }
    sil_future_release(task); /* I2 */
}

static int check(const sil_future *source, const sil_executor *executor, sil_then_fn fn,
                 const void *arg, size_t arg_size)
{
    if (!source || !fn)
        return sil__fail(SIL_EINVAL, "then or catch: the source or the function is NULL");
    if (!arg && arg_size > 0)
        return sil__fail(SIL_EINVAL, "then or catch: the argument is NULL, but has a size");
    if (arg_size > SIL__SIZE_LIMIT)
        return sil__fail(SIL_EINVAL, "then or catch: %zu bytes of argument are too many", arg_size);
    if (executor && executor->generation != sil__fork_generation())
        return sil__fail(SIL_EFORKED, "then or catch: the executor was made before a fork");
    if (executor && !sil__executor_shares_memory(executor))
        return sil__fail(SIL_ENOTSUP, "then or catch: a %s does not share our memory",
                         sil_executor_kind(executor));
    return 0;
}

static sil_future *follow(sil_future *source, sil_executor *executor, sil_then_fn fn,
                          const void *arg, size_t arg_size, size_t result_size, bool on_failure)
{
    sil_future *task = NULL;
    const sil_submit_options options = {.deadline = sil__context()->deadline}; /* of its scope */
    if (check(source, executor, fn, arg, arg_size) == 0)
        task = sil__future_create(&(struct sil__task_spec){.kind = &then_kind,
                                                           .executor = executor,
                                                           .options = &options,
                                                           .arg_size = THEN_SIZE + arg_size,
                                                           .result_size = result_size},
                                  1);
    if (!task)
        return sil__future_failed_last();
    struct then *then = then_of(task);
    *then = (struct then){
        .listener = {.notify = then_ready, .deferred = true},
        .task = task,
        .source = sil_future_retain(source),
        .fn = fn,
        .on_failure = on_failure,
        .arg_size = arg_size,
    };
    if (sil__wait_forked(source))
        task->generation = source->generation; /* neither will ever end here */
    if (arg_size)
        memcpy(task->bytes + THEN_SIZE, arg, arg_size);
    sil_future_retain(task); /* I2 */
    if (!sil__state_listen(source, &then->listener))
        then_ready(&then->listener, source);
    return task;
}

sil_future *sil_then(sil_future *source, sil_executor *executor, sil_then_fn fn, const void *arg,
                     size_t arg_size, size_t result_size)
{
    return follow(source, executor, fn, arg, arg_size, result_size, false);
}

sil_future *sil_catch(sil_future *source, sil_executor *executor, sil_then_fn fn, const void *arg,
                      size_t arg_size, size_t result_size)
{
    return follow(source, executor, fn, arg, arg_size, result_size, true);
}
