/* SPDX-License-Identifier: MIT */
/*
 * Messages: whole lines to standard error, from coroutines that must not wait (those that handle
 * signals).
 *
 * A line is written at once if that is nobody's turn and it can be without waiting. Otherwise it is kept:
 * who has the turn writes it before giving it back; and if it is nobody's, the talker, a coroutine that
 * is started for that, waits for the reader. Only who says very much while nothing is taken waits too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/coro.h>

#include "output/screen_impl.h"

enum { MOST_KEPT = 64 << 10 };

void said_write(struct screen *screen)
{
    while (screen->said.size > 0) { /* others add to it meanwhile */
        struct bytes taken = screen->said;
        screen->said = (struct bytes){0};
        (void)outlet_write(&screen->err.outlet, taken.data, taken.size);
        screen->live.mid_line = false;
        bytes_fini(&taken);
    }
}

static void write_in_turn(struct screen *screen)
{
    channel_begin_surely(screen, &screen->err);
    channel_end(screen, &screen->err);
}

static int talk(void *arg, void *result)
{
    (void)result;
    write_in_turn(*(struct screen **)arg);
    return 0;
}

static void start_talker(struct screen *screen)
{
    if (screen->talker && !sil_future_done(screen->talker))
        return;
    sil_future_release(screen->talker);
    sil_deadline outer = sil_deadline_scope(SIL_FOREVER);
    sil_deadline_restore(SIL_FOREVER); /* it does not end with who speaks */
    screen->talker = sil_go_with(&(sil_go_options){.name = "messages"}, talk, &screen,
                                 sizeof(screen), 0); /* if it fails the next turn will do */
    sil_deadline_restore(outer);
}

/* While it is nobody's turn: as much as can be at once. */
static void write_at_once(struct screen *screen)
{
    struct bytes *said = &screen->said;
    live_try_take_away(&screen->live);
    size_t done = screen->live.shown ? 0 : outlet_try(&screen->err.outlet, said->data, said->size);
    if (done > 0)
        screen->live.mid_line = said->data[done - 1] != '\n';
    memmove(said->data, said->data + done, said->size - done);
    said->size = screen->err.outlet.error == 0 ? said->size - done : 0;
    if (said->size > 0)
        start_talker(screen);
}

void said_add(struct screen *screen, const char *line, size_t size)
{
    if (screen->err.outlet.error != 0)
        return;
    bool waits = screen->said.size > 0 || turn_is_taken(screen->err.turn);
    if (!bytes_add(&screen->said, line, size)) {
        channel_begin_surely(screen, &screen->err);
        (void)outlet_write(&screen->err.outlet, line, size);
        channel_end(screen, &screen->err);
    } else if (!waits) {
        write_at_once(screen);
    } else if (screen->said.size > MOST_KEPT) {
        write_in_turn(screen);
    }
}

void said_fini(struct screen *screen)
{
    if (screen->talker)
        await_surely(screen->talker);
    sil_future_release(screen->talker);
    screen->talker = NULL;
    bytes_fini(&screen->said);
}
