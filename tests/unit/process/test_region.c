/* SPDX-License-Identifier: MIT */
/*
 * Regions: blocks lie apart, are found again whoever asks, and leave nothing behind.
 */
#include "process/region.h"

#include <string.h>

#include "process/region_runs.h"
#include "support/random.h"
#include "support/test.h"

#define MIB ((size_t)1 << 20)

static struct sil__region *create(size_t size)
{
    struct sil__region *region = sil__region_create(size);
    assert_non_null(region);
    return region;
}

static size_t live_bytes(struct sil__region *region)
{
    size_t live, kept;
    sil__region_usage(region, &live, &kept);
    return live;
}

/* --- what is in a block -------------------------------------------------------------------- */

/* A mark at both ends and some places between, which depends on where it stands. */
static unsigned char *mark(void *block, size_t size)
{
    unsigned char *bytes = block;
    for (size_t i = 0; i < size; i += 1 + size / 7)
        bytes[i] = (unsigned char)(((uintptr_t)block / 64 + i) % 251);
    bytes[size - 1] = (unsigned char)((uintptr_t)block / 64 % 249);
    return block;
}

static bool is_marked(const void *block, size_t size)
{
    const unsigned char *bytes = block;
    if (bytes[size - 1] != (uintptr_t)block / 64 % 249)
        return false;
    for (size_t i = 0; i < size - 1; i += 1 + size / 7)
        if (bytes[i] != ((uintptr_t)block / 64 + i) % 251)
            return false;
    return true;
}

/* Mostly small, now and then large. */
static size_t random_size(struct random *random)
{
    switch (random_below(random, 16)) {
    case 0:
        return 1 + random_below(random, 3 * MIB);
    case 1:
    case 2:
        return 1 + random_below(random, 200000);
    case 3:
        return 1 + random_below(random, 64);
    default:
        return 1 + random_below(random, 5000);
    }
}

/* --- one thread ---------------------------------------------------------------------------- */

static void test_quarters_are_the_smallest_that_suffice(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 100000; n++) {
        uint32_t index = sil__quarter(n);
        assert_true(sil__quarter_size(index) >= n);
        assert_true(index == 0 || sil__quarter_size(index - 1) < n);
    }
}

static void test_blocks_are_aligned(void **state)
{
    (void)state;
    struct sil__region *region = create(0);
    for (size_t size = 0; size < 20 * MIB; size += size / 9 + 1) {
        void *block = sil__region_alloc(region, size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        assert_true(size <= 64 * 1024 || (uintptr_t)block % 4096 == 0);
        assert_true(sil__region_holds(region, block, size));
        assert_true(sil__region_is_block(region, block, size));
        assert_true(sil__region_free(block));
        assert_false(sil__region_is_block(region, block, size));
        assert_false(sil__region_free(block));
    }
    sil__region_release(region);
}

static void test_blocks_in_any_order_stay_apart(void **state)
{
    (void)state;
    enum { HELD = 1000, ROUNDS = TEST_SCALE(400000) };
    static void *held[HELD];
    static size_t sizes[HELD];
    struct random random = {1};
    struct sil__region *region = create(0);
    size_t wanted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t i = random_below(&random, HELD);
        if (held[i]) {
            assert_true(is_marked(held[i], sizes[i]));
            assert_true(sil__region_is_block(region, held[i], sizes[i]));
            assert_true(sil__region_free(held[i]));
            wanted -= sizes[i];
            held[i] = NULL;
        } else {
            sizes[i] = random_size(&random);
            held[i] = sil__region_alloc(region, sizes[i]);
            assert_non_null(held[i]);
            (void)mark(held[i], sizes[i]);
            wanted += sizes[i];
        }
    }
    assert_true(live_bytes(region) >= wanted);
    assert_true(live_bytes(region) <= wanted * 5 / 4 + HELD * 64);
    for (int i = 0; i < HELD; i++)
        if (held[i])
            assert_true(sil__region_free(held[i]));
    memset(held, 0, sizeof held);
    assert_int_equal(live_bytes(region), 0);
    sil__region_release(region);
}

static void test_block_given_back_last_comes_first(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 100, 4096, 65536, 65537, MIB};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct sil__region *region = create(16 * MIB);
        void *first = sil__region_alloc(region, sizes[i]);
        void *second = sil__region_alloc(region, sizes[i]);
        assert_true(sil__region_free(first));
        assert_ptr_equal(sil__region_alloc(region, sizes[i]), first);
        assert_true(sil__region_free(first));
        assert_true(sil__region_free(second));
        sil__region_release(region);
    }
}

static void test_is_block_copes_with_any_address(void **state)
{
    (void)state;
    struct random random = {3};
    struct sil__region *region = create(64 * MIB);
    unsigned char *base = sil__region_base(region);
    unsigned char *small = sil__region_alloc(region, 1000);
    unsigned char *large = sil__region_alloc(region, 3 * MIB);
    void *gone = sil__region_alloc(region, 3 * MIB);
    assert_true(sil__region_free(gone));
    for (int i = 0; i < TEST_SCALE(200000); i++) {
        unsigned char *address = base + random_below(&random, sil__region_size(region));
        if (i % 2)
            address -= (uintptr_t)address % 64;
        assert_int_equal(sil__region_is_block(region, address, 1),
                         address == small || address == large);
    }
    assert_true(sil__region_is_block(region, small, 1024));
    assert_false(sil__region_is_block(region, small, 1025));
    assert_false(sil__region_is_block(region, small, SIZE_MAX));
    assert_true(sil__region_is_block(region, large, 3 * MIB));
    assert_false(sil__region_is_block(region, large, 4 * MIB));
    assert_false(sil__region_is_block(region, large, SIZE_MAX - 4096));
    assert_false(sil__region_is_block(region, NULL, 0));
    assert_false(sil__region_is_block(region, base - 64, 1));
    assert_false(sil__region_is_block(region, base + sil__region_size(region), 0));
    assert_false(sil__region_is_block(region, &region, 8));
    assert_false(sil__region_is_block(region, (void *)UINTPTR_MAX, 8));
    assert_false(sil__region_free(NULL));
    assert_false(sil__region_free(&region));
    assert_false(sil__region_free(small + 1024));
    assert_false(sil__region_free(large + MIB));
    assert_false(sil__region_holds(region, base, sil__region_size(region) + 1));
    assert_true(sil__region_free(small));
    assert_true(sil__region_free(large));
    sil__region_release(region);
}

/* --- a region that fills up ---------------------------------------------------------------- */

/* As many blocks of a size as there is room for; how many bytes they have. */
static size_t fill(struct sil__region *region, size_t size, void **blocks, size_t most)
{
    size_t count = 0;
    while (count < most && (blocks[count] = sil__region_alloc(region, size)))
        (void)mark(blocks[count++], size);
    assert_true(count < most);
    return count;
}

static void test_full_region_recovers(void **state)
{
    (void)state;
    enum { MOST = 40000 };
    static void *blocks[MOST];
    static const size_t sizes[] = {448, 1000, 65536, 70000, MIB, 16 * MIB, 500};
    struct sil__region *region = create(16 * MIB);
    struct random random = {4};
    static size_t order[MOST];
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t size = sizes[i];
        size_t count = fill(region, size, blocks, MOST);
        assert_true(count * size >= 16 * MIB * 3 / 4);
        assert_null(sil__region_alloc(region, size));
        assert_null(sil__region_alloc(region, 16 * MIB));
        random_permutation(&random, order, count);
        for (size_t k = 0; k < count; k++) {
            assert_true(is_marked(blocks[order[k]], size));
            assert_true(sil__region_free(blocks[order[k]]));
        }
    }
    void *all = sil__region_alloc(region, 16 * MIB);
    assert_ptr_equal(all, sil__region_base(region));
    assert_null(sil__region_alloc(region, 1));
    assert_true(sil__region_free(all));
    assert_null(sil__region_alloc(region, 16 * MIB + 1));
    assert_null(sil__region_alloc(region, SIZE_MAX));
    sil__region_release(region);
}

static void test_neighbours_become_one(void **state)
{
    (void)state;
    void *parts[16];
    struct sil__region *region = create(16 * MIB);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        assert_non_null(parts[i] = sil__region_alloc(region, MIB));
    for (size_t i = 0; i < COUNT_OF(parts); i += 2)
        assert_true(sil__region_free(parts[i]));
    assert_null(sil__region_alloc(region, MIB + 1));
    assert_true(sil__region_free(parts[7]));
    void *three = sil__region_alloc(region, 3 * MIB);
    assert_ptr_equal(three, parts[6]);
    assert_true(sil__region_free(three));
    for (size_t i = 1; i < COUNT_OF(parts); i += 2)
        assert_int_equal(sil__region_free(parts[i]), i != 7);
    void *all = sil__region_alloc(region, 16 * MIB);
    assert_non_null(all);
    assert_true(sil__region_free(all));
    sil__region_release(region);
}

/* The last units are given to a single block when no chunk fits. */
static void test_small_block_finds_room_beside_large_ones(void **state)
{
    (void)state;
    struct sil__region *region = create(MIB);
    void *large = sil__region_alloc(region, MIB - 16384);
    void *small = sil__region_alloc(region, 100);
    assert_non_null(large);
    assert_non_null(small);
    assert_true(sil__region_is_block(region, small, 100));
    assert_null(sil__region_alloc(region, 100));
    assert_true(sil__region_free(large));
    assert_true(sil__region_free(small));
    sil__region_release(region);
}

/* --- life ---------------------------------------------------------------------------------- */

static void test_region_outlives_its_holder_for_a_block(void **state)
{
    (void)state;
    struct sil__region *region = create(0);
    void *first = mark(sil__region_alloc(region, 1000), 1000);
    void *second = mark(sil__region_alloc(region, 100000), 100000);
    assert_ptr_equal(sil__region_retain(region), region);
    sil__region_release(region);
    sil__region_release(region);
    assert_true(is_marked(first, 1000));
    assert_true(sil__region_free(first));
    assert_true(is_marked(second, 100000));
    assert_true(sil__region_free(second)); /* test_end counts the descriptors */
    assert_false(sil__region_free(second));
    sil__region_release(NULL);
}

static void test_many_regions_find_their_blocks(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        struct sil__region *region = create(MIB);
        assert_non_null(blocks[i] = sil__region_alloc(region, 100));
        sil__region_release(region);
    }
    for (int i = 0; i < COUNT; i += 2)
        assert_true(sil__region_free(blocks[i]));
    struct sil__region *another = create(MIB);
    for (int i = 1; i < COUNT; i += 2)
        assert_true(sil__region_free(blocks[i]));
    sil__region_release(another);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_quarters_are_the_smallest_that_suffice),
        TEST(test_blocks_are_aligned),
        TEST(test_blocks_in_any_order_stay_apart),
        TEST(test_block_given_back_last_comes_first),
        TEST(test_is_block_copes_with_any_address),
        TEST(test_full_region_recovers),
        TEST(test_neighbours_become_one),
        TEST(test_small_block_finds_room_beside_large_ones),
        TEST(test_region_outlives_its_holder_for_a_block),
        TEST(test_many_regions_find_their_blocks),
    };
    return test_run("region", tests);
}
