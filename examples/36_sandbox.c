/* SPDX-License-Identifier: MIT */
/*
 * A sandbox, for tasks that work on input nobody trusts.
 * Teaches .sandbox: what a task could do to others fails with EPERM, whatever made it try; what
 * it is there for, it still can do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sillon/sillon.h>

/* Opens a file, as a parser might that somebody has found a hole in. */
static int open_it(void *arg, void *result)
{
    (void)result;
    int fd = open("/dev/null", *(int *)arg);
    if (fd < 0)
        return sil_fail(errno, "cannot open it: %s", strerror(errno));
    return close(fd);
}

static int add_up(void *arg, void *result)
{
    const int *numbers = arg;
    for (int i = 0; i < 3; i++)
        *(int *)result += numbers[i];
    return 0;
}

static void try_in(const char *what, sil_sandbox sandbox)
{
    sil_executor *pool =
        sil_process_pool(&(sil_process_pool_options){.workers = 1, .sandbox = sandbox});
    sil_future *sum = sil_submit(pool, add_up, (int[]){1, 2, 3}, 3 * sizeof(int), sizeof(int));
    sil_future *reader = sil_submit(pool, open_it, &(int){O_RDONLY}, sizeof(int), 0);
    sil_future *writer = sil_submit(pool, open_it, &(int){O_WRONLY}, sizeof(int), 0);
    int value = 0;
    sil_take(sum, &value, SIL_FOREVER);
    int reading = sil_take(reader, NULL, SIL_FOREVER);
    int writing = sil_take(writer, NULL, SIL_FOREVER);
    printf("%-10s 1 + 2 + 3 = %d, reading: %s, writing: %s\n", what, value,
           reading == 0 ? "yes" : sil_status_name(reading),
           writing == 0 ? "yes" : sil_status_name(writing));
    sil_executor_close(pool);
}

int main(void)
{
    try_in("none:", SIL_SANDBOX_NONE);
    try_in("read only:", SIL_SANDBOX_READ_ONLY);
    try_in("compute:", SIL_SANDBOX_COMPUTE);
    return 0;
}
