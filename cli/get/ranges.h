/* SPDX-License-Identifier: MIT */
/*
 * Who fetches which bytes of a file that comes over several connections. Without I/O; the time is
 * given.
 *
 *     |--- in the part ---|== ready ==|- got -|......|   |..........|      fresh: nobody's yet
 *                       front         a range      end   another range   |            window  |
 *
 * The bytes from front on are cut into ranges, each of one fetcher at most, as they are asked for: as
 * many bytes as a connection brings in a moment that is long against what a request costs. A
 * fetcher that finds nothing to do gets a share of what the slowest has left, by what both bring:
 * so all end at the same time.
 *
 * I1  Ranges stand in the order of the file, touch each other, and cover front to fresh.
 * I2  begin <= ready <= got <= end. Of the owner alone: ready, got. An end can only move down, and
 *     never below got: an owner looks at it after every wait, and what it has got beyond is dropped.
 * I3  Nothing is fetched beyond front + window, so that a file that long holds what is ahead.
 */
#ifndef CLI_GET_RANGES_H
#define CLI_GET_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t begin;
    uint64_t ready; /**< up to here it can be appended, or has been */
    uint64_t got;   /**< up to here it has been fetched */
    uint64_t end;
    struct fetcher *owner; /**< NULL: nobody's; if got < end it can be claimed */
    struct range *next;
};

/** What is known of a connection. All zero to begin with. */
struct fetcher {
    struct range *range; /**< NULL: none */
    /** What its answer brings next, and where that ends; the same: there is no answer. */
    uint64_t answer_at, answer_end;
    bool waiting;   /**< for the head of an answer */
    double cost;    /**< seconds from a request to the head of its answer; 0: not known */
    double rate;    /**< bytes a second; 0: not known */
    int64_t since;  /**< counted below since then */
    uint64_t bytes; /**< since then */
};

struct ranges {
    uint64_t front; /**< all before has been appended */
    uint64_t fresh; /**< nothing from here on is in a range */
    uint64_t end;   /**< of the file */
    uint64_t window;
    uint64_t least; /**< bytes that are worth a request */
    size_t fetchers;
    bool tight; /**< there is no place for what is ahead: only the foremost may be fetched */
    struct range *first;
};

/** @param fetchers  at most, at the same time. */
void ranges_init(struct ranges *ranges, uint64_t from, uint64_t end, size_t fetchers);
void ranges_fini(struct ranges *ranges);

enum range_claim {
    CLAIM_GOT,   /**< it is fetcher->range */
    CLAIM_LATER, /**< ask again when something has changed, or in a moment */
    CLAIM_SLOW,  /**< somebody holds up all: take it off that one, then ask again */
    CLAIM_NO_MEMORY,
};

/**
 * Something to fetch, for who has nothing.
 *
 * @param stay      only what the fetcher's answer brings next.
 * @param out_slow  with CLAIM_SLOW.
 */
enum range_claim ranges_claim(struct ranges *ranges, struct fetcher *fetcher, bool stay,
                              int64_t now, struct fetcher **out_slow);

/** The fetcher has got all of it, or it gives up; what it has got but is not ready is lost. */
void ranges_release(struct ranges *ranges, struct fetcher *fetcher);

/** How many bytes from front on can be appended. */
uint64_t ranges_ready(struct ranges *ranges);
/** So many have been. */
void ranges_pass(struct ranges *ranges, uint64_t count);
/** Does the range stand at the front, with all appended that is ready of it? */
bool ranges_is_front(const struct ranges *ranges, const struct range *range);

/** A request is sent; its answer begins; bytes of it have come. */
void fetcher_asks(struct fetcher *fetcher, int64_t now);
void fetcher_hears(struct fetcher *fetcher, int64_t now);
void fetcher_gets(struct fetcher *fetcher, uint64_t count, int64_t now);
/** Bytes a second, as it looks now; 0: not known yet. */
double fetcher_rate(const struct fetcher *fetcher, int64_t now);

#endif
