/* SPDX-License-Identifier: MIT */
/*
 * The threads, see dump_thread.h, and how one looks at what another thread does.
 *
 * Looking: watched is set in the contexts concerned, then comes the heavy side of the asymmetric barrier,
 * and then frame and waiting are read. Whoever takes one of them off (sil__context_pop, wakes) does the
 * light side, and looks at watched. So either we read that it was taken off; or it is seen that we are
 * looking, and waited until we have let go of the registry's lock.
 */
#include "core/dump_thread.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fork.h"
#include "core/dump.h"

static _Atomic(struct sil__thread *) threads;

/* --- who is there ------------------------------------------------------------------------------- */

void sil__thread_enlist(struct sil__thread *thread)
{
    if (thread->left)
        return;
    thread->listed = true;
    thread->tid = (pid_t)syscall(SYS_gettid);
    struct sil__thread *first = atomic_load_explicit(&threads, memory_order_relaxed);
    do {
        atomic_store_explicit(&thread->next, first, memory_order_relaxed);
        /* Release pairs with the acquire of whoever goes through the list. */
    } while (!atomic_compare_exchange_weak_explicit(&threads, &first, thread, memory_order_release,
                                                    memory_order_relaxed));
}

static struct sil__thread *next_of(const struct sil__thread *thread)
{
    return atomic_load_explicit(&thread->next, memory_order_relaxed);
}

/* False: others have enlisted in front of it meanwhile. */
static bool unlink_locked(struct sil__thread *thread)
{
    struct sil__thread *at = atomic_load_explicit(&threads, memory_order_acquire);
    if (at == thread) {
        struct sil__thread *first = at;
        return atomic_compare_exchange_strong_explicit(&threads, &first, next_of(thread),
                                                       memory_order_acq_rel, memory_order_relaxed);
    }
    while (next_of(at) != thread)
        at = next_of(at);
    atomic_store_explicit(&at->next, next_of(thread), memory_order_relaxed);
    return true;
}

void sil__thread_leave(struct sil__thread *thread)
{
    thread->left = true;
    if (!thread->listed)
        return;
    thread->listed = false;
    sil__registry_lock();
    while (!unlink_locked(thread))
        ;
    sil__registry_unlock();
}

void sil__threads_in_child(struct sil__thread *self)
{
    if (self->listed) {
        self->tid = (pid_t)syscall(SYS_gettid);
        atomic_store_explicit(&self->next, NULL, memory_order_relaxed);
        atomic_store_explicit(&self->context.watched, false, memory_order_relaxed);
    }
    atomic_store_explicit(&threads, self->listed ? self : NULL, memory_order_relaxed);
}

/* --- looking ------------------------------------------------------------------------------------ */

static void watch(struct sil__context *context, bool watched)
{
    /* Release: whoever sees it end goes on after we have read. */
    atomic_store_explicit(&context->watched, watched, memory_order_release);
}

/* As the kernel has it; a thread may change it at any time. */
static uint32_t name_of(struct sil__part *part, pid_t tid)
{
    char name[32] = "";
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/comm", (int)tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, name, sizeof name - 1) : 0;
    if (fd >= 0)
        (void)close(fd);
    name[size > 0 ? size - 1 : 0] = '\0'; /* without the end of the line */
    return sil__part_text(part, "thread %d '%s'", (int)tid, name);
}

static void fill(struct sil__part *part, const struct sil__thread *thread)
{
    const struct sil__context *context = &thread->context;
    struct sil__node node = {.seen = SIL__SEEN_RUNNING, .where = name_of(part, thread->tid)};
    /* Acquire pairs with the release store in sil__context_sleeps. */
    struct sil__waiter *waiter = atomic_load_explicit(&context->waiting, memory_order_acquire);
    if (waiter) {
        node.since = context->since;
        sil__node_waits(part, &node, context, waiter);
    }
    if (sil__part_context(part, context, &node))
        return;
    node.task = node.context = context;
    node.name = node.where;
    node.plain = true;
    node.where = 0;
    node.hidden = !waiter;
    sil__part_add(part, &node);
}

void sil__threads_fill(struct sil__part *part)
{
    struct sil__thread *first = atomic_load_explicit(&threads, memory_order_acquire);
    for (struct sil__thread *thread = first; thread; thread = next_of(thread))
        watch(&thread->context, true);
    sil__barrier_heavy();
    for (struct sil__thread *thread = first; thread; thread = next_of(thread))
        fill(part, thread);
    for (struct sil__thread *thread = first; thread; thread = next_of(thread))
        watch(&thread->context, false);
}

bool sil__thread_peek(struct sil__part *part, struct sil__context *(*current)(void *user),
                      void *user, struct sil__node *node)
{
    struct sil__context *context = current(user);
    if (!context)
        return false;
    watch(context, true);
    sil__barrier_heavy();
    bool found = current(user) == context && sil__part_context(part, context, node);
    watch(context, false);
    return found;
}
