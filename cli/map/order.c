/* SPDX-License-Identifier: MIT */
/*
 * The order of the inputs (-k): a ring of those that have come before their turn.
 *
 * Whoever brings the one whose turn it is writes it, and all that follow it; what others bring meanwhile
 * they leave in the ring, for the same writer. The turn moves on when a capture has been written, so
 * that a slow reader of our output keeps new jobs from being begun, too.
 */
#include <stdlib.h>

#include <sillon/error.h>

#include "map/outputs.h"

/** Stands in the ring for a number that has nothing to write. */
static struct capture passed;

static struct capture **place(const struct order *order, uint64_t seq)
{
    return &order->ring[seq & (order->size - 1)];
}

int order_reserve(struct order *order, uint64_t seq)
{
    size_t size = order->size != 0 ? order->size : 64;
    while (seq >= order->turn && seq - order->turn >= size && size <= SIZE_MAX / 4 / sizeof(void *))
        size *= 2;
    if (size == order->size)
        return 0;
    struct order grown = {.size = size};
    grown.ring = calloc(size, sizeof(struct capture *));
    if (grown.ring == NULL)
        return sil_fail(SIL_ENOMEM, "no memory to keep the jobs' outputs in order");
    for (size_t i = 0; i < order->size; i++)
        *place(&grown, order->turn + i) = *place(order, order->turn + i);
    free(order->ring);
    order->ring = grown.ring;
    order->size = size;
    return 0;
}

/* Write all whose turn it is. */
static int advance(struct outputs *outputs)
{
    struct order *order = &outputs->order;
    int error = 0;
    if (order->writing)
        return 0;
    order->writing = true;
    while (order->size != 0 && *place(order, order->turn) != NULL) {
        struct capture *capture = *place(order, order->turn);
        *place(order, order->turn) = NULL;
        int code = capture != &passed ? capture_write(capture) : 0;
        error = error != 0 ? error : code;
        order->turn++;
        outputs_changed(outputs);
    }
    order->writing = false;
    return error;
}

static bool is_to_wait(const struct order *order, uint64_t seq)
{
    return !order->given_up && seq >= order->turn;
}

void order_skip(struct outputs *outputs, uint64_t seq)
{
    struct order *order = &outputs->order;
    if (!is_to_wait(order, seq))
        return;
    if (order_reserve(order, seq) != 0) {
        order->given_up = true;
        outputs_changed(outputs);
        return;
    }
    if (*place(order, seq) == NULL) /* or it has been delivered, and waits */
        *place(order, seq) = &passed;
    (void)advance(
        outputs); /* an error of the screen's stays there, and is found by the next deliver */
}

int order_put(struct capture *capture)
{
    struct outputs *outputs = capture->outputs;
    struct order *order = &outputs->order;
    /* There is room: it was reserved when the capture began. */
    if (!is_to_wait(order, capture->seq) || capture->seq - order->turn >= order->size)
        return capture_write(capture);
    *place(order, capture->seq) = capture;
    return advance(outputs);
}

struct capture *order_take(struct order *order)
{
    for (size_t i = 0; i < order->size; i++, order->turn++) {
        struct capture *capture = *place(order, order->turn);
        *place(order, order->turn) = NULL;
        if (capture != NULL && capture != &passed) {
            order->turn++;
            return capture;
        }
    }
    return NULL;
}

void order_fini(struct order *order)
{
    free(order->ring);
}
