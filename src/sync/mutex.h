/* SPDX-License-Identifier: MIT */
/*
 * What conditions need of mutexes.
 */
#ifndef SIL__SYNC_MUTEX_H
#define SIL__SYNC_MUTEX_H

#include <sillon/sync.h>
#include <stdbool.h>

#include "core/context.h"

/* Does the calling context hold it? */
bool sil__mutex_held(const sil_mutex *mutex, const struct sil__context *context);

/* The calling context holds it. */
void sil__mutex_unlock(sil_mutex *mutex);

/*
 * Lock, whatever happens: neither a deadline nor a cancel ends it, and in a cycle of waits another
 * must give up. 0, or SIL_EDEADLK its holder has ended.
 */
int sil__mutex_lock_out(sil_mutex *mutex, struct sil__context *context);

#endif
