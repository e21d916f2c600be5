/* SPDX-License-Identifier: MIT */
/*
 * Sizes and times, see units.h.
 */
#include "text/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool unit_read_seconds(const char *text, double *out)
{
    static const struct {
        const char *suffix;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}};

    /* strtod alone would take "inf", "0x1p9" and "-1". */
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double number = strtod(text, &end);
    if (digits == 0 || digits > 32 || end != text + digits)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].suffix) == 0 && number * units[i].seconds <= 366.0 * 86400) {
            *out = number * units[i].seconds;
            return true;
        }
    }
    return false;
}
