/* SPDX-License-Identifier: MIT */
/*
 * The textbook pool: one queue, one mutex, one condition variable, one malloc for each task.
 */
#include <pthread.h>
#include <stdlib.h>

#include "harness/adapter.h"

struct node {
    struct node *next;
    task_fn fn;
    void *arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static struct node *head;
static struct node **tail = &head;

static struct node *node_take(void)
{
    pthread_mutex_lock(&lock);
    while (head == NULL)
        pthread_cond_wait(&filled, &lock);
    struct node *node = head;
    head = node->next;
    if (head == NULL)
        tail = &head;
    pthread_mutex_unlock(&lock);
    return node;
}

static void *worker(void *arg)
{
    (void)arg;
    for (;;) {
        struct node *node = node_take();
        node->fn(node->arg);
        free(node);
    }
    return NULL;
}

static void start(int workers)
{
    for (int i = 0; i < workers; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, NULL) != 0)
            abort();
    }
}

static void post(task_fn fn, void *arg)
{
    struct node *node = malloc(sizeof *node);
    if (node == NULL)
        abort();
    *node = (struct node){NULL, fn, arg};
    pthread_mutex_lock(&lock);
    *tail = node;
    tail = &node->next;
    pthread_mutex_unlock(&lock);
    pthread_cond_signal(&filled);
}

const struct adapter bench_adapter = {
    .name = "textbook",
    .start = start,
    .post = post,
};
