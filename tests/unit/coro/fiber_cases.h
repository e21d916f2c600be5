/* SPDX-License-Identifier: MIT */
/*
 * What fibers must do, whatever switches them: a whole test program, included by one file a way.
 */
#ifndef TESTS_UNIT_CORO_FIBER_CASES_H
#define TESTS_UNIT_CORO_FIBER_CASES_H

#include <execinfo.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "coro/fiber.h"
#include "coro/stack.h"

#include "support/test.h"

enum { RING = 5, STACK_CLASS = 1 };

/* A thread's fibers: its own stack, and one that runs what a test wants. */
struct pair {
    struct sil__fiber own;
    struct sil__fiber fiber;
    void (*run)(struct pair *pair);
    struct sil__stacks stacks;
    struct sil__stack *stack;
    int steps;
    double sum;
};

static _Thread_local struct pair *pair_here;

static void pair_main(void)
{
    struct pair *pair = pair_here;
    pair->run(pair);
    sil__fiber_leave(&pair->fiber, &pair->own);
}

static void pair_begin(struct pair *pair, void (*run)(struct pair *pair))
{
    memset(pair, 0, sizeof *pair);
    pair->run = run;
    sil__stacks_init(&pair->stacks);
    pair->stack = sil__stacks_take(&pair->stacks, STACK_CLASS);
    if (!pair->stack)
        abort();
    pair_here = pair;
    sil__fiber_init_own(&pair->own);
    sil__fiber_init(&pair->fiber, pair->stack->low, pair->stack->size, pair_main);
}

static void pair_resume(struct pair *pair)
{
    sil__fiber_switch(&pair->own, &pair->fiber);
}

static void pair_pause(struct pair *pair)
{
    sil__fiber_switch(&pair->fiber, &pair->own);
}

static void pair_end(struct pair *pair)
{
    sil__fiber_fini(&pair->fiber);
    sil__stacks_give(&pair->stacks, pair->stack);
    sil__stacks_fini(&pair->stacks);
}

/* --- going there and back ------------------------------------------------------------------ */

/* Variables in every kind of register, and on the stack, across many switches. */
static void count_up(struct pair *pair)
{
    long a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7;
    double x = 0.5;
    int numbers[100] = {0};
    for (int i = 0; i < 100; i++) {
        a += b, b += c, c += d, d += e, e += f, f += g, g += 1;
        x += 1.0;
        numbers[i] = i;
        pair->steps++;
        pair_pause(pair);
    }
    for (int i = 0; i < 100; i++)
        x += numbers[i];
    pair->sum = x + (double)(a != 0 && b != 0 && c != 0 && d != 0 && e != 0 && f != 0 ? g : 0);
}

static void test_switch_keeps_what_both_sides_had(void **state)
{
    (void)state;
    struct pair pair;
    pair_begin(&pair, count_up);
    int rounds = 0;
    double half = 0.0;
    for (int i = 0; i <= 100; i++) {
        pair_resume(&pair);
        half += 0.5;
        rounds++;
    }
    assert_int_equal(rounds, 101);
    assert_true(half > 50.4 && half < 50.6);
    assert_int_equal(pair.steps, 100);
    assert_true(pair.sum > 5157.4 && pair.sum < 5157.6);
    pair_end(&pair);
}

#ifdef __x86_64__
#define ROUND_UP 0x4000U

static void round_up(struct pair *pair)
{
    unsigned before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | ROUND_UP);
    pair_pause(pair);
    pair->steps = __builtin_ia32_stmxcsr() == (before | ROUND_UP);
}
#endif

/* The calling convention says that a call keeps the rounding mode; a switch is a call. */
static void test_switch_keeps_the_rounding_mode(void **state)
{
    (void)state;
#ifdef __x86_64__
    struct pair pair;
    pair_begin(&pair, round_up);
    unsigned before = __builtin_ia32_stmxcsr();
    pair_resume(&pair);
    assert_int_equal(__builtin_ia32_stmxcsr(), before);
    pair_resume(&pair);
    assert_int_equal(__builtin_ia32_stmxcsr(), before);
    assert_true(pair.steps);
    pair_end(&pair);
#else
    skip();
#endif
}

/* --- where a fiber begins ------------------------------------------------------------------ */

static void look_at_stack(struct pair *pair)
{
    _Alignas(16) char aligned[16];
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    memset(aligned, 1, sizeof aligned);
    pair->steps = frame % 16 == 0 && (uintptr_t)aligned % 16 == 0 && aligned[15] == 1 &&
                  frame > (uintptr_t)pair->stack->low && frame < (uintptr_t)pair->stack;
}

static void test_fiber_begins_on_its_own_aligned_stack(void **state)
{
    (void)state;
    struct pair pair;
    pair_begin(&pair, look_at_stack);
    pair_resume(&pair);
    assert_true(pair.steps);
    pair_end(&pair);
}

static void look_back(struct pair *pair)
{
    void *frames[64];
    pair->steps = backtrace(frames, COUNT_OF(frames));
}

static void test_backtraces_end_where_the_fiber_began(void **state)
{
    (void)state;
    struct pair pair;
    pair_begin(&pair, look_back);
    pair_resume(&pair);
    assert_in_range(pair.steps, 1, 8);
    pair_end(&pair);
}

static int recurse(int depth)
{
    volatile char frame[64];
    memset((char *)frame, depth & 127, sizeof frame);
    return depth > 0 ? recurse(depth - 1) + (frame[3] == (char)(depth & 127)) : 0;
}

static void go_deep(struct pair *pair)
{
    pair->steps = recurse(200);
}

/* --- many ---------------------------------------------------------------------------------- */

/* What functions marked that never returned must not be met by the next one on the stack. */
static void leave_from_below(struct pair *pair)
{
    volatile char variables[300];
    memset((char *)variables, 7, sizeof variables);
    pair->steps = recurse(20) + variables[299];
    sil__fiber_leave(&pair->fiber, &pair->own);
}

static void test_stack_is_used_again_after_a_leave(void **state)
{
    (void)state;
    struct pair pair;
    pair_begin(&pair, NULL);
    for (int i = 0; i < TEST_SCALE(2000); i++) {
        pair.run = i % 2 == 0 ? leave_from_below : go_deep;
        pair_resume(&pair);
        assert_int_equal(pair.steps, i % 2 == 0 ? 27 : 200);
        sil__fiber_fini(&pair.fiber);
        sil__fiber_init(&pair.fiber, pair.stack->low, pair.stack->size, pair_main);
    }
    pair_end(&pair);
}

static struct {
    struct sil__fiber own;
    struct sil__fiber fibers[RING];
    int turns[RING];
    int at;
} ring;

static void ring_main(void)
{
    int self = ring.at;
    for (int i = 0; i < 10; i++) {
        ring.turns[self]++;
        (void)recurse(10);
        ring.at = (self + 1) % RING;
        sil__fiber_switch(&ring.fibers[self], &ring.fibers[ring.at]);
    }
    ring.at = self + 1;
    if (self + 1 < RING)
        sil__fiber_leave(&ring.fibers[self], &ring.fibers[self + 1]);
    sil__fiber_leave(&ring.fibers[self], &ring.own);
}

static void test_fibers_switch_to_each_other(void **state)
{
    (void)state;
    struct sil__stacks stacks;
    struct sil__stack *taken[RING];
    sil__stacks_init(&stacks);
    ring.at = 0;
    sil__fiber_init_own(&ring.own);
    for (int i = 0; i < RING; i++) {
        taken[i] = sil__stacks_take(&stacks, STACK_CLASS);
        assert_non_null(taken[i]);
        sil__fiber_init(&ring.fibers[i], taken[i]->low, taken[i]->size, ring_main);
    }
    sil__fiber_switch(&ring.own, &ring.fibers[0]);
    for (int i = 0; i < RING; i++) {
        assert_int_equal(ring.turns[i], 10);
        sil__fiber_fini(&ring.fibers[i]);
        sil__stacks_give(&stacks, taken[i]);
    }
    sil__stacks_fini(&stacks);
}

static void *count_on_thread(void *arg)
{
    struct pair *pair = arg;
    pair_begin(pair, count_up);
    for (int i = 0; i <= 100; i++)
        pair_resume(pair);
    pair_end(pair);
    return NULL;
}

static void test_each_thread_has_fibers_of_its_own(void **state)
{
    (void)state;
    pthread_t threads[4];
    static struct pair pairs[COUNT_OF(threads)];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_on_thread, &pairs[i]), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(pairs[i].steps, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_switch_keeps_what_both_sides_had),
        TEST(test_switch_keeps_the_rounding_mode),
        TEST(test_fiber_begins_on_its_own_aligned_stack),
        TEST(test_backtraces_end_where_the_fiber_began),
        TEST(test_stack_is_used_again_after_a_leave),
        TEST(test_fibers_switch_to_each_other),
        TEST(test_each_thread_has_fibers_of_its_own),
    };
    return test_run("fiber", tests);
}

#endif
