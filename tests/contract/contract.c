/* SPDX-License-Identifier: MIT */
/*
 * Runs every table of promises for every engine that can do what they need. Usage: contract
 * [PART...] runs only the engines whose name has one of these parts.
 */
#include "contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct contract_engine *current;

const struct contract_engine *contract_engine(void)
{
    return current;
}

sil_executor *contract_create(void)
{
    sil_executor *executor = current->create();
    assert_non_null(executor);
    return executor;
}

int contract_rounds(int count)
{
    return TEST_SCALE((current->capabilities & PROCESSES) != 0 ? count / 10 : count);
}

void contract_close(sil_executor *executor)
{
    assert_code(sil_executor_close(executor), 0);
}

void contract_finish(sil_future *future)
{
    assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
}

void contract_occupy(struct occupied *occupied, sil_executor *executor)
{
    occupied->gate = contract_gate();
    occupied->count = sil_executor_workers(executor);
    assert_in_range(occupied->count, 1, COUNT_OF(occupied->futures));
    for (unsigned i = 0; i < occupied->count; i++) {
        occupied->futures[i] = submit_gate(executor, occupied->gate);
        gate_wait_for_arrivals(occupied->gate, i + 1);
    }
}

void contract_free(struct occupied *occupied)
{
    gate_open(occupied->gate);
    for (unsigned i = 0; i < occupied->count; i++)
        contract_finish(occupied->futures[i]);
    contract_unshare(occupied->gate);
}

static const struct {
    const char *name;
    const struct contract_test *tests;
} tables[] = {
    {"states", contract_states},
    {"submit", contract_submit},
    {"submit options", contract_submit_options},
    {"post", contract_post},
    {"post, the queue", contract_post_queue},
    {"post, inside", contract_post_inside},
    {"bounded queue", contract_bounded},
    {"cancel", contract_cancel},
    {"callbacks", contract_callbacks},
    {"waiting", contract_waiting},
    {"wait for many", contract_wait_many},
    {"map", contract_map},
    {"shutdown", contract_shutdown},
    {"close", contract_closing},
    {"failure of the engine", contract_broken},
    {"fork", contract_fork},
    {"errors", contract_errors},
    {"bad input", contract_bad_input},
    {"crash", contract_crash},
    {"kill", contract_kill},
    {"processes, data", contract_process_data},
};

/* Runs those tests of a table that the engine can pass; how many failed. */
static int run_table(const char *name, const struct contract_test *tests)
{
    struct CMUnitTest chosen[64];
    size_t count = 0;
    for (; tests->function != NULL; tests++) {
        unsigned given = current->capabilities;
        if ((tests->needs & given) != tests->needs)
            continue;
        if (count == COUNT_OF(chosen))
            abort();
        chosen[count++] = (struct CMUnitTest){.name = tests->name,
                                              .test_func = tests->function,
                                              .setup_func = contract_begin,
                                              .teardown_func = contract_end};
    }
    char title[100];
    (void)snprintf(title, sizeof title, "%s, %s", current->name, name);
    return count == 0 ? 0 : test_run_group(title, chosen, count);
}

static bool is_wanted(int count, char **parts)
{
    bool wanted = count == 0;
    for (int i = 0; i < count; i++)
        wanted |= strstr(current->name, parts[i]) != NULL;
    return wanted;
}

int main(int argc, char **argv)
{
    int failed = 0;
    /* libuv keeps two descriptors from its first loop on. */
    assert_code(sil_executor_close(sil_loop_thread(NULL)), 0);
    for (current = contract_engines; current->name != NULL; current++)
        for (size_t i = 0; i < COUNT_OF(tables) && is_wanted(argc - 1, argv + 1); i++)
            failed += run_table(tables[i].name, tables[i].tests);
    return test_exit(failed);
}
