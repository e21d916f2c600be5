/* SPDX-License-Identifier: MIT */
/*
 * A process pool of which everything is real but its helper, its threads and its workers: their
 * part is played here, by bytes that say what comes next. Tasks are submitted, sent, answered well
 * or badly, cancelled; workers end; anything may be written into a channel at any time.
 */
#include "answers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sillon/sillon.h>

#include "base/alloc.h"
#include "process/pool.h"

enum { WORKERS = 2, FUTURES = 64, REGION = 2 << 20, MOST_SIZE = 5000 };

struct play {
    const uint8_t *bytes;
    size_t left;
    struct sil__procs *pool;
    sil_future *futures[FUTURES];
    uint32_t written[WORKERS]; /* answers */
    unsigned well;
};

static void check(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

/* --- bytes --------------------------------------------------------------------------------- */

static unsigned below(struct play *play, unsigned limit)
{
    if (play->left == 0)
        return 0;
    play->left--;
    return *play->bytes++ % limit;
}

static uint64_t number(struct play *play)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | below(play, 256);
    return value;
}

static uint64_t some_size(struct play *play)
{
    static const uint64_t sizes[] = {0,    8,         SIL__SLOT_BYTES,    SIL__ANSWER_BYTES,
                                     97,   MOST_SIZE, (uint64_t)1 << 40,  UINT64_MAX,
                                     4096, 100000,    SIL__SLOT_BYTES + 1};
    return sizes[below(play, sizeof sizes / sizeof *sizes)];
}

/* --- the pool ------------------------------------------------------------------------------ */

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(memory != MAP_FAILED, "no memory");
    return memory;
}

static void occupy(struct play *play, unsigned index)
{
    struct sil__procs *pool = play->pool;
    struct sil__staff *staff = &pool->staff[index];
    sil__free(staff->blocks);
    *staff = (struct sil__staff){
        .state = SIL__STAFF_WORKING, .pidfd = -1, .pid = 1000, .generation = ++pool->generations};
    staff->channel = map(sizeof *staff->channel);
    play->written[index] = 0;
    pool->loads[index] = 0;
    pool->live++;
    pool->broken = 0;
    pool->failed_starts = 0;
    sil__free(pool->why);
    pool->why = NULL;
}

static void make_pool(struct play *play)
{
    struct sil__procs *pool = play->pool = sil__alloc_lines(sizeof *pool);
    check(pool, "no pool");
    pool->control_fd = pool->kick_fd = pool->timer_fd = pool->epoll_fd = pool->helper_socket = -1;
    pool->name = "fuzz";
    pool->depth = SIL__RING;
    pool->keep = pool->base.workers = WORKERS;
    pool->hello.control_size = sizeof *pool->control;
    pool->control = map(sizeof *pool->control);
    pool->region = sil__region_create(REGION);
    if (below(play, 2))
        pool->hello.region_base = (uintptr_t)sil__region_base(pool->region);
    pool->retries = below(play, 2);
    pool->kill_on_cancel = below(play, 2);
    pool->staff = sil__alloc_array(WORKERS, sizeof *pool->staff);
    pool->loads = sil__alloc_array(WORKERS, sizeof *pool->loads);
    pool->encoder = sil__encoder_create(&pool->control->modules);
    check(pool->region && pool->staff && pool->loads && pool->encoder, "no parts");
    sil_executor_init(&pool->base, &sil__procs_ops, WORKERS);
    for (unsigned i = 0; i < WORKERS; i++)
        occupy(play, i);
}

static void collect(struct play *play)
{
    check(sil__watch_take(play->pool), "the watch is taken");
    (void)sil__collect(play->pool);
    sil__watch_drop(play->pool);
}

static void end_worker(struct play *play, unsigned index)
{
    struct sil__procs *pool = play->pool;
    struct sil__staff *staff = &pool->staff[index];
    sil__lock_take(&pool->lock);
    staff->status_known = below(play, 2);
    staff->status = (int)below(play, 256);
    sil__ended_locked(pool, staff);
    sil__lock_drop(&pool->lock);
    for (unsigned i = 0; staff->channel && i < SIL__RING; i++)
        collect(play);
    check(!staff->channel, "the place of one that ended is not free");
}

/* --- tasks --------------------------------------------------------------------------------- */

static int never_run(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return EIO;
}

/* All of its result is there. */
static void look_at(struct play *play, sil_future *future)
{
    size_t size = 0;
    if (!sil_future_done(future))
        return;
    const volatile unsigned char *bytes = sil_future_result(future, &size);
    if (sil_future_code(future) == 0)
        play->well++;
    if (bytes && size > 0)
        (void)(bytes[0] + bytes[size / 2] + bytes[size - 1]);
    const sil_error *error = sil_future_error(future);
    if (error)
        (void)strlen(sil_error_message(error));
}

static void drop(struct play *play, unsigned at)
{
    look_at(play, play->futures[at]);
    sil_future_release(play->futures[at]);
    play->futures[at] = NULL;
}

static void submit(struct play *play)
{
    static unsigned char arg[MOST_SIZE];
    unsigned at = below(play, FUTURES);
    if (play->futures[at])
        return;
    size_t arg_size = (size_t)some_size(play) % (MOST_SIZE + 1);
    size_t result_size = (size_t)some_size(play) % (MOST_SIZE + 1);
    const sil_submit_options options = {.name = below(play, 2) ? "fuzzed" : NULL,
                                        .priority = (sil_priority)((int)below(play, 3) - 1),
                                        .retries = below(play, 3)};
    play->futures[at] = sil_submit_with(&play->pool->base, &options, never_run,
                                        arg_size ? arg : NULL, arg_size, result_size);
}

static void meddle(struct play *play)
{
    unsigned at = below(play, FUTURES);
    sil_future *future = play->futures[at];
    uint64_t done;
    uint64_t total;
    if (!future)
        return;
    unsigned what = below(play, 5);
    if (what == 0)
        (void)sil_future_cancel(future);
    else if (what == 1)
        (void)sil_future_kill(future);
    else if (what == 2)
        (void)sil_future_progress(future, &done, &total);
    else if (what == 3)
        (void)sil_future_state(future);
    else if (sil_future_done(future))
        drop(play, at);
}

/* --- what a worker does -------------------------------------------------------------------- */

static struct sil__flight *flight_at(struct sil__staff *staff, uint32_t position)
{
    return &staff->flights[position % SIL__RING];
}

static void begin(struct play *play, struct sil__staff *staff)
{
    uint32_t position = staff->oldest + below(play, 3);
    uint32_t state = sil__slot_state(position, SIL__SLOT_SENT);
    (void)atomic_compare_exchange_strong(&staff->channel->slots[position % SIL__RING].state, &state,
                                         sil__slot_state(position, SIL__SLOT_BEGUN));
}

static void *some_block(struct play *play, struct sil__staff *staff, uint32_t position)
{
    unsigned char *base = sil__region_base(play->pool->region);
    unsigned what = below(play, 8);
    if (what < 2)
        return flight_at(staff, position)->result;
    if (what == 2)
        return flight_at(staff, position)->arg;
    if (what == 3 && staff->block_count)
        return staff->blocks[below(play, 8) % staff->block_count];
    if (what == 4)
        return base + 64 * (number(play) % (REGION / 64));
    // NOLINTNEXTLINE(performance-no-int-to-ptr): any address
    return what == 5 ? (void *)(uintptr_t)number(play) : NULL;
}

/* Its place in the ring, or NULL: it is full. */
static struct sil__answer *next_answer(struct play *play, unsigned index)
{
    struct sil__staff *staff = &play->pool->staff[index];
    if (play->written[index] - staff->answers >= SIL__RING)
        return NULL;
    return &staff->channel->answers[play->written[index] % SIL__RING];
}

static void send_one(struct play *play, unsigned index, struct sil__answer *answer)
{
    atomic_store_explicit(&answer->number, ++play->written[index], memory_order_release);
}

static void answer_well(struct play *play, unsigned index)
{
    struct sil__staff *staff = &play->pool->staff[index];
    struct sil__answer *answer = next_answer(play, index);
    const struct sil__flight *flight = flight_at(staff, staff->oldest);
    if (!answer || !flight->task || staff->oldest == staff->sent)
        return;
    answer->kind = SIL__ANSWER_DONE;
    answer->position = staff->oldest;
    answer->code = below(play, 2) ? EIO : 0;
    answer->size = flight->task->result_size;
    answer->block = (uintptr_t)flight->result;
    send_one(play, index, answer);
}

static void answer_badly(struct play *play, unsigned index)
{
    struct sil__staff *staff = &play->pool->staff[index];
    struct sil__answer *answer = next_answer(play, index);
    if (!answer)
        return;
    answer->kind = below(play, 8);
    answer->position = staff->oldest + below(play, 4) - below(play, 2);
    answer->code = below(play, 2) ? 0 : (int32_t)number(play);
    answer->size = some_size(play);
    answer->block = (uintptr_t)some_block(play, staff, answer->position);
    memset(answer->bytes, (int)below(play, 256), sizeof answer->bytes);
    send_one(play, index, answer);
}

static void scribble(struct play *play, void *memory, size_t size)
{
    size_t at = (size_t)number(play) % (size / 4) * 4;
    uint32_t value = (uint32_t)number(play) >> below(play, 32);
    memcpy((char *)memory + at, &value, sizeof value);
}

static void look_around(struct play *play)
{
    collect(play);
    check(sil__watch_take(play->pool), "the watch is taken");
    sil__inspect(play->pool);
    sil__watch_drop(play->pool);
}

static void go_on(struct play *play)
{
    unsigned index = below(play, WORKERS);
    struct sil__staff *staff = &play->pool->staff[index];
    unsigned what = below(play, 12);
    if (what < 3)
        submit(play);
    else if (what == 3)
        begin(play, staff);
    else if (what < 6)
        answer_well(play, index);
    else if (what == 6)
        answer_badly(play, index);
    else if (what == 7)
        scribble(play, staff->channel, sizeof *staff->channel);
    else if (what == 8)
        scribble(play, play->pool->control, offsetof(struct sil__control, modules));
    else if (what == 9)
        meddle(play);
    else if (what == 10)
        look_around(play);
    else if (staff->mad || staff->doomed || below(play, 8) == 0) {
        end_worker(play, index);
        occupy(play, index);
    }
    play->pool->inspect_at *= below(play, 2); /* now, or in half a second */
}

/* Blocks that a task has made are its program's: here nobody else gives them back. */
static void free_blocks(struct sil__region *region)
{
    unsigned char *base = sil__region_base(region);
    size_t size = sil__region_size(region);
    for (size_t at = 0; at < size; at += 64)
        if (sil__region_is_block(region, base + at, 1))
            (void)sil__region_free(base + at);
}

unsigned fuzz_answers(const uint8_t *bytes, size_t size)
{
    struct play play = {.bytes = bytes, .left = size};
    make_pool(&play);
    while (play.left > 0)
        go_on(&play);
    play.pool->dropping = true;
    for (unsigned i = 0; i < WORKERS; i++)
        end_worker(&play, i);
    for (unsigned i = 0; i < FUTURES; i++) {
        check(!play.futures[i] || sil_future_done(play.futures[i]), "a task has not ended");
        if (play.futures[i])
            drop(&play, i);
    }
    check((atomic_load(&play.pool->open) & ~SIL__OPEN_WAITED) == 0, "tasks are open");
    check(play.pool->in_flight == 0, "tasks are in flight");
    free_blocks(play.pool->region);
    sil__procs_destroy(play.pool);
    return play.well;
}
