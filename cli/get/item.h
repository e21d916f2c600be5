/* SPDX-License-Identifier: MIT */
/*
 * An item of get: a URL, the file it becomes, and what became of it.
 */
#ifndef CLI_GET_ITEM_H
#define CLI_GET_ITEM_H

#include <sillon/http.h>

#include "get/hosts.h"
#include "get/store.h"
#include "get/url.h"
#include "run/runner.h"
#include "syntax/options.h"

/** Words for error_kind, in this order. */
enum item_trouble {
    TROUBLE_NONE,
    TROUBLE_URL,
    TROUBLE_DNS,
    TROUBLE_CONNECT,
    TROUBLE_TLS,
    TROUBLE_HTTP,
    TROUBLE_STALL,
    TROUBLE_SHORT,
    TROUBLE_CHECKSUM,
    TROUBLE_WRITE,
    TROUBLE_EXISTS,
    TROUBLE_STOPPED,
};

/** Of one item; and as many for all (-H). */
enum { ITEM_MOST_HEADERS = 32 };

struct get_item {
    struct runner_item head;
    uint64_t seq; /**< from 1 */
    struct url url;
    char *name; /**< owned: the file, relative to the folder; "-": standard output */
    struct digest expected;
    struct texts headers; /**< owned: of this one alone */
    bool name_only;       /**< see item_from_line */
    char *identity;       /**< owned: URL and name */
    char *refused;        /**< owned: why it cannot be fetched at all; NULL: it can */
    bool skip;            /**< an earlier run has done it */
    bool alone;           /**< not over several connections: the server answered wrongly */
    bool never_resume;    /**< the server would not go on, or what it went on with was wrong */

    /* What became of its last try. */
    uint64_t received; /**< bytes of it that are there, with what was resumed */
    uint64_t length;   /**< STORE_UNKNOWN */
    uint64_t resumed_from;
    unsigned segments; /**< connections that it came by at the same time; 0: one, as usual */
    int status;        /**< HTTP's; 0 */
    char protocol[4];
    char peer[64];
    bool reused;
    char *final_url;  /**< owned; NULL: as url */
    char *final_name; /**< owned; NULL: as name */
    struct digest digest;
    sil_http_times times;
    int64_t body_ended, committed; /**< sil_clock() */
    enum item_trouble trouble;
    char *error; /**< owned: what went wrong, for people; NULL */
};

/**
 * Make one from a line of the input: URL, or URL TAB NAME [TAB sha256=HEX]... (or JSON).
 *
 * @param name_only  not to be fetched: of its URL only path and shown are read.
 * @return NULL: out of memory. What is wrong with the line is item->refused.
 */
struct get_item *item_from_line(const char *line, size_t size, bool jsonl, bool name_only);

/** Is it "Name: value", in one line? (Or "Name:", which sends none, or "Name;", an empty one.) */
bool item_is_header(const char *text);

/** @param item  takes; NULL allowed. */
void item_destroy(struct get_item *item);

/** Note what went wrong; a printf text. */
void item_fail(struct get_item *item, enum item_trouble trouble, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** It cannot be fetched at all; the first reason counts. */
void item_refuse(struct get_item *item, const char *why);

/** "dns", "checksum" ...; NULL for TROUBLE_NONE. */
const char *item_trouble_word(enum item_trouble trouble);

#endif
