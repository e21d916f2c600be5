/* SPDX-License-Identifier: MIT */
/*
 * The options on what is reported, which get and map share (bench has some of them).
 *
 * I1  An option that two commands have means the same in both: it is one record, written here.
 */
#ifndef CLI_SYNTAX_REPORT_H
#define CLI_SYNTAX_REPORT_H

#include "syntax/options.h"

enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };
enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct report_options {
    char *json;  /**< NULL: no; "" or "-": standard output; "full": map's, there; else a file */
    char *log;   /**< a file of the same lines, appended to; NULL: none */
    char *trace; /**< Chrome trace events; NULL: none */
    bool resume; /**< do not do again what log says is done */
    bool redo_failed; /**< nor what log says has failed; only that */
    bool dry_run;
    int progress;         /**< enum progress_mode */
    int color;            /**< enum color_mode */
    uint64_t progress_fd; /**< for PROGRESS_JSON; 2 */
    unsigned quiet;       /**< 1: errors only; 2: nothing */
    unsigned verbose;     /**< 1: each start and end; 2: details */
};

extern const char *const progress_choices[];
extern const char *const color_choices[];

/** One record each, for a member of type struct report_options in a command's values. */
/* clang-format off */
#define REPORT_AT(type, member, field)                                                             \
    .group = "Report", .offset = offsetof(type, member) + offsetof(struct report_options, field)

#define REPORT_JSON(type, member)                                                                  \
    {REPORT_AT(type, member, json), .kind = OPTION_OPTIONAL, .name = "json", .argument = "FILE",   \
     .hint = HINT_FILE,                                                                            \
     .help = "one JSON object a line for each item and a last one for all, on standard output",    \
     .more = "Without FILE, or with '-', the objects go to standard output and take the place of " \
             "what else would stand there. The file is made anew; --log appends."}

#define REPORT_LOG(type, member)                                                                   \
    {REPORT_AT(type, member, log), .kind = OPTION_TEXT, .name = "log", .argument = "FILE",         \
     .hint = HINT_FILE, .help = "append the same lines to FILE, for --resume",                     \
     .more = "A line is written at once when its item ends. A crash leaves at most one broken "    \
             "line, the last, which is skipped when the file is read again."}

#define REPORT_RESUME(type, member)                                                                \
    {REPORT_AT(type, member, resume), .kind = OPTION_FLAG, .name = "resume",                       \
     .help = "leave out what the --log file says is done",                                         \
     .more = "An item is known by what it is, not by its number: the input may have changed. "     \
             "What failed is done again."}

#define REPORT_REDO_FAILED(type, member)                                                           \
    {REPORT_AT(type, member, redo_failed), .kind = OPTION_FLAG, .name = "redo-failed",             \
     .help = "do only what the --log file says has failed"}

#define REPORT_TRACE(type, member)                                                                 \
    {REPORT_AT(type, member, trace), .kind = OPTION_TEXT, .name = "trace", .argument = "FILE",     \
     .hint = HINT_FILE, .help = "a timeline of the run, for ui.perfetto.dev",                      \
     .more = "Chrome trace events in JSON: a track for each job that can run at a time, with "     \
             "what it waited for, and counters."}

#define REPORT_PROGRESS(type, member)                                                              \
    {REPORT_AT(type, member, progress), .kind = OPTION_CHOICE, .name = "progress",                 \
     .argument = "HOW", .choices = progress_choices,                                               \
     .help = "auto, bar, plain, json or none (default: auto, a bar on a terminal)",                \
     .more = "bar: live lines, redrawn at most ten times a second. plain: a line every 10 "        \
             "seconds. json: one object a line. auto: bar when standard error is a terminal and "  \
             "TERM is not dumb, else none. All of it goes to standard error."}

#define REPORT_PROGRESS_FD(type, member)                                                           \
    {REPORT_AT(type, member, progress_fd), .kind = OPTION_NUMBER, .name = "progress-fd",           \
     .argument = "N", .least = 1, .most = 1048575,                                                 \
     .help = "the descriptor --progress=json writes to (default: 2)"}

#define REPORT_COLOR(type, member)                                                                 \
    {REPORT_AT(type, member, color), .kind = OPTION_CHOICE, .name = "color", .argument = "WHEN",   \
     .choices = color_choices, .help = "auto, always or never (default: auto, on a terminal)",     \
     .more = "auto asks NO_COLOR, then CLICOLOR_FORCE and FORCE_COLOR, then whether there is a "   \
             "terminal that is not dumb. No meaning hangs on colour alone."}

#define REPORT_QUIET(type, member)                                                                 \
    {REPORT_AT(type, member, quiet), .kind = OPTION_COUNT, .name = "quiet", .letter = 'q',         \
     .help = "say only what failed; -qq: nothing"}

#define REPORT_VERBOSE(type, member)                                                               \
    {REPORT_AT(type, member, verbose), .kind = OPTION_COUNT, .name = "verbose", .letter = 'v',     \
     .help = "say each start and end; -vv: more"}

#define REPORT_DRY_RUN(type, member)                                                               \
    {REPORT_AT(type, member, dry_run), .kind = OPTION_FLAG, .name = "dry-run",                     \
     .help = "say what would be done, a line for each item, and do nothing"}

/** For a command's table: all of them. */
#define REPORT_RECORDS(type, member)                                                               \
    REPORT_JSON(type, member), REPORT_LOG(type, member), REPORT_RESUME(type, member),              \
    REPORT_REDO_FAILED(type, member), REPORT_TRACE(type, member), REPORT_PROGRESS(type, member),   \
    REPORT_PROGRESS_FD(type, member), REPORT_COLOR(type, member), REPORT_QUIET(type, member),      \
    REPORT_VERBOSE(type, member), REPORT_DRY_RUN(type, member)
/* clang-format on */

#endif
