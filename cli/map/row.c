/* SPDX-License-Identifier: MIT */
/*
 * Rows, see row.h. The fields stand behind the row, and their bytes behind them.
 */
#include "map/row.h"

#include <stdlib.h>
#include <string.h>

struct row *row_create(size_t fields, size_t bytes, char **out_bytes)
{
    size_t head = sizeof(struct row) + fields * sizeof(struct field);
    struct row *row = malloc(head + bytes);
    if (row == NULL)
        return NULL;
    row->count = fields;
    row->fields = (struct field *)(row + 1);
    *out_bytes = (char *)row + head;
    return row;
}

static size_t count_separators(const char *line, size_t size, const char *separator,
                               size_t separator_size)
{
    size_t count = 0;
    const char *last = line + size;
    const char *found;
    while ((found = memmem(line, (size_t)(last - line), separator, separator_size)) != NULL) {
        line = found + separator_size;
        count++;
    }
    return count;
}

struct row *row_split(const char *line, size_t size, const char *separator, size_t separator_size)
{
    size_t fields = 1;
    if (separator_size > 0)
        fields += count_separators(line, size, separator, separator_size);
    char *out;
    struct row *row = row_create(fields, size + fields, &out);
    if (row == NULL)
        return NULL;
    for (size_t i = 0; i < fields; i++) {
        const char *found = i + 1 < fields ? memmem(line, size, separator, separator_size) : NULL;
        size_t length = found != NULL ? (size_t)(found - line) : size;
        memcpy(out, line, length);
        out[length] = '\0';
        row->fields[i] = (struct field){.bytes = out, .size = length};
        out += length + 1;
        line += length + separator_size;
        size -= found != NULL ? length + separator_size : size;
    }
    return row;
}

struct row *row_join(const struct row *const *rows, size_t count)
{
    size_t fields = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        fields += rows[i]->count;
        for (size_t j = 0; j < rows[i]->count; j++)
            bytes += rows[i]->fields[j].size + 1;
    }
    char *out;
    struct row *row = row_create(fields, bytes, &out);
    if (row == NULL)
        return NULL;
    struct field *to = row->fields;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < rows[i]->count; j++, to++) {
            const struct field *field = &rows[i]->fields[j];
            memcpy(out, field->bytes, field->size + 1);
            *to = (struct field){.bytes = out, .size = field->size};
            out += field->size + 1;
        }
    }
    return row;
}
