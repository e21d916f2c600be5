/* SPDX-License-Identifier: MIT */
/*
 * The shared queue: order, bounds, deadlines, closing; from threads, forks and other processes.
 */
#include <sillon/sillon.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/child.h"
#include "support/self.h"
#include "support/test.h"

static sil_shared_queue *create(size_t item_size, size_t capacity)
{
    sil_shared_queue *queue = sil_shared_queue_create(item_size, capacity);
    assert_non_null(queue);
    return queue;
}

static int push_int(sil_shared_queue *queue, int item, sil_deadline until)
{
    return sil_shared_queue_push(queue, &item, until);
}

/* What comes out; a code if nothing does. */
static int pop_int(sil_shared_queue *queue, sil_deadline until)
{
    int item = 0;
    int code = sil_shared_queue_pop(queue, &item, until);
    return code == 0 ? item : code;
}

/* --- alone --------------------------------------------------------------------------------- */

static void test_first_in_first_out(void **state)
{
    (void)state;
    static const size_t capacities[] = {1, 2, 3, 8};
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        sil_shared_queue *queue = create(sizeof(int), capacities[i]);
        int in = 0;
        int out = 0;
        while (out < 50) {
            /* Fill it, and take a part out, so that the ends come by at every place. */
            while (push_int(queue, in, SIL_NOW) == 0)
                in++;
            assert_int_equal(in - out, capacities[i]);
            assert_int_equal(sil_shared_queue_length(queue), capacities[i]);
            for (size_t j = 0; j < (capacities[i] + 1) / 2; j++)
                assert_int_equal(pop_int(queue, SIL_NOW), out++);
        }
        while (out < in)
            assert_int_equal(pop_int(queue, SIL_NOW), out++);
        assert_int_equal(sil_shared_queue_length(queue), 0);
        sil_shared_queue_destroy(queue);
    }
}

static void test_items_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 3, 64, 100001};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        enum { MOST = 100001 };
        static unsigned char in[MOST];
        static unsigned char out[MOST];
        sil_shared_queue *queue = create(sizes[i], 3);
        for (int round = 1; round < 8; round++) {
            memset(in, round, sizes[i]);
            memset(out, 0, sizeof out);
            assert_code(sil_shared_queue_push(queue, in, SIL_NOW), 0);
            assert_code(sil_shared_queue_pop(queue, out, SIL_NOW), 0);
            assert_memory_equal(in, out, sizes[i]);
            assert_true(sizes[i] == MOST || out[sizes[i]] == 0);
        }
        sil_shared_queue_destroy(queue);
    }
}

static void test_deadlines(void **state)
{
    (void)state;
    sil_shared_queue *queue = create(sizeof(int), 1);
    assert_code(pop_int(queue, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_error_code(sil_last_error()), SIL_ETIMEDOUT);
    assert_code(pop_int(queue, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_code(push_int(queue, 1, SIL_NOW), 0);
    assert_code(push_int(queue, 2, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(push_int(queue, 2, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_int_equal(pop_int(queue, sil_in(-1)), 1);
    sil_shared_queue_destroy(queue);
}

static void test_closed(void **state)
{
    (void)state;
    sil_shared_queue *queue = create(sizeof(int), 4);
    assert_code(push_int(queue, 1, SIL_NOW), 0);
    assert_code(push_int(queue, 2, SIL_NOW), 0);
    sil_shared_queue_close(queue);
    sil_shared_queue_close(queue);
    assert_code(push_int(queue, 3, SIL_FOREVER), SIL_ESHUTDOWN);
    assert_int_equal(pop_int(queue, SIL_FOREVER), 1);
    assert_int_equal(pop_int(queue, SIL_FOREVER), 2);
    assert_code(pop_int(queue, SIL_FOREVER), SIL_EEND);
    sil_shared_queue_destroy(queue);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    int item = 0;
    assert_null(sil_shared_queue_create(0, 1));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_null(sil_shared_queue_create(1, 0));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_null(sil_shared_queue_create(SIZE_MAX / 2, 3));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_shared_queue_push(NULL, &item, SIL_NOW), SIL_EINVAL);
    assert_code(sil_shared_queue_pop(NULL, &item, SIL_NOW), SIL_EINVAL);
    sil_shared_queue *queue = create(1, 1);
    assert_code(sil_shared_queue_push(queue, NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_shared_queue_pop(queue, NULL, SIL_NOW), SIL_EINVAL);
    sil_shared_queue_destroy(queue);
    sil_shared_queue_close(NULL);
    assert_int_equal(sil_shared_queue_length(NULL), 0);
    sil_shared_queue_destroy(NULL);
}

/* --- waiting ------------------------------------------------------------------------------- */

struct popper {
    pthread_t thread;
    _Atomic pid_t id;
    sil_shared_queue *queue;
    sil_deadline until;
    int got;
};

static void *pop_one(void *arg)
{
    struct popper *popper = arg;
    popper->id = gettid();
    popper->got = pop_int(popper->queue, popper->until);
    return NULL;
}

static void start_popper(struct popper *popper, sil_shared_queue *queue, sil_deadline until)
{
    *popper = (struct popper){.queue = queue, .until = until};
    assert_int_equal(pthread_create(&popper->thread, NULL, pop_one, popper), 0);
    eventually(popper->id != 0 && self_asleep(popper->id));
}

static void test_a_push_wakes_one_who_waits(void **state)
{
    (void)state;
    sil_shared_queue *queue = create(sizeof(int), 1);
    for (int i = 1; i < 20; i++) {
        struct popper popper;
        start_popper(&popper, queue, SIL_FOREVER);
        assert_code(push_int(queue, i, SIL_NOW), 0);
        (void)pthread_join(popper.thread, NULL);
        assert_int_equal(popper.got, i);
    }
    sil_shared_queue_destroy(queue);
}

static void test_pushes_wake_as_many(void **state)
{
    (void)state;
    sil_shared_queue *queue = create(sizeof(int), 4);
    struct popper poppers[4];
    int sum = 0;
    for (size_t i = 0; i < COUNT_OF(poppers); i++)
        start_popper(&poppers[i], queue, SIL_FOREVER);
    for (int i = 0; i < 4; i++)
        assert_code(push_int(queue, 1 << i, SIL_NOW), 0);
    for (size_t i = 0; i < COUNT_OF(poppers); i++) {
        (void)pthread_join(poppers[i].thread, NULL);
        sum += poppers[i].got;
    }
    assert_int_equal(sum, 15);
    sil_shared_queue_destroy(queue);
}

static void *push_five(void *arg)
{
    return push_int(arg, 5, SIL_FOREVER) == 0 ? arg : NULL;
}

static void test_a_pop_wakes_one_who_waits_for_room(void **state)
{
    (void)state;
    sil_shared_queue *queue = create(sizeof(int), 1);
    pthread_t thread;
    void *result;
    assert_code(push_int(queue, 4, SIL_NOW), 0);
    assert_int_equal(pthread_create(&thread, NULL, push_five, queue), 0);
    assert_int_equal(pop_int(queue, SIL_FOREVER), 4);
    assert_int_equal(pop_int(queue, SIL_FOREVER), 5);
    (void)pthread_join(thread, &result);
    assert_ptr_equal(result, queue);
    sil_shared_queue_destroy(queue);
}

static void test_close_wakes_all(void **state)
{
    (void)state;
    sil_shared_queue *queue = create(sizeof(int), 1);
    struct popper poppers[3];
    for (size_t i = 0; i < COUNT_OF(poppers); i++)
        start_popper(&poppers[i], queue, SIL_FOREVER);
    sil_shared_queue_close(queue);
    for (size_t i = 0; i < COUNT_OF(poppers); i++) {
        (void)pthread_join(poppers[i].thread, NULL);
        assert_code(poppers[i].got, SIL_EEND);
    }
    sil_shared_queue_destroy(queue);
}

static void test_deadlines_heed_the_fake_clock(void **state)
{
    (void)state;
    sil_shared_queue *queue = create(sizeof(int), 1);
    struct popper popper;
    sil__clock_fake_start(SIL__SECOND);
    start_popper(&popper, queue, 100 * SIL__SECOND);
    sil__clock_fake_advance(99 * SIL__SECOND);
    (void)pthread_join(popper.thread, NULL);
    sil__clock_fake_stop();
    assert_code(popper.got, SIL_ETIMEDOUT);
    sil_shared_queue_destroy(queue);
}

/* --- processes ----------------------------------------------------------------------------- */

/* arg: sil_shared_queue *[2]. Squares what comes in, until the first is closed. */
static int square_all(void *arg, void *result)
{
    (void)result;
    sil_shared_queue **queues = arg;
    int number;
    int code;
    while ((code = sil_shared_queue_pop(queues[0], &number, SIL_FOREVER)) == 0)
        CHECK(push_int(queues[1], number * number, SIL_FOREVER) == 0);
    CHECK(code == SIL_EEND);
    sil_shared_queue_close(queues[1]);
    return 0;
}

static void ask_for_squares(sil_shared_queue **queues)
{
    for (int i = 1; i <= 200; i++) {
        assert_code(push_int(queues[0], i, SIL_FOREVER), 0);
        assert_int_equal(pop_int(queues[1], SIL_FOREVER), i * i);
    }
    sil_shared_queue_close(queues[0]);
    assert_code(pop_int(queues[1], SIL_FOREVER), SIL_EEND);
}

static void test_between_processes(void **state)
{
    (void)state;
    sil_shared_queue *queues[] = {create(sizeof(int), 3), create(sizeof(int), 3)};
    sil_process *process = sil_process_start(NULL, square_all, (void *)queues, sizeof queues);
    assert_non_null(process);
    ask_for_squares(queues);
    assert_code(sil_process_join(process, SIL_FOREVER), 0);
    assert_int_equal(sil_process_exit_code(process), 0);
    sil_process_destroy(process);
    sil_shared_queue_destroy(queues[0]);
    sil_shared_queue_destroy(queues[1]);
}

static void test_between_forks(void **state)
{
    (void)state;
    sil_shared_queue *queues[] = {create(sizeof(int), 3), create(sizeof(int), 3)};
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(square_all((void *)queues, NULL));
    assert_true(child > 0);
    ask_for_squares(queues);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    sil_shared_queue_destroy(queues[0]);
    sil_shared_queue_destroy(queues[1]);
}

/* Does this child sleep in the kernel? */
static bool child_asleep(pid_t child)
{
    char path[64];
    char text[256];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    const char *after_name = strrchr(text, ')');
    return after_name != NULL && after_name[1] == ' ' && after_name[2] == 'S';
}

/* Those killed in their sleep leave nothing behind that others would trip over. */
static void test_killed_sleepers(void **state)
{
    (void)state;
    sil_shared_queue *queue = create(sizeof(int), 2);
    struct popper popper;
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(pop_int(queue, SIL_FOREVER));
        assert_true(child > 0);
        eventually(child_asleep(child));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    start_popper(&popper, queue, SIL_FOREVER);
    assert_code(push_int(queue, 1, SIL_NOW), 0);
    (void)pthread_join(popper.thread, NULL);
    assert_int_equal(popper.got, 1);
    sil_shared_queue_destroy(queue);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_first_in_first_out),  TEST(test_items_of_any_size),
        TEST(test_deadlines),           TEST(test_closed),
        TEST(test_bad_arguments),       TEST(test_a_push_wakes_one_who_waits),
        TEST(test_pushes_wake_as_many), TEST(test_a_pop_wakes_one_who_waits_for_room),
        TEST(test_close_wakes_all),     TEST(test_deadlines_heed_the_fake_clock),
        TEST(test_between_processes),   TEST(test_between_forks),
        TEST(test_killed_sleepers),
    };
    return test_run("shared queue", tests);
}
