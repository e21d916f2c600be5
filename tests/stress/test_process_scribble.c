/* SPDX-License-Identifier: MIT */
/*
 * Tasks that write rubbish over all their worker shares with the pool, while they run and long
 * after they have returned: the pool neither crashes nor hangs, every task ends, and those of
 * workers nobody has touched end well.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/leftovers.h"
#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { ROUNDS = TEST_SCALE(6), OTHERS = 200, SCRIBBLERS = 4 };

/* --- a scribbler --------------------------------------------------------------------------- */

enum target { CHANNEL, CONTROL, BOTH, TARGETS };

struct scribble {
    uint64_t seed;
    enum target target;
    unsigned writes; /* 0: no end of it */
    bool in_thread;  /* which goes on when the task has returned */
};

struct range {
    unsigned char *begin;
    size_t size;
};

/* What of this name can be written to. */
static struct range find(const char *name)
{
    char line[512];
    struct range range = {NULL, 0};
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        unsigned long begin;
        unsigned long end;
        char rights[5];
        if (strstr(line, name) != NULL && sscanf(line, "%lx-%lx %4s", &begin, &end, rights) == 3 &&
            rights[1] == 'w')
            range = (struct range){(unsigned char *)begin, end - begin};
    }
    if (maps != NULL)
        (void)fclose(maps);
    return range;
}

static void scribble(struct scribble what)
{
    const struct range ranges[] = {find("memfd:sillon-channel"), find("memfd:sillon-control")};
    struct random random = {what.seed};
    for (unsigned i = 0; what.writes == 0 || i < what.writes; i++) {
        const struct range *range =
            &ranges[what.target == BOTH ? random_below(&random, 2) : what.target];
        if (range->size == 0)
            return;
        size_t at = random_below(&random, range->size / 4) * 4;
        uint32_t value = (uint32_t)random_next(&random);
        if (random_below(&random, 2) == 0)
            value %= 8; /* what looks like something */
        (void)memcpy(range->begin + at, &value, sizeof value);
    }
}

static void *scribble_on(void *arg)
{
    scribble(*(struct scribble *)arg);
    return NULL;
}

/* arg: struct scribble. */
static int scribble_task(void *arg, void *result)
{
    (void)result;
    static struct scribble what; /* its thread goes on */
    what = *(struct scribble *)arg;
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    (void)signal(SIGSEGV, SIG_DFL);
    (void)signal(SIGBUS, SIG_DFL);
    if (!what.in_thread) {
        scribble(what);
        return 0;
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, scribble_on, &what) != 0)
        return 1;
    return pthread_detach(thread);
}

/* --- what the pool makes of it ------------------------------------------------------------- */

static sil_future *submit_scribble(sil_executor *pool, struct random *random, enum target target)
{
    static const unsigned writes[] = {1, 10, 1000, 100000, 0};
    struct scribble what = {.seed = random_next(random),
                            .target = target,
                            .writes = writes[random_below(random, COUNT_OF(writes))]};
    what.in_thread = what.writes == 0 || random_below(random, 2) == 0;
    return sil_submit(pool, scribble_task, &what, sizeof what, 0);
}

static void take_any(sil_future *future)
{
    (void)sil_await(future, SIL_FOREVER);
    assert_true(sil_future_done(future));
    size_t size = 0;
    const unsigned char *bytes = sil_future_result(future, &size);
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i]; /* all of it is there */
    assert_true(sum < 256 * (size + 1));
    sil_future_release(future);
}

/* A pool of scribblers, and one of others whose tasks it must not disturb. */
static void scribble_over(enum target target, struct random *random)
{
    sil_executor *mad = sil_process_pool(
        &(sil_process_pool_options){.workers = 2, .task_timeout = 2.0 * TEST_SLOWNESS});
    sil_executor *sane = sil_process_pool(&(sil_process_pool_options){.workers = 1});
    assert_non_null(mad);
    assert_non_null(sane);
    sil_future *any[OTHERS + SCRIBBLERS];
    sil_future *good[OTHERS];
    for (int i = 0; i < OTHERS + SCRIBBLERS; i++)
        any[i] = i % (OTHERS / SCRIBBLERS) == 3 ? submit_scribble(mad, random, target)
                                                : submit_int(mad, task_square, i);
    for (int i = 0; i < OTHERS; i++)
        good[i] = submit_int(sane, task_square, i);
    for (int i = 0; i < OTHERS + SCRIBBLERS; i++)
        take_any(any[i]);
    for (int i = 0; i < OTHERS; i++) {
        int value = -1;
        assert_code(sil_take(good[i], &value, SIL_FOREVER), 0);
        assert_int_equal(value, i * i);
    }
    assert_code(sil_executor_close(sane), 0);
    assert_code(sil_executor_close(mad), 0);
    assert_true(leftovers_no_children());
    assert_int_equal(leftovers_mappings("memfd:sillon-c"), 0);
}

static void scribble_rounds(enum target target)
{
    struct random random = {target};
    for (int round = 0; round < ROUNDS; round++)
        scribble_over(target, &random);
}

static void test_rubbish_in_the_channel(void **state)
{
    (void)state;
    scribble_rounds(CHANNEL);
}

static void test_rubbish_in_what_all_share(void **state)
{
    (void)state;
    scribble_rounds(CONTROL);
}

static void test_rubbish_in_both(void **state)
{
    (void)state;
    scribble_rounds(BOTH);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_rubbish_in_the_channel),
        TEST(test_rubbish_in_what_all_share),
        TEST(test_rubbish_in_both),
    };
    return test_run("rubbish", tests);
}
