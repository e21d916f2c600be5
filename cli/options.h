/* SPDX-License-Identifier: MIT */
/*
 * Options: one record each, from which both the parsing and --help come.
 *
 * I1  An option is written down once. What --help says of it cannot differ from what is accepted.
 * I2  What was typed is checked here; a command sees values that are in range.
 * I3  Wrong usage names the word that is wrong, and nothing has been started.
 *
 * popt splits the words. What is left to a command: which values make sense together.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,    /**< bool: true when given */
    OPTION_NUMBER,  /**< uint64_t, from least to most */
    OPTION_SECONDS, /**< double */
    OPTION_TEXT,    /**< char *, owned by the values; NULL when not given */
    OPTION_CHOICE,  /**< int: the place of the word among choices */
};

struct option_record {
    const char *group; /**< its heading in --help; options of a group follow each other */
    const char *name;
    const char *argument; /**< what --help calls its value; NULL for a flag */
    const char *help;     /**< one line */
    size_t offset;        /**< where in the command's values it is stored */
    uint64_t least, most;
    const char *const *choices; /**< ends with NULL */
    enum option_kind kind;
    char letter; /**< 0: it has none */
};

/** All that --help prints of a command, but for its options. */
struct syntax {
    const char *command;  /**< "get" */
    const char *usage;    /**< what may follow "sillon get", one line a form */
    const char *summary;  /**< one sentence */
    const char *examples; /**< can be pasted; each line begins with two spaces */
    const char *notes;    /**< what else one must know, at the end */
    const struct option_record *options;
    size_t option_count;
};

/** The words that are not options, in order. */
struct words {
    char **list;
    size_t count;
};

enum { OPTIONS_OK = -1 };

/**
 * Read a command line into the values.
 *
 * @param argv    borrows; argv[0] is skipped.
 * @param values  a struct of the command's, holding its defaults; receives what was given.
 * @param out_words  receives the other words, returns owned: options_fini.
 * @return OPTIONS_OK, or the program's exit status: help was printed, or usage was wrong.
 */
int options_parse(const struct syntax *syntax, int argc, char **argv, void *values,
                  struct words *out_words);

/** Free the texts in the values, and the words. Call it whatever options_parse returned. */
void options_fini(const struct syntax *syntax, void *values, struct words *words);

/**
 * Say what is wrong with a word, and how to get help, on stderr.
 *
 * @return STATUS_BAD_USAGE
 */
int options_refuse(const struct syntax *syntax, const char *word, const char *reason);

#endif
