/* SPDX-License-Identifier: MIT */
/*
 * Shields: a future that mirrors another, and can be cancelled by itself.
 *
 * I1: the source is held until the mirror has ended.
 * I2: while the listener is in the source's list, or told but not yet done, it holds a reference to
 *     the mirror.
 */
#include <sillon/group.h>

#include <sillon/status.h>

#include "core/context.h"
#include "core/settle.h"
#include "core/wait.h"

/* In the mirror's argument bytes. */
struct shield {
    struct sil__listener listener; /* first */
    sil_future *mirror;            /* not counted (but I2) */
    sil_future *source;            /* owned, or NULL (I1); guarded by the mirror's lock */
};

static struct shield *shield_of(sil_future *mirror)
{
    return (struct shield *)mirror->bytes;
}

/* Returns owned; NULL for all but one caller. */
static sil_future *take_source(sil_future *mirror)
{
    sil__lock_take(&mirror->lock);
    sil_future *source = shield_of(mirror)->source;
    shield_of(mirror)->source = NULL;
    sil__lock_drop(&mirror->lock);
    return source;
}

/* The source is let go of, and goes on. */
static sil_future *shield_cancelled(sil_future *mirror)
{
    sil_future *source = take_source(mirror);
    if (source && sil__state_unlisten(source, &shield_of(mirror)->listener))
        sil_future_release(mirror); /* I2 */
    sil_future_release(source);
    return NULL;
}

static size_t shield_inputs(sil_future *mirror, sil_future *const **out_futures,
                            enum sil__need *out_need)
{
    struct shield *shield = shield_of(mirror);
    *out_futures = &shield->source;
    *out_need = SIL__NEED_ALL;
    return shield->source ? 1 : 0;
}

static const struct sil__future_kind shield_kind = {
    .cancelled = shield_cancelled,
    .inputs = shield_inputs,
};

static void source_ended(struct sil__listener *listener, sil_future *source)
{
    sil_future *mirror = ((struct shield *)listener)->mirror;
    if (sil__state_claim(mirror)) {
        sil__settle_like(mirror, source);
        sil_future_release(take_source(mirror));
    }
    sil_future_release(mirror); /* I2 */
}

sil_future *sil_shield(sil_future *source)
{
    if (!source)
        return sil__future_failed(SIL_EINVAL, "sil_shield: the future is NULL");
    sil_future *mirror = sil__future_create(
        &(struct sil__task_spec){.kind = &shield_kind, .arg_size = sizeof(struct shield)}, 1);
    if (!mirror)
        return sil__future_failed_last();
    /* What a take copies; the value itself lies elsewhere. */
    mirror->result_size = source->result_size;
    if (sil__wait_forked(source))
        mirror->generation = source->generation; /* neither will ever end here */
    *shield_of(mirror) = (struct shield){
        .listener = {.notify = source_ended, .deferred = true},
        .mirror = mirror,
        .source = sil_future_retain(source),
    };
    sil_future_retain(mirror); /* I2 */
    if (!sil__state_listen(source, &shield_of(mirror)->listener))
        source_ended(&shield_of(mirror)->listener, source);
    return mirror;
}
