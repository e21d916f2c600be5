/* SPDX-License-Identifier: MIT */
/*
 * Tasks that await a future which is known only after they were submitted: for cycles of waits.
 *
 * All come to one gate; the test fills the slots and opens it.
 */
#ifndef TESTS_SUPPORT_SLOT_H
#define TESTS_SUPPORT_SLOT_H

#include <sillon/sillon.h>

#include "support/gate.h"

struct slot_task {
    struct gate *gate;  /**< come here first */
    sil_future **slot;  /**< then await what stands here, */
    sil_deadline until; /**< so long; 0 counts as SIL_FOREVER */
};

/** A task that awaits *slot; its code is that of the wait. */
sil_future *submit_slot(sil_executor *executor, const char *name, struct slot_task task);

/** The same on a thread of its own. */
sil_future *start_slot(const char *name, struct slot_task task);

#endif
