/* SPDX-License-Identifier: MIT */
/*
 * What may be typed after `sillon bench`.
 */
#ifndef CLI_BENCH_SYNTAX_H
#define CLI_BENCH_SYNTAX_H

#include "syntax/options.h"
#include "syntax/report.h"

struct bench_options {
    uint64_t tasks; /**< 0: 64 for cpu, 500 for io, or as many as there are URLs */
    char *workers;  /**< "1,2,8"; NULL: 1,2,CPUs for cpu, 50 for io */
    char *modes;    /**< "seq,threads,processes,async"; NULL: all */
    uint64_t repeat, warmup;

    double cpu_work;   /**< seconds of one cpu task; 20 ms */
    double io_latency; /**< seconds the built-in server takes for an answer; 50 ms */
    uint64_t io_size;  /**< bytes of an answer; 10K */
    struct texts urls; /**< --url: in place of the built-in server */
    char *input;       /**< -i FILE: a URL a line; "-": standard input; NULL: none */

    bool markdown;
    char *svg; /**< a file for a picture of the timelines; NULL: none */
    struct report_options
        report; /**< json, trace, color, quiet and verbose of it; the rest stays 0 */
};

extern const struct bench_options bench_defaults;

#endif
