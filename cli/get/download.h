/* SPDX-License-Identifier: MIT */
/*
 * A download: one URL into one file, as a task.
 */
#ifndef CLI_GET_DOWNLOAD_H
#define CLI_GET_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <sillon/task.h>

#include "fetch/client.h"

/** What is done about a file that stands there already. */
enum if_exists {
    IF_EXISTS_SKIP,    /**< it is whole (I1 of part_file.h), so there is nothing to do */
    IF_EXISTS_REPLACE, /**< it stays until the new one is whole */
    IF_EXISTS_FAIL,
};

/** The same for all downloads of a run. */
struct download_place {
    struct fetch_client *client;
    int folder; /**< a descriptor */
    enum if_exists if_exists;
};

struct download {
    const struct download_place *place;
    const char *name; /**< borrowed, from names */
    char *url;        /**< as it is sent */
    char *shown_url;  /**< as it was typed */
};

struct download_result {
    bool skipped;
    uint64_t bytes;
    double seconds;
};

/**
 * Make one.
 *
 * @param url  takes; freed with the download, also when this fails.
 * @return returns owned: download_destroy; NULL: out of memory.
 */
struct download *download_create(const struct download_place *place, const char *name, char *url,
                                 const char *shown_url);

/** @param download  takes; NULL allowed. */
void download_destroy(struct download *download);

/** The task: its argument is a struct download *, its result a struct download_result. */
int download_task(void *arg, void *result);

#endif
