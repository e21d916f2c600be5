/* SPDX-License-Identifier: MIT */
/*
 * Segments, see segments.h: the appender, in the coroutine of the try, and how many workers there are.
 */
#include "get/segments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "get/segments_impl.h"
#include "text/units.h"

enum { AUTOMATIC = 4, MOST = 1024, SPARE = 8 };

/* What is there that soon by one connection comes by one. */
static const double WATCHED = 0.2, SOON = 1;
/* Between two looks whether there may be more connections. */
static const double LOOK = 0.25;

bool segments_parse(const char *text, size_t *out)
{
    uint64_t number = 0;
    if (text != NULL && strcmp(text, "auto") != 0 && !unit_read_number(text, 1, MOST, &number))
        return false;
    *out = (size_t)number;
    return true;
}

size_t segments_spare(const struct get_options *options)
{
    size_t count = 0;
    (void)segments_parse(options->segments, &count);
    return count > SPARE ? count : SPARE;
}

/* --- is it worth it? ----------------------------------------------------------------------- */

/* Devices and standard output: the next program may take its time. */
static bool is_stream(const struct get_item *item)
{
    return strcmp(item->name, "-") == 0 || strncmp(item->name, "/dev/", 5) == 0;
}

bool segments_fit(const struct segments_plan *plan, const sil_http_response *response)
{
    const struct get_options *options = plan->session->options;
    const struct get_item *item = plan->item;
    size_t count = 1;
    (void)segments_parse(options->segments, &count);
    if (count == 1 || options->per_host == 1 || item->alone)
        return false;
    if (count == 0 && (is_stream(item) || options->limit_rate_each > 0))
        return false;
    if (item->length == STORE_UNKNOWN || item->length < plan->from ||
        item->length - plan->from <= options->min_segment)
        return false;
    const char *ranges = sil_http_header(response, "Accept-Ranges");
    bool takes_ranges =
        sil_http_status(response) == 206 || (ranges != NULL && strcasecmp(ranges, "bytes") == 0);
    return takes_ranges && sil_http_protocol(response)[0] == '1' &&
           sil_http_header(response, "Content-Encoding") == NULL &&
           part_validator(plan->part)[0] != '\0';
}

/* --- how many ------------------------------------------------------------------------------ */

static struct runner_group *group_of(const struct segments *all)
{
    return all->plan->item->head.group;
}

/* One is counted as the item. */
static void count_connections(struct segments *all)
{
    size_t extra = all->running > 1 ? all->running - 1 : 0;
    if (extra == all->counted)
        return;
    bool fewer = extra < all->counted;
    struct runner_group *group = group_of(all);
    if (group != NULL)
        group->running = group->running - all->counted + extra;
    struct get_session *session = all->plan->session;
    session->extra_connections = session->extra_connections - all->counted + extra;
    all->counted = extra;
    if (fewer)
        runner_wake(session->runner);
}

bool segments_are_in_the_way(const struct segments *all)
{
    const struct runner *runner = all->plan->session->runner;
    const struct runner_group *group = group_of(all);
    return group != NULL && group->first != NULL && group->not_before <= sil_clock() &&
           runner_counts(runner)->running < runner_jobs(runner);
}

/* How many more others leave us. Files that wait for the host come first. */
static size_t room_for_more(const struct segments *all)
{
    const struct get_session *session = all->plan->session;
    size_t spare = segments_spare(session->options), used = session->extra_connections;
    size_t room = spare > used ? spare - used : 0;
    const struct runner_group *group = group_of(all);
    if (group == NULL)
        return room;
    if (segments_are_in_the_way(all) || group->not_before > sil_clock() ||
        group->running >= group->limit)
        return 0;
    size_t free_here = group->limit - group->running;
    return free_here < room ? free_here : room;
}

static bool begin_worker(struct segments *all)
{
    struct segment_worker *worker = &all->workers[all->begun];
    worker->all = all;
    worker->running = true;
    worker->future =
        sil_group_go(all->group, segment_worker_run, (void *)&worker, sizeof(worker), 0);
    if (sil_future_done(worker->future)) { /* it has not begun: it could not be made */
        worker->running = false;
        worker->future = NULL;
        return false;
    }
    all->begun++;
    all->running++;
    count_connections(all);
    return true;
}

static const double FAST = 100e6; /* bytes a second */

static bool is_worth_it(const struct segments *all, int64_t now)
{
    const struct ranges *ranges = &all->ranges;
    uint64_t left = ranges->end - ranges->fresh;
    if (left < 2 * ranges->least)
        return false;
    if (!all->automatic || all->begun > 1)
        return true;
    double rate = 0, age = (double)(now - all->begun_at) / 1e9;
    for (size_t i = 0; i < all->begun; i++)
        rate += fetcher_rate(&all->workers[i].fetcher, now);
    /* One that is so fast is held back by this machine, and so would several be. */
    return age >= WATCHED && rate < FAST && (double)left > rate * SOON;
}

static bool has_spill(struct segments *all)
{
    const struct get_options *options = all->plan->session->options;
    const struct get_item *item = all->plan->item;
    if (all->spill.file != NULL)
        return true;
    const char *folder = options->folder != NULL ? options->folder : ".", *name = item->name;
    if (is_stream(item)) {
        folder = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): nobody sets it
        folder = folder != NULL && folder[0] == '/' ? folder : "/tmp";
        name = "";
    }
    if (spill_open(&all->spill, folder, name, all->ranges.window,
                   all->ranges.end - all->ranges.front) != 0)
        all->refused = all->ranges.tight = true;
    return all->spill.file != NULL;
}

static void look_for_more(struct segments *all)
{
    int64_t now = sil_clock();
    if (now < all->look_at)
        return;
    all->look_at = sil_in(all->automatic && all->begun == 1 ? WATCHED : LOOK);
    if (all->refused || runner_stopping(all->plan->session->runner) || !is_worth_it(all, now))
        return;
    size_t room = room_for_more(all);
    while (room-- > 0 && all->running < all->most && all->begun < all->most_begun)
        if (!has_spill(all) || !begin_worker(all))
            break;
}

/* --- appending ----------------------------------------------------------------------------- */

static int append(struct segments *all, int *out_store_code)
{
    struct chunk *chunk = all->chunk;
    all->chunk = NULL;
    if (chunk == NULL)
        return 0;
    if (chunk->size == 0) {
        part_give_back(all->plan->part, chunk);
        return 0;
    }
    int code = part_append(all->plan->part, chunk);
    if (code != 0)
        *out_store_code = code;
    return code;
}

/* What was ahead, and has its turn now. */
static int take_from_spill(struct segments *all, uint64_t count, int *out_store_code)
{
    struct chunk *chunk = all->chunk;
    size_t room = chunk->room - chunk->size;
    size_t size = count < room ? (size_t)count : room;
    int code = spill_read(&all->spill, all->ranges.front, chunk->bytes + chunk->size, size);
    if (code != 0) {
        *out_store_code = code == SIL_ECANCELLED ? 0 : code;
        return code;
    }
    if (chunk->size == 0)
        all->chunk_since = sil_clock();
    chunk->size += size;
    ranges_pass(&all->ranges, size);
    (void)sil_event_set(all->work); /* the window has moved */
    return 0;
}

/* Until the workers bring something, or the chunk has waited long enough. */
static int wait_for_workers(struct segments *all, int *out_store_code)
{
    if (all->running == 0 && !all->lent)
        return sil_fail(all->stale ? ESTALE : all->code, "%s", all->message);
    look_for_more(all);
    sil_deadline until = all->look_at;
    if (!all->lent) {
        bool old = all->chunk->size > 0 && sil_clock() - all->chunk_since >= SEGMENT_KEPT_NS;
        if (old)
            return append(all, out_store_code);
        if (all->chunk->size > 0 && all->chunk_since + SEGMENT_KEPT_NS < until)
            until = all->chunk_since + SEGMENT_KEPT_NS;
        all->offered = true;
        (void)sil_event_set(all->work);
    }
    int code = sil_event_wait(all->changed, until);
    all->offered = false;
    return code == SIL_ETIMEDOUT ? 0 : code;
}

static int step(struct segments *all, int *out_store_code)
{
    (void)sil_event_clear(all->changed);
    count_connections(all);
    if (!all->lent && all->chunk != NULL && all->chunk->size == all->chunk->room) {
        int code = append(all, out_store_code);
        if (code != 0)
            return code;
    }
    if (all->chunk == NULL) {
        all->chunk = part_chunk(all->plan->part);
        if (all->chunk == NULL)
            return *out_store_code = sil_error_code(sil_last_error());
    }
    uint64_t ready = all->lent ? 0 : ranges_ready(&all->ranges);
    return ready > 0 ? take_from_spill(all, ready, out_store_code)
                     : wait_for_workers(all, out_store_code);
}

static int append_all(struct segments *all, int *out_store_code)
{
    int code = 0;
    while (code == 0 && (all->lent || all->ranges.front < all->ranges.end))
        code = step(all, out_store_code);
    return code;
}

/* --- beginning and end --------------------------------------------------------------------- */

static void copy_text(char *to, size_t size, const char *text)
{
    (void)snprintf(to, size, "%s", text != NULL ? text : "");
}

static bool set_up(struct segments *all, const sil_http_response *response)
{
    const struct segments_plan *plan = all->plan;
    const struct get_options *options = plan->session->options;
    size_t wanted = 0, limit = (size_t)options->per_host;
    (void)segments_parse(options->segments, &wanted);
    all->automatic = wanted == 0;
    all->most = wanted == 0 ? AUTOMATIC : wanted;
    all->most = all->most < limit ? all->most : limit;
    all->most_begun = 2 * all->most; /* those that failed can be replaced, but not for ever */
    ranges_init(&all->ranges, plan->from, plan->item->length, all->most);
    copy_text(all->validator, sizeof(all->validator), part_validator(plan->part));
    copy_text(all->etag, sizeof(all->etag), sil_http_header(response, "ETag"));
    copy_text(all->modified, sizeof(all->modified), sil_http_header(response, "Last-Modified"));
    all->proven = sil_http_status(response) == 206;
    all->begun_at = all->look_at = sil_clock();
    all->until = options->timeout > 0
                     ? plan->item->head.started_at + (int64_t)(options->timeout * 1e9)
                     : SIL_FOREVER;
    all->workers = calloc(all->most_begun, sizeof(*all->workers));
    all->changed = sil_event_create("segments: changed");
    all->work = sil_event_create("segments: work");
    all->group = sil_group_open("segments");
    return all->workers != NULL && all->changed != NULL && all->work != NULL && all->group != NULL;
}

/* The first worker goes on with the answer that is there. */
static bool begin_first(struct segments *all, sil_http_response **response)
{
    struct segment_worker *first = &all->workers[0];
    first->response = *response;
    first->fetcher.answer_at = all->ranges.front;
    first->fetcher.answer_end = all->ranges.end;
    first->fetcher.since = all->begun_at;
    sil_http_times times;
    sil_http_times_get(*response, &times);
    if (times.first > 0 && times.sent >= 0)
        first->fetcher.cost = times.first - times.sent;
    if (!begin_worker(all)) {
        first->response = NULL;
        return false;
    }
    *response = NULL;
    return true;
}

static void stop_workers(struct segments *all)
{
    if (all->group == NULL)
        return;
    (void)sil_group_cancel(all->group);
    (void)sil_group_wait(all->group, SIL_FOREVER);
    sil_group_close(all->group);
    count_connections(all);
}

static void tear_down(struct segments *all)
{
    ranges_fini(&all->ranges);
    spill_close(&all->spill);
    sil_http_close(all->failed);
    sil_event_destroy(all->changed);
    sil_event_destroy(all->work);
    free(all->workers);
}

int segments_read(const struct segments_plan *plan, sil_http_response **response,
                  int *out_store_code)
{
    struct segments all = {.plan = plan};
    char why[256] = "";
    int code;
    plan->item->segments = 0;
    if (!set_up(&all, *response) || !begin_first(&all, response))
        code = *out_store_code = sil_fail(SIL_ENOMEM, NULL);
    else
        code = append_all(&all, out_store_code);
    if (code != 0)
        copy_text(why, sizeof(why), sil_error_message(sil_last_error()));
    stop_workers(&all);
    /* Also what came before a failure: the next try goes on from there. */
    int stored = append(&all, out_store_code);
    if (stored != 0 && code == 0) {
        code = stored;
        copy_text(why, sizeof(why), sil_error_message(sil_last_error()));
    }
    plan->item->received = part_size(plan->part);
    if (code != 0 && *response == NULL) {
        *response = all.failed;
        all.failed = NULL;
    }
    tear_down(&all);
    return code == 0 ? 0 : sil_fail(code, "%s", why);
}
