/* SPDX-License-Identifier: MIT */
/*
 * Files while memory, threads or descriptors run out: they say so, and leave nothing behind, no
 * half of a file either; what is open can be closed.
 */
#include "every_point.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/coro/scenario.h"

static char folder[] = "/tmp/sil-faults-XXXXXX";
static char path[64];

static bool is_allowed_here(int code)
{
    return is_allowed(code) || code == EMFILE;
}

static int checked(int code, const char *what)
{
    return is_allowed_here(code) ? code : sil_fail(UNEXPECTED, "%s: %s", what, sil_strerror(code));
}

static int use(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_file *file = sil_file_open(path, O_RDWR | O_CREAT, 0, SIL_FOREVER);
    if (!file)
        return checked(sil_error_code(sil_last_error()), "open");
    char byte = 0;
    size_t got = 0;
    int code = checked(sil_file_write(file, "x", 1, SIL_FOREVER), "write");
    if (code == 0)
        code = checked(sil_file_read_at(file, &byte, 1, 0, &got, SIL_FOREVER), "read");
    bool is_right = code != 0 || (got == 1 && byte == 'x');
    EXPECT_CODE(sil_file_close(file), 0);
    EXPECT(is_right && unlink(path) == 0);
    return code;
}

static int use_whole(void *arg, void *result)
{
    (void)arg, (void)result;
    int code = checked(sil_file_write_all(path, "new", 3, SIL_FOREVER), "write_all");
    char *data;
    size_t size;
    int read_code = checked(sil_file_read_all(path, 10, &data, &size, SIL_FOREVER), "read_all");
    if (read_code == 0) {
        bool is_right = strcmp(data, code == 0 ? "new" : "old") == 0;
        free(data);
        EXPECT(is_right && size == 3);
    }
    return code == UNEXPECTED ? code : read_code;
}

static sil_task_fn scenario;

static void in_loop(void)
{
    int code = sil_run(scenario, NULL, 0, NULL, 0);
    if (!is_allowed_here(code)) {
        print_error("%s\n", sil_error_message(sil_last_error()));
        assert_code(code, 0);
    }
}

static void whole(void)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs("old", file) >= 0 && fclose(file) == 0);
    in_loop();
    assert_int_equal(unlink(path), 0);
}

static void survive_all(void (*of_loop)(void), sil_task_fn fn)
{
    scenario = fn;
    for (int site = 0; site < SIL__FAULT_SITES; site++)
        fail_each_point(site, of_loop);
    assert_int_equal(rmdir(folder), 0); /* it is empty */
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void test_operations_survive(void **state)
{
    (void)state;
    survive_all(in_loop, use);
}

static void test_whole_files_survive(void **state)
{
    (void)state;
    survive_all(whole, use_whole);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_operations_survive),
        TEST(test_whole_files_survive),
    };
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof path, "%s/file", folder);
    begin_scenarios();
    int failed = test_run_group("file faults", tests, COUNT_OF(tests));
    return test_exit(failed + (rmdir(folder) != 0));
}
