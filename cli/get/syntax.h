/* SPDX-License-Identifier: MIT */
/*
 * What may be typed after `sillon get`.
 */
#ifndef CLI_GET_SYNTAX_H
#define CLI_GET_SYNTAX_H

#include "syntax/options.h"
#include "syntax/report.h"

enum if_exists {
    IF_EXISTS_RESUME,
    IF_EXISTS_SKIP,
    IF_EXISTS_REPLACE,
    IF_EXISTS_RENAME,
    IF_EXISTS_FAIL
};
enum input_format { INPUT_LINES, INPUT_JSONL };
enum http_choice { HTTP_AUTO, HTTP_1_1, HTTP_2 };

struct get_options {
    struct texts input_files; /**< -i; "-": standard input */
    bool null;
    int input_format; /**< enum input_format */
    bool glob;

    char *output; /**< -o NAME; "-": standard output */
    char *folder; /**< -d */
    bool tree;
    int if_exists;     /**< enum if_exists */
    char *part_suffix; /**< NULL: ".part" */
    bool fsync, no_mtime;
    bool print_name; /**< a line on standard output with each file's name when it is there */

    struct jobs jobs;
    uint64_t per_host;    /**< 6 */
    char *segments;       /**< "auto", "1" ... ; NULL: auto */
    uint64_t min_segment; /**< 32M */
    int http;             /**< enum http_choice */

    uint64_t limit_rate, limit_rate_each; /**< bytes a second; 0: none */
    double rate, rate_host;               /**< starts a second; 0: no limit */

    uint64_t retries;                              /**< 4 */
    double retry_wait, retry_max, retry_after_max; /**< 1 s, 60 s, 5 min */
    double connect_timeout, stall;
    uint64_t stall_rate;
    double timeout, deadline; /**< 0: none */
    struct halt halt;

    struct texts checksums; /**< "sha256:HEX", for the URL at the same place */
    char *sums;             /**< a file as sha256sum writes it */

    char *cacert, *cert, *key, *pin;
    bool insecure;
    uint64_t max_redirects; /**< 20 */
    bool allow_downgrade;

    struct texts headers;
    char *user_agent, *user, *bearer_file, *proxy, *interface;
    bool netrc, compressed, only_4, only_6;
    struct texts resolve;
    bool no_empty;
    struct report_options report;
};

extern const struct get_options get_defaults;

#endif
