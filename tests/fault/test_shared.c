/* SPDX-License-Identifier: MIT */
/*
 * Shared memory when memory, descriptors or address space run out.
 */
#include <sillon/shared.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "every_point.h"
#include "process/region.h"
#include "support/child.h"

#define MIB ((size_t)1 << 20)

static void check_block(struct sil__region *region, unsigned char *block, size_t size)
{
    if (!block)
        return;
    block[0] = block[size - 1] = 1;
    assert_true(sil__region_is_block(region, block, size));
    assert_true(sil__region_free(block));
}

static void region(void)
{
    static const size_t sizes[] = {100, 5000, 60000, 100000, 3 * MIB};
    struct sil__region *made = sil__region_create(0);
    if (!was_made(made))
        return;
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        check_block(made, sil__region_alloc(made, sizes[i]), sizes[i]);
    sil__region_release(made);
}

static void attached(void)
{
    struct sil__region *made = sil__region_create(16 * MIB);
    if (!was_made(made))
        return;
    int fd = dup(sil__region_fd(made));
    void *base = sil__region_base(made);
    size_t size = sil__region_size(made);
    sil__region_release(made);
    made = sil__region_attach(fd, base, size);
    if (was_made(made))
        sil__region_release(made);
    else
        assert_int_equal(close(fd), 0); /* it stayed ours */
}

static void blocks(void)
{
    static const size_t sizes[] = {1, 300, 40000, MIB};
    unsigned char *taken[COUNT_OF(sizes)];
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        taken[i] = sil_shared_alloc(sizes[i]);
        if (was_made(taken[i]))
            memset(taken[i], 7, sizes[i]);
    }
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        sil_shared_free(taken[i]);
}

/* In one process: it has what it is told of. */
static void telling(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    struct sil__region *heap = sil__heap_hold();
    if (was_made(heap)) {
        int code = sil__heaps_send(ends[0]);
        assert_allowed(code);
        if (code == 0)
            assert_allowed(sil__heaps_receive(ends[1]));
        sil__region_release(heap);
    }
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void survive_all(void (*scenario)(void))
{
    fail_each_point(SIL__FAULT_ALLOC, scenario);
    fail_each_point(SIL__FAULT_SYSTEM, scenario);
}

static void test_regions_survive(void **state)
{
    (void)state;
    survive_all(region);
}

static void test_attached_regions_survive(void **state)
{
    (void)state;
    survive_all(attached);
}

static void test_shared_blocks_survive(void **state)
{
    (void)state;
    survive_all(blocks);
}

static void test_telling_of_heaps_survives(void **state)
{
    (void)state;
    survive_all(telling);
}

/* The heap was made and is gone in the sender; the receiver maps it, or cannot. */
static int receive_when_it_fails(void *arg)
{
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK(sil__heaps_send(ends[0]) == 0);
    sil__fault_arm(SIL__FAULT_SYSTEM, 1, *(bool *)arg);
    CHECK(sil__heaps_receive(ends[1]) == SIL_ENOMEM);
    sil__fault_reset();
    CHECK(sil__heaps_send(ends[0]) == 0);
    CHECK(sil__heaps_receive(ends[1]) == 0);
    return 0;
}

static void test_receiver_survives(void **state)
{
    (void)state;
    for (int all_later = 0; all_later <= 1; all_later++)
        assert_int_equal(child_run(receive_when_it_fails, &(bool){all_later}), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_regions_survive),       TEST(test_attached_regions_survive),
        TEST(test_shared_blocks_survive), TEST(test_telling_of_heaps_survives),
        TEST(test_receiver_survives),
    };
    return test_run("shared faults", tests);
}
