/* SPDX-License-Identifier: MIT */
/*
 * The plan: which jobs the options ask for, in the order of the table.
 */
#ifndef CLI_BENCH_PLAN_H
#define CLI_BENCH_PLAN_H

#include "bench/series.h"
#include "bench/syntax.h"

/**
 * Make the list of series.
 *
 * @param urls  borrows, for as long as the comparison is used; none: the built-in server.
 * @param cpus  how many this process may use.
 * @param out   receives list, count and cpus: comparison_fini.
 * @return OPTIONS_OK, or the program's exit status: what was asked for makes no sense, and that has
 *         been said.
 */
int plan_make(const struct bench_options *options, const struct words *words,
              const struct texts *urls, unsigned cpus, struct comparison *out);

#endif
