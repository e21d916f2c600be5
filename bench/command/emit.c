/* SPDX-License-Identifier: MIT */
/*
 * A job that prints a lot: 1 MiB in lines of 64 bytes, each of which begins with the job's number,
 * so that a look at the output says whether another job's lines, or a cut one, are among them.
 *
 *     command_emit NUMBER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 64, NUMBER = 8, BLOCK = 65536, BLOCKS = 16 };

static char block[BLOCK];

static int put(const char *from, size_t left)
{
    while (left > 0) {
        ssize_t written = write(1, from, left);
        if (written <= 0)
            return 1;
        from += written;
        left -= (size_t)written;
    }
    return 0;
}

int main(int argc, char **argv)
{
    char number[NUMBER + 1];
    int length = snprintf(number, sizeof number, "%08d", argc == 2 ? atoi(argv[1]) : -1);
    if (length != NUMBER)
        return 2;
    memset(block, 'x', sizeof block);
    for (size_t at = 0; at < sizeof block; at += LINE) {
        memcpy(block + at, number, NUMBER);
        block[at + LINE - 1] = '\n';
    }
    int failed = 0;
    for (int i = 0; i < BLOCKS && !failed; i++)
        failed = put(block, sizeof block);
    return failed;
}
