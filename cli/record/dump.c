/* SPDX-License-Identifier: MIT */
/*
 * JSON as text, see dump.h.
 */
#include "record/dump.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 40, MILLION = 1000000 };

bool dump_bytes(struct dump *dump, const char *bytes, size_t size)
{
    if (size > dump->room - dump->size) {
        size_t room = 2 * (dump->size + size) + 512;
        char *grown = realloc(dump->bytes, room);
        if (grown == NULL)
            return false;
        dump->bytes = grown;
        dump->room = room;
    }
    memcpy(dump->bytes + dump->size, bytes, size);
    dump->size += size;
    return true;
}

static bool dump_byte(struct dump *dump, char byte)
{
    return dump_bytes(dump, &byte, 1);
}

/* --- text ---------------------------------------------------------------------------------- */

static bool is_escaped(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

static bool dump_escape(struct dump *dump, char c)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *letter = letters; *letter != '\0'; letter += 2)
        if (*letter == c)
            return dump_bytes(dump, (const char[]){'\\', letter[1]}, 2);
    static const char digits[] = "0123456789abcdef";
    const char text[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    return dump_bytes(dump, text, sizeof(text));
}

static bool dump_text(struct dump *dump, const char *text, size_t size)
{
    bool good = dump_byte(dump, '"');
    for (size_t at = 0; good && at < size;) {
        size_t plain = 0;
        while (at + plain < size && !is_escaped(text[at + plain]))
            plain++;
        good = dump_bytes(dump, text + at, plain);
        at += plain;
        if (good && at < size)
            good = dump_escape(dump, text[at++]);
    }
    return good && dump_byte(dump, '"');
}

/* --- numbers ------------------------------------------------------------------------------- */

/* The digits of a number, from the end of a buffer to its front. */
static char *put_digits(char *end, uint64_t number)
{
    do
        *--end = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    return end;
}

static bool dump_integer(struct dump *dump, int64_t number)
{
    char text[NUMBER_SIZE], *end = text + sizeof(text);
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char *begin = put_digits(end, size);
    if (number < 0)
        *--begin = '-';
    return dump_bytes(dump, begin, (size_t)(end - begin));
}

static bool dump_millionths(struct dump *dump, int64_t millionths)
{
    char text[NUMBER_SIZE], *end = text + sizeof(text);
    uint64_t size = millionths < 0 ? 0 - (uint64_t)millionths : (uint64_t)millionths;
    char *point = end - 7, *begin = end;
    uint64_t rest = size % MILLION;
    for (int i = 0; i < 6; i++, rest /= 10)
        *--begin = (char)('0' + rest % 10);
    while (end > point + 2 && end[-1] == '0')
        end--;
    *point = '.';
    begin = put_digits(point, size / MILLION);
    if (millionths < 0)
        *--begin = '-';
    return dump_bytes(dump, begin, (size_t)(end - begin));
}

static bool dump_real(struct dump *dump, double number)
{
    const double most = 9e12; /* so that millionths fit in 63 bits */
    if (number > -most && number < most) {
        int64_t millionths = (int64_t)(number * 1e6 + (number < 0 ? -0.5 : 0.5));
        if ((double)millionths / 1e6 == number)
            return dump_millionths(dump, millionths);
    }
    char text[NUMBER_SIZE];
    int size = snprintf(text, sizeof(text), "%.15g", number);
    return dump_bytes(dump, text, (size_t)size);
}

/* --- values -------------------------------------------------------------------------------- */

/* Our values are three levels deep; what is deeper was not made by us. */
static bool dump_array(struct dump *dump, const json_t *array)
{
    bool good = dump_byte(dump, '[');
    for (size_t i = 0; good && i < json_array_size(array); i++)
        good = (i == 0 || dump_byte(dump, ',')) && dump_json(dump, json_array_get(array, i));
    return good && dump_byte(dump, ']');
}

static bool dump_object(struct dump *dump, const json_t *object)
{
    bool good = dump_byte(dump, '{'), first = true;
    json_t *walked = (json_t *)object; /* jansson's iterators want it so, and change nothing */
    for (void *at = json_object_iter(walked); good && at != NULL;
         at = json_object_iter_next(walked, at), first = false) {
        const char *key = json_object_iter_key(at);
        good = (first || dump_byte(dump, ',')) && dump_text(dump, key, strlen(key)) &&
               dump_byte(dump, ':') && dump_json(dump, json_object_iter_value(at));
    }
    return good && dump_byte(dump, '}');
}

bool dump_json(struct dump *dump, const json_t *value) /* NOLINT(misc-no-recursion) */
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return dump_object(dump, value);
    case JSON_ARRAY:
        return dump_array(dump, value);
    case JSON_STRING:
        return dump_text(dump, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return dump_integer(dump, json_integer_value(value));
    case JSON_REAL:
        return dump_real(dump, json_real_value(value));
    case JSON_TRUE:
        return dump_bytes(dump, "true", 4);
    case JSON_FALSE:
        return dump_bytes(dump, "false", 5);
    default:
        return dump_bytes(dump, "null", 4);
    }
}
