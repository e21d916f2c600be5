/* SPDX-License-Identifier: MIT */
/*
 * Turns at writing to a stream, in the order of those who came.
 *
 * A turn is handed on, not let go of: whoever it was handed to has it, even if its deadline has come, or
 * its cancel, at the same moment.
 */
#include <sillon/status.h>

#include "coro/stream.h"

struct sil__turn {
    struct sil__waiter waiter;
    struct sil__turn *next;
    bool told;
};

static void unlink_turn(sil_stream *stream, const struct sil__turn *turn)
{
    struct sil__turn **link = &stream->turns;
    while (*link && *link != turn)
        link = &(*link)->next;
    if (*link)
        *link = turn->next;
}

static const struct sil__purpose purpose = {.text = "another's write to the same stream"};

int sil__turn_take_slow(struct sil__call *call)
{
    sil_stream *stream = call->stream;
    struct sil__context *context = sil__context();
    struct sil__turn turn = {0};
    sil__waiter_init(&turn.waiter, context);
    turn.waiter.purpose = &purpose;
    struct sil__turn **last = &stream->turns;
    while (*last)
        last = &(*last)->next;
    *last = &turn;
    call->waited = true;
    if (context->deferred)
        sil__state_drain(context);
    int code = context->ops->wait(context, &turn.waiter, sil__context_until(context, call->until));
    if (turn.told) {
        if (code != 0)
            sil__waiter_settle(&turn.waiter);
        return stream->closed ? sil__stream_refuse(stream, call->what) : 0;
    }
    unlink_turn(stream, &turn);
    if (code == SIL_ECANCELLED)
        return sil__context_deliver_cancel(context, call->what);
    return sil__fail(code, "%s: it was another's turn to write until the deadline came",
                     call->what);
}

void sil__turn_drop_slow(sil_stream *stream)
{
    struct sil__turn *turn = stream->turns;
    stream->turns = turn->next;
    turn->told = true;
    sil__waiter_wake(&turn->waiter);
}

void sil__turns_end(sil_stream *stream)
{
    while (stream->turns)
        sil__turn_drop_slow(stream);
}
