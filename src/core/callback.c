/* SPDX-License-Identifier: MIT */
/*
 * Done callbacks: a listener on the heap that calls a user's function once.
 */
#include <sillon/future.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "core/context.h"
#include "core/future.h"
#include "core/wait.h"

struct callback {
    struct sil__listener listener;
    sil_done_fn fn;
    void *user;
};

static void callback_notify(struct sil__listener *listener, sil_future *future)
{
    struct callback callback = *(struct callback *)listener;
    sil__free(listener);
    callback.fn(future, callback.user);
}

int sil_future_add_done_callback(sil_future *future, sil_done_fn fn, void *user)
{
    if (!future || !fn)
        return sil__fail(SIL_EINVAL, "sil_future_add_done_callback: an argument is NULL");
    if (sil__future_final(future)) {
        fn(future, user);
        return 0;
    }
    if (sil__wait_forked(future))
        return sil__fail(SIL_EFORKED, "made before a fork: it will not end here");
    struct callback *callback = sil__alloc(sizeof *callback);
    if (!callback)
        return sil__fail(SIL_ENOMEM, "no memory for a done callback");
    *callback = (struct callback){
        .listener = {.notify = callback_notify, .deferred = true}, .fn = fn, .user = user};
    if (!sil__state_listen(future, &callback->listener)) {
        sil__free(callback);
        fn(future, user);
    }
    return 0;
}
