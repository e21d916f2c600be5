/* SPDX-License-Identifier: MIT */
/*
 * All, any, race: one future made of many.
 *
 * Each input has a listener; the input that decides claims the future, ends it, and takes the
 * listeners out of all other inputs, so that racing again and again against one future that
 * lives long leaves nothing behind in it.
 *
 * I1: inputs are held until the future has ended.
 * I2: a listener that is in an input's list, or told but not yet done, holds a reference to the
 *     future.
 */
#include <sillon/combine.h>

#include <string.h>

#include "base/alloc.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "core/settle.h"
#include "core/wait.h"

enum how { ALL, ANY, RACE };

struct entry {
    struct sil__listener listener;
    sil_future *future; /* not counted (but I2): the combined one */
};

/* In the future's argument bytes; behind it lie the entries, then the inputs. */
struct combined {
    enum how how;
    size_t count;
    size_t input_count;  /* count, then 0 (I1); guarded by the future's lock */
    _Atomic size_t open; /* inputs that have not had their say */
    struct entry *entries;
    sil_future **inputs; /* owned, while input_count says so */
};

static struct combined *combined_of(sil_future *future)
{
    return (struct combined *)future->bytes;
}

/* True for the one caller who now owns the references to the inputs. */
static bool take_inputs(sil_future *future)
{
    struct combined *combined = combined_of(future);
    sil__lock_take(&future->lock);
    bool taken = combined->input_count > 0;
    combined->input_count = 0;
    sil__lock_drop(&future->lock);
    return taken;
}

static void unlisten(sil_future *future, size_t index, sil_future *input)
{
    if (sil__state_unlisten(input, &combined_of(future)->entries[index].listener))
        sil_future_release(future); /* I2 */
}

static void drop_inputs(sil_future *future)
{
    struct combined *combined = combined_of(future);
    if (!take_inputs(future))
        return;
    for (size_t i = 0; i < combined->count; i++) {
        unlisten(future, i, combined->inputs[i]);
        sil_future_release(combined->inputs[i]);
    }
}

/* Of those that are combined themselves one is handed on, so that a chain needs no stack. */
static sil_future *combined_cancelled(sil_future *future)
{
    struct combined *combined = combined_of(future);
    sil_future *next = NULL;
    if (!take_inputs(future))
        return NULL;
    for (size_t i = 0; i < combined->count; i++)
        unlisten(future, i, combined->inputs[i]);
    for (size_t i = 0; i < combined->count; i++) {
        sil_future *input = combined->inputs[i];
        if (!next && input->kind && input->kind->cancelled) {
            next = input;
            continue;
        }
        (void)sil_future_cancel(input);
        sil_future_release(input);
    }
    return next;
}

static size_t combined_inputs(sil_future *future, sil_future *const **out_futures,
                              enum sil__need *out_need)
{
    static const enum sil__need needs[] = {
        [ALL] = SIL__NEED_ALL, [ANY] = SIL__NEED_SUCCESS, [RACE] = SIL__NEED_ONE};
    struct combined *combined = combined_of(future);
    *out_futures = combined->inputs;
    *out_need = needs[combined->how];
    return combined->input_count;
}

static const struct sil__future_kind combined_kind = {
    .cancelled = combined_cancelled,
    .inputs = combined_inputs,
};

/* The values of all inputs, one after the other. 0 or SIL_ENOMEM. */
static int join_values(sil_future *future)
{
    struct combined *combined = combined_of(future);
    size_t total = 0;
    size_t size;
    for (size_t i = 0; i < combined->count; i++) {
        (void)sil_future_result(combined->inputs[i], &size);
        total += size;
    }
    if (total == 0 && future->result_size == 0)
        return 0;
    struct sil__details *details = sil__future_details(future);
    unsigned char *block = details ? sil__alloc_raw(total) : NULL;
    if (!block)
        return SIL_ENOMEM;
    details->block = block;
    details->block_size = total;
    details->block_free = sil__free;
    for (size_t i = 0; i < combined->count; i++) {
        const void *value = sil_future_result(combined->inputs[i], &size);
        if (size)
            memcpy(block, value, size);
        block += size;
    }
    return 0;
}

/* An input has ended. */
static void entry_ready(struct sil__listener *listener, sil_future *input)
{
    sil_future *future = ((struct entry *)listener)->future;
    struct combined *combined = combined_of(future);
    bool failed = sil_future_code(input) != 0;
    bool last = atomic_fetch_sub_explicit(&combined->open, 1, memory_order_acq_rel) == 1;
    bool decides = last || combined->how == RACE || (combined->how == ALL ? failed : !failed);
    if (decides && sil__state_claim(future)) {
        if (combined->how == ALL && !failed)
            sil__state_finish(future, join_values(future), NULL);
        else
            sil__settle_like(future, input);
        drop_inputs(future);
    }
    sil_future_release(future); /* I2 */
}

static void listen_all(sil_future *future, sil_future *const *futures, size_t count)
{
    struct combined *combined = combined_of(future);
    for (size_t i = 0; i < count && !sil__future_final(future); i++) {
        struct entry *entry = &combined->entries[i];
        sil_future_retain(future); /* I2 */
        if (!sil__state_listen(futures[i], &entry->listener))
            entry_ready(&entry->listener, futures[i]);
    }
    /* Decided by another thread while we went on listening: take out what it could not see. */
    if (sil__future_final(future))
        for (size_t i = 0; i < count; i++)
            unlisten(future, i, futures[i]);
}

static bool total_result_size(sil_future *const *futures, size_t count, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        *out += futures[i]->result_size;
        if (*out > SIL__SIZE_LIMIT)
            return false;
    }
    return true;
}

static size_t largest_result_size(sil_future *const *futures, size_t count)
{
    size_t largest = 0;
    for (size_t i = 0; i < count; i++)
        if (futures[i]->result_size > largest)
            largest = futures[i]->result_size;
    return largest;
}

/* The future, its entries and its references; not listening yet. NULL with an error set. */
static sil_future *create(sil_future *const *futures, size_t count, enum how how)
{
    size_t per_input, result_size;
    if (!sil__size_mul(count, sizeof(struct entry) + sizeof(sil_future *), &per_input) ||
        !total_result_size(futures, count, &result_size)) {
        sil__fail(SIL_EINVAL, "the values of %zu futures are too large together", count);
        return NULL;
    }
    sil_future *future = sil__future_create(
        &(struct sil__task_spec){
            .kind = &combined_kind,
            .arg_size = sizeof(struct combined) + per_input,
            .result_size = 0,
        },
        1);
    if (!future)
        return NULL;
    /* What a take copies; the value itself lies elsewhere. */
    future->result_size = how == ALL ? result_size : largest_result_size(futures, count);
    struct combined *combined = combined_of(future);
    combined->how = how;
    combined->count = combined->input_count = count;
    atomic_init(&combined->open, count);
    combined->entries = (struct entry *)(combined + 1);
    combined->inputs = (sil_future **)(combined->entries + count);
    for (size_t i = 0; i < count; i++) {
        combined->entries[i] =
            (struct entry){.listener = {.notify = entry_ready, .deferred = true}, .future = future};
        combined->inputs[i] = sil_future_retain(futures[i]);
        if (sil__wait_forked(futures[i]))
            future->generation = futures[i]->generation; /* may never end here */
    }
    return future;
}

static sil_future *combine(sil_future *const *futures, size_t count, enum how how)
{
    if ((!futures && count > 0) || count > SIL__SIZE_LIMIT / sizeof(sil_future *))
        return sil__future_failed(SIL_EINVAL, "all, any or race: no futures, or too many");
    for (size_t i = 0; i < count; i++)
        if (!futures[i])
            return sil__future_failed(SIL_EINVAL, "all, any or race: future %zu is NULL", i);
    if (count == 0 && how != ALL)
        return sil__future_failed(SIL_EINVAL, "any or race of no future can never succeed");
    sil_future *future = create(futures, count, how);
    if (!future)
        return sil__future_failed_last();
    if (count > 0) {
        listen_all(future, futures, count);
    } else {
        (void)sil__state_claim(future);
        sil__state_finish(future, 0, NULL);
    }
    return future;
}

sil_future *sil_all(sil_future *const *futures, size_t count)
{
    return combine(futures, count, ALL);
}

sil_future *sil_any(sil_future *const *futures, size_t count)
{
    return combine(futures, count, ANY);
}

sil_future *sil_race(sil_future *const *futures, size_t count)
{
    return combine(futures, count, RACE);
}
