/* SPDX-License-Identifier: MIT */
/*
 * Where regions lie: attached at the same address, smaller where space is limited, seen by the
 * child of a fork.
 */
#include "process/region.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sillon/error.h>

#include "support/child.h"
#include "support/test.h"

#define MIB ((size_t)1 << 20)

static struct sil__region *create(size_t size)
{
    struct sil__region *region = sil__region_create(size);
    assert_non_null(region);
    return region;
}

static size_t kept(struct sil__region *region)
{
    size_t live, bytes;
    sil__region_usage(region, &live, &bytes);
    return bytes;
}

static void *take(struct sil__region *region, size_t size)
{
    void *block = sil__region_alloc(region, size);
    assert_non_null(block);
    memset(block, 0x5a, size);
    return block;
}

static void give(void *block)
{
    assert_true(sil__region_free(block));
}

/* --- where it lies ------------------------------------------------------------------------- */

static void test_attached_region_shows_the_same(void **state)
{
    (void)state;
    struct sil__region *region = create(16 * MIB);
    unsigned char *base = sil__region_base(region);
    size_t size = sil__region_size(region);
    assert_null(sil__region_attach(sil__region_fd(region), base, size));
    assert_code(sil_error_code(sil_last_error()), SIL_EAGAIN);
    int fd = dup(sil__region_fd(region));
    unsigned char *block = take(region, 1000);
    give(block);
    sil__region_release(region);
    region = sil__region_attach(fd, base, size);
    assert_non_null(region);
    assert_ptr_equal(sil__region_base(region), base);
    assert_int_equal(sil__region_size(region), size);
    assert_int_equal(sil__region_fd(region), fd);
    assert_int_equal(block[999], 0x5a);
    assert_true(sil__region_holds(region, block, 1000));
    assert_null(sil__region_alloc(region, 10));
    assert_false(sil__region_free(block));
    assert_false(sil__region_is_block(region, block, 1));
    assert_int_equal(kept(region), 0);
    assert_int_equal(sil__region_tidy(), 0);
    sil__region_release(region);
}

static void test_file_cannot_be_cut_off(void **state)
{
    (void)state;
    struct sil__region *region = create(16 * MIB);
    assert_int_not_equal(ftruncate(sil__region_fd(region), 0), 0);
    assert_int_not_equal(ftruncate(sil__region_fd(region), (off_t)(32 * MIB)), 0);
    assert_true(fcntl(sil__region_fd(region), F_GETFD) & FD_CLOEXEC);
    sil__region_release(region);
}

static int limit_address_space(void *arg)
{
    size_t gib = *(size_t *)arg;
    struct rlimit limit = {gib << 30, gib << 30};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    struct sil__region *region = sil__region_create(0);
    CHECK(region);
    CHECK(sil__region_size(region) <= gib << 28);
    CHECK(sil__region_size(region) >= 256 * MIB);
    void *block = sil__region_alloc(region, 200 * MIB);
    CHECK(block && sil__region_free(block));
    limit.rlim_cur = 64 * MIB;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(!sil__region_create(0));
    CHECK(sil_error_code(sil_last_error()) == SIL_ENOMEM);
    return 0;
}

static void test_region_is_smaller_where_address_space_is_limited(void **state)
{
    (void)state;
#if defined(TEST_TSAN) || defined(TEST_ASAN) /* need address space of their own */
    skip();
#endif
    for (size_t gib = 2; gib <= 256; gib *= 8)
        assert_int_equal(child_run(limit_address_space, &gib), 0);
}

static int limit_file_size(void *arg)
{
    (void)arg;
    struct rlimit limit = {300 * MIB, 300 * MIB};
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    struct sil__region *region = sil__region_create(0);
    CHECK(region);
    CHECK(sil__region_size(region) <= 300 * MIB);
    limit.rlim_cur = 1000;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(!sil__region_create(0)); /* and no signal */
    CHECK(sil_error_code(sil_last_error()) == SIL_ENOMEM);
    return 0;
}

static void test_region_is_smaller_where_files_are_limited(void **state)
{
    (void)state;
    assert_int_equal(child_run(limit_file_size, NULL), 0);
}

static void test_absurd_size_is_refused(void **state)
{
    (void)state;
    assert_null(sil__region_create(SIZE_MAX));
    assert_code(sil_error_code(sil_last_error()), SIL_ENOMEM);
}

/* --- fork ---------------------------------------------------------------------------------- */

struct family {
    struct sil__region *region;
    unsigned char *block;
};

static int use_in_child(void *arg)
{
    struct family *family = arg;
    unsigned char *base = sil__region_base(family->region);
    size_t size = sil__region_size(family->region);
    CHECK(!sil__region_alloc(family->region, 1));
    CHECK(!sil__region_free(family->block));
    CHECK(sil__region_tidy() == 0);
    CHECK(family->block[0] == 0x5a);
    family->block[1] = 17;
    /* The parent's block, of which the child will not be told when it is freed. */
    int fd = sil__region_fd(family->region);
    sil__region_release(family->region);
    CHECK(fcntl(fd, F_GETFD) >= 0);
    CHECK(family->block[1] == 17);
    /* One of its own, and one attached at the address where the parent has it. */
    struct sil__region *own = sil__region_create(MIB);
    CHECK(own);
    void *block = sil__region_alloc(own, 100);
    CHECK(block && sil__region_free(block));
    sil__region_release(own);
    CHECK(munmap(base, size) == 0);
    struct sil__region *again = sil__region_attach(dup(fd), base, size);
    CHECK(again);
    CHECK(family->block[1] == 17);
    family->block[2] = 18;
    return 0;
}

static void test_child_of_fork_has_everything_attached(void **state)
{
    (void)state;
    struct family family = {.region = create(16 * MIB)};
    family.block = take(family.region, 100);
    assert_int_equal(child_run(use_in_child, &family), 0);
    assert_int_equal(family.block[1], 17);
    assert_int_equal(family.block[2], 18);
    give(family.block);
    sil__region_release(family.region);
}

static int release_in_child(void *arg)
{
    struct family *family = arg;
    int fd = sil__region_fd(family->region);
    sil__region_release(family->region);
    CHECK(fcntl(fd, F_GETFD) < 0);
    return 0;
}

static void test_child_of_fork_lets_go_of_what_has_no_blocks(void **state)
{
    (void)state;
    struct family family = {.region = create(16 * MIB)};
    give(take(family.region, 100));
    assert_int_equal(child_run(release_in_child, &family), 0);
    sil__region_release(family.region);
}

/* A core dump would touch all of it. */
static void test_region_is_left_out_of_core_dumps(void **state)
{
    (void)state;
    struct sil__region *region = create(16 * MIB);
    char wanted[32];
    char line[512];
    bool found = false;
    bool left_out = false;
    (void)snprintf(wanted, sizeof wanted, "%lx-", (unsigned long)sil__region_base(region));
    FILE *maps = fopen("/proc/self/smaps", "re");
    assert_non_null(maps);
    while (!left_out && fgets(line, sizeof line, maps)) {
        found = found || strncmp(line, wanted, strlen(wanted)) == 0;
        left_out = found && strncmp(line, "VmFlags:", 8) == 0;
    }
    (void)fclose(maps);
    assert_true(left_out);
    assert_contains(line, " dd");
    sil__region_release(region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_attached_region_shows_the_same),
        TEST(test_file_cannot_be_cut_off),
        TEST(test_region_is_smaller_where_address_space_is_limited),
        TEST(test_region_is_smaller_where_files_are_limited),
        TEST(test_absurd_size_is_refused),
        TEST(test_child_of_fork_has_everything_attached),
        TEST(test_child_of_fork_lets_go_of_what_has_no_blocks),
        TEST(test_region_is_left_out_of_core_dumps),
    };
    return test_run("region place", tests);
}
