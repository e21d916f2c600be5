/* SPDX-License-Identifier: MIT */
/*
 * How a worker begins: what it does between the helper's fork and its first task.
 */
#ifndef SIL__PROCESS_BEGIN_H
#define SIL__PROCESS_BEGIN_H

#include "process/helper.h"

/* In the forked child. */
_Noreturn void sil__worker_begin(struct sil__helper *helper, struct sil__start start,
                                 int channel_fd);

#endif
