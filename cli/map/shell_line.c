/* SPDX-License-Identifier: MIT */
/*
 * A line for sh, see shell_line.h.
 */
#include "map/shell_line.h"

#include <string.h>

/* What is open. The first is the line itself. */
enum { CODE, SUBSHELL, SUBSTITUTION, ARITHMETIC, BRACE, BACKQUOTE, DOUBLE, SINGLE, COMMENT };

static int top(const struct shell_scan *scan)
{
    return scan->depth == 0 ? CODE : scan->stack[scan->depth - 1];
}

static void push(struct shell_scan *scan, int kind)
{
    if (scan->depth == SHELL_DEPTH)
        scan->unsure = "behind so many levels of quotes";
    else
        scan->stack[scan->depth++] = (unsigned char)kind;
    scan->simple &= kind == DOUBLE || kind == SINGLE;
}

static void pop(struct shell_scan *scan)
{
    scan->depth--;
    scan->in_word = true; /* what was open is a part of a word */
}

static bool has(const struct shell_scan *scan, int kind)
{
    for (size_t i = 0; i < scan->depth; i++)
        if (scan->stack[i] == kind)
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Bytes that sh takes as they are, outside of quotes. */
static bool is_literal(char c)
{
    return is_alnum(c) || (unsigned char)c >= 0x80 || strchr("@%-+=:,./ \t", c) != NULL;
}

/* --- a byte in each of them ----------------------------------------------------------------- */

/* What begins something in code, in double quotes and in ${}. */
static void scan_dollar(struct shell_scan *scan, char c, bool dollar)
{
    if (c == '\\')
        scan->escaped = true;
    else if (c == '$')
        scan->dollar = true;
    else if (c == '`')
        push(scan, BACKQUOTE);
    else if (c == '(' && dollar)
        push(scan, SUBSTITUTION);
    else if (c == '[' && dollar)
        scan->unsure = "in or behind $[...]";
    else if (c == '{' && dollar)
        push(scan, BRACE);
    else
        return;
    scan->simple = false;
    scan->opened = c == '(';
}

static void scan_brace(struct shell_scan *scan, char c, bool dollar)
{
    if (c == '}')
        pop(scan);
    else if (c == '"')
        push(scan, DOUBLE);
    else if (c == '\'' && has(scan, DOUBLE))
        scan->unsure = "behind a single quote in ${} in double quotes";
    else if (c == '\'')
        push(scan, SINGLE);
    else
        scan_dollar(scan, c, dollar);
}

/* Returns whether it separates words. */
static bool scan_parenthesis(struct shell_scan *scan, char c, bool opened)
{
    int kind = top(scan);
    bool arithmetic = kind == ARITHMETIC || opened;
    if (c == '(' && !arithmetic && scan->last == '(')
        scan->unsure = "in or behind ((...))";
    if (c == '(')
        push(scan, arithmetic ? ARITHMETIC : SUBSHELL);
    else if (kind != CODE)
        pop(scan);
    if (kind == SUBSHELL || c == '(')
        scan->in_word = false;
    scan->simple = false;
    return kind == SUBSHELL || kind == CODE || c == '(';
}

/* What is not to be understood in "$((" if it could be a subshell in a substitution, after all. */
static void scan_arithmetic(struct shell_scan *scan, char c)
{
    if (strchr("#'\n", c) != NULL)
        scan->unsure = "behind arithmetic like this";
}

/* What makes the rest of a line hard to read. */
static void scan_trap(struct shell_scan *scan, const char *at, bool dollar, bool starts)
{
    char c = *at;
    if (c == '\n' && scan->here_document)
        scan->unsure = "in or behind a here-document";
    else if (c == '<' && scan->last == '<')
        scan->here_document = true;
    else if (c == '\'' && dollar)
        scan->unsure = "in or behind $'...'";
    else if (c == 'c' && starts && scan->depth > 0 && strncmp(at, "case", 4) == 0)
        scan->unsure = "behind a case in parentheses";
    else if (c == '#' && starts)
        push(scan, COMMENT);
}

static bool scan_code(struct shell_scan *scan, const char *at, bool dollar, bool opened)
{
    char c = *at;
    bool starts = !scan->in_word;
    bool separates = is_blank(c) || strchr(";&|()<>", c) != NULL;
    scan->in_word = !separates;
    scan->simple &= is_literal(c) || c == '\'' || c == '"';
    if (top(scan) == ARITHMETIC)
        scan_arithmetic(scan, c);
    else
        scan_trap(scan, at, dollar, starts);
    if (top(scan) == COMMENT)
        return false;
    if (c == ')' || (c == '(' && !dollar))
        return scan_parenthesis(scan, c, opened);
    if (c == '\'')
        push(scan, SINGLE);
    else if (c == '"')
        push(scan, DOUBLE);
    else
        scan_dollar(scan, c, dollar);
    return separates && c != '(';
}

/* A backslash stands before it. */
static void scan_escaped(struct shell_scan *scan, char c)
{
    scan->escaped = false;
    if (c != '\n')
        scan->in_word = true;
    else if (scan->before_escape != '\0' && !is_blank(scan->before_escape))
        scan->unsure = "behind a word that goes on in the next line";
}

bool shell_scan_byte(struct shell_scan *scan, const char *at)
{
    char c = *at;
    bool dollar = scan->dollar, opened = scan->opened, separates = false;
    scan->dollar = scan->opened = false;
    if (scan->escaped) {
        scan_escaped(scan, c);
        scan->last = c == '\n' ? ' ' : 'x';
        return false;
    }
    if (top(scan) == COMMENT && c == '\n')
        pop(scan);
    switch (top(scan)) {
    case COMMENT:
        break;
    case SINGLE:
        if (c == '\'')
            pop(scan);
        break;
    case DOUBLE:
        if (c == '"')
            pop(scan);
        else
            scan_dollar(scan, c, dollar);
        scan->in_word &= !scan->opened; /* a command begins */
        break;
    case BRACE:
        scan_brace(scan, c, dollar);
        break;
    case BACKQUOTE:
        scan->escaped = c == '\\';
        if (c == '`')
            pop(scan);
        break;
    default:
        separates = scan_code(scan, at, dollar, opened);
    }
    if (scan->escaped)
        scan->before_escape = scan->last;
    scan->last = c;
    return separates;
}

/* --- values --------------------------------------------------------------------------------- */

bool shell_scan_owns_brace(const struct shell_scan *scan)
{
    return scan->dollar;
}

enum shell_context shell_scan_value(struct shell_scan *scan, char next, const char **reason)
{
    *reason = scan->unsure;
    if (scan->escaped)
        *reason = "behind a backslash";
    else if (has(scan, BRACE))
        *reason = "in ${...}";
    else if (has(scan, BACKQUOTE))
        *reason = "in backquotes; use $(...)";
    else if (has(scan, ARITHMETIC))
        *reason = "in arithmetic";
    else if (has(scan, COMMENT))
        *reason = "in a comment";
    if (*reason != NULL)
        return SHELL_NOT;
    /* Letters beside it: it shall not become a keyword with them, nor the number of a descriptor.
     * */
    bool beside = (scan->in_word && (is_alnum(scan->last) || strchr("{}~", scan->last) != NULL)) ||
                  is_alnum(next) || (next != '\0' && strchr("<>{}(", next) != NULL);
    scan->in_word = true;
    scan->last = 'x';
    switch (top(scan)) {
    case SINGLE:
        return SHELL_SINGLE;
    case DOUBLE:
        return SHELL_DOUBLE;
    default:
        return beside ? SHELL_ALWAYS : SHELL_PLAIN;
    }
}

const char *shell_scan_end(const struct shell_scan *scan)
{
    if (scan->unsure != NULL || scan->here_document || scan->depth > 0 || scan->escaped)
        return "its end, where the input would be put, is in quotes, a comment or the like";
    if (scan->last == '\0' || strchr(";&|(\n", scan->last) != NULL)
        return "the input, at its end, would be a command of its own";
    return NULL;
}

/* --- commands ------------------------------------------------------------------------------- */

/* Reserved words and builtin commands of POSIX, dash and bash, but for those that are the same as
 * the programs of that name: [ false printf test true. */
static const char *const own_commands[] = {
    "!",       ".",        ":",      "[[",      "alias",    "bg",      "bind",      "break",
    "builtin", "caller",   "case",   "cd",      "chdir",    "command", "compgen",   "complete",
    "compopt", "continue", "coproc", "declare", "dirs",     "disown",  "do",        "done",
    "elif",    "else",     "enable", "esac",    "eval",     "exec",    "exit",      "export",
    "fc",      "fg",       "fi",     "for",     "function", "getopts", "hash",      "help",
    "history", "if",       "in",     "jobs",    "kill",     "let",     "local",     "logout",
    "mapfile", "newgrp",   "popd",   "pushd",   "pwd",      "read",    "readarray", "readonly",
    "return",  "select",   "set",    "shift",   "shopt",    "source",  "suspend",   "then",
    "time",    "times",    "trap",   "type",    "typeset",  "ulimit",  "umask",     "unalias",
    "unset",   "until",    "wait",   "while",   "{",        "}",
};

enum shell_command shell_command_of(const char *word, size_t size)
{
    if (size == 0 || memchr(word, '=', size) != NULL)
        return SHELL_OWN;
    for (size_t i = 0; i < sizeof(own_commands) / sizeof(own_commands[0]); i++)
        if (strlen(own_commands[i]) == size && memcmp(own_commands[i], word, size) == 0)
            return SHELL_OWN;
    return size == 4 && memcmp(word, "echo", 4) == 0 ? SHELL_ECHO : SHELL_PROGRAM;
}
