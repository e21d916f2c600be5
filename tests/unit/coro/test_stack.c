/* SPDX-License-Identifier: MIT */
/*
 * Stacks: where things lie, their guards, and what becomes of them when they are not wanted.
 */
#include "coro/stack.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coro/stack_guard.h"
#include "coro/stack_slab.h"

#include "support/child.h"
#include "support/random.h"
#include "support/test.h"

#define KIB ((size_t)1024)
enum { USUAL = 1, SLAB = 256, MANY = 8 * SLAB };

static struct sil__stack *taken(struct sil__stacks *stacks, unsigned size_class)
{
    struct sil__stack *stack = sil__stacks_take(stacks, size_class);
    assert_non_null(stack);
    return stack;
}

static void take_many(struct sil__stacks *stacks, struct sil__stack **out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = taken(stacks, USUAL);
}

static void give_many(struct sil__stacks *stacks, struct sil__stack **given, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sil__stacks_give(stacks, given[i]);
}

static size_t slabs_of(const struct sil__stacks *stacks, unsigned size_class)
{
    size_t count = 0;
    for (struct sil__stack_slab *slab = stacks->slabs[size_class]; slab; slab = slab->next)
        count++;
    return count;
}

/* --- where things lie ---------------------------------------------------------------------- */

static void test_class_is_the_smallest_that_holds_the_bytes(void **state)
{
    (void)state;
    assert_int_equal(sil__stack_class(0), 0);
    assert_int_equal(sil__stack_class(16 * KIB), 0);
    assert_int_equal(sil__stack_class(16 * KIB + 1), 1);
    assert_int_equal(sil__stack_class(64 * KIB), 1);
    assert_int_equal(sil__stack_class(KIB * KIB), 3);
    assert_int_equal(sil__stack_class(KIB * KIB * KIB), SIL__STACK_CLASSES - 1);
    assert_int_equal(sil__stack_class(KIB * KIB * KIB + 1), SIL__STACK_CLASSES);
    assert_int_equal(sil__stack_class(SIZE_MAX), SIL__STACK_CLASSES);
}

static void test_stack_of_each_class_has_its_bytes(void **state)
{
    (void)state;
    struct sil__stacks stacks;
    sil__stacks_init(&stacks);
    for (unsigned i = 0; i < SIL__STACK_CLASSES; i++) {
        struct sil__stack *stack = taken(&stacks, i);
        assert_int_equal(stack->size_class, i);
        assert_true(stack->size >= 16 * KIB << 2 * i);
        assert_ptr_equal(stack->low + stack->size, stack);
        assert_int_equal((uintptr_t)stack % 64, 0);
        stack->low[0] = 1;
        stack->low[stack->size - 1] = 1;
        if (stack->size < KIB * KIB)
            memset(stack->low, 1, stack->size);
        sil__stacks_give(&stacks, stack);
    }
    sil__stacks_fini(&stacks);
}

static void test_hot_end_lies_in_one_page_and_has_16_colours(void **state)
{
    (void)state;
    struct sil__stacks stacks;
    sil__stacks_init(&stacks);
    struct sil__stack *some[40];
    take_many(&stacks, some, COUNT_OF(some));
    unsigned colours = 0;
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        uintptr_t first = (uintptr_t)some[i] - KIB;
        uintptr_t end = (uintptr_t)(some[i] + 1) + SIL__STACK_EXTRA;
        assert_int_equal(first / 4096, (end - 1) / 4096);
        colours |= 1U << (uintptr_t)some[i] / 128 % 32;
    }
    assert_int_equal(__builtin_popcount(colours), 16);
    give_many(&stacks, some, COUNT_OF(some));
    sil__stacks_fini(&stacks);
}

static void test_top_is_zero_at_first_and_then_kept(void **state)
{
    (void)state;
    static const char zero[SIL__STACK_EXTRA];
    struct sil__stacks stacks;
    sil__stacks_init(&stacks);
    struct sil__stack *a = taken(&stacks, USUAL);
    struct sil__stack *b = taken(&stacks, USUAL);
    assert_memory_equal(a + 1, zero, sizeof zero);
    memset(a + 1, 'a', SIL__STACK_EXTRA);
    sil__stacks_give(&stacks, b);
    sil__stacks_give(&stacks, a);
    assert_ptr_equal(taken(&stacks, USUAL), a); /* the last one given */
    assert_int_equal(((char *)(a + 1))[SIL__STACK_EXTRA - 1], 'a');
    assert_ptr_equal(taken(&stacks, USUAL), b);
    give_many(&stacks, (struct sil__stack *[]){a, b}, 2);
    sil__stacks_fini(&stacks);
}

/* --- guards -------------------------------------------------------------------------------- */

static int touch_guard(void *arg)
{
    (void)signal(SIGSEGV, SIG_DFL);
    const struct sil__stack *stack = arg;
    *(volatile char *)(stack->low - 1) = 1;
    return 0;
}

static int touch_far_end_of_guard(void *arg)
{
    (void)signal(SIGSEGV, SIG_DFL);
    const struct sil__stack *stack = arg;
    *(volatile char *)(stack->low - 16 * KIB) = 1;
    return 0;
}

static void test_touched_guard_ends_the_program(void **state)
{
    (void)state;
    for (int limit = SIL__GUARD_MARKER; limit <= SIL__GUARD_MAP; limit++) {
        sil__guard_limit((enum sil__guard)limit);
        struct sil__stacks stacks;
        sil__stacks_init(&stacks);
        struct sil__stack *stack = taken(&stacks, USUAL);
        assert_true(stack->guard != SIL__GUARD_CANARY);
        assert_int_equal(child_run(touch_guard, stack), -SIGSEGV);
        assert_int_equal(child_run(touch_far_end_of_guard, stack), -SIGSEGV);
        assert_false(sil__stack_overflowed(stack));
        sil__stacks_give(&stacks, stack);
        sil__stacks_fini(&stacks);
    }
    sil__guard_limit(SIL__GUARD_MARKER);
}

static void test_guards_take_a_share_of_the_maps(void **state)
{
    (void)state;
    sil__guard_limit(SIL__GUARD_MAP);
    enum { TOO_MANY = 20000 };
    struct sil__stack **all = calloc(TOO_MANY, sizeof(struct sil__stack *));
    assert_non_null(all);
    for (int round = 0; round < 2; round++) {
        struct sil__stacks stacks;
        sil__stacks_init(&stacks);
        size_t guarded = 0;
        for (size_t i = 0; i < TOO_MANY; i++) {
            all[i] = taken(&stacks, 0);
            guarded += all[i]->guard == SIL__GUARD_MAP;
        }
        assert_in_range(guarded, 1000, TOO_MANY - 1000);
        assert_int_equal(all[0]->guard, SIL__GUARD_MAP);
        assert_int_equal(all[TOO_MANY - 1]->guard, SIL__GUARD_CANARY);
        give_many(&stacks, all, TOO_MANY);
        sil__stacks_fini(&stacks);
    }
    free(all);
    sil__guard_limit(SIL__GUARD_MARKER);
}

static int give_overrun(void *arg)
{
    (void)signal(SIGSEGV, SIG_DFL);
    (void)close(STDERR_FILENO); /* test_overflow.c reads the message */
    struct sil__stacks *stacks = arg;
    struct sil__stack *stack = sil__stacks_take(stacks, USUAL);
    CHECK(stack && stack->guard == SIL__GUARD_CANARY && !sil__stack_overflowed(stack));
    stack->low[-3] = 1;
    CHECK(sil__stack_overflowed(stack));
    sil__stacks_give(stacks, stack);
    return 0;
}

static void test_dead_canary_ends_the_program(void **state)
{
    (void)state;
    sil__guard_limit(SIL__GUARD_CANARY);
    struct sil__stacks stacks;
    sil__stacks_init(&stacks);
    assert_int_equal(child_run(give_overrun, &stacks), -SIGSEGV);
    sil__stacks_fini(&stacks);
    sil__guard_limit(SIL__GUARD_MARKER);
}

static void test_address_in_a_guard_tells_the_stack(void **state)
{
    (void)state;
    struct sil__stacks stacks;
    sil__stacks_init(&stacks);
    struct sil__stack *some[20];
    take_many(&stacks, some, COUNT_OF(some));
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        assert_ptr_equal(sil__stack_slab_find(some[i]->low - 1), some[i]);
        assert_ptr_equal(sil__stack_slab_find(some[i]->low - 16 * KIB), some[i]);
        assert_null(sil__stack_slab_find(some[i]->low));
        assert_null(sil__stack_slab_find(some[i]));
    }
    assert_null(sil__stack_slab_find(NULL));
    assert_null(sil__stack_slab_find(&stacks));
    assert_null(sil__stack_slab_find((void *)UINTPTR_MAX));
    give_many(&stacks, some, COUNT_OF(some));
    const char *gone = some[3]->low - 1;
    sil__stacks_fini(&stacks);
    assert_null(sil__stack_slab_find(gone));
}

/* --- what is not wanted -------------------------------------------------------------------- */

static size_t forgotten;

static void forget(struct sil__stack *stack)
{
    forgotten++;
    assert_int_equal(stack->size_class, USUAL);
}

static void trim_all(struct sil__stacks *stacks)
{
    for (int calls = 0; sil__stacks_trim(stacks); calls++)
        assert_true(calls < 2 * MANY);
}

static void test_memory_of_a_burst_goes_back(void **state)
{
    (void)state;
    static struct sil__stack *all[MANY];
    static size_t order[MANY];
    struct sil__stacks stacks;
    sil__stacks_init(&stacks);
    stacks.forget = forget;
    forgotten = 0;
    take_many(&stacks, all, MANY);
    assert_int_equal(slabs_of(&stacks, USUAL), MANY / SLAB);
    struct random random = {.state = 1};
    random_permutation(&random, order, MANY);
    for (size_t i = 0; i < MANY; i++)
        sil__stacks_give(&stacks, all[order[i]]);
    assert_true(sil__stacks_trim(&stacks));
    assert_int_equal(slabs_of(&stacks, USUAL), MANY / SLAB); /* they may be wanted again */
    trim_all(&stacks);
    assert_int_equal(slabs_of(&stacks, USUAL), 1);
    assert_int_equal(forgotten, MANY - SLAB);

    take_many(&stacks, all, SLAB);
    assert_int_equal(slabs_of(&stacks, USUAL), 1);
    take_many(&stacks, all + SLAB, SLAB);
    give_many(&stacks, all, SLAB + SLAB);
    sil__stacks_fini(&stacks);
    assert_int_equal(forgotten, MANY + SLAB);
}

static void test_what_is_wanted_stays(void **state)
{
    (void)state;
    static struct sil__stack *all[MANY];
    struct sil__stacks stacks;
    sil__stacks_init(&stacks);
    for (int i = 0; i < 5; i++) {
        take_many(&stacks, all, MANY);
        assert_int_equal(slabs_of(&stacks, USUAL), MANY / SLAB);
        give_many(&stacks, all, MANY);
        (void)sil__stacks_trim(&stacks);
    }
    take_many(&stacks, all, 3);
    trim_all(&stacks);
    assert_in_range(slabs_of(&stacks, USUAL), 1, 3);
    for (int i = 0; i < 3; i++)
        memset(all[i]->low, 1, all[i]->size);
    give_many(&stacks, all, 3);
    sil__stacks_fini(&stacks);
}

static void test_pages_below_the_hot_end_go_back(void **state)
{
    (void)state;
    struct sil__stacks stacks;
    sil__stacks_init(&stacks);
    struct sil__stack *stack = taken(&stacks, USUAL);
    memset(stack->low, 'x', stack->size);
    sil__stacks_give(&stacks, stack);
    trim_all(&stacks);
    assert_ptr_equal(taken(&stacks, USUAL), stack);
    assert_int_equal(stack->low[0], 0);
    assert_int_equal(stack->low[stack->size / 2], 0);
    assert_int_equal(stack->low[stack->size - 4096], 'x');
    assert_int_equal(stack->low[stack->size - 1], 'x');
    sil__stacks_give(&stacks, stack);
    sil__stacks_fini(&stacks);
}

#if TEST_SLOWNESS == 1
static size_t resident_bytes(void)
{
    char line[64] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    (void)fclose(file);
    char *pages = line;
    (void)strtoul(line, &pages, 10);
    return strtoul(pages, NULL, 10) * (size_t)getpagesize();
}
#endif

static void test_parked_stack_costs_one_page(void **state)
{
    (void)state;
#if TEST_SLOWNESS > 1
    skip(); /* the sanitizers' own memory comes on top */
#else
    static struct sil__stack *all[MANY];
    struct sil__stacks stacks;
    sil__stacks_init(&stacks);
    memset(all, 1, sizeof all);
    size_t before = resident_bytes();
    take_many(&stacks, all, MANY);
    for (size_t i = 0; i < MANY; i++)
        memset((char *)all[i] - KIB, 1, KIB);
    assert_in_range((resident_bytes() - before) / MANY, 4000, 4300);
    give_many(&stacks, all, MANY);
    sil__stacks_fini(&stacks);
#endif
}

/* --- several threads ----------------------------------------------------------------------- */

static atomic_bool stop_looking;

static void *look(void *arg)
{
    while (!atomic_load(&stop_looking))
        if (sil__stack_slab_find(arg) == NULL)
            test_yield();
    return NULL;
}

static void *come_and_go(void *arg)
{
    struct sil__stack *some[3];
    for (int i = 0; i < TEST_SCALE(400); i++) {
        struct sil__stacks stacks;
        sil__stacks_init(&stacks);
        for (unsigned k = 0; k < COUNT_OF(some); k++) {
            some[k] = sil__stacks_take(&stacks, 3 + k);
            if (!some[k] || sil__stack_slab_find(some[k]->low - 1) != some[k])
                *(int *)arg += 1;
        }
        for (unsigned k = 0; k < COUNT_OF(some); k++)
            if (some[k])
                sil__stacks_give(&stacks, some[k]);
        sil__stacks_fini(&stacks);
    }
    return NULL;
}

static void test_slabs_are_found_while_others_come_and_go(void **state)
{
    (void)state;
    int missed[3] = {0};
    pthread_t threads[COUNT_OF(missed)], looker;
    atomic_store(&stop_looking, false);
    assert_int_equal(pthread_create(&looker, NULL, look, missed), 0);
    for (size_t i = 0; i < COUNT_OF(missed); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &missed[i]), 0);
    for (size_t i = 0; i < COUNT_OF(missed); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    atomic_store(&stop_looking, true);
    assert_int_equal(pthread_join(looker, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(missed); i++)
        assert_int_equal(missed[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_class_is_the_smallest_that_holds_the_bytes),
        TEST(test_stack_of_each_class_has_its_bytes),
        TEST(test_hot_end_lies_in_one_page_and_has_16_colours),
        TEST(test_top_is_zero_at_first_and_then_kept),
        TEST(test_touched_guard_ends_the_program),
        TEST(test_guards_take_a_share_of_the_maps),
        TEST(test_dead_canary_ends_the_program),
        TEST(test_address_in_a_guard_tells_the_stack),
        TEST(test_memory_of_a_burst_goes_back),
        TEST(test_what_is_wanted_stays),
        TEST(test_pages_below_the_hot_end_go_back),
        TEST(test_parked_stack_costs_one_page),
        TEST(test_slabs_are_found_while_others_come_and_go),
    };
    return test_run("stack", tests);
}
