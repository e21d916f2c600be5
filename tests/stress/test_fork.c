/* SPDX-License-Identifier: MIT */
/*
 * Random trees of forks: children by the dozen or none, forms and yields by chance, waits for
 * tasks and regions within; from several threads, over two pools. Each tree is counted twice: as
 * it runs, and by plain recursion.
 */
#include <sillon/sillon.h>

#include <pthread.h>

#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { MOST_WORKERS = 8, DRIVERS = 3, TREES = TEST_SCALE(300), MOST_CHILDREN = 12 };

static sil_executor *pools[2];

struct tree {
    sil_child child;
    uint64_t seed;
    int depth;
    unsigned nodes;
};

/* What a node does is drawn from its seed alone. */
struct plan {
    struct random random;
    size_t children;
    size_t what;
};

static struct plan plan_of(uint64_t seed, int depth)
{
    struct plan plan = {.random = {seed}};
    plan.children = depth > 0 ? random_below(&plan.random, MOST_CHILDREN + 1) : 0;
    /* Long chains too. */
    if (depth > 0 && random_below(&plan.random, 3) > 0)
        plan.children = 1 + random_below(&plan.random, 2);
    plan.what = random_below(&plan.random, 64);
    return plan;
}

static unsigned count(uint64_t seed, int depth)
{
    struct plan plan = plan_of(seed, depth);
    unsigned nodes = 1;
    for (size_t i = 0; i < plan.children; i++)
        nodes += count(random_next(&plan.random), depth - 1);
    return nodes;
}

static void grow(sil_lane lane, void *arg);

static int grow_task(void *arg, void *result)
{
    (void)result;
    struct tree *tree = *(struct tree **)arg;
    return sil_fork_run(pools[tree->seed & 1], grow, tree);
}

/* A subtree in another region: here, in another pool, or in a task that is awaited. */
static void grow_within(struct tree *tree, size_t what)
{
    struct tree *arg = tree;
    int code;
    if (what % 2 == 0)
        code = sil_fork_run(pools[tree->seed & 1], grow, tree);
    else
        code = sil_take(
            sil_submit(pools[tree->seed >> 1 & 1], grow_task, (void *)&arg, sizeof(void *), 0),
            NULL, SIL_FOREVER);
    if (code != 0)
        tree->nodes = 0;
}

static void grow(sil_lane lane, void *arg)
{
    struct tree *tree = arg;
    struct plan plan = plan_of(tree->seed, tree->depth);
    struct tree below[MOST_CHILDREN];
    random_yield_here();
    tree->nodes = 1;
    for (size_t i = 0; i < plan.children; i++) {
        below[i] = (struct tree){.seed = random_next(&plan.random), .depth = tree->depth - 1};
        sil_fork(&lane, &below[i].child, grow, &below[i]);
    }
    if (plan.what == 0)
        (void)sil_take(submit_nothing(pools[tree->seed & 1]), NULL, SIL_FOREVER);
    for (size_t i = plan.children; i-- > 0;) {
        if (!sil_join_here(&lane, &below[i].child)) {
            tree->nodes += below[i].nodes;
            continue;
        }
        if (plan.what < 4 && i == 0)
            grow_within(&below[i], plan.what);
        else
            grow(lane, &below[i]);
        tree->nodes += below[i].nodes;
    }
}

struct driver {
    struct random random;
    unsigned wrong;
};

static void *drive(void *arg)
{
    struct driver *driver = arg;
    for (int i = 0; i < TREES; i++) {
        struct tree tree = {.seed = random_next(&driver->random),
                            .depth = (int)random_below(&driver->random, 9)};
        int code = sil_fork_run(pools[random_below(&driver->random, 2)], grow, &tree);
        driver->wrong += code != 0 || tree.nodes != count(tree.seed, tree.depth);
    }
    return NULL;
}

static void test_random_trees(void **state)
{
    (void)state;
    for (unsigned workers = 2; workers <= MOST_WORKERS; workers *= 2) {
        for (unsigned i = 0; i < 2; i++)
            pools[i] = sil_thread_pool(&(sil_thread_pool_options){.workers = workers - i});
        struct driver drivers[DRIVERS];
        pthread_t threads[DRIVERS];
        for (unsigned i = 0; i < DRIVERS; i++) {
            drivers[i] = (struct driver){.random = {workers * 100 + i}};
            assert_int_equal(pthread_create(&threads[i], NULL, drive, &drivers[i]), 0);
        }
        unsigned wrong = 0;
        for (unsigned i = 0; i < DRIVERS; i++) {
            (void)pthread_join(threads[i], NULL);
            wrong += drivers[i].wrong;
        }
        for (unsigned i = 0; i < 2; i++)
            assert_code(sil_executor_close(pools[i]), 0);
        assert_int_equal(wrong, 0);
    }
}

/* --- one child at a time, again and again -------------------------------------------------- */

enum { ROUNDS = TEST_SCALE(200000) };

static void add_one(sil_lane lane, void *arg)
{
    (void)lane;
    (*(unsigned *)arg)++;
}

/* Each child is published at once, and whether it is stolen or taken back is a race. */
static void fork_one_by_one(sil_lane lane, void *arg)
{
    unsigned *sum = arg;
    struct random random = {1};
    for (int i = 0; i < ROUNDS; i++) {
        sil_child children[3];
        unsigned added[3] = {0, 0, 0};
        size_t forks = 1 + random_below(&random, 3);
        for (size_t j = 0; j < forks; j++)
            sil_fork(&lane, &children[j], add_one, &added[j]);
        if (random_below(&random, 64) == 0)
            random_yield(&random);
        for (size_t j = forks; j-- > 0;)
            sil_join(&lane, &children[j]);
        *sum += added[0] == 1 && added[1] == (forks > 1) && added[2] == (forks > 2);
    }
}

static void test_taken_back_or_stolen(void **state)
{
    (void)state;
    for (unsigned workers = 2; workers <= MOST_WORKERS; workers *= 2) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
        unsigned sum = 0;
        assert_code(sil_fork_run(pool, fork_one_by_one, &sum), 0);
        assert_int_equal(sum, ROUNDS);
        assert_code(sil_executor_close(pool), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_random_trees),
        TEST(test_taken_back_or_stolen),
    };
    return test_run("fork", tests);
}
