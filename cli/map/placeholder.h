/* SPDX-License-Identifier: MIT */
/*
 * Placeholders: how they are written, and which part of a field they stand for.
 *
 * I1  A part of a field is a piece of its bytes, or one of two constants: nothing is copied.
 */
#ifndef CLI_MAP_PLACEHOLDER_H
#define CLI_MAP_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "map/inputs.h"

enum placeholder_kind {
    PLACEHOLDER_INPUT,  /**< {} all fields of a row */
    PLACEHOLDER_COLUMN, /**< {2} */
    PLACEHOLDER_NAMED,  /**< {name}, a column of each row */
    PLACEHOLDER_SEQ,    /**< {#} */
    PLACEHOLDER_SLOT,   /**< {%} */
};

/** As GNU parallel: */
enum field_part {
    FIELD_WHOLE,
    FIELD_STEM,      /**< {.} without what the last dot behind the last slash begins */
    FIELD_BASE,      /**< {/} behind the last slash */
    FIELD_FOLDER,    /**< {//} as dirname: "." without a slash */
    FIELD_BASE_STEM, /**< {/.} */
};

struct placeholder {
    enum placeholder_kind kind;
    enum field_part part;
    size_t column; /**< from 0 */
};

/** What is known as a placeholder. */
struct placeholder_names {
    const struct row *header; /**< borrowed; NULL: columns have no names */
    bool inputs;              /**< false: only {#} and {%} */
};

/** One or more braces, what they hold, and as many that close. */
struct braces {
    size_t size;   /**< bytes of the template that all of it takes */
    size_t count;  /**< of braces on each side */
    bool is_known; /**< false: it looks like the name of a column, and is none */
    struct placeholder what;
    const char *name; /**< what stands between the braces */
    size_t name_size;
};

/**
 * Read what begins with a brace. Of n braces on each side n/2 are text; if n is odd, the one left
 * makes a placeholder of what they hold: {} is the input, {{}} is the text {}, {{{}}} is the input
 * in braces. Braces in front that have no counterpart are text, too.
 *
 * @param text  borrows; the first byte is an opening brace.
 * @param out_extra  receives how many braces in front are text for that reason; out begins behind
 *                   them.
 * @return false: it is text, with all of the opening braces: *out_extra.
 */
bool braces_read(const char *text, size_t size, const struct placeholder_names *names,
                 size_t *out_extra, struct braces *out);

/** @return borrowed, from the field or constant. */
const char *field_part(const struct field *field, enum field_part part, size_t *out_size);

#endif
