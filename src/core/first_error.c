/* SPDX-License-Identifier: MIT */
/*
 * The first error of shared work, see first_error.h.
 */
#include "core/first_error.h"

#include <stddef.h>

#include "core/context.h"
#include "core/error.h"

void sil__first_error_keep(struct sil__first_error *first, int code, const sil_error *before)
{
    int none = 0;
    if (!atomic_compare_exchange_strong_explicit(&first->code, &none, code, memory_order_relaxed,
                                                 memory_order_relaxed))
        return;
    sil_error *error = sil__context()->last_error;
    if (error != before && sil_error_code(error) == code)
        first->error = sil__error_retain(error);
}

int sil__first_error_raise(struct sil__first_error *first)
{
    int code = atomic_load_explicit(&first->code, memory_order_relaxed);
    if (first->error)
        sil__context_set_error(first->error);
    else if (code != 0)
        sil__fail(code, NULL);
    first->error = NULL;
    return code;
}
