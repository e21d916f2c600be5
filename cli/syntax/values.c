/* SPDX-License-Identifier: MIT */
/*
 * The value of an option, see values.h.
 */
#include "syntax/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/units.h"

enum { MOST_JOBS = 65536 };

bool value_read_jobs(const char *text, struct jobs *out)
{
    double percent;
    uint64_t number;
    bool more = text[0] == '+';
    if (unit_read_percent(text, &percent)) {
        *out = (struct jobs){.kind = JOBS_PERCENT, .number = percent};
        return true;
    }
    if (!unit_read_number(text + more, 0, MOST_JOBS, &number))
        return false;
    *out = (struct jobs){.kind = more ? JOBS_MORE : JOBS_NUMBER, .number = (double)number};
    return true;
}

/* Does the text begin with the word, and does the word end there? */
static bool begins(const char **text, const char *word, const char *ends)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0 || strchr(ends, (*text)[length]) == NULL)
        return false;
    *text += length; /* strchr finds the 0 at the end, too */
    return true;
}

bool value_read_halt(const char *text, struct halt *out)
{
    struct halt halt = {.when = HALT_NEVER, .number = 1};
    if (strcmp(text, "never") == 0) {
        *out = halt;
        return true;
    }
    if (begins(&text, "now", ",") && *text != '\0')
        halt.when = HALT_NOW;
    else if (begins(&text, "soon", ",") && *text != '\0')
        halt.when = HALT_SOON;
    else
        return false;
    text++;
    if (begins(&text, "fail", "="))
        halt.what = HALT_FAIL;
    else if (begins(&text, "success", "="))
        halt.what = HALT_SUCCESS;
    else if (begins(&text, "done", "="))
        halt.what = HALT_DONE;
    else
        return false;
    if (*text == '=') {
        uint64_t count = 0;
        halt.percent = unit_read_percent(text + 1, &halt.number) && halt.number <= 100;
        if (!halt.percent && !unit_read_number(text + 1, 1, UINT32_MAX, &count))
            return false;
        if (!halt.percent)
            halt.number = (double)count;
    }
    *out = halt;
    return true;
}

static bool read_choice(const struct option_record *option, const char *text, void *place,
                        char expected[VALUE_EXPECTED])
{
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            memcpy(place, &i, sizeof(i));
            return true;
        }
    }
    size_t used = (size_t)snprintf(expected, VALUE_EXPECTED, "one of:");
    for (int i = 0; option->choices[i] != NULL && used < VALUE_EXPECTED; i++) {
        int length = snprintf(expected + used, VALUE_EXPECTED - used, " %s", option->choices[i]);
        used += length > 0 ? (size_t)length : 0;
    }
    return false;
}

static bool read_number(const struct option_record *option, const char *text, void *place,
                        char expected[VALUE_EXPECTED])
{
    (void)snprintf(expected, VALUE_EXPECTED, "a whole number from %llu to %llu",
                   (unsigned long long)option->least, (unsigned long long)option->most);
    return unit_read_number(text, option->least, option->most, place);
}

static bool read_size(const struct option_record *option, const char *text, void *place,
                      char expected[VALUE_EXPECTED])
{
    uint64_t size, most = option->most > 0 ? option->most : UINT64_MAX;
    bool is_size = unit_read_size(text, &size);
    if (is_size && size >= option->least && size <= most) {
        memcpy(place, &size, sizeof(size));
        return true;
    }
    char least_text[UNIT_TEXT_SIZE], most_text[UNIT_TEXT_SIZE];
    if (!is_size)
        (void)snprintf(expected, VALUE_EXPECTED, "a size such as 10K, 64M or 1.5G");
    else if (size < option->least)
        (void)snprintf(expected, VALUE_EXPECTED, "a size of at least %s",
                       unit_bytes(least_text, (double)option->least));
    else
        (void)snprintf(expected, VALUE_EXPECTED, "a size of at most %s",
                       unit_bytes(most_text, (double)most));
    return false;
}

static bool append_text(struct texts *texts, char *text)
{
    char **grown = realloc(texts->list, (texts->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return false;
    texts->list = grown;
    texts->list[texts->count++] = text;
    return true;
}

/* Kinds whose value is made from a text. */
static bool read_value(const struct option_record *option, const char *text, void *place,
                       char expected[VALUE_EXPECTED])
{
    const char *wanted = "";
    bool read = false;
    switch (option->kind) {
    case OPTION_NUMBER:
        return read_number(option, text, place, expected);
    case OPTION_SIZE:
        return read_size(option, text, place, expected);
    case OPTION_CHOICE:
        return read_choice(option, text, place, expected);
    case OPTION_SECONDS:
        read = unit_read_seconds(text, place);
        wanted = "a time such as 30, 1.5s, 500ms or 2m";
        break;
    case OPTION_RATE:
        read = unit_read_rate(text, place);
        wanted = "a rate such as 5, 10/s or 100/m";
        break;
    case OPTION_JOBS:
        read = value_read_jobs(text, place);
        wanted = VALUE_JOBS_EXPECTED;
        break;
    case OPTION_HALT:
        read = value_read_halt(text, place);
        wanted = "now or soon, then fail, success or done, such as now,fail=1 or soon,fail=10%";
        break;
    case OPTION_FLAG:
    case OPTION_COUNT:
    case OPTION_TEXT:
    case OPTION_OPTIONAL:
    case OPTION_LIST:
        break;
    }
    (void)snprintf(expected, VALUE_EXPECTED, "%s", wanted);
    return read;
}

enum value_verdict value_store(const struct option_record *option, char *text, void *values,
                               char expected[VALUE_EXPECTED])
{
    void *place = (char *)values + option->offset;
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)place = true;
        break;
    case OPTION_COUNT:
        ++*(unsigned *)place;
        break;
    case OPTION_TEXT:
    case OPTION_OPTIONAL:
        free(*(char **)place); /* given twice: the last one counts */
        *(char **)place = text;
        return VALUE_STORED;
    case OPTION_LIST:
        if (append_text(place, text))
            return VALUE_STORED;
        free(text);
        return VALUE_NO_MEMORY;
    default: {
        bool read = read_value(option, text, place, expected);
        free(text);
        return read ? VALUE_STORED : VALUE_WRONG;
    }
    }
    free(text);
    return VALUE_STORED;
}

void value_free(const struct option_record *option, void *values)
{
    void *place = (char *)values + option->offset;
    if (option->kind == OPTION_TEXT || option->kind == OPTION_OPTIONAL) {
        free(*(char **)place);
        *(char **)place = NULL;
    } else if (option->kind == OPTION_LIST) {
        struct texts *texts = place;
        for (size_t i = 0; i < texts->count; i++)
            free(texts->list[i]);
        free(texts->list);
        *texts = (struct texts){0};
    }
}
