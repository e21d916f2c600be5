/* SPDX-License-Identifier: MIT */
/*
 * Mapping regions, see region_map.h.
 */
#include "process/region_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/clock.h"
#include "base/fault.h"
#include "core/context.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define UNDER_TSAN 1
#endif

#define GIB ((size_t)1 << 30)
#define LEAST (GIB / 4)
#ifdef UNDER_TSAN /* which keeps several times as much beside it */
#define DEFAULT_SIZE (4 * GIB)
#else
#define DEFAULT_SIZE (64 * GIB)
#endif

#define TRIES 16

/*
 * Where regions may lie. On x86-64 and aarch64 with 47 and 48 bits of addresses there is nothing
 * between the program's own break and what is mapped at the top. Where addresses have 39 bits, or a
 * checker keeps the rest for itself, the second is free.
 */
static const struct window {
    uintptr_t low, high;
} windows[] = {
#ifdef UNDER_TSAN
    {0x7e9000000000, 0x7ef000000000},
#else
    {0x200000000000, 0x400000000000},
#endif
    {0x1000000000, 0x5000000000},
};

#define WINDOWS (sizeof windows / sizeof windows[0])

/* A multiple of 2 MiB: a page table of its own. */
static uintptr_t random_address(const struct window *window, size_t size)
{
    const uintptr_t step = (uintptr_t)2 << 20;
    uint64_t number;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number)
        number = (uint64_t)sil__clock_now() * 0x9e3779b97f4a7c15 ^ (uint64_t)getpid() << 20;
    uintptr_t places = (window->high - window->low - size) / step;
    return window->low + number % (places + 1) * step;
}

/* 0 or an errno value. */
static int map_at(int fd, void *base, size_t size)
{
    if (sil__fault(SIL__FAULT_SYSTEM))
        return ENOMEM;
    void *got = mmap(base, size, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, fd, 0);
    if (got == MAP_FAILED)
        return errno;
    if (got == base) {
        /* A core dump would touch every page of it, so that a crash would take all memory. */
        (void)madvise(base, size, MADV_DONTDUMP);
        return 0;
    }
    (void)munmap(got, size); /* a kernel before 4.17 takes the address for a wish */
    return EEXIST;
}

static void *map_in(const struct window *window, int fd, size_t size)
{
    if (size > window->high - window->low)
        return NULL;
    for (int i = 0; i < TRIES; i++) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): an address that we choose
        void *base = (void *)random_address(window, size);
        int error = map_at(fd, base, size);
        if (error != EEXIST)
            return error ? NULL : base;
    }
    return NULL;
}

static void *map_somewhere(int fd, size_t size)
{
    void *base = NULL;
    for (size_t i = 0; i < WINDOWS && !base; i++)
        base = map_in(&windows[i], fd, size);
    return base;
}

/* What the process is limited to; a quarter of its address space, so that some is left for all the
 * rest. A file beyond its limit would be answered by a signal. */
static size_t limited(size_t size)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        size > limit.rlim_cur / 4 && size > LEAST)
        size = limit.rlim_cur / 4 > LEAST ? limit.rlim_cur / 4 : LEAST;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size)
        size = limit.rlim_cur;
    return size;
}

/* Never executed, if the kernel knows how to promise that. */
static int open_file(void)
{
    if (sil__fault(SIL__FAULT_SYSTEM))
        return -1;
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("sillon", flags | MFD_NOEXEC_SEAL);
    return fd < 0 && errno == EINVAL ? memfd_create("sillon", flags) : fd;
}

static bool set_size(int fd, size_t size)
{
    return !sil__fault(SIL__FAULT_SYSTEM) && ftruncate(fd, (off_t)size) == 0;
}

int sil__region_map(size_t size, size_t unit, struct sil__region_memory *out)
{
    size_t wanted = size > 0 ? (size + unit - 1) / unit * unit : DEFAULT_SIZE;
    size_t least = wanted < LEAST ? wanted : LEAST;
    int fd = open_file();
    if (fd < 0)
        return sil__fail(SIL_ENOMEM, "no file for shared memory: %s", sil_strerror(errno));
    void *base = NULL;
    for (size = limited(wanted) / unit * unit; size >= least; size = size / 2 / unit * unit)
        if (set_size(fd, size) && (base = map_somewhere(fd, size)))
            break;
    if (!base) {
        (void)close(fd);
        return sil__fail(SIL_ENOMEM, "no address space for %zu bytes of shared memory", least);
    }
    /* Another process that has it could cut it off under our feet. */
    (void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    *out = (struct sil__region_memory){fd, base, size};
    return 0;
}

int sil__region_map_again(const struct sil__region_memory *memory)
{
    int error = map_at(memory->fd, memory->base, memory->size);
    if (!error)
        return 0;
    if (error == ENOMEM)
        return sil__fail(SIL_ENOMEM, "no address space for shared memory");
    return sil__fail(SIL_EAGAIN, "shared memory cannot be mapped at its address, %p: %s",
                     memory->base, sil_strerror(error));
}

void sil__region_unmap(const struct sil__region_memory *memory)
{
    (void)munmap(memory->base, memory->size);
    (void)close(memory->fd);
}
