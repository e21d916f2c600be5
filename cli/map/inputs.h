/* SPDX-License-Identifier: MIT */
/*
 * The inputs of map: rows of fields, one row a job (with -n or -X several), from standard input,
 * files and the command line, combined or linked; or blocks of standard input (--pipe).
 *
 * Several sources: all combinations, the last varies fastest; an empty one leaves none. :::+ links
 * to the source before: rows side by side, until the shorter has ended. The columns of all sources
 * are numbered one after the other. All as GNU parallel.
 *
 * I1  Inputs are read as they are asked for: a million of them take the memory of a few. What must
 *     be combined with others again and again (all sources but the first) is kept; --shuf keeps
 *     all.
 * I2  What a field holds is what stood in the input: no quotes are taken away and no blanks (but by
 *     --csv, as RFC 4180 says, with the byte order mark in front). An empty line is an input, a CR
 *     stays, the last line needs no end. A zero byte in a line is an error that names the line.
 * I3  What could not be an input ends the reading; the rows before it have been given.
 *
 * --shuf comes first, then --skip and --max, so that --shuf --max 10 is a sample. -d is a text that
 * stands between columns, of any length, in which \t \n \r \0 \\ can be written; with --csv it is
 * one byte. With --header the first row of each source names its columns. With --pipe --header each
 * block begins with the first line of the input.
 */
#ifndef CLI_MAP_INPUTS_H
#define CLI_MAP_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "map/syntax.h"

struct inputs;

struct field {
    const char *bytes; /**< terminated, too */
    size_t size;
};

/** One block of memory: free(). */
struct row {
    size_t count;
    struct field *fields;
};

/** How the words behind the options part: the command, and sources. */
struct map_words {
    char *
        *command; /**< borrowed from words: the first `count` of them; may be empty with --shell */
    size_t count;
    size_t sources_at; /**< where in words the first ::: or :::: stands; words->count: nowhere */
};

/** Part the words at the first of ::: :::+ :::: ::::+ . */
void map_words_split(const struct words *words, struct map_words *out);

/**
 * Open all sources. What is wrong with them is said (options_refuse).
 *
 * @param options, words, split  borrows, until destroy.
 * @return returns owned; NULL: *out_status.
 */
struct inputs *inputs_open(const struct map_options *options, const struct words *words,
                           const struct map_words *split, int *out_status);
/** @param inputs  takes; NULL allowed. */
void inputs_destroy(struct inputs *inputs);

/** The names of the columns (--header), as a row; NULL: there are none. In a coroutine; reads the
 *  first line. */
const struct row *inputs_header(struct inputs *inputs);

/**
 * The next row. In a coroutine, which waits for the input.
 *
 * @param out  returns owned: free().
 * @return 0; SIL_ECLOSED there are no more; SIL_ECANCELLED inputs_stop, or the coroutine was
 *         cancelled; else inputs_error says more.
 */
int inputs_next(struct inputs *inputs, struct row **out);

/** Put a row back: inputs_next gives it again (for -X). One. @param row  takes. */
void inputs_unread(struct inputs *inputs, struct row *row);

/** The next block of the one input (--pipe): up to --block bytes, ending at a line's end; more if a
 *  line is longer. A memfd with just these bytes, at offset 0; owned. As inputs_next. */
int inputs_next_block(struct inputs *inputs, int *out_fd);

/** Wake whoever waits in inputs_next: it gets SIL_ECANCELLED, from now on always. */
void inputs_stop(struct inputs *inputs);

/** How many rows (or blocks) there will be; 0: none, or not known yet. Never reads for it. */
uint64_t inputs_total(const struct inputs *inputs);

/** Why reading ended too early; NULL: it did not. Borrowed. */
const char *inputs_error(const struct inputs *inputs);

#endif
