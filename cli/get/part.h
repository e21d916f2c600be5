/* SPDX-License-Identifier: MIT */
/*
 * What store.h's objects are made of, for the files that share the work:
 *
 *     store.c        the store; a part's beginning and end, for the coroutine
 *     part_stream.c  a part's bytes: heads and chunks, for the coroutine
 *     part_work.c    the hands: who takes which piece or job, on the store's threads
 *     part_look.c    a job: what is there already
 *     part_finish.c  a job: check, name, clean up
 *     part_file.c    the files
 *     chunks.c       the memory
 *
 * A part has two lanes: its pieces are written by the one and hashed by the other, each in their
 * order. A task is a pair of hands: it takes whatever lane has something and no hands; when no
 * lane has anything and it is the last, it does the job that waits, if any. So a large file is
 * written and hashed at the same time, and all of a small one is done by one task.
 *
 * I1  A lane has at most one task at a time. A job is alone: no lane moves, no other task is there.
 * I2  Tasks hold a reference; what they touch last is the part's event. The coroutine frees nothing
 *     that a task may still touch.
 * I3  The coroutine changes what tasks read only when there are none (part_settle), or under the
 *     lock.
 */
#ifndef CLI_GET_PART_H
#define CLI_GET_PART_H

#include <limits.h>
#include <pthread.h>
#include <sillon/executor.h>
#include <stdatomic.h>

#include "get/chunks.h"
#include "get/hasher.h"
#include "get/part_file.h"
#include "get/store.h"

/* Smaller ones begin anew sooner than a .meta is written and read. */
enum { SMALLEST_WITH_META = 64 * 1024 };

struct store {
    /* Read-only after create. */
    const struct get_options *options;
    struct screen *screen;
    const char *suffix;
    int folder;
    bool looks_here; /**< a look at a name is quick: no network is behind the folder */
    bool was_empty;  /**< the folder, at the beginning */
    sil_executor *threads;
    struct chunks chunks;
    pthread_mutex_t lock;
    /* Guarded by lock. */
    sil_event **events; /**< for the next parts: an event that was set from another thread once is
                             cheaper than a new one, which believes to be one thread's */
    size_t event_count, event_room;
    struct part *batch, **batch_end; /**< whose jobs wait for a thread */
    bool batch_runs;                 /**< one is at them, or will be */
};

enum part_kind {
    PART_FILE,
    PART_DEVICE, /**< a device, a FIFO: written to as it is */
    PART_OUTPUT, /**< standard output */
};

struct lane {
    struct piece *first, *last;
    bool running;
};

typedef void (*part_job)(struct part *part);

/** What was to be done when it failed: which sentence says it. */
enum part_step { STEP_WRITE, STEP_READ, STEP_LOCK, STEP_NAME, STEP_FOLDER, STEP_DIGEST };

struct part {
    /* Read-only after begin. */
    struct store *store;
    const char *name, *url;
    struct digest expected;
    enum part_kind kind;
    enum digest_kind hashes; /**< which digest is made; DIGEST_NONE */
    sil_event *event;

    /* The coroutine's. */
    uint64_t size;   /**< with what is on its way */
    bool has_output; /**< screen_out_begin was called */
    struct chunk_user chunk_user;

    /* Changed by the coroutine when there are no tasks. */
    uint64_t length;
    char etag[256], modified[64];
    bool strong_date; /**< modified is long enough ago */
    uint64_t from;    /**< with cut: keep so many bytes before the next are written */
    bool cut, keep;
    int64_t changed; /**< seconds since 1970, for the file's time; negative: none */

    /* Of whoever has the lane or the job; of nobody else while there are tasks. */
    struct part_file file; /**< lane: write */
    bool named;
    struct hasher *hasher; /**< lane: hash */
    uint64_t hashed;
    struct store_found *found;
    enum part_verdict verdict;
    struct digest digest;
    char *final_name; /**< owned; NULL: name */

    struct part *next_in_batch;

    atomic_uint references;
    atomic_bool dropping; /**< nobody wants its bytes any more */
    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct lane lanes[LANES];
    uint64_t hash_first; /**< bytes of the file to be hashed before the lane's pieces */
    unsigned tasks;
    part_job job;
    bool waiting;
    int error; /**< the first failure */
    enum part_step step;

    char names[]; /**< NAME.part, NAME.part.meta */
};

/* --- part_work.c ------------------------------------------------------------------------------ */

/** See that there are hands for what is to be done, at most so many. */
void part_post(struct part *part, unsigned most);
/** Put a piece into a lane or both; it is for the coroutine to post. */
void part_queue(struct part *part, struct piece *piece, bool write, bool hash);
/** Wait until there are no tasks. @return 0; SIL_ECANCELLED with for_cancel. */
int part_wait(struct part *part, bool for_cancel);
/** Do a job on a thread behind all that is queued, and wait for its end. */
void part_do(struct part *part, part_job job);
void part_release(struct part *part);
/** For a part; NULL: no memory. store_give_event takes. Any thread. */
sil_event *store_take_event(struct store *store);
void store_give_event(struct store *store, sil_event *event);
/** Remember the first failure. Any thread. */
void part_set_error(struct part *part, int error, enum part_step step);
int part_error(struct part *part);
/** Say it with sil_fail, in the coroutine. @return the error; 0: there is none. */
int part_fail(struct part *part);
/** Have the file open, cut and with its .meta. Lane: write, or a job. */
int part_prepare(struct part *part, bool all_is_here);

/* --- the rest --------------------------------------------------------------------------------- */

/** Is there nothing at all of that name? On the loop's thread: two system calls. */
bool part_look_quickly(struct part *part, struct store_found *found);
/** Job: what is there; fills part->found. */
void part_look(struct part *part);
/** May what is there be gone on from? */
bool part_can_resume(const struct part *part);
void part_set_validators(struct part *part, const char *etag, const char *modified);

/** Jobs: give it its name, or let it go. */
void part_finish(struct part *part);
void part_clean_up(struct part *part);

#endif
