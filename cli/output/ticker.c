/* SPDX-License-Identifier: MIT */
/*
 * The ticker: a coroutine that looks at the figures now and then, and has them shown. Nobody else does,
 * so what is written and done costs nothing for it.
 */
#include <string.h>

#include <sillon/coro.h>
#include <sillon/deadline.h>
#include <sillon/status.h>

#include "output/screen_impl.h"

static void look(struct screen *screen, bool last)
{
    struct screen_figures figures;
    memset(&figures, 0, sizeof(figures));
    screen->plan->figures(screen->plan->user, &figures);
    rates_add(&screen->rates, sil_clock(), &figures);
    screen->progress->look(screen, &figures, last);
}

static int tick(void *arg, void *result)
{
    (void)result;
    struct screen *screen = *(struct screen **)arg;
    const struct progress_kind *kind = screen->progress;
    double interval = kind->interval(&screen->setup);
    double seconds = kind->wants_first ? screen->setup.first : interval;
    while (sil_event_wait(screen->wake, sil_in(seconds)) == SIL_ETIMEDOUT) {
        look(screen, false);
        seconds = interval;
    }
    if (screen->ending) /* otherwise the loop ends, and who knows what is left */
        look(screen, true);
    return 0;
}

void await_surely(sil_future *future)
{
    sil_deadline outer = sil_deadline_scope(SIL_FOREVER);
    sil_deadline_restore(SIL_FOREVER);
    while (!sil_future_done(future))
        (void)sil_await(future, SIL_FOREVER); /* a cancel is told once */
    sil_deadline_restore(outer);
}

/* Has it ended by then? */
static bool await_until(sil_future *future, sil_deadline until)
{
    sil_deadline outer = sil_deadline_scope(SIL_FOREVER);
    sil_deadline_restore(SIL_FOREVER);
    while (!sil_future_done(future) && sil_clock() < until)
        (void)sil_await(future, until);
    sil_deadline_restore(outer);
    return sil_future_done(future);
}

bool ticker_start(struct screen *screen)
{
    if (!screen->progress)
        return true;
    screen->rates.start.at = sil_clock();
    screen->line_at = sil_clock();
    screen->wake = sil_event_create("screen");
    if (!screen->wake)
        return false;
    sil_deadline outer = sil_deadline_scope(SIL_FOREVER);
    sil_deadline_restore(SIL_FOREVER);
    screen->ticker =
        sil_go_with(&(sil_go_options){.name = "screen"}, tick, &screen, sizeof(screen), 0);
    sil_deadline_restore(outer);
    if (!sil_future_done(screen->ticker))
        return true;
    (void)sil_await(screen->ticker, SIL_NOW); /* for its error */
    return false;
}

void ticker_end(struct screen *screen)
{
    if (screen->ticker && !sil_future_done(screen->ticker)) {
        screen->ending = true;
        (void)sil_event_set(screen->wake);
        /* A program that asked for progress lines and does not read them cannot keep us here. */
        if (screen->has_own && !await_until(screen->ticker, sil_in(screen->setup.grace))) {
            screen->own.outlet.abandoned = true;
            (void)sil_future_cancel(screen->ticker);
        }
        await_surely(screen->ticker);
    }
    sil_future_release(screen->ticker);
    screen->ticker = NULL;
    sil_event_destroy(screen->wake);
    screen->wake = NULL;
}
