/* SPDX-License-Identifier: MIT */
/*
 * Placeholders, see placeholder.h.
 */
#include "map/placeholder.h"

#include <stdint.h>
#include <string.h>

/* More columns than that nobody has; 9 digits fit in any size_t. */
enum { COLUMN_DIGITS = 9 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* What stands behind a name says which part. Returns the size of the name. */
static size_t read_part(const char *body, size_t size, enum field_part *out)
{
    static const struct {
        const char *text;
        size_t size;
        enum field_part part;
    } parts[] = {
        {"/.", 2, FIELD_BASE_STEM},
        {"//", 2, FIELD_FOLDER},
        {"/", 1, FIELD_BASE},
        {".", 1, FIELD_STEM},
    };
    *out = FIELD_WHOLE;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t before = size - parts[i].size;
        if (size >= parts[i].size && memcmp(body + before, parts[i].text, parts[i].size) == 0) {
            *out = parts[i].part;
            return before;
        }
    }
    return size;
}

/* A number of a column, from 1. */
static bool read_column(const char *text, size_t size, size_t *out)
{
    size_t number = 0;
    if (size == 0 || size > COLUMN_DIGITS)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(text[i]))
            return false;
        number = 10 * number + (size_t)(text[i] - '0');
    }
    *out = number - 1;
    return number > 0;
}

static bool find_name(const struct row *header, const char *name, size_t size, size_t *out)
{
    for (size_t i = 0; i < header->count; i++) {
        if (header->fields[i].size == size && memcmp(header->fields[i].bytes, name, size) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool looks_like_name(const char *text, size_t size)
{
    if (size == 0 || !is_letter(text[0]))
        return false;
    for (size_t i = 1; i < size; i++)
        if (!is_letter(text[i]) && !is_digit(text[i]))
            return false;
    return true;
}

/* What braces with this in them stand for. false: nothing. */
static bool read_body(const char *body, size_t size, const struct placeholder_names *names,
                      struct braces *out)
{
    struct placeholder *what = &out->what;
    *what = (struct placeholder){0};
    out->is_known = true;
    if (size == 1 && (body[0] == '#' || body[0] == '%')) {
        what->kind = body[0] == '#' ? PLACEHOLDER_SEQ : PLACEHOLDER_SLOT;
        return true;
    }
    if (!names->inputs)
        return false;
    /* A name may end as a part does: "a.b/" is looked for first. */
    what->kind = PLACEHOLDER_NAMED;
    if (names->header != NULL && size > 0 && find_name(names->header, body, size, &what->column))
        return true;
    size_t name = read_part(body, size, &what->part);
    if (names->header != NULL && name > 0 && find_name(names->header, body, name, &what->column))
        return true;
    what->kind = name == 0 ? PLACEHOLDER_INPUT : PLACEHOLDER_COLUMN;
    if (name == 0 || read_column(body, name, &what->column))
        return true;
    out->is_known = false;
    return names->header != NULL && looks_like_name(body, name);
}

bool braces_read(const char *text, size_t size, const struct placeholder_names *names,
                 size_t *out_extra, struct braces *out)
{
    size_t open = 0;
    while (open < size && text[open] == '{')
        open++;
    *out_extra = open;
    const char *body = text + open;
    const char *end = memchr(body, '}', size - open);
    if (end == NULL || !read_body(body, (size_t)(end - body), names, out))
        return false;
    size_t body_size = (size_t)(end - body), close = 0;
    while (open + body_size + close < size && close < open && end[close] == '}')
        close++;
    *out_extra = open - close;
    out->count = close;
    out->size = 2 * close + body_size;
    out->name = body;
    out->name_size = body_size;
    return true;
}

/* --- parts of a field ----------------------------------------------------------------------- */

static size_t behind_last_slash(const char *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] != '/')
        size--;
    return size;
}

/* How much of a name is left without its extension. */
static size_t stem_size(const char *bytes, size_t base, size_t size)
{
    for (size_t i = size; i > base; i--)
        if (bytes[i - 1] == '.')
            return i - 1;
    return size;
}

static const char *folder_of(const char *bytes, size_t size, size_t *out_size)
{
    size_t end = size;
    while (end > 0 && bytes[end - 1] == '/')
        end--;
    size_t base = behind_last_slash(bytes, end);
    *out_size = 1;
    if (base == 0)
        return end == 0 && size > 0 ? "/" : ".";
    while (base > 1 && bytes[base - 1] == '/')
        base--;
    *out_size = base;
    return bytes;
}

const char *field_part(const struct field *field, enum field_part part, size_t *out_size)
{
    const char *bytes = field->bytes;
    *out_size = field->size;
    if (part == FIELD_WHOLE)
        return bytes;
    if (part == FIELD_FOLDER)
        return folder_of(bytes, field->size, out_size);
    size_t base = behind_last_slash(bytes, field->size);
    size_t end = part == FIELD_BASE ? field->size : stem_size(bytes, base, field->size);
    size_t begin = part == FIELD_STEM ? 0 : base;
    *out_size = end - begin;
    return bytes + begin;
}
