/* SPDX-License-Identifier: MIT */
/*
 * An engine of our own, written as an outsider would: against executor_impl.h alone.
 */
#ifndef TESTS_CONTRACT_LONE_THREAD_H
#define TESTS_CONTRACT_LONE_THREAD_H

#include <sillon/executor.h>

/** One thread that runs task after task, by priority. NULL when it cannot be made. */
sil_executor *lone_thread_create(void);

#endif
