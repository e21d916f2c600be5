/* SPDX-License-Identifier: MIT */
/*
 * The recycler: blocks never overlap, whoever takes and gives them, and memory goes back.
 */
#include "base/clock.h"
#include "base/recycle.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault.h"
#include "support/child.h"
#include "support/random.h"
#include "support/test.h"

enum {
    THREADS = 4,
    SIZE = 160,
    MANY = TEST_SCALE(100000),
    SLACK = 4, /* slabs that a few magazines may keep */
};

static void *blocks[MANY];

/* --- what is in a block -------------------------------------------------------------------- */

/* A mark that depends on where it stands, over the whole block. */
static void *mark(void *block, size_t size)
{
    memset(block, (int)((uintptr_t)block / 32 % 251), size);
    return block;
}

static bool is_marked(const void *block, size_t size)
{
    const unsigned char *bytes = block;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (uintptr_t)block / 32 % 251)
            return false;
    return true;
}

/* As count takes; either all, or false and none. */
static bool take_many(size_t size, size_t count, void **out_blocks)
{
    for (size_t i = 0; i < count; i++) {
        out_blocks[i] = sil__recycle_take(size);
        if (!out_blocks[i]) {
            while (i > 0)
                sil__recycle_give(out_blocks[--i], size);
            return false;
        }
    }
    return true;
}

static void give_many(size_t count)
{
    for (size_t i = 0; i < count; i++)
        sil__recycle_give(blocks[i], SIZE);
}

static size_t slabs_in_use(void)
{
    struct sil__recycle_stats stats = sil__recycle_stats();
    return stats.slabs - stats.reserve;
}

/* Slabs cannot be counted where there are none. */
static void needs_slabs(void)
{
    if (sil__recycle_stats().bypassed)
        skip();
}

static void in_a_thread(void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* --- one thread ---------------------------------------------------------------------------- */

static void test_blocks_of_all_sizes_are_aligned_and_apart(void **state)
{
    (void)state;
    enum { SIZES = 2 * SIL__RECYCLE_MOST, EACH = 3 };
    static void *held[SIZES][EACH];
    for (size_t size = 0; size < SIZES; size++)
        for (int i = 0; i < EACH; i++) {
            held[size][i] = sil__recycle_take(size);
            assert_non_null(held[size][i]);
            assert_int_equal((uintptr_t)held[size][i] % _Alignof(max_align_t), 0);
            (void)mark(held[size][i], size);
        }
    for (size_t size = 0; size < SIZES; size++)
        for (int i = 0; i < EACH; i++) {
            assert_true(is_marked(held[size][i], size));
            sil__recycle_give(held[size][i], size);
        }
}

static void test_null_may_be_given(void **state)
{
    (void)state;
    sil__recycle_give(NULL, 1);
    sil__recycle_give(NULL, 10000);
}

static void test_blocks_in_any_order_stay_apart(void **state)
{
    (void)state;
    enum { HELD = 2000, ROUNDS = TEST_SCALE(200000) };
    static void *held[HELD];
    static size_t sizes[HELD];
    struct random random = {1};
    for (int round = 0; round < ROUNDS; round++) {
        size_t i = random_below(&random, HELD);
        if (held[i]) {
            assert_true(is_marked(held[i], sizes[i]));
            sil__recycle_give(held[i], sizes[i]);
            held[i] = NULL;
        } else {
            sizes[i] = random_below(&random, SIL__RECYCLE_MOST + 50);
            held[i] = mark(sil__recycle_take(sizes[i]), sizes[i]);
        }
    }
    for (int i = 0; i < HELD; i++)
        sil__recycle_give(held[i], sizes[i]);
}

static void test_burst_goes_back_to_the_system(void **state)
{
    (void)state;
    needs_slabs();
    sil__clock_fake_start(SIL__SECOND);
    size_t before = slabs_in_use();
    assert_true(take_many(SIZE, MANY, blocks));
    size_t most = sil__recycle_stats().slabs;
    assert_true(most - before >= (size_t)MANY * SIZE / (256 * 1024));
    assert_true(most - before <= (size_t)MANY * SIZE / (256 * 1024) * 102 / 100 + SLACK);
    give_many(MANY);
    assert_true(slabs_in_use() <= before + SLACK);
    assert_true(sil__recycle_stats().slabs >= most - SLACK); /* for the next burst */
    sil__clock_fake_advance(2 * SIL__SECOND);
    enum { FEW = MANY / 10 };
    assert_true(take_many(SIZE, FEW, blocks));
    give_many(FEW);
    assert_true(sil__recycle_stats().reserve <=
                sil__recycle_stats().reserve_limit + (size_t)FEW * SIZE / (256 * 1024) + SLACK);
    sil__clock_fake_stop();
}

static void test_slab_of_one_kind_serves_another(void **state)
{
    (void)state;
    needs_slabs();
    size_t most = sil__recycle_stats().slabs + (size_t)MANY * SIL__RECYCLE_MOST / (256 * 1024);
    for (size_t size = 32; size <= SIL__RECYCLE_MOST; size += 32) {
        enum { COUNT = 10000 < MANY ? 10000 : MANY };
        assert_true(take_many(size, COUNT, blocks));
        for (size_t i = 0; i < COUNT; i++)
            (void)mark(blocks[i], size);
        for (size_t i = 0; i < COUNT; i++) {
            assert_true(is_marked(blocks[i], size));
            sil__recycle_give(blocks[i], size);
        }
        assert_true(sil__recycle_stats().slabs <= most + SIL__RECYCLE_MOST / 32 * SLACK);
    }
}

/* --- several threads ----------------------------------------------------------------------- */

static void *give_all(void *arg)
{
    (void)arg;
    give_many(MANY);
    return NULL;
}

static void test_blocks_given_on_another_thread_go_back(void **state)
{
    (void)state;
    needs_slabs();
    size_t before = slabs_in_use();
    for (int round = 0; round < 3; round++) {
        assert_true(take_many(SIZE, MANY, blocks));
        in_a_thread(give_all, NULL);
        assert_true(slabs_in_use() <= before + SLACK);
    }
}

/* The key is younger than the recycler's, so this comes after its part in the end of a thread. */
static void take_and_give_late(void *size)
{
    void *block = sil__recycle_take(*(size_t *)size);
    if (block)
        sil__recycle_give(mark(block, *(size_t *)size), *(size_t *)size);
    *(size_t *)size = block != NULL;
}

static pthread_key_t late;

static void *take_and_give(void *size)
{
    (void)pthread_setspecific(late, size);
    void *block = sil__recycle_take(*(size_t *)size);
    sil__recycle_give(block, *(size_t *)size);
    return block;
}

static void test_thread_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&late, take_and_give_late), 0);
    sil__recycle_give(sil__recycle_take(32), 32); /* our own magazine is there */
    size_t before = slabs_in_use();
    for (int round = 0; round < 10; round++) {
        size_t size = 224; /* nothing of this size is with us */
        in_a_thread(take_and_give, &size);
        assert_int_equal(size, 1);
        assert_int_equal(slabs_in_use(), before);
    }
    assert_int_equal(pthread_key_delete(late), 0);
}

/* Slots that all threads exchange blocks through. */
static struct {
    _Atomic(void *) slots[64];
    atomic_int spoilt;
} market;

static size_t slot_size(size_t slot)
{
    return slot % 9 == 0 ? 1000 : 8 + slot % 3 * 64;
}

/* Put a block, or nothing, into the slot, and give back what was there. */
static void exchange(size_t slot, void *block)
{
    size_t size = slot_size(slot);
    void *other = atomic_exchange_explicit(&market.slots[slot], block, memory_order_acq_rel);
    if (other && !is_marked(other, size))
        atomic_fetch_add(&market.spoilt, 1);
    sil__recycle_give(other, size);
}

/* Sellers take many blocks and buyers give many, so that magazines go from one to the other. */
static void trade(struct random *random, bool sells)
{
    size_t slot = random_below(random, COUNT_OF(market.slots));
    size_t size = slot_size(slot);
    exchange(slot, sells ? mark(sil__recycle_take(size), size) : NULL);
}

static void market_close(void)
{
    for (size_t slot = 0; slot < COUNT_OF(market.slots); slot++)
        exchange(slot, NULL);
}

static void *trade_at_random(void *arg)
{
    struct random random = {(uintptr_t)arg};
    for (int i = 0; i < TEST_SCALE(500000); i++)
        trade(&random, (uintptr_t)arg % 2);
    return NULL;
}

static void test_threads_exchange_blocks(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    atomic_store(&market.spoilt, 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, trade_at_random, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    market_close();
    assert_int_equal(atomic_load(&market.spoilt), 0);
}

/* --- fork ---------------------------------------------------------------------------------- */

/* Is at the depot much of the time. */
static void *hoard_until_stop(void *stop)
{
    static _Thread_local void *hoard[1000];
    while (!atomic_load((atomic_bool *)stop)) {
        if (!take_many(SIZE, COUNT_OF(hoard), hoard))
            break;
        for (size_t i = 0; i < COUNT_OF(hoard); i++)
            sil__recycle_give(hoard[i], SIZE);
    }
    return NULL;
}

static atomic_bool handlers_trade;

static void trade_in_handler(void)
{
    static void *held[200];
    if (!atomic_load(&handlers_trade))
        return;
    for (size_t i = 0; i < COUNT_OF(held); i++)
        held[i] = mark(sil__recycle_take(SIZE), SIZE);
    for (size_t i = 0; i < COUNT_OF(held); i++) {
        if (!is_marked(held[i], SIZE))
            atomic_fetch_add(&market.spoilt, 1);
        sil__recycle_give(held[i], SIZE);
    }
}

/* Before the library's own: so that ours is called while the recycler is prepared for the fork. */
__attribute__((constructor(101))) static void watch_forks(void)
{
    (void)pthread_atfork(trade_in_handler, trade_in_handler, trade_in_handler);
}

static int trade_in_child(void *arg)
{
    enum { COUNT = 2000 };
    size_t count = *(size_t *)arg;
    for (size_t i = 0; i < count; i++)
        CHECK(is_marked(blocks[i], SIZE));
    give_many(count);
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = sil__recycle_take(SIZE);
        CHECK(blocks[i]);
        (void)mark(blocks[i], SIZE);
    }
    for (size_t i = 0; i < COUNT; i++)
        CHECK(is_marked(blocks[i], SIZE));
    give_many(COUNT);
    CHECK(atomic_load(&market.spoilt) == 0);
    return 0;
}

static void test_child_takes_and_gives_whatever_others_did_at_the_fork(void **state)
{
    (void)state;
    needs_slabs(); /* and AddressSanitizer's malloc may hang in such a child */
    size_t count = 2000;
    pthread_t threads[THREADS];
    atomic_bool stop = false;
    atomic_store(&market.spoilt, 0);
    assert_true(take_many(SIZE, count, blocks));
    for (size_t i = 0; i < count; i++)
        (void)mark(blocks[i], SIZE);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hoard_until_stop, &stop), 0);
    atomic_store(&handlers_trade, true);
    int failed = 0;
    for (int i = 0; i < TEST_SCALE(100) && !failed; i++)
        failed = child_run(trade_in_child, &count);
    atomic_store(&handlers_trade, false);
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(failed, 0);
    give_many(count);
    assert_int_equal(atomic_load(&market.spoilt), 0);
}

/* --- without memory ------------------------------------------------------------------------ */

static int run_out_of_memory(void *arg)
{
    (void)arg;
    struct rlimit limit = {0};
    size_t got = 0;
    sil__clock_fake_start(INT64_MAX / 2); /* what earlier tests left in reserve goes */
    CHECK(take_many(SIZE, MANY / 10, blocks));
    give_many(MANY / 10);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    while (got < MANY && (blocks[got] = sil__recycle_take(SIZE)))
        (void)mark(blocks[got++], SIZE);
    CHECK(got < MANY);
    CHECK(!sil__recycle_take(SIZE));
    size_t half = got / 2;
    while (got > half) {
        CHECK(is_marked(blocks[--got], SIZE));
        sil__recycle_give(blocks[got], SIZE);
    }
    CHECK(!take_many(SIZE, MANY - half, blocks + half));
    CHECK(take_many(SIZE, half, blocks + half)); /* what there was, is there again */
    give_many(2 * half);
    return 0;
}

static void test_take_says_when_there_is_no_memory(void **state)
{
    (void)state;
    needs_slabs();
#ifdef TEST_TSAN /* needs address space of its own */
    skip();
#endif
    assert_int_equal(child_run(run_out_of_memory, NULL), 0);
}

static void test_each_take_is_one_fault_point(void **state)
{
    (void)state;
#ifdef SIL_FAULTS
    for (size_t size = 16; size < 2 * SIL__RECYCLE_MOST; size += 16) {
        sil__fault_reset();
        for (int i = 0; i < 300; i++)
            assert_non_null(blocks[i] = sil__recycle_take(size));
        for (int i = 0; i < 300; i++)
            sil__recycle_give(blocks[i], size);
        assert_int_equal(sil__fault_hits(SIL__FAULT_ALLOC), 300);
        sil__fault_arm(SIL__FAULT_ALLOC, 1, false);
        assert_null(sil__recycle_take(size));
    }
    sil__fault_reset();
#else
    skip();
#endif
}

static void test_take_many_takes_all_or_none(void **state)
{
    (void)state;
    assert_true(take_many(SIZE, 0, NULL));
    assert_true(take_many(10000, 3, blocks));
    for (int i = 0; i < 3; i++)
        sil__recycle_give(blocks[i], 10000);
#ifdef SIL_FAULTS
    for (size_t nth = 1; nth <= 200; nth++) {
        sil__fault_arm(SIL__FAULT_ALLOC, nth, false);
        assert_false(take_many(SIZE, 200, blocks)); /* leaks are seen at the end */
    }
    sil__fault_reset();
#endif
}

/* --- the end of the program ---------------------------------------------------------------- */

static void *kept; /* by the program, until after the library has ended */

/* Too late for asserts. */
#define MUST(condition)                                                                          \
    do {                                                                                         \
        if (!(condition)) {                                                                      \
            (void)dprintf(STDERR_FILENO, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            _exit(EXIT_FAILURE);                                                                 \
        }                                                                                        \
    } while (0)

/* After the library's own: all it had is gone, but for the slab of the block we hold. */
__attribute__((destructor(101))) static void test_program_leaves_nothing_behind(void)
{
    struct sil__recycle_stats stats = sil__recycle_stats();
    MUST(stats.slabs == (stats.bypassed ? 0 : 1));
    MUST(is_marked(kept, SIZE));
    void *late_block = mark(sil__recycle_take(64), 64);
    sil__recycle_give(kept, SIZE);
    sil__recycle_give(late_block, 64);
    MUST(sil__recycle_stats().slabs == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_blocks_of_all_sizes_are_aligned_and_apart),
        TEST(test_null_may_be_given),
        TEST(test_blocks_in_any_order_stay_apart),
        TEST(test_burst_goes_back_to_the_system),
        TEST(test_slab_of_one_kind_serves_another),
        TEST(test_blocks_given_on_another_thread_go_back),
        TEST(test_thread_leaves_nothing_behind),
        TEST(test_threads_exchange_blocks),
        TEST(test_child_takes_and_gives_whatever_others_did_at_the_fork),
        TEST(test_take_says_when_there_is_no_memory),
        TEST(test_each_take_is_one_fault_point),
        TEST(test_take_many_takes_all_or_none),
    };
    kept = mark(sil__recycle_take(SIZE), SIZE);
    return test_run("recycle", tests);
}
