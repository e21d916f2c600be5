/* SPDX-License-Identifier: MIT */
/*
 * Posting while the world changes: threads come and go, pools are shut down and closed, programs
 * fork. What was accepted runs once, or is dropped by a shutdown that was told so; what was
 * refused never runs.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <stdatomic.h>

#include "support/child.h"
#include "support/gate.h"
#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_bounded_pool(unsigned workers, size_t bound)
{
    sil_executor *pool =
        sil_thread_pool(&(sil_thread_pool_options){.workers = workers, .max_pending = bound});
    if (pool == NULL)
        test_hung("no memory for a pool", __FILE__, __LINE__);
    return pool;
}

static sil_executor *create_pool(unsigned workers)
{
    return create_bounded_pool(workers, 0);
}

/* --- shutdown while others post ------------------------------------------------------------ */

enum { POOLS = 6, THREADS = 3 };

struct target {
    sil_executor *pool;
    atomic_uint ran;
    atomic_uint ran_of_many;
};

/* A task that counts itself; larger ones lie in a block of their own. */
struct job {
    atomic_uint *count;
    unsigned char filling[64];
};

static int do_job(void *arg, void *result)
{
    (void)result;
    (void)atomic_fetch_add(*(atomic_uint **)arg, 1);
    return 0;
}

struct poster {
    struct target *targets;
    struct random random;
    unsigned accepted[POOLS];
    unsigned accepted_of_many[POOLS];
    unsigned refused_of_many[POOLS]; /* of these some may have been accepted */
    int wrong;                       /* a code that none of them may have */
};

/* One way or the other; false: it was refused. */
static bool hand_over(struct poster *poster, unsigned index)
{
    enum { MOST = 80 };
    struct target *target = &poster->targets[index];
    struct job jobs[MOST];
    unsigned count = 1 + (unsigned)random_below(&poster->random, MOST);
    int code;
    switch (random_below(&poster->random, 4)) {
    case 0:
        jobs[0].count = &target->ran;
        code = sil_post(target->pool, do_job, jobs, sizeof jobs[0]);
        poster->accepted[index] += code == 0;
        break;
    case 1:
        code = sil_post(target->pool, do_job, &(atomic_uint *){&target->ran}, sizeof(void *));
        poster->accepted[index] += code == 0;
        break;
    case 2: {
        sil_future *future = submit_count(target->pool, &target->ran);
        code = sil_future_code(future);
        code = code == SIL_EINPROGRESS || code == SIL_ECANCELLED ? 0 : code;
        poster->accepted[index] += code == 0;
        sil_future_release(future);
        break;
    }
    default:
        for (unsigned i = 0; i < count; i++)
            jobs[i].count = &target->ran_of_many;
        code = sil_post_many(target->pool, do_job, jobs, sizeof jobs[0], count);
        if (code == 0)
            poster->accepted_of_many[index] += count;
        else
            poster->refused_of_many[index] += count;
    }
    if (code != 0 && code != SIL_ESHUTDOWN)
        poster->wrong = code;
    return code == 0;
}

/* Until each pool has refused. */
static void *post_to_all(void *arg)
{
    struct poster *poster = arg;
    bool refused[POOLS] = {false};
    for (unsigned open = POOLS; open > 0;) {
        unsigned index = (unsigned)random_below(&poster->random, POOLS);
        if (!refused[index] && !hand_over(poster, index)) {
            refused[index] = true;
            open--;
        }
        random_yield(&poster->random);
    }
    return NULL;
}

static void check_counts(struct target *target, struct poster *posters, unsigned index, bool cancel)
{
    unsigned accepted = 0, of_many = 0, refused = 0;
    for (int i = 0; i < THREADS; i++) {
        accepted += posters[i].accepted[index];
        of_many += posters[i].accepted_of_many[index];
        refused += posters[i].refused_of_many[index];
    }
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(target->pool, &stats), 0);
    assert_int_equal(stats.done, stats.submitted);
    assert_int_equal(stats.pending + stats.running, 0);
    assert_in_range(stats.submitted, accepted + of_many, accepted + of_many + refused);
    if (cancel) {
        assert_true(target->ran <= accepted);
        assert_true(target->ran_of_many <= of_many + refused);
    } else {
        assert_int_equal(target->ran, accepted);
        assert_in_range(target->ran_of_many, of_many, of_many + refused);
    }
}

static void shut_down_while_posting(uint64_t seed, size_t bound, bool cancel)
{
    struct random random = {seed};
    struct target targets[POOLS];
    struct poster posters[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < POOLS; i++)
        targets[i] = (struct target){.pool = create_bounded_pool(1 + i % 3, bound)};
    for (unsigned i = 0; i < THREADS; i++) {
        posters[i] = (struct poster){.targets = targets, .random = {seed * THREADS + i}};
        assert_int_equal(pthread_create(&threads[i], NULL, post_to_all, &posters[i]), 0);
    }
    for (int i = 0; i < POOLS; i++) {
        unsigned enough = (unsigned)random_below(&random, 200);
        eventually(atomic_load(&targets[i].ran_of_many) >= enough);
        assert_code(sil_executor_shutdown(targets[i].pool, cancel, i % 2 ? SIL_NOW : SIL_FOREVER),
                    0);
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_code(posters[i].wrong, 0);
    for (unsigned i = 0; i < POOLS; i++) {
        assert_code(sil_executor_shutdown(targets[i].pool, cancel, SIL_FOREVER), 0);
        check_counts(&targets[i], posters, i, cancel);
        assert_code(sil_executor_close(targets[i].pool), 0);
    }
}

static void test_what_was_accepted_before_a_shutdown_runs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TEST_SCALE(400); i++)
        shut_down_while_posting(i, 0, false);
}

static void test_what_was_accepted_before_a_cancelling_shutdown_runs_or_is_dropped(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TEST_SCALE(400); i++)
        shut_down_while_posting(i, 0, true);
}

static void test_posts_to_a_bounded_pool_are_refused_or_accepted_but_nothing_between(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TEST_SCALE(200); i++)
        shut_down_while_posting(i, 20, i % 2);
}

/* --- a shutdown that cancels --------------------------------------------------------------- */

static atomic_bool cut;
static atomic_uint begun;
static atomic_uint late;

static int be_late(void *arg, void *result)
{
    (void)arg;
    (void)result;
    (void)atomic_fetch_add(&begun, 1);
    (void)atomic_fetch_add(&late, atomic_load(&cut));
    return 0;
}

static void test_after_a_cancelling_shutdown_hardly_any_task_begins(void **state)
{
    (void)state;
    enum { WORKERS = 2, MANY = 500 };
    struct random random = {3};
    unsigned most = 0;
    for (int i = 0; i < TEST_SCALE(3000); i++) {
        sil_executor *pool = create_pool(WORKERS);
        atomic_store(&cut, false);
        atomic_store(&late, 0);
        atomic_store(&begun, 0);
        assert_code(sil_post_many(pool, be_late, NULL, 0, MANY), 0);
        unsigned enough = (unsigned)random_below(&random, MANY);
        eventually(atomic_load(&begun) >= enough);
        assert_code(sil_executor_shutdown(pool, true, SIL_NOW), 0);
        atomic_store(&cut, true);
        assert_code(sil_executor_close(pool), 0);
        most = atomic_load(&late) > most ? atomic_load(&late) : most;
    }
    /* Each worker may have had one in its hands. */
    assert_in_range(most, 0, WORKERS);
}

/* --- threads that come and go -------------------------------------------------------------- */

struct visitor {
    sil_executor *pool;
    atomic_uint *count;
    unsigned tasks;
    bool refused;
};

static void *visit(void *arg)
{
    struct visitor *visitor = arg;
    for (unsigned i = 0; i < visitor->tasks; i++)
        visitor->refused |=
            sil_post(visitor->pool, do_job, &visitor->count, sizeof visitor->count) != 0;
    return NULL;
}

static void test_threads_that_post_and_end(void **state)
{
    (void)state;
    enum { AT_ONCE = 8 };
    struct random random = {9};
    sil_executor *pool = create_pool(2);
    atomic_uint count = 0;
    unsigned expected = 0;
    for (int i = 0; i < TEST_SCALE(1000); i++) {
        struct visitor visitors[AT_ONCE];
        pthread_t threads[AT_ONCE];
        for (int k = 0; k < AT_ONCE; k++) {
            visitors[k] = (struct visitor){pool, &count, (unsigned)random_below(&random, 9), false};
            expected += visitors[k].tasks;
            assert_int_equal(pthread_create(&threads[k], NULL, visit, &visitors[k]), 0);
        }
        for (int k = 0; k < AT_ONCE; k++) {
            (void)pthread_join(threads[k], NULL);
            assert_false(visitors[k].refused);
        }
    }
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(count, expected);
}

static int post_to_other(void *arg, void *result)
{
    (void)result;
    struct visitor *visitor = arg;
    for (unsigned i = 0; i < visitor->tasks; i++)
        if (sil_post(visitor->pool, do_job, &visitor->count, sizeof visitor->count) != 0)
            test_hung("a post was refused", __FILE__, __LINE__);
    return 0;
}

static void test_workers_of_short_lived_pools_post_to_one_that_stays(void **state)
{
    (void)state;
    sil_executor *stays = create_pool(1);
    atomic_uint count = 0;
    unsigned expected = 0;
    for (unsigned i = 0; i < TEST_SCALE(1000); i++) {
        sil_executor *pool = create_pool(1 + i % 3);
        struct visitor visitor = {stays, &count, i % 7, false};
        for (int k = 0; k < 4; k++)
            assert_code(sil_post(pool, post_to_other, &visitor, sizeof visitor), 0);
        expected += 4 * (i % 7);
        assert_code(sil_executor_close(pool), 0);
    }
    assert_code(sil_executor_close(stays), 0);
    assert_int_equal(count, expected);
}

/* --- followers ----------------------------------------------------------------------------- */

/*
 * Threads that resolve promises, and so submit what follows to pools they know nothing of. Who
 * awaits the followers closes the pool while those threads are still in it.
 */
struct resolver {
    struct gate *begin;
    struct latch *finished;
    sil_promise **promises;
    unsigned count;
};

static void *resolve_all(void *arg)
{
    struct resolver *resolver = arg;
    gate_wait(resolver->begin);
    for (unsigned i = 0; i < resolver->count; i++) {
        (void)sil_promise_resolve(resolver->promises[i], NULL);
        random_yield_here();
    }
    latch_down(resolver->finished);
    return NULL;
}

static int follow(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)result;
    (void)atomic_fetch_add(*(atomic_uint **)arg, 1);
    return 0;
}

enum { SOURCES = 12 };

static void close_behind_followers(unsigned round)
{
    struct gate begin;
    struct latch finished;
    sil_promise *promises[SOURCES];
    sil_future *sources[SOURCES], *followers[SOURCES];
    sil_executor *pools[SOURCES];
    struct resolver resolvers[THREADS];
    pthread_t threads[THREADS];
    atomic_uint count = 0;
    atomic_uint *arg = &count;
    gate_init(&begin);
    latch_init(&finished, THREADS);
    for (unsigned i = 0; i < SOURCES; i++) {
        promises[i] = sil_promise_create(NULL, 0);
        sources[i] = sil_promise_future(promises[i]);
        pools[i] = create_pool(1 + (i + round) % 2);
        followers[i] = sil_then(sources[i], pools[i], follow, &arg, sizeof arg, 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        resolvers[i] = (struct resolver){&begin, &finished, promises + i * SOURCES / THREADS,
                                         SOURCES / THREADS};
        assert_int_equal(pthread_create(&threads[i], NULL, resolve_all, &resolvers[i]), 0);
    }
    gate_open(&begin);
    for (unsigned i = 0; i < SOURCES; i++) {
        unsigned at = i * 5 % SOURCES;
        assert_code(sil_take(followers[at], NULL, SIL_FOREVER), 0);
        assert_code(sil_executor_close(pools[at]), 0);
    }
    assert_int_equal(count, SOURCES);
    latch_wait(&finished);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < SOURCES; i++) {
        sil_future_release(sources[i]);
        sil_promise_destroy(promises[i]);
    }
    latch_fini(&finished);
    gate_fini(&begin);
}

static void test_pools_closed_behind_those_who_submit_what_follows(void **state)
{
    (void)state;
    for (unsigned round = 0; round < TEST_SCALE(600); round++)
        close_behind_followers(round);
}

/* --- fork ---------------------------------------------------------------------------------- */

#if !defined(TEST_TSAN) && !defined(TEST_ASAN) /* their allocators may be locked in the child */
static int post_in_child(void *arg)
{
    atomic_uint count = 0;
    atomic_uint *count_arg = &count;
    CHECK(sil_post(arg, task_nothing, NULL, 0) == SIL_EFORKED);
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    CHECK(pool != NULL);
    for (unsigned i = 0; i < 100; i++)
        CHECK(sil_post(pool, do_job, &count_arg, sizeof count_arg) == 0);
    CHECK(sil_take(submit_nothing(pool), NULL, SIL_FOREVER) == 0);
    CHECK(sil_executor_close(pool) == 0);
    CHECK(count == 100);
    return 0;
}

static void test_forks_while_others_post(void **state)
{
    (void)state;
    struct target targets[POOLS];
    struct poster posters[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < POOLS; i++)
        targets[i] = (struct target){.pool = create_pool(1)};
    for (unsigned i = 0; i < THREADS; i++) {
        posters[i] = (struct poster){.targets = targets, .random = {i}};
        assert_int_equal(pthread_create(&threads[i], NULL, post_to_all, &posters[i]), 0);
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(child_run(post_in_child, targets[i % POOLS].pool), 0);
    for (int i = 0; i < POOLS; i++)
        assert_code(sil_executor_shutdown(targets[i].pool, true, SIL_NOW), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < POOLS; i++)
        assert_code(sil_executor_close(targets[i].pool), 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_accepted_before_a_shutdown_runs),
        TEST(test_what_was_accepted_before_a_cancelling_shutdown_runs_or_is_dropped),
        TEST(test_posts_to_a_bounded_pool_are_refused_or_accepted_but_nothing_between),
        TEST(test_after_a_cancelling_shutdown_hardly_any_task_begins),
        TEST(test_threads_that_post_and_end),
        TEST(test_workers_of_short_lived_pools_post_to_one_that_stays),
        TEST(test_pools_closed_behind_those_who_submit_what_follows),
#if !defined(TEST_TSAN) && !defined(TEST_ASAN)
        TEST(test_forks_while_others_post),
#endif
    };
    return test_run("posting under changes", tests);
}
