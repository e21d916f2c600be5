/* SPDX-License-Identifier: MIT */
/*
 * The machine's own round trip: two threads and a futex word for each way, no spinning. No pool
 * whose submitter and workers sleep can be faster than this.
 */
#include <pthread.h>
#include <stdlib.h>

#include "harness/adapter.h"
#include "harness/futex.h"

struct word {
    uint32_t value __attribute__((aligned(128)));
};

static struct word there;
static struct word back;
static task_fn current_fn;
static void *current_arg;

static void word_raise(struct word *word)
{
    __atomic_store_n(&word->value, 1u, __ATOMIC_RELEASE);
    futex_wake(&word->value, 1);
}

static void word_take(struct word *word)
{
    while (__atomic_load_n(&word->value, __ATOMIC_ACQUIRE) != 1)
        futex_wait(&word->value, 0);
    __atomic_store_n(&word->value, 0u, __ATOMIC_RELAXED);
}

static void *partner(void *arg)
{
    (void)arg;
    for (;;) {
        word_take(&there);
        current_fn(current_arg);
        word_raise(&back);
    }
    return NULL;
}

static void start(int workers)
{
    pthread_t thread;
    (void)workers;
    if (pthread_create(&thread, NULL, partner, NULL) != 0)
        abort();
}

static void submit(void *handle, task_fn fn, void *arg)
{
    (void)handle;
    current_fn = fn;
    current_arg = arg;
    word_raise(&there);
}

static void get(void *handle)
{
    (void)handle;
    word_take(&back);
}

const struct adapter bench_adapter = {
    .name = "futex-pair",
    .start = start,
    .handle_size = 1,
    .submit = submit,
    .get = get,
};
