/* SPDX-License-Identifier: MIT */
/*
 * The asymmetric barrier: which form is in use, that the kernel does what we ask of it, also in
 * the child of a fork. That it keeps order is in stress/test_litmus.c.
 */
#include "base/asymmetric.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/child.h"
#include "support/test.h"

#ifndef TEST_TSAN
static bool kernel_has_it(void)
{
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    return commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0;
}
#endif

/* Fails with EPERM in a process that has not registered. */
static bool kernel_lets_us(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

static void test_form_is_what_kernel_and_build_allow(void **state)
{
    (void)state;
#ifdef TEST_TSAN
    assert_true(sil__barrier_symmetric);
#else
    assert_int_equal(sil__barrier_symmetric, !kernel_has_it());
    assert_int_equal(kernel_lets_us(), kernel_has_it());
#endif
}

static int look_at_form(void *arg)
{
    const bool *symmetric = arg;
    CHECK(sil__barrier_symmetric == *symmetric);
    CHECK(sil__barrier_symmetric || kernel_lets_us());
    sil__barrier_heavy();
    sil__barrier_light();
    sil__barrier_full();
    return 0;
}

static void test_child_of_a_fork_has_the_same_form(void **state)
{
    (void)state;
    bool symmetric = sil__barrier_symmetric;
    assert_int_equal(child_run(look_at_form, &symmetric), 0);
}

static int fork_again(void *arg)
{
    return child_run(look_at_form, arg);
}

static void test_child_of_a_child_has_the_same_form(void **state)
{
    (void)state;
    bool symmetric = sil__barrier_symmetric;
    assert_int_equal(child_run(fork_again, &symmetric), 0);
}

/* The calls leave errno alone: they stand in the middle of what users call. */
static void check_errno(void)
{
    errno = EDOM;
    sil__barrier_heavy();
    sil__barrier_light();
    sil__barrier_full();
    sil__barrier_meet();
    assert_int_equal(errno, EDOM);
}

static void test_barriers_leave_errno_alone_in_both_forms(void **state)
{
    (void)state;
    bool symmetric = sil__barrier_symmetric;
    check_errno();
    sil__barrier_symmetric = true;
    check_errno();
    sil__barrier_symmetric = symmetric;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_form_is_what_kernel_and_build_allow),
        TEST(test_child_of_a_fork_has_the_same_form),
        TEST(test_child_of_a_child_has_the_same_form),
        TEST(test_barriers_leave_errno_alone_in_both_forms),
    };
    return test_run("asymmetric barrier", tests);
}
