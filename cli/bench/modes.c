/* SPDX-License-Identifier: MIT */
/*
 * The four modes: one task after another, in threads, in processes, in coroutines of one loop.
 *
 * The first three differ by the line that makes the executor. Coroutines are workers that take the next
 * task when they are done with one, so that a million tasks need no million stacks.
 */
#include "bench/job.h"

#include <stdlib.h>
#include <string.h>

#include <sillon/coro.h>
#include <sillon/error.h>
#include <sillon/loop.h>
#include <sillon/process_pool.h>
#include <sillon/thread_pool.h>

#include "bench/work_cpu.h"
#include "bench/work_io.h"
#include "bench/work_url.h"

/* --- seq, threads, processes ------------------------------------------------------------------- */

static sil_executor *open_executor(const struct job *job)
{
    switch (job->mode) {
    case MODE_THREADS:
        return sil_thread_pool(
            &(sil_thread_pool_options){.workers = job->workers, .name = "bench"});
    case MODE_PROCESSES:
        return sil_process_pool(
            &(sil_process_pool_options){.workers = job->workers, .name = "bench"});
    default:
        return sil_inline_executor();
    }
}

static sil_future *submit_one(const struct job *job, sil_executor *executor, uint64_t number)
{
    if (job->kind == WORK_CPU)
        return sil_submit(executor, cpu_task, &job->below, sizeof(job->below),
                          sizeof(struct record));
    struct io_task task = {.number = number, .size = job->size, .port = job->port};
    return sil_submit(executor, io_task, &task, sizeof(task), sizeof(struct record));
}

static int submit_all(const struct job *job, sil_executor *executor, struct record *records)
{
    sil_future **futures = calloc(job->tasks, sizeof(sil_future *));
    if (futures == NULL)
        return sil_fail(SIL_ENOMEM, "out of memory");
    for (uint64_t i = 0; i < job->tasks; i++)
        futures[i] = submit_one(job, executor, i);
    int failed = 0;
    for (uint64_t i = 0; i < job->tasks; i++) {
        int code = sil_take(futures[i], &records[i], SIL_FOREVER);
        records[i].code = code;
        failed = failed != 0 ? failed : code;
    }
    free(futures);
    return failed;
}

static int run_on_executor(const struct job *job, struct record *records)
{
    sil_executor *executor = open_executor(job);
    if (executor == NULL)
        return sil_error_code(sil_last_error());
    int code = job->kind == WORK_URLS ? url_run_on_executor(job, executor, records)
                                      : submit_all(job, executor, records);
    (void)sil_executor_close(executor);
    io_hang_up(); /* seq: the connection is this thread's */
    return code;
}

/* --- async ------------------------------------------------------------------------------------- */

enum { CPU_COROUTINES = 64 };

/* Tasks that compute, one after another in each coroutine; between two the others have their turn. */
static int cpu_worker(void *arg, void *result)
{
    (void)result;
    const struct io_worker *worker = arg;
    int code = 0;
    while (*worker->next < worker->job->tasks && code == 0) {
        uint64_t number = (*worker->next)++;
        uint64_t below = worker->job->below;
        code = cpu_task(&below, &worker->records[number]);
        worker->records[number].code = code;
        (void)sil_yield();
    }
    return code;
}

struct loop_run {
    const struct job *job;
    struct record *records;
};

static int loop_main(void *arg, void *result)
{
    (void)result;
    const struct loop_run *run = arg;
    const struct job *job = run->job;
    unsigned count = job->kind == WORK_CPU ? CPU_COROUTINES : job->workers;
    sil_future **futures = calloc(count, sizeof(sil_future *));
    if (futures == NULL)
        return sil_fail(SIL_ENOMEM, "out of memory");
    uint64_t next = 0;
    for (unsigned i = 0; i < count; i++) {
        struct io_worker worker = {job, &next, run->records, i};
        futures[i] =
            sil_go(job->kind == WORK_CPU ? cpu_worker : io_worker, &worker, sizeof(worker), 0);
    }
    int failed = 0;
    for (unsigned i = 0; i < count; i++) {
        int code = sil_take(futures[i], NULL, SIL_FOREVER);
        failed = failed != 0 ? failed : code;
    }
    free(futures);
    return failed;
}

int job_run(const struct job *job, struct record *records)
{
    struct loop_run run = {job, records};
    if (job->kind == WORK_URLS && (job->mode == MODE_ASYNC || job->mode == MODE_SEQ))
        return url_run_in_loop(job, records);
    if (job->mode == MODE_ASYNC)
        return sil_run(loop_main, &run, sizeof(run), NULL, 0);
    return run_on_executor(job, records);
}
