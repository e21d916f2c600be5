/* SPDX-License-Identifier: MIT */
/*
 * What may be typed after `sillon map`.
 */
#ifndef CLI_MAP_SYNTAX_H
#define CLI_MAP_SYNTAX_H

#include "syntax/options.h"
#include "syntax/report.h"

enum map_output { OUTPUT_GROUP, OUTPUT_LINE, OUTPUT_RAW };
enum map_exit { EXIT_STATUS, EXIT_COUNT };

struct map_options {
    struct texts arg_files; /**< -a; "-": standard input */
    bool null;              /**< inputs end with NUL, not newline */
    bool csv, tsv, header;
    char *separator;  /**< -d: columns are split by it; NULL: one column */
    uint64_t per_job; /**< -n; 1 */
    bool pack;        /**< -X: as many as fit */
    bool shuffle;
    uint64_t skip, most; /**< --skip, --max; most 0: all */
    bool no_empty;       /**< no input at all is a failure */
    char *shell;         /**< --shell LINE */

    struct jobs jobs;
    double delay, max_start_rate;
    char *load;           /**< "4", "200%" */
    uint64_t memory_free; /**< --memfree; 0: no matter */
    uint64_t nice;
    char *jobserver; /**< "auto", "serve", "off" */
    bool tty;
    bool pipe;      /**< split standard input in blocks, one for each job's input */
    uint64_t block; /**< bytes; 1M */

    int output; /**< enum map_output */
    bool keep_order;
    uint64_t window; /**< jobs that may wait for an earlier one's output; 0: 16 for each slot */
    char *tag;       /**< NULL: none; "": the input; else a template */
    char *save;      /**< a folder */
    uint64_t buffer; /**< bytes of output kept in memory, over all jobs; 64M */

    uint64_t retries; /**< 0 */
    double retry_wait, retry_max;
    char *retry_on;    /**< "1,75,100-110"; NULL: any failure */
    char *timeout;     /**< "30s" or "300%" of the median; NULL: none */
    double kill_after; /**< 5 s */
    struct halt halt;
    double deadline; /**< 0: none */
    int exit;        /**< enum map_exit */
    bool summary;    /**< with -q, too */
    struct report_options report;
};

extern const struct map_options map_defaults;

#endif
