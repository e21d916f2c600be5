/* SPDX-License-Identifier: MIT */
/*
 * The runner, see runner.h: the coroutine in runner_run starts one coroutine for each try, a second one
 * reads the input. Both wait for an event of their own, which whoever changes something sets.
 */
#include "run/runner.h"

#include <signal.h>
#include <stdlib.h>

#include <sillon/coro.h>
#include <sillon/error.h>
#include <sillon/status.h>
#include <sillon/sync.h>

#include "run/backlog.h"

struct runner {
    const struct runner_plan *plan;
    struct runner_counts counts;
    struct backlog backlog;
    sil_event *changed; /* something may be started, or has ended */
    sil_event *room;    /* the feeder may read on */
    sil_future *feeder;
    size_t jobs;
    size_t tries; /* coroutines of them; one may still tell of its item when that runs no more */
    int64_t next_start; /* --delay, --rate */
    enum runner_stop why;
    bool stopping;

    /* Items that run, by slot - 1. */
    struct runner_item **slots;
    size_t slot_count;
    size_t lowest_free; /* none below it is */
};

/* --- making one ---------------------------------------------------------------------------- */

struct runner *runner_create(const struct runner_plan *plan)
{
    struct runner *runner = calloc(1, sizeof(*runner));
    if (runner == NULL)
        return NULL;
    runner->plan = plan;
    runner->jobs = plan->jobs > 0 ? plan->jobs : 1;
    runner->changed = sil_event_create("runner: changed");
    runner->room = sil_event_create("runner: room");
    runner->counts.started_at = sil_clock();
    if (runner->changed != NULL && runner->room != NULL)
        return runner;
    runner_destroy(runner);
    return NULL;
}

void runner_destroy(struct runner *runner)
{
    if (runner == NULL)
        return;
    sil_event_destroy(runner->changed);
    sil_event_destroy(runner->room);
    backlog_fini(&runner->backlog);
    free(runner->slots);
    free(runner);
}

const struct runner_counts *runner_counts(const struct runner *runner)
{
    return &runner->counts;
}

/* --- slots --------------------------------------------------------------------------------- */

/* false: out of memory. */
static bool take_slot(struct runner *runner, struct runner_item *item)
{
    size_t at = runner->lowest_free;
    while (at < runner->slot_count && runner->slots[at] != NULL)
        at++;
    if (at == runner->slot_count) {
        size_t count = runner->slot_count * 2 + 8;
        struct runner_item **slots = realloc(runner->slots, count * sizeof(struct runner_item *));
        if (slots == NULL)
            return false;
        for (size_t i = runner->slot_count; i < count; i++)
            slots[i] = NULL;
        runner->slots = slots;
        runner->slot_count = count;
    }
    runner->slots[at] = item;
    runner->lowest_free = at + 1;
    item->slot = (unsigned)at + 1;
    runner->counts.running++;
    if (item->group != NULL)
        item->group->running++;
    return true;
}

static void give_slot_back(struct runner *runner, struct runner_item *item)
{
    size_t at = item->slot - 1;
    runner->slots[at] = NULL;
    if (at < runner->lowest_free)
        runner->lowest_free = at;
    runner->counts.running--;
    if (item->group != NULL)
        item->group->running--;
}

struct runner_item *runner_item_at(const struct runner *runner, unsigned slot)
{
    for (size_t at = slot > 0 ? slot - 1 : 0; at < runner->slot_count; at++)
        if (runner->slots[at] != NULL)
            return runner->slots[at];
    return NULL;
}

struct runner_item *runner_nth_running(const struct runner *runner, size_t index)
{
    struct runner_item *item = runner != NULL ? runner_item_at(runner, 1) : NULL;
    while (item != NULL && index-- > 0)
        item = runner_item_at(runner, item->slot + 1);
    return item;
}

/* --- stopping ------------------------------------------------------------------------------ */

void runner_stop(struct runner *runner, enum runner_stop why, int signal)
{
    if (!runner->stopping) {
        runner->stopping = true;
        runner->why = why;
        if (runner->plan->stopping != NULL)
            runner->plan->stopping(runner->plan->user);
        if (runner->feeder != NULL)
            (void)sil_future_cancel(runner->feeder);
        (void)sil_event_set(runner->changed);
        (void)sil_event_set(runner->room);
    }
    if (signal != 0 && runner->plan->interrupt != NULL)
        runner->plan->interrupt(runner->plan->user, signal);
}

bool runner_stopping(const struct runner *runner)
{
    return runner->stopping;
}

/* A share of few says nothing: three at least. */
enum { LEAST_FOR_SHARE = 3 };

static bool halt_reached(const struct runner *runner)
{
    const struct halt *halt = &runner->plan->halt;
    const struct runner_counts *counts = &runner->counts;
    uint64_t good = counts->ok + counts->skipped, done = good + counts->failed;
    uint64_t counted = halt->what == HALT_FAIL ? counts->failed : done;
    if (halt->what == HALT_SUCCESS)
        counted = good;
    if (!halt->percent)
        return (double)counted >= halt->number;
    return counted >= LEAST_FOR_SHARE && (double)counted * 100 >= halt->number * (double)done;
}

static void heed_halt(struct runner *runner)
{
    if (runner->plan->halt.when == HALT_NEVER || runner->stopping || !halt_reached(runner))
        return;
    runner_stop(runner, RUNNER_HALTED, runner->plan->halt.when == HALT_NOW ? SIGTERM : 0);
}

/* --- an item ------------------------------------------------------------------------------- */

static void settle(struct runner *runner, struct runner_item *item, enum runner_verdict verdict)
{
    if (verdict == ITEM_AGAIN && !runner->stopping && backlog_add_waiting(&runner->backlog, item)) {
        runner->counts.retries++;
        runner->counts.waiting++;
        return;
    }
    switch (verdict) {
    case ITEM_OK:
        runner->counts.ok++;
        break;
    case ITEM_SKIPPED:
        runner->counts.skipped++;
        break;
    case ITEM_FAILED:
        runner->counts.failed++;
        break;
    case ITEM_AGAIN:
    case ITEM_STOPPED:
        verdict = ITEM_STOPPED;
        runner->counts.stopped++;
        break;
    }
    runner->plan->ended(runner->plan->user, item, verdict);
    heed_halt(runner);
}

struct
try {
    struct runner *runner;
    struct runner_item *item;
};

static int run_try(void *arg, void *result)
{
    (void)result;
    const struct try *try = arg;
    struct runner *runner = try->runner;
    enum runner_verdict verdict = runner->plan->run(runner->plan->user, try->item);
    give_slot_back(runner, try->item);
    settle(runner, try->item, verdict);
    runner->tries--;
    (void)sil_event_set(runner->changed);
    return 0;
}

static int64_t after(int64_t now, double seconds)
{
    double span = seconds * 1e9;
    return span < (double)(SIL_FOREVER - now) ? now + (int64_t)span : SIL_FOREVER;
}

static double interval(const struct runner_plan *plan)
{
    double by_rate = plan->rate > 0 ? 1 / plan->rate : 0;
    return by_rate > plan->delay ? by_rate : plan->delay;
}

static void start(struct runner *runner, struct runner_item *item, int64_t now)
{
    if (!take_slot(runner, item)) {
        settle(runner, item, ITEM_STOPPED);
        runner_stop(runner, RUNNER_LOCAL, 0);
        return;
    }
    item->started_at = now;
    item->tries++;
    double pause = interval(runner->plan);
    if (pause > 0)
        runner->next_start = after(now, pause);
    if (item->group != NULL && item->group->rate > 0)
        item->group->next_start = after(now, 1 / item->group->rate);
    const struct try try = {runner, item};
    sil_future *future =
        sil_go_with(&(sil_go_options){.name = "item"}, run_try, &try, sizeof(try), 0);
    /* It has not begun, so if it has ended it could not be made. */
    bool made = !sil_future_done(future);
    sil_future_release(future);
    runner->tries += made;
    if (made)
        return;
    give_slot_back(runner, item);
    settle(runner, item, ITEM_STOPPED);
    runner_stop(runner, RUNNER_LOCAL, 0);
}

/* --- the feeder ---------------------------------------------------------------------------- */

static int feed(void *arg, void *result)
{
    (void)result;
    struct runner *runner = *(struct runner **)arg;
    const struct runner_plan *plan = runner->plan;
    size_t ahead = plan->ahead > 0 ? plan->ahead : 1;
    while (!runner->stopping) {
        (void)sil_event_clear(runner->room);
        if (runner->backlog.ready >= ahead) {
            if (sil_event_wait(runner->room, SIL_FOREVER) != 0)
                break;
            continue;
        }
        struct runner_item *item = plan->next(plan->user);
        if (item == NULL)
            break;
        item->read_at = sil_clock();
        runner->counts.read++;
        backlog_add_ready(&runner->backlog, item);
        (void)sil_event_set(runner->changed);
    }
    runner->counts.input_ended = true;
    (void)sil_event_set(runner->changed);
    return 0;
}

/* --- the run ------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Starts all that may be; says when to look again, even if nothing changes. */
static int64_t start_what_may(struct runner *runner)
{
    const struct runner_plan *plan = runner->plan;
    while (!runner->stopping && runner->counts.running < runner->jobs) {
        int64_t now = sil_clock(), again = SIL_FOREVER;
        if (!backlog_has(&runner->backlog, now, &again))
            return again;
        if (now < runner->next_start)
            return runner->next_start;
        double pause = plan->may_start != NULL ? plan->may_start(plan->user) : 0;
        if (pause > 0)
            return after(now, pause);
        bool waited = false;
        struct runner_item *item = backlog_take(&runner->backlog, now, &waited);
        runner->counts.waiting -= waited;
        (void)sil_event_set(runner->room);
        start(runner, item, now);
    }
    return SIL_FOREVER;
}

static void drop_backlog(struct runner *runner)
{
    struct runner_item *item;
    while ((item = backlog_drop(&runner->backlog)) != NULL)
        settle(runner, item, ITEM_STOPPED);
    runner->counts.waiting = 0;
}

static bool is_over(const struct runner *runner)
{
    return runner->tries == 0 && runner->counts.input_ended && backlog_is_empty(&runner->backlog);
}

enum runner_stop runner_run(struct runner *runner)
{
    sil_deadline deadline = runner->plan->deadline;
    runner->feeder =
        sil_go_with(&(sil_go_options){.name = "feeder"}, feed, &runner, sizeof(runner), 0);
    if (sil_future_done(runner->feeder)) {
        runner->counts.input_ended = true;
        runner_stop(runner, RUNNER_LOCAL, 0);
    }
    for (;;) {
        (void)sil_event_clear(runner->changed);
        int64_t until = start_what_may(runner);
        if (runner->stopping)
            drop_backlog(runner);
        if (is_over(runner))
            break;
        if (!runner->stopping)
            until = earlier(until, deadline);
        int code = sil_event_wait(runner->changed, until);
        if (code == SIL_ECANCELLED)
            runner_stop(runner, RUNNER_SIGNAL, SIGTERM);
        else if (!runner->stopping && sil_clock() >= deadline)
            runner_stop(runner, RUNNER_DEADLINE, SIGTERM);
    }
    (void)sil_take(runner->feeder, NULL, SIL_FOREVER);
    runner->feeder = NULL;
    return runner->why;
}

/* --- changes on the way -------------------------------------------------------------------- */

void runner_set_jobs(struct runner *runner, size_t jobs)
{
    runner->jobs = jobs > 0 ? jobs : 1;
    (void)sil_event_set(runner->changed);
}

size_t runner_jobs(const struct runner *runner)
{
    return runner->jobs;
}

void runner_wake(struct runner *runner)
{
    (void)sil_event_set(runner->changed);
}
