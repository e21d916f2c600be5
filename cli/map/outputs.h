/* SPDX-License-Identifier: MIT */
/*
 * What the files behind capture.h share: the run's outputs, a job's capture, and the steps between them.
 *
 *     capture_begin --> keep.c    a memory file, an unlinked file, or one of --save
 *                       lines.c   or pipes, with a reader each
 *     deliver       --> order.c   waits for its turn (-k), or not
 *                       emission.c  to the screen, labelled (--tag)
 *
 * I1  Bytes that are held in memory files are counted once, in `held`, with the sink they belong to; a
 *     sink that is closed takes its count along.
 * I2  Only one coroutine at a time writes what stands in the order: whoever finds `writing` set leaves
 *     its capture there.
 *
 * All of it on one loop, no locks but those around writing, which waits.
 */
#ifndef CLI_MAP_OUTPUTS_H
#define CLI_MAP_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sillon/sync.h>

#include "map/capture.h"

enum keeping {
    KEEP_WHOLE, /**< until the job has ended */
    KEEP_SAVED, /**< in files of the user's, not shown */
    KEEP_LINES, /**< pipes: only the line that is being written */
    KEEP_NOT,   /**< the job has our own output and error */
};

/** Where the output, or the error, of one try lies. All zero but fd, which is -1: nowhere. */
struct sink {
    int fd; /**< the program's; -1: closed, or none */
    bool in_memory;
    uint64_t size;              /**< once it has ended; of lines: so far */
    uint64_t counted;           /**< of outputs.held */
    struct line_reader *reader; /**< KEEP_LINES only */
};

struct capture {
    struct outputs *outputs;
    uint64_t seq;
    struct sink sinks[2];          /**< output, error */
    struct capture *next, *before; /**< among the running ones, a ring; next: in `last`, too */
    bool ended;
    bool last;  /**< waits for outputs_flush */
    int error;  /**< of line mode: a line could not be written */
    char tag[]; /**< with its TAB; "": none */
};

/** Those that wait for their turn (-k). */
struct order {
    struct capture **ring; /**< number seq at seq & (size - 1) */
    size_t size;           /**< a power of 2, or 0 */
    uint64_t turn;         /**< the number that is written next */
    bool writing;
    bool given_up; /**< no memory to remember a skipped number: all go as they come */
};

struct outputs {
    /* Read-only after create. */
    struct screen *screen;
    enum keeping keeping;
    bool shown;   /**< what is kept is written to the screen */
    bool ordered; /**< -k */
    uint64_t budget;
    uint64_t reserve; /**< free bytes that TMPDIR shall have */
    uint64_t window;  /**< as typed; 0: by the number of slots */
    char *spill;      /**< TMPDIR */
    int saved;        /**< the folder of --save; -1: none */

    uint64_t ahead; /**< how many may be begun beyond the turn */
    uint64_t held;
    size_t open; /**< captures that will be delivered or discarded, or wait for their turn */
    struct capture *running; /**< some one of the ring of those that run, in memory */
    struct order order;
    struct capture *last, **last_end; /**< until outputs_flush */
    bool stopped;
    size_t waiting;     /**< in outputs_admit */
    sil_event *changed; /**< something that they wait for may have come about */

    sil_mutex *errors; /**< standard error, for as long as one job's bytes go there */
    char *labelled[2]; /**< emission.c's, for output and error; under the lock of each */
};

/* --- keep.c ---------------------------------------------------------------------------------- */

/** Open a file for a sink: in memory, or in TMPDIR while more than the budget is held. @return 0; an
 *  errno value, with sil_last_error. */
int keep_open(struct outputs *outputs, struct sink *sink);

/** The same, DIR/SEQ.out or .err. */
int keep_open_saved(struct outputs *outputs, struct sink *sink, uint64_t seq, int number);

/** See how large it is now. */
void keep_measure(struct outputs *outputs, struct sink *sink);

/** How much of its size there still is: who was left behind may have cut it off meanwhile. */
uint64_t keep_left(const struct sink *sink);

/** Write to it. @return how much; less than size: errno says why. */
size_t keep_write(struct outputs *outputs, struct sink *sink, const char *bytes, size_t size);

void keep_close(struct outputs *outputs, struct sink *sink);

/** Has TMPDIR, if it is needed now, less than the reserve? */
bool keep_is_short(const struct outputs *outputs);

/** Look again at the size of some of the running captures. */
void keep_look(struct outputs *outputs);

/* --- emission.c ------------------------------------------------------------------------------ */

/** Bytes on their way to the screen: whole, no other job's between them. */
struct emission {
    struct outputs *outputs;
    const char *tag;
    size_t tag_size;
    int number; /**< 1 or 2 */
    bool locked;
    bool begins; /**< a line begins with the next byte; kept up with labels only */
    int error;
    char *out; /**< labelled bytes; NULL: no labels */
    size_t used;
};

/** @param begins  a line begins here (or goes on). Waits. emission_end in any case. */
void emission_begin(struct emission *emission, const struct capture *capture, int number,
                    bool begins);
void emission_bytes(struct emission *emission, const char *bytes, size_t size);
void emission_file(struct emission *emission, int fd, uint64_t size);
/** @return 0; an errno value. */
int emission_end(struct emission *emission);

/* --- lines.c --------------------------------------------------------------------------------- */

/** A pipe for a sink, and a coroutine that reads it. @return 0, or a code with sil_last_error. */
int lines_open(struct capture *capture, int number);

/** Close our copy of the program's end. */
void lines_started(struct sink *sink);

/** Take what is there, and stop reading. */
void lines_end(struct capture *capture, struct sink *sink);

/* --- order.c --------------------------------------------------------------------------------- */

/** Make room for a number that may be put later. @return 0; SIL_ENOMEM, with sil_last_error. */
int order_reserve(struct order *order, uint64_t seq);

/** Its turn will be passed. */
void order_skip(struct outputs *outputs, uint64_t seq);

/** Takes a capture, and writes it if it is its turn, and those that follow. @return 0; an errno value. */
int order_put(struct capture *capture);

/** Take out the next that waits, whether it is its turn or not. NULL: none does. */
struct capture *order_take(struct order *order);

void order_fini(struct order *order);

/* --- capture.c, outputs.c -------------------------------------------------------------------- */

/** Write it and free it. @return 0; an errno value. */
int capture_write(struct capture *capture);

void capture_free(struct capture *capture);

/** Who waits to be admitted looks again. */
void outputs_changed(struct outputs *outputs);

#endif
