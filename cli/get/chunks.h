/* SPDX-License-Identifier: MIT */
/*
 * Memory for bodies on their way to the disk: so much over all files, shared fairly.
 *
 * I1  A user that holds no piece gets one of the smallest size at once, beside the bound: so every
 *     file goes on, however much the others hold and for however long.
 * I2  All else is counted: no more than the limit. Who must wait gets the next that is given back,
 *     in the order of those who wait, or its smallest one as soon as it holds none.
 * I3  A piece is at most the user's half of an even share, so that idle users leave room for busy
 *     ones.
 *
 * A user asks in its coroutine; pieces are given back on any thread.
 */
#ifndef CLI_GET_CHUNKS_H
#define CLI_GET_CHUNKS_H

#include <pthread.h>
#include <sillon/sync.h>
#include <stdbool.h>
#include <stddef.h>

#include "get/store.h"

enum { CHUNK_SMALLEST = 16 * 1024, CHUNK_LARGEST = 256 * 1024, CHUNK_SIZES = 5 };
enum { CHUNKS_LIMIT = 8 * 1024 * 1024 };

/** For whom a piece is: those who write and those who hash. */
enum lane_kind { LANE_WRITE, LANE_HASH, LANES };

struct piece {
    struct chunk chunk; /**< first: what the caller sees */
    size_t counted;     /**< of its room, against the limit */
    unsigned lanes_left;
    struct piece *next[LANES];
    char bytes[];
};

struct chunk_user {
    /* Guarded by the chunks' lock. */
    size_t held; /**< pieces */
    size_t wanted, counted;
    bool queued;
    struct chunk_user *previous, *next;
    /* Read-only after join. */
    sil_event *event; /**< borrowed */
};

struct chunks {
    pthread_mutex_t lock;
    /* Guarded by lock. */
    size_t limit, used, kept_size, users;
    struct piece *kept[CHUNK_SIZES]; /**< for the next who asks: their memory is warm */
    struct chunk_user *first, *last; /**< who waits */
};

void chunks_init(struct chunks *chunks, size_t limit);
/** All pieces have been given back. */
void chunks_fini(struct chunks *chunks);

/** @param event  borrows, until it leaves: to wait for pieces. */
void chunks_join(struct chunks *chunks, struct chunk_user *user, sil_event *event);
void chunks_leave(struct chunks *chunks, struct chunk_user *user);

/**
 * A piece of at most so much room, or a little more; waits for one.
 *
 * @param out  returns owned: chunks_give.
 * @return 0; SIL_ENOMEM; SIL_ECANCELLED, SIL_ETIMEDOUT.
 */
int chunks_take(struct chunks *chunks, struct chunk_user *user, size_t wanted, struct piece **out);

/** @param piece  takes. */
void chunks_give(struct chunks *chunks, struct chunk_user *user, struct piece *piece);

#endif
