/* SPDX-License-Identifier: MIT */
/*
 * A segment worker: claims a range, fetches it, claims the next one. See segments_impl.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sillon/coro.h>
#include <sillon/error.h>
#include <sillon/status.h>

#include "get/content_range.h"
#include "get/segments_impl.h"

enum { BUFFER = 256 * 1024 };

/* Seconds until who finds nothing to do looks again: how fast the others are changes. */
static const double PAUSE = 0.02;

/* --- asking -------------------------------------------------------------------------------- */

/* So that the connection can be used again, if the answer is at its end. */
static void let_answer_go(struct segment_worker *worker)
{
    struct fetcher *fetcher = &worker->fetcher;
    char byte;
    size_t got;
    if (worker->response != NULL && fetcher->answer_at == fetcher->answer_end)
        (void)sil_http_read(worker->response, &byte, 1, &got);
    sil_http_close(worker->response);
    worker->response = NULL;
    fetcher->answer_at = fetcher->answer_end = 0;
}

static bool is_header(const sil_http_response *response, const char *name, const char *expected)
{
    const char *value = sil_http_header(response, name);
    return expected[0] == '\0' || (value != NULL && strcmp(value, expected) == 0);
}

static bool is_same_file(const struct segments *all, const sil_http_response *response)
{
    return all->etag[0] != '\0' ? is_header(response, "ETag", all->etag)
                                : is_header(response, "Last-Modified", all->modified);
}

/* Does the answer bring what was asked for? Not necessarily all of it. */
static bool brings(const struct segment_worker *worker, uint64_t *out_end)
{
    const sil_http_response *response = worker->response;
    struct content_range range;
    const char *text = sil_http_header(response, "Content-Range");
    if (sil_http_status(response) != 206 || sil_http_header(response, "Content-Encoding") != NULL ||
        !content_range_read(text, &range) || range.length != worker->all->ranges.end ||
        range.from != worker->fetcher.range->got)
        return false;
    *out_end = range.to + 1;
    return is_same_file(worker->all, response);
}

/* The answer is none that helps. */
static int refuse(struct segment_worker *worker)
{
    struct segments *all = worker->all;
    int status = sil_http_status(worker->response);
    all->refused = true; /* no more connections, but those that work go on */
    if (status / 100 != 2 && status != 416)
        return sil_fail(SIL_EHTTP, "HTTP %d for a part of the file", status);
    all->stale = all->stale || !is_same_file(all, worker->response);
    all->plan->item->alone = true;
    return sil_fail(SIL_EHTTP, "the server answers with another part than the one asked for");
}

static int ask(struct segment_worker *worker)
{
    struct segments *all = worker->all;
    struct fetcher *fetcher = &worker->fetcher;
    const struct range *range = fetcher->range;
    let_answer_go(worker);
    sil_http_request request = *all->plan->request;
    request.range_from = range->got;
    request.range_to = range->end - 1;
    request.if_range = all->validator;
    request.compressed = false;
    fetcher_asks(fetcher, sil_clock());
    int code = sil_http_send(all->plan->session->client, &request, &worker->response, all->until);
    if (code != 0)
        return code;
    fetcher_hears(fetcher, sil_clock());
    uint64_t end = 0;
    if (!brings(worker, &end))
        return refuse(worker);
    fetcher->answer_at = range->got;
    fetcher->answer_end = end;
    all->proven = true;
    return 0;
}

/* --- reading ------------------------------------------------------------------------------- */

static void note_service(struct segment_worker *worker)
{
    struct segments *all = worker->all;
    size_t serving = 0;
    worker->serves = true;
    for (size_t i = 0; i < all->begun; i++)
        serving += all->workers[i].serves && all->workers[i].running;
    if (serving > all->plan->item->segments)
        all->plan->item->segments = (unsigned)serving;
}

/* Does the answer have more of the range? */
static bool has_more(const struct segment_worker *worker)
{
    const struct fetcher *fetcher = &worker->fetcher;
    const struct range *range = fetcher->range;
    return range->got < range->end && fetcher->answer_at == range->got &&
           fetcher->answer_at < fetcher->answer_end;
}

/* Some bytes of the range, of which the answer has more. What has become another's while we waited
 * is dropped. */
static int read_some(struct segment_worker *worker, char *bytes, size_t room, size_t *out_got)
{
    const struct segments_plan *plan = worker->all->plan;
    struct fetcher *fetcher = &worker->fetcher;
    struct range *range = fetcher->range;
    uint64_t left = range->end - range->got;
    size_t got = 0;
    int code = sil_http_read(worker->response, bytes, left < room ? (size_t)left : room, &got);
    if (code == 0 && got == 0)
        code = sil_fail(SIL_EHTTP, "a part of the file was cut short");
    if (code != 0)
        return code;
    if (!worker->serves)
        note_service(worker);
    fetcher->answer_at += got;
    fetcher_gets(fetcher, got, sil_clock());
    plan->session->bytes += got;
    left = range->end - range->got;
    got = got < left ? got : (size_t)left;
    range->got += got;
    plan->item->received += got;
    *out_got = got;
    return 0;
}

/* --- where it goes ------------------------------------------------------------------------- */

static int borrow_chunk(struct segments *all)
{
    while (!all->offered) {
        (void)sil_event_clear(all->work);
        int code = sil_event_wait(all->work, SIL_FOREVER);
        if (code != 0)
            return code;
    }
    all->offered = false;
    all->lent = true;
    return 0;
}

static void give_chunk_back(struct segments *all)
{
    all->lent = false;
    (void)sil_event_set(all->changed);
}

static void into_chunk(struct segment_worker *worker, size_t count)
{
    struct segments *all = worker->all;
    if (all->chunk->size == 0)
        all->chunk_since = sil_clock();
    all->chunk->size += count;
    worker->fetcher.range->ready += count;
    ranges_pass(&all->ranges, count);
}

/* Straight into the part's memory: until it is full, or has waited long enough, or the range ends. */
static int read_at_front(struct segment_worker *worker)
{
    struct segments *all = worker->all;
    int code = borrow_chunk(all);
    if (code != 0)
        return code;
    struct chunk *chunk = all->chunk;
    do {
        size_t got = 0;
        code = read_some(worker, chunk->bytes + chunk->size, chunk->room - chunk->size, &got);
        if (got > 0)
            into_chunk(worker, got);
    } while (code == 0 && chunk->size < chunk->room && has_more(worker) &&
             sil_clock() - all->chunk_since < SEGMENT_KEPT_NS);
    give_chunk_back(all);
    return code;
}

/* What is in the buffer: into the chunk if it is its turn, else into the spill. */
static int put_away(struct segment_worker *worker)
{
    struct segments *all = worker->all;
    struct range *range = worker->fetcher.range;
    int code = 0;
    for (size_t at = 0; at < worker->buffered && code == 0;) {
        size_t left = worker->buffered - at;
        if (!ranges_is_front(&all->ranges, range)) {
            code = spill_write(&all->spill, range->ready, worker->buffer + at, left);
            if (code != 0)
                break;
            range->ready += left;
            at += left;
            (void)sil_event_set(all->changed);
            continue;
        }
        code = borrow_chunk(all);
        if (code != 0)
            break;
        size_t room = all->chunk->room - all->chunk->size, count = left < room ? left : room;
        memcpy(all->chunk->bytes + all->chunk->size, worker->buffer + at, count);
        into_chunk(worker, count);
        at += count;
        give_chunk_back(all);
    }
    worker->buffered = 0;
    if (code != 0 && code != SIL_ECANCELLED)
        all->ranges.tight = all->refused = true; /* there is no place for what is ahead */
    return code;
}

static int read_ahead(struct segment_worker *worker)
{
    const struct segments *all = worker->all;
    const struct range *range = worker->fetcher.range;
    if (worker->buffer == NULL)
        worker->buffer = malloc(BUFFER);
    if (worker->buffer == NULL)
        return sil_fail(SIL_ENOMEM, NULL);
    int code = 0;
    do {
        size_t got = 0;
        code =
            read_some(worker, worker->buffer + worker->buffered, BUFFER - worker->buffered, &got);
        worker->buffered += got;
    } while (code == 0 && worker->buffered < BUFFER && has_more(worker) &&
             !ranges_is_front(&all->ranges, range));
    int put = put_away(worker);
    return code != 0 ? code : put;
}

/* --- a worker's life ----------------------------------------------------------------------- */

static int fetch(struct segment_worker *worker)
{
    const struct segments *all = worker->all;
    const struct range *range = worker->fetcher.range;
    int code = 0;
    while (code == 0 && range->got < range->end) {
        bool is_front = ranges_is_front(&all->ranges, range);
        if (!is_front && all->ranges.tight)
            code = sil_fail(SIL_ECANCELLED, NULL); /* it would have no place */
        else if (!has_more(worker))
            code = ask(worker);
        else if (is_front)
            code = read_at_front(worker);
        else
            code = read_ahead(worker);
    }
    return code;
}

static void stop_slow_one(const struct fetcher *fetcher)
{
    const struct segment_worker *worker = (const struct segment_worker *)fetcher;
    if (worker->running && worker->future != NULL)
        (void)sil_future_cancel(worker->future);
}

/* Waits for something to do. */
static int claim(struct segment_worker *worker)
{
    struct segments *all = worker->all;
    struct fetcher *fetcher = &worker->fetcher, *slow;
    for (;;) {
        (void)sil_event_clear(all->work);
        if (fetcher->answer_at == fetcher->answer_end && all->running > 1 &&
            segments_are_in_the_way(all))
            return sil_fail(SIL_ECANCELLED, NULL);
        /* As long as nobody has seen a range answered, who has an answer to the end keeps it. */
        bool stay = !all->proven && all->running > 1 && fetcher->answer_at < fetcher->answer_end;
        slow = NULL;
        enum range_claim got = ranges_claim(&all->ranges, fetcher, stay, sil_clock(), &slow);
        if (got == CLAIM_GOT)
            return 0;
        if (got == CLAIM_NO_MEMORY)
            return sil_fail(SIL_ENOMEM, NULL);
        if (slow != NULL)
            stop_slow_one(slow);
        int code = sil_event_wait(all->work, sil_in(PAUSE));
        if (code != 0 && code != SIL_ETIMEDOUT)
            return code;
    }
}

static void note_failure(struct segment_worker *worker, int code)
{
    struct segments *all = worker->all;
    if (code == SIL_ECANCELLED && all->code != 0)
        return; /* that came of another */
    all->code = code;
    (void)snprintf(all->message, sizeof(all->message), "%s", sil_error_message(sil_last_error()));
    sil_http_close(all->failed);
    all->failed = worker->response;
    worker->response = NULL;
}

int segment_worker_run(void *arg, void *result)
{
    (void)result;
    struct segment_worker *worker = *(struct segment_worker **)arg;
    struct segments *all = worker->all;
    int code;
    do {
        code = claim(worker);
        if (code == 0)
            code = fetch(worker);
        ranges_release(&all->ranges, &worker->fetcher);
        (void)sil_event_set(all->changed);
        (void)sil_event_set(all->work);
    } while (code == 0);
    note_failure(worker, code);
    sil_http_close(worker->response);
    worker->response = NULL;
    free(worker->buffer);
    worker->buffer = NULL;
    worker->running = false;
    all->running--;
    return 0;
}
