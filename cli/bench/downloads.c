/* SPDX-License-Identifier: MIT */
/*
 * Downloads that are only counted, see downloads.h.
 */
#include "bench/downloads.h"

#include <stdio.h>
#include <stdlib.h>

#include <sillon/error.h>
#include <sillon/sync.h>
#include <sillon/wait.h>

#include "fetch/fetch.h"
#include "fetch/url.h"
#include "text/harmless.h"

struct request {
    struct fetch_client *client;
    sil_semaphore *turn; /* acquired while it is under way */
    const char *url;
};

static void report_failure(const char *url, const char *reason)
{
    char shown_url[2048], shown_reason[1024];
    (void)fprintf(stderr, "FAIL  %s: %s\n", harmless(shown_url, sizeof(shown_url), url),
                  harmless(shown_reason, sizeof(shown_reason), reason));
}

/* @param url  takes, if it returns true. */
static bool add(struct downloads *downloads, char *url)
{
    if (downloads->count == downloads->capacity) {
        size_t capacity = downloads->capacity == 0 ? 64 : 2 * downloads->capacity;
        char **urls = realloc(downloads->urls, capacity * sizeof(*urls));
        if (urls == NULL)
            return false;
        downloads->urls = urls;
        downloads->capacity = capacity;
    }
    downloads->urls[downloads->count++] = url;
    return true;
}

int downloads_read(struct downloads *downloads, struct source *source)
{
    int refused = 0;
    for (;;) {
        struct source_word word;
        enum source_state state = source_next(source, &word);
        if (state == SOURCE_END)
            return refused;
        if (state == SOURCE_LATER) {
            (void)sil_await(source_future(source), SIL_FOREVER);
            continue;
        }
        struct url url = {0};
        const char *reason = word.reason != NULL ? word.reason : url_parse(word.text, &url);
        if (reason != NULL) {
            report_failure(word.text, reason);
            refused++;
        } else if (add(downloads, url.text)) {
            url.text = NULL; /* taken */
        } else {
            refused = -1;
        }
        url_fini(&url);
        if (refused < 0)
            return refused;
    }
}

void downloads_fini(struct downloads *downloads)
{
    for (size_t i = 0; i < downloads->count; i++)
        free(downloads->urls[i]);
    free(downloads->urls);
    *downloads = (struct downloads){0};
}

static int forget(void *state)
{
    *(uint64_t *)state = 0;
    return 0;
}

static int count_bytes(void *state, const char *bytes, size_t count)
{
    (void)bytes;
    *(uint64_t *)state += count;
    return 0;
}

/* Its result is how many bytes came. */
static int fetch_task(void *arg, void *result)
{
    const struct request *request = arg;
    struct fetch_sink sink = {.restart = forget, .write = count_bytes, .state = result};
    int code = sil_semaphore_acquire(request->turn, SIL_FOREVER);
    if (code != 0)
        return code;
    code = fetch(request->client, request->url, &sink);
    (void)sil_semaphore_release(request->turn, 1);
    return code;
}

static void add_up(sil_future *ended, bool report, struct downloads_outcome *out)
{
    if (sil_future_code(ended) == 0) {
        out->ok++;
        out->bytes += *(const uint64_t *)sil_future_result(ended, NULL);
        return;
    }
    out->failed++;
    if (report)
        report_failure(sil_future_name(ended), sil_error_message(sil_future_error(ended)));
}

/* Submit all, and add up in the order in which they end. */
static bool fetch_all(const struct downloads *downloads, sil_executor *executor,
                      struct fetch_client *client, sil_semaphore *turn, bool report,
                      struct downloads_outcome *out)
{
    sil_future **futures = calloc(downloads->count + 1, sizeof(sil_future *));
    if (futures == NULL)
        return false;
    for (size_t i = 0; i < downloads->count; i++) {
        struct request request = {client, turn, downloads->urls[i]};
        sil_submit_options options = {.name = downloads->urls[i]};
        futures[i] = sil_submit_with(executor, &options, fetch_task, &request, sizeof(request),
                                     sizeof(uint64_t));
    }
    sil_as_completed *endings = sil_as_completed_create(futures, downloads->count);
    sil_future *ended;
    while (endings != NULL && sil_as_completed_next(endings, &ended, SIL_FOREVER) == 0)
        add_up(ended, report, out);
    sil_as_completed_destroy(endings);
    for (size_t i = 0; i < downloads->count; i++)
        (void)sil_take(futures[i], NULL, SIL_FOREVER);
    free(futures);
    return endings != NULL;
}

bool downloads_run(const struct downloads *downloads, sil_executor *executor, size_t jobs,
                   bool report, struct downloads_outcome *out)
{
    /* A new client each time: no run finds the connections of the one before. */
    struct fetch_limits limits = {.connect = 10, .stall = 30, .retries = 0};
    struct fetch_client *client = fetch_client_create(&limits, jobs);
    *out = (struct downloads_outcome){0};
    int64_t started = sil_clock();
    sil_semaphore *turn = sil_semaphore_create(NULL, jobs, jobs);
    bool good =
        client != NULL && turn != NULL && fetch_all(downloads, executor, client, turn, report, out);
    out->seconds = (double)(sil_clock() - started) / 1e9;
    fetch_client_destroy(client);
    sil_semaphore_destroy(turn);
    return good;
}
