/* SPDX-License-Identifier: MIT */
/*
 * Awaiting one future to its end: a wait that is given up takes the future along.
 */
#include <sillon/group.h>

#include <sillon/status.h>

#include "core/error.h"
#include "core/group.h"
#include "core/wait.h"

/* The wait was given up, with code and an error. */
static int give_up(sil_future *future, int code)
{
    sil_error *error = sil__error_retain(sil__context()->last_error);
    (void)sil_future_cancel(future);
    if (sil__group_wait_out(future, code != SIL_EDEADLK) != 0) {
        sil__error_release(error);
        return SIL_EDEADLK;
    }
    /* A cancel of the caller is not lost: the future is there to be looked at. */
    if (code == SIL_ECANCELLED || sil_future_code(future) == SIL_ECANCELLED) {
        sil__context_set_error(error);
        return code;
    }
    sil__error_release(error);
    return sil_future_code(future) == 0 ? 0 : sil__group_raise(future);
}

int sil_await_or_cancel(sil_future *future, sil_deadline until)
{
    if (!future)
        return sil__fail(SIL_EINVAL, "sil_await_or_cancel: the future is NULL");
    sil_future_retain(future);
    int code = sil__wait_forked(future)
                   ? sil__fail(SIL_EFORKED, "made before a fork: its worker is in the parent")
                   : sil__group_await(future, until);
    if (code == 0 && sil_future_code(future) != 0)
        code = sil__group_raise(future);
    else if (code != 0 && code != SIL_EFORKED)
        code = give_up(future, code);
    sil_future_release(future);
    return code;
}
