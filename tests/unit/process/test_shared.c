/* SPDX-License-Identifier: MIT */
/*
 * Shared blocks: where they come from, and who has to be asked.
 */
#include <sillon/shared.h>

#include <stdio.h>
#include <string.h>

#include <sillon/error.h>

#include "process/region.h"
#include "support/child.h"
#include "support/self.h"
#include "support/test.h"

#define MIB ((size_t)1 << 20)

/* Lines of our address map that are regions. */
static unsigned mappings(void)
{
    char line[512];
    unsigned count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof line, maps))
        count += strstr(line, "memfd:sillon") != NULL;
    if (maps)
        (void)fclose(maps);
    return count;
}

/* --- in one process ------------------------------------------------------------------------ */

static void test_blocks_are_found_aligned_and_freed(void **state)
{
    (void)state;
    unsigned char *blocks[40];
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        size_t size = i * i * i * 100;
        assert_non_null(blocks[i] = sil_shared_alloc(size));
        assert_int_equal((uintptr_t)blocks[i] % 64, 0);
        memset(blocks[i], (int)i, size > 0 ? size : 1);
    }
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        assert_int_equal(blocks[i][0], i);
        sil_shared_free(blocks[i]);
    }
    sil_shared_free(NULL);
}

static void test_heap_is_gone_with_its_last_block(void **state)
{
    (void)state;
    unsigned before = self_descriptors();
    assert_int_equal(mappings(), 0);
    void *first = sil_shared_alloc(1);
    void *second = sil_shared_alloc(MIB);
    assert_int_equal(mappings(), 1);
    assert_int_equal(self_descriptors(), before + 1);
    sil_shared_free(first);
    assert_int_equal(mappings(), 1);
    sil_shared_free(second);
    assert_int_equal(mappings(), 0);
    assert_int_equal(self_descriptors(), before);
}

static void test_heap_stays_while_it_is_held(void **state)
{
    (void)state;
    struct sil__region *heap = sil__heap_hold();
    assert_non_null(heap);
    assert_ptr_equal(sil__heap_hold(), heap);
    sil__region_release(heap);
    void *block = sil_shared_alloc(100);
    assert_true(sil__region_is_block(heap, block, 100));
    sil_shared_free(block);
    assert_false(sil__region_is_block(heap, block, 100));
    assert_int_equal(mappings(), 1);
    block = sil_shared_alloc(100);
    sil__region_release(heap);
    assert_ptr_equal(sil__heap_hold(), heap); /* the block had it */
    sil__region_release(heap);
    sil_shared_free(block);
    assert_int_equal(mappings(), 0);
}

static void test_absurd_size_is_refused(void **state)
{
    (void)state;
    assert_null(sil_shared_alloc(SIZE_MAX));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_null(sil_shared_alloc((size_t)100 << 30)); /* more than a heap has */
    assert_code(sil_error_code(sil_last_error()), SIL_ENOMEM);
    assert_int_equal(mappings(), 0);
}

static void test_free_ignores_what_is_in_no_heap(void **state)
{
    (void)state;
#ifndef SIL_FAULTS /* else it is asserted */
    int mine = 0;
    sil_shared_free(&mine);
    void *block = sil_shared_alloc(100);
    sil_shared_free((char *)block + 64);
    sil_shared_free(block);
#else
    skip();
#endif
}

/* --- fork ---------------------------------------------------------------------------------- */

static void *asked_for(size_t size)
{
    static max_align_t blocks[100];
    return size <= sizeof blocks ? blocks : NULL;
}

static void *given;

static void give(void *block)
{
    given = block;
}

static const struct sil__region_hooks hooks = {asked_for, give};

static int use_after_fork(void *arg)
{
    unsigned char *block = arg;
    CHECK(block[0] == 1);
    sil_shared_free(block); /* nobody to tell */
    CHECK(block[0] == 1);
    block[1] = 2;
    unsigned char *own = sil_shared_alloc(100);
    CHECK(own && own != block);
    CHECK(mappings() == 2);
    sil_shared_free(own);
    CHECK(mappings() == 1);

    sil__heap_hooks(&hooks);
    CHECK(sil_shared_alloc(100) == asked_for(1));
    CHECK(!sil_shared_alloc(sizeof(max_align_t) * 1000));
    sil_shared_free(block);
    CHECK(given == block);
    CHECK(block[0] == 1);
    return 0;
}

static void test_child_of_fork_sees_and_has_its_own(void **state)
{
    (void)state;
    unsigned char *block = sil_shared_alloc(100);
    block[0] = 1;
    assert_int_equal(child_run(use_after_fork, block), 0);
    assert_int_equal(block[1], 2);
    sil_shared_free(block);
}

static int forget_hooks(void *arg)
{
    sil__heap_hooks(&hooks);
    CHECK(sil_shared_alloc(100) == asked_for(1));
    if (arg)
        return child_run(use_after_fork, arg); /* which sets them again */
    return 0;
}

static void test_hooks_are_forgotten_in_a_child(void **state)
{
    (void)state;
    unsigned char *block = sil_shared_alloc(100);
    block[0] = 1;
    assert_int_equal(child_run(forget_hooks, block), 0);
    sil_shared_free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_blocks_are_found_aligned_and_freed),
        TEST(test_heap_is_gone_with_its_last_block),
        TEST(test_heap_stays_while_it_is_held),
        TEST(test_absurd_size_is_refused),
        TEST(test_free_ignores_what_is_in_no_heap),
        TEST(test_child_of_fork_sees_and_has_its_own),
        TEST(test_hooks_are_forgotten_in_a_child),
    };
    return test_run("shared", tests);
}
