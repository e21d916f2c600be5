/* SPDX-License-Identifier: MIT */
/*
 * Inside a posted task: what it is told, what it may do, and where else one may post from.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "contract.h"

/* --- what it is told ----------------------------------------------------------------------- */

/* Lies on the board. */
struct ambient {
    bool cancelled;
    bool named;
    int error_before;
    atomic_uint calls;
};

static int look_around(void *arg, void *result)
{
    (void)arg;
    (void)result;
    struct ambient *ambient = contract_board();
    ambient->error_before |= sil_error_code(sil_last_error());
    sil_progress(1, 2);
    ambient->cancelled = sil_cancelled();
    const char *name = sil_current_name();
    ambient->named = name != NULL && name[0] != '\0';
    (void)atomic_fetch_add(&ambient->calls, 1);
    return 0;
}

static void test_ambient_calls_do_no_harm_in_a_posted_task(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    const struct ambient *ambient = contract_board();
    assert_code(sil_post(executor, look_around, NULL, 0), 0);
    contract_close(executor);
    assert_int_equal(ambient->calls, 1);
    assert_false(ambient->cancelled);
    assert_true(ambient->named);
}

/* Leaves an error of its own, and one of a wait, as the thread's last. arg: the sil_future to wait
 * for, or NULL where tasks cannot see it: that is an error, too. */
static int leave_error(void *arg, void *result)
{
    (void)result;
    (void)sil_await(*(sil_future **)arg, SIL_NOW);
    return sil_fail(EIO, "an error of my own");
}

static int post_error(sil_executor *executor, sil_future *pending)
{
    if ((contract_engine()->capabilities & SHARES_MEMORY) == 0)
        pending = NULL;
    return sil_post(executor, leave_error, &pending, sizeof pending);
}

static void test_error_of_a_posted_task_is_not_seen_by_the_next(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_promise *promise;
    sil_future *pending = promise_int(&promise);
    struct ambient *ambient = contract_board();
    for (int i = 0; i < 50; i++) {
        unsigned calls = ambient->calls;
        ambient->error_before = 0;
        assert_code(post_error(executor, pending), 0);
        if (i % 2 == 0)
            assert_code(sil_post(executor, look_around, NULL, 0), 0);
        else
            sil_future_release(sil_submit(executor, look_around, NULL, 0, 0));
        eventually(atomic_load(&ambient->calls) == calls + 1);
        assert_code(ambient->error_before, 0);
    }
    contract_close(executor);
    sil_promise_destroy(promise);
    sil_future_release(pending);
}

static void test_error_of_a_posted_task_is_not_seen_by_whoever_posts(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_promise *promise;
    sil_future *pending = promise_int(&promise);
    (void)sil_fail(EDOM, "mine");
    assert_code(post_error(executor, pending), 0);
    assert_code(sil_error_code(sil_last_error()), EDOM);
    contract_close(executor);
    sil_promise_destroy(promise);
    sil_future_release(pending);
}

/* --- what it may do ------------------------------------------------------------------------ */

struct insider {
    sil_executor *executor;
    sil_future *future; /**< of somebody else */
    sil_deadline until;
    struct latch done;
    int codes[4];
    int value;
};

static void run_insider(sil_executor *executor, sil_task_fn fn, struct insider *insider)
{
    insider->executor = executor;
    latch_init(&insider->done, 1);
    assert_code(sil_post(executor, fn, &insider, sizeof(struct insider *)), 0);
    latch_wait(&insider->done);
}

static int await_others(void *arg, void *result)
{
    (void)result;
    struct insider *insider = *(struct insider **)arg;
    insider->codes[0] = sil_take(insider->future, &insider->value, SIL_FOREVER);
    latch_down(&insider->done);
    return 0;
}

static void *resolve(void *promise)
{
    int value = 42;
    (void)sil_promise_resolve(promise, &value);
    return NULL;
}

static void test_posted_task_may_await_what_a_thread_resolves(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_promise *promise;
    struct insider insider = {.future = promise_int(&promise), .codes = {1}};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, resolve, promise), 0);
    run_insider(executor, await_others, &insider);
    assert_code(insider.codes[0], 0);
    assert_int_equal(insider.value, 42);
    contract_close(executor);
    (void)pthread_join(thread, NULL);
    sil_promise_destroy(promise);
    latch_fini(&insider.done);
}

static int await_children(void *arg, void *result)
{
    (void)result;
    struct insider *insider = *(struct insider **)arg;
    int value = 0;
    for (int i = 0; i < 3; i++) {
        insider->codes[i] =
            sil_take(submit_int(insider->executor, task_square, i + 1), &value, SIL_FOREVER);
        insider->value += value;
    }
    insider->codes[3] =
        sil_take(submit_int(insider->executor, task_fail, EIO), NULL, sil_in(TEST_PATIENCE));
    latch_down(&insider->done);
    return 0;
}

static void test_posted_task_may_await_its_children(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct insider insider = {.codes = {1, 1, 1, 1}};
    run_insider(executor, await_children, &insider);
    contract_close(executor);
    for (int i = 0; i < 3; i++)
        assert_code(insider.codes[i], 0);
    assert_code(insider.codes[3], EIO);
    assert_int_equal(insider.value, 1 + 4 + 9);
    latch_fini(&insider.done);
}

static int shut_down_own(void *arg, void *result)
{
    (void)result;
    struct insider *insider = *(struct insider **)arg;
    insider->codes[0] = sil_executor_shutdown(insider->executor, false, insider->until);
    insider->codes[1] = sil_post(insider->executor, task_nothing, NULL, 0);
    latch_down(&insider->done);
    return 0;
}

static void test_posted_task_may_shut_its_executor_down(void **state)
{
    (void)state;
    const sil_deadline untils[] = {SIL_NOW, sil_in(TEST_PATIENCE), SIL_FOREVER};
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        sil_executor *executor = contract_create();
        struct insider insider = {.until = untils[i], .codes = {1, 1}};
        run_insider(executor, shut_down_own, &insider);
        assert_code(insider.codes[0], untils[i] == SIL_NOW ? 0 : SIL_EDEADLK);
        assert_code(insider.codes[1], SIL_ESHUTDOWN);
        assert_code(sil_post(executor, task_nothing, NULL, 0), SIL_ESHUTDOWN);
        contract_close(executor);
        latch_fini(&insider.done);
    }
}

static int close_own(void *arg, void *result)
{
    (void)result;
    struct insider *insider = *(struct insider **)arg;
    insider->codes[0] = sil_executor_close(insider->executor);
    insider->codes[1] = sil_post(insider->executor, task_nothing, NULL, 0);
    insider->codes[2] = sil_executor_close(insider->executor);
    latch_down(&insider->done);
    return 0;
}

static void test_posted_task_may_close_its_executor(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(100); i++) {
        sil_executor *executor = contract_create();
        struct insider insider = {.codes = {1, 1, 1}};
        run_insider(executor, close_own, &insider);
        assert_code(insider.codes[0], 0);
        assert_code(insider.codes[1], SIL_ESHUTDOWN);
        assert_code(insider.codes[2], SIL_ESHUTDOWN);
        assert_code(sil_post(executor, task_nothing, NULL, 0), SIL_ESHUTDOWN);
        assert_code(sil_executor_close(executor), SIL_ESHUTDOWN);
        latch_fini(&insider.done);
    }
    /* test_end sees their threads go */
}

struct closer {
    sil_executor *executor;
    struct gate *gate;
    struct latch *passed;
};

static int close_behind_gate(void *arg, void *result)
{
    (void)result;
    struct closer *closer = arg;
    gate_wait(closer->gate);
    latch_down(closer->passed); /* the gate may go */
    return sil_executor_close(closer->executor);
}

static int count_down(void *arg, void *result)
{
    (void)result;
    latch_down(*(struct latch **)arg);
    return 0;
}

static void test_posted_task_that_closes_lets_the_pending_ones_run(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate gate;
    struct latch ran;
    struct latch *ran_arg = &ran;
    gate_init(&gate);
    latch_init(&ran, CONTRACT_BOUND + 1);
    struct closer closer = {executor, &gate, &ran};
    assert_code(sil_post(executor, close_behind_gate, &closer, sizeof closer), 0);
    gate_wait_for_arrivals(&gate, 1);
    for (int i = 0; i < CONTRACT_BOUND; i++)
        assert_code(sil_post(executor, count_down, &ran_arg, sizeof ran_arg), 0);
    gate_open(&gate);
    latch_wait(&ran);
    latch_fini(&ran);
    gate_fini(&gate);
}

/* --- where one may post from --------------------------------------------------------------- */

/* A task that posts the next of its kind, until none is left. */
struct chain {
    sil_executor *executor;
    struct latch *done;
    unsigned left;
};

static int post_next(void *arg, void *result)
{
    (void)result;
    struct chain *chain = arg;
    if (chain->left-- == 0)
        latch_down(chain->done);
    else if (sil_post(chain->executor, post_next, chain, sizeof *chain) != 0)
        test_hung("the next of the chain was refused", __FILE__, __LINE__);
    return 0;
}

/* The same, of a chain that all share. */
static int post_next_shared(void *arg, void *result)
{
    (void)result;
    struct chain *chain = *(struct chain **)arg;
    if (chain->left-- == 0)
        latch_down(chain->done);
    else if (sil_post(chain->executor, post_next_shared, &chain, sizeof(struct chain *)) != 0)
        test_hung("the next of the chain was refused", __FILE__, __LINE__);
    return 0;
}

static void check_chain(unsigned length)
{
    sil_executor *executor = contract_create();
    struct latch done;
    latch_init(&done, 3);
    struct chain copied = {executor, &done, length};
    struct chain *shared = &(struct chain){executor, &done, length};
    assert_code(sil_post(executor, post_next, &copied, sizeof copied), 0);
    assert_code(sil_post(executor, post_next_shared, &shared, sizeof shared), 0);
    sil_future_release(sil_submit(executor, post_next, &copied, sizeof copied, 0));
    latch_wait(&done);
    contract_close(executor);
    latch_fini(&done);
}

static void test_posted_tasks_post_the_next_of_a_long_chain(void **state)
{
    (void)state;
    check_chain(10000);
}

static void test_posted_tasks_post_the_next_of_a_chain(void **state)
{
    (void)state;
    check_chain(100);
}

/* Each posts two, so deep. */
struct tree {
    sil_executor *executor;
    atomic_uint *leaves;
    unsigned depth;
};

static int grow(void *arg, void *result)
{
    (void)result;
    struct tree *tree = arg;
    if (tree->depth == 0) {
        (void)atomic_fetch_add(tree->leaves, 1);
        return 0;
    }
    struct tree twigs[2] = {*tree, *tree};
    twigs[0].depth--;
    twigs[1].depth--;
    return sil_post_many(tree->executor, grow, twigs, sizeof twigs[0], 2);
}

static void test_posted_tasks_grow_a_tree(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    atomic_uint leaves = 0;
    struct tree tree = {executor, &leaves, 12};
    assert_code(sil_post(executor, grow, &tree, sizeof tree), 0);
    eventually(atomic_load(&leaves) == 1u << 12);
    contract_close(executor);
    assert_int_equal(leaves, 1u << 12);
}

struct from_callback {
    sil_executor *executor;
    struct latch *ran;
    int code;
};

static void post_done(sil_future *future, void *user)
{
    (void)future;
    struct from_callback *seen = user;
    seen->code = sil_post(seen->executor, count_down, &seen->ran, sizeof seen->ran);
}

static void test_done_callbacks_may_post(void **state)
{
    (void)state;
    for (int i = 0; i < contract_rounds(200); i++) {
        sil_executor *executor = contract_create();
        struct from_callback seen = {executor, contract_latch(1), 1};
        sil_future *future = submit_nothing(executor);
        assert_code(sil_future_add_done_callback(future, post_done, &seen), 0);
        latch_wait(seen.ran);
        contract_close(executor);
        assert_code(seen.code, 0);
        sil_future_release(future);
        contract_unshare(seen.ran);
    }
}

static void test_done_callback_of_a_promise_may_post(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    struct from_callback seen = {executor, contract_latch(1), 1};
    assert_code(sil_future_add_done_callback(future, post_done, &seen), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, resolve, promise), 0);
    latch_wait(seen.ran);
    (void)pthread_join(thread, NULL);
    assert_code(seen.code, 0);
    contract_close(executor);
    sil_promise_destroy(promise);
    sil_future_release(future);
}

static int resolve_own(void *arg, void *result)
{
    (void)result;
    int value = 1;
    return sil_promise_resolve(*(sil_promise **)arg, &value);
}

static void test_callbacks_of_what_a_posted_task_ends_run_in_it(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    struct from_callback seen = {executor, contract_latch(1), 1};
    assert_code(sil_future_add_done_callback(future, post_done, &seen), 0);
    assert_code(sil_post(executor, resolve_own, &promise, sizeof promise), 0);
    latch_wait(seen.ran);
    contract_close(executor);
    assert_code(seen.code, 0);
    sil_promise_destroy(promise);
    sil_future_release(future);
}

const struct contract_test contract_post_inside[] = {
    PROMISE(test_ambient_calls_do_no_harm_in_a_posted_task, 0),
    PROMISE(test_error_of_a_posted_task_is_not_seen_by_the_next, 0),
    PROMISE(test_error_of_a_posted_task_is_not_seen_by_whoever_posts, 0),
    PROMISE(test_posted_task_may_await_what_a_thread_resolves, SHARES_MEMORY),
    PROMISE(test_posted_task_may_await_its_children, SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_posted_task_may_shut_its_executor_down, SHARES_MEMORY),
    PROMISE(test_posted_task_may_close_its_executor, SHARES_MEMORY),
    PROMISE(test_posted_task_that_closes_lets_the_pending_ones_run, ASYNCHRONOUS | SHARES_MEMORY),
    PROMISE(test_posted_tasks_post_the_next_of_a_long_chain, ASYNCHRONOUS | SHARES_MEMORY),
    PROMISE(test_posted_tasks_post_the_next_of_a_chain, SHARES_MEMORY),
    PROMISE(test_posted_tasks_grow_a_tree, SHARES_MEMORY | TAKES_ALL),
    PROMISE(test_done_callbacks_may_post, 0),
    PROMISE(test_done_callback_of_a_promise_may_post, 0),
    PROMISE(test_callbacks_of_what_a_posted_task_ends_run_in_it, SHARES_MEMORY),
    {0},
};
