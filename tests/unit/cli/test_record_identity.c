/* SPDX-License-Identifier: MIT */
/*
 * Identities: the hash is the one of its authors, its digits can be read back, and the table keeps
 * all.
 */
#include "record/identity.h"

#include <string.h>

#include "support/test.h"

/* Of `openssl mac -macopt hexkey:0001...0f -macopt size:16 SIPHASH` for the bytes 0, 1, 2 ... */
static void test_hash_is_siphash_128(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        const char *digits;
    } known[] = {
        {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
        {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},  {8, "3b62a9ba6258f5610f83e264f31497b4"},
        {15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {63, "5150d1772f50834a503e069a973fbd7c"},
    };
    unsigned char bytes[64];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        char digits[IDENTITY_DIGITS + 1];
        struct identity identity = identity_keyed(
            UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908), bytes, known[i].size);
        identity_write(identity, digits);
        assert_string_equal(digits, known[i].digits);
    }
}

static void test_identity_stays_the_same_when_the_program_changes(void **state)
{
    (void)state;
    char digits[IDENTITY_DIGITS + 1];
    identity_write(identity_make("gzip -9 'a b'", 13), digits);
    assert_string_equal(digits, "39161b27ba112bd054e526f66171670a");
}

static void test_digits_are_read_back(void **state)
{
    (void)state;
    char digits[IDENTITY_DIGITS + 1];
    struct identity identity = identity_make("x", 1), read;
    identity_write(identity, digits);
    assert_true(identity_read(digits, IDENTITY_DIGITS, &read));
    assert_memory_equal(&read, &identity, sizeof(read));
    assert_true(identity_read("A3817F04BA25A8E66DF67214C7550293", IDENTITY_DIGITS, &read));
    identity_write(read, digits);
    assert_string_equal(digits, "a3817f04ba25a8e66df67214c7550293");
}

static void test_other_texts_are_no_digits(void **state)
{
    (void)state;
    struct identity read;
    static const char *const wrong[] = {
        "",
        "a",
        "a3817f04ba25a8e66df67214c755029",
        "a3817f04ba25a8e66df67214c75502930",
        "g3817f04ba25a8e66df67214c7550293",
        " 3817f04ba25a8e66df67214c7550293",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(identity_read(wrong[i], strlen(wrong[i]), &read));
}

static void test_table_keeps_all_when_it_grows(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    struct identity_table table = {0};
    assert_int_equal(identity_table_get(&table, identity_make("x", 1)), -1);
    for (int i = 0; i < MANY; i++)
        assert_true(identity_table_set(&table, identity_make(&i, sizeof(i)), (unsigned)i % 3));
    assert_int_equal(table.count, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(identity_table_get(&table, identity_make(&i, sizeof(i))), i % 3);
    for (int i = MANY; i < 2 * MANY; i++)
        assert_int_equal(identity_table_get(&table, identity_make(&i, sizeof(i))), -1);
    identity_table_fini(&table);
}

static void test_table_keeps_the_last_value(void **state)
{
    (void)state;
    struct identity_table table = {0};
    struct identity identity = identity_make("x", 1), next = identity;
    next.words[1]++; /* begins at the same place */
    assert_true(identity_table_set(&table, identity, 1));
    assert_true(identity_table_set(&table, next, 0));
    assert_true(identity_table_set(&table, identity, 2));
    assert_int_equal(identity_table_get(&table, identity), 2);
    assert_int_equal(identity_table_get(&table, next), 0);
    assert_int_equal(table.count, 2);
    identity_table_fini(&table);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_hash_is_siphash_128),
        TEST(test_identity_stays_the_same_when_the_program_changes),
        TEST(test_digits_are_read_back),
        TEST(test_other_texts_are_no_digits),
        TEST(test_table_keeps_all_when_it_grows),
        TEST(test_table_keeps_the_last_value),
    };
    return test_run("identities of records", tests);
}
