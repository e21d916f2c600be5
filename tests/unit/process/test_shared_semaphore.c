/* SPDX-License-Identifier: MIT */
/*
 * The shared semaphore: counting, waiting, deadlines; from threads, forks and other processes.
 */
#include <sillon/sillon.h>

#include <limits.h>
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

static sil_shared_semaphore *create(unsigned count)
{
    sil_shared_semaphore *semaphore = sil_shared_semaphore_create(count);
    assert_non_null(semaphore);
    return semaphore;
}

static void test_it_counts(void **state)
{
    (void)state;
    sil_shared_semaphore *semaphore = create(2);
    assert_int_equal(sil_shared_semaphore_value(semaphore), 2);
    assert_code(sil_shared_semaphore_acquire(semaphore, SIL_NOW), 0);
    assert_code(sil_shared_semaphore_acquire(semaphore, SIL_FOREVER), 0);
    assert_code(sil_shared_semaphore_acquire(semaphore, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_error_code(sil_last_error()), SIL_ETIMEDOUT);
    assert_code(sil_shared_semaphore_acquire(semaphore, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_code(sil_shared_semaphore_release(semaphore, 3), 0);
    assert_code(sil_shared_semaphore_release(semaphore, 0), 0);
    assert_int_equal(sil_shared_semaphore_value(semaphore), 3);
    sil_shared_semaphore_destroy(semaphore);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    assert_null(sil_shared_semaphore_create((unsigned)INT_MAX + 1));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_shared_semaphore_acquire(NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_shared_semaphore_release(NULL, 1), SIL_EINVAL);
    assert_int_equal(sil_shared_semaphore_value(NULL), 0);
    sil_shared_semaphore_destroy(NULL);

    sil_shared_semaphore *semaphore = create(INT_MAX);
    assert_code(sil_shared_semaphore_release(semaphore, 1), SIL_EINVAL);
    assert_code(sil_shared_semaphore_release(semaphore, UINT_MAX), SIL_EINVAL);
    assert_int_equal(sil_shared_semaphore_value(semaphore), INT_MAX);
    assert_code(sil_shared_semaphore_acquire(semaphore, SIL_NOW), 0);
    assert_code(sil_shared_semaphore_release(semaphore, 1), 0);
    sil_shared_semaphore_destroy(semaphore);
}

/* --- waiting ------------------------------------------------------------------------------- */

struct taker {
    pthread_t thread;
    _Atomic pid_t id;
    sil_shared_semaphore *semaphore;
    sil_deadline until;
    int code;
};

static void *take_one(void *arg)
{
    struct taker *taker = arg;
    taker->id = gettid();
    taker->code = sil_shared_semaphore_acquire(taker->semaphore, taker->until);
    return NULL;
}

static void start_taker(struct taker *taker, sil_shared_semaphore *semaphore, sil_deadline until)
{
    *taker = (struct taker){.semaphore = semaphore, .until = until};
    assert_int_equal(pthread_create(&taker->thread, NULL, take_one, taker), 0);
    eventually(taker->id != 0 && self_asleep(taker->id));
}

static void test_release_wakes_as_many(void **state)
{
    (void)state;
    sil_shared_semaphore *semaphore = create(0);
    struct taker takers[4];
    for (size_t i = 0; i < COUNT_OF(takers); i++)
        start_taker(&takers[i], semaphore, SIL_FOREVER);
    assert_code(sil_shared_semaphore_release(semaphore, 1), 0);
    assert_code(sil_shared_semaphore_release(semaphore, 3), 0);
    for (size_t i = 0; i < COUNT_OF(takers); i++) {
        (void)pthread_join(takers[i].thread, NULL);
        assert_code(takers[i].code, 0);
    }
    assert_int_equal(sil_shared_semaphore_value(semaphore), 0);
    sil_shared_semaphore_destroy(semaphore);
}

static void test_deadlines_heed_the_fake_clock(void **state)
{
    (void)state;
    sil_shared_semaphore *semaphore = create(0);
    struct taker taker;
    sil__clock_fake_start(SIL__SECOND);
    start_taker(&taker, semaphore, 100 * SIL__SECOND);
    sil__clock_fake_advance(99 * SIL__SECOND);
    (void)pthread_join(taker.thread, NULL);
    sil__clock_fake_stop();
    assert_code(taker.code, SIL_ETIMEDOUT);
    sil_shared_semaphore_destroy(semaphore);
}

/* --- processes ----------------------------------------------------------------------------- */

enum { PROCESSES = 4, ROUNDS = TEST_SCALE(20000) };

struct guarded {
    sil_shared_semaphore *semaphore;
    volatile int *number; /* guarded by it */
};

static int count_up(void *arg, void *result)
{
    (void)result;
    const struct guarded *guarded = arg;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(sil_shared_semaphore_acquire(guarded->semaphore, SIL_FOREVER) == 0);
        int before = *guarded->number;
        if (i % 64 == 0)
            test_yield();
        *guarded->number = before + 1;
        CHECK(sil_shared_semaphore_release(guarded->semaphore, 1) == 0);
    }
    return 0;
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    struct guarded guarded = {create(1), sil_shared_alloc(sizeof(int))};
    assert_non_null(guarded.number);
    *guarded.number = 0;
    sil_process *processes[PROCESSES];
    pid_t forks[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = sil_process_start(NULL, count_up, &guarded, sizeof guarded);
        assert_non_null(processes[i]);
        forks[i] = fork();
        if (forks[i] == 0)
            _exit(count_up(&guarded, NULL));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(forks[i], &status, 0), forks[i]);
        assert_int_equal(status, 0);
        assert_code(sil_process_join(processes[i], SIL_FOREVER), 0);
        assert_int_equal(sil_process_exit_code(processes[i]), 0);
        sil_process_destroy(processes[i]);
    }
    assert_int_equal(*guarded.number, 2 * PROCESSES * ROUNDS);
    sil_shared_free((void *)guarded.number);
    sil_shared_semaphore_destroy(guarded.semaphore);
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

static void test_killed_sleepers(void **state)
{
    (void)state;
    sil_shared_semaphore *semaphore = create(0);
    struct taker taker;
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(sil_shared_semaphore_acquire(semaphore, SIL_FOREVER));
        assert_true(child > 0);
        eventually(child_asleep(child));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    start_taker(&taker, semaphore, SIL_FOREVER);
    assert_code(sil_shared_semaphore_release(semaphore, 1), 0);
    (void)pthread_join(taker.thread, NULL);
    assert_code(taker.code, 0);
    sil_shared_semaphore_destroy(semaphore);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_it_counts),
        TEST(test_bad_arguments),
        TEST(test_release_wakes_as_many),
        TEST(test_deadlines_heed_the_fake_clock),
        TEST(test_one_at_a_time),
        TEST(test_killed_sleepers),
    };
    return test_run("shared semaphore", tests);
}
