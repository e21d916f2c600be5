/* SPDX-License-Identifier: MIT */
/*
 * The store: where files go, and how they come to be there whole or not at all.
 *
 *     bytes --> chunk --> written and hashed by threads, in order --> checked -->
 *     NAME.part becomes NAME
 *
 * I1  What stands under a final name is whole and checked, also after kill -9 or a full disk. (A
 *     rename is the last step. With --fsync file and folder are on the disk before that is said.)
 * I2  NAME.part, and for those of 64 KiB and more NAME.part.meta beside it (URL, length,
 *     validators), is what a later run goes on from; it is only gone on from when a validator says
 *     it is the same file.
 * I3  Writing and hashing is done by the store's threads, a file's bytes in order; the loop never
 *     waits for a disk. Chunks are bounded: 4 MiB over all files; who needs one waits for it.
 * I4  Two runs (or two items) never write one .part: it is locked (flock).
 * I5  What failed for good leaves its .part if that can be gone on from, and nothing else.
 */
#ifndef CLI_GET_STORE_H
#define CLI_GET_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "get/syntax.h"
#include "output/screen.h"

enum { STORE_DIGEST_TEXT = 129 };
#define STORE_UNKNOWN UINT64_MAX

enum digest_kind {
    DIGEST_NONE,
    DIGEST_SHA256,
    DIGEST_SHA512,
    DIGEST_SHA1,
    DIGEST_MD5,
    DIGEST_BLAKE2B
};

/** What a file must have. */
struct digest {
    enum digest_kind kind;
    char hex[STORE_DIGEST_TEXT]; /**< lower case */
};

/** "sha256:HEX" or "sha256=HEX". @return false: it is no such thing. */
bool digest_read(const char *text, struct digest *out);
const char *digest_name(enum digest_kind kind);

struct store;
struct part;

/*
 * In this order, for one file, in one coroutine:
 *
 *     part_begin            found.done: part_abandon, and that was it
 *     part_head             of each answer whose body is wanted; from 0 or, of a 206, part_size
 *     part_chunk, fill it, part_append      until the body ends; fill it up before it is appended,
 *                           from as many reads as it takes: each costs a message to a thread
 *     part_settle           before another try; then part_size is what is safely there
 *     part_commit or part_abandon
 *
 * These two wait for the threads even if the coroutine is cancelled; sil_cancelled() stays true.
 */

/** @param options  borrows, until destroy. @param screen  for -o -. In a coroutine. Makes the
 *  folder. @return returns owned; NULL with sil_last_error. */
struct store *store_create(const struct get_options *options, struct screen *screen);
/** All parts have ended. @param store  takes; NULL allowed. */
void store_destroy(struct store *store);

/** What there is already. */
struct store_found {
    /** The final name is taken by a regular file, which is not known to be wrong (a checksum that
     *  differs). */
    bool whole;
    uint64_t size; /**< of that */
    /** And it is taken for the right one: its checksum matches, or --if-exists=skip. */
    bool done;
    uint64_t resume; /**< bytes of a .part that can be gone on from; 0: none */
    /** With resume: what the whole file has; STORE_UNKNOWN. As many as resume: a run ended just
     *  before the rename. */
    uint64_t length;
    /** Of that .part, and fit for If-Range: strong, or "". Without one, of a whole file, with
     *  --if-exists=resume: modified is NAME's own time. */
    char etag[256], modified[64];
};

/**
 * Begin with a file.
 *
 * @param name    borrows, until it ends: relative to the folder; folders in it are made (--tree).
 *                "-": standard output.
 * @param url     borrows, until it ends: for the .meta.
 * @param expected  borrows; its kind may be DIGEST_NONE.
 * @param first_try  this run has not begun with that name before.
 * @return 0; EEXIST (--if-exists=fail, or a folder); EBUSY another run has its .part; an errno
 *         value; SIL_ENOMEM. The last error says which file and why.
 */
int part_begin(struct store *store, const char *name, const char *url,
               const struct digest *expected, bool first_try, struct part **out,
               struct store_found *found);

/** The name it will have: another one with --if-exists=rename (then part_commit_as says for
 *  certain). Borrowed. */
const char *part_name(const struct part *part);

/**
 * What If-Range may hold when this file is gone on from: an ETag that is not weak, or else the
 * date of a change that is a minute older than this machine's clock (RFC 9110 8.8.2.2). Of the
 * .part that was found, then of the last head. "": it cannot be gone on from. Borrowed, until
 * part_head.
 */
const char *part_validator(const struct part *part);

/**
 * The head of an answer has come, of the first try or of a later one. Waits for what is under way.
 *
 * @param from    where the body begins: what was there before that is kept; 0: all anew.
 * @param length  of the whole file, unpacked if it is to be; STORE_UNKNOWN.
 * @param etag, modified  as the server wrote them; NULL and "": none. If the server's Date is less
 *                than a minute behind Last-Modified, give none.
 * @return 0 or an errno value: ESTALE from > 0, and length or ETag differ from those before;
 *         EINVAL from is more than what is there; ESPIPE standard output cannot be taken back;
 *         SIL_ECANCELLED.
 */
int part_head(struct part *part, uint64_t from, uint64_t length, const char *etag,
              const char *modified);

/**
 * A piece of memory for the body, 16 to 256 KiB of room; waits for one. One at a time for each
 * part. NULL with sil_last_error: cancelled, no memory, or what was there before could not be
 * written.
 */
struct chunk {
    struct part *part;
    size_t size, room;
    char *bytes;
};
struct chunk *part_chunk(struct part *part);
/** Write it behind what is there: size bytes. @param chunk  takes, whatever is returned. @return 0,
 *  or why an earlier one could not be written. To standard output: waits until it is. */
int part_append(struct part *part, struct chunk *chunk);
void part_give_back(struct part *part, struct chunk *chunk);

/** How many bytes the file has, with those on their way. */
uint64_t part_size(const struct part *part);

/**
 * Wait until all is written.
 *
 * @return 0, or an errno value: why it could not be. To be called before a retry, too.
 */
int part_settle(struct part *part);

/** How a file can turn out. */
enum part_verdict { PART_GOOD, PART_WRONG_CHECKSUM, PART_WRONG_LENGTH, PART_NOT_WRITTEN };

/**
 * It is all there: check it and give it its name.
 *
 * @param modified  seconds since 1970, of Last-Modified; negative: none.
 * @param digest    receives what it has, of the expected kind. NULL allowed.
 * @param part      takes, whatever comes out.
 * @return if it is not PART_GOOD, sil_last_error says why, naming the file.
 */
enum part_verdict part_commit(struct part *part, int64_t modified, struct digest *digest);

/** The same. @param out_name  receives the name it got; returns owned: free(); NULL: no memory, or
 *  it got none. */
enum part_verdict part_commit_as(struct part *part, int64_t modified, struct digest *digest,
                                 char **out_name);

/** Let go of it. @param keep  leave the .part, if it can be gone on from. @param part  takes; NULL.
 *  */
void part_abandon(struct part *part, bool keep);

#endif
