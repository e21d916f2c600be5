/* SPDX-License-Identifier: MIT */
/*
 * Children that other workers take: that they are taken at all, on whose behalf they act, and what
 * becomes of those who wait for them. Gates force it: a parent that waits on a gate which only its
 * child opens has a child that was taken.
 */
#include <sillon/executor_impl.h>
#include <sillon/sillon.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "support/self.h"
#include "support/slot.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers, .name = "fork"});
}

/* --- taken at all -------------------------------------------------------------------------- */

/* Opens a gate. */
struct opener {
    sil_child child;
    struct gate gate;
    bool here; /* what the join said */
};

static void open_gate(sil_lane lane, void *arg)
{
    (void)lane;
    struct opener *opener = arg;
    gate_open(&opener->gate);
}

static void fork_opener(sil_lane *lane, struct opener *opener)
{
    gate_init(&opener->gate);
    sil_fork(lane, &opener->child, open_gate, opener);
}

static void join_opener(sil_lane *lane, struct opener *opener)
{
    opener->here = sil_join_here(lane, &opener->child);
    if (opener->here)
        open_gate(*lane, opener);
    gate_fini(&opener->gate);
}

enum { OPENERS = 100 };

static void fork_and_wait_each_time(sil_lane lane, void *arg)
{
    struct opener *openers = arg;
    for (int i = 0; i < OPENERS; i++) {
        fork_opener(&lane, &openers[i]);
        gate_wait(&openers[i].gate);
    }
    for (int i = OPENERS; i-- > 0;)
        join_opener(&lane, &openers[i]);
}

static void test_each_child_is_taken_when_its_parent_is_busy(void **state)
{
    (void)state;
    for (unsigned workers = 2; workers <= 4; workers++) {
        sil_executor *pool = create_pool(workers);
        static struct opener openers[OPENERS];
        assert_code(sil_fork_run(pool, fork_and_wait_each_time, openers), 0);
        for (int i = 0; i < OPENERS; i++)
            assert_false(openers[i].here);
        sil_executor_stats stats;
        assert_code(sil_executor_stats_get(pool, &stats), 0);
        assert_true(stats.stolen >= OPENERS);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* The first child is published, the others are not; when it is gone, a join publishes the next. */
static void join_to_feed(sil_lane lane, void *arg)
{
    struct opener *openers = arg;
    for (int i = 0; i < 3; i++)
        fork_opener(&lane, &openers[i]);
    gate_wait(&openers[0].gate);
    join_opener(&lane, &openers[2]);
    gate_wait(&openers[1].gate);
    join_opener(&lane, &openers[1]);
    join_opener(&lane, &openers[0]);
}

static void test_a_join_publishes_when_others_are_hungry(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    for (int i = 0; i < TEST_SCALE(1000); i++) {
        struct opener openers[3];
        assert_code(sil_fork_run(pool, join_to_feed, openers), 0);
        assert_false(openers[0].here);
        assert_false(openers[1].here);
    }
    assert_code(sil_executor_close(pool), 0);
}

/* Children that are long and do not fork: each waits until all have begun. */
enum { LONG = 4 };

struct meeting {
    sil_child children[LONG];
    struct gate gate;
    atomic_uint begun;
};

static void meet(sil_lane lane, void *arg)
{
    (void)lane;
    struct meeting *meeting = arg;
    if (atomic_fetch_add(&meeting->begun, 1) + 1 == LONG)
        gate_open(&meeting->gate);
    gate_wait(&meeting->gate);
}

static void fork_meeting(sil_lane lane, void *arg)
{
    struct meeting *meeting = arg;
    for (int i = 0; i < LONG; i++)
        sil_fork(&lane, &meeting->children[i], meet, meeting);
    for (int i = LONG; i-- > 0;)
        sil_join(&lane, &meeting->children[i]);
}

static void test_there_is_a_child_for_each_idle_worker(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(200); i++) {
        sil_executor *pool = create_pool(LONG);
        struct meeting meeting = {.begun = 0};
        gate_init(&meeting.gate);
        assert_code(sil_fork_run(pool, fork_meeting, &meeting), 0);
        assert_code(sil_executor_close(pool), 0);
        gate_fini(&meeting.gate);
    }
}

struct wanted {
    struct gate *others; /* what keeps the other worker busy */
    bool at_first;
    unsigned until_enough;
    bool when_hungry;
};

static void ask_what_is_wanted(sil_lane lane, void *arg)
{
    struct wanted *wanted = arg;
    static struct opener openers[OPENERS];
    unsigned count = 0;
    wanted->at_first = sil_fork_wanted(&lane);
    while (count < OPENERS && sil_fork_wanted(&lane))
        fork_opener(&lane, &openers[count++]);
    wanted->until_enough = count;
    gate_open(wanted->others);
    gate_wait(&openers[0].gate);
    wanted->when_hungry = sil_fork_wanted(&lane);
    while (count-- > 0)
        join_opener(&lane, &openers[count]);
}

static void test_forks_are_wanted_until_there_are_enough(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct gate others;
    gate_init(&others);
    sil_future *busy = submit_gate(pool, &others);
    gate_wait_for_arrivals(&others, 1);
    struct wanted wanted = {.others = &others};
    assert_code(sil_fork_run(pool, ask_what_is_wanted, &wanted), 0);
    assert_true(wanted.at_first);
    assert_int_equal(wanted.until_enough, 9); /* one published, eight private */
    assert_true(wanted.when_hungry);
    assert_code(sil_take(busy, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&others);
}

/* --- on whose behalf ----------------------------------------------------------------------- */

struct ambient {
    sil_child child;
    sil_executor *pool;
    struct gate began;
    struct gate asked;
    pthread_t parent_thread;
    bool cancelled_before, cancelled_after, inside, other_thread;
    char name[16];
    int error_before, error_of_parent;
};

static void look_around(sil_lane lane, void *arg)
{
    (void)lane;
    struct ambient *ambient = arg;
    ambient->other_thread = !pthread_equal(ambient->parent_thread, pthread_self());
    ambient->error_before = sil_error_code(sil_last_error());
    ambient->cancelled_before = sil_cancelled();
    ambient->inside = sil_executor_inside(ambient->pool);
    (void)strncpy(ambient->name, sil_current_name(), sizeof ambient->name - 1);
    sil_progress(3, 4);
    (void)sil_fail(ERANGE, "of the child");
    gate_open(&ambient->began);
    gate_wait(&ambient->asked);
    ambient->cancelled_after = sil_cancelled();
}

static void let_look_around(sil_lane lane, void *arg)
{
    struct ambient *ambient = arg;
    ambient->parent_thread = pthread_self();
    (void)sil_fail(EDOM, "of the parent");
    sil_fork(&lane, &ambient->child, look_around, ambient);
    gate_wait(&ambient->began);
    sil_join(&lane, &ambient->child);
    ambient->error_of_parent = sil_error_code(sil_last_error());
}

static int fork_let_look_around(void *arg, void *result)
{
    (void)result;
    struct ambient *ambient = *(struct ambient **)arg;
    return sil_fork_run(ambient->pool, let_look_around, ambient);
}

static void test_a_stolen_child_acts_on_its_parents_task(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct ambient ambient = {.pool = pool}, *arg = &ambient;
    gate_init(&ambient.began);
    gate_init(&ambient.asked);
    sil_future *future = sil_submit_with(pool, &(sil_submit_options){.name = "parent"},
                                         fork_let_look_around, (void *)&arg, sizeof(void *), 0);
    gate_wait(&ambient.began);
    assert_code(sil_future_cancel(future), SIL_EINPROGRESS);
    gate_open(&ambient.asked);
    assert_code(sil_await(future, SIL_FOREVER), 0);
    assert_true(ambient.other_thread);
    assert_false(ambient.cancelled_before);
    assert_true(ambient.cancelled_after);
    assert_true(ambient.inside);
    assert_string_equal(ambient.name, "parent");
    assert_int_equal(ambient.error_before, 0);
    assert_int_equal(ambient.error_of_parent, EDOM);
    uint64_t done = 0, total = 0;
    sil_future_progress(future, &done, &total);
    assert_int_equal(done, 3);
    assert_int_equal(total, 4);
    sil_future_release(future);
    gate_fini(&ambient.began);
    gate_fini(&ambient.asked);
    assert_code(sil_executor_close(pool), 0);
}

/* --- waiting ------------------------------------------------------------------------------- */

struct waiting {
    sil_child child;
    sil_executor *pool;
    struct gate began;
    struct gate go_on;
    int code;
};

static void wait_at_gate(sil_lane lane, void *arg)
{
    (void)lane;
    struct waiting *waiting = arg;
    gate_open(&waiting->began);
    gate_wait(&waiting->go_on);
}

static void join_what_waits(sil_lane lane, void *arg)
{
    struct waiting *waiting = arg;
    sil_fork(&lane, &waiting->child, wait_at_gate, waiting);
    gate_wait(&waiting->began);
    sil_join(&lane, &waiting->child);
}

static void *run_join_what_waits(void *arg)
{
    struct waiting *waiting = arg;
    waiting->code = sil_fork_run(waiting->pool, join_what_waits, waiting);
    return NULL;
}

static void test_another_worker_takes_the_place_of_one_that_joins(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct waiting waiting = {.pool = pool, .code = -1};
    gate_init(&waiting.began);
    gate_init(&waiting.go_on);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_join_what_waits, &waiting), 0);
    gate_wait(&waiting.began);
    sil_executor_stats stats;
    eventually(sil_executor_stats_get(pool, &stats) == 0 && stats.blocked == 1);
    assert_int_equal(stats.running, 2);
    assert_code(sil_take(submit_nothing(pool), NULL, SIL_FOREVER), 0);
    gate_open(&waiting.go_on);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_code(waiting.code, 0);
    gate_fini(&waiting.began);
    gate_fini(&waiting.go_on);
    assert_code(sil_executor_close(pool), 0);
}

/* A tree in which each node awaits a task, so that workers block all over it. */
struct node {
    sil_child child;
    sil_executor *pool;
    int depth;
    unsigned leaves;
};

static void await_in_tree(sil_lane lane, void *arg)
{
    struct node *node = arg;
    int value = 0;
    int code = sil_take(submit_int(node->pool, task_int, 1), &value, SIL_FOREVER);
    node->leaves = node->depth == 0;
    if (code != 0 || value != 1 || node->depth == 0)
        return;
    struct node below[3];
    for (int i = 0; i < 3; i++) {
        below[i] = (struct node){.pool = node->pool, .depth = node->depth - 1};
        sil_fork(&lane, &below[i].child, await_in_tree, &below[i]);
    }
    (void)sil_take(submit_nothing(node->pool), NULL, SIL_FOREVER);
    for (int i = 3; i-- > 0;) {
        sil_join(&lane, &below[i].child);
        node->leaves += below[i].leaves;
    }
}

static void test_children_await_while_others_are_stolen(void **state)
{
    (void)state;
    const int depth = TEST_SLOWNESS > 1 ? 5 : 7;
    unsigned leaves = 1;
    for (int i = 0; i < depth; i++)
        leaves *= 3;
    for (unsigned workers = 1; workers <= 4; workers++) {
        sil_executor *pool = create_pool(workers);
        struct node root = {.pool = pool, .depth = depth};
        assert_code(sil_fork_run(pool, await_in_tree, &root), 0);
        assert_int_equal(root.leaves, leaves);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* --- who waits for sil_fork_run ------------------------------------------------------------ */

static void *run_in_turn(void *arg)
{
    struct waiting *waiting = arg;
    waiting->code = sil_fork_run(waiting->pool, wait_at_gate, waiting);
    return NULL;
}

static void test_is_cancelled_when_it_has_not_begun(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct gate gate;
    gate_init(&gate);
    sil_future *busy = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 1);
    struct waiting waiting = {.pool = pool};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_in_turn, &waiting), 0);
    sil_executor_stats stats;
    eventually(sil_executor_stats_get(pool, &stats) == 0 && stats.pending == 1);
    assert_code(sil_executor_shutdown(pool, true, SIL_NOW), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_code(waiting.code, SIL_ECANCELLED);
    gate_open(&gate);
    assert_code(sil_take(busy, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

/* A task that runs a function elsewhere, which awaits the task. */
struct cycle {
    sil_executor *other;
    struct gate ready;
    sil_future *task;
    int await_code;
};

static void await_the_caller(sil_lane lane, void *arg)
{
    (void)lane;
    struct cycle *cycle = arg;
    cycle->await_code = sil_await(cycle->task, SIL_FOREVER);
}

static int run_what_awaits_us(void *arg, void *result)
{
    (void)result;
    struct cycle *cycle = *(struct cycle **)arg;
    gate_wait(&cycle->ready);
    return sil_fork_run(cycle->other, await_the_caller, cycle);
}

static void test_a_cycle_ends_where_it_can(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct cycle cycle = {.other = create_pool(1)}, *arg = &cycle;
    gate_init(&cycle.ready);
    cycle.task = sil_submit(pool, run_what_awaits_us, (void *)&arg, sizeof(void *), 0);
    gate_open(&cycle.ready);
    assert_code(sil_await(cycle.task, SIL_FOREVER), 0);
    assert_code(cycle.await_code, SIL_EDEADLK);
    sil_future_release(cycle.task);
    assert_code(sil_executor_close(pool), 0);
    assert_code(sil_executor_close(cycle.other), 0);
    gate_fini(&cycle.ready);
}

/* --- afterwards ---------------------------------------------------------------------------- */

static void let_a_second_pass(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec when = {.it_value = {.tv_sec = 1}};
    assert_int_equal(timerfd_settime(timer, 0, &when, NULL), 0);
    struct pollfd ready = {.fd = timer, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, -1), 1);
    (void)close(timer);
}

static void test_afterwards_all_sleep(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    static struct opener openers[OPENERS];
    assert_code(sil_fork_run(pool, fork_and_wait_each_time, openers), 0);
    sil_executor_stats stats;
    eventually(sil_executor_stats_get(pool, &stats) == 0 && stats.sleeping == stats.threads);
    let_a_second_pass();
    uint64_t switches = self_voluntary_switches("fork-");
    double cpu = self_cpu_seconds();
    let_a_second_pass();
    assert_int_equal(self_voluntary_switches("fork-") - switches, 0);
    assert_true(self_cpu_seconds() - cpu < 0.05);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_each_child_is_taken_when_its_parent_is_busy),
        TEST(test_a_join_publishes_when_others_are_hungry),
        TEST(test_there_is_a_child_for_each_idle_worker),
        TEST(test_forks_are_wanted_until_there_are_enough),
        TEST(test_a_stolen_child_acts_on_its_parents_task),
        TEST(test_another_worker_takes_the_place_of_one_that_joins),
        TEST(test_children_await_while_others_are_stolen),
        TEST(test_is_cancelled_when_it_has_not_begun),
        TEST(test_a_cycle_ends_where_it_can),
        TEST(test_afterwards_all_sleep),
    };
    return test_run("fork, stolen", tests);
}
