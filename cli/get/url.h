/* SPDX-License-Identifier: MIT */
/*
 * A URL as typed, checked and brought into the form that is sent, by libcurl's own parser, so that no
 * two opinions differ.
 */
#ifndef CLI_GET_URL_H
#define CLI_GET_URL_H

#include <stddef.h>

struct url {
    char *text;   /**< as it is sent, without a fragment */
    char *origin; /**< scheme, host and port: "https://example.org:443" */
    char *host;   /**< "example.org", for --tree */
    char *path;   /**< from its first '/' on, percent-encoded, without a query */
    char *shown;  /**< for people: no password, no control characters */
};

/**
 * Take a word as a URL.
 *
 * @param out  receives it, returns owned: url_fini; all NULL after a failure.
 * @return NULL, or why it is none: returns borrowed, valid for ever.
 */
const char *url_parse(const char *word, struct url *out);

void url_fini(struct url *url);

/** The path of a word that may be a URL, at a fraction of the cost, as it stands there; owned: free().
 *  NULL: out of memory. */
char *url_quick_path(const char *word);

#endif
