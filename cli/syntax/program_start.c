/* SPDX-License-Identifier: MIT */
/*
 * How our programs begin and end, see program_start.h.
 */
#include "syntax/program_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

/* A closed descriptor would be given to the next file opened, and our messages written into it.
 * What stands in for one cannot be read or written, so that its user gets an error. */
void program_start(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

static _Noreturn void die_of_pipe(void)
{
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)raise(SIGPIPE);
    (void)sigprocmask(SIG_UNBLOCK, &only, NULL);
    _exit(128 + SIGPIPE); /* not reached */
}

int program_end(const char *name, int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (errno == EPIPE)
        die_of_pipe();
    /* What failed earlier has left no errno. */
    (void)fprintf(stderr, "%s: standard output: %s\n", name,
                  errno != 0 ? strerror(errno) : "cannot be written");
    return (int)status_worse((enum status)status, STATUS_LOCAL_FAILURE);
}
