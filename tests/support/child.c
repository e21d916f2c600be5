/* SPDX-License-Identifier: MIT */
/*
 * Fork and wait. A child that hangs is ended by its own alarm.
 */
#include "support/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

int child_run(int (*fn)(void *arg), void *arg)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        test_hung("fork failed", __FILE__, __LINE__);
    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(TEST_PATIENCE / 3); /* before those in the parent lose patience */
        _exit(fn(arg));
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
