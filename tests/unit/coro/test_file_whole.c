/* SPDX-License-Identifier: MIT */
/*
 * Whole files: read, and replaced.
 */
#include <sillon/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tasks.h"
#include "unit/coro/scenario.h"

static char folder[] = "/tmp/sil-whole-XXXXXX";
static char path[64];
static char link_path[64];

static unsigned entries(void)
{
    unsigned count = 0;
    DIR *open_folder = opendir(folder);
    while (open_folder && readdir(open_folder)) // NOLINT(concurrency-mt-unsafe)
        count++;
    (void)closedir(open_folder);
    return count - 2; /* . and .. */
}

static int round_trip(const char *data, size_t size)
{
    char *copy;
    size_t got;
    EXPECT_CODE(sil_file_write_all(path, data, size, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_read_all(path, size, &copy, &got, SIL_FOREVER), 0);
    EXPECT(got == size && copy[size] == '\0' && memcmp(copy, data, size) == 0);
    free(copy);
    if (size > 0) {
        EXPECT_CODE(sil_file_read_all(path, size - 1 ? size - 1 : 1, &copy, &got, SIL_FOREVER),
                    size > 1 ? SIL_ETOOLONG : 0);
        if (size == 1)
            free(copy);
    }
    EXPECT(entries() == 1);
    return 0;
}

static int all_sizes(void *arg, void *result)
{
    (void)arg;
    (void)result;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 1 << 20, (5 << 20) + 3};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *data = malloc(sizes[i] + 1);
        EXPECT(data != NULL);
        for (size_t k = 0; k < sizes[i]; k++)
            data[k] = (char)(k * 13 >> 1);
        int code = round_trip(data, sizes[i]);
        free(data);
        if (code != 0)
            return code;
    }
    EXPECT(unlink(path) == 0);
    return 0;
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    run_scenario(all_sizes);
    assert_code(all_sizes(NULL, NULL), 0);
}

static int replace(void *arg, void *result)
{
    (void)arg;
    (void)result;
    struct stat status;
    EXPECT_CODE(sil_file_write_all(path, "old", 3, SIL_FOREVER), 0);
    EXPECT(chmod(path, 0640) == 0 && symlink("file", link_path) == 0);
    int old = open(path, O_RDONLY | O_CLOEXEC);
    EXPECT_CODE(sil_file_write_all(link_path, "new one", 7, SIL_FOREVER), 0);
    EXPECT(lstat(link_path, &status) == 0 && S_ISLNK(status.st_mode));
    EXPECT(stat(path, &status) == 0 && status.st_size == 7 && (status.st_mode & 07777) == 0640);
    /* Who has the old one open goes on with it. */
    char text[8] = "";
    EXPECT(read(old, text, sizeof text) == 3 && strcmp(text, "old") == 0);
    (void)close(old);
    EXPECT(entries() == 2);
    EXPECT(unlink(path) == 0 && unlink(link_path) == 0);
    return 0;
}

static void test_the_old_file_is_replaced_at_once(void **state)
{
    (void)state;
    run_scenario(replace);
}

static int refused(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char *data = NULL;
    EXPECT_CODE(sil_file_read_all(path, 0, &data, NULL, SIL_FOREVER), ENOENT);
    EXPECT(strstr(sil_error_message(sil_last_error()), path) != NULL);
    EXPECT_CODE(sil_file_read_all(folder, 0, &data, NULL, SIL_FOREVER), EISDIR);
    EXPECT_CODE(sil_file_read_all("/dev/zero", 1 << 20, &data, NULL, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_file_read_all(NULL, 0, &data, NULL, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_read_all(path, 0, NULL, NULL, SIL_FOREVER), SIL_EINVAL);
    EXPECT(data == NULL);
    EXPECT_CODE(sil_file_write_all("/no/such/folder/x", "", 0, SIL_FOREVER), ENOENT);
    EXPECT_CODE(sil_file_write_all(folder, "", 0, SIL_FOREVER), EISDIR);
    EXPECT_CODE(sil_file_write_all(path, NULL, 1, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_write_all(NULL, "x", 1, SIL_FOREVER), SIL_EINVAL);
    EXPECT(entries() == 0);
    return 0;
}

static void test_failures_are_told(void **state)
{
    (void)state;
    run_scenario(refused);
}

static int no_size(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char *data;
    size_t size;
    EXPECT_CODE(sil_file_read_all("/proc/self/status", 0, &data, &size, SIL_FOREVER), 0);
    EXPECT(size > 100 && strstr(data, "Name:") != NULL && strlen(data) == size);
    free(data);
    return 0;
}

static void test_files_that_do_not_know_their_size(void **state)
{
    (void)state;
    run_scenario(no_size);
}

/* It would go on for ever, and is stopped on its way. */
static int read_endless(void *arg, void *result)
{
    (void)result;
    char *data;
    return sil_file_read_all("/dev/zero", *(size_t *)arg, &data, NULL, SIL_FOREVER);
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

static int stopped(void *arg, void *result)
{
    (void)arg;
    (void)result;
    size_t limit = (size_t)1 << 33;
    sil_future *reader = sil_go(read_endless, &limit, sizeof limit, 0);
    sil_executor_stats stats;
    do {
        EXPECT_CODE(sil_yield(), 0);
        EXPECT_CODE(sil_executor_stats_get(lone, &stats), 0);
    } while (stats.running == 0);
    EXPECT_CODE(sil_future_cancel(reader), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(reader, NULL, SIL_FOREVER), SIL_ECANCELLED);
    return 0;
}

static void test_cancel_stops_it_on_its_way(void **state)
{
    (void)state;
    run_on_lone(stopped);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_what_is_written_is_read),    TEST(test_the_old_file_is_replaced_at_once),
        TEST(test_failures_are_told),          TEST(test_files_that_do_not_know_their_size),
        TEST(test_cancel_stops_it_on_its_way),
    };
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof path, "%s/file", folder);
    (void)snprintf(link_path, sizeof link_path, "%s/link", folder);
    begin_scenarios();
    int failed = test_run_group("whole files", tests, COUNT_OF(tests));
    return test_exit(failed + (rmdir(folder) != 0));
}
