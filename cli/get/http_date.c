/* SPDX-License-Identifier: MIT */
/*
 * HTTP's dates, see http_date.h.
 */
#include "get/http_date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static int month_of(const char *name)
{
    for (int i = 0; i < 12; i++)
        if (strcmp(name, months[i]) == 0)
            return i;
    return -1;
}

static int two_digits(const char *text)
{
    bool digits = text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9';
    return digits ? (text[0] - '0') * 10 + text[1] - '0' : -1;
}

/* The form that all servers send, for every file: sscanf takes ten times as long. */
static bool split_usual(const char *text, struct tm *out, char month[4])
{
    static const char shape[] = "???, ?? ??? ???? ??:??:?? GMT";
    for (size_t i = 0; i < sizeof(shape); i++)
        if (text[i] != shape[i] && (shape[i] != '?' || text[i] == '\0'))
            return false;
    memcpy(month, text + 8, 3);
    int century = two_digits(text + 12), year = two_digits(text + 14);
    out->tm_mday = two_digits(text + 5);
    out->tm_hour = two_digits(text + 17);
    out->tm_min = two_digits(text + 20);
    out->tm_sec = two_digits(text + 23);
    out->tm_year = century < 0 || year < 0 ? -1 : century * 100 + year;
    return true;
}

/* The fields of any of the three forms. The numbers have two or four digits: none is too large. */
/* NOLINTBEGIN(cert-err34-c) */
static bool split(const char *text, struct tm *out, char month[4])
{
    int *year = &out->tm_year, *day = &out->tm_mday;
    int *hour = &out->tm_hour, *minute = &out->tm_min, *second = &out->tm_sec;
    int end = -1;
    (void)sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", day, month, year, hour,
                 minute, second, &end);
    if (end < 0) {
        (void)sscanf(text, "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", day, month, year,
                     hour, minute, second, &end);
        if (end >= 0) /* two digits: those nearest to us */
            *year += *year < 70 ? 2000 : 1900;
    }
    if (end < 0)
        (void)sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, day, hour, minute,
                     second, year, &end);
    return end >= 0 && text[end] == '\0';
}
/* NOLINTEND(cert-err34-c) */

bool http_date_read(const char *text, int64_t *out)
{
    struct tm parts = {0};
    char month[4] = "";
    if (!split_usual(text, &parts, month) && !split(text, &parts, month))
        return false;
    parts.tm_mon = month_of(month);
    if (parts.tm_mon < 0 || parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour < 0 ||
        parts.tm_hour > 23 || parts.tm_min < 0 || parts.tm_min > 59 || parts.tm_sec < 0 ||
        parts.tm_sec > 60 || parts.tm_year < 1)
        return false;
    parts.tm_year -= 1900;
    *out = (int64_t)timegm(&parts);
    return true;
}

const char *http_date_write(char out[HTTP_DATE_TEXT], int64_t seconds)
{
    struct tm parts;
    time_t moment = (time_t)seconds;
    out[0] = '\0';
    if (gmtime_r(&moment, &parts) == NULL || parts.tm_year < 1 - 1900 ||
        parts.tm_year > 9999 - 1900)
        return out;
    (void)snprintf(out, HTTP_DATE_TEXT, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday],
                   parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                   parts.tm_min, parts.tm_sec);
    return out;
}
