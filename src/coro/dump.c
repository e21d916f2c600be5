/* SPDX-License-Identifier: MIT */
/*
 * Loops in dumps. A loop tells of its coroutines itself, on its own thread, between two of them: so there
 * is nothing that its switches would have to say to anybody.
 *
 * When a coroutine does not let it, only that one is told of (core/dump_thread.h).
 */
#include "base/biased.h"
#include "base/clock.h"
#include "core/dump_thread.h"
#include "coro/loop.h"

static struct sil__loop *loop_of(struct sil__source *source)
{
    return (struct sil__loop *)((char *)source - offsetof(struct sil__loop, source));
}

static void head(const struct sil__loop *loop, struct sil__part *part)
{
    uint32_t name = sil__part_name(part, loop->name);
    part->executor = &loop->base;
    part->label = sil__part_text(part, "loop '%s'", part->text + name);
}

/* --- by the loop -------------------------------------------------------------------------------- */

static void look(const struct sil__loop *loop, struct sil__part *part,
                 struct sil__coroutine *coroutine, struct sil__node *node)
{
    struct sil__sight sight = {.part = part, .node = node};
    node->seen = coroutine == loop->current ? SIL__SEEN_RUNNING : SIL__SEEN_READY;
    if (!coroutine->parked)
        return;
    node->since = coroutine->since;
    sil__node_waits(part, node, &coroutine->context, coroutine->waiter);
    if (coroutine->joins && node->count == 0)
        sil__sight_futures(&sight, &coroutine->join_future, 1, SIL__NEED_ALL);
}

/* Owner, or on its thread. */
static void fill(struct sil__loop *loop, struct sil__part *part)
{
    size_t seen[SIL__SEEN_WAITING + 1] = {0};
    part->now = sil__clock_now();
    struct sil__coroutine *coroutine = loop->live;
    while (coroutine && coroutine->next_live)
        coroutine = coroutine->next_live;
    for (; coroutine; coroutine = coroutine->prev_live) {
        struct sil__node node = {0};
        look(loop, part, coroutine, &node);
        seen[node.seen]++;
        if (sil__part_context(part, &coroutine->context, &node))
            continue;
        /* Its callbacks run, and the task may be gone. */
        node.task = coroutine;
        node.plain = true;
        node.name = sil__part_text(part, "ending");
        sil__part_add(part, &node);
    }
    sil_executor_stats stats = {0};
    (void)sil_executor_stats_get(&loop->base, &stats);
    part->title =
        sil__part_text(part, "%zu running, %zu ready, %zu waiting, %llu pending, %llu done",
                       seen[SIL__SEEN_RUNNING], seen[SIL__SEEN_READY], seen[SIL__SEEN_WAITING],
                       (unsigned long long)stats.pending, (unsigned long long)stats.done);
}

void sil__loop_answer(struct sil__loop *loop)
{
    loop->asked = false;
    struct sil__part *part = sil__intake_take_asked(loop);
    while (part) {
        struct sil__part *next = part->next_asked;
        fill(loop, part);
        sil__waiter_wake(&part->waiter);
        part = next;
    }
}

/* --- by whoever dumps --------------------------------------------------------------------------- */

static bool source_fill(struct sil__source *source, struct sil__part *part)
{
    struct sil__loop *loop = loop_of(source);
    uintptr_t home = atomic_load_explicit(&loop->home, memory_order_relaxed);
    head(loop, part);
    if (home == sil__biased_identity())
        fill(loop, part);
    else if (home == 0)
        part->title = sil__part_text(part, "not running");
    else
        sil__intake_ask(loop, part);
    return home == sil__biased_identity() || home == 0;
}

static struct sil__context *current_of(void *user)
{
    struct sil__loop *loop = user;
    /* Acquire pairs with the release in schedule.c. */
    struct sil__coroutine *current = __atomic_load_n(&loop->current, __ATOMIC_ACQUIRE);
    return current ? &current->context : NULL;
}

static bool source_give_up(struct sil__source *source, struct sil__part *part)
{
    struct sil__loop *loop = loop_of(source);
    if (!sil__intake_unask(loop, part))
        return false;
    struct sil__node node = {
        .seen = SIL__SEEN_RUNNING,
        .since = atomic_load_explicit(&loop->turn_at, memory_order_relaxed),
    };
    part->now = sil__clock_now();
    node.what = sil__part_text(part, "holds the loop, since this turn began or later");
    bool held = sil__thread_peek(part, current_of, loop, &node);
    part->title =
        sil__part_text(part, "does not answer%s", held ? "" : ": its thread does something else");
    return true;
}

const struct sil__source_ops sil__loop_source = {.fill = source_fill, .give_up = source_give_up};

void sil__loop_show(struct sil__loop *loop)
{
    sil__source_add(&loop->source, &sil__loop_source);
}

void sil__loop_hide(struct sil__loop *loop)
{
    sil__source_remove(&loop->source);
    struct sil__part *part = sil__intake_take_asked(loop);
    while (part) {
        struct sil__part *next = part->next_asked;
        part->title = sil__part_text(part, "has ended");
        sil__waiter_wake(&part->waiter);
        part = next;
    }
}
