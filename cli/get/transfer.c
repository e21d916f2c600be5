/* SPDX-License-Identifier: MIT */
/*
 * One try of an item: a request, and what comes of it into the store.
 *
 * I1  A try stands alone: it begins from what is on the disk, and leaves there what the next one can go
 *     on from.
 * I2  What was there before is gone on from only if the server says that it is still the same file
 *     (If-Range), and answers for just those bytes that were asked for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "get/content_range.h"
#include "get/http_date.h"
#include "get/segments.h"
#include "get/session.h"

/* A try under way. */
struct transfer {
    struct get_session *session;
    struct get_item *item;
    struct part *part;
    struct store_found found;
    sil_http_response *response;
    int64_t modified;   /* Last-Modified, in seconds since 1970; < 0: the server does not say */
    double retry_after; /* < 0: the server asks for none */
};

/* --- the request --------------------------------------------------------------------------- */

enum { MOST_HEADERS = 2 * ITEM_MOST_HEADERS };

/* Those of all, then its own. */
static void gather_headers(const struct transfer *transfer, const char *out[MOST_HEADERS + 2])
{
    const struct texts *sources[] = {&transfer->session->options->headers,
                                     &transfer->item->headers};
    size_t count = 0;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < sources[i]->count && count < MOST_HEADERS; k++)
            out[count++] = sources[i]->list[k];
    out[count] = NULL;
}

static sil_http_request make_request(const struct transfer *transfer,
                                     const char *headers[MOST_HEADERS + 2])
{
    const struct get_options *options = transfer->session->options;
    gather_headers(transfer, headers);
    return (sil_http_request){
        .url = transfer->item->url.text,
        .headers = headers,
        .user = options->user,
        .bearer = transfer->session->bearer,
        .netrc = options->netrc,
        .compressed = options->compressed,
        .max_redirects = options->max_redirects > 0 ? (int)options->max_redirects : -1,
        .allow_downgrade = options->allow_downgrade,
    };
}

static int send_request(struct transfer *transfer, const char *method)
{
    const struct get_options *options = transfer->session->options;
    const char *headers[MOST_HEADERS + 2];
    sil_http_request request = make_request(transfer, headers);
    request.method = method;
    if (method == NULL && transfer->found.resume > 0) {
        request.range_from = transfer->found.resume;
        request.if_range = part_validator(transfer->part);
    }
    sil_http_close(transfer->response);
    transfer->response = NULL;
    sil_deadline until = options->timeout > 0 ? sil_in(options->timeout) : SIL_FOREVER;
    return sil_http_send(transfer->session->client, &request, &transfer->response, until);
}

/* What of the answer is worth telling. */
static void note_answer(const struct transfer *transfer)
{
    struct get_item *item = transfer->item;
    const sil_http_response *response = transfer->response;
    if (response == NULL)
        return;
    item->status = sil_http_status(response);
    (void)snprintf(item->protocol, sizeof(item->protocol), "%s", sil_http_protocol(response));
    (void)snprintf(item->peer, sizeof(item->peer), "%s", sil_http_peer(response));
    item->reused = sil_http_reused(response);
    sil_http_times_get(response, &item->times);
    const char *url = sil_http_url(response);
    free(item->final_url);
    item->final_url = url != NULL && strcmp(url, item->url.text) != 0 ? strdup(url) : NULL;
}

/* --- failures ------------------------------------------------------------------------------ */

static enum item_trouble trouble_of(const sil_http_response *response)
{
    switch (response != NULL ? sil_http_failure(response) : SIL_HTTP_FAILED_LOCAL) {
    case SIL_HTTP_FAILED_URL:
        return TROUBLE_URL;
    case SIL_HTTP_FAILED_NAME:
        return TROUBLE_DNS;
    case SIL_HTTP_FAILED_CONNECT:
        return TROUBLE_CONNECT;
    case SIL_HTTP_FAILED_TLS:
        return TROUBLE_TLS;
    case SIL_HTTP_FAILED_STALL:
        return TROUBLE_STALL;
    case SIL_HTTP_FAILED_SHORT:
        return TROUBLE_SHORT;
    default:
        return TROUBLE_HTTP;
    }
}

/* A message of the last error, before anything else can set another. */
static enum runner_verdict fail_here(struct transfer *transfer, int code, enum item_trouble trouble)
{
    if (code == SIL_ECANCELLED) {
        item_fail(transfer->item, TROUBLE_STOPPED, "stopped");
        return ITEM_STOPPED;
    }
    item_fail(transfer->item, trouble, "%s", sil_error_message(sil_last_error()));
    return ITEM_FAILED;
}

/* The network or the server failed: once more? */
static enum runner_verdict again_or_failed(struct transfer *transfer, bool may_pass)
{
    const struct get_options *options = transfer->session->options;
    struct get_item *item = transfer->item;
    if (runner_stopping(transfer->session->runner))
        return ITEM_STOPPED;
    if (!may_pass || item->head.tries > options->retries)
        return ITEM_FAILED;
    double least = transfer->retry_after > 0 ? transfer->retry_after : 0;
    if (least > options->retry_after_max) {
        item_fail(item, TROUBLE_HTTP,
                  "HTTP %d, and to be tried again in %.0f s (--retry-after-max)", item->status,
                  least);
        return ITEM_FAILED;
    }
    item->head.due =
        runner_backoff(item->head.tries, options->retry_wait, options->retry_max, least);
    if ((item->status == 429 || item->status == 503) && item->head.group != NULL)
        host_is_overloaded((struct host *)item->head.group, item->status, least,
                           item->head.started_at);
    return ITEM_AGAIN;
}

static enum runner_verdict network_failed(struct transfer *transfer, int code)
{
    enum item_trouble trouble = trouble_of(transfer->response);
    enum runner_verdict verdict = fail_here(transfer, code, trouble);
    if (verdict == ITEM_STOPPED)
        return verdict;
    if (transfer->response == NULL ||
        sil_http_failure(transfer->response) == SIL_HTTP_FAILED_LOCAL) {
        outcome_worsen(&transfer->session->outcome, STATUS_LOCAL_FAILURE);
        return ITEM_FAILED;
    }
    return again_or_failed(transfer, sil_http_may_pass(transfer->response));
}

static enum runner_verdict status_failed(struct transfer *transfer)
{
    int status = transfer->item->status;
    const char *text = sil_http_status_text(status);
    item_fail(transfer->item, TROUBLE_HTTP, "HTTP %d%s%s", status, text[0] != '\0' ? " " : "",
              text);
    transfer->retry_after = sil_http_retry_after(transfer->response);
    return again_or_failed(transfer, sil_http_may_pass(transfer->response));
}

static enum runner_verdict store_failed(struct transfer *transfer, int code)
{
    if (code == EPIPE && strcmp(transfer->item->name, "-") == 0)
        return ITEM_STOPPED; /* nobody reads any more, which is no failure */
    enum item_trouble trouble = code == EEXIST || code == EISDIR ? TROUBLE_EXISTS : TROUBLE_WRITE;
    enum runner_verdict verdict = fail_here(transfer, code, trouble);
    if (verdict == ITEM_FAILED && trouble == TROUBLE_WRITE)
        outcome_worsen(&transfer->session->outcome, STATUS_LOCAL_FAILURE);
    return verdict;
}

/* --- the body ------------------------------------------------------------------------------ */

/* Then its length and its ranges are those of what is packed, and not of the file. */
static bool is_unpacked(const struct transfer *transfer)
{
    return transfer->session->options->compressed &&
           sil_http_header(transfer->response, "Content-Encoding") != NULL;
}

/* Where the body belongs, and how long the file is. false: it is not what was asked for. */
static bool place_body(struct transfer *transfer, uint64_t *out_from)
{
    struct get_item *item = transfer->item;
    const sil_http_response *response = transfer->response;
    *out_from = 0;
    item->length = is_unpacked(transfer) ? STORE_UNKNOWN : sil_http_length(response);
    if (item->status != 206)
        return true;
    struct content_range range;
    if (is_unpacked(transfer) || transfer->found.resume == 0 ||
        !content_range_read(sil_http_header(response, "Content-Range"), &range) ||
        range.from != transfer->found.resume)
        return false;
    *out_from = range.from;
    item->length = range.length;
    return true;
}

static const char *header_or_empty(const struct transfer *transfer, const char *name)
{
    const char *value = sil_http_header(transfer->response, name);
    return value != NULL ? value : "";
}

/* Of what is unpacked nothing can be gone on from. */
static const char *validator(const struct transfer *transfer, const char *name)
{
    return is_unpacked(transfer) ? "" : header_or_empty(transfer, name);
}

/* What has come is on its way to the disk that soon, or a kill -9 would cost it. */
enum { KEPT_NS = 20000000 };

/* Fills a chunk, if the body comes fast enough for that; *out_ended: that was all. */
static int fill_chunk(struct transfer *transfer, struct chunk *chunk, bool *out_ended)
{
    int64_t first_at = 0;
    while (chunk->size < chunk->room) {
        size_t got = 0;
        int code = sil_http_read(transfer->response, chunk->bytes + chunk->size,
                                 chunk->room - chunk->size, &got);
        if (code != 0)
            return code;
        if (got == 0) {
            *out_ended = true;
            return 0;
        }
        chunk->size += got;
        transfer->item->received += got;
        transfer->session->bytes += got;
        int64_t now = sil_clock();
        first_at = first_at == 0 ? now : first_at;
        if (now - first_at >= KEPT_NS)
            break;
    }
    return 0;
}

/* By one connection. *out_store_code: what the store said, if it was the store. */
static int read_body(struct transfer *transfer, int *out_store_code)
{
    bool ended = false;
    int code = 0;
    while (!ended && code == 0) {
        struct chunk *chunk = part_chunk(transfer->part);
        if (chunk == NULL) {
            *out_store_code = sil_error_code(sil_last_error());
            return *out_store_code;
        }
        code = fill_chunk(transfer, chunk, &ended);
        if (chunk->size == 0) {
            part_give_back(transfer->part, chunk);
            continue;
        }
        /* Also what came before a failure: the next try goes on from there. */
        int stored = part_append(transfer->part, chunk);
        if (stored != 0 && code == 0)
            code = *out_store_code = stored;
    }
    return code;
}

/* By one or several. */
static int receive(struct transfer *transfer, int *out_store_code)
{
    const char *headers[MOST_HEADERS + 2];
    sil_http_request request = make_request(transfer, headers);
    struct segments_plan plan = {transfer->session, transfer->item, transfer->part, &request,
                                 transfer->item->resumed_from};
    transfer->item->segments = 0;
    if (segments_fit(&plan, transfer->response))
        return segments_read(&plan, &transfer->response, out_store_code);
    int code = read_body(transfer, out_store_code);
    sil_http_times_get(transfer->response, &transfer->item->times);
    return code;
}

static enum runner_verdict commit(struct transfer *transfer)
{
    struct get_item *item = transfer->item;
    item->body_ended = sil_clock();
    free(item->final_name);
    item->final_name = NULL;
    item->digest = item->expected;
    enum part_verdict verdict =
        part_commit_as(transfer->part, transfer->modified, &item->digest, &item->final_name);
    transfer->part = NULL;
    item->committed = sil_clock();
    switch (verdict) {
    case PART_GOOD:
        return ITEM_OK;
    case PART_WRONG_CHECKSUM:
        if ((item->resumed_from > 0 || item->segments > 1) && !item->never_resume) {
            /* What was there may have been wrong, or how ranges are answered: all anew. */
            item->never_resume = item->alone = true;
            item_fail(item, TROUBLE_CHECKSUM, "the checksum does not match");
            return again_or_failed(transfer, true);
        }
        item_fail(item, TROUBLE_CHECKSUM, "the %s does not match: it is %s",
                  digest_name(item->expected.kind), item->digest.hex);
        outcome_worsen(&transfer->session->outcome, STATUS_WRONG_CHECKSUM);
        return ITEM_FAILED;
    case PART_WRONG_LENGTH:
        item_fail(item, TROUBLE_SHORT, "cut short: %llu bytes came",
                  (unsigned long long)item->received);
        return again_or_failed(transfer, true);
    default:
        return store_failed(transfer, sil_error_code(sil_last_error()));
    }
}

static enum runner_verdict has_changed(struct transfer *transfer)
{
    transfer->item->never_resume = true;
    item_fail(transfer->item, TROUBLE_HTTP, "the file has changed on the server");
    return again_or_failed(transfer, true);
}

static enum runner_verdict take_body(struct transfer *transfer)
{
    struct get_item *item = transfer->item;
    uint64_t from;
    if (!place_body(transfer, &from)) {
        item->never_resume = true;
        item_fail(item, TROUBLE_HTTP,
                  "the server answers with another part than the one asked for");
        return again_or_failed(transfer, true);
    }
    item->resumed_from = item->received = from;
    int code = part_head(transfer->part, from, item->length, validator(transfer, "ETag"),
                         validator(transfer, "Last-Modified"));
    if (code == ESTALE)
        return has_changed(transfer);
    if (code != 0)
        return store_failed(transfer, code);
    transfer->modified = -1;
    (void)http_date_read(header_or_empty(transfer, "Last-Modified"), &transfer->modified);
    int store_code = 0;
    code = receive(transfer, &store_code);
    if (code == ESTALE && store_code == 0)
        return has_changed(transfer);
    if (store_code != 0)
        return store_failed(transfer, store_code);
    return code == 0 ? commit(transfer) : network_failed(transfer, code);
}

/* --- a file that is there already ---------------------------------------------------------- */

/* Is the file under the final name the one the server has? Asked by HEAD. */
static bool is_the_same(struct transfer *transfer)
{
    if (send_request(transfer, "HEAD") != 0 || sil_http_status(transfer->response) != 200 ||
        sil_http_length(transfer->response) != transfer->found.size)
        return false;
    int64_t theirs, ours;
    const char *text = sil_http_header(transfer->response, "Last-Modified");
    if (text == NULL || !http_date_read(text, &theirs))
        return true; /* the size is all there is to compare */
    return http_date_read(transfer->found.modified, &ours) && ours == theirs;
}

static bool is_there(struct transfer *transfer)
{
    const struct get_options *options = transfer->session->options;
    if (transfer->found.done)
        return true;
    return transfer->found.whole && options->if_exists == IF_EXISTS_RESUME &&
           transfer->item->expected.kind == DIGEST_NONE && is_the_same(transfer);
}

/* --- a try --------------------------------------------------------------------------------- */

static void learn_of_host(const struct transfer *transfer)
{
    struct host *host = (struct host *)transfer->item->head.group;
    if (host == NULL || host->shares || transfer->item->protocol[0] != '2')
        return;
    host->shares = true;
    host->group.limit = SIZE_MAX;
    runner_wake(transfer->session->runner);
}

static enum runner_verdict exchange(struct transfer *transfer)
{
    struct get_item *item = transfer->item;
    int code = send_request(transfer, NULL);
    note_answer(transfer);
    if (code == 0 && item->status == 416 && transfer->found.resume > 0) {
        /* There is no more of it than we have, or it is another file now. */
        transfer->found.resume = 0;
        code = send_request(transfer, NULL);
        note_answer(transfer);
    }
    if (code != 0)
        return network_failed(transfer, code);
    learn_of_host(transfer);
    if (item->status / 100 == 2 && item->head.group != NULL &&
        host_is_well((struct host *)item->head.group))
        runner_wake(transfer->session->runner);
    return item->status / 100 == 2 ? take_body(transfer) : status_failed(transfer);
}

static enum runner_verdict run_try(struct transfer *transfer)
{
    struct get_session *session = transfer->session;
    struct get_item *item = transfer->item;
    int code = part_begin(session->store, item->name, item->url.text, &item->expected,
                          item->head.tries == 1, &transfer->part, &transfer->found);
    if (code != 0)
        return store_failed(transfer, code);
    if (item->never_resume)
        transfer->found.resume = 0;
    else if (transfer->found.resume > 0 && transfer->found.resume == transfer->found.length)
        transfer->found.resume--; /* all of it: one byte tells whether it is still the same */
    if (is_there(transfer))
        return ITEM_SKIPPED;
    if (runner_stopping(session->runner))
        return ITEM_STOPPED;
    return exchange(transfer);
}

enum runner_verdict transfer_run(struct get_session *session, struct get_item *item)
{
    struct transfer transfer = {.session = session, .item = item, .retry_after = -1};
    enum runner_verdict verdict = run_try(&transfer);
    sil_http_close(transfer.response);
    /* What could be gone on from stays, but not what turned out to be wrong. */
    part_abandon(transfer.part, !item->never_resume);
    return verdict;
}
