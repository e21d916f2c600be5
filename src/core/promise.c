/* SPDX-License-Identifier: MIT */
/*
 * Promises: the writing end of a future without a task.
 */
#include <sillon/promise.h>

#include <stdarg.h>
#include <string.h>

#include <sillon/executor_impl.h>
#include <sillon/status.h>

#include "base/alloc.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"

struct sil_promise {
    sil_future *future; /* owned */
};

sil_promise *sil_promise_create(const char *name, size_t result_size)
{
    sil_promise *promise = sil__alloc(sizeof *promise);
    if (!promise) {
        sil__fail(SIL_ENOMEM, "no memory for a promise");
        return NULL;
    }
    const sil_submit_options options = {.name = name};
    promise->future = sil__future_create(
        &(struct sil__task_spec){.options = &options, .result_size = result_size}, 1);
    if (!promise->future) {
        sil__free(promise);
        return NULL;
    }
    return promise;
}

sil_future *sil_promise_future(sil_promise *promise)
{
    if (!promise)
        return sil__future_failed(SIL_EINVAL, "sil_promise_future: the promise is NULL");
    return sil_future_retain(promise->future);
}

static int too_late(void)
{
    return sil__fail(SIL_EALREADY, "the promise was completed or cancelled before");
}

int sil_promise_resolve(sil_promise *promise, const void *value)
{
    if (!promise)
        return sil__fail(SIL_EINVAL, "sil_promise_resolve: the promise is NULL");
    sil_future *future = promise->future;
    if (!sil__state_claim(future))
        return too_late();
    if (value && future->result_size)
        memcpy(sil__future_result_bytes(future), value, future->result_size);
    /* A callback may destroy the promise. */
    sil_future_retain(future);
    sil__state_finish(future, 0, NULL);
    sil_future_release(future);
    return 0;
}

int sil_promise_reject(sil_promise *promise, int code, const char *format, ...)
{
    if (!promise)
        return sil__fail(SIL_EINVAL, "sil_promise_reject: the promise is NULL");
    sil_future *future = promise->future;
    if (!sil__state_claim(future))
        return too_late();
    if (code == 0)
        code = SIL_EINVAL;
    va_list arguments;
    va_start(arguments, format);
    sil_error *error = sil__error_create(code, sil_future_name(future), format, arguments);
    va_end(arguments);
    sil_future_retain(future);
    sil__state_finish(future, code, error);
    sil_future_release(future);
    return 0;
}

void sil_promise_destroy(sil_promise *promise)
{
    if (!promise)
        return;
    (void)sil_task_fail(promise->future, SIL_EBROKEN, "the promise was given up");
    sil_future_release(promise->future);
    sil__free(promise);
}
