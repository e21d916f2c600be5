/* SPDX-License-Identifier: MIT */
/*
 * Process pools in dumps: their tasks, and in which process they run.
 */
#include <sillon/process_pool.h>

#include <inttypes.h>

#include "support/dump_text.h"
#include "support/tasks.h"
#include "support/test.h"

static void test_dump_shows_tasks_of_processes(void **state)
{
    (void)state;
    sil_executor *pool =
        sil_process_pool(&(sil_process_pool_options){.workers = 1, .name = "farm"});
    assert_non_null(pool);
    sil_future *task = sil_submit_with(pool, &(sil_submit_options){.name = "plough"},
                                       task_until_cancelled, NULL, 0, 0);
    sil_future *next =
        sil_submit_with(pool, &(sil_submit_options){.name = "sow"}, task_nothing, NULL, 0, 0);
    int64_t pid = 0;
    eventually(sil_process_pool_pids(pool, &pid, 1) == 1 && dump_has("'plough' ", "  running "));
    char *text = dump_text();
    assert_non_null(text);
    char where[40];
    (void)snprintf(where, sizeof where, "[process %" PRId64 "]", pid);
    assert_contains(dump_line(text, "process pool 'farm'", ""), "1 running, 1 pending, 0 done");
    assert_contains(dump_line(text, "'plough' ", ""), where);
    assert_string_equal(dump_line(text, "'sow' ", ""), "");
    free(text);
    (void)sil_future_cancel(task);
    assert_code(sil_take(task, NULL, SIL_FOREVER), SIL_ECANCELLED);
    assert_code(sil_take(next, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    assert_false(dump_has("farm", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dump_shows_tasks_of_processes),
    };
    return test_run("process.dump", tests);
}
