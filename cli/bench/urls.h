/* SPDX-License-Identifier: MIT */
/*
 * The user's URLs: those of --url, then those of --input.
 */
#ifndef CLI_BENCH_URLS_H
#define CLI_BENCH_URLS_H

#include "bench/syntax.h"

/**
 * Copy them to a list.
 *
 * @param out  urls_fini, whatever this returns.
 * @return OPTIONS_OK, or the program's exit status; what is wrong has been said.
 */
int urls_gather(const struct bench_options *options, struct texts *out);

void urls_fini(struct texts *urls);

#endif
