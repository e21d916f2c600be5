/* SPDX-License-Identifier: MIT */
/*
 * A pseudo terminal, read as a terminal emulator would, as far as we need one: characters of one column,
 * \r, \n, ESC [ n A, ESC [ K, ESC [ J, ESC [ ... m. What scrolls off the top is kept.
 */
#ifndef TESTS_UNIT_CLI_PSEUDO_TERMINAL_H
#define TESTS_UNIT_CLI_PSEUDO_TERMINAL_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "support/test.h"

enum { PSEUDO_ROWS = 24, PSEUDO_COLUMNS = 80, PSEUDO_HISTORY = 1 << 16 };

struct pseudo {
    int master, fd;
    unsigned rows, columns;
    char cells[PSEUDO_ROWS][PSEUDO_COLUMNS + 1];
    char history[PSEUDO_HISTORY]; /**< lines that scrolled away, each with its "\n" */
    unsigned row, column;
    char escape[32];
    size_t escape_size; /**< 0: not in one */
    size_t bytes, reads, colors, strange, wraps;
};

static inline void pseudo_clear(struct pseudo *pseudo, unsigned row, unsigned from)
{
    memset(pseudo->cells[row] + from, ' ', PSEUDO_COLUMNS - from);
}

static inline void pseudo_resize(struct pseudo *pseudo, unsigned rows, unsigned columns)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    pseudo->rows = rows;
    pseudo->columns = columns;
    if (ioctl(pseudo->master, TIOCSWINSZ, &size) != 0)
        abort();
}

static inline bool pseudo_open(struct pseudo *pseudo, unsigned rows, unsigned columns)
{
    memset(pseudo, 0, sizeof *pseudo);
    (void)setenv("TERM", "xterm", 1);
    pseudo->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (pseudo->master < 0 || grantpt(pseudo->master) != 0 || unlockpt(pseudo->master) != 0)
        return false;
    pseudo->fd = open(ptsname(pseudo->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    pseudo_resize(pseudo, rows, columns);
    for (unsigned row = 0; row < PSEUDO_ROWS; row++)
        pseudo_clear(pseudo, row, 0);
    return pseudo->fd >= 0;
}

static inline void pseudo_close(struct pseudo *pseudo)
{
    (void)close(pseudo->fd);
    (void)close(pseudo->master);
}

/* What stands in a row, without the blanks behind it. */
static inline const char *pseudo_row(const struct pseudo *pseudo, unsigned row)
{
    static char text[PSEUDO_COLUMNS + 1];
    size_t size = PSEUDO_COLUMNS;
    while (size > 0 && pseudo->cells[row][size - 1] == ' ')
        size--;
    memcpy(text, pseudo->cells[row], size);
    text[size] = '\0';
    return text;
}

static inline void pseudo_line_down(struct pseudo *pseudo)
{
    if (++pseudo->row < pseudo->rows)
        return;
    pseudo->row = pseudo->rows - 1;
    size_t used = strlen(pseudo->history);
    if (used + PSEUDO_COLUMNS + 2 < PSEUDO_HISTORY) {
        (void)strcpy(pseudo->history + used, pseudo_row(pseudo, 0));
        (void)strcat(pseudo->history + used, "\n");
    }
    memmove(pseudo->cells[0], pseudo->cells[1], sizeof(pseudo->cells[0]) * (PSEUDO_ROWS - 1));
    pseudo_clear(pseudo, pseudo->row, 0);
}

static inline void pseudo_obey(struct pseudo *pseudo)
{
    unsigned number = (unsigned)strtoul(pseudo->escape + 2, NULL, 10);
    switch (pseudo->escape[pseudo->escape_size - 1]) {
    case 'A':
        number = number > 0 ? number : 1;
        pseudo->strange += number > pseudo->row; /* it went up too far */
        pseudo->row = number < pseudo->row ? pseudo->row - number : 0;
        break;
    case 'J':
        for (unsigned row = pseudo->row + 1; row < PSEUDO_ROWS; row++)
            pseudo_clear(pseudo, row, 0);
        pseudo_clear(pseudo, pseudo->row, pseudo->column);
        break;
    case 'K':
        pseudo_clear(pseudo, pseudo->row, pseudo->column);
        break;
    case 'm':
        pseudo->colors++;
        break;
    default:
        pseudo->strange++;
    }
}

static inline void pseudo_character(struct pseudo *pseudo, char character)
{
    if (pseudo->escape_size > 0 || character == '\033') {
        pseudo->escape[pseudo->escape_size++ % 31] = character;
        if (pseudo->escape_size > 2 && character >= '@') {
            pseudo_obey(pseudo);
            pseudo->escape_size = 0;
        }
    } else if (character == '\r') {
        pseudo->column = 0;
    } else if (character == '\n') {
        pseudo_line_down(pseudo);
    } else {
        if (pseudo->column == pseudo->columns) {
            pseudo->column = 0;
            pseudo->wraps++;
            pseudo_line_down(pseudo);
        }
        pseudo->strange += (unsigned char)character < ' ' || (unsigned char)character > '~';
        pseudo->cells[pseudo->row][pseudo->column++] = character;
    }
}

/** Show what has been written. */
static inline void pseudo_read(struct pseudo *pseudo)
{
    char bytes[4096];
    ssize_t count;
    while ((count = read(pseudo->master, bytes, sizeof bytes)) > 0) {
        pseudo->bytes += (size_t)count;
        pseudo->reads++;
        for (ssize_t i = 0; i < count; i++)
            pseudo_character(pseudo, bytes[i]);
    }
}

/** The same, and then: does a row say this? */
static inline bool pseudo_says(struct pseudo *pseudo, unsigned row, const char *text)
{
    pseudo_read(pseudo);
    return strcmp(pseudo_row(pseudo, row), text) == 0;
}

#endif
