/* SPDX-License-Identifier: MIT */
/*
 * What is said of a comparison: a table and advice for people, lines of JSON for programs, a picture,
 * a trace.
 */
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "bench/series.h"

enum { ADVICE_SIZE = 512 };

/** The tables, a line of advice below each. @param bold  the advice, for terminals. */
void report_table(const struct comparison *comparison, bool markdown, bool bold, FILE *out);

/** Which mode to use for a kind, and why, in words. @return false: there is nothing to choose. */
bool report_advice(const struct comparison *comparison, bool cpu, char out[ADVICE_SIZE]);

/** One object a line for each series, a last one for all. @return 0, or an errno value. */
int report_json(const struct comparison *comparison, FILE *out);

/** The picture: what each worker did when, in the last run. The stream's errors are its owner's. */
void svg_write(const struct comparison *comparison, FILE *out);

/** Text for XML. @param out  receives at most size bytes, terminated; what does not fit is cut. */
const char *svg_escape(char *out, size_t size, const char *text);

/** A timeline in Chrome's format: a row for each worker. @return 0, or as sil_trace_start. */
int trace_write(const struct comparison *comparison, const char *file);

/** Workers of a series as rows, in the order in which they began: row of the i-th record.
 *  @return returns owned: free. NULL: out of memory. @param out_count  receives how many rows. */
unsigned *rows_of_workers(const struct series *series, unsigned *out_count);

#endif
