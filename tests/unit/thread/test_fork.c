/* SPDX-License-Identifier: MIT */
/*
 * Fork-join gives what plain calls would: whatever the form, the number of workers, the executor
 * and the place it is called from. What becomes of stolen children is in test_fork_steal.c.
 */
#include <sillon/sillon.h>

#include <stdlib.h>

#include "support/child.h"
#include "support/tasks.h"
#include "support/test.h"

static const unsigned worker_counts[] = {1, 2, 4, 8};

static sil_executor *create_pool(unsigned workers)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
}

/* --- fibonacci, in all forms --------------------------------------------------------------- */

struct fib {
    sil_child child;
    int n;
    long result;
};

static void fib_by_pointer(sil_lane lane, void *arg)
{
    struct fib *f = arg;
    if (f->n < 2) {
        f->result = f->n;
        return;
    }
    struct fib a = {.n = f->n - 1};
    struct fib b = {.n = f->n - 2};
    sil_fork(&lane, &a.child, fib_by_pointer, &a);
    fib_by_pointer(lane, &b);
    sil_join(&lane, &a.child);
    f->result = a.result + b.result;
}

static void fib_inline_child(sil_lane lane, void *arg);

static long fib_inline(sil_lane lane, int n)
{
    if (n < 2)
        return n;
    long b;
    {
        struct fib task = {.n = n - 1};
        sil_fork(&lane, &task.child, fib_inline_child, &task);
        b = fib_inline(lane, n - 2);
        if (!sil_join_here(&lane, &task.child))
            return task.result + b;
    }
    return fib_inline(lane, n - 1) + b;
}

static void fib_inline_child(sil_lane lane, void *arg)
{
    struct fib *f = arg;
    f->result = fib_inline(lane, f->n);
}

static void fib_elided_child(sil_lane lane, void *arg);

static long fib_elided(sil_lane lane, int n)
{
    if (n < 2)
        return n;
    if (!sil_fork_wanted(&lane))
        return fib_elided(lane, n - 1) + fib_elided(lane, n - 2);
    struct fib task = {.n = n - 1};
    sil_fork(&lane, &task.child, fib_elided_child, &task);
    long b = fib_elided(lane, n - 2);
    return (sil_join_here(&lane, &task.child) ? fib_elided(lane, n - 1) : task.result) + b;
}

static void fib_elided_child(sil_lane lane, void *arg)
{
    struct fib *f = arg;
    f->result = fib_elided(lane, f->n);
}

static const sil_fork_fn fib_forms[] = {fib_by_pointer, fib_inline_child, fib_elided_child};

static long fib(int n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static void see_fibs(sil_executor *executor, int highest)
{
    for (size_t form = 0; form < COUNT_OF(fib_forms); form++)
        for (int n = 0; n <= highest; n++) {
            struct fib f = {.n = n};
            assert_code(sil_fork_run(executor, fib_forms[form], &f), 0);
            assert_int_equal(f.result, fib(n));
        }
}

static void test_fib_is_right_in_all_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(worker_counts); i++) {
        sil_executor *pool = create_pool(worker_counts[i]);
        see_fibs(pool, TEST_SLOWNESS > 1 ? 21 : 27);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* --- queens: many children, joined in turn ------------------------------------------------- */

struct queens {
    sil_child child;
    unsigned all, columns, left, right;
    long solutions;
};

static void queens(sil_lane lane, void *arg)
{
    struct queens *q = arg;
    struct queens children[16];
    size_t count = 0;
    q->solutions = q->columns == q->all;
    unsigned places = q->all & ~(q->columns | q->left | q->right);
    for (; places; places &= places - 1) {
        unsigned place = places & -places;
        struct queens *next = &children[count++];
        *next = (struct queens){.all = q->all,
                                .columns = q->columns | place,
                                .left = (q->left | place) << 1,
                                .right = (q->right | place) >> 1};
        sil_fork(&lane, &next->child, queens, next);
    }
    while (count-- > 0) {
        sil_join(&lane, &children[count].child);
        q->solutions += children[count].solutions;
    }
}

static void test_queens_are_right(void **state)
{
    (void)state;
    static const long solutions[] = {1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724};
    for (size_t i = 0; i < COUNT_OF(worker_counts); i++) {
        sil_executor *pool = create_pool(worker_counts[i]);
        for (size_t n = 1; n < COUNT_OF(solutions) - (TEST_SLOWNESS > 1); n++) {
            struct queens q = {.all = (1u << n) - 1};
            assert_code(sil_fork_run(pool, queens, &q), 0);
            assert_int_equal(q.solutions, solutions[n]);
        }
        assert_code(sil_executor_close(pool), 0);
    }
}

/* --- more children than a lane has room for ------------------------------------------------ */

struct item {
    sil_child child;
    unsigned runs;
    unsigned forks; /* children of its own, one after the other */
};

static void run_item(sil_lane lane, void *arg)
{
    struct item *item = arg;
    item->runs++;
    for (unsigned i = 0; i < item->forks; i++) {
        struct item below = {.forks = item->forks / 2};
        sil_fork(&lane, &below.child, run_item, &below);
        sil_join(&lane, &below.child);
        item->runs += below.runs - 1;
    }
}

struct flat {
    struct item *items;
    size_t count;
};

static void run_flat(sil_lane lane, void *arg)
{
    const struct flat *flat = arg;
    for (size_t i = 0; i < flat->count; i++)
        sil_fork(&lane, &flat->items[i].child, run_item, &flat->items[i]);
    for (size_t i = flat->count; i-- > 0;)
        sil_join(&lane, &flat->items[i].child);
}

static void see_flat(sil_executor *executor, size_t count, unsigned forks)
{
    struct flat flat = {calloc(count, sizeof(struct item)), count};
    assert_non_null(flat.items);
    for (size_t i = 0; i < count; i++)
        flat.items[i].forks = forks;
    assert_code(sil_fork_run(executor, run_flat, &flat), 0);
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += flat.items[i].runs != 1;
    free(flat.items);
    assert_int_equal(wrong, 0);
}

static void test_flat_loops_run_each_child_once(void **state)
{
    (void)state;
    static const size_t counts[] = {1,     2,     3,     10,    1000,  65502, 65503,
                                    65504, 65505, 65506, 65536, 70000, 200000};
    for (size_t i = 0; i < COUNT_OF(worker_counts); i++) {
        sil_executor *pool = create_pool(worker_counts[i]);
        for (size_t c = 0; c < COUNT_OF(counts); c++)
            see_flat(pool, counts[c], 0);
        assert_code(sil_executor_close(pool), 0);
    }
}

static void test_children_fork_when_the_lane_is_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(worker_counts); i++) {
        sil_executor *pool = create_pool(worker_counts[i]);
        see_flat(pool, 66000, 3);
        see_fibs(pool, 12);
        assert_code(sil_executor_close(pool), 0);
    }
}

/* --- regions within regions ---------------------------------------------------------------- */

struct nest {
    sil_child child;
    sil_executor *executor; /* where what is within runs */
    int depth;
    int code;
    atomic_uint *leaves;
};

/* One level deeper; not a copy, since the child in it is not ours to read. */
static struct nest below(const struct nest *nest)
{
    return (struct nest){
        .executor = nest->executor, .depth = nest->depth - 1, .leaves = nest->leaves};
}

/* Two children. */
static void nest_two(sil_lane lane, sil_fork_fn fn, const struct nest *nest)
{
    struct nest children[2];
    for (int i = 0; i < 2; i++) {
        children[i] = below(nest);
        sil_fork(&lane, &children[i].child, fn, &children[i]);
    }
    for (int i = 2; i-- > 0;)
        sil_join(&lane, &children[i].child);
}

static int leaf_range(size_t begin, size_t end, void *user)
{
    atomic_uint *leaves = user;
    (void)atomic_fetch_add(leaves, (unsigned)(end - begin));
    return 0;
}

static void nest_loops(sil_lane lane, void *arg)
{
    struct nest *nest = arg;
    nest->code = sil_parallel_for(nest->executor, 0, 16, 1, leaf_range, nest->leaves);
    if (nest->depth > 0)
        nest_two(lane, nest_loops, nest);
}

static void nest_runs(sil_lane lane, void *arg)
{
    struct nest *nest = arg;
    (void)atomic_fetch_add(nest->leaves, 1);
    if (nest->depth == 0)
        return;
    nest_two(lane, nest_runs, nest);
    struct nest within = below(nest);
    nest->code = sil_fork_run(nest->executor, nest_runs, &within);
}

static void nest_tasks(sil_lane lane, void *arg);

static int nest_task(void *arg, void *result)
{
    (void)result;
    struct nest *nest = arg;
    int code = sil_fork_run(nest->executor, nest_tasks, nest);
    return code != 0 ? code : nest->code;
}

static void nest_tasks(sil_lane lane, void *arg)
{
    struct nest *nest = arg;
    (void)atomic_fetch_add(nest->leaves, 1);
    if (nest->depth == 0)
        return;
    nest_two(lane, nest_tasks, nest);
    struct nest within = below(nest);
    sil_future *future = sil_submit(nest->executor, nest_task, &within, sizeof within, 0);
    nest->code = sil_take(future, NULL, SIL_FOREVER);
}

/* From outside, and from a worker. executor: where it begins; within: where what is within runs. */
static void see_nest(sil_executor *executor, sil_executor *within, sil_fork_fn fn, int depth,
                     unsigned leaves)
{
    atomic_uint counted = 0;
    struct nest nest = {.executor = within, .depth = depth, .leaves = &counted};
    assert_code(sil_fork_run(executor, fn, &nest), 0);
    assert_code(nest.code, 0);
    assert_int_equal(counted, leaves);
}

static void test_regions_nest(void **state)
{
    (void)state;
    const int depth = TEST_SLOWNESS > 1 ? 4 : 6;
    unsigned threes = 1;
    for (int i = 0; i < depth; i++)
        threes = 3 * threes + 1;
    sil_executor *other = create_pool(2);
    for (size_t i = 0; i < COUNT_OF(worker_counts); i++) {
        sil_executor *pool = create_pool(worker_counts[i]);
        see_nest(pool, pool, nest_loops, depth, 16 * ((2u << depth) - 1));
        see_nest(pool, pool, nest_runs, depth, threes);
        see_nest(pool, pool, nest_tasks, depth, threes);
        see_nest(pool, other, nest_runs, depth, threes);
        see_nest(pool, other, nest_tasks, depth, threes);
        assert_code(sil_executor_close(pool), 0);
    }
    assert_code(sil_executor_close(other), 0);
}

/* --- where it can be called ---------------------------------------------------------------- */

static int fork_in_task(void *arg, void *result)
{
    struct fib f = {.n = 18};
    int code = sil_fork_run(*(sil_executor **)arg, fib_by_pointer, &f);
    *(long *)result = f.result;
    return code;
}

/* In a task of one executor, on another or the same. */
static void see_in_task(sil_executor *outer, sil_executor *inner)
{
    long result = 0;
    sil_future *future =
        sil_submit(outer, fork_in_task, (void *)&inner, sizeof(void *), sizeof(long));
    assert_code(sil_take(future, &result, SIL_FOREVER), 0);
    assert_int_equal(result, fib(18));
}

static void test_runs_from_tasks_of_any_executor(void **state)
{
    (void)state;
    sil_executor *executors[] = {create_pool(1), create_pool(2), sil_inline_executor()};
    for (size_t i = 0; i < COUNT_OF(executors); i++)
        for (size_t j = 0; j < COUNT_OF(executors); j++)
            see_in_task(executors[i], executors[j]);
    for (size_t i = 0; i < COUNT_OF(executors); i++)
        assert_code(sil_executor_close(executors[i]), 0);
}

static void ask_whether_wanted(sil_lane lane, void *arg)
{
    *(bool *)arg = sil_fork_wanted(&lane);
}

static void test_inline_executor_runs_where_it_stands(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    bool wanted = true;
    assert_code(sil_fork_run(executor, ask_whether_wanted, &wanted), 0);
    assert_false(wanted);
    see_fibs(executor, 15);
    see_flat(executor, 70000, 1);
    assert_code(sil_executor_close(executor), 0);
}

static void fork_from_callback(sil_future *future, void *user)
{
    (void)future;
    struct fib *f = user;
    sil_executor *pool = create_pool(2);
    if (sil_fork_run(pool, fib_by_pointer, f) != 0 || sil_executor_close(pool) != 0)
        f->result = -1;
}

static void test_runs_from_a_callback(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct fib f = {.n = 15};
    sil_future *future = submit_nothing(pool);
    assert_code(sil_future_add_done_callback(future, fork_from_callback, &f), 0);
    sil_future_release(future);
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(f.result, fib(15));
}

static void test_a_closing_pool_ends_its_regions(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers++) {
        sil_executor *pool = create_pool(workers);
        sil_future *futures[4];
        for (size_t i = 0; i < COUNT_OF(futures); i++)
            futures[i] =
                sil_submit(pool, fork_in_task, (void *)&pool, sizeof(void *), sizeof(long));
        assert_code(sil_executor_close(pool), 0);
        for (size_t i = 0; i < COUNT_OF(futures); i++) {
            long result = 0;
            assert_code(sil_take(futures[i], &result, SIL_NOW), 0);
            assert_int_equal(result, fib(18));
        }
    }
}

/* --- what it refuses ----------------------------------------------------------------------- */

static void test_refuses_bad_arguments(void **state)
{
    (void)state;
    struct fib f = {.n = 5};
    sil_executor *pool = create_pool(1);
    assert_code(sil_fork_run(NULL, fib_by_pointer, &f), SIL_EINVAL);
    assert_code(sil_fork_run(pool, NULL, &f), SIL_EINVAL);
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_executor_close(pool), 0);
    assert_code(sil_fork_run(pool, fib_by_pointer, &f), SIL_ESHUTDOWN);
    assert_int_equal(f.result, 0);
}

static int break_down(void *arg)
{
    (void)arg;
    return 77;
}

static void test_says_why_it_could_not_run(void **state)
{
    (void)state;
    struct fib f = {.n = 5};
    sil_executor *pool =
        sil_thread_pool(&(sil_thread_pool_options){.workers = 1, .initializer = break_down});
    assert_code(sil_fork_run(pool, fib_by_pointer, &f), SIL_EBROKEN);
    assert_code(sil_executor_close(pool), 0);

    pool = sil_thread_pool(
        &(sil_thread_pool_options){.workers = 1, .max_pending = 1, .when_full = SIL_FULL_FAIL});
    struct gate gate;
    gate_init(&gate);
    sil_future *busy = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 1);
    sil_future *waiting = submit_nothing(pool);
    assert_code(sil_fork_run(pool, fib_by_pointer, &f), SIL_EFULL);
    gate_open(&gate);
    assert_code(sil_take(busy, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(waiting, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
    assert_int_equal(f.result, 0);
}

static int fork_with_parents_pool(void *arg)
{
    struct fib f = {.n = 15};
    CHECK(sil_fork_run(arg, fib_by_pointer, &f) == SIL_EFORKED);
#ifndef TEST_TSAN /* which knows no threads in the child of a program with threads */
    sil_executor *pool = create_pool(2);
    CHECK(sil_fork_run(pool, fib_by_pointer, &f) == 0);
    CHECK(f.result == 610);
    CHECK(sil_executor_close(pool) == 0);
#endif
    return 0;
}

static void test_a_forked_child_needs_a_pool_of_its_own(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    see_fibs(pool, 10);
    assert_int_equal(child_run(fork_with_parents_pool, pool), 0);
    see_fibs(pool, 10);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_fib_is_right_in_all_forms),
        TEST(test_queens_are_right),
        TEST(test_flat_loops_run_each_child_once),
        TEST(test_children_fork_when_the_lane_is_full),
        TEST(test_regions_nest),
        TEST(test_runs_from_tasks_of_any_executor),
        TEST(test_inline_executor_runs_where_it_stands),
        TEST(test_runs_from_a_callback),
        TEST(test_a_closing_pool_ends_its_regions),
        TEST(test_refuses_bad_arguments),
        TEST(test_says_why_it_could_not_run),
        TEST(test_a_forked_child_needs_a_pool_of_its_own),
    };
    return test_run("fork", tests);
}
