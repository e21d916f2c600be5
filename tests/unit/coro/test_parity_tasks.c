/* SPDX-License-Identifier: MIT */
/*
 * Coroutines among themselves, as asyncio's tests of Task ask for it (docs/asyncio-parity.md). The
 * names in comments are those of the tests in CPython's test_tasks.py and, at the end, in
 * test_eager_task_factory.py.
 */
#include <sillon/coro.h>

#include <string.h>

#include "scenario.h"

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
        TEST(test_each_has_its_own_name_all_the_time),
        TEST(test_each_has_its_own_last_error),
        TEST(test_groups_in_groups_in_groups),
        TEST(test_gathers_in_gathers_in_gathers),
    };
    begin_scenarios();
    return test_run("parity: tasks", tests);
}
