/* SPDX-License-Identifier: MIT */
/*
 * The value of an option: from what was typed to what a command sees, by the kind in its record.
 *
 * I1  A text that is no value leaves the place as it was, and is told with what it should have been.
 */
#ifndef CLI_SYNTAX_VALUES_H
#define CLI_SYNTAX_VALUES_H

#include "syntax/options.h"

enum { VALUE_EXPECTED = 256 };

enum value_verdict { VALUE_STORED, VALUE_WRONG, VALUE_NO_MEMORY };

/**
 * Read a value and store it.
 *
 * @param text      takes, whatever comes out: from malloc; NULL for a flag or a count.
 * @param values    a command's, as for options_parse.
 * @param expected  receives what it should have been, for VALUE_WRONG.
 */
enum value_verdict value_store(const struct option_record *option, char *text, void *values,
                               char expected[VALUE_EXPECTED]);

/** Free what value_store has stored there. */
void value_free(const struct option_record *option, void *values);

/** "8", "50%", "+2", "0". @param out  untouched unless it is such. */
bool value_read_jobs(const char *text, struct jobs *out);

/** What value_read_jobs takes, in words. */
#define VALUE_JOBS_EXPECTED "a number such as 8, 50%, +2, or 0 for no limit"

/** "never", "now,fail=3", "soon,done=10%", "now,fail" for 1. @param out  untouched unless it is such. */
bool value_read_halt(const char *text, struct halt *out);

#endif
