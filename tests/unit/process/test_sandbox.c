/* SPDX-License-Identifier: MIT */
/*
 * The sandboxes, each entered in a child: what programs live on works in the closer one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sillon/status.h>

#include "process/limits.h"
#include "support/child.h"
#include "support/gate.h"
#include "support/test.h"

#define MIB ((size_t)1 << 20)

/* The call by its number fails with that error. */
#define FAILS(error, ...) (errno = 0, syscall(__VA_ARGS__) == -1 && errno == (error))
#define DENIED(...) FAILS(EPERM, __VA_ARGS__)

static void run_in_child(int (*fn)(void *arg), void *arg, int expected)
{
    if (!sil__sandbox_supported())
        skip();
    assert_int_equal(child_run(fn, arg), expected);
}

static int no_cores(void)
{
    struct rlimit none = {0};
    return setrlimit(RLIMIT_CORE, &none);
}

/* --- entering ------------------------------------------------------------------------------ */

static int enter_none(void *arg)
{
    (void)arg;
    CHECK(sil__sandbox_enter(SIL_SANDBOX_NONE) == 0);
    int fd = open("/dev/null", O_RDWR);
    CHECK(fd >= 0);
    return 0;
}

static void test_none_refuses_nothing(void **state)
{
    (void)state;
    run_in_child(enter_none, NULL, 0);
}

static int enter_twice(void *arg)
{
    (void)arg;
    CHECK(sil__sandbox_enter(SIL_SANDBOX_READ_ONLY) == 0);
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == SIL_ENOTSUP);
    CHECK(!sil__sandbox_supported());
    return 0;
}

static void test_there_is_no_way_back(void **state)
{
    (void)state;
    run_in_child(enter_twice, NULL, 0);
}

/* --- what works ---------------------------------------------------------------------------- */

static int use_memory(void *arg)
{
    (void)arg;
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    char *block = malloc(64 * MIB);
    CHECK(block);
    memset(block, 1, 64 * MIB);
    block = realloc(block, 128 * MIB);
    CHECK(block && block[64 * MIB - 1] == 1);
    free(block);
    return 0;
}

static int compare_ints(const void *a, const void *b)
{
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

static int use_library(void *arg)
{
    (void)arg;
    enum { COUNT = 1 << 16 };
    static int numbers[COUNT];
    struct timespec now;
    struct timespec pause_for = {.tv_nsec = 1000};
    struct rlimit limit;
    for (int i = 0; i < COUNT; i++)
        numbers[i] = (int)((unsigned)i * 7919U % COUNT);
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    qsort(numbers, COUNT, sizeof *numbers, compare_ints);
    CHECK(numbers[0] == 0 && numbers[COUNT - 1] == COUNT - 1);
    CHECK(strcmp(strerror(ENOENT), "No such file or directory") == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    CHECK(FAILS(EFAULT, SYS_nanosleep, NULL, NULL));
    CHECK(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause_for, NULL) == 0);
    CHECK(time(NULL) > 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(sched_yield() == 0);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    return 0;
}

static void test_memory_and_the_library_work(void **state)
{
    (void)state;
    run_in_child(use_memory, NULL, 0);
    run_in_child(use_library, NULL, 0);
}

static int begin_tasks(void *arg)
{
    (void)arg;
    struct sil__limits limits = {.cpu_seconds = 100};
    struct rlimit limit;
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    sil__limits_begin_task(&limits);
    CHECK(getrlimit(RLIMIT_CPU, &limit) == 0);
    rlim_t first = limit.rlim_cur;
    CHECK(first > 100 && first < 200);
    limits.cpu_seconds = 200;
    sil__limits_begin_task(&limits);
    CHECK(getrlimit(RLIMIT_CPU, &limit) == 0);
    CHECK(limit.rlim_cur >= first + 100);
    return 0;
}

static void test_processor_time_can_be_limited_inside(void **state)
{
    (void)state;
    run_in_child(begin_tasks, NULL, 0);
}

static int use_descriptors(void *arg)
{
    int *fds = arg;
    char text[8] = "";
    CHECK(dup2(fds[1], STDOUT_FILENO) == STDOUT_FILENO);
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    CHECK(read(fds[0], text, sizeof text) == 3 && strcmp(text, "in\n") == 0);
    CHECK(printf("out %d\n", 7) == 6 && fflush(stdout) == 0);
    int copy = dup(fds[0]);
    CHECK(copy >= 0 && fcntl(copy, F_GETFL) == O_RDWR);
    CHECK(send(copy, "sent", 4, MSG_NOSIGNAL) == 4);
    CHECK(close(copy) == 0);
    return 0;
}

static void test_open_descriptors_work(void **state)
{
    (void)state;
    int ours[2];
    int out[2];
    char text[16] = "";
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ours), 0);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(write(ours[0], "in\n", 3), 3);
    int theirs[2] = {ours[1], out[1]};
    run_in_child(use_descriptors, theirs, 0);
    assert_int_equal(read(out[0], text, sizeof text), 6);
    assert_string_equal(text, "out 7\n");
    assert_int_equal(recv(ours[0], text, sizeof text, 0), 4);
    for (int i = 0; i < 2; i++) {
        (void)close(ours[i]);
        (void)close(out[i]);
    }
}

/* --- threads ------------------------------------------------------------------------------- */

static void *count_up(void *arg)
{
    int *count = arg;
    char *block = malloc(MIB);
    if (block && pthread_setname_np(pthread_self(), "counter") == 0)
        ++*count;
    free(block);
    return NULL;
}

static int use_threads(void *arg)
{
    (void)arg;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    int counts[THREADS] = {0};
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, count_up, &counts[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(counts[i] == 1);
    }
    return 0;
}

static void test_threads_can_be_started(void **state)
{
    (void)state;
    run_in_child(use_threads, NULL, 0);
}

struct early_thread {
    struct gate entered;
    bool denied;
};

static void *open_when_entered(void *arg)
{
    struct early_thread *thread = arg;
    gate_wait(&thread->entered);
    thread->denied = DENIED(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
    return NULL;
}

static int have_thread_before(void *arg)
{
    (void)arg;
    struct early_thread early = {0};
    pthread_t thread;
    gate_init(&early.entered);
    CHECK(pthread_create(&thread, NULL, open_when_entered, &early) == 0);
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    gate_open(&early.entered);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(early.denied);
    return 0;
}

static void test_threads_started_before_are_inside(void **state)
{
    (void)state;
    run_in_child(have_thread_before, NULL, 0);
}

static void wait_for(_Atomic uint32_t *word, uint32_t value)
{
    uint32_t seen;
    while ((seen = atomic_load_explicit(word, memory_order_acquire)) != value)
        (void)syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void announce(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
    (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int talk_through_memory(void *arg)
{
    _Atomic uint32_t *word = arg;
    if (fork() == 0) {
        int code = sil__sandbox_enter(SIL_SANDBOX_COMPUTE);
        announce(word, code == 0 ? 1 : 99);
        wait_for(word, 2);
        announce(word, 3);
        _exit(0);
    }
    wait_for(word, 1);
    announce(word, 2);
    wait_for(word, 3);
    CHECK(wait(NULL) > 0);
    return 0;
}

static void test_futexes_work_between_processes(void **state)
{
    (void)state;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    run_in_child(talk_through_memory, page, 0);
    (void)munmap(page, 4096);
}

/* --- ends ---------------------------------------------------------------------------------- */

static int do_abort(void *arg)
{
    (void)arg;
    CHECK(no_cores() == 0);
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    abort();
}

static int do_fault(void *arg)
{
    (void)arg;
    CHECK(no_cores() == 0);
    (void)signal(SIGSEGV, SIG_DFL); /* the sanitizers report it */
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    *(volatile char *)page = 1;
    return 0;
}

static void test_crashes_are_what_they_are_outside(void **state)
{
    (void)state;
    run_in_child(do_abort, NULL, -SIGABRT);
    run_in_child(do_fault, NULL, -SIGSEGV);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_none_refuses_nothing),
        TEST(test_there_is_no_way_back),
        TEST(test_memory_and_the_library_work),
        TEST(test_processor_time_can_be_limited_inside),
        TEST(test_open_descriptors_work),
        TEST(test_threads_can_be_started),
        TEST(test_threads_started_before_are_inside),
        TEST(test_futexes_work_between_processes),
        TEST(test_crashes_are_what_they_are_outside),
    };
    return test_run("sandbox", tests);
}
