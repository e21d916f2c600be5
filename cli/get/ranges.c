/* SPDX-License-Identifier: MIT */
/*
 * Ranges, see ranges.h.
 */
#include "get/ranges.h"

#include <stdlib.h>

enum { KIB = 1024, MIB = 1024 * KIB };
enum { LEAST_LOW = 64 * KIB, LEAST_HIGH = MIB };
enum { WINDOW_LOW = 8 * MIB, WINDOW_HIGH = 256 * MIB };
/* The first range of who does not know how fast it is. */
enum { BLIND = 4 * MIB };
/* What is left to the slow one when a range is split, and the least that is worth taking. */
enum { MARGIN = 16 * KIB, LEAST_TAKEN = 32 * KIB };

/* A request may cost a fiftieth of the time; what is lost by a kill -9 is no more than was fetched in
 * the longest of these, as a rule. */
static const double COSTS_IN_A_RANGE = 50, SHORTEST = 0.1, LONGEST = 2;
static const double LAST = 0.3, LAST_BUT_ONE = 0.6;
/* Less time than that is not worth a request, beside what that costs. */
static const double NOT_WORTH_IT = 0.01;
/* Who needs longer than that for what is hardly worth a request has stalled. */
static const double STALLED = 1, NO_ANSWER = 2;
static const double PERIOD = 0.25;

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static double seconds(int64_t from, int64_t to)
{
    return (double)(to - from) / 1e9;
}

void ranges_init(struct ranges *ranges, uint64_t from, uint64_t end, size_t fetchers)
{
    uint64_t left = end - from;
    *ranges = (struct ranges){.front = from, .fresh = from, .end = end, .fetchers = fetchers};
    ranges->least = clamp(left / (8 * fetchers), LEAST_LOW, LEAST_HIGH);
    ranges->window = clamp(left, WINDOW_LOW, WINDOW_HIGH);
    if (ranges->window < 4 * fetchers * ranges->least)
        ranges->window = 4 * fetchers * ranges->least;
}

void ranges_fini(struct ranges *ranges)
{
    while (ranges->first != NULL) {
        struct range *range = ranges->first;
        ranges->first = range->next;
        free(range);
    }
}

/* --- how fast ------------------------------------------------------------------------------ */

void fetcher_asks(struct fetcher *fetcher, int64_t now)
{
    fetcher->waiting = true;
    fetcher->since = now;
    fetcher->bytes = 0;
}

void fetcher_hears(struct fetcher *fetcher, int64_t now)
{
    double cost = seconds(fetcher->since, now);
    fetcher->cost = fetcher->cost > 0 ? (fetcher->cost + cost) / 2 : cost;
    fetcher->waiting = false;
    fetcher->since = now;
    fetcher->bytes = 0;
}

void fetcher_gets(struct fetcher *fetcher, uint64_t count, int64_t now)
{
    fetcher->bytes += count;
    double age = seconds(fetcher->since, now);
    if (age < PERIOD && (fetcher->rate > 0 || age < PERIOD / 8))
        return;
    double rate = (double)fetcher->bytes / age;
    fetcher->rate = fetcher->rate > 0 ? (fetcher->rate + rate) / 2 : rate;
    fetcher->since = now;
    fetcher->bytes = 0;
}

double fetcher_rate(const struct fetcher *fetcher, int64_t now)
{
    double age = seconds(fetcher->since, now);
    if (age <= (fetcher->waiting ? NO_ANSWER + 3 * fetcher->cost : 2 * PERIOD))
        return fetcher->waiting ? 0 : fetcher->rate;
    double rate = ((double)fetcher->bytes + 1) / age;
    return fetcher->rate > 0 && fetcher->rate < rate ? fetcher->rate : rate;
}

/* --- the front ----------------------------------------------------------------------------- */

static void drop_passed(struct ranges *ranges)
{
    struct range *range;
    while ((range = ranges->first) != NULL && range->owner == NULL && range->got == range->end &&
           range->end <= ranges->front) {
        ranges->first = range->next;
        free(range);
    }
}

uint64_t ranges_ready(struct ranges *ranges)
{
    drop_passed(ranges);
    const struct range *range = ranges->first;
    return range != NULL ? range->ready - ranges->front : 0;
}

void ranges_pass(struct ranges *ranges, uint64_t count)
{
    ranges->front += count;
    drop_passed(ranges);
}

bool ranges_is_front(const struct ranges *ranges, const struct range *range)
{
    return ranges->front == range->ready;
}

/* --- claims -------------------------------------------------------------------------------- */

static void give(struct range *range, struct fetcher *fetcher)
{
    range->owner = fetcher;
    fetcher->range = range;
}

/* A new range in place of *where. NULL: no memory. */
static struct range *insert(struct range **where, uint64_t begin, uint64_t end)
{
    struct range *range = malloc(sizeof(*range));
    if (range == NULL)
        return NULL;
    *range =
        (struct range){.begin = begin, .ready = begin, .got = begin, .end = end, .next = *where};
    *where = range;
    return range;
}

static bool is_allowed(const struct ranges *ranges, uint64_t at)
{
    return !ranges->tight || at == ranges->front;
}

/* The first that is nobody's; with stay: only the one that begins there. */
static struct range *find_free(const struct ranges *ranges, const struct fetcher *fetcher,
                               bool stay)
{
    for (struct range *range = ranges->first; range != NULL; range = range->next)
        if (range->owner == NULL && range->got < range->end && is_allowed(ranges, range->ready) &&
            (!stay || range->got == fetcher->answer_at))
            return range;
    return NULL;
}

/* As much as it brings until all are at the end, but no more than in a moment. */
static double wanted_size(const struct ranges *ranges, const struct fetcher *fetcher, int64_t now)
{
    double left = (double)(ranges->end - ranges->fresh), rates = 0;
    size_t others = 0, known = 0;
    for (const struct range *range = ranges->first; range != NULL; range = range->next) {
        left += (double)(range->end - range->got);
        if (range->owner == NULL)
            continue;
        double rate = fetcher_rate(range->owner, now);
        others++;
        known += rate > 0;
        rates += rate;
    }
    double mine = fetcher->rate;
    if (mine <= 0 && known > 0)
        mine = rates / (double)known;
    if (mine <= 0)
        return (double)(left / (double)ranges->fetchers < BLIND ? left / (double)ranges->fetchers
                                                                : BLIND);
    double all = rates + mine * (double)(1 + others - known);
    if (ranges->fetchers > 1 + others) /* those that are about to ask */
        all += mine * (double)(ranges->fetchers - 1 - others);
    double span = fetcher->cost * COSTS_IN_A_RANGE;
    span = span < SHORTEST ? SHORTEST : span > LONGEST ? LONGEST : span;
    double time = left / all;
    if (time > LAST)
        time *= LAST_BUT_ONE; /* what is ahead at the end is appended when all has come */
    return mine * (time < span ? time : span);
}

/* How many fresh bytes for this one; 0: none now. */
static uint64_t fresh_size(const struct ranges *ranges, const struct fetcher *fetcher, int64_t now)
{
    uint64_t left = ranges->end - ranges->fresh;
    if (left == 0 || !is_allowed(ranges, ranges->fresh))
        return 0;
    uint64_t most = ranges->window / ranges->fetchers;
    double wanted = wanted_size(ranges, fetcher, now);
    uint64_t size = clamp(wanted < (double)most ? (uint64_t)wanted : most, ranges->least, most);
    if (left < size + ranges->least / 2)
        size = left;
    uint64_t ahead = ranges->fresh - ranges->front;
    uint64_t room = ranges->window > ahead ? ranges->window - ahead : 0;
    if (size > room)
        size = room < ranges->least ? 0 : room;
    return size;
}

static enum range_claim claim_fresh(struct ranges *ranges, struct fetcher *fetcher, uint64_t size)
{
    struct range **where = &ranges->first;
    while (*where != NULL)
        where = &(*where)->next;
    struct range *range = insert(where, ranges->fresh, ranges->fresh + size);
    if (range == NULL)
        return CLAIM_NO_MEMORY;
    ranges->fresh += size;
    give(range, fetcher);
    return CLAIM_GOT;
}

/* --- taking from others -------------------------------------------------------------------- */

/* Seconds until it is there; < 0: cannot be told yet. */
static double time_left(const struct range *range, int64_t now)
{
    double rate = fetcher_rate(range->owner, now);
    return rate > 0 ? (double)(range->end - range->got) / rate : -1;
}

/* Who ends last; while the window is full, the one at the front: it holds up the others. */
static struct range *find_slowest(const struct ranges *ranges, int64_t now)
{
    bool at_front = ranges->fresh < ranges->end;
    struct range *slowest = NULL;
    double longest = 0;
    for (struct range *range = ranges->first; range != NULL; range = range->next) {
        if (range->owner == NULL || range->got == range->end)
            continue;
        double time = time_left(range, now);
        if (time > longest) {
            longest = time;
            slowest = range;
        }
        if (at_front)
            break;
    }
    return slowest;
}

static enum range_claim claim_share(struct ranges *ranges, struct fetcher *fetcher, int64_t now,
                                    struct fetcher **out_slow)
{
    struct range *slowest = ranges->tight ? NULL : find_slowest(ranges, now);
    if (slowest == NULL)
        return CLAIM_LATER;
    double left = (double)(slowest->end - slowest->got), time = time_left(slowest, now);
    if (time <= 2 * fetcher->cost + NOT_WORTH_IT)
        return CLAIM_LATER;
    double theirs = fetcher_rate(slowest->owner, now);
    double mine = fetcher->rate > 0 ? fetcher->rate : theirs;
    /* Both end at the same time, though we begin later. */
    double share = (left - theirs * fetcher->cost) * mine / (mine + theirs);
    if (share > left - MARGIN)
        share = left - MARGIN;
    if (share < LEAST_TAKEN) {
        bool stalled = time > STALLED + 2 * fetcher->cost && mine >= 4 * theirs;
        *out_slow = slowest->owner;
        return stalled ? CLAIM_SLOW : CLAIM_LATER;
    }
    uint64_t cut = slowest->end - (uint64_t)share;
    struct range *range = insert(&slowest->next, cut, slowest->end);
    if (range == NULL)
        return CLAIM_NO_MEMORY;
    slowest->end = cut;
    give(range, fetcher);
    return CLAIM_GOT;
}

enum range_claim ranges_claim(struct ranges *ranges, struct fetcher *fetcher, bool stay,
                              int64_t now, struct fetcher **out_slow)
{
    bool answers = fetcher->answer_at < fetcher->answer_end;
    /* What costs no request comes first. */
    struct range *range = answers ? find_free(ranges, fetcher, true) : NULL;
    uint64_t size = fresh_size(ranges, fetcher, now);
    bool fresh_is_next = answers && fetcher->answer_at == ranges->fresh;
    if (range == NULL && !(fresh_is_next && size > 0) && !stay)
        range = find_free(ranges, fetcher, false);
    if (range != NULL) {
        give(range, fetcher);
        return CLAIM_GOT;
    }
    if (size > 0 && (fresh_is_next || !stay))
        return claim_fresh(ranges, fetcher, size);
    return stay ? CLAIM_LATER : claim_share(ranges, fetcher, now, out_slow);
}

void ranges_release(struct ranges *ranges, struct fetcher *fetcher)
{
    struct range *range = fetcher->range;
    if (range == NULL)
        return;
    range->got = range->ready;
    range->owner = NULL;
    fetcher->range = NULL;
    drop_passed(ranges);
}
