/* SPDX-License-Identifier: MIT */
/*
 * Transfers on a loop: libcurl's multi interface, driven by the loop of libuv beneath the coroutines.
 *
 * All transfers of a loop share one; each is awaited by its own coroutine.
 */
#ifndef CLI_FETCH_MULTI_H
#define CLI_FETCH_MULTI_H

#include <curl/curl.h>

struct fetch_multi;

/**
 * Make one for the calling coroutine's loop.
 *
 * @param most  connections kept open.
 * @return returns owned: fetch_multi_destroy, on the same loop. NULL: out of memory.
 */
struct fetch_multi *fetch_multi_create(size_t most);

/** No transfer may be under way. @param multi takes; NULL allowed. */
void fetch_multi_destroy(struct fetch_multi *multi);

/**
 * As curl_easy_perform; only the calling coroutine waits.
 *
 * @return what libcurl says; CURLE_ABORTED_BY_CALLBACK the coroutine was cancelled.
 */
CURLcode fetch_multi_perform(struct fetch_multi *multi, CURL *handle);

#endif
