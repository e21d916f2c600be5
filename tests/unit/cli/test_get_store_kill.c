/* SPDX-License-Identifier: MIT */
/*
 * The store, killed: a child downloads and is killed at its first, second, third ... call that
 * changes something on the disk, before it or in the middle of it. What is left each time must be
 * nothing, a .part that can be gone on from rightly, or the file. Then the parent goes on from
 * that.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "support/child.h"
#include "unit/cli/store_rig.h"

/* --- the calls, counted ---------------------------------------------------------------------- */

static atomic_bool armed;
static atomic_int calls_left;

/* Is this the call to be killed in? Twice for each: before it, and when half of it is done. */
static bool count_down(void)
{
    return atomic_load(&armed) && atomic_fetch_sub(&calls_left, 1) == 1;
}

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

#define MAY_DIE()         \
    do {                  \
        if (count_down()) \
            die();        \
    } while (0)

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    MAY_DIE();
    if (count_down()) {
        (void)syscall(SYS_pwrite64, fd, bytes, size / 2, at);
        die();
    }
    return syscall(SYS_pwrite64, fd, bytes, size, at);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    bool is_meta = size > 40 && memcmp(bytes, "sillon-part ", 12) == 0;
    if (is_meta)
        MAY_DIE();
    if (is_meta && count_down()) {
        (void)syscall(SYS_write, fd, bytes, size / 2);
        die();
    }
    return syscall(SYS_write, fd, bytes, size);
}

int ftruncate(int fd, off_t size)
{
    MAY_DIE();
    return (int)syscall(SYS_ftruncate, fd, size);
}

int flock(int fd, int how)
{
    MAY_DIE();
    return (int)syscall(SYS_flock, fd, how);
}

int futimens(int fd, const struct timespec times[2])
{
    MAY_DIE();
    return (int)syscall(SYS_utimensat, fd, NULL, times, 0);
}

int unlinkat(int folder, const char *name, int flags)
{
    MAY_DIE();
    return (int)syscall(SYS_unlinkat, folder, name, flags);
}

int renameat(int folder, const char *name, int new_folder, const char *new_name)
{
    MAY_DIE();
    int result = (int)syscall(SYS_renameat2, folder, name, new_folder, new_name, 0);
    MAY_DIE();
    return result;
}

/* --- the child ------------------------------------------------------------------------------- */

static char old_bytes[RIG_SIZE]; /* what the file was before it changed on the server */

static const char *version(const char *etag)
{
    return strcmp(etag, "\"new\"") == 0 ? rig_bytes : old_bytes;
}

/* As a session does against a server that has the new version. */
static int download(const struct digest *expected)
{
    struct part *part;
    struct store_found found;
    int code = part_begin(rig_store, "a", RIG_URL, expected, false, &part, &found);
    if (code != 0)
        return code;
    uint64_t from = strcmp(found.etag, "\"new\"") == 0 ? found.resume : 0;
    code = part_head(part, from, RIG_SIZE, "\"new\"", RIG_OLD_DATE);
    if (code == 0)
        code = rig_feed(part, rig_bytes + from, RIG_SIZE - from);
    if (code != 0) {
        part_abandon(part, true);
        return code;
    }
    return part_commit(part, 784111777, NULL) == PART_GOOD ? 0 : EIO;
}

static int download_scenario(void *arg, void *result)
{
    (void)arg, (void)result;
    rig_store = store_create(&rig_options, NULL);
    EXPECT(rig_store != NULL);
    struct digest expected = rig_digest(DIGEST_SHA256, rig_bytes, RIG_SIZE);
    int code = download(&expected);
    store_destroy(rig_store);
    return code;
}

static int child(void *arg)
{
    atomic_store(&calls_left, *(int *)arg);
    atomic_store(&armed, true);
    return sil_run(download_scenario, NULL, 0, NULL, 0) == 0 ? 0 : 1;
}

/* --- the parent ------------------------------------------------------------------------------ */

static bool resumes_rightly; /* set in the scenario */

/* What the store would go on from is the beginning of what its validator says. */
static int look(void *arg, void *result)
{
    (void)arg, (void)result;
    struct part *part;
    struct store_found found;
    rig_store = store_create(&rig_options, NULL);
    EXPECT(rig_store != NULL);
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    size_t size = 0;
    char *bytes = found.resume > 0 ? rig_read("a.part", &size) : NULL;
    resumes_rightly =
        found.resume == 0 || (bytes != NULL && size == found.resume && size <= RIG_SIZE &&
                              memcmp(bytes, version(found.etag), size) == 0);
    free(bytes);
    /* As a kill does: nothing is cleaned up. */
    part_abandon(part, true);
    store_destroy(rig_store);
    return 0;
}

/* A .part may be there that no run would go on from; but never a wrong file under the final name.
 * */
static void check_name(bool had_old)
{
    bool is_new = rig_holds("a", rig_bytes, RIG_SIZE);
    bool is_old = had_old && rig_holds("a", old_bytes, RIG_SIZE);
    assert_true(is_new || is_old || (!had_old && !rig_exists("a")));
}

static int leave_old_part(void *arg, void *result)
{
    (void)arg, (void)result;
    struct part *part;
    struct store_found found;
    rig_store = store_create(&rig_options, NULL);
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT_CODE(part_head(part, 0, RIG_SIZE, "\"old\"", RIG_OLD_DATE), 0);
    EXPECT_CODE(rig_feed(part, old_bytes, 500000), 0);
    part_abandon(part, true);
    store_destroy(rig_store);
    return 0;
}

/* Kills at all points there are. @return how many. */
static int kill_everywhere(bool had_old)
{
    rig_fill(old_bytes, sizeof old_bytes, 4711);
    for (int point = 1;; point++) {
        rig_remove(rig_folder);
        assert_int_equal(mkdir(rig_folder, 0700), 0);
        if (had_old) {
            run_scenario(leave_old_part);
            rig_write("a", old_bytes, RIG_SIZE);
            assert_true(rig_exists("a.part.meta"));
        }
        int ended = child_run(child, &point);
        check_name(had_old);
        if (ended != -SIGKILL) {
            assert_int_equal(ended, 0);
            assert_int_equal(rig_count(), 1);
            return point - 1;
        }
        run_scenario(look);
        assert_true(resumes_rightly);
        run_scenario(download_scenario);
        assert_true(rig_holds("a", rig_bytes, RIG_SIZE));
        assert_int_equal(rig_count(), 1);
    }
}

static void test_new_file_survives_when_killed_anywhere(void **state)
{
    (void)state;
    assert_true(kill_everywhere(false) >= 10);
}

static void test_changed_file_survives_when_killed_anywhere(void **state)
{
    (void)state;
    rig_options.if_exists = IF_EXISTS_REPLACE;
    assert_true(kill_everywhere(true) >= 12);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(test_new_file_survives_when_killed_anywhere),
        RIG_TEST(test_changed_file_survives_when_killed_anywhere),
    };
    begin_scenarios();
    return test_run("kills", tests);
}
