/* SPDX-License-Identifier: MIT */
/*
 * Values for JSON, see recorder.h: text that may be no text, seconds, moments.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sillon/deadline.h>

#include "record/recorder.h"

/* RFC 4648. @return owned, terminated; NULL: out of memory. */
static char *base64(const unsigned char *bytes, size_t size, size_t *out_size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = (size + 2) / 3 * 4;
    char *text = malloc(length + 1);
    if (text == NULL)
        return NULL;
    char *to = text;
    for (size_t i = 0; i < size; i += 3) {
        size_t got = size - i < 3 ? size - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (got > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (got > 2)
            group |= bytes[i + 2];
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        *to++ = '=';
        *to++ = '=';
        if (got > 1)
            to[-2] = digits[group >> 6 & 63];
        if (got > 2)
            to[-1] = digits[group & 63];
    }
    *to = '\0';
    *out_size = length;
    return text;
}

json_t *record_text(const char *bytes, size_t size)
{
    json_t *text = json_stringn(size != 0 ? bytes : "", size); /* NULL if it is not UTF-8 */
    if (text != NULL)
        return text;
    size_t length;
    char *encoded = base64((const unsigned char *)bytes, size, &length);
    if (encoded == NULL)
        return NULL;
    json_t *object = json_object();
    if (object != NULL &&
        json_object_set_new(object, "base64", json_stringn_nocheck(encoded, length)) != 0) {
        json_decref(object);
        object = NULL;
    }
    free(encoded);
    return object;
}

json_t *record_seconds(double seconds)
{
    const double most = 9e12; /* so that microseconds fit in 63 bits; no NaN passes, either */
    if (!(seconds > -most && seconds < most))
        return json_real(0);
    return json_real((double)(int64_t)(seconds * 1e6 + (seconds < 0 ? -0.5 : 0.5)) / 1e6);
}

/* The last count digits of a number. */
static char *put_digits(char *to, int64_t number, int count)
{
    for (int i = count - 1; i >= 0; i--, number /= 10)
        to[i] = (char)('0' + number % 10);
    return to + count;
}

const char *record_time(char out[32], int64_t clock)
{
    enum { MILLI = 1000000 };
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t moment = (int64_t)now.tv_sec * 1000 + now.tv_nsec / MILLI;
    if (clock != 0)
        moment += (clock - sil_clock()) / MILLI;
    time_t seconds = (time_t)(moment / 1000);
    struct tm day;
    if (moment < 0 || gmtime_r(&seconds, &day) == NULL) {
        static const char beginning[] = "1970-01-01T00:00:00.000Z";
        return memcpy(out, beginning, sizeof(beginning));
    }
    const struct {
        int number, digits;
        char after;
    } parts[] = {{day.tm_year + 1900, 4, '-'},  {day.tm_mon + 1, 2, '-'}, {day.tm_mday, 2, 'T'},
                 {day.tm_hour, 2, ':'},         {day.tm_min, 2, ':'},     {day.tm_sec, 2, '.'},
                 {(int)(moment % 1000), 3, 'Z'}};
    char *to = out;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        to = put_digits(to, parts[i].number, parts[i].digits);
        *to++ = parts[i].after;
    }
    *to = '\0';
    return out;
}
