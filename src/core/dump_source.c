/* SPDX-License-Identifier: MIT */
/*
 * What there is to be dumped, and asking all of it.
 *
 * The registry's lock is held while sources and threads are looked at, and not while loops are waited
 * for: the waiter may be a coroutine, whose loop goes on meanwhile.
 */
#include <sillon/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fork.h"
#include "core/dump.h"
#include "core/dump_thread.h"
#include "core/executor.h"

/* A loop has so many nanoseconds to answer. */
#define PATIENCE INT64_C(200000000)

/* Known to gdb/sillon-gdb.py. */
struct sil__registry sil__registry;

static struct sil__lock sight; /* dump.h, I2 */
_Atomic uint32_t sil__dumps;

void sil__registry_lock(void)
{
    sil__lock_take(&sil__registry.lock);
}

void sil__registry_unlock(void)
{
    sil__lock_drop(&sil__registry.lock);
}

void sil__context_pass(void)
{
    sil__registry_lock();
    sil__registry_unlock();
}

void sil__sight_lock(void)
{
    sil__lock_take(&sight);
}

void sil__sight_unlock(void)
{
    sil__lock_drop(&sight);
}

void sil__object_ends_slow(void)
{
    sil__sight_lock();
    sil__sight_unlock();
}

void sil__dump_in_child(struct sil__thread *self)
{
    sil__registry.lock = sight = (struct sil__lock){0};
    sil__registry.first = NULL;
    sil__registry.last = NULL;
    atomic_store_explicit(&sil__dumps, 0, memory_order_relaxed);
    sil__threads_in_child(self);
    sil__dump_signal_in_child();
}

/* --- sources ------------------------------------------------------------------------------------ */

void sil__source_add(struct sil__source *source, const struct sil__source_ops *ops)
{
    source->ops = ops;
    source->next = NULL;
    source->generation = sil__fork_generation();
    sil__registry_lock();
    source->link = sil__registry.last ? sil__registry.last : &sil__registry.first;
    *source->link = source;
    sil__registry.last = &source->next;
    sil__registry_unlock();
}

void sil__source_remove(struct sil__source *source)
{
    if (source->generation != sil__fork_generation())
        return; /* the registry of the parent */
    sil__registry_lock();
    if (source->link) {
        *source->link = source->next;
        if (source->next)
            source->next->link = source->link;
        else
            sil__registry.last = source->link;
        source->link = NULL;
    }
    sil__registry_unlock();
}

bool sil__source_stats(struct sil__source *source, struct sil__part *part, sil_executor *executor,
                       const char *name)
{
    sil_executor_stats stats = {0};
    part->source = source;
    part->now = sil__clock_now();
    part->executor = executor;
    uint32_t label = sil__part_name(part, name);
    part->label = sil__part_text(part, "%s '%s'", sil_executor_kind(executor), part->text + label);
    (void)sil_executor_stats_get(executor, &stats);
    part->title =
        sil__part_text(part, "%llu running, %llu pending, %llu done; %u %s, %u asleep, %u blocked",
                       (unsigned long long)stats.running, (unsigned long long)stats.pending,
                       (unsigned long long)stats.done, (unsigned)stats.threads,
                       sil__executor_shares_memory(executor) ? "threads" : "processes",
                       (unsigned)stats.sleeping, (unsigned)stats.blocked);
    return true;
}

/* --- asking all --------------------------------------------------------------------------------- */

/* False: not all, for want of memory. */
static bool ask_sources_locked(struct sil__part **end, struct sil__context *context)
{
    for (struct sil__source *source = sil__registry.first; source; source = source->next) {
        struct sil__part *part = sil__part_create();
        if (!part)
            return false;
        part->source = source;
        sil__waiter_init(&part->waiter, context);
        part->asked = !source->ops->fill(source, part);
        *end = part;
        end = &part->next;
    }
    return true;
}

/* False: it is being filled, or its source has ended, and its waiter is woken in a moment. */
static bool give_up(struct sil__part *part)
{
    bool given_up = false;
    sil__registry_lock();
    struct sil__source *source = sil__registry.first;
    while (source && source != part->source)
        source = source->next;
    if (source)
        given_up = source->ops->give_up(source, part);
    sil__registry_unlock();
    return given_up;
}

static void wait_for(struct sil__part *part, struct sil__context *context, sil_deadline until)
{
    static const struct sil__purpose purpose = {.text = "a loop, to dump it"};
    part->waiter.purpose = &purpose;
    context->shielded++;
    int code = context->ops->wait(context, &part->waiter, until);
    context->shielded--;
    if (code != 0 && !give_up(part))
        sil__waiter_settle(&part->waiter);
}

static bool fill_threads(struct sil__part **end)
{
    struct sil__part *part = sil__part_create();
    if (!part)
        return false;
    part->label = sil__part_text(part, "threads");
    part->now = sil__clock_now();
    sil__registry_lock();
    sil__threads_fill(part);
    sil__registry_unlock();
    *end = part;
    return true;
}

struct sil__part *sil__sources_collect(bool *out_whole)
{
    struct sil__context *context = sil__context();
    struct sil__part *first = NULL;
    atomic_fetch_add_explicit(&sil__dumps, 1, memory_order_relaxed);
    sil__barrier_heavy(); /* dump.h, I2 */
    sil__registry_lock();
    *out_whole = ask_sources_locked(&first, context);
    sil__registry_unlock();
    sil_deadline until = sil__clock_now() + PATIENCE;
    struct sil__part **end = &first;
    for (; *end; end = &(*end)->next)
        if ((*end)->asked)
            wait_for(*end, context, until);
    /* After the loops, so that whoever answers for them is not seen doing so. */
    *out_whole &= fill_threads(end);
    /* Release pairs with the acquire in sil__object_ends. */
    atomic_fetch_sub_explicit(&sil__dumps, 1, memory_order_release);
    return first;
}
