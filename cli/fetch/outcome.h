/* SPDX-License-Identifier: MIT */
/*
 * How one try of a fetch ended, in words and as a verdict: worth another try or not.
 */
#ifndef CLI_FETCH_OUTCOME_H
#define CLI_FETCH_OUTCOME_H

#include <curl/curl.h>
#include <stdbool.h>

struct fetch_outcome {
    CURLcode code;
    long http;           /**< the last status; 0: there was none */
    long os_error;       /**< errno of the connect that failed; 0: none did */
    const char *details; /**< libcurl's own words; "" when it had none */
};

/** Is the file there: a whole answer with a status of success? */
bool fetch_outcome_good(const struct fetch_outcome *outcome);

/** May the same request work a little later? */
bool fetch_outcome_may_pass(const struct fetch_outcome *outcome);

/** Why it failed, such as "HTTP 404 Not Found". At most size bytes, terminated. */
void fetch_outcome_describe(const struct fetch_outcome *outcome, char *out, size_t size);

#endif
