/* SPDX-License-Identifier: MIT */
/*
 * Sizes and times, see units.h.
 */
#include "text/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *unit_bytes(char out[UNIT_TEXT_SIZE], double bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1000) {
        (void)snprintf(out, UNIT_TEXT_SIZE, "%.0f B", bytes);
        return out;
    }
    size_t unit = 0;
    /* 999.95 would be printed as 1000.0. */
    for (bytes /= 1024; bytes >= 999.95 && unit < 4; unit++)
        bytes /= 1024;
    (void)snprintf(out, UNIT_TEXT_SIZE, "%.1f %s", bytes, units[unit]);
    return out;
}

const char *unit_clock(char out[UNIT_TEXT_SIZE], double seconds)
{
    if (!(seconds >= 0 && seconds < 360000)) {
        (void)snprintf(out, UNIT_TEXT_SIZE, "-");
        return out;
    }
    unsigned whole = (unsigned)(seconds + 0.5);
    unsigned hours = whole / 3600, minutes = whole / 60 % 60;
    if (hours > 0)
        (void)snprintf(out, UNIT_TEXT_SIZE, "%u:%02u:%02u", hours, minutes, whole % 60);
    else
        (void)snprintf(out, UNIT_TEXT_SIZE, "%u:%02u", minutes, whole % 60);
    return out;
}

bool unit_read_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    /* strtoull alone would take "-1", " 7" and "7 apples". */
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    uint64_t number = strtoull(text, NULL, 10);
    if (errno != 0 || number < least || number > most)
        return false;
    *out = number;
    return true;
}

/* Digits, with a point at most, and what they are followed by; NULL: it does not begin with such.
 * strtod alone would take "inf", "0x1p9" and "-1". */
static const char *read_decimal(const char *text, double *out)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;
    *out = strtod(text, &end);
    return digits == 0 || digits > 32 || end != text + digits ? NULL : end;
}

struct unit {
    const char *suffix;
    double times;
};

/* A decimal number and one of these behind it. */
static bool read_with_unit(const char *text, const struct unit *units, size_t count, double most,
                           double *out)
{
    double number;
    const char *suffix = read_decimal(text, &number);
    for (size_t i = 0; suffix != NULL && i < count; i++) {
        if (strcasecmp(suffix, units[i].suffix) == 0 && number * units[i].times <= most) {
            *out = number * units[i].times;
            return true;
        }
    }
    return false;
}

bool unit_read_seconds(const char *text, double *out)
{
    static const struct unit units[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}};
    return read_with_unit(text, units, sizeof(units) / sizeof(units[0]), 366.0 * 86400, out);
}

bool unit_read_size(const char *text, uint64_t *out)
{
    static const struct unit units[] = {
        {"", 1}, {"K", 0x1p10}, {"M", 0x1p20}, {"G", 0x1p30}, {"T", 0x1p40}};
    double size;
    if (!read_with_unit(text, units, sizeof(units) / sizeof(units[0]), 0x1.fffffffffffffp62, &size))
        return false;
    *out = (uint64_t)size;
    return true;
}

bool unit_read_rate(const char *text, double *out)
{
    static const struct unit units[] = {{"", 1}, {"/s", 1}, {"/m", 1.0 / 60}, {"/h", 1.0 / 3600}};
    return read_with_unit(text, units, sizeof(units) / sizeof(units[0]), 1e9, out);
}

bool unit_read_percent(const char *text, double *out)
{
    static const struct unit units[] = {{"%", 1}};
    double percent;
    if (!read_with_unit(text, units, 1, 1e6, &percent) || percent <= 0)
        return false;
    *out = percent;
    return true;
}
