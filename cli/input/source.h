/* SPDX-License-Identifier: MIT */
/*
 * Where words (URLs) come from: the command line first, then a file, read little ahead.
 *
 * Reading may take for ever (a pipe, a terminal). So it is a task on a thread of its own, and its
 * future can be waited for together with anything else.
 */
#ifndef CLI_INPUT_SOURCE_H
#define CLI_INPUT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <sillon/future.h>

struct source;

enum source_state {
    SOURCE_WORD,  /**< here is one */
    SOURCE_LATER, /**< wait for source_future, and ask again */
    SOURCE_END,   /**< there are no more */
};

struct source_word {
    const char *text;   /**< borrowed, until the next call */
    const char *reason; /**< NULL; or why it cannot be used */
};

/**
 * Begin.
 *
 * @param words, count  borrows until destroy.
 * @param file  "-" for standard input; NULL for none.
 * @return returns owned: source_destroy. NULL with sil_last_error: the file cannot be read.
 */
struct source *source_create(char *const *words, size_t count, const char *file);

/** Give up reading once this descriptor is readable. Before the first source_next. */
void source_stop_on(struct source *source, int stop_fd);

/** @param source  takes; NULL allowed. @blocks  until a read under way has ended */
void source_destroy(struct source *source);

/** The next word. Never blocks. */
enum source_state source_next(struct source *source, struct source_word *out);

/** @return returns borrowed; final when source_next may have more to say. NULL: it has now. */
sil_future *source_future(const struct source *source);

/** How many words there are in all; 0 as long as that is not known. */
size_t source_total(const struct source *source);

/** After SOURCE_END: NULL, or why it came too early. Borrowed. */
const char *source_error(const struct source *source);

#endif
