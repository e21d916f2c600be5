/* SPDX-License-Identifier: MIT */
/*
 * Widths, see columns.h, and cutting to them.
 */
#include "output/columns.h"

#include <stdint.h>
#include <string.h>

#include "output/screen.h"
#include "text/harmless.h"
#include "text/utf8.h"

/* ESC [ digits and ; m. 0: it is none. */
static size_t color_size(const char *text)
{
    if (text[0] != '\033' || text[1] != '[')
        return 0;
    size_t digits = strspn(text + 2, "0123456789;");
    return text[2 + digits] == 'm' ? digits + 3 : 0;
}

struct column_step columns_step(const char *text)
{
    struct column_step step = {.size = color_size(text), .is_color = true};
    if (step.size > 0)
        return step;
    uint32_t character = 0;
    step = (struct column_step){.size = utf8_read(text, &character), .columns = 1};
    if (step.size == 0) {
        step.size = 1;
        return step;
    }
    step.is_text = !harmless_is_control(character);
    if (step.is_text)
        step.columns = utf8_columns(character);
    return step;
}

size_t columns_of(const char *text)
{
    size_t columns = 0;
    while (*text != '\0') {
        struct column_step step = columns_step(text);
        columns += step.columns;
        text += step.size;
    }
    return columns;
}

/* --- cutting --------------------------------------------------------------------------------- */

/* How many bytes of its beginning fit. */
static size_t head_size(const char *text, size_t columns)
{
    size_t at = 0;
    while (text[at] != '\0') {
        struct column_step step = columns_step(text + at);
        if (step.columns > columns)
            break;
        columns -= step.columns;
        at += step.size;
    }
    return at;
}

/* Where the part begins of which all fits. */
static size_t tail_start(const char *text, size_t width, size_t columns)
{
    size_t at = 0;
    while (width > columns) {
        struct column_step step = columns_step(text + at);
        width -= step.columns;
        at += step.size;
    }
    return at;
}

const char *screen_cut_middle(char *out, size_t size, const char *text, unsigned columns)
{
    static const char dots[] = "...";
    const size_t dots_size = sizeof(dots) - 1;
    size_t length = strlen(text), width = columns_of(text);
    if (size == 0)
        return out;
    if (width <= columns && length < size) {
        memcpy(out, text, length + 1);
        return out;
    }
    size_t most = width < columns ? width : columns, head = 0, tail, middle = 0;
    for (;; most--) { /* fewer columns, until the bytes fit too */
        bool dotted = most > dots_size + 1;
        middle = dotted ? dots_size : 0;
        size_t behind = dotted ? (most - middle) / 2 : 0;
        head = head_size(text, most - middle - behind);
        tail = dotted ? tail_start(text, width, behind) : length;
        if (head + middle + (length - tail) < size || most == 0)
            break;
    }
    if (head >= size)
        head = 0; /* colours alone have no columns */
    memcpy(out, text, head);
    memcpy(out + head, dots, middle);
    memcpy(out + head + middle, text + tail, length - tail);
    out[head + middle + (length - tail)] = '\0';
    return out;
}
