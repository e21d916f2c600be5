/* SPDX-License-Identifier: MIT */
/*
 * Barriers between coroutines.
 */
#include "unit/sync/coroutines.h"

enum { MOST = 6 };

struct race {
    sil_barrier *barrier;
    int rounds;
    int passed;        /* waits that succeeded */
    int broken;        /* ... that were broken */
    unsigned indices;  /* of the last round: a bit each */
    size_t aborts_at;  /* who gets this index aborts, instead of a second wait; or MOST */
    sil_barrier *meet; /* for some scenarios, another one */
};

static int pass(void *arg, void *result)
{
    (void)result;
    struct race *race = *(struct race **)arg;
    for (int round = 0; round < race->rounds; round++) {
        size_t index = MOST;
        int code = sil_barrier_wait(race->barrier, &index, SIL_FOREVER);
        race->passed += code == 0;
        race->broken += code == SIL_EBROKEN;
        if (code != 0)
            return code == SIL_EBROKEN ? 0 : code;
        if (round + 1 == race->rounds)
            race->indices |= 1u << index;
    }
    return 0;
}

SCENARIO(barrier_filling_task_by_task)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 3), .rounds = 1};
    sil_future *futures[3];
    for (size_t i = 0; i < 3; i++) {
        EXPECT(sil_barrier_waiting(race.barrier) == i);
        futures[i] = go(pass, &race);
        settle();
    }
    EXPECT(sil_barrier_waiting(race.barrier) == 0);
    EXPECT(race.indices == 7);
    EXPECT(!sil_barrier_broken(race.barrier));
    for (int i = 0; i < 3; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    sil_barrier_destroy(race.barrier);
    return 0;
}

SCENARIO(barrier_filling_tasks_wait_twice)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 5), .rounds = 2};
    sil_future *futures[5];
    for (int i = 0; i < 5; i++)
        futures[i] = go(pass, &race);
    for (int i = 0; i < 5; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(race.passed == 10);
    EXPECT(race.indices == 31);
    EXPECT(sil_barrier_waiting(race.barrier) == 0);
    sil_barrier_destroy(race.barrier);
    return 0;
}

/* Those who are early for the next round do not get into the last one, nor hold it up. */
SCENARIO(barrier_blocking_tasks_while_draining)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 2), .rounds = 50};
    sil_future *futures[2];
    for (int i = 0; i < 2; i++)
        futures[i] = go(pass, &race);
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(race.passed == 100);
    sil_barrier_destroy(race.barrier);
    return 0;
}

/* As threading.Barrier, other than asyncio's: one that is cancelled breaks it. */
SCENARIO(barrier_filling_tasks_cancel_one)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 3), .rounds = 1};
    sil_future *one = go(pass, &race);
    sil_future *other = go(pass, &race);
    settle();
    EXPECT(sil_barrier_waiting(race.barrier) == 2);
    (void)sil_future_cancel(one);
    EXPECT_CODE(finish(one), SIL_ECANCELLED);
    EXPECT_CODE(finish(other), 0);
    EXPECT(race.broken == 1);
    EXPECT(sil_barrier_broken(race.barrier));
    EXPECT(sil_barrier_waiting(race.barrier) == 0);
    sil_barrier_destroy(race.barrier);
    return 0;
}

SCENARIO(barrier_reset_barrier)
{
    (void)arg, (void)result;
    sil_barrier *barrier = sil_barrier_create(NULL, 1);
    EXPECT_CODE(sil_barrier_reset(barrier), 0);
    EXPECT(sil_barrier_waiting(barrier) == 0);
    EXPECT(!sil_barrier_broken(barrier));
    sil_barrier_destroy(barrier);
    return 0;
}

SCENARIO(barrier_reset_barrier_while_tasks_waiting)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 5), .rounds = 1};
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = go(pass, &race);
    settle();
    EXPECT_CODE(sil_barrier_reset(race.barrier), 0);
    EXPECT(sil_barrier_waiting(race.barrier) == 0);
    EXPECT(!sil_barrier_broken(race.barrier));
    for (int i = 0; i < 4; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(race.broken == 4 && race.passed == 0);
    sil_barrier_destroy(race.barrier);
    return 0;
}

/* All are through when it is reset, though not all of them have run: it does not concern them. */
SCENARIO(barrier_reset_barrier_when_tasks_half_draining)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 5), .rounds = 1};
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = go(pass, &race);
    settle();
    EXPECT_CODE(sil_barrier_wait(race.barrier, NULL, SIL_FOREVER), 0);
    EXPECT(race.passed == 0);
    EXPECT_CODE(sil_barrier_reset(race.barrier), 0);
    for (int i = 0; i < 4; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(race.passed == 4 && race.broken == 0);
    sil_barrier_destroy(race.barrier);
    return 0;
}

/* The same with some that wait for the next round already: those are told. */
SCENARIO(barrier_reset_barrier_when_tasks_half_draining_half_blocking)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 3), .rounds = 2};
    sil_future *futures[2];
    for (int i = 0; i < 2; i++)
        futures[i] = go(pass, &race);
    settle();
    EXPECT_CODE(sil_barrier_wait(race.barrier, NULL, SIL_FOREVER), 0);
    settle();
    EXPECT(race.passed == 2);
    EXPECT(sil_barrier_waiting(race.barrier) == 2);
    EXPECT_CODE(sil_barrier_reset(race.barrier), 0);
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(race.broken == 2);
    EXPECT(!sil_barrier_broken(race.barrier));
    sil_barrier_destroy(race.barrier);
    return 0;
}

static int pass_again_when_broken(void *arg, void *result)
{
    struct race *race = *(struct race **)arg;
    int code = pass(arg, result);
    return code != 0 || race->broken == 0 ? code : pass(arg, result);
}

SCENARIO(barrier_reset_barrier_while_tasks_waiting_and_waiting_again)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 5), .rounds = 1};
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = go(pass_again_when_broken, &race);
    settle();
    EXPECT_CODE(sil_barrier_reset(race.barrier), 0);
    settle();
    EXPECT(race.broken == 4);
    EXPECT(sil_barrier_waiting(race.barrier) == 4);
    EXPECT_CODE(sil_barrier_wait(race.barrier, NULL, SIL_FOREVER), 0);
    for (int i = 0; i < 4; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(race.passed == 4);
    sil_barrier_destroy(race.barrier);
    return 0;
}

SCENARIO(barrier_abort_barrier)
{
    (void)arg, (void)result;
    sil_barrier *barrier = sil_barrier_create(NULL, 1);
    EXPECT_CODE(sil_barrier_abort(barrier), 0);
    EXPECT(sil_barrier_broken(barrier));
    EXPECT_CODE(sil_barrier_wait(barrier, NULL, SIL_FOREVER), SIL_EBROKEN);
    sil_barrier_destroy(barrier);
    return 0;
}

SCENARIO(barrier_abort_barrier_when_tasks_half_draining_half_blocking)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 3), .rounds = 2};
    sil_future *futures[2];
    for (int i = 0; i < 2; i++)
        futures[i] = go(pass, &race);
    settle();
    EXPECT_CODE(sil_barrier_wait(race.barrier, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_barrier_abort(race.barrier), 0); /* before the two have run */
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(race.passed == 2); /* the first round was complete */
    EXPECT(race.broken == 2);
    EXPECT(sil_barrier_broken(race.barrier));
    sil_barrier_destroy(race.barrier);
    return 0;
}

/* One of them fails after the first round and aborts; with a second barrier all reset the first. */
static int fail_or_pass(void *arg, void *result)
{
    (void)result;
    struct race *race = *(struct race **)arg;
    size_t index = MOST;
    int code = sil_barrier_wait(race->barrier, &index, SIL_FOREVER);
    if (code != 0)
        return code;
    if (index == race->aborts_at) {
        code = sil_barrier_abort(race->barrier);
    } else {
        code = sil_barrier_wait(race->barrier, NULL, SIL_FOREVER);
        race->broken += code == SIL_EBROKEN;
        code = code == SIL_EBROKEN ? 0 : code;
    }
    if (code != 0 || !race->meet)
        return code;
    code = sil_barrier_wait(race->meet, &index, SIL_FOREVER);
    if (code == 0 && index == race->aborts_at)
        code = sil_barrier_reset(race->barrier);
    if (code == 0)
        code = sil_barrier_wait(race->meet, NULL, SIL_FOREVER);
    if (code == 0)
        code = sil_barrier_wait(race->barrier, NULL, SIL_FOREVER);
    race->passed += code == 0;
    return code;
}

SCENARIO(barrier_abort_barrier_when_exception)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 5), .aborts_at = 2};
    sil_future *futures[5];
    for (int i = 0; i < 5; i++)
        futures[i] = go(fail_or_pass, &race);
    for (int i = 0; i < 5; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(race.broken == 4);
    EXPECT(sil_barrier_broken(race.barrier));
    sil_barrier_destroy(race.barrier);
    return 0;
}

SCENARIO(barrier_abort_barrier_when_exception_then_resetting)
{
    (void)arg, (void)result;
    struct race race = {.barrier = sil_barrier_create(NULL, 5),
                        .meet = sil_barrier_create(NULL, 5),
                        .aborts_at = 2};
    sil_future *futures[5];
    for (int i = 0; i < 5; i++)
        futures[i] = go(fail_or_pass, &race);
    for (int i = 0; i < 5; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(race.broken == 4);
    EXPECT(race.passed == 5);
    EXPECT(!sil_barrier_broken(race.barrier));
    sil_barrier_destroy(race.barrier);
    sil_barrier_destroy(race.meet);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_barrier_filling_task_by_task),
        TEST(test_barrier_filling_tasks_wait_twice),
        TEST(test_barrier_blocking_tasks_while_draining),
        TEST(test_barrier_filling_tasks_cancel_one),
        TEST(test_barrier_reset_barrier),
        TEST(test_barrier_reset_barrier_while_tasks_waiting),
        TEST(test_barrier_reset_barrier_when_tasks_half_draining),
        TEST(test_barrier_reset_barrier_when_tasks_half_draining_half_blocking),
        TEST(test_barrier_reset_barrier_while_tasks_waiting_and_waiting_again),
        TEST(test_barrier_abort_barrier),
        TEST(test_barrier_abort_barrier_when_tasks_half_draining_half_blocking),
        TEST(test_barrier_abort_barrier_when_exception),
        TEST(test_barrier_abort_barrier_when_exception_then_resetting),
    };
    begin_scenarios();
    return test_run("barrier_coro", tests);
}
