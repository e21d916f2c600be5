/* SPDX-License-Identifier: MIT */
/*
 * Circles of waits that go through coroutines: whoever closes one is told, with the others' names; what
 * may still end is never reported.
 */
#include <sillon/coro.h>

#include <string.h>

#include <sillon/executor_impl.h>
#include <sillon/sync.h>

#include "core/wait.h"
#include "scenario.h"

/* Awaits what stands in a slot by the time it runs. */
struct slot {
    sil_future **future;
    sil_deadline until; /* 0: for ever */
    int yields;         /* first */
};

static int await_slot(void *arg, void *result)
{
    (void)result;
    const struct slot *slot = arg;
    give_way(slot->yields);
    return sil_await(*slot->future, slot->until ? slot->until : SIL_FOREVER);
}

static sil_future *go_slot(const char *name, sil_future **future, int yields)
{
    struct slot slot = {.future = future, .yields = yields};
    return sil_go_with(&(sil_go_options){.name = name}, await_slot, &slot, sizeof slot, 0);
}

/* All end with it: the one that closed the circle, and those that awaited it. */
static int expect_deadlock(sil_future **futures, int count)
{
    for (int i = 0; i < count; i++)
        EXPECT_CODE(sil_await(futures[i], SIL_FOREVER), SIL_EDEADLK);
    for (int i = 0; i < count; i++)
        sil_future_release(futures[i]);
    return 0;
}

/* --- on one loop ---------------------------------------------------------------------------- */

SCENARIO(two_that_await_each_other)
{
    (void)arg, (void)result;
    for (int yields = 0; yields < 4; yields++) {
        sil_future *pair[2];
        pair[0] = go_slot("egg", &pair[1], yields & 1);
        pair[1] = go_slot("hen", &pair[0], yields >> 1);
        EXPECT_CODE(sil_await(pair[0], SIL_FOREVER), SIL_EDEADLK);
        const char *message = sil_error_message(sil_future_error(pair[0]));
        EXPECT(strstr(message, "'egg'") && strstr(message, "'hen'"));
        EXPECT_CODE(expect_deadlock(pair, 2), 0);
    }
    return 0;
}

static int await_myself(void *arg, void *result)
{
    (void)result;
    sil_future *self = *(sil_future **)arg;
    EXPECT_CODE(sil_await(self, sil_in(1e-3)), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_await(self, SIL_FOREVER), SIL_EDEADLK);
    EXPECT_CODE(sil_wait(&self, 1, SIL_ALL_COMPLETED, SIL_FOREVER, NULL), SIL_EDEADLK);
    EXPECT_CODE(sil_wait(&self, 1, SIL_FIRST_COMPLETED, SIL_FOREVER, NULL), SIL_EDEADLK);
    return 0;
}

SCENARIO(one_that_awaits_itself)
{
    (void)arg, (void)result;
    sil_future *self = NULL;
    sil_future *future = sil_go(await_myself, (void *)&self, sizeof self, 0);
    *(sil_future **)sil_task_arg(future, NULL) = future;
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    return 0;
}

/* The main coroutine's future is nobody's but the library's: so by its own task. */
SCENARIO(main_that_awaits_itself)
{
    (void)arg, (void)result;
    sil_future *self = sil_future_retain(sil__context_task(sil__context()));
    EXPECT(strcmp(sil_future_name(self), "main") == 0);
    EXPECT_CODE(sil_await(self, SIL_FOREVER), SIL_EDEADLK);
    EXPECT(strstr(sil_error_message(sil_last_error()), "'main' waits for 'main'"));
    sil_future *child = go_slot("child", &self, 0);
    EXPECT_CODE(sil_take(child, NULL, SIL_FOREVER), SIL_EDEADLK);
    sil_future_release(self);
    return 0;
}

enum { RING = 1000 };
static sil_future *ring[RING];

/* How it is closed: those started first await what has not begun; or all run when the first awaits. */
static int close_ring(int count, int yields)
{
    for (int i = 0; i < count; i++)
        ring[i] = go_slot("link", &ring[(i + 1) % count], yields);
    return expect_deadlock(ring, count);
}

SCENARIO(rings_of_many)
{
    (void)arg, (void)result;
    static const int counts[] = {1, 2, 3, 10, RING};
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        for (int yields = 0; yields < 3; yields++)
            EXPECT_CODE(close_ring(counts[i], yields), 0);
    return 0;
}

/* --- what can still end --------------------------------------------------------------------- */

SCENARIO(ring_with_a_deadline_ends_by_that)
{
    (void)arg, (void)result;
    for (int count = 1; count <= 5; count++) {
        for (int patient = 0; patient < count; patient++) {
            for (int i = 0; i < count; i++) {
                struct slot slot = {.future = &ring[(i + 1) % count],
                                    .until = i == patient ? sil_in(2e-3) : 0};
                ring[i] = sil_go(await_slot, &slot, sizeof slot, 0);
            }
            for (int i = 0; i < count; i++)
                EXPECT_CODE(sil_await(ring[i], SIL_FOREVER), SIL_ETIMEDOUT);
            for (int i = 0; i < count; i++)
                sil_future_release(ring[i]);
        }
    }
    return 0;
}

SCENARIO(ring_in_a_scope_ends_with_that)
{
    (void)arg, (void)result;
    sil_deadline outer = sil_deadline_scope(sil_in(3e-3));
    for (int i = 0; i < 3; i++)
        ring[i] = go_slot("link", &ring[(i + 1) % 3], 0);
    sil_deadline_restore(outer);
    for (int i = 0; i < 3; i++)
        EXPECT_CODE(sil_await(ring[i], SIL_FOREVER), SIL_ETIMEDOUT);
    for (int i = 0; i < 3; i++)
        sil_future_release(ring[i]);
    return 0;
}

SCENARIO(promises_may_be_kept)
{
    (void)arg, (void)result;
    sil_promise *promise = sil_promise_create("kept", 0);
    sil_future *future = sil_promise_future(promise);
    sil_future *chain[20];
    chain[0] = go_slot("first", &future, 1);
    for (int i = 1; i < 20; i++)
        chain[i] = go_slot("next", &chain[i - 1], i % 3);
    EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
    EXPECT_CODE(sil_promise_resolve(promise, NULL), 0);
    for (int i = 19; i >= 0; i--)
        EXPECT_CODE(sil_take(chain[i], NULL, SIL_FOREVER), 0);
    sil_future_release(future);
    sil_promise_destroy(promise);
    return 0;
}

/* --- through threads ------------------------------------------------------------------------ */

/* Awaits the slot when all slots are filled. */
struct link {
    sil_future *filled; /* then */
    sil_future **next;
};

static int await_link(void *arg, void *result)
{
    (void)result;
    const struct link *link = arg;
    int code = sil_await(link->filled, SIL_FOREVER);
    return code != 0 ? code : sil_await(*link->next, SIL_FOREVER);
}

struct others {
    sil_executor *loop;
    sil_executor *pool;
};

static sil_future *start_link(const struct others *others, char kind, const struct link *link)
{
    const sil_submit_options options = {.name = "link"};
    sil_executor *executor = kind == 'p'   ? others->pool
                             : kind == 'o' ? others->loop
                                           : sil_loop_current();
    if (kind == 't')
        return sil_thread_start(&(sil_thread_options){.name = "link"}, await_link, link,
                                sizeof *link, 0);
    return sil_submit_with(executor, &options, await_link, link, sizeof *link, 0);
}

/* kinds: who runs each: l this loop, o another loop, p a pool, t a thread. */
static int close_mixed_ring(const struct others *others, const char *kinds)
{
    int count = (int)strlen(kinds);
    sil_promise *promise = sil_promise_create("filled", 0);
    sil_future *filled = sil_promise_future(promise);
    for (int i = 0; i < count; i++)
        ring[i] = start_link(others, kinds[i], &(struct link){filled, &ring[(i + 1) % count]});
    give_way(2);
    EXPECT_CODE(sil_promise_resolve(promise, NULL), 0);
    int code = expect_deadlock(ring, count);
    sil_future_release(filled);
    sil_promise_destroy(promise);
    return code;
}

SCENARIO(rings_through_threads)
{
    (void)arg, (void)result;
    static const char *const rings[] = {"lp", "lt",  "lo",    "pl",     "llp",    "lllp", "lplp",
                                        "lo", "olo", "lpoto", "llllol", "ooolll", "ptol"};
    struct others others = {sil_loop_thread(NULL),
                            sil_thread_pool(&(sil_thread_pool_options){.workers = 2})};
    for (int round = 0; round < TEST_SCALE(20); round++)
        for (size_t i = 0; i < COUNT_OF(rings); i++)
            EXPECT_CODE(close_mixed_ring(&others, rings[i]), 0);
    EXPECT_CODE(sil_executor_close(others.loop), 0);
    EXPECT_CODE(sil_executor_close(others.pool), 0);
    return 0;
}

/* A chain of joins that the graph knows nothing of, until its end waits for a pool's task, which then
 * closes it (join.c, I1). deep: how long it is; when: whether all were joined before, or after. */
static int close_chain(sil_executor *pool, int depth, bool before)
{
    sil_promise *promise = sil_promise_create("filled", 0);
    sil_future *filled = sil_promise_future(promise);
    sil_future *closer = NULL;
    sil_promise *later = sil_promise_create("later", 0);
    sil_future *go_on = sil_promise_future(later);
    struct link end = {before ? filled : go_on, &closer};
    ring[0] = sil_go_with(&(sil_go_options){.name = "end"}, await_link, &end, sizeof end, 0);
    if (!before)
        EXPECT_CODE(sil_promise_resolve(later, NULL), 0);
    for (int i = 1; i < depth; i++)
        ring[i] = go_slot("joins", &ring[i - 1], i % 2);
    struct link closing = {filled, &ring[depth - 1]};
    closer = sil_submit_with(pool, &(sil_submit_options){.name = "closer"}, await_link, &closing,
                             sizeof closing, 0);
    give_way(4);
    EXPECT_CODE(sil_promise_resolve(promise, NULL), 0);
    ring[depth] = closer;
    int code = expect_deadlock(ring, depth + 1);
    sil_future_release(filled);
    sil_future_release(go_on);
    sil_promise_destroy(promise);
    sil_promise_destroy(later);
    return code;
}

SCENARIO(chain_of_joins_that_a_thread_closes)
{
    (void)arg, (void)result;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    for (int round = 0; round < TEST_SCALE(50); round++)
        for (int depth = 1; depth <= 6; depth++)
            for (int before = 0; before <= 1; before++)
                EXPECT_CODE(close_chain(pool, depth, before), 0);
    EXPECT_CODE(sil_executor_close(pool), 0);
    return 0;
}

/* --- through futures made of others --------------------------------------------------------- */

typedef sil_future *(*combine_fn)(sil_future *const *futures, size_t count);

static int close_combined(combine_fn combine, int count, bool stuck)
{
    sil_future *inputs[4];
    sil_future *combined = NULL;
    sil_promise *promise = sil_promise_create("may be kept", 0);
    for (int i = 0; i < count; i++)
        inputs[i] = i == 0 && !stuck ? sil_promise_future(promise) : go_slot("in", &combined, 0);
    combined = combine(inputs, (size_t)count);
    if (!stuck) {
        give_way(10);
        EXPECT_CODE(sil_promise_reject(promise, EIO, NULL), 0);
        EXPECT_CODE(sil_await(combined, SIL_FOREVER), EIO);
    }
    int last = 0;
    for (int i = 0; i < count; i++)
        last = sil_take(inputs[i], NULL, SIL_FOREVER);
    EXPECT_CODE(last, stuck ? SIL_EDEADLK : EIO);
    int code = sil_take(combined, NULL, SIL_FOREVER);
    EXPECT(stuck ? code == SIL_EDEADLK : code == EIO);
    sil_promise_destroy(promise);
    return 0;
}

SCENARIO(rings_through_combined_futures)
{
    (void)arg, (void)result;
    for (int count = 1; count <= 4; count++) {
        EXPECT_CODE(close_combined(sil_all, count, true), 0);
        EXPECT_CODE(close_combined(sil_race, count, true), 0);
    }
    /* Of more than one it would get stuck only when the first has failed: that is not found. */
    EXPECT_CODE(close_combined(sil_any, 1, true), 0);
    EXPECT_CODE(close_combined(sil_race, 4, false), 0);
    return 0;
}

static int wait_for_slots(void *arg, void *result)
{
    (void)result;
    sil_future **slots = *(sil_future ***)arg;
    return sil_wait(slots, 2, SIL_FIRST_COMPLETED, SIL_FOREVER, NULL);
}

SCENARIO(rings_through_waits_for_several)
{
    (void)arg, (void)result;
    sil_future *both[2];
    sil_future **slots = both;
    both[0] = sil_go(wait_for_slots, (void *)&slots, sizeof slots, 0);
    both[1] = sil_go(wait_for_slots, (void *)&slots, sizeof slots, 0);
    int first = sil_await(both[0], SIL_FOREVER);
    int second = sil_await(both[1], SIL_FOREVER);
    EXPECT(first == SIL_EDEADLK || second == SIL_EDEADLK); /* whose end lets the other go on */
    EXPECT(first == 0 || second == 0);
    sil_future_release(both[0]);
    sil_future_release(both[1]);
    return 0;
}

/* --- with mutexes --------------------------------------------------------------------------- */

static sil_mutex *mutex;

static int lock_it(void *arg, void *result)
{
    (void)arg, (void)result;
    int code = sil_mutex_lock(mutex, SIL_FOREVER);
    return code != 0 ? code : sil_mutex_unlock(mutex);
}

/* Who holds the mutex awaits the one that wants it: whether that has begun, or waits already. */
static int await_who_wants_it(bool waits)
{
    mutex = sil_mutex_create("m");
    EXPECT_CODE(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    sil_future *wants = sil_go_with(&(sil_go_options){.name = "wants"}, lock_it, NULL, 0, 0);
    if (waits)
        EXPECT_CODE(sil_yield(), 0);
    int code = sil_await(wants, SIL_FOREVER);
    EXPECT_CODE(code, SIL_EDEADLK);
    EXPECT_CODE(sil_mutex_unlock(mutex), 0);
    int other = sil_take(wants, NULL, SIL_FOREVER);
    EXPECT(other == 0 || other == SIL_EDEADLK);
    EXPECT(!sil_mutex_locked(mutex));
    sil_mutex_destroy(mutex);
    return 0;
}

SCENARIO(holder_that_awaits_who_wants_the_mutex)
{
    (void)arg, (void)result;
    EXPECT_CODE(await_who_wants_it(false), 0);
    EXPECT_CODE(await_who_wants_it(true), 0);
    return 0;
}

/* --- who cannot give up --------------------------------------------------------------------- */

static int wait_out(void *arg, void *result)
{
    (void)result;
    struct link *link = arg;
    int code = sil_await(link->filled, SIL_FOREVER);
    sil__wait_out(*link->next);
    return code;
}

SCENARIO(another_gives_up_for_who_cannot)
{
    (void)arg, (void)result;
    for (int kind = 0; kind < 3; kind++) {
        sil_promise *promise = sil_promise_create("filled", 0);
        sil_future *filled = sil_promise_future(promise);
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
        sil_future *pair[2] = {NULL, NULL};
        struct link insists = {filled, &pair[1]};
        pair[1] = go_slot("gives up", &pair[0], kind);
        pair[0] = sil_submit(kind == 2 ? pool : sil_loop_current(), wait_out, &insists,
                             sizeof insists, 0);
        give_way(kind * 3);
        EXPECT_CODE(sil_promise_resolve(promise, NULL), 0);
        EXPECT_CODE(sil_take(pair[0], NULL, SIL_FOREVER), 0);
        EXPECT_CODE(sil_await(pair[1], SIL_NOW), SIL_EDEADLK);
        EXPECT(strstr(sil_error_message(sil_last_error()), "gives up"));
        sil_future_release(pair[1]);
        sil_future_release(filled);
        sil_promise_destroy(promise);
        EXPECT_CODE(sil_executor_close(pool), 0);
    }
    return 0;
}

/* The verdict comes from another thread when the wait has ended by a cancel: it is for no other. */
static int wait_then_clean_up(void *arg, void *result)
{
    int code = await_slot(arg, result);
    sil_deadline until = sil_in(5e-3);
    EXPECT_CODE(sil_sleep(until), 0);
    EXPECT(sil_clock() >= until);
    sil_future *child = sil_go(task_nothing, NULL, 0, 0);
    EXPECT_CODE(sil_take(child, NULL, SIL_FOREVER), 0);
    return code;
}

struct insister {
    sil_future **future;
    struct gate *asked;
};

static int insist(void *arg, void *result)
{
    (void)result;
    const struct insister *insister = arg;
    gate_wait(insister->asked);
    sil__wait_out(*insister->future);
    return 0;
}

SCENARIO(late_verdict_is_for_no_other_wait)
{
    (void)arg, (void)result;
    struct gate gate;
    gate_init(&gate);
    sil_future *pair[2] = {NULL, NULL};
    struct slot slot = {.future = &pair[1]};
    pair[0] = sil_go(wait_then_clean_up, &slot, sizeof slot, 0);
    struct insister insister = {&pair[0], &gate};
    pair[1] = sil_thread_start(NULL, insist, &insister, sizeof insister, 0);
    EXPECT_CODE(sil_yield(), 0);
    /* We keep the loop while the thread condemns it; then it is ready before the word has come. */
    gate_open(&gate);
    const struct sil__context *waits = atomic_load(&pair[0]->runner);
    eventually(sil__deadlock_condemned(waits));
    EXPECT_CODE(sil_future_cancel(pair[0]), SIL_EINPROGRESS);
    int code = sil_await(pair[0], SIL_FOREVER);
    EXPECT(code == SIL_ECANCELLED || code == SIL_EDEADLK);
    EXPECT_CODE(sil_take(pair[1], NULL, SIL_FOREVER), 0);
    sil_future_release(pair[0]);
    gate_fini(&gate);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_two_that_await_each_other),
        TEST(test_one_that_awaits_itself),
        TEST(test_main_that_awaits_itself),
        TEST(test_rings_of_many),
        TEST(test_ring_with_a_deadline_ends_by_that),
        TEST(test_ring_in_a_scope_ends_with_that),
        TEST(test_promises_may_be_kept),
        TEST(test_rings_through_threads),
        TEST(test_chain_of_joins_that_a_thread_closes),
        TEST(test_rings_through_combined_futures),
        TEST(test_rings_through_waits_for_several),
        TEST(test_holder_that_awaits_who_wants_the_mutex),
        TEST(test_another_gives_up_for_who_cannot),
        TEST(test_late_verdict_is_for_no_other_wait),
    };
    begin_scenarios();
    return test_run("deadlocks of coroutines", tests);
}
