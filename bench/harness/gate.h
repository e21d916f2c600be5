/* SPDX-License-Identifier: MIT */
/*
 * The gate: keeps every worker of a pool busy, asleep in the kernel, so that what is handed over
 * meanwhile stays in the queue.
 */
#ifndef BENCH_GATE_H
#define BENCH_GATE_H

#include "harness/adapter.h"

/**
 * Close the gate, and have each worker stand at it. Waits until all do, at most 200 ms: some
 * peers run what is submitted on fewer threads.
 *
 * @param handles  room for one handle a worker, to be got later; NULL: the tasks are posted.
 */
void gate_close(const struct adapter *peer, int workers, void *handles);

/** Let them go. */
void gate_open(void);

#endif
