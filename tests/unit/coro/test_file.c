/* SPDX-License-Identifier: MIT */
/*
 * Files: each operation, on plain threads and in coroutines, and what a cancel does to it.
 */
#include <sillon/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tasks.h"
#include "unit/coro/scenario.h"

static char folder[] = "/tmp/sil-file-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int use(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char buffer[16] = "";
    size_t got;
    uint64_t size;
    sil_file *file = sil_file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, SIL_FOREVER);
    EXPECT(file != NULL);
    EXPECT(fcntl(sil_file_descriptor(file), F_GETFD) & FD_CLOEXEC);
    EXPECT_CODE(sil_file_write(file, "hello ", 6, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_write(file, "world", 5, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_write_at(file, "W", 1, 6, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_write(file, "!", 1, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_size(file, &size, SIL_FOREVER), 0);
    EXPECT(size == 12);
    EXPECT_CODE(sil_file_read_at(file, buffer, 5, 6, &got, SIL_FOREVER), 0);
    EXPECT(got == 5 && memcmp(buffer, "World", 5) == 0);
    EXPECT_CODE(sil_file_read_at(file, buffer, sizeof buffer, 6, &got, SIL_FOREVER), 0);
    EXPECT(got == 6 && memcmp(buffer, "World!", 6) == 0);
    EXPECT_CODE(sil_file_read_at(file, buffer, sizeof buffer, 1000, &got, SIL_FOREVER), 0);
    EXPECT(got == 0);
    EXPECT_CODE(sil_file_read(file, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
    EXPECT(got == 0);
    EXPECT_CODE(sil_file_truncate(file, 3, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_sync(file, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_close(file), 0);

    file = sil_file_open(path, O_RDONLY, 0, SIL_FOREVER);
    EXPECT(file != NULL);
    EXPECT_CODE(sil_file_read(file, buffer, 2, &got, SIL_FOREVER), 0);
    EXPECT(got == 2 && memcmp(buffer, "he", 2) == 0);
    EXPECT_CODE(sil_file_read(file, buffer, 2, &got, SIL_FOREVER), 0);
    EXPECT(got == 1 && buffer[0] == 'l');
    EXPECT_CODE(sil_file_write(file, "x", 1, SIL_FOREVER), EBADF);
    EXPECT(strstr(sil_error_message(sil_last_error()), path) != NULL);
    EXPECT_CODE(sil_file_close(file), 0);
    EXPECT(unlink(path) == 0);
    return 0;
}

static void test_operations_in_a_coroutine(void **state)
{
    (void)state;
    run_scenario(use);
}

static void test_operations_on_a_plain_thread(void **state)
{
    (void)state;
    assert_code(use(NULL, NULL), 0);
}

static void test_operations_in_a_task_of_a_pool(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(NULL);
    assert_code(sil_take(sil_submit(pool, use, NULL, 0, 0), NULL, SIL_FOREVER), 0);
    sil_executor_close(pool);
}

enum { LARGE = 3 << 20 };

static int large(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char *data = malloc(LARGE);
    char *copy = malloc(LARGE);
    EXPECT(data && copy);
    for (size_t i = 0; i < LARGE; i++)
        data[i] = (char)(i * 7 >> 2);
    sil_file *file = sil_file_open(path, O_RDWR | O_CREAT, 0, SIL_FOREVER);
    EXPECT(file != NULL);
    EXPECT_CODE(sil_file_write(file, data, LARGE, SIL_FOREVER), 0);
    size_t got;
    EXPECT_CODE(sil_file_read_at(file, copy, LARGE, 0, &got, SIL_FOREVER), 0);
    EXPECT(got == LARGE && memcmp(data, copy, LARGE) == 0);
    /* Beyond the end, and in pieces small enough to be read at once. */
    enum { PIECE = 100000 };
    for (size_t at = 0; at < LARGE; at += got) {
        size_t rest = LARGE - at < PIECE ? LARGE - at : PIECE;
        EXPECT_CODE(sil_file_read_at(file, copy, PIECE, at, &got, SIL_FOREVER), 0);
        EXPECT(got == rest && memcmp(data + at, copy, rest) == 0);
    }
    EXPECT_CODE(sil_file_close(file), 0);
    EXPECT(unlink(path) == 0);
    free(data);
    free(copy);
    return 0;
}

static void test_large_reads_and_writes(void **state)
{
    (void)state;
    run_scenario(large);
}

static int refused(void *arg, void *result)
{
    (void)arg;
    (void)result;
    EXPECT(sil_file_open(path, O_RDONLY, 0, SIL_FOREVER) == NULL);
    EXPECT_CODE(sil_error_code(sil_last_error()), ENOENT);
    EXPECT(strstr(sil_error_message(sil_last_error()), path) != NULL);
    EXPECT(sil_file_open(NULL, O_RDONLY, 0, SIL_FOREVER) == NULL);
    EXPECT_CODE(sil_error_code(sil_last_error()), SIL_EINVAL);
    EXPECT(sil_file_open(folder, O_WRONLY, 0, SIL_FOREVER) == NULL);
    EXPECT_CODE(sil_error_code(sil_last_error()), EISDIR);
    char byte;
    size_t got;
    uint64_t size;
    EXPECT_CODE(sil_file_read(NULL, &byte, 1, &got, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_write(NULL, &byte, 1, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_size(NULL, &size, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_sync(NULL, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_close(NULL), 0);
    EXPECT(sil_file_descriptor(NULL) == -1);
    sil_file *file = sil_file_open("/dev/null", O_RDWR, 0, SIL_FOREVER);
    EXPECT(file != NULL);
    EXPECT_CODE(sil_file_read(file, NULL, 1, &got, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_read(file, NULL, 0, &got, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_read_at(file, &byte, 1, UINT64_MAX, &got, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_write_at(file, &byte, 1, UINT64_MAX, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_truncate(file, UINT64_MAX, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_file_truncate(file, 0, SIL_FOREVER), EINVAL);
    EXPECT_CODE(sil_file_close(file), 0);
    file = sil_file_open("/dev/full", O_WRONLY, 0, SIL_FOREVER);
    EXPECT(file != NULL);
    EXPECT_CODE(sil_file_write(file, &byte, 1, SIL_FOREVER), ENOSPC);
    EXPECT_CODE(sil_file_close(file), 0);
    return 0;
}

static void test_failures_are_told(void **state)
{
    (void)state;
    run_scenario(refused);
    assert_code(refused(NULL, NULL), 0);
}

/* --- cancels and deadlines ----------------------------------------------------------------- */

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

static int write_once(void *arg, void *result)
{
    (void)result;
    return sil_file_write(*(sil_file **)arg, "x", 1, SIL_FOREVER);
}

static int give_up_before(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_file *file = sil_file_open(path, O_RDWR | O_CREAT, 0, SIL_FOREVER);
    EXPECT(file != NULL);
    struct gate gate;
    gate_init(&gate);
    sil_future *busy = submit_gate(lone, &gate);
    EXPECT_CODE(sil_file_write(file, "x", 1, sil_in(0.001)), SIL_ETIMEDOUT);
    sil_future *writer = sil_go(write_once, (void *)&file, sizeof file, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(writer), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(writer, NULL, SIL_FOREVER), SIL_ECANCELLED);
    gate_open(&gate);
    EXPECT_CODE(sil_take(busy, NULL, SIL_FOREVER), 0);
    uint64_t size = 1;
    EXPECT_CODE(sil_file_size(file, &size, SIL_FOREVER), 0);
    EXPECT(size == 0);
    EXPECT_CODE(sil_file_close(file), 0);
    EXPECT(unlink(path) == 0);
    return 0;
}

static void test_what_has_not_begun_is_given_up(void **state)
{
    (void)state;
    run_on_lone(give_up_before);
}

/* A pipe that was made to block. */
static int read_pipe(void *arg, void *result)
{
    char byte;
    size_t got;
    EXPECT_CODE(sil_file_read(*(sil_file **)arg, &byte, 1, &got, SIL_FOREVER), 0);
    *(int *)result = sil_sleep(SIL_FOREVER);
    return 0;
}

static int wait_until_begun(void)
{
    for (;;) {
        sil_executor_stats stats;
        EXPECT_CODE(sil_executor_stats_get(lone, &stats), 0);
        if (stats.running == 1)
            return 0;
        EXPECT_CODE(sil_yield(), 0);
    }
}

static int wait_for_begun(void *arg, void *result)
{
    (void)arg;
    (void)result;
    EXPECT(mkfifo(path, 0600) == 0);
    sil_file *file = sil_file_open(path, O_RDWR, 0, SIL_FOREVER);
    EXPECT(file != NULL);
    int fd = sil_file_descriptor(file);
    EXPECT(fcntl(fd, F_SETFL, 0) == 0);
    sil_future *reader = sil_go(read_pipe, (void *)&file, sizeof file, sizeof(int));
    int code = wait_until_begun();
    if (code != 0)
        return code;
    EXPECT_CODE(sil_future_cancel(reader), SIL_EINPROGRESS);
    for (int i = 0; i < 10; i++)
        EXPECT_CODE(sil_yield(), 0);
    EXPECT(!sil_future_done(reader));
    EXPECT(write(fd, "x", 1) == 1);
    /* It was read all the same, and the cancel came to the next wait. */
    int slept = 0;
    EXPECT_CODE(sil_take(reader, &slept, SIL_FOREVER), 0);
    EXPECT_CODE(slept, SIL_ECANCELLED);
    EXPECT_CODE(sil_file_close(file), 0);
    EXPECT(unlink(path) == 0);
    return 0;
}

static void test_what_has_begun_is_waited_for(void **state)
{
    (void)state;
    run_on_lone(wait_for_begun);
}

static int close_cancelled(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_file *file = sil_file_open(path, O_RDWR | O_CREAT, 0, SIL_FOREVER);
    EXPECT(file != NULL);
    EXPECT_CODE(sil_sleep(SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_file_write(file, "x", 1, SIL_FOREVER), 0); /* it is delivered once */
    EXPECT_CODE(sil_file_close(file), 0);
    return 0;
}

static int cancelled_at_entry(void *arg, void *result)
{
    (void)result;
    sil_file *file = sil_file_open(path, O_RDWR | O_CREAT, 0, SIL_FOREVER);
    EXPECT(file != NULL);
    sil_future *self = **(sil_future ***)arg;
    EXPECT_CODE(sil_future_cancel(self), SIL_EINPROGRESS);
    char byte;
    size_t got;
    EXPECT_CODE(sil_file_read(file, &byte, 1, &got, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_file_read(file, &byte, 1, &got, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_close(file), 0);
    return 0;
}

static int cancels(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_future *closer = sil_go(close_cancelled, NULL, 0, 0);
    sil_executor_stats stats;
    do {
        EXPECT_CODE(sil_yield(), 0);
        EXPECT_CODE(sil_executor_stats_get(lone, &stats), 0);
    } while (stats.done < 1);
    EXPECT_CODE(sil_yield(), 0);
    (void)sil_future_cancel(closer);
    EXPECT_CODE(sil_take(closer, NULL, SIL_FOREVER), 0);

    sil_future *self;
    sil_future **slot = &self;
    self = sil_go(cancelled_at_entry, (void *)&slot, sizeof slot, 0);
    EXPECT_CODE(sil_take(self, NULL, SIL_FOREVER), 0);
    EXPECT(unlink(path) == 0);
    return 0;
}

static void test_cancel_is_delivered_once(void **state)
{
    (void)state;
    run_on_lone(cancels);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_operations_in_a_coroutine),
        TEST(test_operations_on_a_plain_thread),
        TEST(test_operations_in_a_task_of_a_pool),
        TEST(test_large_reads_and_writes),
        TEST(test_failures_are_told),
        TEST(test_what_has_not_begun_is_given_up),
        TEST(test_what_has_begun_is_waited_for),
        TEST(test_cancel_is_delivered_once),
    };
    if (make_folder(NULL) != 0)
        return 1;
    begin_scenarios();
    int failed = test_run_group("files", tests, COUNT_OF(tests));
    return test_exit(failed + (remove_folder(NULL) != 0));
}
