/* SPDX-License-Identifier: MIT */
/*
 * A thread of its own: for the one task that blocks for long and would hold up a pool.
 * Teaches sil_thread_start, and that its future is like any other: it is waited for together
 * with those of a pool.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <sillon/sillon.h>

typedef struct line {
    char text[32];
} line;

static int read_line(void *arg, void *result)
{
    line *out = result;
    ssize_t got = read(*(int *)arg, out->text, sizeof out->text - 1); /* blocks */
    if (got < 0)
        return sil_fail(errno, "cannot read a line in '%s'", sil_current_name());
    return got > 0 ? 0 : sil_fail(ENODATA, "nobody writes any more");
}

static int write_line(void *arg, void *result)
{
    (void)result;
    static const char text[] = "hello from the pool";
    int fd = *(int *)arg;
    return write(fd, text, sizeof text) == sizeof text ? 0 : sil_fail(errno, "cannot write");
}

int main(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        return 1;
    sil_executor *pool = sil_thread_pool(NULL);
    sil_future *reader = sil_thread_start(&(sil_thread_options){.name = "reader"}, read_line,
                                          &ends[0], sizeof(int), sizeof(line));
    sil_future *writer = sil_submit(pool, write_line, &ends[1], sizeof(int), 0);

    sil_future *both[] = {reader, writer};
    int code = sil_wait(both, 2, SIL_ALL_COMPLETED, SIL_FOREVER, NULL);
    line l = {""};
    if (code == 0)
        code = sil_take(writer, NULL, SIL_NOW);
    int read_code = sil_take(reader, &l, SIL_FOREVER);
    printf("the reader got '%s'\n", read_code == 0 ? l.text : sil_strerror(read_code));
    sil_executor_close(pool);
    close(ends[0]);
    close(ends[1]);
    return code == 0 && read_code == 0 ? 0 : 1;
}
