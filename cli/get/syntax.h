/* SPDX-License-Identifier: MIT */
/*
 * What may be typed after `sillon get`.
 */
#ifndef CLI_GET_SYNTAX_H
#define CLI_GET_SYNTAX_H

#include <stdbool.h>
#include <stdint.h>

#include "fetch/client.h"
#include "options.h"

struct get_options {
    char *input_file;
    char *folder;
    int if_exists; /**< enum if_exists */
    uint64_t jobs;
    struct fetch_limits limits;
    bool quiet;
    bool no_progress;
};

extern const struct syntax get_syntax;
extern const struct get_options get_defaults;

#endif
