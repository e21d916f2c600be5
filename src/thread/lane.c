/* SPDX-License-Identifier: MIT */
/*
 * Lanes, see lane.h.
 *
 * The edge has plain types, for it is read by inline functions of a public header: it is accessed
 * by the compiler's atomic functions, relaxed; I3 tells why that is enough.
 */
#include "thread/lane.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/fork.h"
#include "thread/crew.h"
#include "thread/pool.h"

/* The word: split in the lowest bits, then tail, then the epoch, which may wrap around. */
#define INDEX_BITS 17
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)
#define ONE_TAIL (UINT64_C(1) << INDEX_BITS)
#define ONE_EPOCH (UINT64_C(1) << (2 * INDEX_BITS))

/* The head of a full lane must still lie in its memory: one slot is never used. */
#define CAPACITY ((SIL_LANE_SIZE - sizeof(struct sil__lane)) / sizeof(sil_child *) - 1)
/* Private children of a lane that is not hungry, below which it wants more. */
#define ENOUGH 8

static size_t split_of(uint64_t word)
{
    return (size_t)(word & INDEX_MASK);
}

static size_t tail_of(uint64_t word)
{
    return (size_t)(word >> INDEX_BITS & INDEX_MASK);
}

/* The same epoch, with nothing published. */
static uint64_t empty_at(uint64_t word, size_t index)
{
    return (word & ~(ONE_EPOCH - 1)) | (uint64_t)index << INDEX_BITS | index;
}

static bool is_empty(uint64_t word)
{
    return tail_of(word) == split_of(word);
}

/* For the owner, who has written it last or takes what thieves did to it as it comes. */
static uint64_t look(const struct sil__lane *lane)
{
    return atomic_load_explicit(&lane->word, memory_order_relaxed);
}

static sil_child **end_of(struct sil__lane *lane)
{
    return lane->slots + CAPACITY;
}

/* --- the edge ------------------------------------------------------------------------------ */

static void store(sil_child ***place, sil_child **value)
{
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
}

static bool is_hungry(const struct sil__lane *lane)
{
    return !__atomic_load_n(&lane->edge.limit, __ATOMIC_RELAXED);
}

static void set_hungry(struct sil__lane *lane)
{
    store(&lane->edge.floor, end_of(lane));
    store(&lane->edge.enough, end_of(lane));
    store(&lane->edge.limit, NULL);
}

/* Owner only; before the split is moved there (I3). */
static void set_fed(struct sil__lane *lane, size_t split)
{
    sil_child **floor = lane->slots + split;
    store(&lane->edge.floor, floor);
    store(&lane->edge.enough, end_of(lane) - floor > ENOUGH ? floor + ENOUGH : end_of(lane));
    store(&lane->edge.limit, end_of(lane));
}

/* Workers that could take a child at once, or once they are awake. */
static size_t idle_workers(const struct sil__pool *pool)
{
    struct sil__crew crew = sil__crew_look(pool);
    unsigned active = sil__crew_active(crew);
    return (active < pool->base.workers ? pool->base.workers - active : 0) + crew.searching;
}

/*
 * Publish half of the private children, the oldest; head is where they end. Nothing to publish:
 * stay hungry. Also when there is less than one for each idle worker: our next child may be long,
 * and then there is no fork or join of ours for as long.
 */
static void feed(struct sil__lane *lane, sil_child **head)
{
    struct sil__pool *pool = lane->worker->pool;
    uint64_t word = look(lane);
    size_t split = split_of(word);
    size_t count = ((size_t)(head - lane->slots) - split + 1) / 2;
    if (count == 0)
        return;
    for (size_t i = split; i < split + count; i++)
        __atomic_store_n(&lane->slots[i]->state, (void *)lane->frame, __ATOMIC_RELAXED);
    if (split + count - tail_of(word) < idle_workers(pool))
        set_hungry(lane);
    else
        set_fed(lane, split + count);
    /* Release: a claim sees slots and children. Sequentially consistent: I4. */
    atomic_fetch_add_explicit(&lane->word, count, memory_order_seq_cst);
    /* We are active: if no thread can be had, we do it all. In the child of a fork(2) we do. */
    if (pool->base.generation == sil__fork_generation() && sil__crew_wants(pool))
        (void)sil__crew_notify(pool);
}

/* --- pushing and popping ------------------------------------------------------------------- */

bool sil__lane_push(struct sil__lane *lane, sil_child **slot, sil_child *child)
{
    if (!lane->worker)
        return false;
    bool full = slot == end_of(lane);
    if (!full)
        __atomic_store_n(slot, child, __ATOMIC_RELAXED);
    if (is_hungry(lane))
        feed(lane, full ? slot : slot + 1);
    if (full) {
        lane->overflow++;
        store(&lane->edge.floor, end_of(lane)); /* the joins of those that have no slot */
    }
    return !full;
}

/* How many of the published children stay so, when the newest is taken back: half of them, but one
 * for each idle worker. */
static size_t kept(const struct sil__lane *lane, size_t published)
{
    size_t idle = idle_workers(lane->worker->pool);
    size_t half = published / 2;
    return idle <= half ? half : idle < published ? idle : published - 1;
}

/* Take the newest published child back, and others with it. False: it is gone. */
static bool take_back(struct sil__lane *lane)
{
    uint64_t word = look(lane);
    while (!is_empty(word)) {
        size_t published = split_of(word) - tail_of(word);
        size_t stay = kept(lane, published);
        if (stay > 0)
            set_fed(lane, tail_of(word) + stay);
        else
            set_hungry(lane);
        /* Release: I3, see there. Whoever claims what is left has seen the edge. */
        if (atomic_compare_exchange_weak_explicit(&lane->word, &word, word - (published - stay),
                                                  memory_order_release, memory_order_relaxed))
            return true;
    }
    set_hungry(lane); /* the thief will, but may be late */
    return false;
}

enum sil__lane_join sil__lane_pop(struct sil__lane *lane, sil_child **slot)
{
    if (!lane->worker)
        return SIL__LANE_RAN;
    if (lane->overflow > 0) {
        lane->overflow--;
        return SIL__LANE_RAN;
    }
    uint64_t word = look(lane);
    size_t split = split_of(word);
    if (slot < lane->slots + split)
        return take_back(lane) ? SIL__LANE_PRIVATE : SIL__LANE_STOLEN;
    if (is_hungry(lane) || is_empty(word)) {
        feed(lane, slot);
    } else {
        /*
         * It was full, or a thief wrote the edge when we did. Acquire and release: who empties it
         * comes before us, and then we see it, or after us, and then its hungry does too (I3).
         */
        set_fed(lane, split);
        if (is_empty(atomic_fetch_add_explicit(&lane->word, 0, memory_order_acq_rel)))
            set_hungry(lane);
    }
    return SIL__LANE_PRIVATE;
}

void sil__lane_drop(struct sil__lane *lane, sil_child **slot)
{
    /* Nothing is published: nobody else writes the word. */
    SIL_ASSERT(is_empty(look(lane)) && split_of(look(lane)) == (size_t)(slot - lane->slots) + 1);
    atomic_store_explicit(&lane->word, empty_at(look(lane), (size_t)(slot - lane->slots)),
                          memory_order_release);
}

/* --- regions ------------------------------------------------------------------------------- */

static struct sil__lane *serial;

/* Twice the size has such a beginning in it. No system lets a program ask for this alignment; of
 * memory it costs one page. */
__attribute__((constructor)) static void prepare(void)
{
    static char room[2 * SIL_LANE_SIZE];
    serial = (struct sil__lane *)(void *)(room + (-(uintptr_t)room & (SIL_LANE_SIZE - 1)));
    serial->edge.floor = end_of(serial); /* all go the slow way; limit and enough are NULL */
}

static struct sil__lane *create(struct sil__worker *worker, struct sil__lane *outer)
{
    _Static_assert(CAPACITY <= INDEX_MASK, "an index has room in the word");
    struct sil__lane *lane = sil__alloc_range(SIL_LANE_SIZE);
    if (!lane)
        return NULL;
    lane->worker = worker;
    lane->outer = outer;
    /* Sequentially consistent: who looks for work after a look at the gate, and sees that what we
     * publish here has been, sees the lane (I4). */
    atomic_store_explicit(outer ? &outer->inner : &worker->lanes, lane, memory_order_seq_cst);
    return lane;
}

struct sil__lane *sil__lane_enter(struct sil__worker *worker, const struct sil__frame *frame)
{
    if (!worker)
        return serial;
    struct sil__lane *outer = worker->lane;
    struct sil__lane *lane = outer ? sil__lane_next(outer) : sil__lane_first(worker);
    if (!lane)
        lane = create(worker, outer);
    if (!lane)
        return serial;
    worker->lane = lane;
    sil__lane_belongs(lane, frame);
    lane->overflow = 0;
    SIL_ASSERT(look(lane) % ONE_EPOCH == 0);
    sil__lane_turn(lane);
    set_hungry(lane);
    return lane;
}

void sil__lane_leave(struct sil__lane *lane)
{
    if (!lane->worker)
        return;
    /* All that was forked must have been joined. */
    SIL_ASSERT(look(lane) % ONE_EPOCH == 0 && lane->overflow == 0);
    lane->worker->lane = lane->outer;
}

void sil__lane_turn(struct sil__lane *lane)
{
    if (!lane->worker)
        return;
    SIL_ASSERT(is_empty(look(lane)));
    /* Release pairs with the acquire in steal: what is published later is not taken for the sake
     * of a child that was done before. */
    atomic_store_explicit(&lane->word, look(lane) + ONE_EPOCH, memory_order_release);
}

/* --- others -------------------------------------------------------------------------------- */

struct sil__lane *sil__lane_first(const struct sil__worker *worker)
{
    return atomic_load_explicit(&worker->lanes, memory_order_seq_cst);
}

struct sil__lane *sil__lane_next(const struct sil__lane *lane)
{
    return atomic_load_explicit(&lane->inner, memory_order_seq_cst);
}

sil_child *sil__lane_steal(struct sil__lane *lane, const sil_child *for_child,
                           const void *for_state)
{
    /* Acquire: the look at for_child's state comes after. If that is still for_state, the word
     * is from the time when it ran, and so is all that is claimed by the exchange (I5). */
    uint64_t word = atomic_load_explicit(&lane->word, memory_order_acquire);
    do {
        if (is_empty(word)) {
            if (lane->worker && !is_hungry(lane))
                set_hungry(lane); /* I3: somebody is late */
            return NULL;
        }
        if (for_child && __atomic_load_n(&for_child->state, __ATOMIC_RELAXED) != for_state)
            return NULL;
        /* Acquire pairs with the release of feed. Release: I3, our hungry is after the owner's. */
    } while (!atomic_compare_exchange_weak_explicit(&lane->word, &word, word + ONE_TAIL,
                                                    memory_order_acq_rel, memory_order_acquire));
    sil_child *child = __atomic_load_n(&lane->slots[tail_of(word)], __ATOMIC_RELAXED);
    if (tail_of(word) + 1 == split_of(word))
        set_hungry(lane);
    return child;
}

bool sil__lane_any(const struct sil__worker *worker)
{
    for (const struct sil__lane *lane = sil__lane_first(worker); lane; lane = sil__lane_next(lane))
        /* Sequentially consistent: I4. */
        if (!is_empty(atomic_load_explicit(&lane->word, memory_order_seq_cst)))
            return true;
    return false;
}

void sil__lane_fini(struct sil__worker *worker)
{
    struct sil__lane *lane = sil__lane_first(worker);
    while (lane) {
        struct sil__lane *next = sil__lane_next(lane);
        sil__free_range(lane, SIL_LANE_SIZE);
        lane = next;
    }
}
