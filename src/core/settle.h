/* SPDX-License-Identifier: MIT */
/*
 * Ending a future with the outcome of another.
 */
#ifndef SIL__CORE_SETTLE_H
#define SIL__CORE_SETTLE_H

#include "core/future.h"

/*
 * Finish a claimed future as source (final) ended: the same error object, or the same value,
 * which is shared, not copied.
 */
void sil__settle_like(sil_future *future, sil_future *source);

#endif
