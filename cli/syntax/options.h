/* SPDX-License-Identifier: MIT */
/*
 * Options: one record each, from which come the parsing, --help, the man page and the completions.
 *
 * I1  An option is written down once. What help says of it cannot differ from what is accepted.
 * I2  What was typed is checked here; a command sees values that are in range.
 * I3  Wrong usage names the word that is wrong, the nearest option if one is close, and nothing has
 *     been started.
 *
 * popt splits the words. What is left to a command: which values make sense together.
 */
#ifndef CLI_SYNTAX_OPTIONS_H
#define CLI_SYNTAX_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A list of texts, in the order given. Owned by the values. */
struct texts {
    char **list;
    size_t count;
};

/** How many at the same time, as typed: "8", "50%", "+2", "0". */
struct jobs {
    enum { JOBS_DEFAULT, JOBS_NUMBER, JOBS_PERCENT, JOBS_MORE } kind;
    double number; /**< of jobs, or of the CPUs this process may use; 0 jobs: no limit */
};

/** "now,fail=3", "soon,fail=10%". */
struct halt {
    enum { HALT_NEVER, HALT_NOW, HALT_SOON } when;
    enum { HALT_FAIL, HALT_SUCCESS, HALT_DONE } what;
    double number;
    bool percent;
};

enum option_kind {
    OPTION_FLAG,     /**< bool: true when given */
    OPTION_COUNT,    /**< unsigned: how often it was given */
    OPTION_NUMBER,   /**< uint64_t, from least to most */
    OPTION_SECONDS,  /**< double: "500ms", "3", "1.5s", "2m", "1h" */
    OPTION_SIZE,     /**< uint64_t bytes: "10", "64K", "1.5M", "2G"; powers of 1024 */
    OPTION_RATE,     /**< double per second: "10/s", "100/m", "5" */
    OPTION_JOBS,     /**< struct jobs */
    OPTION_HALT,     /**< struct halt */
    OPTION_TEXT,     /**< char *, owned by the values; NULL when not given */
    OPTION_OPTIONAL, /**< char *: as TEXT, but "--name" without "=value" gives "" */
    OPTION_LIST,     /**< struct texts: one more each time it is given */
    OPTION_CHOICE,   /**< int: the place of the word among choices */
};

/** What completion offers for a value. */
enum option_hint { HINT_NONE, HINT_FILE, HINT_FOLDER };

struct option_record {
    const char *group; /**< its heading in --help; options of a group follow each other */
    const char *name;
    const char *argument;       /**< what --help calls its value; NULL for a flag */
    const char *help;           /**< two lines of help at most, with its default */
    const char *more;           /**< for the man page: sentences; NULL: help says all */
    size_t offset;              /**< where in the command's values it is stored */
    uint64_t least, most;       /**< NUMBER and SIZE; for SIZE most 0 is no limit */
    const char *const *choices; /**< ends with NULL */
    enum option_kind kind;
    enum option_hint hint;
    char letter; /**< 0: it has none */
};

/**
 * All that help and the man page say of a command, but for its options.
 *
 * The longer texts (description, notes, sections, more) are lines; an empty line parts paragraphs, a
 * line that begins with two spaces is shown as it stands, and "term TAB text" is a row of a list.
 */
struct syntax {
    const char *command;     /**< "get"; "": sillon itself */
    const char *usage;       /**< what may follow "sillon get", one line a form */
    const char *summary;     /**< one sentence */
    const char *examples;    /**< can be pasted; each line begins with two spaces */
    const char *notes;       /**< what else one must know, behind the options, in --help too */
    const char *description; /**< for the man page: behind the summary; NULL: none */
    const char *statuses;    /**< rows "0 TAB all done": in --help and the man page */
    const char *environment; /**< rows "NAME TAB what for": likewise */
    const char *const
        *sections; /**< for the man page: heading, text, ...; ends with NULL; NULL: none */
    const struct option_record *options;
    size_t option_count;
    const char *word_choices; /**< what completion offers for words: "cpu io"; NULL: nothing */
    bool stops_at_word;       /**< the first word that is no option ends the options (map) */
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
int options_refuse(const struct syntax *syntax, const char *word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** How many jobs that is: at least 1, at most 65536. @param fallback  for JOBS_DEFAULT; SILLON_JOBS in
 *  the environment comes before it (options_parse has seen to it that it makes sense). */
size_t jobs_count(const struct jobs *jobs, size_t fallback);

/** The three of them: data, known to the dispatcher too (man pages, completions). */
extern const struct syntax get_syntax;
extern const struct syntax map_syntax;
extern const struct syntax bench_syntax;

/** `sillon` itself, and the three in the order of its help; ends with NULL. */
extern const struct syntax sillon_syntax;
extern const struct syntax *const all_syntaxes[];

#endif
