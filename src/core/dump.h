/* SPDX-License-Identifier: MIT */
/*
 * Dumps from inside: what is collected, and by whom.
 *
 *     each source fills a part  -->  the parts are linked  -->  and written
 *     (a loop on its own thread,     (dump_link.c)              (dump_write.c)
 *     a pool; all threads)
 *
 * A part has nodes, one for each task that runs and each thread that waits. What a node waits for it
 * names by the address of the future, and who holds a mutex by that of the context: from then on these
 * are names only, and nothing behind them is touched. So parts need not be of one moment.
 *
 * I1: what is shown is kept by whoever shows it as long as it is being looked at. A coroutine is looked
 *     at on its own thread; a thread with the registry locked, which whoever takes off what he showed
 *     passes through (sil__context_pass).
 * I2: an object of sync/ may be destroyed by whoever knows that all who waited were let go. Those may
 *     not have noticed yet, and still point there. So who looks at it locks sight, sees that the place
 *     is in line, and who destroys it passes through the lock while there are dumps
 *     (sil__object_ends): either he sees that there is a dump, or that sees a place in no line.
 *
 * Lock order: the registry's, then any other but a future's, which is only tried (dump_part.c). No other
 * lock is held by whoever adds or removes a source. The lock of sight is the innermost.
 *
 * To show up in dumps: a thing that runs tasks has a struct sil__source; what is waited for gives its
 * waiter a purpose (park.h).
 */
#ifndef SIL__CORE_DUMP_H
#define SIL__CORE_DUMP_H

#include <sillon/executor.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/asymmetric.h"
#include "core/context.h"
#include "core/future.h"
#include "core/park.h"

enum sil__seen { SIL__SEEN_PENDING, SIL__SEEN_READY, SIL__SEEN_RUNNING, SIL__SEEN_WAITING };

/* One line. Texts are offsets in the part's; 0: none. */
struct sil__node {
    const void *task;     /* the future, as a name; else something else that is unique */
    const void *context;  /* it runs in; NULL */
    const void *executor; /* whose task it is; NULL */
    const void *holder;   /* the context that holds what it waits for; NULL */
    sil_task_fn fn;       /* or NULL */
    int64_t since;        /* when its state began; 0: not known */
    uint32_t name;
    uint32_t where; /* its thread */
    uint32_t what;  /* it waits for, */
    uint32_t first; /* or the futures: in the part's ids, */
    uint32_t count; /* so many, */
    uint32_t more;  /* and so many more that are not listed */
    uint8_t need;   /* enum sil__need: of those */
    uint8_t seen;   /* enum sil__seen */
    bool stub;      /* a future that somebody waits for; where it runs is not known from it */
    bool hidden;    /* only known as the holder of something */
    bool plain;     /* the name is no name but a description */

    /* When linked. */
    bool awaited;
    bool written;
    uint32_t cursor;
    struct sil__node *parent;
    struct sil__part *part;
};

struct sil__source;

/* What one source has to show. One thread at a time. */
struct sil__part {
    struct sil__part *next;
    struct sil__source *source; /* as a name */
    const void *executor;       /* as a name; NULL */
    uint32_t label;             /* "loop 'main'" */
    uint32_t title;             /* what follows it in the head line; 0: none, unless it has nodes */
    int64_t now;                /* when it was filled */
    struct sil__node *nodes;
    size_t node_count, node_room;
    const void **ids;
    size_t id_count, id_room;
    char *text; /* strings, one after the other; the first is empty */
    size_t text_size, text_room;
    bool failed; /* it is not whole, for want of memory */

    /* While another thread is to fill it: */
    bool asked;
    struct sil__waiter waiter; /* woken when it has */
    struct sil__part *next_asked;
};

/* What a purpose looks for (park.h). */
struct sil__sight {
    struct sil__part *part;
    struct sil__node *node;
};

/* --- sources: dump_source.c -------------------------------------------------------------------- */

struct sil__source_ops {
    /* Fill the part: true. False: another thread will, and then wakes its waiter. Any thread, with the
     * registry locked. */
    bool (*fill)(struct sil__source *source, struct sil__part *part);
    /* It takes too long. True: nobody will fill it any more, and it says so. As fill. */
    bool (*give_up)(struct sil__source *source, struct sil__part *part);
};

struct sil__source {
    const struct sil__source_ops *ops;
    struct sil__source *next;
    struct sil__source **link;
    uint32_t generation;
};

extern struct sil__registry {
    struct sil__lock lock;
    /* Guarded by lock. */
    struct sil__source *first;
    struct sil__source **last; /* NULL: first is */
} sil__registry;

/* When remove returns nobody looks at it any more. */
void sil__source_add(struct sil__source *source, const struct sil__source_ops *ops);
void sil__source_remove(struct sil__source *source);

/* A source whose parts are the figures of an executor: to be called by its fill. */
bool sil__source_stats(struct sil__source *source, struct sil__part *part, sil_executor *executor,
                       const char *name);

/* Ask all sources, and wait for them: a list, to be destroyed, the threads last. Not whole: some are
 * missing, for want of memory; NULL: all are. */
struct sil__part *sil__sources_collect(bool *out_whole);

/* --- parts: dump_part.c ------------------------------------------------------------------------ */

struct sil__part *sil__part_create(void);
void sil__part_destroy(struct sil__part *part);

uint32_t sil__part_text(struct sil__part *part, const char *format, ...) SIL_PRINTF(2, 3);

/* A name, cut to what a line can bear; 0 for NULL. */
uint32_t sil__part_name(struct sil__part *part, const char *name);

void sil__part_add(struct sil__part *part, const struct sil__node *node);

/*
 * The tasks that run in a context, the innermost of which is as the node says. False: none runs. The
 * frames stay meanwhile (I1).
 */
bool sil__part_context(struct sil__part *part, const struct sil__context *context,
                       struct sil__node *node);

/* What the context waits for with this waiter; it has been woken by now: the node is ready. */
void sil__node_waits(struct sil__part *part, struct sil__node *node,
                     const struct sil__context *context, struct sil__waiter *waiter);

/* For purposes: the object is so called; it has this holder (NULL: none is known); these futures. */
void sil__sight_says(struct sil__sight *sight, const char *format, ...) SIL_PRINTF(2, 3);
void sil__sight_held(struct sil__sight *sight, const struct sil__context *holder);
void sil__sight_futures(struct sil__sight *sight, sil_future *const *futures, size_t count,
                        enum sil__need need);

/* So many are listed, at most: who has more need not give them, but says how many there were. */
enum { SIL__SIGHT_MOST = 16 };
void sil__sight_more(struct sil__sight *sight, size_t more);

/* --- objects that may go away: I2 -------------------------------------------------------------- */

extern _Atomic uint32_t sil__dumps; /* under way */

/* For purposes; short. */
void sil__sight_lock(void);
void sil__sight_unlock(void);

void sil__object_ends_slow(void);

/* An object that contexts may have waited for is about to be freed. */
static inline void sil__object_ends(void)
{
    sil__barrier_light();
    /* Acquire pairs with the release that ends a dump. */
    if (__builtin_expect(atomic_load_explicit(&sil__dumps, memory_order_acquire) != 0, 0))
        sil__object_ends_slow();
}

/* --- dump_link.c, dump_write.c ------------------------------------------------------------------ */

/* Nodes by an address. */
struct sil__map {
    struct sil__node **slots;
    size_t mask;
};

struct sil__links {
    struct sil__map tasks;
    struct sil__map contexts;
};

/* Who awaits whom, of all parts. False: no memory. */
bool sil__links_init(struct sil__links *links, struct sil__part *parts);
void sil__links_fini(struct sil__links *links);

/* NULL: there is none. */
struct sil__node *sil__links_task(const struct sil__links *links, const void *task);
struct sil__node *sil__links_context(const struct sil__links *links, const void *context);

/* 0, SIL_ENOMEM, or an errno value. */
int sil__dump_write(FILE *out, struct sil__part *parts);

/* A function as text: "name", "name+0x12", "program+0x1234". Returns buffer. */
const char *sil__function_text(sil_task_fn fn, char *buffer, size_t size);

#endif
