/* SPDX-License-Identifier: MIT */
/*
 * The items of get, one after the other: from the command line, then from files, read little ahead.
 */
#ifndef CLI_GET_URLS_H
#define CLI_GET_URLS_H

#include "get/item.h"
#include "get/names.h"
#include "get/syntax.h"

struct urls;

/**
 * Begin. Two URLs for one name are found here, before anything is fetched, if all of the input can be
 * looked at twice (the command line, regular files).
 *
 * @param options, words, names  borrows, until destroy.
 * @return returns owned; NULL: it is said on stderr, *out_status is how to end. In a coroutine.
 */
struct urls *urls_open(const struct get_options *options, const struct words *words,
                       struct names *names, int *out_status);
/** @param urls  takes; NULL allowed. */
void urls_destroy(struct urls *urls);

/** The next item, with its name. Waits, in a coroutine. NULL: there are no more, or see urls_error. */
struct get_item *urls_next(struct urls *urls);

/** Wake whoever waits there; there are no more from now on. */
void urls_stop(struct urls *urls);

/** How many there will be; 0: not known yet. */
uint64_t urls_total(const struct urls *urls);

/** Why reading ended too early; NULL: it did not. */
const char *urls_error(const struct urls *urls);

#endif
