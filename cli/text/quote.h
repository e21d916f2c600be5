/* SPDX-License-Identifier: MIT */
/*
 * Quoting for sh: what a shell reads back as the same words.
 *
 * I1  What was quoted is one word wherever a command's word may stand, also the first: it is no
 *     keyword, no assignment, no pattern, no home folder; nor does it make one with letters in
 *     front of it.
 * I2  Bytes stay what they are, also newlines and those that are not UTF-8.
 */
#ifndef CLI_TEXT_QUOTE_H
#define CLI_TEXT_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

/** Would sh read this word as it stands? */
bool quote_is_plain(const char *word, size_t size);

/** How many bytes quote_word writes, without an end. */
size_t quote_size(const char *word, size_t size);

/** Write the word, in quotes if it needs them. Not terminated. @return behind the last byte. */
char *quote_word(char *out, const char *word, size_t size);

/** The same, in quotes also if it needs none. */
size_t quote_always_size(const char *word, size_t size);
char *quote_word_always(char *out, const char *word, size_t size);

/** The same between the double quotes of a word, or between its single quotes. */
size_t quote_in_double_size(const char *word, size_t size);
char *quote_in_double(char *out, const char *word, size_t size);
size_t quote_in_single_size(const char *word, size_t size);
char *quote_in_single(char *out, const char *word, size_t size);

/** Words as one line, for --dry-run and -v: free(). NULL: out of memory. @param words  ends with
 *  NULL. */
char *quote_line(char *const *words);

#endif
