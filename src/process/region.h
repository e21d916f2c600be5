/* SPDX-License-Identifier: MIT */
/*
 * Regions: shared memory that lies at one address in every process that has it, so that pointers
 * into it can be passed from process to process.
 *
 * One process owns a region and hands out its blocks. All book-keeping is in the owner's private
 * memory: whatever the others write into the region, the owner's allocator stays whole. The others
 * have attached it, and see it; they allocate by asking the owner (region_hooks).
 *
 * A region is a memfd without a name, mapped once in its whole size; memory is taken when it is
 * touched, and what was given back is used again before anything fresh is, for the first touch of
 * a page costs ten times a copy into it. What nobody used for a second goes back to the system at
 * the next occasion (sil__region_tidy).
 *
 * A heap is a region for sil_shared_alloc. Every process has at most one of its own, made when it
 * is first needed and gone with the last that needs it, and may have attached those of its parents.
 *
 * I1: a live block holds a reference to its region.
 * I2: after a fork(2) the child has everything attached and owns nothing.
 */
#ifndef SIL__PROCESS_REGION_H
#define SIL__PROCESS_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sil__region;

/*
 * A region of our own. size: of address space, 0 for the default (64 GiB, less where that cannot
 * be had). Returns owned; NULL with an error set: SIL_ENOMEM.
 */
struct sil__region *sil__region_create(size_t size);

/* One that another process owns. fd: takes. Returns owned; NULL with an error set: SIL_EAGAIN the
 * address is taken here, SIL_ENOMEM. */
struct sil__region *sil__region_attach(int fd, void *base, size_t size);

struct sil__region *sil__region_retain(struct sil__region *region);

/* NULL allowed. */
void sil__region_release(struct sil__region *region);

/* Borrowed. */
int sil__region_fd(const struct sil__region *region);
void *sil__region_base(const struct sil__region *region);
size_t sil__region_size(const struct sil__region *region);

/* A block of at least size bytes, aligned to a cache line, contents undefined; NULL: no room, no
 * error set. For the owner. Any thread. */
void *sil__region_alloc(struct sil__region *region, size_t size);

/* Give back a block of any region this process owns. False: it is no block of ours. Any thread. */
bool sil__region_free(void *block);

/* Is this the beginning of a live block of the region, with at least size bytes? For what other
 * processes tell the owner. */
bool sil__region_is_block(struct sil__region *region, const void *block, size_t size);

/* Does the range lie in the region? */
bool sil__region_holds(const struct sil__region *region, const void *start, size_t size);

/* Bytes of live blocks, and of memory kept for later ones. */
void sil__region_usage(struct sil__region *region, size_t *out_live, size_t *out_kept);

/* Give what was not used for a second back to the system, in all regions this process owns. Returns
 * when to call again, on the library's clock; 0: nothing is kept. */
int64_t sil__region_tidy(void);

/* --- heaps --------------------------------------------------------------------------------- */

/* This process's own heap, made if need be. Returns owned; NULL with an error set. */
struct sil__region *sil__heap_hold(void);

/* Attached heaps are asked for blocks, and given them back, by these; set once by a worker, and
 * forgotten in the child of a fork. alloc sets an error when it returns NULL. */
struct sil__region_hooks {
    void *(*alloc)(size_t size);
    void (*free)(void *block);
};
void sil__heap_hooks(const struct sil__region_hooks *hooks);

/*
 * Over a connected SOCK_SEQPACKET socket: tell of all heaps this process has, its own (made if need
 * be) and those attached; and attach all that were told of, for as long as the process lives. Those
 * it has already are passed over. 0, or a code with an error set: SIL_EAGAIN an address is taken in
 * the receiver, which then has attached none; SIL_ENOMEM; SIL_EBROKEN the socket, or what came.
 */
int sil__heaps_send(int socket);
int sil__heaps_receive(int socket);

#endif
