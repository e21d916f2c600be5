/* SPDX-License-Identifier: MIT */
/*
 * Traces: events on their way from the threads where they happen into a file. What an event is
 * about, this does not know.
 *
 *     a thread --> chunk --> chunk --> chunk --+      the writer (trace_write.c): reads all chunks
 *     a thread --> chunk --> chunk ------------+----> every 100 ms, and when many are full;
 *                                                     JSON; the file
 *
 * Each thread that has something to tell has a recorder: a chain of chunks with one writer, the
 * thread, and one reader. Chunks come from a common stock, so that a thread which tells much has
 * what the others leave; when the stock is empty, events are counted as lost.
 *
 * I1: while a thread writes, it is busy, and looks after it has said so whether a trace is on; who
 *     ends the trace, switches it off and then waits for the busy ones (asymmetric.h). So nobody
 *     writes into chunks that are given back, and an event that happened before the end is in the
 *     file.
 * I2: a recorder leaves the list on the writer's thread, or while there is none; any thread
 *     may push its own.
 * I3: in the child of a fork no trace is on, and nothing of the parent's is touched.
 *
 * Source of the file's form: "Trace Event Format", Google, 2016.
 */
#ifndef SIL__BASE_TRACE_H
#define SIL__BASE_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In sil__trace_state, below the trace's number. */
enum {
    SIL__TRACE_ON = 1,
    SIL__TRACE_LIBRARY = 2, /* what the library does by itself is told, too */
    SIL__TRACE_SHIFT = 2,
};

/* 0: none is on. */
extern _Atomic uint32_t sil__trace_state __attribute__((visibility("hidden")));

/* Is a trace on? May be out of date when it returns. */
static inline bool sil__trace_on(void)
{
    return atomic_load_explicit(&sil__trace_state, memory_order_relaxed) != 0;
}

/* The same for those places in the library where all work passes. */
static inline bool sil__trace_library(void)
{
    uint32_t state = atomic_load_explicit(&sil__trace_state, memory_order_relaxed);
    return __builtin_expect((state & SIL__TRACE_LIBRARY) != 0, 0);
}

/* The number of the trace that is on; 0: none is. No two of a process have the same, nearly. */
static inline uint32_t sil__trace_number(void)
{
    return atomic_load_explicit(&sil__trace_state, memory_order_relaxed) >> SIL__TRACE_SHIFT;
}

/* All texts are borrowed; longer ones than there is room for are cut off. */
struct sil__trace_event {
    char phase;            /* as in the file: X b e i C, or M: the row's name */
    uint32_t row;          /* 0: the calling thread's */
    uint32_t trace;        /* which one it belongs to; 0: the one that is on */
    const char *name;      /* NULL: the function's, or else the category */
    const char *category;  /* NULL: "" */
    const char *arguments; /* a JSON object; NULL: none. Left out if it is too long */
    const void *function;  /* NULL: none */
    int64_t at;            /* sil__clock_now() */
    int64_t until;         /* X */
    int64_t queued;        /* nanoseconds it had waited at at; negative: not known */
    uint64_t id;           /* b, e: which of them belong together */
    double value;          /* C */
};

/* Tell. @threads any */
void sil__trace_put(const struct sil__trace_event *event);

/* A number for rows or ids, unlike all others of this trace. */
uint32_t sil__trace_next(void);

/* Begin and end, see sillon/trace.h. */
int sil__trace_start(const char *path, const char *process, size_t buffer_size, bool library);
int sil__trace_stop(uint64_t *out_lost);

/* --- between trace.c and trace_write.c -------------------------------------------------------- */

/* In a chunk; name, category and arguments follow, terminated. */
struct sil__trace_record {
    uint32_t size; /* with what follows, a multiple of 8 */
    uint32_t row;
    int64_t at;
    int64_t duration;
    int64_t queued;
    uint64_t id;
    double value;
    const void *function;
    uint16_t name_size; /* with the end; 0: none */
    uint16_t category_size;
    uint16_t arguments_size;
    char phase;
};

#define SIL__TRACE_CHUNK ((size_t)32 * 1024)

struct sil__trace_chunk {
    _Atomic(struct sil__trace_chunk *) next; /* when this one is full */
    _Atomic uint32_t filled;                 /* bytes */
    _Alignas(8) unsigned char bytes[SIL__TRACE_CHUNK - 16];
};

struct sil__trace_recorder {
    /* Read-only after create, and next while it is in the list. */
    _Atomic(struct sil__trace_recorder *) next;
    uint32_t row;
    char name[16];
    /* Atomic. */
    _Atomic uint32_t busy;                    /* I1 */
    _Atomic bool left;                        /* its thread has ended */
    _Atomic(struct sil__trace_chunk *) first; /* that may have something unread; NULL: none yet */
    /* Its thread's. */
    struct sil__trace_chunk *last;
    /* The writer's. */
    uint32_t read;  /* bytes of first */
    uint32_t named; /* the trace that has its name in its file */
};

struct sil__trace_file {
    int fd;
    int error;
    int64_t origin; /* what 0 is in the file */
    uint32_t trace;
    char process[64];
};

/* The newest; the others follow. */
struct sil__trace_recorder *sil__trace_recorders(void);
/* A chunk has been read. */
void sil__trace_give_chunk(struct sil__trace_chunk *chunk);
/* The writer's: forget those whose threads have ended and who have been read. */
void sil__trace_reap(void);
/* The writer's: wait until there is something to do; true: the trace ends. */
bool sil__trace_rest(void);

/* The writer's thread. argument: struct sil__trace_file *. */
void *sil__trace_write(void *argument);

#endif
