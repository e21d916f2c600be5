/* SPDX-License-Identifier: MIT */
/*
 * Regions used by many threads: blocks go from one to the other, regions come and go.
 */
#include "process/region.h"

#include <pthread.h>
#include <stdatomic.h>

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

enum { THREADS = 4, SLOTS = 64 };

/* Blocks go from thread to thread here. */
static struct {
    struct sil__region *regions[2];
    _Atomic(size_t *) slots[SLOTS]; /* a block begins with its size */
    atomic_uint spoilt;
} market;

static void exchange(size_t slot, size_t *block)
{
    size_t *old = atomic_exchange(&market.slots[slot], block);
    if (!old)
        return;
    size_t size = old[0];
    if (((unsigned char *)old)[size - 1] != size % 251 || !sil__region_free(old))
        atomic_fetch_add(&market.spoilt, 1);
}

static void *trade(void *arg)
{
    struct random random = {(uintptr_t)arg};
    for (int i = 0; i < TEST_SCALE(200000); i++) {
        size_t size = 16 + random_size(&random) / 4;
        size_t *block = sil__region_alloc(market.regions[i % 2], size);
        if (!block) {
            atomic_fetch_add(&market.spoilt, 1);
            continue;
        }
        ((unsigned char *)block)[size - 1] = (unsigned char)(size % 251);
        block[0] = size;
        exchange(random_below(&random, SLOTS), block);
        if (i % 64 == 0)
            (void)sil__region_tidy();
    }
    return NULL;
}

static void test_threads_exchange_blocks(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    atomic_store(&market.spoilt, 0);
    market.regions[0] = create(0);
    market.regions[1] = create(512 * MIB);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, trade, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < SLOTS; i++)
        exchange(i, NULL);
    assert_int_equal(atomic_load(&market.spoilt), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(live_bytes(market.regions[i]), 0);
        sil__region_release(market.regions[i]);
    }
}

/* Regions come and go beside those whose blocks are looked for. */
static void *come_and_go(void *arg)
{
    for (int i = 0; i < TEST_SCALE(2000); i++) {
        struct sil__region *region = sil__region_create(MIB);
        void *block = region ? sil__region_alloc(region, (uintptr_t)arg * 100) : NULL;
        sil__region_release(region);
        if (!block || !sil__region_free(block))
            atomic_fetch_add(&market.spoilt, 1);
        (void)sil__region_tidy();
    }
    return NULL;
}

static void test_regions_come_and_go_on_many_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    atomic_store(&market.spoilt, 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&market.spoilt), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_threads_exchange_blocks),
        TEST(test_regions_come_and_go_on_many_threads),
    };
    return test_run("region threads", tests);
}
