/* SPDX-License-Identifier: MIT */
/*
 * Seeing what goes on: all coroutines, all tasks that run, and all threads that wait, as text.
 *
 *     sillon: dump of process 4711
 *     thread pool 'mill': 1 running, 0 pending, 8 done; 2 threads, 1 asleep, 0 blocked
 *     loop 'table': 1 running, 0 ready, 6 waiting, 0 pending, 1 done
 *       running               'main' main_task
 *       waiting      1.258 s  'evening' dinner: group 'dinner'
 *       waiting      1.258 s    'kant' philosopher: sleep
 *       waiting      1.258 s    'hegel' philosopher: mutex 'fork 1' held by 'kant'
 *       waiting      1.258 s  consumer: get of queue 'jobs'
 *       waiting      1.258 s  serve: read of fd 9, peer 127.0.0.1:40122
 *       waiting      1.258 s  load: future 'page 7'
 *       running                 'page 7' parse [thread pool 'mill', thread 4714 'mill-0']
 *
 * A line begins with a state: running; ready, when its turn comes; waiting, and for how long; pending,
 * of a future that is waited for and has not begun. Then comes a tree of who awaits whom: what nobody
 * awaits stands at the margin, and below it, two places further in, the futures it waits for. Then the
 * name, the function, in brackets where it is unless the head line says it, and what it waits for. Who
 * is awaited by several is told of once; of those who are many, sixteen are listed.
 *
 * Functions are named where the program's dynamic symbols have them (gcc -rdynamic); otherwise by their
 * place, "program+0x1234", for addr2line. Control characters in names are written as \x1b.
 *
 * A loop tells of its coroutines itself, between two of them. One that a coroutine holds does not
 * answer; then there is only that one, and how long the loop's turn has lasted. Not all parts are of the
 * very same moment.
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
