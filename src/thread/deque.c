/* SPDX-License-Identifier: MIT */
/*
 * The work-stealing deque, see deque.h.
 */
#include "thread/deque.h"

#include <sys/mman.h>

#include "base/alloc.h"

#define FIRST_SIZE 64
/* Larger arrays are given up when they are hardly used, and ... */
#define KEPT_SIZE 4096
/* ... give their pages back. */
#define PAGE ((uintptr_t)4096)

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

bool sil__deque_init(struct sil__deque *deque)
{
    struct sil__deque_array *array = array_create(FIRST_SIZE);
    atomic_init(&deque->top, 0);
    atomic_init(&deque->bottom, 0);
    deque->top_seen = 0;
    atomic_init(&deque->resized, 0);
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

/* --- other sizes --------------------------------------------------------------------------- */

/* Zeros for those who still read it (I2). */
static void give_pages_back(struct sil__deque_array *array)
{
    if (array->size <= KEPT_SIZE)
        return;
    char *begin = (char *)array->slots;
    begin += -(uintptr_t)begin & (PAGE - 1);
    size_t size = (size_t)((char *)&array->slots[array->size] - begin);
    (void)madvise(begin, size & ~(PAGE - 1), MADV_DONTNEED);
}

/* A former array of that size, taken out of the list, or a new one. */
static struct sil__deque_array *array_of_size(struct sil__deque_array *array, int64_t size)
{
    for (struct sil__deque_array **link = &array->former; *link; link = &(*link)->former)
        if ((*link)->size == size) {
            struct sil__deque_array *found = *link;
            *link = found->former;
            return found;
        }
    return array_create(size);
}

/* Go on in an array of another size. */
static struct sil__deque_array *resize(struct sil__deque *deque, struct sil__deque_array *array,
                                       int64_t bottom, int64_t size)
{
    struct sil__deque_array *other = array_of_size(array, size);
    if (!other)
        return NULL;
    other->former = array;
    for (int64_t i = deque->top_seen; i < bottom; i++)
        sil__deque_write(other, i, sil__deque_read(array, i));
    /* Release: a thief that sees the array sees its slots. */
    atomic_store_explicit(&deque->array, other, memory_order_release);
    /* Release: who sees zeros sees this. */
    atomic_fetch_add_explicit(&deque->resized, 1, memory_order_release);
    give_pages_back(array);
    return other;
}

static struct sil__deque_array *grow(struct sil__deque *deque, struct sil__deque_array *array,
                                     int64_t bottom, int64_t count)
{
    int64_t size = array->size * 2;
    while (size < bottom - deque->top_seen + count)
        size *= 2;
    return resize(deque, array, bottom, size);
}

/* The line that thieves write is looked at only when the array seems full, or once a round. */
static struct sil__deque_array *make_room(struct sil__deque *deque, struct sil__deque_array *array,
                                          int64_t bottom, int64_t count)
{
    deque->top_seen = atomic_load_explicit(&deque->top, memory_order_acquire);
    int64_t used = bottom - deque->top_seen + count;
    if (used > array->size)
        return grow(deque, array, bottom, count);
    if (array->size > KEPT_SIZE && used <= array->size / 16) {
        struct sil__deque_array *smaller = resize(deque, array, bottom, array->size / 4);
        return smaller ? smaller : array;
    }
    return array;
}

/* --- the operations ------------------------------------------------------------------------ */

bool sil__deque_push(struct sil__deque *deque, const struct sil__cell *cells, size_t count)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    struct sil__deque_array *array = atomic_load_explicit(&deque->array, memory_order_relaxed);
    if (bottom - deque->top_seen + (int64_t)count > array->size) {
        array = make_room(deque, array, bottom, (int64_t)count);
        if (!array)
            return false;
    }
    for (size_t i = 0; i < count; i++)
        sil__deque_write(array, bottom + (int64_t)i, cells[i]);
    /* Release: a thief that sees the bottom sees the cells, and what they point to. */
    atomic_store_explicit(&deque->bottom, bottom + (int64_t)count, memory_order_release);
    return true;
}

struct sil__cell sil__deque_pop(struct sil__deque *deque)
{
    const struct sil__cell none = {0};
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed) - 1;
    if (sil__deque_is_empty(deque))
        return none;
    struct sil__deque_array *array = atomic_load_explicit(&deque->array, memory_order_relaxed);
    /* The claim of the bottom must come before the look at the top: a thief does the reverse. */
    atomic_store_explicit(&deque->bottom, bottom, memory_order_seq_cst);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    if (top > bottom) {
        atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
        return none;
    }
    struct sil__cell cell = sil__deque_read(array, bottom);
    if (top == bottom) {
        /* The last one: thieves may want it too. */
        if (!atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1,
                                                     memory_order_seq_cst, memory_order_relaxed))
            cell = none;
        atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
    }
    return cell;
}

size_t sil__deque_steal(struct sil__deque *deque, struct sil__cell *out, size_t max, bool *out_lost)
{
    *out_lost = false;
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_seq_cst);
    if (top >= bottom)
        return 0;
    int64_t count = bottom - top < (int64_t)max ? bottom - top : (int64_t)max;
    uint32_t resized = atomic_load_explicit(&deque->resized, memory_order_acquire);
    struct sil__deque_array *array = atomic_load_explicit(&deque->array, memory_order_acquire);
    for (int64_t i = 0; i < count; i++)
        out[i] = sil__deque_read(array, top + i);
    if (atomic_load_explicit(&deque->resized, memory_order_relaxed) != resized ||
        !atomic_compare_exchange_strong_explicit(&deque->top, &top, top + count,
                                                 memory_order_seq_cst, memory_order_relaxed)) {
        *out_lost = true;
        return 0;
    }
    return (size_t)count;
}
