/* SPDX-License-Identifier: MIT */
/*
 * Quoting for sh, see quote.h. Single quotes, in which nothing has a meaning but their end:
 * it's becomes 'it'\''s'.
 */
#include "text/quote.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_KEYWORD = 8 };

/* Those of POSIX, dash and bash. { and } and ! are not plain anyway. */
static const char *const keywords[] = {
    "if",    "then",  "else", "elif", "fi",       "do",     "done", "case",   "esac",
    "while", "until", "for",  "in",   "function", "select", "time", "coproc",
};

/* Bytes that mean themselves anywhere in a word. */
static bool is_plain_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("@%_-+=:,./", c) != NULL);
}

static bool is_keyword(const char *word, size_t size)
{
    if (size > LONGEST_KEYWORD)
        return false;
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (strlen(keywords[i]) == size && memcmp(keywords[i], word, size) == 0)
            return true;
    return false;
}

bool quote_is_plain(const char *word, size_t size)
{
    /* NAME=value would be an assignment, also with letters in front that are not ours. */
    bool no_name = false;
    for (size_t i = 0; i < size; i++) {
        if (!is_plain_byte(word[i]) || (word[i] == '=' && !no_name))
            return false;
        no_name |= strchr("@%-:,./", word[i]) != NULL;
    }
    return size > 0 && !is_keyword(word, size);
}

size_t quote_in_single_size(const char *word, size_t size)
{
    size_t total = size;
    for (size_t i = 0; i < size; i++)
        total += word[i] == '\'' ? 3 : 0;
    return total;
}

char *quote_in_single(char *out, const char *word, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (word[i] == '\'') {
            *out++ = '\'';
            *out++ = '\\';
            *out++ = '\'';
        }
        *out++ = word[i];
    }
    return out;
}

static bool means_something_in_double(char c)
{
    return c == '"' || c == '$' || c == '`' || c == '\\';
}

size_t quote_in_double_size(const char *word, size_t size)
{
    size_t total = size;
    for (size_t i = 0; i < size; i++)
        total += means_something_in_double(word[i]);
    return total;
}

char *quote_in_double(char *out, const char *word, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (means_something_in_double(word[i]))
            *out++ = '\\';
        *out++ = word[i];
    }
    return out;
}

size_t quote_always_size(const char *word, size_t size)
{
    return quote_in_single_size(word, size) + 2;
}

char *quote_word_always(char *out, const char *word, size_t size)
{
    *out++ = '\'';
    out = quote_in_single(out, word, size);
    *out++ = '\'';
    return out;
}

size_t quote_size(const char *word, size_t size)
{
    return quote_is_plain(word, size) ? size : quote_always_size(word, size);
}

char *quote_word(char *out, const char *word, size_t size)
{
    if (!quote_is_plain(word, size))
        return quote_word_always(out, word, size);
    memcpy(out, word, size);
    return out + size;
}

char *quote_line(char *const *words)
{
    size_t total = 1;
    for (size_t i = 0; words[i] != NULL; i++)
        total += quote_size(words[i], strlen(words[i])) + 1;
    char *line = malloc(total);
    if (line == NULL)
        return NULL;
    char *out = line;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (i > 0)
            *out++ = ' ';
        out = quote_word(out, words[i], strlen(words[i]));
    }
    *out = '\0';
    return line;
}
