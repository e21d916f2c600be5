/* SPDX-License-Identifier: MIT */
/*
 * The memory of regions: taken when it is touched, used again before fresh one is, given back after
 * a second.
 */
#include "process/region.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "support/test.h"

#define MIB ((size_t)1 << 20)
#define SLACK ((size_t)64 * 1024)

static struct sil__region *create(size_t size)
{
    struct sil__region *region = sil__region_create(size);
    assert_non_null(region);
    return region;
}

/* Bytes that the system has given. */
static size_t touched(const struct sil__region *region)
{
    struct stat file;
    assert_int_equal(fstat(sil__region_fd(region), &file), 0);
    return (size_t)file.st_blocks * 512;
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

/* --- used again ---------------------------------------------------------------------------- */

static void test_region_takes_no_memory_untouched(void **state)
{
    (void)state;
    struct sil__region *region = create(0);
    assert_true(sil__region_size(region) >= 256 * MIB);
    assert_int_equal(touched(region), 0);
    void *block = sil__region_alloc(region, 100 * MIB);
    assert_int_equal(touched(region), 0);
    give(block);
    sil__region_release(region);
}

static void test_touched_memory_is_used_again(void **state)
{
    (void)state;
    struct sil__region *region = create(256 * MIB);
    give(take(region, 10 * MIB));
    assert_true(touched(region) >= 10 * MIB);
    assert_true(kept(region) >= 10 * MIB);
    for (size_t size = 1000; size < 10 * MIB; size = size * 3 / 2)
        give(take(region, size));
    assert_true(touched(region) <= 10 * MIB + SLACK);
    sil__region_release(region);
}

/* A large one and small ones by turns, some of which stay. */
static void test_large_and_small_blocks_do_not_fragment(void **state)
{
    (void)state;
    enum { ROUNDS = 50 };
    void *stay[ROUNDS];
    struct sil__region *region = create(1024 * MIB);
    for (int i = 0; i < ROUNDS; i++) {
        void *large = take(region, 20 * MIB);
        stay[i] = take(region, 3000 + 1000 * (size_t)i);
        give(large);
        give(take(region, 500));
        if (i >= 10) {
            give(stay[i - 10]);
            stay[i - 10] = NULL;
        }
    }
    assert_true(touched(region) <= 48 * MIB);
    for (int i = ROUNDS - 10; i < ROUNDS; i++)
        give(stay[i]);
    sil__region_release(region);
}

/* What is a little larger than the touched memory takes it, and fresh memory beside it. */
static void test_growing_block_touches_little_more(void **state)
{
    (void)state;
    struct sil__region *region = create(1024 * MIB);
    for (size_t size = 20 * MIB; size < 40 * MIB; size += MIB)
        give(take(region, size));
    assert_true(touched(region) <= 40 * MIB + SLACK);
    void *low = take(region, 10 * MIB);
    void *high = take(region, 100 * MIB); /* after the low one, and what is cold */
    give(low);
    give(high);
    give(take(region, 115 * MIB));
    assert_true(touched(region) <= 140 * MIB);
    sil__region_release(region);
}

/* --- given back ---------------------------------------------------------------------------- */

static void test_unused_memory_goes_back_after_a_second(void **state)
{
    (void)state;
    struct sil__region *region = create(256 * MIB);
    sil__clock_fake_start(100 * SIL__SECOND);
    assert_int_equal(sil__region_tidy(), 0);
    give(take(region, 30 * MIB));
    assert_int_equal(sil__region_tidy(), 101 * SIL__SECOND);
    assert_true(touched(region) >= 30 * MIB);
    sil__clock_fake_advance(SIL__SECOND - 1);
    assert_int_equal(sil__region_tidy(), 101 * SIL__SECOND - 1 + SIL__SECOND / 10);
    assert_true(touched(region) >= 30 * MIB);
    sil__clock_fake_advance(1);
    assert_int_equal(sil__region_tidy(), 0);
    assert_int_equal(touched(region), 0);
    assert_int_equal(kept(region), 0);
    sil__clock_fake_stop();
    sil__region_release(region);
}

static void test_memory_in_use_stays(void **state)
{
    (void)state;
    struct sil__region *region = create(256 * MIB);
    sil__clock_fake_start(100 * SIL__SECOND);
    unsigned char *parts[8];
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        parts[i] = take(region, MIB);
    for (size_t i = 0; i < COUNT_OF(parts); i += 2)
        give(parts[i]);
    sil__clock_fake_advance(SIL__SECOND / 2);
    give(parts[7]); /* beside nothing that is idle but its equal */
    sil__clock_fake_advance(SIL__SECOND / 2);
    assert_int_equal(sil__region_tidy(), 101 * SIL__SECOND + SIL__SECOND / 2);
    sil__clock_fake_advance(SIL__SECOND);
    assert_int_equal(sil__region_tidy(), 0);
    assert_int_equal(touched(region), 3 * MIB);
    for (size_t i = 1; i < 7; i += 2) {
        assert_int_equal(parts[i][MIB - 1], 0x5a);
        give(parts[i]);
    }
    sil__clock_fake_stop();
    sil__region_release(region);
}

/* Of small blocks a chunk is kept; tidy sees it empty, and a second later still so. */
static void test_chunks_go_back_after_a_second(void **state)
{
    (void)state;
    struct sil__region *region = create(256 * MIB);
    sil__clock_fake_start(100 * SIL__SECOND);
    void *blocks[100];
    for (size_t i = 0; i < COUNT_OF(blocks); i++)
        blocks[i] = take(region, 4000);
    for (size_t i = 0; i < COUNT_OF(blocks); i++)
        give(blocks[i]);
    assert_int_equal(sil__region_tidy(), 101 * SIL__SECOND);
    give(take(region, 4000));
    sil__clock_fake_advance(SIL__SECOND);
    assert_int_equal(sil__region_tidy(), 102 * SIL__SECOND); /* it was used since */
    assert_true(touched(region) > 0);
    sil__clock_fake_advance(SIL__SECOND);
    assert_int_equal(sil__region_tidy(), 0);
    assert_int_equal(touched(region), 0);
    sil__clock_fake_stop();
    sil__region_release(region);
}

static void test_tidy_looks_after_all_regions(void **state)
{
    (void)state;
    struct sil__region *first = create(256 * MIB);
    struct sil__region *second = create(256 * MIB);
    sil__clock_fake_start(100 * SIL__SECOND);
    give(take(second, 5 * MIB));
    sil__clock_fake_advance(SIL__SECOND / 2);
    give(take(first, 5 * MIB));
    assert_int_equal(sil__region_tidy(), 101 * SIL__SECOND);
    sil__clock_fake_advance(SIL__SECOND / 2);
    assert_int_equal(sil__region_tidy(), 101 * SIL__SECOND + SIL__SECOND / 2);
    assert_int_equal(touched(second), 0);
    assert_true(touched(first) >= 5 * MIB);
    sil__clock_fake_stop();
    sil__region_release(first);
    sil__region_release(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_region_takes_no_memory_untouched),
        TEST(test_touched_memory_is_used_again),
        TEST(test_large_and_small_blocks_do_not_fragment),
        TEST(test_growing_block_touches_little_more),
        TEST(test_unused_memory_goes_back_after_a_second),
        TEST(test_memory_in_use_stays),
        TEST(test_chunks_go_back_after_a_second),
        TEST(test_tidy_looks_after_all_regions),
    };
    return test_run("region memory", tests);
}
