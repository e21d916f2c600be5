/* SPDX-License-Identifier: MIT */
/*
 * Connecting: "Happy Eyeballs", version 2 (RFC 8305), in one coroutine, which waits for all attempts that
 * are under way at once.
 *
 * An attempt is a stream from the beginning; the others are just closed when one has won.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/clock.h"
#include "base/fault.h"
#include "coro/address.h"
#include "coro/enter.h"
#include "coro/stream.h"
#include "loop/watch.h"

#define STAGGER 0.25

struct race {
    const sil_address *addresses;
    size_t count;
    size_t next; /* not begun yet */
    const sil_address *local;
    int64_t stagger;
    int64_t next_at; /* when to begin the next one, if none has connected until then */
    sil_stream *attempts[SIL__WATCH_ANY];
    struct sil__watch *watches[SIL__WATCH_ANY];
    size_t running;
    int error; /* the most telling one so far; 0: none */
};

/* --- one attempt ----------------------------------------------------------------------------- */

/* Errors that say something about the other side are worth more than those about our own. */
static void note_error(struct race *race, int error)
{
    static const int ours[] = {EAFNOSUPPORT, EADDRNOTAVAIL, ENETUNREACH, EHOSTUNREACH};
    bool vague = false;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        vague = vague || error == ours[i];
    if (race->error == 0 || !vague)
        race->error = error;
}

static int open_socket(int family)
{
    if (sil__fault(SIL__FAULT_SYSTEM)) {
        errno = EMFILE;
        return -1;
    }
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* It is under way, or done. NULL: *out_error says why not. */
static sil_stream *begin_connect(const struct race *race, const sil_address *address,
                                 int *out_error)
{
    sil_stream *stream = NULL;
    const sil_address *local = race->local;
    int fd = open_socket(address->storage.ss_family);
    if (fd < 0) {
        *out_error = errno;
        return NULL;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (local && bind(fd, (const struct sockaddr *)&local->storage, local->size) != 0)
        *out_error = errno;
    else
        *out_error = sil__stream_from(fd, SIL__FD_SOCKET, &stream);
    if (!stream) {
        (void)close(fd);
        return NULL;
    }
    /* Watched before it connects, and waited for only now: else it counts as hung up. */
    if (connect(fd, (const struct sockaddr *)&address->storage, address->size) == 0 ||
        errno == EINPROGRESS || errno == EINTR)
        return stream;
    *out_error = errno;
    sil_stream_close(stream);
    return NULL;
}

static void begin_next(struct race *race)
{
    int error = 0;
    sil_stream *stream = begin_connect(race, &race->addresses[race->next++], &error);
    if (!stream) {
        note_error(race, error);
        return;
    }
    sil__watch_drained(stream->own.watch, SIL__WATCH_WRITE);
    race->attempts[race->running] = stream;
    race->watches[race->running++] = stream->own.watch;
    race->next_at = sil__clock_now() + race->stagger;
}

/* 0: connected; EINPROGRESS: not yet. */
static int outcome(const sil_stream *stream)
{
    int error = 0;
    socklen_t size = sizeof error;
    sil_address local = {.size = sizeof local.storage};
    sil_address peer = {.size = sizeof peer.storage};
    if (getsockopt(stream->own.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return errno;
    if (error != 0)
        return error;
    if (getpeername(stream->own.fd, (struct sockaddr *)&peer.storage, &peer.size) != 0)
        return errno == ENOTCONN ? EINPROGRESS : errno;
    /* A free port of this machine can come to be connected to itself. */
    if (getsockname(stream->own.fd, (struct sockaddr *)&local.storage, &local.size) == 0 &&
        local.size == peer.size && memcmp(&local.storage, &peer.storage, peer.size) == 0)
        return ECONNREFUSED;
    return 0;
}

static sil_stream *take_out(struct race *race, size_t index)
{
    sil_stream *stream = race->attempts[index];
    race->running--;
    race->attempts[index] = race->attempts[race->running];
    race->watches[index] = race->watches[race->running];
    return stream;
}

/* --- the race ------------------------------------------------------------------------------ */

/* Something came of one: the winner, or NULL. */
static sil_stream *judge(struct race *race, size_t index)
{
    int error = outcome(race->attempts[index]);
    if (error == EINPROGRESS) {
        sil__watch_drained(race->watches[index], SIL__WATCH_WRITE);
        return NULL;
    }
    sil_stream *stream = take_out(race, index);
    if (error == 0)
        return stream;
    note_error(race, error);
    sil_stream_close(stream);
    race->next_at = 0; /* the next one need not wait */
    return NULL;
}

/* 0 and a stream; SIL_EEND: all have failed; or a code. */
static int run_race(struct race *race, sil_stream **out_stream, sil_deadline until)
{
    sil_stream *winner = NULL;
    while (!winner) {
        bool more = race->next < race->count && race->running < SIL__WATCH_ANY;
        if (more && (race->running == 0 || sil__clock_now() >= race->next_at)) {
            begin_next(race);
            continue;
        }
        if (race->running == 0)
            return SIL_EEND;
        bool staggered = more && race->next_at < until;
        size_t index;
        int code = sil__watch_wait_any(race->watches, race->running, SIL__WATCH_WRITE,
                                       staggered ? race->next_at : until, "sil_connect", &index);
        if (code == 0)
            winner = judge(race, index);
        else if (code != SIL_ETIMEDOUT || !staggered)
            return code;
    }
    *out_stream = winner;
    return 0;
}

/* The families in turns, each in its own order. */
static void interleave(sil_address *addresses, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t next = i;
        while (next < count &&
               addresses[next].storage.ss_family == addresses[i - 1].storage.ss_family)
            next++;
        if (next == count)
            return;
        sil_address moved = addresses[next];
        memmove(&addresses[i + 1], &addresses[i], (next - i) * sizeof *addresses);
        addresses[i] = moved;
    }
}

static const char *name_of(const char *host)
{
    return host ? host : "this machine";
}

/* Only those that can be connected to from there; how many. */
static size_t keep_family(sil_address *addresses, size_t count, const sil_address *local)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (addresses[i].storage.ss_family == local->storage.ss_family)
            addresses[kept++] = addresses[i];
    return kept;
}

static int explain(int code, const struct race *race, const char *host, const char *service)
{
    const char *where = name_of(host);
    if (code == SIL_EEND) {
        code = race->error;
        return sil__fail(code, "cannot connect to %s, port %s: %s", where, service,
                         sil_strerror(code));
    }
    if (code == SIL_ETIMEDOUT)
        return sil__fail(code, "cannot connect to %s, port %s: the deadline came first%s%s", where,
                         service, race->error ? ", after " : "",
                         race->error ? sil_strerror(race->error) : "");
    return code;
}

int sil__connect_first(const sil_address *addresses, size_t count, const char *host,
                       const char *service, const sil_connect_options *options,
                       sil_stream **out_stream, sil_deadline until)
{
    double stagger = options->stagger > 0 ? options->stagger : STAGGER;
    struct race race = {.addresses = addresses, .count = count, .local = options->local};
    race.stagger = stagger < 1e6 ? (int64_t)(stagger * 1e9) : (int64_t)1e15;
    int code = run_race(&race, out_stream, sil__context_until(sil__context(), until));
    if (code != 0)
        code = explain(code, &race, host, service);
    while (race.running > 0)
        sil_stream_close(race.attempts[--race.running]);
    return code;
}

int sil_connect(const char *host, const char *service, const sil_connect_options *options,
                sil_stream **out_stream, sil_deadline until)
{
    static const sil_connect_options defaults;
    if (!options)
        options = &defaults;
    if (!out_stream || !service || !(options->stagger >= 0))
        return sil__fail(SIL_EINVAL, "sil_connect: service or out_stream is NULL, or an option is "
                                     "out of range");
    sil_address *addresses = NULL;
    size_t count = 0;
    int code = sil_resolve(host, service, &(sil_resolve_options){.family = options->family},
                           &addresses, &count, until);
    if (code != 0)
        return code;
    interleave(addresses, count);
    if (options->local)
        count = keep_family(addresses, count, options->local);
    if (count == 0)
        code = sil__fail(EAFNOSUPPORT,
                         "cannot connect to %s, port %s: it has no address of the family of .local",
                         name_of(host), service);
    else
        code = sil__connect_first(addresses, count, host, service, options, out_stream, until);
    sil_addresses_free(addresses);
    return code;
}

/* --- in the file system -------------------------------------------------------------------- */

/* The server's backlog is full, which nothing announces the end of. */
static int pause_for(int64_t *pause, sil_deadline until)
{
    const int64_t most = SIL__SECOND / 20;
    int64_t now = sil__clock_now();
    if (now >= until)
        return sil__fail(SIL_ETIMEDOUT, "sil_connect_unix: the deadline came first");
    int code = sil_sleep(now + *pause < until ? now + *pause : until);
    *pause = 2 * *pause < most ? 2 * *pause : most;
    return code;
}

int sil_connect_unix(const char *path, sil_stream **out_stream, sil_deadline until)
{
    sil_address address = {0};
    int code = sil__enter(sil_loop_current(), "sil_connect_unix");
    if (code == 0)
        code = out_stream ? sil__address_unix(path, &address)
                          : sil__fail(SIL_EINVAL, "sil_connect_unix: out_stream is NULL");
    if (code != 0)
        return code;
    int fd = open_socket(AF_UNIX);
    if (fd < 0) {
        code = errno;
        return sil__fail(code, "cannot connect to '%s': %s", path, strerror(code));
    }
    int64_t pause = SIL__SECOND / 1000;
    while (code == 0 && connect(fd, (const struct sockaddr *)&address.storage, address.size) != 0) {
        int error = errno;
        if (error == EAGAIN)
            code = pause_for(&pause, until);
        else if (error != EINTR)
            code = sil__fail(error, "cannot connect to '%s': %s", path, strerror(error));
    }
    if (code == 0)
        code = sil__stream_from(fd, SIL__FD_SOCKET, out_stream);
    if (code != 0)
        (void)close(fd);
    return code;
}
