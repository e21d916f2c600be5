/* SPDX-License-Identifier: MIT */
/*
 * Circles of coroutines, and of coroutines and threads, that wait for mutexes and for each other.
 */
#include <string.h>

#include "unit/sync/coroutines.h"

enum { MOST = 5 };

static const char *const names[MOST] = {"plato", "kant", "hume", "mill", "sartre"};

struct table {
    sil_mutex *forks[MOST];
    unsigned count;
    unsigned seated;
    unsigned meals;
    unsigned deadlocks;
    char message[512];
};

struct philosopher {
    struct table *table;
    unsigned seat;
};

static int dine(void *arg, void *result)
{
    (void)result;
    struct philosopher *self = *(struct philosopher **)arg;
    struct table *table = self->table;
    sil_mutex *left = table->forks[self->seat];
    sil_mutex *right = table->forks[(self->seat + 1) % table->count];
    int code = sil_mutex_lock(left, SIL_FOREVER);
    if (code != 0)
        return code;
    (void)sil_yield(); /* all have their left one */
    code = sil_mutex_lock(right, SIL_FOREVER);
    if (code == 0) {
        table->meals++;
        code = sil_mutex_unlock(right);
    } else if (code == SIL_EDEADLK) {
        table->deadlocks++;
        (void)snprintf(table->message, sizeof table->message, "%s",
                       sil_error_message(sil_last_error()));
        code = 0;
    }
    return code == 0 ? sil_mutex_unlock(left) : code;
}

SCENARIO(philosophers_in_a_loop)
{
    (void)arg, (void)result;
    for (unsigned count = 2; count <= MOST; count++) {
        struct table table = {.count = count};
        struct philosopher philosophers[MOST];
        sil_future *futures[MOST];
        for (unsigned i = 0; i < count; i++) {
            char name[16];
            (void)snprintf(name, sizeof name, "fork %u", i);
            table.forks[i] = sil_mutex_create(name);
        }
        for (unsigned i = 0; i < count; i++) {
            philosophers[i] = (struct philosopher){&table, i};
            struct philosopher *self = &philosophers[i];
            futures[i] =
                sil_go_with(&(sil_go_options){.name = names[i]}, dine, &self, sizeof self, 0);
        }
        for (unsigned i = 0; i < count; i++)
            EXPECT_CODE(finish(futures[i]), 0);
        EXPECT(table.deadlocks == 1);
        EXPECT(table.meals == count - 1);
        /* The last to block closes the circle. */
        char start[128];
        (void)snprintf(start, sizeof start,
                       "deadlock: '%s' waits for mutex 'fork 0' held by 'plato', who waits for",
                       names[count - 1]);
        EXPECT(strncmp(table.message, start, strlen(start)) == 0);
        for (unsigned i = 0; i < count; i++)
            EXPECT(strstr(table.message, names[i]));
        for (unsigned i = 0; i < count; i++)
            sil_mutex_destroy(table.forks[i]);
    }
    return 0;
}

/* --- a mutex and a join ------------------------------------------------------------------------ */

static int lock_once(void *arg, void *result)
{
    (void)result;
    sil_mutex *mutex = *(sil_mutex **)arg;
    int code = sil_mutex_lock(mutex, SIL_FOREVER);
    return code == 0 ? sil_mutex_unlock(mutex) : code;
}

/* We hold it and await who wants it: whoever blocks last is told, and the other goes on. */
SCENARIO(holder_awaits_who_wants_it)
{
    (void)arg, (void)result;
    for (int locker_first = 0; locker_first <= 1; locker_first++) {
        sil_mutex *mutex = sil_mutex_create("m");
        EXPECT_CODE(sil_mutex_lock(mutex, SIL_FOREVER), 0);
        sil_future *locker = go(lock_once, mutex);
        if (locker_first)
            settle();
        EXPECT_CODE(sil_await(locker, SIL_FOREVER), SIL_EDEADLK);
        EXPECT(strstr(sil_error_message(sil_last_error()), "mutex 'm' held by"));
        EXPECT_CODE(sil_mutex_unlock(mutex), 0);
        EXPECT_CODE(finish(locker), locker_first ? 0 : SIL_EDEADLK);
        sil_mutex_destroy(mutex);
    }
    return 0;
}

/* A chain of joins between the holder and who wants it. */
struct relay {
    sil_mutex *mutex;
    int depth;
};

static int await_deeper(void *arg, void *result)
{
    (void)result;
    struct relay relay = *(struct relay *)arg;
    if (relay.depth == 0)
        return lock_once(&relay.mutex, NULL);
    relay.depth--;
    return finish(sil_go(await_deeper, &relay, sizeof relay, 0));
}

SCENARIO(holder_awaits_by_others_who_wants_it)
{
    (void)arg, (void)result;
    struct relay relay = {sil_mutex_create("m"), 4};
    EXPECT_CODE(sil_mutex_lock(relay.mutex, SIL_FOREVER), 0);
    EXPECT_CODE(finish(sil_go(await_deeper, &relay, sizeof relay, 0)), SIL_EDEADLK);
    EXPECT_CODE(sil_mutex_unlock(relay.mutex), 0);
    EXPECT_CODE(finish(sil_go(await_deeper, &relay, sizeof relay, 0)), 0);
    sil_mutex_destroy(relay.mutex);
    return 0;
}

/* --- what is no deadlock ------------------------------------------------------------------------ */

/* One of the circle is cancelled, and has not yet run since. */
SCENARIO(cancelled_one_is_not_counted)
{
    (void)arg, (void)result;
    sil_mutex *mutex = sil_mutex_create("m");
    EXPECT_CODE(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    sil_future *locker = go(lock_once, mutex);
    settle();
    (void)sil_future_cancel(locker);
    EXPECT_CODE(sil_await(locker, SIL_FOREVER), SIL_ECANCELLED);
    sil_future_release(locker);
    EXPECT_CODE(sil_mutex_unlock(mutex), 0);
    sil_mutex_destroy(mutex);
    return 0;
}

/* Given the mutex, and not yet run since. */
SCENARIO(one_that_was_given_it_is_not_counted)
{
    (void)arg, (void)result;
    sil_mutex *mutex = sil_mutex_create("m");
    EXPECT_CODE(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    sil_future *one = go(lock_once, mutex);
    sil_future *other = go(lock_once, mutex);
    settle();
    EXPECT_CODE(sil_mutex_unlock(mutex), 0);
    EXPECT_CODE(sil_mutex_lock(mutex, SIL_FOREVER), 0); /* third in line */
    EXPECT_CODE(sil_mutex_unlock(mutex), 0);
    EXPECT_CODE(finish(one), 0);
    EXPECT_CODE(finish(other), 0);
    sil_mutex_destroy(mutex);
    return 0;
}

SCENARIO(wait_with_a_deadline_is_not_reported)
{
    (void)arg, (void)result;
    sil_mutex *mutex = sil_mutex_create("m");
    EXPECT_CODE(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    sil_future *locker = go(lock_once, mutex);
    EXPECT_CODE(sil_await(locker, sil_in(0.005)), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_mutex_unlock(mutex), 0);
    EXPECT_CODE(finish(locker), 0);
    sil_mutex_destroy(mutex);
    return 0;
}

/* --- coroutines and threads -------------------------------------------------------------------- */

struct duel {
    sil_mutex *first;
    sil_mutex *second;
    struct latch both;
};

static int duel_on_thread(void *arg, void *result)
{
    (void)result;
    struct duel *duel = *(struct duel **)arg;
    int code = sil_mutex_lock(duel->second, SIL_FOREVER);
    if (code != 0)
        return code;
    latch_down(&duel->both);
    latch_wait(&duel->both);
    code = sil_mutex_lock(duel->first, SIL_FOREVER);
    if (code == 0)
        (void)sil_mutex_unlock(duel->first);
    (void)sil_mutex_unlock(duel->second);
    return code;
}

SCENARIO(coroutine_against_a_thread)
{
    (void)arg, (void)result;
    for (int i = 0; i < TEST_SCALE(100); i++) {
        struct duel duel = {sil_mutex_create("a"), sil_mutex_create("b"), {0}};
        struct duel *pointer = &duel;
        latch_init(&duel.both, 2);
        EXPECT_CODE(sil_mutex_lock(duel.first, SIL_FOREVER), 0);
        sil_future *thread = sil_thread_start(&(sil_thread_options){.name = "opponent"},
                                              duel_on_thread, &pointer, sizeof pointer, 0);
        latch_down(&duel.both);
        latch_wait(&duel.both);
        int mine = sil_mutex_lock(duel.second, SIL_FOREVER);
        if (mine == 0)
            EXPECT_CODE(sil_mutex_unlock(duel.second), 0);
        else
            EXPECT(strstr(sil_error_message(sil_last_error()), "'opponent'"));
        EXPECT_CODE(sil_mutex_unlock(duel.first), 0);
        int others = finish(thread);
        EXPECT((mine == 0 && others == SIL_EDEADLK) || (mine == SIL_EDEADLK && others == 0));
        latch_fini(&duel.both);
        sil_mutex_destroy(duel.first);
        sil_mutex_destroy(duel.second);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_philosophers_in_a_loop),
        TEST(test_holder_awaits_who_wants_it),
        TEST(test_holder_awaits_by_others_who_wants_it),
        TEST(test_cancelled_one_is_not_counted),
        TEST(test_one_that_was_given_it_is_not_counted),
        TEST(test_wait_with_a_deadline_is_not_reported),
        TEST(test_coroutine_against_a_thread),
    };
    begin_scenarios();
    return test_run("mutex_deadlock_coro", tests);
}
