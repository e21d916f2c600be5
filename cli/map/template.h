/* SPDX-License-Identifier: MIT */
/*
 * The command with its placeholders, and what becomes of it for an input.
 *
 *     {} the input   {.} without its extension   {/} its last part   {//} its folder   {/.} both
 *     {#} the job's number   {%} its slot   {2} {2.} {2/} ... of a column
 *     {name} {name/} ... of a column with a name
 *     {{}} {{name}} ... the text in one pair of braces less; {{{}}} the input in braces
 *
 * All other text stays as it is, braces too: awk '{print $1}', {{.Name}}, JSON. But with --header
 * what looks like a name and is no column is refused.
 *
 * I1  Each word of the template makes words of the command whose number and ends do not depend on
 *     what is in the input: no shell, no splitting. In a --shell line what is put in is quoted for
 *     sh, as the quotes around it demand, and refused where that cannot be (shell_line.h); ${...}
 *     there is sh's.
 * I2  A template without a placeholder for inputs gets the input as its last word; a --shell line
 *     at its end, or if words follow it, as the last of those.
 * I3  A --shell line in which sh would do nothing but split words and strip quotes is run without
 *     it.
 *
 * Several columns or rows. A word that is one of {} {.} {/} {//} {/.} becomes a word for each
 * column; with other text around it the columns stand in one word, with a blank between them. With
 * several rows in a job (-n, -X) a word with {} or {name} is repeated for each row, whole. {2} is
 * no such: columns are numbered through all rows of the job, so with -n 2 {2} is the second input.
 * A column beyond the last is empty. All as GNU parallel, but for the blank, which separates
 * nothing here.
 */
#ifndef CLI_MAP_TEMPLATE_H
#define CLI_MAP_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "map/inputs.h"

struct template;

/** What is put in. */
struct filling {
    const struct row *const *rows; /**< more than one with -n and -X */
    size_t row_count;
    uint64_t seq;
    unsigned slot;
};

/**
 * Read a template.
 *
 * @param words   borrows, until destroy: the command's; with shell_line NULL at least one.
 * @param header  borrows, until destroy: names of columns; NULL.
 * @param shell_line  borrows, until destroy: NULL, or the line for sh -c; words are its $1, $2 ...
 * @param syntax  for messages: what is wrong is said by options_refuse ({name} that is no column, a
 *                placeholder in backquotes ...).
 * @param pipe  --pipe: no input is put in, none is appended; only {#} and {%} are placeholders.
 * @return returns owned; NULL: *out_status.
 */
struct template *template_parse(char *const *words, size_t count, const char *shell_line,
                                const struct row *header, bool pipe, const struct syntax *syntax,
                                int *out_status);
/** One line for --tag, with the same placeholders; all columns of all rows with blanks between
 *  them. */
struct template *template_parse_text(const char *text, const struct row *header,
                                     const struct syntax *syntax, int *out_status);
/** @param template  takes; NULL allowed. */
void template_destroy(struct template *template);

/** Does it depend on the slot, {%}? */
bool template_uses_slot(const struct template *template);

/** The command for an input: words and the NULL behind them in one block of memory: free(). NULL:
 *  out of memory. @param out_count  how many; NULL allowed. */
char **template_fill(const struct template *template, const struct filling *filling,
                     size_t *out_count);

/** How many bytes execve would count for it: words, their ends and pointers (for -X). SIZE_MAX: one
 *  of the words is longer than any program can get (128 KiB). */
size_t template_size(const struct template *template, const struct filling *filling);

/** By how many of these bytes its last row adds to it: what the size is without that row, and this,
 *  is the size with it (but for the limit of a word, and what {9} takes from later rows). So that
 *  packing n rows (-X) takes n steps. */
size_t template_row_size(const struct template *template, const struct filling *filling);

/** The text for --tag: free(). */
char *template_fill_text(const struct template *template, const struct filling *filling);

#endif
