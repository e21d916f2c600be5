/* SPDX-License-Identifier: MIT */
/*
 * What a worker writes may be anything: the pool lives through it, and every task ends. The bytes
 * are the same at every run; tests/fuzz looks for others.
 */
#include "fuzz/answers.h"

#include "support/random.h"
#include "support/test.h"

enum { SEEDS = TEST_SCALE(2000), SIZE = 3000 };

static void test_any_answers(void **state)
{
    (void)state;
    unsigned well = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint8_t bytes[SIZE];
        struct random random = {seed};
        for (size_t i = 0; i < SIZE; i++)
            bytes[i] = (uint8_t)random_next(&random);
        well += fuzz_answers(bytes, SIZE);
    }
    assert_true(well > SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {TEST(test_any_answers)};
    return test_run("answers fuzz", tests);
}
