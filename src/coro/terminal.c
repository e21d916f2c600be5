/* SPDX-License-Identifier: MIT */
/*
 * Terminals: their mode and size.
 *
 * I1: raw lists all terminals that are in raw mode, so that the end of the program can put them
 * back.
 */
#include <sillon/terminal.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <sillon/signals.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "base/lock.h"
#include "coro/enter.h"

struct sil_terminal {
    int fd;
    struct termios former;
    struct winsize told;
    uint32_t generation; /* of the process that opened it: a forked child leaves it alone */
    bool is_raw;
    sil_terminal *next; /* guarded by lock, while it is raw */

    /* Made when needed. */
    sil_executor *loop; /* whose the other is */
    sil_signals *resizes;
};

static struct sil__lock lock;
static sil_terminal *raw; /* I1; guarded by lock */

/* --- modes --------------------------------------------------------------------------------- */

static int set_mode(const sil_terminal *terminal, const struct termios *mode)
{
    /* In the background this would stop us: the mode matters more. */
    sigset_t no_stop;
    sigset_t former;
    sigemptyset(&no_stop);
    sigaddset(&no_stop, SIGTTOU);
    (void)pthread_sigmask(SIG_BLOCK, &no_stop, &former);
    int error;
    do /* not after what was written has been read: that may be never */
        error = tcsetattr(terminal->fd, TCSANOW, mode) == 0 ? 0 : errno;
    while (error == EINTR);
    (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
    return error;
}

__attribute__((destructor)) static void program_ends(void)
{
    for (sil_terminal *terminal = raw; terminal; terminal = terminal->next)
        if (terminal->generation == sil__fork_generation())
            (void)set_mode(terminal, &terminal->former);
}

static void list(sil_terminal *terminal, bool is_raw)
{
    sil__lock_take(&lock);
    if (is_raw) {
        terminal->next = raw;
        raw = terminal;
    } else {
        sil_terminal **link = &raw;
        while (*link != terminal)
            link = &(*link)->next;
        *link = terminal->next;
    }
    terminal->is_raw = is_raw;
    sil__lock_drop(&lock);
}

static int failed(const char *what, int error)
{
    return sil__fail(error, "%s: %s", what, strerror(error));
}

int sil_terminal_set_raw(sil_terminal *terminal, bool is_raw)
{
    if (!terminal)
        return sil__fail(SIL_EINVAL, "sil_terminal_set_raw: NULL");
    struct termios mode = terminal->former;
    if (is_raw)
        cfmakeraw(&mode);
    int error = set_mode(terminal, &mode);
    if (error)
        return failed("sil_terminal_set_raw", error);
    if (is_raw != terminal->is_raw)
        list(terminal, is_raw);
    return 0;
}

/* --- size ---------------------------------------------------------------------------------- */

/* 0, or an errno value. */
static int look(const sil_terminal *terminal, struct winsize *out)
{
    return ioctl(terminal->fd, TIOCGWINSZ, out) == 0 ? 0 : errno;
}

static int tell(sil_terminal *terminal, struct winsize size, unsigned *out_columns,
                unsigned *out_rows)
{
    terminal->told = size;
    if (out_columns)
        *out_columns = size.ws_col;
    if (out_rows)
        *out_rows = size.ws_row;
    return 0;
}

int sil_terminal_size(sil_terminal *terminal, unsigned *out_columns, unsigned *out_rows)
{
    if (!terminal)
        return sil__fail(SIL_EINVAL, "sil_terminal_size: NULL");
    struct winsize size;
    int error = look(terminal, &size);
    return error ? failed("sil_terminal_size", error) : tell(terminal, size, out_columns, out_rows);
}

int sil_terminal_resized(sil_terminal *terminal, unsigned *out_columns, unsigned *out_rows,
                         sil_deadline until)
{
    if (!terminal)
        return sil__fail(SIL_EINVAL, "sil_terminal_resized: NULL");
    sil_executor *loop = terminal->loop ? terminal->loop : sil_loop_current();
    int code = sil__enter(loop, "sil_terminal_resized");
    if (code != 0)
        return code;
    terminal->loop = loop;
    if (!terminal->resizes)
        terminal->resizes = sil_signals_open(&(int){SIGWINCH}, 1);
    if (!terminal->resizes)
        return sil_error_code(sil_last_error());
    for (;;) {
        struct winsize size;
        int error = look(terminal, &size);
        if (error)
            return failed("sil_terminal_resized", error);
        if (size.ws_col != terminal->told.ws_col || size.ws_row != terminal->told.ws_row)
            return tell(terminal, size, out_columns, out_rows);
        int number;
        code = sil_signals_next(terminal->resizes, &number, until);
        if (code != 0)
            return code;
    }
}

/* --- open and close ------------------------------------------------------------------------ */

bool sil_terminal_is(int fd)
{
    return isatty(fd) == 1;
}

sil_terminal *sil_terminal_open(int fd)
{
    sil_terminal *terminal = sil__alloc(sizeof *terminal);
    if (!terminal) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    terminal->fd = fd;
    terminal->generation = sil__fork_generation();
    if (tcgetattr(fd, &terminal->former) == 0 && look(terminal, &terminal->told) == 0)
        return terminal;
    if (errno == EBADF)
        sil__fail(SIL_EINVAL, "sil_terminal_open: descriptor %d is not open", fd);
    else
        failed("sil_terminal_open", errno);
    sil__free(terminal);
    return NULL;
}

void sil_terminal_close(sil_terminal *terminal)
{
    if (!terminal)
        return;
    if (terminal->is_raw)
        (void)set_mode(terminal, &terminal->former);
    if (terminal->is_raw)
        list(terminal, false);
    sil_signals_close(terminal->resizes);
    sil__free(terminal);
}
