/* SPDX-License-Identifier: MIT */
/*
 * Tries and times, see retry.h.
 */
#include "map/retry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text/units.h"

/* Reads "7" or "7-9" and what is behind; NULL: neither. */
static const char *read_range(const char *text, long *out_first, long *out_last)
{
    char *end;
    if (*text < '0' || *text > '9')
        return NULL;
    *out_first = *out_last = strtol(text, &end, 10);
    if (*end == '-') {
        text = end + 1;
        if (*text < '0' || *text > '9')
            return NULL;
        *out_last = strtol(text, &end, 10);
    }
    if (*out_first > 255 || *out_last > 255 || *out_first > *out_last)
        return NULL;
    if (*end == ',')
        return end[1] != '\0' ? end + 1 : NULL;
    return *end == '\0' ? end : NULL;
}

bool retry_is_list(const char *list)
{
    long first, last;
    if (*list == '\0')
        return false;
    while (list != NULL && *list != '\0')
        list = read_range(list, &first, &last);
    return list != NULL;
}

bool retry_names(const char *list, int code)
{
    long first, last;
    while (list != NULL && *list != '\0') {
        list = read_range(list, &first, &last);
        if (list != NULL && code >= first && code <= last)
            return true;
    }
    return false;
}

bool time_limit_read(struct time_limit *limit, const char *text)
{
    *limit = (struct time_limit){0};
    size_t length = strlen(text);
    if (length == 0 || text[length - 1] != '%')
        return unit_read_seconds(text, &limit->seconds);
    char *end;
    errno = 0;
    limit->percent = strtod(text, &end);
    return errno == 0 && end == text + length - 1 && text[0] != '-' && limit->percent > 0 &&
           limit->percent <= 1e6;
}

static void remove_at(struct time_limit *limit, size_t at)
{
    size_t rest = --limit->count - at;
    memmove(&limit->kept[at], &limit->kept[at + 1], rest * sizeof(limit->kept[0]));
    memmove(&limit->ages[at], &limit->ages[at + 1], rest);
}

void time_limit_add(struct time_limit *limit, double seconds)
{
    if (limit->percent <= 0)
        return;
    /* An age stands once among those kept: it comes again when they are all there. */
    for (size_t at = 0; at < limit->count && limit->count == TIMES_KEPT; at++)
        if (limit->ages[at] == limit->next_age)
            remove_at(limit, at);
    size_t at = limit->count++;
    for (; at > 0 && limit->kept[at - 1] > seconds; at--) {
        limit->kept[at] = limit->kept[at - 1];
        limit->ages[at] = limit->ages[at - 1];
    }
    limit->kept[at] = seconds;
    limit->ages[at] = limit->next_age;
    limit->next_age = (unsigned char)((limit->next_age + 1) % TIMES_KEPT);
}

double time_limit_now(const struct time_limit *limit)
{
    if (limit->percent <= 0)
        return limit->seconds;
    return limit->count < TIMES_WANTED ? 0 : limit->kept[limit->count / 2] * limit->percent / 100;
}
