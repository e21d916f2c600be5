/* SPDX-License-Identifier: MIT */
/*
 * Loading URLs, see work_url.h.
 *
 * Workers in other processes see none of this one's memory but what sil_shared_alloc gave: there lie
 * the URLs, the records, and the number of the task that nobody has begun.
 */
#include "bench/work_url.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/coro.h>
#include <sillon/error.h>
#include <sillon/http.h>
#include <sillon/loop.h>
#include <sillon/shared.h>

enum { PIECE = 16384, PATIENCE_SECONDS = 60 };

/* What all workers look at. Atomic: next. The rest is read-only, but for each task's own record. */
struct share {
    _Atomic uint64_t next;
    uint64_t tasks;
    unsigned workers; /* coroutines of one loop */
    size_t url_count;
    struct record *records;
    const char *texts[]; /* url_count of them */
};

struct worker {
    struct share *share;
    sil_http_client *client;
    int64_t number;
};

static int load(sil_http_client *client, const char *url, uint64_t *out_answer)
{
    sil_http_response *response = NULL;
    int code =
        sil_http_send(client, &(sil_http_request){.url = url}, &response, sil_in(PATIENCE_SECONDS));
    char buffer[PIECE];
    for (size_t got = 1; code == 0 && got > 0;)
        code = sil_http_read(response, buffer, sizeof(buffer), &got);
    if (code == 0 && sil_http_status(response) >= 400)
        code = sil_fail(SIL_EHTTP, "%s: HTTP %d %s", url, sil_http_status(response),
                        sil_http_status_text(sil_http_status(response)));
    if (response != NULL)
        *out_answer = sil_http_received(response);
    sil_http_close(response);
    return code;
}

/* A coroutine: does tasks until there are none. What failed does not keep it from the next. */
static int work(void *arg, void *result)
{
    (void)result;
    const struct worker *worker = arg;
    struct share *share = worker->share;
    int failed = 0;
    for (;;) {
        uint64_t number = atomic_fetch_add_explicit(&share->next, 1, memory_order_relaxed);
        if (number >= share->tasks)
            return failed;
        struct record *record = &share->records[number];
        record_begin(record);
        record->worker = worker->number >= 0 ? worker->number : gettid();
        record->code =
            load(worker->client, share->texts[number % share->url_count], &record->answer);
        record_end(record);
        record->cpu = 0; /* the thread's, in which others ran meanwhile */
        failed = failed != 0 ? failed : record->code;
    }
}

/* The main coroutine of a loop. arg: struct share *. */
static int run_loop(void *arg, void *result)
{
    (void)result;
    struct share *share = *(struct share **)arg;
    unsigned workers = share->workers;
    sil_http_client *client =
        sil_http_client_create(&(sil_http_client_options){.max_connections = workers});
    if (client == NULL)
        return sil_error_code(sil_last_error());
    sil_future **futures = calloc(workers, sizeof(sil_future *));
    int failed = futures == NULL ? sil_fail(SIL_ENOMEM, "out of memory") : 0;
    for (unsigned i = 0; futures != NULL && i < workers; i++) {
        struct worker worker = {share, client, workers > 1 ? (int64_t)i : -1};
        futures[i] = sil_go(work, &worker, sizeof(worker), 0);
    }
    for (unsigned i = 0; futures != NULL && i < workers; i++) {
        int code = sil_take(futures[i], NULL, SIL_FOREVER);
        failed = failed != 0 ? failed : code;
    }
    free(futures);
    sil_http_client_destroy(client);
    return failed;
}

/* The task of a thread or a process. */
static int run_worker(void *arg, void *result)
{
    (void)result;
    return sil_run(run_loop, arg, sizeof(struct share *), NULL, 0);
}

/* @return returns owned: sil_shared_free. */
static struct share *create_share(const struct job *job, unsigned workers)
{
    size_t head = sizeof(struct share) + job->url_count * sizeof(char *);
    head = (head + _Alignof(struct record) - 1) / _Alignof(struct record) * _Alignof(struct record);
    size_t size = head + job->tasks * sizeof(struct record);
    for (size_t i = 0; i < job->url_count; i++)
        size += strlen(job->urls[i]) + 1;
    struct share *share = sil_shared_alloc(size);
    if (share == NULL)
        return NULL;
    memset(share, 0, size);
    share->tasks = job->tasks;
    share->workers = workers;
    share->url_count = job->url_count;
    share->records = (struct record *)(void *)((char *)share + head);
    char *text = (char *)(share->records + job->tasks);
    for (size_t i = 0; i < job->url_count; i++) {
        share->texts[i] = text;
        text = stpcpy(text, job->urls[i]) + 1;
    }
    return share;
}

static void destroy_share(struct share *share, const struct job *job, struct record *records)
{
    memcpy(records, share->records, job->tasks * sizeof(*records));
    sil_shared_free(share);
}

int url_run_in_loop(const struct job *job, struct record *records)
{
    struct share *share = create_share(job, job->workers);
    if (share == NULL)
        return sil_error_code(sil_last_error());
    int code = sil_run(run_loop, (void *)&share, sizeof(struct share *), NULL, 0);
    destroy_share(share, job, records);
    return code;
}

int url_run_on_executor(const struct job *job, sil_executor *executor, struct record *records)
{
    struct share *share = create_share(job, 1);
    if (share == NULL)
        return sil_error_code(sil_last_error());
    int failed = 0;
    sil_future **futures = calloc(job->workers, sizeof(sil_future *));
    if (futures == NULL)
        failed = sil_fail(SIL_ENOMEM, "out of memory");
    for (unsigned i = 0; futures != NULL && i < job->workers; i++)
        futures[i] = sil_submit(executor, run_worker, (void *)&share, sizeof(struct share *), 0);
    for (unsigned i = 0; futures != NULL && i < job->workers; i++) {
        int code = sil_take(futures[i], NULL, SIL_FOREVER);
        failed = failed != 0 ? failed : code;
    }
    free(futures);
    destroy_share(share, job, records);
    return failed;
}
