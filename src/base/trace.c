/* SPDX-License-Identifier: MIT */
/*
 * Traces, see trace.h: the stock of chunks, the threads' recorders, the beginning and the end.
 *
 * Locks: list_lock and stock_lock are taken by themselves.
 */
#include "base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/asymmetric.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/futex.h"
#include "base/lock.h"
#include "base/spawn.h"

/* The writer looks so often, */
#define INTERVAL INT64_C(100000000)
/* and when so many chunks, or half of all, wait for it: they are still in the cache then. */
#define ENOUGH 32

#define MOST_NAME ((size_t)255)
#define MOST_ARGUMENTS ((size_t)16000)

_Atomic uint32_t sil__trace_state;

enum phase { OFF, CHANGING, ON };

static struct {
    /* Read-only once the library is loaded. */
    bool prepared;
    pthread_key_t at_thread_end;

    struct sil__lock list_lock;
    /* Guarded by list_lock; what follows phase is of who has made it CHANGING. */
    enum phase phase;
    uint32_t trace;
    pthread_t writer;
    struct sil__trace_file file;
    /* Atomic; pushed with list_lock (I2). */
    _Atomic(struct sil__trace_recorder *) recorders;
    _Atomic uint32_t numbers;
    _Atomic uint64_t lost;
    _Atomic uint32_t calls; /* futex: one more when the writer is to look */
    _Atomic bool ends;

    struct sil__lock stock_lock;
    /* Guarded by stock_lock. */
    struct sil__trace_chunk *stock; /* free ones */
    size_t used, limit;
} shared;

static _Thread_local struct sil__trace_recorder *own;

/* --- chunks --------------------------------------------------------------------------------- */

static void call_writer(void)
{
    atomic_fetch_add_explicit(&shared.calls, 1, memory_order_release);
    sil__futex_wake(&shared.calls, 1);
}

/* NULL: there is none to be had. */
static struct sil__trace_chunk *take_chunk(void)
{
    sil__lock_take(&shared.stock_lock);
    struct sil__trace_chunk *chunk = NULL;
    bool may = shared.used < shared.limit;
    if (may && shared.stock) {
        chunk = shared.stock;
        shared.stock = atomic_load_explicit(&chunk->next, memory_order_relaxed);
    }
    shared.used += may;
    size_t enough = shared.limit / 2 < ENOUGH ? shared.limit / 2 : ENOUGH;
    bool call = may && (shared.used == enough || shared.used == shared.limit);
    sil__lock_drop(&shared.stock_lock);
    if (call)
        call_writer();
    if (!may)
        return NULL;
    if (!chunk)
        chunk = sil__alloc_raw(sizeof *chunk);
    if (chunk) {
        atomic_init(&chunk->next, NULL);
        atomic_init(&chunk->filled, 0);
        return chunk;
    }
    sil__lock_take(&shared.stock_lock);
    shared.used--;
    sil__lock_drop(&shared.stock_lock);
    return NULL;
}

void sil__trace_give_chunk(struct sil__trace_chunk *chunk)
{
    sil__lock_take(&shared.stock_lock);
    atomic_store_explicit(&chunk->next, shared.stock, memory_order_relaxed);
    shared.stock = chunk;
    shared.used--;
    sil__lock_drop(&shared.stock_lock);
}

static void empty_stock(void)
{
    sil__lock_take(&shared.stock_lock);
    struct sil__trace_chunk *chunk = shared.stock;
    shared.stock = NULL;
    sil__lock_drop(&shared.stock_lock);
    while (chunk) {
        struct sil__trace_chunk *next = atomic_load_explicit(&chunk->next, memory_order_relaxed);
        sil__free(chunk);
        chunk = next;
    }
}

/* --- recorders ------------------------------------------------------------------------------ */

struct sil__trace_recorder *sil__trace_recorders(void)
{
    return atomic_load_explicit(&shared.recorders, memory_order_acquire);
}

static void unlink_locked(struct sil__trace_recorder *recorder)
{
    _Atomic(struct sil__trace_recorder *) *link = &shared.recorders;
    struct sil__trace_recorder *at;
    while ((at = atomic_load_explicit(link, memory_order_relaxed)) != recorder)
        link = &at->next;
    atomic_store_explicit(link, atomic_load_explicit(&recorder->next, memory_order_relaxed),
                          memory_order_release);
}

static void free_recorder(struct sil__trace_recorder *recorder)
{
    struct sil__trace_chunk *chunk = atomic_load_explicit(&recorder->first, memory_order_relaxed);
    if (chunk) /* one only: it has been read */
        sil__trace_give_chunk(chunk);
    sil__free(recorder);
}

static void thread_ends(void *argument)
{
    struct sil__trace_recorder *recorder = argument;
    own = NULL;
    sil__lock_take(&shared.list_lock);
    bool idle = shared.phase == OFF;
    if (idle)
        unlink_locked(recorder);
    else
        /* Release: all that it has told comes before. */
        atomic_store_explicit(&recorder->left, true, memory_order_release);
    sil__lock_drop(&shared.list_lock);
    if (idle)
        free_recorder(recorder);
}

static bool has_more(const struct sil__trace_recorder *recorder)
{
    const struct sil__trace_chunk *chunk =
        atomic_load_explicit(&recorder->first, memory_order_acquire);
    return chunk && (atomic_load_explicit(&chunk->next, memory_order_acquire) ||
                     atomic_load_explicit(&chunk->filled, memory_order_acquire) != recorder->read);
}

void sil__trace_reap(void)
{
    sil__lock_take(&shared.list_lock);
    struct sil__trace_recorder *next;
    for (struct sil__trace_recorder *at = sil__trace_recorders(); at; at = next) {
        next = atomic_load_explicit(&at->next, memory_order_relaxed);
        if (!atomic_load_explicit(&at->left, memory_order_acquire) || has_more(at))
            continue;
        unlink_locked(at);
        free_recorder(at);
    }
    sil__lock_drop(&shared.list_lock);
}

static struct sil__trace_recorder *create_recorder(void)
{
    struct sil__trace_recorder *recorder = sil__alloc(sizeof *recorder);
    if (!recorder)
        return NULL;
    recorder->row = (uint32_t)syscall(SYS_gettid);
    if (prctl(PR_GET_NAME, recorder->name) != 0 || recorder->name[0] == '\0')
        (void)snprintf(recorder->name, sizeof recorder->name, "thread");
    if (pthread_setspecific(shared.at_thread_end, recorder) != 0) {
        sil__free(recorder);
        return NULL;
    }
    sil__lock_take(&shared.list_lock);
    atomic_store_explicit(&recorder->next, sil__trace_recorders(), memory_order_relaxed);
    atomic_store_explicit(&shared.recorders, recorder, memory_order_release);
    sil__lock_drop(&shared.list_lock);
    return recorder;
}

/* --- telling -------------------------------------------------------------------------------- */

static size_t text_size(const char *text, size_t most)
{
    return text ? strnlen(text, most) + 1 : 0;
}

static void put_text(unsigned char **to, const char *text, size_t size)
{
    if (size == 0)
        return;
    memcpy(*to, text, size - 1);
    (*to)[size - 1] = 0;
    *to += size;
}

/* Room for a record in the last chunk or a new one; NULL: there is none. */
static unsigned char *find_room(struct sil__trace_recorder *recorder, size_t size)
{
    struct sil__trace_chunk *last = recorder->last;
    if (last) {
        uint32_t filled = atomic_load_explicit(&last->filled, memory_order_relaxed);
        if (size <= sizeof last->bytes - filled)
            return last->bytes + filled;
    }
    struct sil__trace_chunk *fresh = take_chunk();
    if (!fresh)
        return NULL;
    recorder->last = fresh;
    /* Release pairs with the reader's acquire: the chunk before its place. */
    atomic_store_explicit(last ? &last->next : &recorder->first, fresh, memory_order_release);
    return fresh->bytes;
}

static bool append(struct sil__trace_recorder *recorder, const struct sil__trace_event *event)
{
    size_t name = text_size(event->name, MOST_NAME), category = text_size(event->category, 63);
    size_t arguments = text_size(event->arguments, MOST_ARGUMENTS + 1);
    if (arguments > MOST_ARGUMENTS + 1)
        arguments = 0; /* a part would be no object */
    size_t size = (sizeof(struct sil__trace_record) + name + category + arguments + 7) & ~(size_t)7;
    unsigned char *room = find_room(recorder, size);
    if (!room)
        return false;
    *(struct sil__trace_record *)(void *)room = (struct sil__trace_record){
        .size = (uint32_t)size,
        .row = event->row ? event->row : recorder->row,
        .at = event->at,
        .duration = event->until - event->at,
        .queued = event->queued,
        .id = event->id,
        .value = event->value,
        .function = event->function,
        .name_size = (uint16_t)name,
        .category_size = (uint16_t)category,
        .arguments_size = (uint16_t)arguments,
        .phase = event->phase,
    };
    unsigned char *to = room + sizeof(struct sil__trace_record);
    put_text(&to, event->name, name);
    put_text(&to, event->category, category);
    put_text(&to, event->arguments, arguments);
    struct sil__trace_chunk *last = recorder->last;
    /* Release pairs with the reader's acquire: the record before its place. */
    atomic_store_explicit(&last->filled, (uint32_t)(room - last->bytes + (ptrdiff_t)size),
                          memory_order_release);
    return true;
}

void sil__trace_put(const struct sil__trace_event *event)
{
    if (!sil__trace_on())
        return;
    if (!own && !(own = create_recorder())) {
        atomic_fetch_add_explicit(&shared.lost, 1, memory_order_relaxed);
        return;
    }
    /* I1: pairs with the heavy one in sil__trace_stop. */
    atomic_store_explicit(&own->busy, 1, memory_order_relaxed);
    sil__barrier_light();
    uint32_t trace =
        atomic_load_explicit(&sil__trace_state, memory_order_acquire) >> SIL__TRACE_SHIFT;
    if (trace != 0 && (event->trace == 0 || event->trace == trace) && !append(own, event))
        atomic_fetch_add_explicit(&shared.lost, 1, memory_order_relaxed);
    /* Release pairs with the acquire of who waits for us. */
    atomic_store_explicit(&own->busy, 0, memory_order_release);
}

uint32_t sil__trace_next(void)
{
    return atomic_fetch_add_explicit(&shared.numbers, 1, memory_order_relaxed) + 1;
}

/* --- beginning and end ---------------------------------------------------------------------- */

bool sil__trace_rest(void)
{
    /* Acquire pairs with the release of who calls: what it did before is seen after. */
    static _Thread_local uint32_t seen;
    uint32_t calls = atomic_load_explicit(&shared.calls, memory_order_acquire);
    if (calls == seen && !atomic_load_explicit(&shared.ends, memory_order_acquire))
        (void)sil__futex_wait(&shared.calls, calls, sil__clock_now() + INTERVAL);
    seen = calls;
    return atomic_load_explicit(&shared.ends, memory_order_acquire);
}

static void in_child(void)
{
    atomic_store_explicit(&sil__trace_state, 0, memory_order_relaxed);
    if (shared.phase != OFF && shared.file.fd >= 0)
        (void)close(shared.file.fd);
    if (own)
        (void)pthread_setspecific(shared.at_thread_end, NULL);
    own = NULL;
    shared.list_lock = shared.stock_lock = (struct sil__lock){0};
    shared.phase = OFF;
    shared.used = 0;
    shared.stock = NULL;
    atomic_store_explicit(&shared.recorders, NULL, memory_order_relaxed);
}

__attribute__((constructor)) static void prepare(void)
{
    shared.prepared = pthread_key_create(&shared.at_thread_end, thread_ends) == 0;
    sil__fork_on_child(in_child);
}

/* False: it is not as it should be for that. */
static bool change(enum phase from)
{
    sil__lock_take(&shared.list_lock);
    bool right = shared.phase == from;
    if (right)
        shared.phase = CHANGING;
    sil__lock_drop(&shared.list_lock);
    return right;
}

/* Nobody writes, and nobody reads: give up all that was needed for it. */
static void clean_up(void)
{
    sil__lock_take(&shared.list_lock);
    struct sil__trace_recorder *next;
    for (struct sil__trace_recorder *at = sil__trace_recorders(); at; at = next) {
        next = atomic_load_explicit(&at->next, memory_order_relaxed);
        struct sil__trace_chunk *chunk = atomic_load_explicit(&at->first, memory_order_relaxed);
        if (chunk)
            sil__trace_give_chunk(chunk);
        atomic_store_explicit(&at->first, NULL, memory_order_relaxed);
        at->last = NULL;
        at->read = 0;
        if (atomic_load_explicit(&at->left, memory_order_relaxed)) {
            unlink_locked(at);
            sil__free(at);
        }
    }
    shared.phase = OFF;
    sil__lock_drop(&shared.list_lock);
    empty_stock();
}

static int open_file(const char *path, const char *process)
{
    struct sil__trace_file *file = &shared.file;
    *file = (struct sil__trace_file){.fd = -1, .trace = shared.trace};
    (void)snprintf(file->process, sizeof file->process, "%s", process);
    if (!shared.prepared)
        return SIL_EAGAIN;
    if (sil__fault(SIL__FAULT_SYSTEM))
        return EMFILE;
    file->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    file->origin = sil__clock_now();
    return file->fd < 0 ? errno : 0;
}

int sil__trace_start(const char *path, const char *process, size_t buffer_size, bool library)
{
    if (!change(OFF))
        return SIL_EALREADY;
    shared.trace = shared.trace % (UINT32_MAX >> SIL__TRACE_SHIFT) + 1;
    int code = open_file(path, process);
    if (code != 0)
        goto fail;
    size_t chunks = buffer_size / SIL__TRACE_CHUNK;
    sil__lock_take(&shared.stock_lock);
    shared.limit = chunks > 2 ? chunks : 2;
    sil__lock_drop(&shared.stock_lock);
    atomic_store_explicit(&shared.lost, 0, memory_order_relaxed);
    atomic_store_explicit(&shared.ends, false, memory_order_relaxed);
    if (!sil__spawn(&shared.writer, 0, sil__trace_write, &shared.file)) {
        code = SIL_EAGAIN;
        goto fail_thread;
    }
    sil__lock_take(&shared.list_lock);
    shared.phase = ON;
    sil__lock_drop(&shared.list_lock);
    uint32_t flags = SIL__TRACE_ON | (library ? SIL__TRACE_LIBRARY : 0u);
    /* Release pairs with the acquire of who writes: the recorders are as clean_up left them. */
    atomic_store_explicit(&sil__trace_state, shared.trace << SIL__TRACE_SHIFT | flags,
                          memory_order_release);
    return 0;

fail_thread:
    (void)close(shared.file.fd);
fail:
    clean_up();
    return code;
}

/* Until nobody is writing any more (I1). */
static void wait_for_busy(void)
{
    sil__barrier_heavy();
    sil__lock_take(&shared.list_lock); /* so that the writer forgets none meanwhile */
    for (struct sil__trace_recorder *at = sil__trace_recorders(); at;
         at = atomic_load_explicit(&at->next, memory_order_relaxed))
        while (atomic_load_explicit(&at->busy, memory_order_acquire))
            (void)sched_yield();
    sil__lock_drop(&shared.list_lock);
}

int sil__trace_stop(uint64_t *out_lost)
{
    if (!change(ON))
        return SIL_EALREADY;
    atomic_store_explicit(&sil__trace_state, 0, memory_order_relaxed);
    wait_for_busy();
    atomic_store_explicit(&shared.ends, true, memory_order_release);
    call_writer();
    (void)pthread_join(shared.writer, NULL);
    int error = shared.file.error;
    if (close(shared.file.fd) != 0 && error == 0 && errno != EINTR)
        error = errno;
    if (out_lost)
        *out_lost = atomic_load_explicit(&shared.lost, memory_order_relaxed);
    clean_up();
    return error;
}
