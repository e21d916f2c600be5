/* SPDX-License-Identifier: MIT */
/*
 * A screen that remembers: all of cli/output/screen.h, for tests of what writes to it. Include it once in
 * a program; the linker then has no use for the real one.
 */
#ifndef TESTS_UNIT_CLI_FAKE_SCREEN_H
#define TESTS_UNIT_CLI_FAKE_SCREEN_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/sillon.h>

#include "output/screen.h"

struct seen {
    char *text; /**< terminated */
    size_t size, calls;
};

struct screen {
    struct seen out, err;
    int error;          /**< what writing returns */
    sil_event *open;    /**< clear: the reader does not read */
    sil_event *written; /**< set after each write */
    sil_mutex *lock;    /**< of standard output */
    unsigned misuses;   /**< writes without the lock */
};

struct screen *screen_create(const struct screen_plan *plan)
{
    (void)plan;
    struct screen *screen = calloc(1, sizeof *screen);
    if (screen == NULL)
        abort();
    screen->out.text = calloc(1, 1);
    screen->err.text = calloc(1, 1);
    screen->open = sil_event_create("open");
    screen->written = sil_event_create("written");
    screen->lock = sil_mutex_create("screen");
    (void)sil_event_set(screen->open);
    return screen;
}

void screen_destroy(struct screen *screen)
{
    if (screen == NULL)
        return;
    sil_event_destroy(screen->open);
    sil_event_destroy(screen->written);
    sil_mutex_destroy(screen->lock);
    free(screen->out.text);
    free(screen->err.text);
    free(screen);
}

static int fake_add(struct screen *screen, struct seen *seen, const void *bytes, size_t size)
{
    (void)sil_event_wait(screen->open, SIL_FOREVER);
    (void)sil_yield(); /* so that others would come between if they could */
    if (screen->error != 0)
        return screen->error;
    seen->text = realloc(seen->text, seen->size + size + 1);
    if (seen->text == NULL)
        abort();
    if (size > 0)
        memcpy(seen->text + seen->size, bytes, size);
    seen->size += size;
    seen->text[seen->size] = '\0';
    seen->calls++;
    (void)sil_event_set(screen->written);
    return 0;
}

static int fake_add_file(struct screen *screen, struct seen *seen, int fd, uint64_t offset,
                         uint64_t size)
{
    char *bytes = malloc(size + 1);
    if (bytes == NULL)
        abort();
    size_t got = 0;
    for (ssize_t more = 1; more > 0 && got < size; got += (size_t)more) {
        more = pread(fd, bytes + got, size - got, (off_t)(offset + got));
        if (more < 0)
            abort();
    }
    int error = fake_add(screen, seen, bytes, got);
    free(bytes);
    return error;
}

int screen_out(struct screen *screen, const void *bytes, size_t size)
{
    screen->misuses += !sil_mutex_locked(screen->lock);
    return fake_add(screen, &screen->out, bytes, size);
}

int screen_out_file(struct screen *screen, int fd, uint64_t offset, uint64_t size)
{
    screen->misuses += !sil_mutex_locked(screen->lock);
    return fake_add_file(screen, &screen->out, fd, offset, size);
}

int screen_out_begin(struct screen *screen)
{
    while (sil_mutex_lock(screen->lock, SIL_FOREVER) != 0)
        ;
    if (screen->error != 0)
        (void)sil_mutex_unlock(screen->lock);
    return screen->error;
}

void screen_out_end(struct screen *screen)
{
    screen->misuses += sil_mutex_unlock(screen->lock) != 0;
}

int screen_err(struct screen *screen, const void *bytes, size_t size)
{
    return fake_add(screen, &screen->err, bytes, size);
}

int screen_err_file(struct screen *screen, int fd, uint64_t offset, uint64_t size)
{
    return fake_add_file(screen, &screen->err, fd, offset, size);
}

void screen_say(struct screen *screen, const char *format, ...)
{
    (void)screen, (void)format;
}

int screen_error(const struct screen *screen)
{
    return screen->error;
}

void screen_suspend(struct screen *screen)
{
    (void)screen;
}

void screen_resume(struct screen *screen)
{
    (void)screen;
}

bool color_wanted(int color_mode, int fd)
{
    (void)color_mode, (void)fd;
    return false;
}

/** Wait until something was written that makes it true, for so many writes at most. */
static inline bool fake_wait_for(struct screen *screen, const struct seen *seen, const char *part)
{
    sil_deadline patience = sil_in(TEST_PATIENCE);
    while (strstr(seen->text, part) == NULL) {
        (void)sil_event_clear(screen->written);
        if (sil_event_wait(screen->written, patience) != 0)
            return false;
    }
    return true;
}

#endif
