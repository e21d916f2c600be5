/* SPDX-License-Identifier: MIT */
/*
 * The work-stealing deque, see deque.h.
 */
#include "thread/deque.h"

#include "base/alloc.h"

#define FIRST_SIZE 64

struct sil__deque_array {
    int64_t size;                    /* a power of two */
    struct sil__deque_array *former; /* I2 */
    _Atomic(sil_future *) slots[];
};

static struct sil__deque_array *array_create(int64_t size)
{
    struct sil__deque_array *array =
        sil__alloc_raw(sizeof *array + (size_t)size * sizeof array->slots[0]);
    if (array) {
        array->size = size;
        array->former = NULL;
    }
    return array;
}

static _Atomic(sil_future *) *slot_of(struct sil__deque_array *array, int64_t index)
{
    return &array->slots[index & (array->size - 1)];
}

bool sil__deque_init(struct sil__deque *deque)
{
    struct sil__deque_array *array = array_create(FIRST_SIZE);
    atomic_init(&deque->top, 0);
    atomic_init(&deque->bottom, 0);
    atomic_init(&deque->array, array);
    return array != NULL;
}

void sil__deque_fini(struct sil__deque *deque)
{
    struct sil__deque_array *array = atomic_load_explicit(&deque->array, memory_order_relaxed);
    while (array) {
        struct sil__deque_array *former = array->former;
        sil__free(array);
        array = former;
    }
    atomic_store_explicit(&deque->array, NULL, memory_order_relaxed);
}

static struct sil__deque_array *grow(struct sil__deque *deque, struct sil__deque_array *array,
                                     int64_t top, int64_t bottom)
{
    struct sil__deque_array *larger = array_create(array->size * 2);
    if (!larger)
        return NULL;
    larger->former = array;
    for (int64_t i = top; i < bottom; i++)
        atomic_store_explicit(slot_of(larger, i),
                              atomic_load_explicit(slot_of(array, i), memory_order_relaxed),
                              memory_order_relaxed);
    /* Release: a thief that sees the array sees its slots. */
    atomic_store_explicit(&deque->array, larger, memory_order_release);
    return larger;
}

bool sil__deque_push(struct sil__deque *deque, sil_future *task)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
    struct sil__deque_array *array = atomic_load_explicit(&deque->array, memory_order_relaxed);
    if (bottom - top >= array->size) {
        array = grow(deque, array, top, bottom);
        if (!array)
            return false;
    }
    atomic_store_explicit(slot_of(array, bottom), task, memory_order_relaxed);
    /*
     * Release: a thief that sees the bottom sees the task. Sequentially consistent: either we see
     * that a worker went to sleep, or it sees this task before it does (crew.h, I2).
     */
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_seq_cst);
    return true;
}

sil_future *sil__deque_pop(struct sil__deque *deque)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed) - 1;
    struct sil__deque_array *array = atomic_load_explicit(&deque->array, memory_order_relaxed);
    /* The claim of the bottom must come before the look at the top: a thief does the reverse. */
    atomic_store_explicit(&deque->bottom, bottom, memory_order_seq_cst);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    if (top > bottom) {
        atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_relaxed);
        return NULL;
    }
    sil_future *task = atomic_load_explicit(slot_of(array, bottom), memory_order_relaxed);
    if (top == bottom) {
        /* The last one: thieves may want it too. */
        if (!atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1,
                                                     memory_order_seq_cst, memory_order_relaxed))
            task = NULL;
        atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_relaxed);
    }
    return task;
}

sil_future *sil__deque_steal(struct sil__deque *deque, bool *out_lost)
{
    *out_lost = false;
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_seq_cst);
    if (top >= bottom)
        return NULL;
    struct sil__deque_array *array = atomic_load_explicit(&deque->array, memory_order_acquire);
    sil_future *task = atomic_load_explicit(slot_of(array, top), memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1, memory_order_seq_cst,
                                                 memory_order_relaxed)) {
        *out_lost = true;
        return NULL;
    }
    return task;
}

size_t sil__deque_size(const struct sil__deque *deque)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_seq_cst);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    return bottom > top ? (size_t)(bottom - top) : 0;
}
