/* SPDX-License-Identifier: MIT */
/*
 * Fault points: where a test can make the outside world fail.
 *
 * Each thing that can fail for want of resources passes one site first. A test arms a site so
 * that its nth pass, or that one and all later ones, fail. In release builds a site is the
 * constant false and costs nothing.
 */
#ifndef SIL__BASE_FAULT_H
#define SIL__BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum sil__fault_site {
    SIL__FAULT_ALLOC,   /* memory */
    SIL__FAULT_THREAD,  /* pthread_create */
    SIL__FAULT_PROCESS, /* fork, posix_spawn */
    SIL__FAULT_SYSTEM,  /* descriptors and mappings: memfd_create, mmap, socketpair, epoll ... */
    SIL__FAULT_SITES
};

#ifdef SIL_FAULTS

/* Must this pass fail? Counts the pass. */
bool sil__fault(enum sil__fault_site site);

/* From now on the nth pass (1 is the next) fails; with and_all_later all after it do too. */
void sil__fault_arm(enum sil__fault_site site, uint64_t nth, bool and_all_later);

/* Passes since the last reset. */
uint64_t sil__fault_hits(enum sil__fault_site site);

/* Disarm all sites, count from zero. */
void sil__fault_reset(void);

#else

static inline bool sil__fault(enum sil__fault_site site)
{
    (void)site;
    return false;
}

#endif

#endif
