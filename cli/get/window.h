/* SPDX-License-Identifier: MIT */
/*
 * The downloads that have been submitted and not yet reported: a bounded number, so that a list
 * of a million URLs needs the memory of a few.
 */
#ifndef CLI_GET_WINDOW_H
#define CLI_GET_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include <sillon/executor.h>

#include "get/download.h"

struct window_entry {
    sil_future *future;
    struct download *download;
};

/** One thread at a time. */
struct window {
    size_t count, capacity;
    struct window_entry *entries;
    sil_future **waited_for; /**< room for all futures, and two more */
};

/** @return false: out of memory. */
bool window_init(struct window *window, size_t capacity);

/** All have been removed. */
void window_fini(struct window *window);

/** Submit a download. There is room. @param download  takes. */
void window_add(struct window *window, sil_executor *pool, struct download *download);

/**
 * Wait until a download has ended, or one of two other futures, or until the deadline.
 *
 * @param first, second  borrows; NULL allowed.
 */
void window_wait(struct window *window, sil_future *first, sil_future *second, sil_deadline until);

/**
 * Remove one that has ended.
 *
 * @param out  receives it; the caller releases its future and destroys its download.
 * @return false: none has ended.
 */
bool window_remove_done(struct window *window, struct window_entry *out);

/** Ask all to stop. */
void window_cancel(struct window *window);

#endif
