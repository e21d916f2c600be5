/* SPDX-License-Identifier: MIT */
/*
 * A job: so many tasks, the mode they are done in, and what each says of itself.
 *
 * I1  A task's function is the same in all modes; only who calls it differs.
 * I2  A record is written by the task, or from its result: what it says was measured where it ran.
 *
 * To add a mode: a name here, and a way to do it in modes.c. To add a kind of work: a file work_x.c with
 * its task, and a name here.
 */
#ifndef CLI_BENCH_JOB_H
#define CLI_BENCH_JOB_H

#include <stddef.h>
#include <stdint.h>

enum work_kind { WORK_CPU, WORK_IO, WORK_URLS };
enum bench_mode { MODE_SEQ, MODE_THREADS, MODE_PROCESSES, MODE_ASYNC, MODES };

/** "seq", "threads", ... */
extern const char *const mode_names[MODES + 1];

/** What one task did. All zero: it was not done. */
struct record {
    int64_t begin, end; /**< sil_clock() */
    int64_t cpu;        /**< nanoseconds of its thread */
    int64_t worker; /**< who did it: a thread, a process, a coroutine; no two of them at a time */
    uint64_t answer;
    uint64_t memory; /**< the most its process had resident, in bytes */
    int code;        /**< why it failed; 0: it did not */
};

struct job {
    enum work_kind kind;
    enum bench_mode mode;
    unsigned workers;
    uint64_t tasks;

    uint64_t below;    /**< cpu: primes below this are counted */
    double latency;    /**< io: seconds the server takes */
    uint64_t size;     /**< io: bytes of an answer */
    uint16_t port;     /**< io: of the server on 127.0.0.1 */
    char *const *urls; /**< urls: borrows; task i loads the (i modulo url_count)-th */
    size_t url_count;
};

/**
 * Do it, in this process; the start and the end of threads, processes and loops included.
 *
 * @param records  receives job->tasks of them; all zero before.
 * @return 0, or the code of the first task that failed, or why none could be done: sil_last_error.
 */
int job_run(const struct job *job, struct record *records);

/** Begin a task's record: the moment, and its thread's time. */
void record_begin(struct record *record);

/** End it. */
void record_end(struct record *record);

#endif
