/* SPDX-License-Identifier: MIT */
/*
 * A line for sh, walked through byte by byte to know in which quotes a placeholder stands.
 *
 * I1  What is put in never becomes code. Where it is not certain how sh would read it (in
 *     backquotes, ${}, arithmetic, here-documents, comments, $'') a placeholder is refused.
 * I2  A line is simple if sh would do nothing but split it at blanks and strip quotes.
 *
 * Source: POSIX.1-2017, Shell Command Language, 2.2 Quoting and 2.3 Token Recognition.
 */
#ifndef CLI_MAP_SHELL_LINE_H
#define CLI_MAP_SHELL_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { SHELL_DEPTH = 32 };

/** Where a value is put in, and so how it is quoted. */
enum shell_context {
    SHELL_NOT,    /**< no shell: as it is */
    SHELL_PLAIN,  /**< unquoted */
    SHELL_ALWAYS, /**< unquoted, beside letters: quotes also if it needs none */
    SHELL_DOUBLE,
    SHELL_SINGLE,
};

/** All zero but for simple = true to begin with. */
struct shell_scan {
    unsigned char stack[SHELL_DEPTH]; /* what is open */
    size_t depth;
    const char *unsure; /* why nothing may be put in from here on; NULL: it may */
    bool simple;
    bool escaped; /* a backslash stands before */
    bool dollar;  /* a $ that means something */
    bool opened;  /* "$(" */
    bool in_word;
    bool here_document; /* << came in this line */
    char last, before_escape;
};

/** The next byte. @param at  borrows the line from there on. @return it separates words. */
bool shell_scan_byte(struct shell_scan *scan, const char *at);

/** Does a brace now belong to the shell, as in ${name}? */
bool shell_scan_owns_brace(const struct shell_scan *scan);

/**
 * A value is put in here.
 *
 * @param next    the byte behind it; 0: none.
 * @param reason  receives why it cannot be, if it cannot.
 * @return how to quote it; SHELL_NOT: it cannot be put in.
 */
enum shell_context shell_scan_value(struct shell_scan *scan, char next, const char **reason);

/** May a word be appended? NULL, or why not. */
const char *shell_scan_end(const struct shell_scan *scan);

enum shell_command {
    SHELL_PROGRAM, /**< a program, or a builtin command that is the same as one */
    SHELL_OWN,     /**< sh has it, or reads it as something else */
    SHELL_ECHO,    /**< the same as the program if no word has a backslash or begins with '-' */
};

/** What sh makes of the first word of a simple line. */
enum shell_command shell_command_of(const char *word, size_t size);

#endif
