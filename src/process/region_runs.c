/* SPDX-License-Identifier: MIT */
/*
 * Runs, see region_runs.h.
 */
#include "process/region_runs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/fault.h"

/* Runs of one bin that are looked at for the best: they differ by a quarter at most. */
#define LOOKS 32

/* --- bins ---------------------------------------------------------------------------------- */

static struct sil__bins *bins_of(struct sil__runs *runs, uint32_t state)
{
    return &runs->bins[state == SIL__RUN_WARM];
}

static bool is_free(const struct sil__runs *runs, uint32_t first)
{
    uint32_t state = runs->at[first].state;
    return state == SIL__RUN_COLD || state == SIL__RUN_WARM;
}

static void bin_add(struct sil__runs *runs, uint32_t first)
{
    struct sil__run *run = &runs->at[first];
    struct sil__bins *bins = bins_of(runs, run->state);
    uint32_t bin = sil__quarter(run->count);
    run->prev = SIL__RUN_NONE;
    run->next = bins->first[bin];
    if (run->next != SIL__RUN_NONE)
        runs->at[run->next].prev = first;
    bins->first[bin] = first;
    bins->filled[bin / 64] |= UINT64_C(1) << bin % 64;
    if (run->state == SIL__RUN_WARM)
        runs->warm += run->count;
}

/* It is no run any more. */
static void bin_remove(struct sil__runs *runs, uint32_t first)
{
    struct sil__run *run = &runs->at[first];
    struct sil__bins *bins = bins_of(runs, run->state);
    uint32_t bin = sil__quarter(run->count);
    if (run->next != SIL__RUN_NONE)
        runs->at[run->next].prev = run->prev;
    if (run->prev != SIL__RUN_NONE)
        runs->at[run->prev].next = run->next;
    else
        bins->first[bin] = run->next;
    if (bins->first[bin] == SIL__RUN_NONE)
        bins->filled[bin / 64] &= ~(UINT64_C(1) << bin % 64);
    if (run->state == SIL__RUN_WARM)
        runs->warm -= run->count;
    run->state = SIL__RUN_INSIDE;
}

/* The smallest in the bin that has so many units. */
static uint32_t bin_best(const struct sil__runs *runs, uint32_t head, uint32_t units)
{
    uint32_t best = SIL__RUN_NONE;
    int looks = LOOKS;
    for (uint32_t i = head; i != SIL__RUN_NONE && looks-- > 0; i = runs->at[i].next)
        if (runs->at[i].count >= units &&
            (best == SIL__RUN_NONE || runs->at[i].count < runs->at[best].count))
            best = i;
    return best;
}

/* The first filled bin from that one on; SIL__RUN_BINS. */
static uint32_t next_bin(const struct sil__bins *bins, uint32_t bin)
{
    for (; bin < SIL__RUN_BINS; bin = (bin / 64 + 1) * 64) {
        uint64_t filled = bins->filled[bin / 64] >> bin % 64;
        if (filled)
            return bin + (uint32_t)__builtin_ctzll(filled);
    }
    return SIL__RUN_BINS;
}

static uint32_t find(const struct sil__runs *runs, const struct sil__bins *bins, uint32_t units)
{
    uint32_t best = SIL__RUN_NONE;
    uint32_t bin = sil__quarter(units);
    while (best == SIL__RUN_NONE && (bin = next_bin(bins, bin)) < SIL__RUN_BINS)
        best = bin_best(runs, bins->first[bin++], units);
    return best;
}

/* One of the largest. */
static uint32_t find_large(const struct sil__bins *bins)
{
    for (uint32_t word = SIL__RUN_BINS / 64; word-- > 0;)
        if (bins->filled[word])
            return bins->first[word * 64 + 63 - (uint32_t)__builtin_clzll(bins->filled[word])];
    return SIL__RUN_NONE;
}

/* --- runs ---------------------------------------------------------------------------------- */

/* I1 */
static void mark(struct sil__runs *runs, uint32_t first, uint32_t count, uint32_t state)
{
    runs->at[first].count = count;
    runs->at[first].state = state;
    runs->at[first].first = first;
    runs->at[first + count - 1].first = first;
}

static void add(struct sil__runs *runs, uint32_t first, uint32_t count, uint32_t state,
                int64_t since)
{
    mark(runs, first, count, state);
    runs->at[first].since = since;
    bin_add(runs, first);
}

/* As add, and one with its neighbours. The larger part says since when: a block that comes and goes
 * beside a large run that is idle does not keep that. */
static void add_merged(struct sil__runs *runs, uint32_t first, uint32_t count, uint32_t state,
                       int64_t since)
{
    uint32_t largest = count;
    uint32_t next = first + count;
    if (next < runs->count && runs->at[next].state == state) {
        bin_remove(runs, next);
        since = runs->at[next].count > largest ? runs->at[next].since : since;
        largest = runs->at[next].count > largest ? runs->at[next].count : largest;
        count += runs->at[next].count;
    }
    uint32_t prev = first > 0 ? runs->at[first - 1].first : 0;
    if (first > 0 && runs->at[prev].state == state) {
        bin_remove(runs, prev);
        since = runs->at[prev].count > largest ? runs->at[prev].since : since;
        count += runs->at[prev].count;
        first = prev;
    }
    add(runs, first, count, state, since);
}

/* Take units off the low end of a free run; the rest stays what it was. */
static void cut_low(struct sil__runs *runs, uint32_t first, uint32_t units)
{
    struct sil__run was = runs->at[first];
    bin_remove(runs, first);
    if (was.count > units)
        add(runs, first + units, was.count - units, was.state, was.since);
}

static void cut_high(struct sil__runs *runs, uint32_t first, uint32_t units)
{
    struct sil__run was = runs->at[first];
    bin_remove(runs, first);
    if (was.count > units)
        add(runs, first, was.count - units, was.state, was.since);
}

/* Free units around a free run, itself included; counting stops when there are enough. */
static uint32_t count_around(const struct sil__runs *runs, uint32_t first, uint32_t enough)
{
    uint32_t total = runs->at[first].count;
    for (uint32_t i = first + total; total < enough && i < runs->count && is_free(runs, i);
         i += runs->at[i].count)
        total += runs->at[i].count;
    while (total < enough && first > 0 && is_free(runs, runs->at[first - 1].first)) {
        first = runs->at[first - 1].first;
        total += runs->at[first].count;
    }
    return total;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A large warm run, and as much as is needed of its free neighbours. Not for much less than half
 * of it: the warm piece would be lost to those whom it suffices. */
static uint32_t take_around(struct sil__runs *runs, uint32_t units)
{
    uint32_t first = find_large(bins_of(runs, SIL__RUN_WARM));
    if (first == SIL__RUN_NONE || runs->at[first].count < units / 2 ||
        count_around(runs, first, units) < units)
        return SIL__RUN_NONE;
    uint32_t have = smaller(runs->at[first].count, units);
    cut_low(runs, first, have);
    while (have < units && first + have < runs->count && is_free(runs, first + have)) {
        uint32_t piece = smaller(runs->at[first + have].count, units - have);
        cut_low(runs, first + have, piece);
        have += piece;
    }
    while (have < units) {
        uint32_t prev = runs->at[first - 1].first;
        uint32_t piece = smaller(runs->at[prev].count, units - have);
        cut_high(runs, prev, piece);
        first -= piece;
        have += piece;
    }
    return first;
}

uint32_t sil__runs_take(struct sil__runs *runs, uint32_t units)
{
    uint32_t first = find(runs, bins_of(runs, SIL__RUN_WARM), units);
    bool cut = first != SIL__RUN_NONE;
    if (!cut)
        first = take_around(runs, units);
    if (first == SIL__RUN_NONE) {
        first = find(runs, bins_of(runs, SIL__RUN_COLD), units);
        cut = first != SIL__RUN_NONE;
    }
    if (cut)
        cut_low(runs, first, units);
    if (first != SIL__RUN_NONE)
        mark(runs, first, units, SIL__RUN_BLOCK);
    return first;
}

void sil__runs_give(struct sil__runs *runs, uint32_t first, int64_t since)
{
    uint32_t count = runs->at[first].count;
    if (runs->at[first].state == SIL__RUN_CHUNK)
        for (uint32_t i = 0; i < count; i++)
            runs->at[first + i].state = SIL__RUN_INSIDE;
    runs->at[first].state = SIL__RUN_INSIDE;
    add_merged(runs, first, count, SIL__RUN_WARM, since);
    if (since < runs->warm_due)
        runs->warm_due = since;
}

void sil__runs_mark_chunk(struct sil__runs *runs, uint32_t first, struct sil__chunk *chunk)
{
    SIL_ASSERT(runs->at[first].state == SIL__RUN_BLOCK);
    for (uint32_t i = 0; i < runs->at[first].count; i++) {
        runs->at[first + i].state = SIL__RUN_CHUNK;
        runs->at[first + i].first = first;
    }
    runs->at[first].chunk = chunk;
}

/* --- going back to the system -------------------------------------------------------------- */

static void cool(struct sil__runs *runs, int fd, uint32_t first, uint32_t units)
{
    /* If it fails, the memory stays, and is taken for cold; it may yet be used again. */
    (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)first << runs->shift,
                    (off_t)units << runs->shift);
    cut_low(runs, first, units);
    add_merged(runs, first, units, SIL__RUN_COLD, 0);
}

bool sil__runs_cool(struct sil__runs *runs, int fd, int64_t before, uint32_t most)
{
    struct sil__bins *bins = bins_of(runs, SIL__RUN_WARM);
    int64_t oldest = INT64_MAX;
    if (runs->warm_due > before)
        return false;
    for (uint32_t bin = 0; (bin = next_bin(bins, bin)) < SIL__RUN_BINS; bin++)
        for (uint32_t i = bins->first[bin], next; i != SIL__RUN_NONE; i = next) {
            const struct sil__run *run = &runs->at[i];
            next = run->next;
            if (run->since > before) {
                oldest = run->since < oldest ? run->since : oldest;
                continue;
            }
            if (most == 0)
                return true;
            uint32_t units = smaller(run->count, most);
            most -= units;
            bool all = units == run->count;
            cool(runs, fd, i, units);
            if (!all)
                return true;
        }
    runs->warm_due = oldest;
    return false;
}

/* --- the array ----------------------------------------------------------------------------- */

bool sil__runs_init(struct sil__runs *runs, size_t size, unsigned shift)
{
    memset(runs, 0, sizeof *runs);
    runs->count = (uint32_t)(size >> shift);
    runs->shift = shift;
    runs->warm_due = INT64_MAX;
    for (int i = 0; i < SIL__RUN_BINS; i++)
        runs->bins[0].first[i] = runs->bins[1].first[i] = SIL__RUN_NONE;
    void *array = sil__fault(SIL__FAULT_ALLOC)
                      ? MAP_FAILED
                      : mmap(NULL, runs->count * sizeof *runs->at, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (array == MAP_FAILED)
        return false;
    runs->at = array;
    add(runs, 0, runs->count, SIL__RUN_COLD, 0);
    return true;
}

void sil__runs_fini(struct sil__runs *runs)
{
    if (runs->at)
        (void)munmap(runs->at, runs->count * sizeof *runs->at);
    runs->at = NULL;
}
