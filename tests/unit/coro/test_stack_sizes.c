/* SPDX-License-Identifier: MIT */
/*
 * Stacks of all sizes, asked for by loops and by coroutines: each has the room it asked for, whatever
 * ran there before.
 */
#include <sillon/coro.h>

#include <string.h>

#include "scenario.h"

enum { FRAME = 1024 };

/* Needs so many bytes of stack, and something for the frames. */
__attribute__((noinline)) static unsigned use_stack(size_t bytes)
{
    volatile unsigned char room[FRAME];
    memset((void *)room, (int)(bytes / FRAME) & 0xff, sizeof room);
    unsigned below = bytes > FRAME ? use_stack(bytes - FRAME) : 0;
    /* After the call, so that this is no tail call. */
    return below + (room[0] == (unsigned char)(bytes / FRAME) && room[FRAME - 1] == room[0]);
}

/* Of what was asked for, all but an eighth and a page is used: frames need some too. */
static size_t usable(size_t size)
{
    return size - size / 8 - 4096;
}

static int use_size(void *arg, void *result)
{
    (void)result;
    size_t bytes = usable(*(size_t *)arg) / FRAME * FRAME;
    EXPECT(use_stack(bytes) == bytes / FRAME);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT(use_stack(bytes - 2 * FRAME) == bytes / FRAME - 2);
    return 0;
}

static const size_t sizes[] = {
    (size_t)16 << 10, (size_t)17 << 10,  (size_t)64 << 10,
    (size_t)65 << 10, (size_t)200 << 10, (size_t)256 << 10,
    (size_t)1 << 20,  (size_t)5 << 20,   ((size_t)16 << 20) - 1,
};

static sil_future *go_size(size_t size)
{
    return sil_go_with(&(sil_go_options){.stack_size = size}, use_size, &size, sizeof size, 0);
}

SCENARIO(coroutines_have_the_stack_they_ask_for)
{
    (void)arg, (void)result;
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            EXPECT_CODE(sil_take(go_size(sizes[i]), NULL, SIL_FOREVER), 0);
    return 0;
}

SCENARIO(all_sizes_at_a_time)
{
    (void)arg, (void)result;
    sil_future *futures[100];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(futures); i++)
            futures[i] = go_size(sizes[(i * 7 + (size_t)round) % COUNT_OF(sizes)]);
        for (size_t i = 0; i < COUNT_OF(futures); i++)
            EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    }
    return 0;
}

static int use_and_ask(void *arg, void *result)
{
    int code = use_size(arg, result);
    /* Its children have what the loop says, or what they ask for. */
    if (code == 0)
        code = sil_take(sil_go(use_size, arg, sizeof(size_t), 0), NULL, SIL_FOREVER);
    return code == 0 ? sil_take(go_size((size_t)1 << 20), NULL, SIL_FOREVER) : code;
}

static void test_loops_say_how_much(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        sil_loop_options options = {.stack_size = sizes[i]};
        assert_code(sil_run_with(&options, use_and_ask, &sizes[i], sizeof sizes[i], NULL, 0), 0);
        sil_executor *loop = sil_loop_thread(&options);
        assert_non_null(loop);
        sil_future *task = sil_submit(loop, use_and_ask, &sizes[i], sizeof sizes[i], 0);
        assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
        assert_code(sil_executor_close(loop), 0);
    }
}

static void test_without_a_word_it_is_64_KiB(void **state)
{
    (void)state;
    size_t size = (size_t)64 << 10;
    assert_code(sil_run(use_size, &size, sizeof size, NULL, 0), 0);
}

/* Less than the least is the least. */
static void test_little_is_rounded_up(void **state)
{
    (void)state;
    size_t size = (size_t)16 << 10;
    sil_loop_options options = {.stack_size = 1};
    assert_code(sil_run_with(&options, use_size, &size, sizeof size, NULL, 0), 0);
}

/* What is never touched takes no memory. */
SCENARIO(largest_of_all)
{
    (void)arg, (void)result;
    size_t little = (size_t)1 << 20;
    sil_future *futures[8];
    for (int i = 0; i < 8; i++) {
        sil_go_options options = {.stack_size = (size_t)1 << 30};
        futures[i] = sil_go_with(&options, use_size, &little, sizeof little, 0);
    }
    for (int i = 0; i < 8; i++)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    sil_go_options options = {.stack_size = ((size_t)1 << 30) + 1};
    sil_future *future = sil_go_with(&options, use_size, &little, sizeof little, 0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_EINVAL);
    EXPECT(strstr(sil_error_message(sil_last_error()), "too large"));
    return 0;
}

/* Of one size after another on the same loop, with others between that wait. */
static int wait_with_size(void *arg, void *result)
{
    int code = sil_sleep(sil_in(1e-3));
    return code != 0 ? code : use_size(arg, result);
}

SCENARIO(sizes_mix_with_waits)
{
    (void)arg, (void)result;
    sil_future *futures[60];
    for (size_t i = 0; i < COUNT_OF(futures); i++) {
        size_t size = sizes[i % 6];
        sil_go_options options = {.stack_size = size};
        futures[i] =
            sil_go_with(&options, i % 2 ? wait_with_size : use_size, &size, sizeof size, 0);
    }
    for (size_t i = COUNT_OF(futures); i-- > 0;)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_coroutines_have_the_stack_they_ask_for),
        TEST(test_all_sizes_at_a_time),
        TEST(test_loops_say_how_much),
        TEST(test_without_a_word_it_is_64_KiB),
        TEST(test_little_is_rounded_up),
        TEST(test_largest_of_all),
        TEST(test_sizes_mix_with_waits),
    };
    begin_scenarios();
    return test_run("stack sizes", tests);
}
