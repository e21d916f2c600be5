/* SPDX-License-Identifier: MIT */
/*
 * Named pipes as files: no thread waits for their other end.
 */
#include <sillon/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tasks.h"
#include "unit/coro/scenario.h"

static char folder[] = "/tmp/sil-pipe-XXXXXX";
static char path[64];

static int small_pieces(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char buffer[16];
    size_t got;
    EXPECT(mkfifo(path, 0600) == 0);
    EXPECT(sil_file_open(path, O_WRONLY, 0, SIL_FOREVER) == NULL);
    EXPECT_CODE(sil_error_code(sil_last_error()), ENXIO);
    sil_file *reader = sil_file_open(path, O_RDONLY, 0, SIL_FOREVER);
    EXPECT(reader != NULL);
    EXPECT_CODE(sil_file_read(reader, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
    EXPECT(got == 0);
    sil_file *writer = sil_file_open(path, O_WRONLY, 0, SIL_FOREVER);
    EXPECT(writer != NULL);
    EXPECT_CODE(sil_file_read(reader, buffer, sizeof buffer, &got, SIL_FOREVER), EAGAIN);
    EXPECT_CODE(sil_file_write(writer, "part", 4, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_read(reader, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
    EXPECT(got == 4 && memcmp(buffer, "part", 4) == 0);
    EXPECT_CODE(sil_file_close(writer), 0);
    EXPECT_CODE(sil_file_close(reader), 0);
    EXPECT(unlink(path) == 0);
    return 0;
}

static void test_pipes_are_not_waited_for(void **state)
{
    (void)state;
    run_scenario(small_pieces);
    assert_code(small_pieces(NULL, NULL), 0);
}

static sil_executor *lone; /* the loop's blocking executor: one thread */

static void run_on_lone(sil_task_fn scenario)
{
    lone = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    assert_non_null(lone);
    int code = sil_run_with(&(sil_loop_options){.blocking = lone}, scenario, NULL, 0, NULL, 0);
    if (code != 0)
        print_error("%s\n", sil_error_message(sil_last_error()));
    assert_code(code, 0);
    sil_executor_close(lone);
}

static int read_path(void *arg, void *result)
{
    (void)arg;
    char *data;
    int code = sil_file_read_all(path, 0, &data, NULL, SIL_FOREVER);
    if (code != 0)
        return code;
    *(bool *)result = strcmp(data, "all of it") == 0;
    free(data);
    return 0;
}

static int whole_pipe(void *arg, void *result)
{
    (void)arg;
    (void)result;
    bool is_right = false;
    EXPECT(mkfifo(path, 0600) == 0);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    EXPECT(fd >= 0);
    sil_future *reader = sil_go(read_path, NULL, 0, sizeof is_right);
    sil_executor_stats stats;
    do {
        EXPECT_CODE(sil_yield(), 0);
        EXPECT_CODE(sil_executor_stats_get(lone, &stats), 0);
    } while (stats.running == 0);
    EXPECT_CODE(sil_future_cancel(reader), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(reader, NULL, SIL_FOREVER), SIL_ECANCELLED);

    EXPECT(write(fd, "all of it", 9) == 9);
    reader = sil_go(read_path, NULL, 0, sizeof is_right);
    int rest;
    do {
        EXPECT_CODE(sil_yield(), 0);
        EXPECT(ioctl(fd, FIONREAD, &rest) == 0);
    } while (rest > 0);
    (void)close(fd);
    EXPECT_CODE(sil_take(reader, &is_right, SIL_FOREVER), 0);
    EXPECT(is_right && unlink(path) == 0);
    return 0;
}

static void test_pipes_are_read_to_their_end(void **state)
{
    (void)state;
    run_on_lone(whole_pipe);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_pipes_are_not_waited_for),
        TEST(test_pipes_are_read_to_their_end),
    };
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof path, "%s/file", folder);
    begin_scenarios();
    int failed = test_run_group("files that are pipes", tests, COUNT_OF(tests));
    return test_exit(failed + (rmdir(folder) != 0));
}
