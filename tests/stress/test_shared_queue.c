/* SPDX-License-Identifier: MIT */
/*
 * The shared queue under load from several processes, and with processes that are killed at any
 * moment: every item is whole, in order, there once or not at all, and the queue goes on.
 */
#include <sillon/sillon.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "support/random.h"
#include "support/test.h"

enum { PAYLOAD = 25, CAPACITY = 7 };

/* All of it follows from number, so that a torn item is seen. */
struct item {
    uint64_t number;
    uint64_t payload[PAYLOAD];
};

static void fill(uint64_t *payload, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++)
        payload[i] = ~number;
}

static bool is_filled(const uint64_t *payload, size_t count, uint64_t number)
{
    uint64_t differences = 0;
    for (size_t i = 0; i < count; i++)
        differences |= payload[i] ^ ~number;
    return differences == 0;
}

static struct item item_of(uint64_t number)
{
    struct item item = {.number = number};
    fill(item.payload, PAYLOAD, number);
    return item;
}

static bool is_whole(const struct item *item)
{
    return is_filled(item->payload, PAYLOAD, item->number);
}

static pid_t fork_child(int (*fn)(void *arg), void *arg)
{
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(TEST_PATIENCE);
        _exit(fn(arg));
    }
    if (child < 0)
        test_hung("fork failed", __FILE__, __LINE__);
    return child;
}

static int wait_for_child(pid_t child)
{
    int status = 0;
    (void)waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- many producers and consumers ---------------------------------------------------------- */

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS = TEST_SCALE(20000) };

struct market {
    sil_shared_queue *queue;
    atomic_uint next_producer;
    _Atomic uint64_t sum;
    _Atomic uint64_t count;
};

static int produce(void *arg)
{
    struct market *market = arg;
    uint64_t who = atomic_fetch_add(&market->next_producer, 1);
    for (uint64_t i = 0; i < ITEMS; i++) {
        struct item item = item_of(who * ITEMS + i);
        CHECK(sil_shared_queue_push(market->queue, &item, SIL_FOREVER) == 0);
    }
    return 0;
}

static int consume(void *arg)
{
    struct market *market = arg;
    uint64_t least[PRODUCERS] = {0}; /* what must still come from each is not less */
    struct item item;
    int code;
    while ((code = sil_shared_queue_pop(market->queue, &item, SIL_FOREVER)) == 0) {
        CHECK(is_whole(&item));
        uint64_t who = item.number / ITEMS;
        uint64_t index = item.number % ITEMS;
        CHECK(who < PRODUCERS);
        CHECK(index >= least[who]);
        least[who] = index + 1;
        atomic_fetch_add(&market->sum, item.number);
        atomic_fetch_add(&market->count, 1);
    }
    CHECK(code == SIL_EEND);
    return 0;
}

static void test_many_producers_and_consumers(void **state)
{
    (void)state;
    struct market *market = sil_shared_alloc(sizeof *market);
    assert_non_null(market);
    *market = (struct market){.queue = sil_shared_queue_create(sizeof(struct item), CAPACITY)};
    assert_non_null(market->queue);
    pid_t producers[PRODUCERS];
    pid_t consumers[CONSUMERS];
    for (int i = 0; i < CONSUMERS; i++)
        consumers[i] = fork_child(consume, market);
    for (int i = 0; i < PRODUCERS; i++)
        producers[i] = fork_child(produce, market);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(wait_for_child(producers[i]), 0);
    sil_shared_queue_close(market->queue);
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(wait_for_child(consumers[i]), 0);
    const uint64_t all = (uint64_t)PRODUCERS * ITEMS;
    assert_int_equal(market->count, all);
    assert_int_equal(market->sum, all * (all - 1) / 2);
    sil_shared_queue_destroy(market->queue);
    sil_shared_free(market);
}

/* --- killed ones --------------------------------------------------------------------------- */

enum { ROUNDS = 200 };

struct victim {
    sil_shared_queue *queue;
    _Atomic uint64_t done; /* how many it has pushed, or popped, for sure */
    uint64_t next;         /* the number it begins with */
};

static int push_until_killed(void *arg)
{
    struct victim *victim = arg;
    struct item item = item_of(victim->next);
    while (sil_shared_queue_push(victim->queue, &item, SIL_FOREVER) == 0) {
        atomic_fetch_add(&victim->done, 1);
        item = item_of(item.number + 1);
    }
    return 1;
}

static int pop_until_killed(void *arg)
{
    struct victim *victim = arg;
    uint64_t number = victim->next;
    struct item item;
    while (sil_shared_queue_pop(victim->queue, &item, SIL_FOREVER) == 0 && is_whole(&item) &&
           item.number == number) {
        atomic_fetch_add(&victim->done, 1);
        number++;
    }
    return 1;
}

static void kill_at_random(pid_t child, struct random *random)
{
    for (volatile size_t i = random_below(random, 20000); i > 0; i--)
        continue;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(wait_for_child(child), -SIGKILL);
}

/* The parent pops what the child pushes. The next number. */
static uint64_t kill_a_pusher(struct victim *victim, struct random *random)
{
    uint64_t number = victim->next;
    struct item item;
    pid_t child = fork_child(push_until_killed, victim);
    for (size_t i = random_below(random, 200) + 1; i > 0; i--) {
        assert_code(sil_shared_queue_pop(victim->queue, &item, sil_in(TEST_PATIENCE)), 0);
        assert_true(is_whole(&item));
        assert_int_equal(item.number, number++);
    }
    kill_at_random(child, random);
    while (sil_shared_queue_pop(victim->queue, &item, SIL_NOW) == 0) {
        assert_true(is_whole(&item));
        assert_int_equal(item.number, number++);
    }
    uint64_t pushed = number - victim->next;
    assert_in_range(pushed, victim->done, victim->done + 1);
    return number;
}

/* The child pops what the parent pushes. */
static uint64_t kill_a_popper(struct victim *victim, struct random *random)
{
    uint64_t number = victim->next;
    struct item item;
    pid_t child = fork_child(pop_until_killed, victim);
    for (size_t i = random_below(random, 200) + 1; i > 0; i--) {
        item = item_of(number++);
        assert_code(sil_shared_queue_push(victim->queue, &item, sil_in(TEST_PATIENCE)), 0);
    }
    kill_at_random(child, random);
    uint64_t left = sil_shared_queue_length(victim->queue);
    uint64_t popped = number - left - victim->next;
    assert_in_range(popped, victim->done, victim->done + 1);
    for (; left > 0; left--) {
        assert_code(sil_shared_queue_pop(victim->queue, &item, SIL_NOW), 0);
        assert_true(is_whole(&item));
        assert_int_equal(item.number, number - left);
    }
    return number;
}

static void test_killed_at_any_moment(void **state)
{
    (void)state;
    struct random random = {1};
    struct victim *victim = sil_shared_alloc(sizeof *victim);
    assert_non_null(victim);
    *victim = (struct victim){.queue = sil_shared_queue_create(sizeof(struct item), CAPACITY)};
    assert_non_null(victim->queue);
    for (int i = 0; i < ROUNDS; i++) {
        victim->done = 0;
        victim->next = i % 2 == 0 ? kill_a_pusher(victim, &random) : kill_a_popper(victim, &random);
        assert_int_equal(sil_shared_queue_length(victim->queue), 0);
    }
    sil_shared_queue_destroy(victim->queue);
    sil_shared_free(victim);
}

/* --- killed in the middle ------------------------------------------------------------------ */

enum { WORDS = 4000, TURNING = 3 };

static uint64_t
    large[WORDS]; /* an item that takes its time to be copied; the first is its number */

/* What comes out goes in again under another number, so that the numbers in it stay in a row. */
static int turn_until_killed(void *arg)
{
    struct victim *victim = arg;
    while (sil_shared_queue_pop(victim->queue, large, SIL_NOW) == 0 &&
           is_filled(large + 1, WORDS - 1, large[0])) {
        large[0] += TURNING;
        fill(large + 1, WORDS - 1, large[0]);
        if (sil_shared_queue_push(victim->queue, large, SIL_NOW) != 0)
            break;
        atomic_fetch_add(&victim->done, 1);
    }
    return 1;
}

static void test_killed_in_the_middle_of_a_copy(void **state)
{
    (void)state;
    struct random random = {3};
    struct victim *victim = sil_shared_alloc(sizeof *victim);
    assert_non_null(victim);
    *victim = (struct victim){.queue = sil_shared_queue_create(sizeof large, TURNING)};
    assert_non_null(victim->queue);
    for (int i = 0; i < ROUNDS; i++) {
        for (uint64_t number = 0; number < TURNING; number++) {
            large[0] = number;
            fill(large + 1, WORDS - 1, number);
            assert_code(sil_shared_queue_push(victim->queue, large, SIL_NOW), 0);
        }
        victim->done = 0;
        pid_t child = fork_child(turn_until_killed, victim);
        eventually(victim->done > 0);
        kill_at_random(child, &random);

        uint64_t first = 0;
        size_t count = 0;
        for (; sil_shared_queue_pop(victim->queue, large, SIL_NOW) == 0; count++) {
            assert_true(is_filled(large + 1, WORDS - 1, large[0]));
            first = count == 0 ? large[0] : first;
            assert_int_equal(large[0], first + count);
        }
        assert_in_range(count, TURNING - 1, TURNING);
    }
    sil_shared_queue_destroy(victim->queue);
    sil_shared_free(victim);
}

/* --- killed among others ------------------------------------------------------------------- */

static int pop_any_until_killed(void *arg)
{
    struct market *market = arg;
    struct item item;
    while (sil_shared_queue_pop(market->queue, &item, SIL_FOREVER) == 0 && is_whole(&item))
        continue;
    return 1;
}

/* Those who live on must all get on, whoever of those who wait with them is killed. */
static void test_the_others_go_on(void **state)
{
    (void)state;
    struct random random = {2};
    struct market *market = sil_shared_alloc(sizeof *market);
    assert_non_null(market);
    *market = (struct market){.queue = sil_shared_queue_create(sizeof(struct item), CAPACITY)};
    assert_non_null(market->queue);
    pid_t consumer = fork_child(consume, market);
    uint64_t number = 0;
    for (int i = 0; i < ROUNDS / 4; i++) {
        pid_t child = fork_child(pop_any_until_killed, market);
        for (int j = 0; j < 3; j++, number++) {
            struct item item = item_of(number % ITEMS); /* all of producer 0 */
            if (number >= ITEMS)
                break;
            assert_code(sil_shared_queue_push(market->queue, &item, sil_in(TEST_PATIENCE)), 0);
        }
        kill_at_random(child, &random);
    }
    sil_shared_queue_close(market->queue);
    assert_int_equal(wait_for_child(consumer), 0);
    assert_int_equal(sil_shared_queue_length(market->queue), 0);
    assert_true(market->count <= number);
    sil_shared_queue_destroy(market->queue);
    sil_shared_free(market);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_many_producers_and_consumers),
        TEST(test_killed_at_any_moment),
        TEST(test_killed_in_the_middle_of_a_copy),
        TEST(test_the_others_go_on),
    };
    return test_run("shared queue", tests);
}
