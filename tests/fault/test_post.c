/* SPDX-License-Identifier: MIT */
/*
 * Posting when memory or threads run out: what was accepted runs, what was refused does not, and
 * nothing leaks.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "every_point.h"

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
}

/* --- jobs that note that they ran ---------------------------------------------------------- */

enum { JOBS = 300 };

static atomic_uint ran[JOBS];

/* The size of a posted argument says where it lies: in the cell, or in a block. */
struct job {
    unsigned number;
    unsigned char filling[96];
};

static int do_job(void *arg, void *result)
{
    (void)result;
    (void)atomic_fetch_add(&ran[*(unsigned *)arg], 1);
    return 0;
}

static void forget_jobs(void)
{
    for (unsigned i = 0; i < JOBS; i++)
        ran[i] = 0;
}

static void post_each(sil_executor *executor, unsigned count, bool *accepted)
{
    static const size_t sizes[] = {sizeof(unsigned), sizeof(struct job), 8, 40};
    struct job job = {0};
    for (unsigned i = 0; i < count; i++) {
        job.number = i;
        int code = sil_post(executor, do_job, &job, sizes[i % COUNT_OF(sizes)]);
        assert_allowed(code);
        accepted[i] = code == 0;
    }
}

/* Each ran exactly if it was accepted. */
static void check_each(const bool *accepted, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(ran[i], accepted[i]);
}

/* The first ones ran, so many as were accepted; all if the code says so. */
static void check_first(int code, unsigned count)
{
    unsigned first = 0;
    while (first < count && ran[first] == 1)
        first++;
    assert_int_equal(first == count, code == 0);
    for (unsigned i = first; i < count; i++)
        assert_int_equal(ran[i], 0);
}

/* --- scenarios ----------------------------------------------------------------------------- */

static void one_by_one_on(sil_executor *executor)
{
    bool accepted[12];
    if (!was_made(executor))
        return;
    forget_jobs();
    post_each(executor, COUNT_OF(accepted), accepted);
    assert_code(sil_executor_close(executor), 0);
    check_each(accepted, COUNT_OF(accepted));
}

static void one_by_one(void)
{
    one_by_one_on(create_pool(2));
}

static void inline_one_by_one(void)
{
    one_by_one_on(sil_inline_executor());
}

static void through_a_bound(void)
{
    for (int policy = SIL_FULL_BLOCK; policy <= SIL_FULL_CALLER; policy += 2)
        one_by_one_on(sil_thread_pool(&(sil_thread_pool_options){
            .workers = 1, .max_pending = 2, .when_full = (sil_when_full)policy}));
}

static void many_of_size(size_t size)
{
    static unsigned char args[JOBS * sizeof(struct job)];
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    forget_jobs();
    for (unsigned i = 0; i < JOBS; i++)
        (void)memcpy(args + i * size, &i, sizeof i);
    int code = sil_post_many(pool, do_job, args, size, JOBS);
    assert_allowed(code);
    assert_code(sil_executor_close(pool), 0);
    check_first(code, JOBS);
}

static void many_small(void)
{
    many_of_size(sizeof(unsigned));
}

static void many_large(void)
{
    many_of_size(sizeof(struct job));
}

/* The queue has to grow, since nobody takes anything out. */
static void behind_a_gate(void)
{
    bool accepted[JOBS];
    sil_executor *pool = create_pool(1);
    if (!was_made(pool))
        return;
    struct gate gate;
    struct gate *arg = &gate;
    gate_init(&gate);
    forget_jobs();
    int code = sil_post(pool, task_gate, &arg, sizeof arg);
    assert_allowed(code);
    if (code == 0)
        gate_wait_for_arrivals(&gate, 1);
    post_each(pool, JOBS, accepted);
    gate_open(&gate);
    assert_code(sil_executor_close(pool), 0);
    check_each(accepted, JOBS);
    gate_fini(&gate);
}

static void dropped(void)
{
    bool accepted[JOBS / 3];
    sil_executor *pool = create_pool(1);
    if (!was_made(pool))
        return;
    forget_jobs();
    post_each(pool, COUNT_OF(accepted), accepted);
    assert_code(sil_executor_shutdown(pool, true, SIL_FOREVER), 0);
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(pool, &stats), 0);
    assert_int_equal(stats.done, stats.submitted);
    assert_int_equal(stats.pending, 0);
    assert_code(sil_executor_close(pool), 0);
    for (unsigned i = 0; i < COUNT_OF(accepted); i++)
        assert_in_range(ran[i], 0, accepted[i]);
}

/* A task that posts others, from the queue of its own worker, and says what became of them. */
struct parent {
    sil_executor *pool;
    bool accepted[JOBS];
    int code;
    struct latch done;
};

static int post_children(void *arg, void *result)
{
    (void)result;
    struct parent *parent = *(struct parent **)arg;
    struct job job = {0};
    for (unsigned i = 0; i < JOBS; i++) {
        job.number = i;
        int code = sil_post(parent->pool, do_job, &job, i % 2 ? sizeof job : sizeof job.number);
        parent->accepted[i] = code == 0;
        if (!is_allowed(code))
            parent->code = code;
    }
    latch_down(&parent->done);
    return 0;
}

static void from_inside(void)
{
    static struct parent parent;
    struct parent *arg = &parent;
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    (void)memset(&parent, 0, sizeof parent);
    parent.pool = pool;
    latch_init(&parent.done, 1);
    forget_jobs();
    int code = sil_post(pool, post_children, &arg, sizeof arg);
    assert_allowed(code);
    if (code == 0)
        latch_wait(&parent.done);
    assert_code(sil_executor_close(pool), 0);
    assert_code(parent.code, 0);
    check_each(parent.accepted, JOBS);
    latch_fini(&parent.done);
}

/* A thread of its own posts, and so wants an intake of its own, and ends. */
struct visitor {
    sil_executor *pool;
    unsigned first;
    unsigned accepted;
    unsigned gave_up; /* how many were refused, since no worker could be started */
    int code;
};

enum { VISITS = 20 };

static void *visit(void *arg)
{
    struct visitor *visitor = arg;
    for (unsigned i = 0; i < VISITS; i++) {
        unsigned number = visitor->first + i;
        int code = sil_post(visitor->pool, do_job, &number, sizeof number);
        visitor->accepted += code == 0;
        visitor->gave_up += code == SIL_EAGAIN;
        if (!is_allowed(code))
            visitor->code = code;
    }
    return NULL;
}

static void from_threads(void)
{
    enum { THREADS = 3 };
    sil_executor *pool = create_pool(2);
    if (!was_made(pool))
        return;
    struct visitor visitors[THREADS];
    pthread_t threads[THREADS];
    unsigned accepted = 0, gave_up = 0, all = 0;
    forget_jobs();
    for (unsigned i = 0; i < THREADS; i++) {
        visitors[i] = (struct visitor){.pool = pool, .first = i * VISITS};
        assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_code(visitors[i].code, 0);
        accepted += visitors[i].accepted;
        gave_up += visitors[i].gave_up;
    }
    assert_code(sil_executor_close(pool), 0);
    for (int i = 0; i < THREADS * VISITS; i++) {
        assert_in_range(ran[i], 0, 1);
        all += ran[i];
    }
    /* Who cannot start a worker gives up for all whose tasks wait for one. */
    if (gave_up == 0)
        assert_int_equal(all, accepted);
}

/* --- on top of a task that waits ----------------------------------------------------------- */

/*
 * When no other worker can be had, a task that waits runs whatever there is, on its own stack.
 * The posted one must not take itself for it.
 */
static struct {
    sil_promise *promise;
    bool cancelled;
    bool allocated;
    bool same_name;
    int error;
    atomic_uint calls;
} on_top;

static int look_on_top(void *arg, void *result)
{
    (void)arg;
    (void)result;
    on_top.cancelled = sil_cancelled();
    on_top.same_name = strcmp(sil_current_name(), "the task below") == 0;
    on_top.error = sil_error_code(sil_last_error());
    on_top.allocated = sil_result_alloc(100) != NULL;
    (void)sil_fail(5, "not the error of the task below");
    (void)atomic_fetch_add(&on_top.calls, 1);
    (void)sil_promise_resolve(on_top.promise, NULL);
    return 5;
}

static int wait_below(void *arg, void *result)
{
    sil_future *value = *(sil_future **)arg;
    *(int *)result = 1;
    gate_wait(((struct gate **)arg)[1]);
    (void)sil_fail(7, "before");
    int code = sil_await(value, SIL_FOREVER);
    return code != 0 ? code : sil_error_code(sil_last_error());
}

static void test_posted_task_on_top_of_one_that_waits(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    struct gate gate;
    gate_init(&gate);
    (void)memset(&on_top, 0, sizeof on_top);
    sil_future *value = promise_int(&on_top.promise);
    void *args[2] = {value, &gate};
    sil_submit_options options = {.name = "the task below"};
    sil_future *below = sil_submit_with(pool, &options, wait_below, args, sizeof args, sizeof(int));
    gate_wait_for_arrivals(&gate, 1);
    assert_code(sil_post(pool, look_on_top, NULL, 0), 0);
    assert_code(sil_future_cancel(below), SIL_EINPROGRESS);
    sil__fault_reset();
    sil__fault_arm(SIL__FAULT_THREAD, 1, true);
    gate_open(&gate);
    int taken = 0;
    assert_code(sil_take(below, &taken, SIL_FOREVER), 7);
    sil__fault_reset();
    assert_int_equal(on_top.calls, 1);
    assert_false(on_top.cancelled);
    assert_false(on_top.same_name);
    assert_false(on_top.allocated);
    assert_code(on_top.error, 0);
    assert_code(sil_executor_close(pool), 0);
    sil_promise_destroy(on_top.promise);
    sil_future_release(value);
    gate_fini(&gate);
}

/* --- the tests ----------------------------------------------------------------------------- */

static void test_one_by_one(void **state)
{
    (void)state;
    survive(one_by_one);
    survive(inline_one_by_one);
}

static void test_through_a_bound(void **state)
{
    (void)state;
    survive(through_a_bound);
}

static void test_many_at_once(void **state)
{
    (void)state;
    survive(many_small);
    survive(many_large);
}

static void test_behind_a_gate(void **state)
{
    (void)state;
    survive(behind_a_gate);
}

static void test_dropped(void **state)
{
    (void)state;
    survive(dropped);
}

static void test_from_inside(void **state)
{
    (void)state;
    survive(from_inside);
}

static void test_from_threads(void **state)
{
    (void)state;
    survive(from_threads);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_one_by_one),   TEST(test_through_a_bound),
        TEST(test_many_at_once), TEST(test_behind_a_gate),
        TEST(test_dropped),      TEST(test_from_inside),
        TEST(test_from_threads), TEST(test_posted_task_on_top_of_one_that_waits),
    };
    return test_run("faults in post", tests);
}
