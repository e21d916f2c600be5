/* SPDX-License-Identifier: MIT */
/*
 * Replacing files: what is not replaced, and whose the new file is.
 */
#include <sillon/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "support/tasks.h"
#include "unit/coro/scenario.h"

static char folder[] = "/tmp/sil-replace-XXXXXX";
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

/* Of 255 bytes. */
static int long_name(void *arg, void *result)
{
    (void)arg;
    (void)result;
    char name[sizeof folder + 256];
    int length = snprintf(name, sizeof name, "%s/", folder);
    memset(name + length, 'n', 255);
    name[length + 255] = '\0';
    EXPECT_CODE(sil_file_write_all(name, "x", 1, SIL_FOREVER), 0);
    EXPECT_CODE(sil_file_write_all(name, "y", 1, SIL_FOREVER), 0);
    EXPECT(unlink(name) == 0 && entries() == 0);
    return 0;
}

static void test_names_may_be_long(void **state)
{
    (void)state;
    run_scenario(long_name);
}

static mode_t type_of(const char *name)
{
    struct stat status;
    return lstat(name, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

static int not_regular(void *arg, void *result)
{
    (void)arg;
    (void)result;
    EXPECT(mkfifo(path, 0600) == 0 && symlink("file", link_path) == 0);
    EXPECT_CODE(sil_file_write_all(path, "x", 1, SIL_FOREVER), SIL_EINVAL);
    EXPECT(strstr(sil_error_message(sil_last_error()), "not a regular file") != NULL);
    EXPECT_CODE(sil_file_write_all(link_path, "x", 1, SIL_FOREVER), SIL_EINVAL);
    EXPECT(type_of(path) == S_IFIFO && type_of(link_path) == S_IFLNK);
    EXPECT(unlink(path) == 0);
    EXPECT_CODE(sil_file_write_all(link_path, "x", 1, SIL_FOREVER), ENOENT);
    EXPECT(type_of(path) == 0 && type_of(link_path) == S_IFLNK && unlink(link_path) == 0);
    if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) == 0) { /* root may */
        EXPECT_CODE(sil_file_write_all(path, "x", 1, SIL_FOREVER), SIL_EINVAL);
        EXPECT(type_of(path) == S_IFCHR && unlink(path) == 0);
    }
    EXPECT(entries() == 0);
    return 0;
}

static void test_only_regular_files_are_replaced(void **state)
{
    (void)state;
    run_scenario(not_regular);
}

static mode_t mode_of(const char *name)
{
    struct stat status;
    return stat(name, &status) == 0 ? status.st_mode & 07777 : 0;
}

/* May others do anything with what lies in the folder? */
static bool is_seen(void)
{
    bool seen = false;
    DIR *open_folder = opendir(folder);
    struct dirent *entry;
    while (open_folder && (entry = readdir(open_folder))) { // NOLINT(concurrency-mt-unsafe)
        struct stat status;
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            seen |= fstatat(dirfd(open_folder), entry->d_name, &status, 0) == 0 &&
                    (status.st_mode & 077) != 0;
    }
    (void)closedir(open_folder);
    return seen;
}

enum { LARGE = 16 << 20 };

static int write_large(void *arg, void *result)
{
    (void)result;
    return sil_file_write_all(path, *(char **)arg, LARGE, SIL_FOREVER);
}

static int secret(void *arg, void *result)
{
    (void)arg;
    (void)result;
    mode_t former = umask(027);
    EXPECT_CODE(sil_file_write_all(path, "x", 1, SIL_FOREVER), 0);
    (void)umask(0);
    EXPECT(mode_of(path) == 0640 && chmod(path, 0600) == 0);
    char *data = calloc(1, LARGE);
    EXPECT(data != NULL);
    sil_future *writer = sil_go(write_large, (void *)&data, sizeof data, 0);
    do {
        EXPECT(!is_seen());
        EXPECT_CODE(sil_yield(), 0);
    } while (!sil_future_done(writer));
    EXPECT_CODE(sil_take(writer, NULL, SIL_FOREVER), 0);
    (void)umask(former);
    free(data);
    EXPECT(!is_seen() && unlink(path) == 0);
    return 0;
}

static void test_nobody_sees_it_before(void **state)
{
    (void)state;
    run_scenario(secret);
}

enum { OTHER = 4711 }; /* a user, and a group that nobody is in */

static void replace_of(uid_t owner, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_true(fchown(fd, owner, OTHER) == 0 && fchmod(fd, mode) == 0);
    (void)close(fd);
    assert_code(sil_file_write_all(path, "x", 1, SIL_FOREVER), 0);
}

static void test_owner_and_group_are_kept_or_lose(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    struct stat status;
    replace_of(OTHER, 06764);
    assert_int_equal(stat(path, &status), 0);
    assert_true(status.st_uid == OTHER && status.st_gid == OTHER);
    assert_int_equal(status.st_mode & 07777, 06764);
    /* Of this thread alone: not root where files are concerned. */
    assert_int_equal(chmod(folder, 0777), 0);
    (void)setfsuid(OTHER);
    assert_code(sil_file_write_all(path, "x", 1, SIL_FOREVER), 0);
    (void)setfsuid(0);
    assert_int_equal(stat(path, &status), 0);
    assert_true(status.st_uid == OTHER && status.st_gid != OTHER);
    assert_int_equal(status.st_mode & 07777, 0744);
    assert_true(chmod(folder, 0700) == 0 && unlink(path) == 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_names_may_be_long),
        TEST(test_only_regular_files_are_replaced),
        TEST(test_nobody_sees_it_before),
        TEST(test_owner_and_group_are_kept_or_lose),
    };
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof path, "%s/file", folder);
    (void)snprintf(link_path, sizeof link_path, "%s/link", folder);
    begin_scenarios();
    int failed = test_run_group("replaced files", tests, COUNT_OF(tests));
    return test_exit(failed + (rmdir(folder) != 0));
}
