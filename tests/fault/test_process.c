/* SPDX-License-Identifier: MIT */
/*
 * Processes, shared queues and semaphores while memory, threads, processes or descriptors run out:
 * they say why they could not begin, and leave nothing behind; what has begun works.
 */
#include "every_point.h"

static int add(void *arg, void *result)
{
    (void)result;
    sil_shared_queue *queue = *(sil_shared_queue **)arg;
    int sum = 0;
    for (int i = 0; i < 2; i++) {
        int number;
        if (sil_shared_queue_pop(queue, &number, SIL_FOREVER) != 0)
            return 100;
        sum += number;
    }
    return sum;
}

static void end(sil_process *process, int expected)
{
    if (!was_made(process))
        return;
    assert_code(sil_process_join(process, SIL_FOREVER), 0);
    assert_int_equal(sil_process_exit_code(process), expected);
    sil_process_destroy(process);
}

static void function(void)
{
    sil_shared_queue *queue = sil_shared_queue_create(sizeof(int), 2);
    if (!was_made(queue))
        return;
    for (int i = 3; i < 5; i++)
        assert_code(sil_shared_queue_push(queue, &i, SIL_NOW), 0);
    const sil_process_options options = {.environment = (const char *const[]){"A=1", NULL}};
    end(sil_process_start(&options, add, (void *)&queue, sizeof queue), 7);
    sil_shared_queue_destroy(queue);
}

static void program(void)
{
    const int kept = 2;
    const sil_process_options options = {
        .standard_output = 2, .descriptors = &kept, .descriptor_count = 1};
    end(sil_process_run(&options, (const char *const[]){"sh", "-c", "exit 5", NULL}), 5);
}

static void outliving(void)
{
    const sil_process_options options = {.outlives_us = true};
    end(sil_process_run(&options, (const char *const[]){"true", NULL}), 0);
}

static void semaphore(void)
{
    sil_shared_semaphore *semaphore = sil_shared_semaphore_create(1);
    if (!was_made(semaphore))
        return;
    assert_code(sil_shared_semaphore_acquire(semaphore, SIL_NOW), 0);
    assert_code(sil_shared_semaphore_release(semaphore, 1), 0);
    sil_shared_semaphore_destroy(semaphore);
}

static void survive_all(void (*scenario)(void))
{
    for (int site = 0; site < SIL__FAULT_SITES; site++)
        fail_each_point(site, scenario);
}

static void test_functions_survive(void **state)
{
    (void)state;
    survive_all(function);
}

static void test_programs_survive(void **state)
{
    (void)state;
    survive_all(program);
    survive_all(outliving);
}

static void test_semaphores_survive(void **state)
{
    (void)state;
    survive_all(semaphore);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_functions_survive),
        TEST(test_programs_survive),
        TEST(test_semaphores_survive),
    };
    return test_run("process faults", tests);
}
