/* SPDX-License-Identifier: MIT */
/*
 * The first error (in time) of work that several tasks share.
 */
#ifndef SIL__CORE_FIRST_ERROR_H
#define SIL__CORE_FIRST_ERROR_H

#include <sillon/error.h>
#include <stdatomic.h>
#include <stdbool.h>

/* All zero: none so far. */
struct sil__first_error {
    _Atomic int code;
    sil_error *error; /* owned, or NULL; written by whoever set the code */
};

/*
 * Keep code, unless one is kept; with it the last error of the calling context, if that is of this
 * code and not the one that was there before the work (only compared).
 */
void sil__first_error_keep(struct sil__first_error *first, int code, const sil_error *before);

static inline bool sil__first_error_kept(struct sil__first_error *first)
{
    return atomic_load_explicit(&first->code, memory_order_relaxed) != 0;
}

/* When all who might keep one are done: make it the caller's last error. Its code, or 0. */
int sil__first_error_raise(struct sil__first_error *first);

#endif
