/* SPDX-License-Identifier: MIT */
/*
 * Ending a future with the outcome of another, see settle.h.
 */
#include "core/settle.h"

#include "core/error.h"

void sil__settle_like(sil_future *future, sil_future *source)
{
    int code = sil_future_code(source);
    sil_error *error = NULL;
    if (code != 0) {
        error = sil__error_retain((sil_error *)sil_future_error(source));
    } else {
        /* The future where the value really lies: a chain does not grow. */
        sil_future *from = (sil_future *)sil__future_value(source);
        struct sil__details *details = sil__future_details(future);
        if (details)
            details->value_from = sil_future_retain(from);
        else
            code = SIL_ENOMEM;
    }
    sil__state_finish(future, code, error);
}
