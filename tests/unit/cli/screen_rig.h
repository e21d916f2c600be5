/* SPDX-License-Identifier: MIT */
/*
 * A screen with figures of the test's, writing to descriptors of the test's, and readers for these.
 */
#ifndef TESTS_UNIT_CLI_SCREEN_RIG_H
#define TESTS_UNIT_CLI_SCREEN_RIG_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/screen_impl.h"
#include "unit/coro/scenario.h"

/** In a coroutine: let others run until it holds. */
#define SOON(condition)                                                   \
    do {                                                                  \
        double start_ = test_seconds();                                   \
        while (!(condition)) {                                            \
            (void)sil_sleep(sil_in(0.001));                               \
            if (test_seconds() - start_ > TEST_PATIENCE)                  \
                test_hung("never came: " #condition, __FILE__, __LINE__); \
        }                                                                 \
    } while (0)

struct rig {
    struct report_options options;
    struct screen_plan plan;
    struct screen_setup setup;
    struct screen_figures figures;
    size_t rows, looks;
    const char *row; /**< printf format of the index */
    struct screen *screen;
};

static inline void rig_figures(void *user, struct screen_figures *out)
{
    struct rig *rig = user;
    rig->looks++;
    *out = rig->figures;
}

static inline bool rig_row(void *user, size_t index, struct screen_line *line)
{
    const struct rig *rig = user;
    if (index >= rig->rows)
        return false;
    (void)snprintf(line->text, line->size, "row %zu %s", index, rig->row ? rig->row : "");
    return true;
}

/** Nothing that is timed happens by itself, unless the test says so. */
static inline void rig_init(struct rig *rig, int out, int err)
{
    *rig = (struct rig){
        .options = {.progress = PROGRESS_NONE, .color = COLOR_NEVER, .progress_fd = (uint64_t)err}};
    rig->plan = (struct screen_plan){&rig->options, "test", rig, rig_figures, rig_row};
    rig->setup = (struct screen_setup){out, err, 0, 0.001, 0.001, 0.001, 1000000, 1000000};
}

static inline int rig_open(struct rig *rig)
{
    rig->screen = screen_create_with(&rig->plan, &rig->setup);
    return rig->screen ? 0 : sil_error_code(sil_last_error());
}

static inline void rig_close(struct rig *rig)
{
    screen_destroy(rig->screen);
    rig->screen = NULL;
}

/* --- readers --------------------------------------------------------------------------------- */

/** What was read; terminated. */
struct seen {
    char *text;
    size_t size;
};

/** What can be read now. */
static inline void seen_read(struct seen *seen, int fd)
{
    ssize_t count;
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    do {
        char *larger = realloc(seen->text, seen->size + 65537);
        if (!larger)
            abort();
        seen->text = larger;
        count = read(fd, seen->text + seen->size, 65536);
        seen->size += count > 0 ? (size_t)count : 0;
        seen->text[seen->size] = '\0';
    } while (count > 0);
    (void)fcntl(fd, F_SETFL, flags);
}

static inline void seen_fini(struct seen *seen)
{
    free(seen->text);
    *seen = (struct seen){0};
}

/** A file in memory with so many bytes that tell their place. */
static inline char pattern_at(size_t place)
{
    return (char)('a' + (place * 7 + place / 251) % 26);
}

static inline int pattern_file(size_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    char *bytes = malloc(size);
    if (fd < 0 || !bytes)
        abort();
    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern_at(i);
    if (write(fd, bytes, size) != (ssize_t)size)
        abort();
    free(bytes);
    return fd;
}

/** Are these the pattern's bytes from `first` on? */
static inline bool is_pattern(const char *text, size_t first, size_t size)
{
    size_t i = 0;
    while (i < size && text[i] == pattern_at(first + i))
        i++;
    return i == size;
}

static inline void close_both(const int fds[2])
{
    (void)close(fds[0]);
    (void)close(fds[1]);
}

#endif
