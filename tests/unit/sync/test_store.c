/* SPDX-License-Identifier: MIT */
/*
 * The store of a queue against a plain list: every order, every size, over many turns of the ring.
 */
#include "sync/store.h"

#include "support/random.h"
#include "support/test.h"

enum { MOST = 300 };

struct entry {
    int key;
    int number; /* of its coming */
    unsigned char rest[32];
};

static int compare_keys(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    return left->key - right->key;
}

/* Which of the list is to come out next. */
static size_t next_of(const struct entry *list, size_t count, sil_queue_order order)
{
    size_t best = order == SIL_QUEUE_LIFO ? count - 1 : 0;
    for (size_t i = 0; order == SIL_QUEUE_PRIORITY && i < count; i++)
        if (list[i].key < list[best].key)
            best = i;
    return best;
}

static void check_order(sil_queue_order order, size_t item_size, uint64_t seed)
{
    struct sil__store store;
    const sil_queue_options options = {
        .item_size = item_size, .order = order, .compare = compare_keys};
    assert_true(sil__store_init(&store, &options));
    struct random random = {seed};
    struct entry list[MOST];
    size_t count = 0;
    int comings = 0;
    for (int step = 0; step < TEST_SCALE(20000); step++) {
        /* In waves: it grows, and runs empty. */
        bool grows = step / 1000 % 2 == 0;
        if (count < MOST && (count == 0 || random_below(&random, 10) < (grows ? 7 : 3))) {
            struct entry entry = {.key = (int)random_below(&random, 20), .number = comings++};
            memset(entry.rest, entry.number, sizeof entry.rest);
            assert_true(sil__store_put(&store, &entry));
            list[count++] = entry;
        } else {
            size_t best = next_of(list, count, order);
            struct entry entry = {0};
            sil__store_get(&store, &entry);
            assert_memory_equal(&entry, &list[best], item_size);
            memmove(&list[best], &list[best + 1], (--count - best) * sizeof list[0]);
        }
        assert_int_equal(sil__store_count(&store), count);
    }
    sil__store_fini(&store);
}

static void test_store_gives_back_in_its_order(void **state)
{
    (void)state;
    for (int order = SIL_QUEUE_FIFO; order <= SIL_QUEUE_PRIORITY; order++)
        for (size_t size = offsetof(struct entry, rest); size <= sizeof(struct entry); size += 7)
            check_order((sil_queue_order)order, size, size);
}

static int compare_bytes(const void *a, const void *b)
{
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

/* Items as small as can be, whose entries are mostly padding. */
static void test_store_of_bytes(void **state)
{
    (void)state;
    struct sil__store store;
    const sil_queue_options options = {
        .item_size = 1, .order = SIL_QUEUE_PRIORITY, .compare = compare_bytes};
    assert_true(sil__store_init(&store, &options));
    for (unsigned i = 0; i < 256; i++) {
        unsigned char item[16] = {(unsigned char)(i * 37)};
        assert_true(sil__store_put(&store, item));
    }
    for (unsigned i = 0; i < 256; i++) {
        unsigned char item[16] = {0};
        sil__store_get(&store, item);
        assert_int_equal(item[0], i);
    }
    sil__store_fini(&store);
}

struct wide {
    long double value;
};

static int compare_wide(const void *a, const void *b)
{
    /* As a compiler may read them, with instructions that want them aligned. */
    const struct wide *left = __builtin_assume_aligned(a, _Alignof(struct wide));
    const struct wide *right = __builtin_assume_aligned(b, _Alignof(struct wide));
    return (left->value > right->value) - (left->value < right->value);
}

static void test_store_keeps_items_aligned(void **state)
{
    (void)state;
    struct sil__store store;
    const sil_queue_options options = {
        .item_size = sizeof(struct wide), .order = SIL_QUEUE_PRIORITY, .compare = compare_wide};
    assert_true(sil__store_init(&store, &options));
    for (int i = 0; i < 100; i++) {
        struct wide item = {100 - i};
        assert_true(sil__store_put(&store, &item));
        for (size_t k = 0; k < sil__store_count(&store); k++)
            assert_int_equal((uintptr_t)sil__store_entry(&store, k) % _Alignof(struct wide), 0);
    }
    sil__store_fini(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_gives_back_in_its_order),
        TEST(test_store_of_bytes),
        TEST(test_store_keeps_items_aligned),
    };
    return test_run("store", tests);
}
