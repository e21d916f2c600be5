/* SPDX-License-Identifier: MIT */
/*
 * What a template is made of: shared by the one who reads it (template_parse.c) and the one who
 * fills it (template.c).
 *
 *     template = portions = pieces
 *
 * A portion is what is repeated for each row, if it is: a word of the command; of a shell line a
 * word, or what stands between words; of a tag all of it.
 */
#ifndef CLI_MAP_TEMPLATE_PARTS_H
#define CLI_MAP_TEMPLATE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "map/placeholder.h"
#include "map/shell_line.h"
#include "map/template.h"

struct piece {
    bool is_text;
    const char *text; /**< borrowed from the template's words */
    size_t size;
    struct placeholder what;
    enum shell_context context;
};

struct portion {
    size_t first, count; /**< pieces */
    bool repeats;        /**< for each row */
    bool alone;          /**< nothing but {} or the like: for each field, too */
};

struct template
{
    struct piece *pieces;
    size_t piece_count, piece_room;
    struct portion *portions;
    size_t portion_count, portion_room;
    size_t line_portions; /**< the first so many are the line for sh; the others are words */
    bool is_line;         /**< there is one */
    bool uses_slot;
    bool uses_input;
    struct template *direct; /**< the line without sh (I3); owned; NULL: it needs sh */
    bool direct_if_tame;     /**< only for inputs without backslashes and hyphens in front (echo) */
};

#endif
