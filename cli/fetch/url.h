/* SPDX-License-Identifier: MIT */
/*
 * A URL as typed, checked and brought into the form that is sent.
 */
#ifndef CLI_FETCH_URL_H
#define CLI_FETCH_URL_H

struct url {
    char *text;      /**< fit for fetch(); freed by url_fini */
    char *last_part; /**< of the path, still percent-encoded; may be "" */
};

/**
 * Take a word as a URL.
 *
 * @param out  receives it, returns owned: url_fini; all NULL after a failure.
 * @return NULL, or why it is none: returns borrowed, valid for ever.
 */
const char *url_parse(const char *word, struct url *out);

void url_fini(struct url *url);

#endif
