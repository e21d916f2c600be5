/* SPDX-License-Identifier: MIT */
/*
 * When a job is tried again (--retry-on), and how long one may take (--timeout, also as a share of
 * what they take as a rule).
 */
#ifndef CLI_MAP_RETRY_H
#define CLI_MAP_RETRY_H

#include <stdbool.h>
#include <stddef.h>

/** Does "1,75,100-110" name the code? Signals count as 128 and their number, a time-out as 124. */
bool retry_names(const char *list, int code);

/** Is it such a list? */
bool retry_is_list(const char *list);

enum { TIMES_KEPT = 255, TIMES_WANTED = 3 };

/** A limit, and the times on which it rests. All zero is none. */
struct time_limit {
    double seconds;          /**< > 0: just that */
    double percent;          /**< > 0: of the median of those that have ended */
    double kept[TIMES_KEPT]; /**< the last ones, in order of their size */
    unsigned char ages[TIMES_KEPT];
    size_t count;
    unsigned char next_age;
};

/** Read "30s", "500ms" or "300%". @return false: it is none. */
bool time_limit_read(struct time_limit *limit, const char *text);

/** A job that was not ended by us took so long. */
void time_limit_add(struct time_limit *limit, double seconds);

/** How long the next one may take; 0: no limit, or not known yet. */
double time_limit_now(const struct time_limit *limit);

#endif
