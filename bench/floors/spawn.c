/* SPDX-License-Identifier: MIT */
/*
 * The least that who runs jobs has to do: start a program, two at a time, until all have ended.
 * No output is kept, nothing is written down. It shows what of a job is the kernel's.
 *
 *     bench_spawn COUNT PROGRAM
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { AT_A_TIME = 2, DIGITS = 16 };

static int start(char *program, int number)
{
    extern char **environ;
    char text[DIGITS];
    char *argv[] = {program, text, NULL};
    pid_t pid;
    (void)snprintf(text, sizeof text, "%d", number);
    return posix_spawn(&pid, program, NULL, NULL, argv, environ);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int count = atoi(argv[1]);
    int running = 0;
    int failed = 0;
    for (int i = 1; i <= count || running > 0;) {
        if (i <= count && running < AT_A_TIME) {
            if (start(argv[2], i++) != 0)
                return 1;
            running++;
            continue;
        }
        int status;
        if (wait(&status) > 0) {
            running--;
            failed += status != 0;
        }
    }
    return failed > 0;
}
