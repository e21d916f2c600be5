/* SPDX-License-Identifier: MIT */
/*
 * Watches, see watch.h.
 *
 * I1: armed is what libuv was told; changing it costs two calls of epoll_ctl, since libuv forgets what it
 *     had registered. So it only grows while events find somebody, and shrinks when one does not.
 * I2: who waits is in waiting until it runs again, also after it was told. So whoever closes the watch
 *     meanwhile can say so in its frame: it does not touch the watch then.
 * I3: events that come while one who was told has not run (the loop polls before all who are ready have
 *     had their turn) are the same news once more, and do not disarm.
 * I4: all open watches are in the thread's list, so that the reactor's end finds them.
 * I5: a descriptor has one watch of a reactor, which the reactor's bit for it says. libuv knows only of
 *     those that are armed, and with two the second would take the first's events.
 */
#include "loop/watch.h"

#include <string.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "core/context.h"
#include "core/future.h"
#include "loop/dump.h"

/* Who waits, for one side of one watch. Lies in its frame. */
struct waiting {
    struct waiting *next;
    struct sil__waiter *waiter; /* may wait for others, too */
    bool told;
    int code;
};

struct sil__watch {
    uv_poll_t poll;
    struct sil__reactor *reactor; /* NULL: it was abandoned */
    struct sil__watch *next;
    struct sil__watch *prev;
    struct waiting *waiting[2]; /* all who wait for a side */
    /* Sets of UV_READABLE and UV_WRITABLE. */
    unsigned char armed;
    unsigned char promising;
    int fd;
    bool gone;     /* libuv is done with it */
    bool released; /* so is its owner */
};

_Static_assert(UV_READABLE == 1 << SIL__WATCH_READ && UV_WRITABLE == 1 << SIL__WATCH_WRITE,
               "a side is the bit of libuv's event");

static _Thread_local struct sil__watch *open_watches;

/* --- events -------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(struct sil__watch *watch, unsigned events)
{
    watch->armed = (unsigned char)events;
    if (events != 0)
        (void)uv_poll_start(&watch->poll, (int)events, on_poll); /* fails only if misused */
    else
        (void)uv_poll_stop(&watch->poll);
}

static void tell(struct waiting *waiting, int code)
{
    for (; waiting; waiting = waiting->next) {
        waiting->code = code;
        if (waiting->told)
            continue;
        waiting->told = true;
        if (!sil__waiter_woken(waiting->waiter)) /* by another watch it waits for */
            sil__waiter_wake(waiting->waiter);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct sil__watch *watch = (struct sil__watch *)poll; /* its first member */
    unsigned happened = (unsigned)events;
    if (status < 0) {
        /* Failed or hung up: whoever tries is told how. libuv has stopped it. */
        happened = UV_READABLE | UV_WRITABLE;
        watch->armed = 0;
    }
    unsigned unwanted = 0;
    watch->promising |= (unsigned char)happened;
    for (unsigned side = SIL__WATCH_READ; side <= SIL__WATCH_WRITE; side++) {
        unsigned bit = 1U << side;
        if (!(happened & bit))
            continue;
        if (watch->waiting[side])
            tell(watch->waiting[side], 0);
        else
            unwanted |= bit;
    }
    if (watch->armed & unwanted)
        arm(watch, watch->armed & ~unwanted);
}

/* --- being seen ---------------------------------------------------------------------------- */

/* On the reactor's thread; who was told is not looked at any more. */
static void look(const void *object, struct sil__waiter *waiter, struct sil__sight *sight)
{
    const struct sil__watch *watch = object;
    uv_os_fd_t fd;
    if (uv_fileno((const uv_handle_t *)&watch->poll, &fd) == 0)
        sil__fd_look(sight, waiter->purpose->text, fd);
}

static const struct sil__purpose purposes[] = {
    [SIL__WATCH_READ] = {.text = "read", .look = look},
    [SIL__WATCH_WRITE] = {.text = "write", .look = look},
};

/* --- waiting ------------------------------------------------------------------------------- */

bool sil__watch_promising(const struct sil__watch *watch, enum sil__watch_side side)
{
    return watch->promising & 1U << side;
}

void sil__watch_drained(struct sil__watch *watch, enum sil__watch_side side)
{
    watch->promising &= (unsigned char)~(1U << side);
}

void sil__watch_hope(struct sil__watch *watch, enum sil__watch_side side)
{
    watch->promising |= (unsigned char)(1U << side);
}

/* May the caller wait? */
static int check(const struct sil__watch *watch, const char *what)
{
    if (!watch->reactor)
        return sil__fail(SIL_ECLOSED, "%s: its loop has ended", what);
    if (watch->reactor != sil__reactor_current())
        return sil__fail(SIL_ENOTASK, "%s: only coroutines of its loop may wait", what);
    return 0;
}

static void begin(struct sil__watch *watch, enum sil__watch_side side, struct waiting *waiting)
{
    unsigned bit = 1U << side;
    waiting->next = watch->waiting[side];
    watch->waiting[side] = waiting;
    if (!(watch->armed & bit))
        arm(watch, watch->armed | bit);
}

/* The outcome for who was told, or gave up with code. */
static int end(struct sil__watch *watch, enum sil__watch_side side, const struct waiting *waiting)
{
    if (waiting->code == SIL_ECLOSED)
        return SIL_ECLOSED;
    struct waiting **link = &watch->waiting[side];
    while (*link != waiting)
        link = &(*link)->next;
    *link = waiting->next;
    return waiting->told ? 0 : SIL_EINPROGRESS;
}

static int fail(struct sil__context *context, int code, const char *what)
{
    switch (code) {
    case SIL_ECANCELLED:
        return sil__context_deliver_cancel(context, what);
    case SIL_ETIMEDOUT:
        return sil__fail(code, "%s: the deadline came first", what);
    case SIL_ECLOSED:
        return sil__fail(code, "%s: it was closed meanwhile", what);
    default:
        return sil__fail(code, NULL);
    }
}

static int wait(struct sil__context *context, struct sil__waiter *waiter, sil_deadline until)
{
    if (context->deferred)
        sil__state_drain(context);
    return context->ops->wait(context, waiter, sil__context_until(context, until));
}

int sil__watch_wait(struct sil__watch *watch, enum sil__watch_side side, sil_deadline until,
                    const char *what)
{
    if (watch->promising & 1U << side)
        return 0;
    int code = check(watch, what);
    if (code != 0)
        return code;
    struct sil__context *context = sil__context();
    struct sil__waiter waiter;
    struct waiting waiting = {.waiter = &waiter};
    sil__waiter_init(&waiter, context);
    waiter.purpose = &purposes[side];
    waiter.object = watch;
    begin(watch, side, &waiting);
    int waited = wait(context, &waiter, until);
    code = end(watch, side, &waiting);
    if (waited != 0 && code != SIL_EINPROGRESS)
        sil__waiter_settle(&waiter);
    if (code == 0)
        return 0;
    return fail(context, code == SIL_EINPROGRESS ? waited : code, what);
}

/* The first of them that was told something, or SIL_EINPROGRESS: none was. */
static int end_any(struct sil__watch *const *watches, size_t count, enum sil__watch_side side,
                   const struct waiting *waiting, size_t *out_index)
{
    int outcome = SIL_EINPROGRESS;
    for (size_t i = 0; i < count; i++) {
        int code = end(watches[i], side, &waiting[i]);
        if (outcome != SIL_EINPROGRESS || code == SIL_EINPROGRESS)
            continue;
        outcome = code;
        *out_index = i;
    }
    return outcome;
}

int sil__watch_wait_any(struct sil__watch *const *watches, size_t count, enum sil__watch_side side,
                        sil_deadline until, const char *what, size_t *out_index)
{
    for (size_t i = 0; i < count; i++) {
        int code = check(watches[i], what);
        if (code != 0)
            return code;
        if (watches[i]->promising & 1U << side) {
            *out_index = i;
            return 0;
        }
    }
    struct sil__context *context = sil__context();
    struct sil__waiter waiter;
    struct waiting waiting[SIL__WATCH_ANY] = {{0}};
    sil__waiter_init(&waiter, context);
    waiter.purpose = &purposes[side];
    waiter.object = watches[0];
    for (size_t i = 0; i < count; i++) {
        waiting[i].waiter = &waiter;
        begin(watches[i], side, &waiting[i]);
    }
    int waited = wait(context, &waiter, until);
    int code = end_any(watches, count, side, waiting, out_index);
    if (waited != 0 && code != SIL_EINPROGRESS)
        sil__waiter_settle(&waiter);
    if (code == 0)
        return 0;
    return fail(context, code == SIL_EINPROGRESS ? waited : code, what);
}

/* --- which descriptors have one -------------------------------------------------------------- */

enum { WORD = 64 };

static bool is_watched(const struct sil__reactor *reactor, int fd)
{
    size_t word = (size_t)fd / WORD;
    return fd >= 0 && word < reactor->watched.count &&
           reactor->watched.words[word] >> (size_t)fd % WORD & 1;
}

/* fd is open, so there is a limit to what it takes. */
static bool mark_watched(struct sil__reactor *reactor, int fd)
{
    enum { FIRST = 4 };
    size_t word = (size_t)fd / WORD;
    size_t before = reactor->watched.count;
    if (word >= before) {
        size_t count = before ? 2 * before : FIRST;
        while (count <= word)
            count *= 2;
        uint64_t *words = sil__alloc_array(count, sizeof *words);
        if (!words)
            return false;
        if (before > 0)
            memcpy(words, reactor->watched.words, before * sizeof *words);
        sil__free(reactor->watched.words);
        reactor->watched.words = words;
        reactor->watched.count = count;
    }
    reactor->watched.words[word] |= UINT64_C(1) << (size_t)fd % WORD;
    return true;
}

/* --- life ---------------------------------------------------------------------------------- */

static int init_poll(struct sil__reactor *reactor, struct sil__watch *watch, int fd)
{
    if (is_watched(reactor, fd))
        return UV_EEXIST;
    return sil__fault(SIL__FAULT_SYSTEM) ? UV_ENOMEM : uv_poll_init(reactor->uv, &watch->poll, fd);
}

struct sil__watch *sil__watch_open(int fd)
{
    struct sil__reactor *reactor = sil__reactor_current();
    if (!reactor) {
        sil__fail(SIL_ENOTASK, "no loop runs here");
        return NULL;
    }
    struct sil__watch *watch = sil__alloc(sizeof *watch);
    int error = UV_ENOMEM;
    if (watch)
        error = init_poll(reactor, watch, fd);
    if (error != 0) {
        sil__free(watch);
        if (error == UV_ENOMEM)
            sil__fail(SIL_ENOMEM, NULL);
        else
            sil__fail(-error, "descriptor %d cannot be watched: %s", fd, uv_strerror(error));
        return NULL;
    }
    uv_unref((uv_handle_t *)&watch->poll);
    watch->reactor = reactor;
    watch->fd = fd;
    watch->promising = UV_WRITABLE;
    watch->next = open_watches;
    if (open_watches)
        open_watches->prev = watch;
    open_watches = watch;
    if (!mark_watched(reactor, fd)) {
        sil__watch_close(watch);
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    return watch;
}

static void on_closed(uv_handle_t *handle)
{
    struct sil__watch *watch = (struct sil__watch *)handle;
    ((struct sil__reactor *)handle->data)->handles--;
    watch->gone = true;
    if (watch->released)
        sil__free(watch);
}

static void retire(struct sil__watch *watch)
{
    if (watch->next)
        watch->next->prev = watch->prev;
    if (watch->prev)
        watch->prev->next = watch->next;
    else
        open_watches = watch->next;
    if (is_watched(watch->reactor, watch->fd))
        watch->reactor->watched.words[watch->fd / WORD] &= ~(UINT64_C(1) << watch->fd % WORD);
    watch->poll.data = watch->reactor;
    watch->reactor->handles++;
    watch->reactor = NULL;
    uv_close((uv_handle_t *)&watch->poll, on_closed);
}

void sil__watch_close(struct sil__watch *watch)
{
    if (!watch)
        return;
    for (unsigned side = SIL__WATCH_READ; side <= SIL__WATCH_WRITE; side++)
        tell(watch->waiting[side], SIL_ECLOSED);
    watch->released = true;
    if (watch->reactor)
        retire(watch);
    else if (watch->gone)
        sil__free(watch);
}

void sil__watch_abandon_all(struct sil__reactor *reactor)
{
    struct sil__watch *watch = open_watches;
    while (watch) {
        struct sil__watch *next = watch->next;
        if (watch->reactor == reactor)
            retire(watch);
        watch = next;
    }
    sil__free(reactor->watched.words);
    reactor->watched.words = NULL;
    reactor->watched.count = 0;
}
