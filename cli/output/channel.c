/* SPDX-License-Identifier: MIT */
/*
 * Writing in turn, above the live lines.
 */
#include "output/screen_impl.h"

/* See screen_impl.h, I1. */
static void settle(struct screen *screen, struct channel *channel)
{
    if (channel->live && screen->live.shown) {
        live_take_away(&screen->live, &screen->away);
        (void)outlet_write(&channel->outlet, screen->away.data, screen->away.size);
    }
    if (channel->turn == screen->err.turn)
        said_write(screen);
}

int channel_begin(struct screen *screen, struct channel *channel)
{
    if (channel->outlet.error != 0)
        return channel->outlet.error;
    int error = turn_take(channel->turn);
    if (error == 0)
        settle(screen, channel);
    return error;
}

void channel_begin_surely(struct screen *screen, struct channel *channel)
{
    turn_take_surely(channel->turn);
    settle(screen, channel);
}

void channel_end(struct screen *screen, struct channel *channel)
{
    if (channel->turn == screen->err.turn && channel->turn->depth == 1)
        said_write(screen);
    turn_give(channel->turn);
}

int channel_write(struct screen *screen, struct channel *channel, const struct piece *piece)
{
    int error = channel_begin(screen, channel);
    if (error != 0)
        return error;
    struct outlet *outlet = &channel->outlet;
    error = piece->fd < 0 ? outlet_write(outlet, piece->bytes, (size_t)piece->size)
                          : outlet_send(outlet, piece->fd, piece->offset, piece->size);
    if (channel->live && piece->size > 0)
        screen->live.mid_line = outlet->last != '\n';
    channel_end(screen, channel);
    return error;
}
