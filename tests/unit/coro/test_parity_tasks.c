/* SPDX-License-Identifier: MIT */
/*
 * Coroutines among themselves, as asyncio's tests of Task ask for it (docs/asyncio-parity.md). The
 * names in comments are those of the tests in CPython's test_tasks.py and, at the end, in
 * test_eager_task_factory.py.
 */
#include <sillon/coro.h>

#include <string.h>

#include "scenario.h"

/* --- awaiting -------------------------------------------------------------------------------- */

static int await_itself(void *arg, void *result)
{
    (void)result;
    return sil_await(**(sil_future ***)arg, SIL_FOREVER);
}

SCENARIO(one_that_awaits_itself_is_told) /* test_task_awaits_on_itself */
{
    (void)arg, (void)result;
    sil_future *self = NULL;
    sil_future **slot = &self;
    self = sil_go_with(&(sil_go_options){.name = "narcissus"}, await_itself, (void *)&slot,
                       sizeof slot, 0);
    EXPECT_CODE(sil_await(self, SIL_FOREVER), SIL_EDEADLK);
    EXPECT(strstr(sil_error_message(sil_last_error()), "narcissus"));
    sil_future_release(self);
    return 0;
}

static int add_two(void *arg, void *result)
{
    (void)arg;
    int a = 0;
    int b = 0;
    int code = sil_take(go_int(co_int, 42), &a, SIL_FOREVER);
    if (code == 0)
        code = sil_take(go_int(task_int, 1000), &b, SIL_FOREVER);
    *(int *)result = a + b;
    return code;
}

SCENARIO(values_come_up_from_below) /* test_task_basics, test_bare_create_task */
{
    (void)arg, (void)result;
    int value = 0;
    EXPECT_CODE(sil_take(go_int(add_two, 0), &value, SIL_FOREVER), 0);
    EXPECT(value == 1042);
    return 0;
}

static int await_int(void *arg, void *result)
{
    sil_future *future = *(sil_future **)arg;
    int code = sil_await(future, SIL_FOREVER);
    *(int *)result = int_of(future);
    return code;
}

SCENARIO(any_number_may_await_one) /* test_step_result_future */
{
    (void)arg, (void)result;
    sil_promise *promise;
    sil_future *source = promise_int(&promise);
    sil_future *waiters[5];
    for (int i = 0; i < 5; i++)
        waiters[i] = sil_go(await_int, &source, sizeof source, sizeof(int));
    give_way(2);
    EXPECT_CODE(sil_promise_resolve(promise, &(int){42}), 0);
    for (int i = 0; i < 5; i++) {
        int value = 0;
        EXPECT_CODE(sil_take(waiters[i], &value, SIL_FOREVER), 0);
        EXPECT(value == 42);
    }
    sil_future_release(source);
    sil_promise_destroy(promise);
    return 0;
}

/* --- who runs -------------------------------------------------------------------------------- */

static int is_itself_all_the_time(void *arg, void *result)
{
    (void)result;
    const char *name = *(const char **)arg;
    sil_executor *loop = sil_loop_current();
    for (int i = 0; i < 5; i++) {
        EXPECT(strcmp(sil_current_name(), name) == 0);
        EXPECT(sil_loop_current() == loop);
        EXPECT_CODE(sil_yield(), 0);
    }
    return 0;
}

SCENARIO(each_has_its_own_name_all_the_time) /* test_current_task_with_interleaving_tasks */
{
    (void)arg, (void)result;
    static const char *const names[] = {"one", "two", "three"};
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = sil_go_with(&(sil_go_options){.name = names[i]}, is_itself_all_the_time,
                                 &names[i], sizeof names[i], 0);
    for (int i = 0; i < 3; i++)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    return 0;
}

static int keeps_its_own_errors(void *arg, void *result)
{
    (void)result;
    int code = *(int *)arg;
    (void)sil_fail(code, "mine");
    for (int i = 0; i < 5; i++) {
        EXPECT_CODE(sil_yield(), 0);
        EXPECT_CODE(sil_error_code(sil_last_error()), code);
    }
    return 0;
}

SCENARIO(each_has_its_own_last_error) /* test_context_3 */
{
    (void)arg, (void)result;
    sil_future *futures[100];
    for (int i = 0; i < 100; i++)
        futures[i] = go_int(keeps_its_own_errors, i + 1);
    for (int i = 0; i < 100; i++)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    return 0;
}

/* --- very many ------------------------------------------------------------------------------- */

enum { WIDTH = 5 };

static int begun;

static int grow_groups(void *arg, void *result)
{
    (void)result;
    int depth = *(int *)arg;
    begun++;
    if (depth == 0)
        return 0;
    sil_group *group = sil_group_open(NULL);
    for (int i = 0; i < WIDTH; i++)
        (void)group_int(group, grow_groups, depth - 1);
    int code = sil_group_wait(group, SIL_FOREVER);
    sil_group_close(group);
    return code;
}

static int grow_gathers(void *arg, void *result)
{
    (void)result;
    int depth = *(int *)arg;
    begun++;
    if (depth == 0)
        return 0;
    sil_future *futures[WIDTH];
    for (int i = 0; i < WIDTH; i++)
        futures[i] = go_int(grow_gathers, depth - 1);
    int code = sil_gather(futures, WIDTH, SIL_GATHER_FIRST_ERROR, SIL_FOREVER);
    for (int i = 0; i < WIDTH; i++)
        sil_future_release(futures[i]);
    return code;
}

SCENARIO(groups_in_groups_in_groups) /* test_recursive_taskgroups */
{
    (void)arg, (void)result;
    begun = 0;
    EXPECT_CODE(sil_take(go_int(grow_groups, 4), NULL, SIL_FOREVER), 0);
    EXPECT(begun == 781);
    return 0;
}

SCENARIO(gathers_in_gathers_in_gathers) /* test_recursive_gather */
{
    (void)arg, (void)result;
    begun = 0;
    EXPECT_CODE(sil_take(go_int(grow_gathers, 4), NULL, SIL_FOREVER), 0);
    EXPECT(begun == 781);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_one_that_awaits_itself_is_told), TEST(test_values_come_up_from_below),
        TEST(test_any_number_may_await_one),       TEST(test_each_has_its_own_name_all_the_time),
        TEST(test_each_has_its_own_last_error),    TEST(test_groups_in_groups_in_groups),
        TEST(test_gathers_in_gathers_in_gathers),
    };
    begin_scenarios();
    return test_run("parity: tasks", tests);
}
