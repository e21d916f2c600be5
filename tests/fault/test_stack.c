/* SPDX-License-Identifier: MIT */
/*
 * Stacks while memory runs out: there is none to be had, and nothing else happens.
 */
#include "base/fault.h"

#include "coro/stack.h"

#include "support/test.h"

enum { SLABS = 8 }; /* most of a class: each of four stacks, or one */

/* More slabs than before, so that there is something to allocate. */
static void take_some_of_each(struct sil__stacks *stacks, unsigned count)
{
    struct sil__stack *taken[2][SLABS] = {{NULL}};
    for (unsigned i = 0; i < 2; i++)
        for (unsigned k = 0; k < count; k++)
            taken[i][k] = sil__stacks_take(stacks, 4 + i);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned k = 0; k < count; k++)
            if (taken[i][k])
                sil__stacks_give(stacks, taken[i][k]);
}

static void fail_each(enum sil__fault_site site, bool all_later)
{
    for (uint64_t nth = 1; nth <= SLABS; nth++) {
        struct sil__stacks stacks;
        sil__stacks_init(&stacks);
        sil__fault_reset();
        sil__fault_arm(site, nth, all_later);
        take_some_of_each(&stacks, (unsigned)nth);
        sil__fault_reset();
        struct sil__stack *stack = sil__stacks_take(&stacks, 0);
        assert_non_null(stack); /* all is well again */
        sil__stacks_give(&stacks, stack);
        while (sil__stacks_trim(&stacks))
            ;
        sil__stacks_fini(&stacks);
    }
}

static void test_take_fails_without_memory(void **state)
{
    (void)state;
    for (int site = SIL__FAULT_ALLOC; site <= SIL__FAULT_SYSTEM; site += SIL__FAULT_SYSTEM) {
        struct sil__stacks stacks;
        sil__stacks_init(&stacks);
        sil__fault_reset();
        sil__fault_arm((enum sil__fault_site)site, 1, true);
        assert_null(sil__stacks_take(&stacks, 1));
        assert_int_equal(stacks.live, 0);
        sil__fault_reset();
        sil__stacks_fini(&stacks);
    }
}

static void test_stacks_survive_each_failure(void **state)
{
    (void)state;
    for (int all_later = 0; all_later <= 1; all_later++) {
        fail_each(SIL__FAULT_SYSTEM, all_later);
        fail_each(SIL__FAULT_ALLOC, all_later);
    }
}

static const char *no_name(const struct sil__stack *stack)
{
    (void)stack;
    return "";
}

static void test_watch_does_without_memory(void **state)
{
    (void)state;
    sil__fault_reset();
    sil__fault_arm(SIL__FAULT_ALLOC, 1, true);
    sil__stack_watch(no_name);
    sil__stack_unwatch_thread();
    sil__fault_reset();
    sil__stack_watch(no_name);
    sil__stack_unwatch_thread();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_take_fails_without_memory), /* first: nothing has been allocated yet */
        TEST(test_stacks_survive_each_failure),
        TEST(test_watch_does_without_memory),
    };
    return test_run("stack fault", tests);
}
