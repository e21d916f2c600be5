/* SPDX-License-Identifier: MIT */
/*
 * Circles of threads and tasks that wait for each other's mutexes, and for each other's end.
 */
#include <sillon/sync.h>

#include <stdio.h>
#include <string.h>

#include "support/tasks.h"
#include "unit/sync/crowd.h"

/* --- threads that run no task ------------------------------------------------------------------ */

enum { MOST = 5 };

struct table {
    sil_mutex *forks[MOST];
    struct latch seated; /* all have their left fork */
    unsigned count;
    atomic_uint deadlocks;
    atomic_uint meals;
};

struct philosopher {
    struct table *table;
    unsigned seat;
    char message[512]; /* of the deadlock it was told of */
};

static int dine(void *arg)
{
    struct philosopher *self = arg;
    struct table *table = self->table;
    sil_mutex *left = table->forks[self->seat];
    sil_mutex *right = table->forks[(self->seat + 1) % table->count];
    int code = sil_mutex_lock(left, SIL_FOREVER);
    if (code != 0)
        return code;
    latch_down(&table->seated);
    latch_wait(&table->seated);
    code = sil_mutex_lock(right, SIL_FOREVER);
    if (code == 0) {
        (void)atomic_fetch_add(&table->meals, 1);
        code = sil_mutex_unlock(right);
    } else if (code == SIL_EDEADLK) {
        (void)atomic_fetch_add(&table->deadlocks, 1);
        (void)snprintf(self->message, sizeof self->message, "%s",
                       sil_error_message(sil_last_error()));
        code = 0;
    }
    return code == 0 ? sil_mutex_unlock(left) : code;
}

static const char *const names[MOST] = {"plato", "kant", "hume", "mill", "sartre"};

static void table_init(struct table *table, unsigned count)
{
    *table = (struct table){.count = count};
    latch_init(&table->seated, count);
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "fork %u", i);
        table->forks[i] = sil_mutex_create(name);
    }
}

static void table_fini(struct table *table)
{
    assert_int_equal(table->deadlocks, 1);
    assert_int_equal(table->meals, table->count - 1);
    for (unsigned i = 0; i < table->count; i++) {
        assert_false(sil_mutex_locked(table->forks[i]));
        sil_mutex_destroy(table->forks[i]);
    }
    latch_fini(&table->seated);
}

static void assert_circle_is_named(const struct philosopher *philosophers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const char *message = philosophers[i].message;
        if (!message[0])
            continue;
        char start[128];
        (void)snprintf(start, sizeof start,
                       "deadlock: '%s' waits for mutex 'fork %u' held by '%s', who waits for",
                       names[i], (i + 1) % count, names[(i + 1) % count]);
        assert_contains(message, start);
        char end[128];
        (void)snprintf(end, sizeof end, "mutex 'fork %u' held by '%s'", i, names[i]);
        assert_contains(message, end);
        assert_string_equal(message + strlen(message) - strlen(end), end);
    }
}

static void test_philosophers_on_threads(void **state)
{
    (void)state;
    for (unsigned count = 2; count <= MOST; count++) {
        struct table table;
        struct member members[MOST] = {0};
        struct philosopher philosophers[MOST] = {0};
        table_init(&table, count);
        for (unsigned i = 0; i < count; i++) {
            philosophers[i] = (struct philosopher){.table = &table, .seat = i};
            members[i].name = names[i];
            crowd_start(&members[i], dine, &philosophers[i]);
        }
        for (unsigned i = 0; i < count; i++)
            assert_code(crowd_join(&members[i]), 0);
        assert_circle_is_named(philosophers, count);
        table_fini(&table);
    }
}

/* --- tasks ----------------------------------------------------------------------------------- */

static int dine_task(void *arg, void *result)
{
    (void)result;
    return dine(*(struct philosopher **)arg);
}

static void dine_in(sil_executor *pool, unsigned count)
{
    struct table table;
    sil_future *futures[MOST];
    struct philosopher philosophers[MOST] = {0};
    table_init(&table, count);
    for (unsigned i = 0; i < count; i++) {
        philosophers[i] = (struct philosopher){.table = &table, .seat = i};
        struct philosopher *arg = &philosophers[i];
        futures[i] = pool ? sil_submit_with(pool, &(sil_submit_options){.name = names[i]},
                                            dine_task, &arg, sizeof arg, 0)
                          : sil_thread_start(&(sil_thread_options){.name = names[i]}, dine_task,
                                             &arg, sizeof arg, 0);
    }
    for (unsigned i = 0; i < count; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    assert_circle_is_named(philosophers, count);
    table_fini(&table);
}

static void test_philosophers_in_a_pool_and_on_threads_of_tasks(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = MOST});
    for (unsigned count = 2; count <= MOST; count++) {
        dine_in(pool, count);
        dine_in(NULL, count);
    }
    assert_code(sil_executor_close(pool), 0);
}

/* --- mutexes and futures ----------------------------------------------------------------------- */

/* One holds the mutex and awaits the other, which locks it. */
struct pair {
    sil_mutex *mutex;
    sil_future *locker;
    struct gate held;
    bool awaiter_first;
};

static int lock_held_one(void *arg, void *result)
{
    (void)result;
    struct pair *pair = *(struct pair **)arg;
    gate_wait(&pair->held);
    int code = sil_mutex_lock(pair->mutex, SIL_FOREVER);
    return code == 0 ? sil_mutex_unlock(pair->mutex) : code;
}

static int hold_and_await(struct pair *pair)
{
    int code = sil_mutex_lock(pair->mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    gate_open(&pair->held);
    code = sil_await(pair->locker, SIL_FOREVER);
    int unlocked = sil_mutex_unlock(pair->mutex);
    return code ? code : unlocked;
}

static int hold_and_await_task(void *arg, void *result)
{
    (void)result;
    return hold_and_await(*(struct pair **)arg);
}

static int hold_and_await_plainly(void *arg)
{
    return hold_and_await(arg);
}

/* Whoever blocked last was told; if that was the awaiter, the locker got the mutex. */
static void assert_one_was_told(int awaiter, const char *awaiter_message, sil_future *locker)
{
    int locked = sil_await(locker, SIL_FOREVER);
    assert_code(awaiter, SIL_EDEADLK); /* it was told, or the future that it awaits */
    assert_true(locked == 0 || locked == SIL_EDEADLK);
    assert_contains(awaiter_message, "'the locker'");
    assert_contains(awaiter_message, "mutex 'm' held by 'the awaiter'");
    sil_future_release(locker);
}

static sil_future *start_locker(struct pair *pair)
{
    *pair = (struct pair){.mutex = sil_mutex_create("m")};
    gate_init(&pair->held);
    struct pair *arg = pair;
    return sil_thread_start(&(sil_thread_options){.name = "the locker"}, lock_held_one, &arg,
                            sizeof arg, 0);
}

static void test_circle_of_a_mutex_and_a_future(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(100); i++) {
        struct pair pair;
        struct pair *arg = &pair;
        pair.locker = NULL;
        sil_future *locker = start_locker(&pair);
        pair.locker = locker;
        sil_future *awaiter = sil_thread_start(&(sil_thread_options){.name = "the awaiter"},
                                               hold_and_await_task, &arg, sizeof arg, 0);
        int code = sil_await(awaiter, SIL_FOREVER);
        assert_one_was_told(code, sil_error_message(sil_future_error(awaiter)), locker);
        sil_future_release(awaiter);
        sil_mutex_destroy(pair.mutex);
        gate_fini(&pair.held);
    }
}

/* The awaiter runs no task: that it holds a mutex makes it part of the circle. */
struct plain_awaiter {
    struct pair pair;
    char message[512];
};

static int hold_and_await_noting(void *arg)
{
    struct plain_awaiter *awaiter = arg;
    int code = hold_and_await_plainly(&awaiter->pair);
    (void)snprintf(awaiter->message, sizeof awaiter->message, "%s",
                   sil_error_message(sil_last_error()));
    return code;
}

static void test_circle_of_a_mutex_a_future_and_a_plain_thread(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(100); i++) {
        struct plain_awaiter awaiter = {.message = ""};
        sil_future *locker = start_locker(&awaiter.pair);
        awaiter.pair.locker = locker;
        struct member member = {.name = "the awaiter"};
        crowd_start(&member, hold_and_await_noting, &awaiter);
        int code = crowd_join(&member);
        assert_one_was_told(code, awaiter.message, locker);
        sil_mutex_destroy(awaiter.pair.mutex);
        gate_fini(&awaiter.pair.held);
    }
}

/* In a pool the one that is awaited may run on top of the one that awaits it: it is told too. */
static int lock_task(void *arg, void *result)
{
    (void)result;
    struct pair *pair = *(struct pair **)arg;
    int code = sil_mutex_lock(pair->mutex, SIL_FOREVER);
    return code == 0 ? sil_mutex_unlock(pair->mutex) : code;
}

struct parent {
    struct pair *pair;
    sil_executor *pool;
};

static int hold_and_submit(void *arg, void *result)
{
    (void)result;
    struct parent *self = arg;
    int code = sil_mutex_lock(self->pair->mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    code = sil_take(sil_submit(self->pool, lock_task, &self->pair, sizeof self->pair, 0), NULL,
                    SIL_FOREVER);
    int unlocked = sil_mutex_unlock(self->pair->mutex);
    return code ? code : unlocked;
}

static void test_circle_of_a_task_and_its_child(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
        struct pair pair = {.mutex = sil_mutex_create("m")};
        struct parent arg = {&pair, pool};
        for (int i = 0; i < 20; i++) {
            sil_future *parent = sil_submit(pool, hold_and_submit, &arg, sizeof arg, 0);
            assert_code(sil_await(parent, SIL_FOREVER), SIL_EDEADLK);
            assert_contains(sil_error_message(sil_future_error(parent)), "mutex 'm'");
            sil_future_release(parent);
        }
        assert_false(sil_mutex_locked(pair.mutex));
        sil_mutex_destroy(pair.mutex);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* --- what is no deadlock ------------------------------------------------------------------------ */

struct hasty {
    sil_mutex *first;
    sil_mutex *second;
    struct latch *both;
    double seconds; /* 0: for ever */
};

static int lock_both(void *arg)
{
    struct hasty *hasty = arg;
    int code = sil_mutex_lock(hasty->first, SIL_FOREVER);
    if (code != 0)
        return code;
    latch_down(hasty->both);
    latch_wait(hasty->both);
    code = sil_mutex_lock(hasty->second, hasty->seconds > 0 ? sil_in(hasty->seconds) : SIL_FOREVER);
    if (code == 0)
        (void)sil_mutex_unlock(hasty->second);
    (void)sil_mutex_unlock(hasty->first);
    return code;
}

static void test_wait_with_a_deadline_is_not_reported(void **state)
{
    (void)state;
    sil_mutex *a = sil_mutex_create("a");
    sil_mutex *b = sil_mutex_create("b");
    struct latch both;
    latch_init(&both, 2);
    struct hasty patient = {a, b, &both, 0}, hasty = {b, a, &both, 0.02};
    struct member members[2] = {0};
    crowd_start(&members[0], lock_both, &patient);
    crowd_start(&members[1], lock_both, &hasty);
    assert_code(crowd_join(&members[0]), 0);
    assert_code(crowd_join(&members[1]), SIL_ETIMEDOUT);
    sil_mutex_destroy(a);
    sil_mutex_destroy(b);
    latch_fini(&both);
}

/* A long line of holders, the last of whom runs. */
struct link {
    sil_mutex *own;
    sil_mutex *next; /* NULL: waits for the gate */
    struct gate *gate;
};

static int hold_and_lock_next(void *arg)
{
    struct link *link = arg;
    int code = sil_mutex_lock(link->own, SIL_FOREVER);
    if (code != 0)
        return code;
    if (!link->next) {
        gate_wait(link->gate);
    } else {
        code = sil_mutex_lock(link->next, SIL_FOREVER);
        if (code == 0)
            code = sil_mutex_unlock(link->next);
    }
    return code == 0 ? sil_mutex_unlock(link->own) : code;
}

static void test_line_of_holders_is_not_reported(void **state)
{
    (void)state;
    enum { LENGTH = 8 };
    struct gate gate;
    gate_init(&gate);
    sil_mutex *mutexes[LENGTH];
    struct link links[LENGTH];
    struct member members[LENGTH] = {0};
    for (int i = 0; i < LENGTH; i++) {
        mutexes[i] = sil_mutex_create("link");
        links[i] = (struct link){mutexes[i], i ? mutexes[i - 1] : NULL, &gate};
        if (i == 0) {
            crowd_start(&members[i], hold_and_lock_next, &links[i]);
            gate_wait_for_arrivals(&gate, 1);
        } else {
            crowd_queue(&members[i], hold_and_lock_next, &links[i]);
        }
    }
    gate_open(&gate);
    for (int i = 0; i < LENGTH; i++)
        assert_code(crowd_join(&members[i]), 0);
    for (int i = 0; i < LENGTH; i++)
        sil_mutex_destroy(mutexes[i]);
    gate_fini(&gate);
}

/* --- those who cannot give up ------------------------------------------------------------------- */

/*
 * One waits in a condition and must have the mutex back; its holder awaits the one's end. The holder is
 * told, whichever of the two blocks last.
 */
struct returning {
    sil_mutex *mutex;
    sil_condition *condition;
    sil_future *waiter;
    struct gate waits;
    int held_code; /* of the wait that is to be told */
};

static int wait_in_condition(void *arg, void *result)
{
    (void)result;
    struct returning *returning = *(struct returning **)arg;
    int code = sil_mutex_lock(returning->mutex, SIL_FOREVER);
    gate_open(&returning->waits);
    if (code == 0)
        code = sil_condition_wait(returning->condition, returning->mutex, SIL_FOREVER);
    return code == 0 ? sil_mutex_unlock(returning->mutex) : code;
}

static int notify_and_await(void *arg, void *result)
{
    (void)result;
    struct returning *returning = *(struct returning **)arg;
    gate_wait(&returning->waits);
    int code = sil_mutex_lock(returning->mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    code = sil_condition_notify(returning->condition, 1);
    if (code == 0)
        returning->held_code = sil_await(returning->waiter, SIL_FOREVER);
    return code == 0 ? sil_mutex_unlock(returning->mutex) : code;
}

static void test_condition_gets_its_mutex_back_from_a_circle(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(100); i++) {
        struct returning returning = {.mutex = sil_mutex_create("m"),
                                      .condition = sil_condition_create("c")};
        struct returning *arg = &returning;
        gate_init(&returning.waits);
        returning.waiter = sil_thread_start(&(sil_thread_options){.name = "waiter"},
                                            wait_in_condition, &arg, sizeof arg, 0);
        sil_future *notifier = sil_thread_start(&(sil_thread_options){.name = "notifier"},
                                                notify_and_await, &arg, sizeof arg, 0);
        assert_code(sil_take(notifier, NULL, SIL_FOREVER), 0);
        assert_code(returning.held_code, SIL_EDEADLK);
        assert_code(sil_take(returning.waiter, NULL, SIL_FOREVER), 0);
        sil_condition_destroy(returning.condition);
        sil_mutex_destroy(returning.mutex);
        gate_fini(&returning.waits);
    }
}

/* A loop holds the mutex that one of its helpers wants: the helper, in line, is told to give up. */
struct loop {
    sil_executor *pool;
    sil_mutex *mutex;
    struct latch both;
    atomic_uint told;
};

static int lock_in_loop(size_t begin, size_t end, void *user)
{
    struct loop *loop = user;
    (void)end;
    latch_down(&loop->both); /* so the two halves run on two threads */
    latch_wait(&loop->both);
    if (begin == 0)
        return 0;
    int code = sil_mutex_lock(loop->mutex, SIL_FOREVER);
    if (code == 0)
        return sil_mutex_unlock(loop->mutex);
    (void)atomic_fetch_add(&loop->told, code == SIL_EDEADLK);
    return 0;
}

static int loop_with_mutex(void *arg, void *result)
{
    (void)result;
    struct loop *loop = *(struct loop **)arg;
    int code = sil_mutex_lock(loop->mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    code = sil_parallel_for(loop->pool, 0, 2, 1, lock_in_loop, loop);
    int unlocked = sil_mutex_unlock(loop->mutex);
    return code ? code : unlocked;
}

static void test_helper_of_a_loop_gives_up(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    for (int i = 0; i < TEST_SCALE(100); i++) {
        struct loop loop = {.pool = pool, .mutex = sil_mutex_create("m")};
        struct loop *arg = &loop;
        latch_init(&loop.both, 2);
        sil_future *future = sil_submit(pool, loop_with_mutex, &arg, sizeof arg, 0);
        assert_code(sil_take(future, NULL, SIL_FOREVER), 0);
        assert_in_range(loop.told, 0, 1); /* the loop's own thread may have had the second half */
        assert_false(sil_mutex_locked(loop.mutex));
        sil_mutex_destroy(loop.mutex);
        latch_fini(&loop.both);
    }
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_philosophers_on_threads),
        TEST(test_philosophers_in_a_pool_and_on_threads_of_tasks),
        TEST(test_circle_of_a_mutex_and_a_future),
        TEST(test_circle_of_a_mutex_a_future_and_a_plain_thread),
        TEST(test_circle_of_a_task_and_its_child),
        TEST(test_wait_with_a_deadline_is_not_reported),
        TEST(test_line_of_holders_is_not_reported),
        TEST(test_condition_gets_its_mutex_back_from_a_circle),
        TEST(test_helper_of_a_loop_gives_up),
    };
    return test_run("mutex_deadlock", tests);
}
