/* SPDX-License-Identifier: MIT */
/*
 * Seeing what goes on: all coroutines, all tasks of pools and all waiting threads, as text.
 *
 * EXAMPLE
 */
#ifndef SILLON_DUMP_H
#define SILLON_DUMP_H

#include <sillon/export.h>
#include <stdio.h>

SIL_BEGIN_DECLS

/**
 * Write down what every loop, pool and thread of the process is doing.
 *
 * @param out  borrows.
 * @return 0; SIL_ENOMEM not all of it, for want of memory; SIL_EINVAL NULL; an errno value: it could not be
 *         written.
 * @threads any, also coroutines and callbacks
 * @blocks  0.2 seconds for loops that do not answer; in a coroutine only the coroutine waits, but while
 *          it is written to out the thread does
 */
SIL_API int sil_dump(FILE *out);

/**
 * From now on this signal writes a dump to stderr: SIGQUIT, say, which is Ctrl-\ in a terminal. A thread
 * of the library's does it, which this starts.
 *
 * @param signal_number  0: no signal any more; the thread ends, and the former handler is back.
 * @return 0; SIL_EAGAIN no thread; SIL_EINVAL no signal that can be handled.
 * @threads any
 */
SIL_API int sil_dump_on_signal(int signal_number);

SIL_END_DECLS

#endif
