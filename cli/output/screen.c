/* SPDX-License-Identifier: MIT */
/*
 * The screen, see screen.h: it is put together here, of the parts in screen_impl.h.
 */
#include "output/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "output/screen_impl.h"

const struct screen_setup screen_usual = {.out = 1,
                                          .err = 2,
                                          .first = 0.2,
                                          .frame = 0.1,
                                          .json = 1,
                                          .look = 0.25,
                                          .line = 10,
                                          .grace = 1};

/* --- made and given back --------------------------------------------------------------------- */

static const struct progress_kind *choose_progress(const struct report_options *options, int err)
{
    bool possible = live_possible(err);
    if (options->quiet > 0)
        return NULL;
    switch ((enum progress_mode)options->progress) {
    case PROGRESS_AUTO:
        return possible ? &progress_bar : NULL;
    case PROGRESS_BAR: /* no escape sequences without a terminal */
        return possible ? &progress_bar : &progress_plain;
    case PROGRESS_PLAIN:
        return &progress_plain;
    case PROGRESS_JSON:
        return &progress_json;
    case PROGRESS_NONE:
        break;
    }
    return NULL;
}

static int choose_json_channel(struct screen *screen)
{
    uint64_t number = screen->plan->options->progress_fd;
    screen->progress_channel = &screen->err;
    if (screen->progress != &progress_json || number == (uint64_t)screen->setup.err)
        return 0;
    screen->progress_channel = &screen->out;
    if (number == (uint64_t)screen->setup.out)
        return 0;
    if (number > INT32_MAX || fcntl((int)number, F_GETFD) < 0)
        return sil_fail(EBADF, "--progress-fd %llu is not open", (unsigned long long)number);
    screen->progress_channel = &screen->own;
    outlet_init(&screen->own.outlet, (int)number);
    screen->has_own = true;
    return 0;
}

static int init_channels(struct screen *screen)
{
    struct channel *out = &screen->out, *err = &screen->err, *own = &screen->own;
    static const char *const names[] = {"output", "errors", "progress"};
    for (int i = 0; i < 3; i++)
        if (!turn_init(&screen->turns[i], names[i]))
            return sil_error_code(sil_last_error());
    out->turn = &screen->turns[0];
    err->turn = outlet_same(&out->outlet, &err->outlet) ? out->turn : &screen->turns[1];
    own->turn = &screen->turns[2];
    if (screen->has_own && outlet_same(&own->outlet, &err->outlet))
        own->turn = err->turn;
    else if (screen->has_own && outlet_same(&own->outlet, &out->outlet))
        own->turn = out->turn;
    err->live = screen->progress == &progress_bar;
    out->live = err->live && out->turn == err->turn;
    return 0;
}

struct screen *screen_create_with(const struct screen_plan *plan, const struct screen_setup *setup)
{
    struct screen *screen = calloc(1, sizeof(*screen));
    if (!screen) {
        (void)sil_fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    screen->plan = plan;
    screen->setup = *setup;
    screen->progress = choose_progress(plan->options, setup->err);
    outlet_init(&screen->out.outlet, setup->out);
    outlet_init(&screen->err.outlet, setup->err);
    live_init(&screen->live, &screen->err.outlet, color_wanted(plan->options->color, setup->err));
    if (choose_json_channel(screen) == 0 && init_channels(screen) == 0 && ticker_start(screen))
        return screen;
    screen_destroy(screen);
    return NULL;
}

struct screen *screen_create(const struct screen_plan *plan)
{
    return screen_create_with(plan, &screen_usual);
}

static void finish(struct screen *screen, struct channel *channel)
{
    if (!channel->turn)
        return;
    channel_begin_surely(screen, channel);
    channel_end(screen, channel);
}

void screen_end_progress(struct screen *screen)
{
    ticker_end(screen);
}

void screen_destroy(struct screen *screen)
{
    if (!screen)
        return;
    ticker_end(screen);
    finish(screen, &screen->err);
    finish(screen, &screen->out);
    said_fini(screen);
    for (int i = 0; i < 3; i++)
        turn_fini(&screen->turns[i]);
    live_fini(&screen->live);
    bytes_fini(&screen->away);
    outlet_fini(&screen->out.outlet);
    outlet_fini(&screen->err.outlet);
    if (screen->has_own)
        outlet_fini(&screen->own.outlet);
    free(screen);
}

/* --- results --------------------------------------------------------------------------------- */

int screen_out(struct screen *screen, const void *bytes, size_t size)
{
    return channel_write(screen, &screen->out,
                         &(struct piece){.bytes = bytes, .fd = -1, .size = size});
}

int screen_out_file(struct screen *screen, int fd, uint64_t offset, uint64_t size)
{
    return channel_write(screen, &screen->out,
                         &(struct piece){.fd = fd, .offset = offset, .size = size});
}

int screen_out_begin(struct screen *screen)
{
    return channel_begin(screen, &screen->out);
}

void screen_out_end(struct screen *screen)
{
    channel_end(screen, &screen->out);
}

int screen_err(struct screen *screen, const void *bytes, size_t size)
{
    return channel_write(screen, &screen->err,
                         &(struct piece){.bytes = bytes, .fd = -1, .size = size});
}

int screen_err_file(struct screen *screen, int fd, uint64_t offset, uint64_t size)
{
    return channel_write(screen, &screen->err,
                         &(struct piece){.fd = fd, .offset = offset, .size = size});
}

int screen_error(const struct screen *screen)
{
    return screen->out.outlet.error;
}

/* --- messages -------------------------------------------------------------------------------- */

/* "sillon get: text\n". @return its size; 0: there is no room. */
static size_t format_line(char *line, size_t size, const char *command, const char *format,
                          va_list args)
{
    int begun = snprintf(line, size, "sillon %s: ", command);
    if (begun < 0 || (size_t)begun >= size)
        return 0;
    int said = vsnprintf(line + begun, size - (size_t)begun, format, args);
    if (said < 0 || (size_t)begun + (size_t)said + 1 >= size)
        return 0;
    line[begun + said] = '\n';
    return (size_t)begun + (size_t)said + 1;
}

void screen_say(struct screen *screen, const char *format, ...)
{
    enum { SHORT = 512, LONG = 256 << 10 };
    char line[SHORT];
    va_list args;
    if (screen->plan->options->quiet > 1)
        return;
    va_start(args, format);
    size_t size = format_line(line, sizeof(line), screen->plan->command, format, args);
    va_end(args);
    if (size > 0) {
        said_add(screen, line, size);
        return;
    }
    char *longer = malloc(LONG);
    va_start(args, format);
    size = longer ? format_line(longer, LONG, screen->plan->command, format, args) : 0;
    va_end(args);
    if (size > 0) {
        said_add(screen, longer, size);
    } else { /* no one reads a message to that end */
        memcpy(line + sizeof(line) - 5, "...\n", 5);
        said_add(screen, line, strlen(line));
    }
    free(longer);
}

/* --- the live lines -------------------------------------------------------------------------- */

void screen_suspend(struct screen *screen)
{
    screen->suspended = true;
    if (screen->err.live && !turn_is_taken(screen->err.turn))
        live_try_take_away(&screen->live);
}

void screen_resume(struct screen *screen)
{
    screen->suspended = false;
}
