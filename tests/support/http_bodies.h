/* SPDX-License-Identifier: MIT */
/*
 * What the paths of the HTTP server for tests give, see http_server.c: sizes, and bytes at any place.
 */
#ifndef TESTS_SUPPORT_HTTP_BODIES_H
#define TESTS_SUPPORT_HTTP_BODIES_H

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum body_end { END_WELL, END_CUT, END_SLOWLY, END_STUCK };

/* What a path answers: opening text, then bytes made from the seed, up to size. */
struct body {
    unsigned status;
    bool declares_length;
    enum body_end end;
    uint64_t size;
    uint64_t seed;
    uint64_t first; /* of a range */
    unsigned pause_ms;
    char etag[40]; /* "": none, and no ranges */
    size_t text_length;
    char text[512];
};

#define LAST_MODIFIED "Wed, 01 Jan 2020 00:00:00 GMT"

/* splitmix64: any position of any file's bytes can be made alone. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void body_bytes(const struct body *body, uint64_t at, char *out, size_t count)
{
    for (size_t i = 0; i < count; i++, at++) {
        if (at < body->text_length)
            out[i] = body->text[at];
        else
            out[i] = (char)(mix(body->seed ^ mix(at / 8)) >> (at % 8 * 8));
    }
}

/* "/name/REST" -> REST; NULL for another path. */
static const char *path_after(const char *path, const char *name)
{
    size_t length = strlen(name);
    return strncmp(path, name, length) == 0 ? path + length : NULL;
}

static void body_text(struct body *body, unsigned status, const char *text)
{
    body->status = status;
    body->text_length = (size_t)snprintf(body->text, sizeof(body->text), "%s", text);
    if (body->text_length >= sizeof(body->text))
        body->text_length = sizeof(body->text) - 1;
    body->size = body->text_length;
}

static void body_page(struct body *body, const char *name)
{
    char text[sizeof(body->text)];
    (void)snprintf(text, sizeof(text),
                   "Documentation of %.80s\n\nThis page says all there is to know about %.80s.\n"
                   "It has %zu letters.\n",
                   name, name, strlen(name));
    body_text(body, 200, text);
}

static void body_image(struct body *body, uint64_t number)
{
    unsigned width = 64 + (unsigned)(number % 7) * 32, height = width * 3 / 4;
    char text[64];
    (void)snprintf(text, sizeof(text), "P5\n%u %u\n255\n", width, height);
    body_text(body, 200, text);
    body->size += (uint64_t)width * height;
}

/* Counts the requests of one path, of at most 4096 such paths: the how many-th is this? From 0. */
static uint64_t count_of(const char *path)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct {
        char path[64];
        uint64_t seen;
    } known[4096];

    uint64_t seen = 0;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].path[0] == '\0')
            (void)snprintf(known[i].path, sizeof(known[i].path), "%s", path);
        if (strncmp(known[i].path, path, sizeof(known[i].path) - 1) == 0) {
            seen = known[i].seen++;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    return seen;
}

/* --print: what a path gives in the end, not what it gives first. */
static bool printing;

/* Is this one of the first N requests of a path "/name/N/..."? rest: behind the name. */
static bool is_early(const char *path, const char *rest)
{
    return !printing && count_of(path) < strtoull(rest, NULL, 10);
}

/* What "/name/N/BYTES/NAME" gives. */
static void body_behind_count(struct body *body, const char *rest)
{
    const char *size = strchr(rest, '/');
    body->size = size ? strtoull(size + 1, NULL, 10) : 0;
    body->seed = mix(body->size);
}

/* The paths whose number is a size. */
static bool sized_body(const char *path, struct body *body)
{
    static const struct {
        const char *name;
        bool declares_length;
        enum body_end end;
    } kinds[] = {
        {"/size/", true, END_WELL},       {"/cut/", true, END_CUT},
        {"/cutchunked/", false, END_CUT}, {"/nolength/", false, END_WELL},
        {"/slow/", true, END_SLOWLY},     {"/weak/", true, END_WELL},
        {"/norange/", true, END_WELL},    {"/gzip/", true, END_WELL},
        {"/ignoring/", true, END_WELL},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *rest = path_after(path, kinds[i].name);
        if (rest == NULL)
            continue;
        char *after;
        body->size = strtoull(rest, &after, 10);
        body->seed = mix(body->size);
        body->pause_ms = *after == '/' ? (unsigned)strtoul(after + 1, NULL, 10) : 50;
        body->declares_length = kinds[i].declares_length;
        body->end = kinds[i].end;
        return true;
    }
    return false;
}

/* The paths that answer differently the first times. */
static bool early_body(const char *path, struct body *body)
{
    const char *rest;
    if ((rest = path_after(path, "/flaky/")) || (rest = path_after(path, "/retryafter/"))) {
        body_text(body, is_early(path, rest) ? 503 : 200, "At last.\n");
    } else if ((rest = path_after(path, "/hangfirst/"))) {
        body_text(body, 200, "At last.\n");
    } else if ((rest = path_after(path, "/cutfirst/"))) {
        body_behind_count(body, rest);
        body->end = is_early(path, rest) ? END_CUT : END_WELL;
    } else if ((rest = path_after(path, "/silentfirst/"))) {
        body_behind_count(body, rest);
    } else if ((rest = path_after(path, "/busyfirst/"))) {
        if (is_early(path, rest))
            body_text(body, 503, "This is an error page.\n");
        else
            body_behind_count(body, rest);
    } else if ((rest = path_after(path, "/cutall/"))) {
        body_behind_count(body, rest);
        body->end = !printing && count_of(path) >= strtoull(rest, NULL, 10) ? END_CUT : END_WELL;
    } else if ((rest = path_after(path, "/stuck/"))) {
        body_behind_count(body, rest);
        body->end = !printing && count_of(path) == strtoull(rest, NULL, 10) ? END_STUCK : END_WELL;
    } else if ((rest = path_after(path, "/changed/"))) {
        body_behind_count(body, rest);
        body->seed += printing ? strtoull(rest, NULL, 10) == 999 : is_early(path, rest);
    } else if (path_after(path, "/changing/")) {
        body->size = 1000;
        body->seed = count_of(path);
    } else {
        return false;
    }
    return true;
}

static struct body bare_body_of(const char *path)
{
    struct body body = {.status = 200, .declares_length = true};
    const char *rest;
    if (sized_body(path, &body) || early_body(path, &body)) {
        return body;
    } else if ((rest = path_after(path, "/file/")) != NULL) {
        body.seed = strtoull(rest, NULL, 10);
        /* Small files are more common than large ones, as they are on real sites. */
        uint64_t limit = 199u << (mix(body.seed) % 4) >> 3;
        body.size = 1024 + mix(body.seed + 1) % (limit * 1024);
    } else if ((rest = path_after(path, "/page/")) != NULL) {
        body_page(&body, rest);
    } else if ((rest = path_after(path, "/image/")) != NULL) {
        body.seed = strtoull(rest, NULL, 10);
        body_image(&body, body.seed);
    } else if ((rest = path_after(path, "/status/")) != NULL) {
        body_text(&body, (unsigned)strtoul(rest, NULL, 10), "The body of an error page.\n");
    } else if ((rest = path_after(path, "/redirect/")) != NULL) {
        body_text(&body, strtoul(rest, NULL, 10) > 0 ? 302 : 200, "The end of the redirects.\n");
    } else if (path_after(path, "/as/") != NULL || strcmp(path, "/") == 0) {
        body_text(&body, 200, "The same under every name.\n");
    } else {
        body_text(&body, 404, "No such page.\n");
    }
    return body;
}

static struct body body_of(const char *path)
{
    struct body body = bare_body_of(path);
    if (body.status == 200 && body.declares_length && !path_after(path, "/norange/"))
        (void)snprintf(body.etag, sizeof(body.etag), "%s\"%" PRIx64 "-%" PRIx64 "\"",
                       path_after(path, "/weak/") ? "W/" : "", body.seed, body.size);
    return body;
}

#endif
