/* SPDX-License-Identifier: MIT */
/*
 * Patterns, see glob.h.
 */
#include "get/glob.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *read_number(const char *text, uint64_t *out)
{
    if (!is_digit(*text))
        return NULL;
    *out = 0;
    for (; is_digit(*text); text++) {
        if (*out > UINT64_MAX / 100)
            return NULL;
        *out = *out * 10 + (uint64_t)(*text - '0');
    }
    return text;
}

/* Behind '['. Returns what is behind ']', or NULL. */
static const char *read_range(const char *text, struct glob_part *part)
{
    const char *end;
    part->step = 1;
    if (is_letter(text[0]) && text[1] == '-' && is_letter(text[2])) {
        part->digits = -1;
        part->first = (unsigned char)text[0];
        part->last = (unsigned char)text[2];
        end = text + 3;
    } else {
        end = read_number(text, &part->first);
        if (end == NULL || *end != '-')
            return NULL;
        part->digits = text[0] == '0' ? (int)(end - text) : 0;
        end = read_number(end + 1, &part->last);
    }
    if (end != NULL && *end == ':')
        end = read_number(end + 1, &part->step);
    if (end == NULL || *end != ']' || part->step == 0 || part->first > part->last)
        return NULL;
    part->now = part->first;
    return end + 1;
}

static uint64_t count_words(const char *words, size_t size)
{
    uint64_t count = 1;
    for (size_t i = 0; i < size; i++)
        count += words[i] == ',';
    return count;
}

static const char *read_choices(const char *text, struct glob_part *part)
{
    const char *end = strchr(text, '}');
    if (end == NULL)
        return NULL;
    part->choices = text;
    part->choices_size = (size_t)(end - text);
    part->last = count_words(part->choices, part->choices_size) - 1;
    part->step = 1;
    return end + 1;
}

const char *glob_parse(const char *pattern, struct glob *out)
{
    *out = (struct glob){0};
    const char *text = pattern;
    for (;;) {
        size_t before = strcspn(text, "[{");
        if (text[before] == '\0')
            break;
        if (out->count == GLOB_PARTS)
            return "too many [ranges] and {lists}";
        struct glob_part *part = &out->parts[out->count++];
        *part = (struct glob_part){.text = text, .text_size = before};
        const char *inside = text + before + 1;
        text = text[before] == '[' ? read_range(inside, part) : read_choices(inside, part);
        if (text == NULL)
            return "no range such as [1-100:3], nor a list such as {a,b}";
    }
    out->rest = text;
    return NULL;
}

/* The word of {} that it stands at. */
static const char *choice_now(const struct glob_part *part, size_t *out_size)
{
    const char *word = part->choices, *end = part->choices + part->choices_size;
    for (uint64_t skip = part->now; skip > 0; word++)
        skip -= *word == ',';
    const char *comma = memchr(word, ',', (size_t)(end - word));
    *out_size = (size_t)((comma != NULL ? comma : end) - word);
    return word;
}

static void put(FILE *out, const struct glob_part *part)
{
    (void)fwrite(part->text, 1, part->text_size, out);
    if (part->choices != NULL) {
        size_t size;
        const char *word = choice_now(part, &size);
        (void)fwrite(word, 1, size, out);
    } else if (part->digits < 0) {
        (void)fputc((int)part->now, out);
    } else {
        (void)fprintf(out, "%0*llu", part->digits, (unsigned long long)part->now);
    }
}

static void step(struct glob *glob)
{
    for (size_t i = glob->count; i > 0; i--) {
        struct glob_part *part = &glob->parts[i - 1];
        if (part->last - part->now >= part->step) {
            part->now += part->step;
            return;
        }
        part->now = part->choices != NULL ? 0 : part->first;
    }
    glob->ended = 1;
}

char *glob_next(struct glob *glob)
{
    char *text = NULL;
    size_t size = 0;
    if (glob->ended)
        return NULL;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < glob->count; i++)
        put(out, &glob->parts[i]);
    (void)fputs(glob->rest, out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    step(glob);
    return text;
}
