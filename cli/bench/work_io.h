/* SPDX-License-Identifier: MIT */
/*
 * Work that waits: a request to the built-in server, over a connection that stays open. Blocking
 * sockets for threads and processes, streams of the loop for coroutines.
 *
 * I1  One connection for each thread, made by the first task in it, gone when the thread is; and one
 *     for each of the coroutines.
 * I2  The answer's every byte is in the record's answer: io_answer tells what it must be.
 */
#ifndef CLI_BENCH_WORK_IO_H
#define CLI_BENCH_WORK_IO_H

#include <stdint.h>

#include "bench/job.h"

struct io_task {
    uint64_t number, size;
    uint16_t port;
};

/** The task of threads and processes. arg: struct io_task; result: struct record. */
int io_task(void *arg, void *result);

/** Close this thread's connection now. */
void io_hang_up(void);

/** A coroutine with a connection. */
struct io_worker {
    const struct job *job;
    uint64_t *next; /**< the number of the task nobody has begun; shared by the loop's workers */
    struct record *records;
    unsigned number;
};

/** arg: struct io_worker. Does tasks until there are none. */
int io_worker(void *arg, void *result);

/** What the answer to a task must be. */
uint64_t io_answer(uint64_t number, uint64_t size);

#endif
