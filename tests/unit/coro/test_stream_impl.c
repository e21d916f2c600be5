/* SPDX-License-Identifier: MIT */
/*
 * A transport of our own, on public headers: bytes turned over, and a few at a time. It waits for what
 * its engine is short of, as TLS does: to write it may have to read first. And one that never ends.
 */
#include <sillon/stream_impl.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "unit/coro/scenario.h"

enum { AT_A_TIME = 7, GREETING = 3 };

/* Each side greets the other with GREETING bytes before anything else. */
struct turner {
    sil_stream *below;
    size_t greeted; /* bytes of the greeting we have written, */
    size_t met;     /* and read */
    bool closed;
    unsigned destroyed;
};

static unsigned destroyed;

/* 0: it has met the other side; *out_wait: what it is short of otherwise. */
static int greet(struct turner *turner, bool *out_met, sil_side *out_wait)
{
    size_t moved = 0;
    int code = 0;
    *out_met = false;
    while (turner->greeted < GREETING) {
        struct iovec part = {(void *)"hey", GREETING - turner->greeted};
        code = sil_stream_try_write(turner->below, &part, 1, &moved);
        *out_wait = SIL_WRITING;
        if (code != 0 || moved == 0)
            return code;
        turner->greeted += moved;
    }
    while (turner->met < GREETING) {
        char greeting[GREETING];
        code = sil_stream_try_read(turner->below, greeting, GREETING - turner->met, &moved);
        *out_wait = SIL_READING;
        if (code != 0 || moved == 0)
            return code;
        turner->met += moved;
    }
    *out_met = true;
    return 0;
}

static int turner_read(void *transport, void *buffer, size_t size, size_t *out_got)
{
    struct turner *turner = transport;
    bool met;
    sil_side wait;
    *out_got = 0;
    int code = greet(turner, &met, &wait);
    if (code != 0 || !met)
        return code;
    code = sil_stream_try_read(turner->below, buffer, size < AT_A_TIME ? size : AT_A_TIME, out_got);
    for (size_t i = 0; code == 0 && i < *out_got; i++)
        ((char *)buffer)[i] ^= 0x55;
    return code;
}

static int turner_write(void *transport, const struct iovec *parts, int count, size_t *out_put)
{
    struct turner *turner = transport;
    bool met;
    sil_side wait;
    char turned[AT_A_TIME];
    (void)count;
    *out_put = 0;
    int code = greet(turner, &met, &wait);
    if (code != 0 || !met)
        return code;
    size_t size = parts->iov_len < AT_A_TIME ? parts->iov_len : AT_A_TIME;
    for (size_t i = 0; i < size; i++)
        turned[i] = ((const char *)parts->iov_base)[i] ^ 0x55;
    struct iovec part = {turned, size};
    return sil_stream_try_write(turner->below, &part, 1, out_put);
}

static int turner_wait(void *transport, sil_side side, sil_deadline until, const char *what)
{
    struct turner *turner = transport;
    bool met = turner->met == GREETING;
    if (!met) {
        int code = greet(turner, &met, &side);
        if (code != 0 || met)
            return code; /* it is worth trying again */
    }
    return sil_stream_wait(turner->below, side, until, what);
}

static int turner_shutdown(void *transport, sil_deadline until)
{
    return sil_stream_shutdown(((struct turner *)transport)->below, until);
}

static void turner_close(void *transport)
{
    struct turner *turner = transport;
    turner->closed = true;
    sil_stream_close(turner->below);
}

static void turner_destroy(void *transport)
{
    destroyed += ((struct turner *)transport)->closed;
    free(transport);
}

static const sil_transport_ops turner_ops = {
    .size = sizeof(sil_transport_ops),
    .kind = "turner",
    .read_some = turner_read,
    .write_some = turner_write,
    .wait = turner_wait,
    .shutdown = turner_shutdown,
    .close = turner_close,
    .destroy = turner_destroy,
};

static sil_stream *turn(sil_stream *below)
{
    sil_stream *stream;
    struct turner *turner = calloc(1, sizeof *turner);
    if (!turner)
        return NULL;
    turner->below = below;
    return sil_stream_create(&turner_ops, turner, &stream) == 0 ? stream : NULL;
}

static bool open_two(sil_stream **a, sil_stream **b)
{
    destroyed = 0;
    if (sil_socketpair(a, b) != 0)
        return false;
    *a = turn(*a);
    *b = turn(*b);
    return *a && *b;
}

/* --- tests --------------------------------------------------------------------------------- */

static int co_shout(void *arg, void *result)
{
    sil_stream *stream = *(sil_stream **)arg;
    (void)result;
    for (int i = 0; i < 100; i++)
        EXPECT_CODE(sil_stream_printf(stream, SIL_FOREVER, "line %d\n", i), 0);
    return sil_stream_shutdown(stream, SIL_FOREVER);
}

static int read_lines(sil_stream *stream)
{
    const char *line;
    char expected[32];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(expected, sizeof expected, "line %d", i);
        EXPECT_CODE(sil_read_line(stream, 100, &line, NULL, SIL_FOREVER), 0);
        EXPECT(strcmp(line, expected) == 0);
    }
    EXPECT_CODE(sil_read_line(stream, 100, &line, NULL, SIL_FOREVER), SIL_EEND);
    return 0;
}

SCENARIO(everything_works_on_top)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    EXPECT(open_two(&a, &b));
    sil_future *one = sil_go(co_shout, &a, sizeof a, 0);
    sil_future *other = sil_go(co_shout, &b, sizeof b, 0);
    EXPECT_CODE(read_lines(b), 0);
    EXPECT_CODE(read_lines(a), 0);
    EXPECT_CODE(sil_take(one, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(other, NULL, SIL_FOREVER), 0);
    sil_address address;
    EXPECT(sil_stream_fd(a) == -1);
    EXPECT_CODE(sil_stream_peer(a, &address), SIL_ENOTSUP);
    EXPECT_CODE(sil_stream_set_nodelay(a, true), SIL_ENOTSUP);
    EXPECT(sil_stream_transport(a, &turner_ops) && !sil_stream_transport(NULL, &turner_ops));
    sil_transport_ops others = turner_ops;
    EXPECT(!sil_stream_transport(a, &others));
    sil_stream_close(a);
    sil_stream_close(b);
    EXPECT(destroyed == 2);
    return 0;
}

static int co_read_line(void *arg, void *result)
{
    sil_stream *stream = *(sil_stream **)arg;
    (void)result;
    const char *line;
    return sil_read_line(stream, 100, &line, NULL, SIL_FOREVER);
}

/* The one below ends the wait, and the transport lives until its wait is over. */
SCENARIO(closing_while_one_waits)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    EXPECT(open_two(&a, &b));
    sil_future *future = sil_go(co_read_line, &a, sizeof a, 0);
    give_way(2);
    sil_stream_close(a);
    EXPECT(destroyed == 0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECLOSED);
    EXPECT(destroyed == 1);
    sil_stream_close(b);
    return 0;
}

SCENARIO(waits_are_given_up)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    char byte;
    size_t got;
    EXPECT(open_two(&a, &b));
    EXPECT_CODE(sil_read(a, &byte, 1, &got, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_write(a, "xx", 2, sil_in(0.001)), SIL_ETIMEDOUT); /* not greeted yet */
    sil_future *future = sil_go(co_read_line, &a, sizeof a, 0);
    give_way(2);
    (void)sil_future_cancel(future);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_read(b, &byte, 1, &got, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_write(a, "xyz", 3, SIL_NOW), 0);
    EXPECT_CODE(sil_read(b, &byte, 1, &got, SIL_NOW), 0);
    EXPECT(byte == 'x');
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

/* --- without end ----------------------------------------------------------------------------- */

enum { MILLI = SIL__SECOND / 1000, ENOUGH = 24 * 1024 * 1024 };

/* What it gives, and takes; each time that costs a millisecond. */
struct endless {
    size_t given;
    size_t taken;
};

static int endless_read(void *transport, void *buffer, size_t size, size_t *out_got)
{
    struct endless *endless = transport;
    memset(buffer, 'e', size);
    endless->given += *out_got = size;
    sil__clock_fake_advance(MILLI);
    return 0;
}

static int endless_write(void *transport, const struct iovec *parts, int count, size_t *out_put)
{
    struct endless *endless = transport;
    *out_put = 0;
    for (int i = 0; i < count; i++)
        *out_put += parts[i].iov_len;
    endless->taken += *out_put;
    sil__clock_fake_advance(MILLI);
    return 0;
}

static int endless_wait(void *transport, sil_side side, sil_deadline until, const char *what)
{
    (void)transport, (void)side, (void)until, (void)what;
    return 0;
}

static void endless_leave(void *transport)
{
    (void)transport;
}

static const sil_transport_ops endless_ops = {
    .size = sizeof(sil_transport_ops),
    .kind = "endless",
    .read_some = endless_read,
    .write_some = endless_write,
    .wait = endless_wait,
    .close = endless_leave,
    .destroy = endless_leave,
};

static char enough[ENOUGH];

static int end_in_time(void *arg, void *result)
{
    (void)arg, (void)result;
    struct endless endless = {0};
    sil_stream *stream;
    const char *data;
    size_t got;
    EXPECT_CODE(sil_stream_create(&endless_ops, &endless, &stream), 0);
    EXPECT_CODE(sil_read_exactly(stream, enough, ENOUGH, &got, sil_in(0.01)), SIL_ETIMEDOUT);
    EXPECT(got > 0 && got < ENOUGH / 2 && got == endless.given);
    EXPECT_CODE(sil_write(stream, enough, ENOUGH, sil_in(0.01)), SIL_ETIMEDOUT);
    EXPECT(endless.taken > 0 && endless.taken < ENOUGH / 2);
    struct iovec parts[3] = {{enough, 0}, {enough, 9}, {enough, ENOUGH}};
    EXPECT_CODE(sil_write_parts(stream, parts, 3, sil_in(0.01)), SIL_ETIMEDOUT);
    EXPECT(parts[2].iov_len == ENOUGH);
    /* Nothing is lost of what was looked through. */
    endless.given = 0;
    EXPECT_CODE(sil_read_all(stream, ENOUGH, &data, &got, sil_in(0.02)), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_read_line(stream, ENOUGH, &data, &got, sil_in(0.02)), SIL_ETIMEDOUT);
    size_t given = endless.given;
    EXPECT(given > 0 && given < ENOUGH / 2);
    EXPECT_CODE(sil_read_exactly(stream, enough, given, &got, SIL_NOW), 0);
    EXPECT(endless.given == given);
    /* With SIL_NOW all is done that can be; so the limit is the end. */
    EXPECT_CODE(sil_read_exactly(stream, enough, ENOUGH, &got, SIL_NOW), 0);
    endless.taken = 0;
    EXPECT_CODE(sil_write_parts(stream, parts, 3, SIL_NOW), 0);
    EXPECT(endless.taken == 9 + ENOUGH);
    sil_stream_close(stream);
    return 0;
}

static void test_deadlines_end_what_never_waits(void **state)
{
    (void)state;
    sil__clock_fake_start(SIL__SECOND);
    run_scenario(end_in_time);
    sil__clock_fake_stop();
}

static int co_read_enough(void *arg, void *result)
{
    return sil_read_exactly(*(sil_stream **)arg, enough, ENOUGH, result, SIL_FOREVER);
}

static int co_write_enough(void *arg, void *result)
{
    (void)result;
    return sil_write(*(sil_stream **)arg, enough, ENOUGH, SIL_FOREVER);
}

/* That this runs at all is what counts: they never wait. */
static int run_beside(void *arg, void *result)
{
    (void)arg, (void)result;
    const sil_task_fn fns[] = {co_read_enough, co_write_enough};
    for (int i = 0; i < 4; i++) {
        struct endless endless = {0};
        sil_stream *stream;
        EXPECT_CODE(sil_stream_create(&endless_ops, &endless, &stream), 0);
        sil_future *future = sil_go(fns[i % 2], &stream, sizeof stream, sizeof(size_t));
        EXPECT_CODE(sil_yield(), 0);
        EXPECT(!sil_future_done(future) && endless.given + endless.taken > 0);
        if (i < 2)
            (void)sil_future_cancel(future);
        else
            sil_stream_close(stream);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), i < 2 ? SIL_ECANCELLED : SIL_ECLOSED);
        EXPECT(endless.given + endless.taken < ENOUGH);
        if (i < 2)
            sil_stream_close(stream);
    }
    return 0;
}

static void test_others_run_beside_what_never_waits(void **state)
{
    (void)state;
    sil__clock_fake_start(SIL__SECOND);
    run_scenario(run_beside);
    sil__clock_fake_stop();
}

SCENARIO(the_tools_of_transports)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    const char *line;
    char buffer[8];
    size_t got;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(sil_stream_try_read(b, buffer, sizeof buffer, &got), 0);
    EXPECT(got == 0);
    EXPECT_CODE(sil_stream_wait(b, SIL_READING, SIL_NOW, NULL), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_stream_wait(b, SIL_WRITING, SIL_NOW, NULL), 0);
    EXPECT_CODE(sil_write(a, "l\nrest", 6, SIL_NOW), 0);
    EXPECT_CODE(sil_stream_wait(b, SIL_READING, SIL_FOREVER, NULL), 0);
    EXPECT_CODE(sil_read_line(b, 8, &line, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_stream_wait(b, SIL_READING, SIL_NOW, NULL), 0);
    EXPECT_CODE(sil_stream_try_read(b, buffer, 3, &got), 0);
    EXPECT(got == 3 && memcmp(buffer, "res", 3) == 0);
    EXPECT_CODE(sil_stream_try_read(b, buffer, 3, &got), 0);
    EXPECT(got == 1);
    struct iovec parts[2] = {{(void *)"ab", 2}, {(void *)"cd", 2}};
    EXPECT_CODE(sil_stream_try_write(a, parts, 2, &got), 0);
    EXPECT(got == 4);
    sil_stream_close(a);
    EXPECT_CODE(sil_stream_wait(b, SIL_READING, SIL_FOREVER, NULL), 0);
    EXPECT_CODE(sil_stream_try_read(b, buffer, sizeof buffer, &got), 0);
    EXPECT(got == 4);
    EXPECT_CODE(sil_stream_wait(b, SIL_READING, SIL_FOREVER, NULL), 0);
    EXPECT_CODE(sil_stream_try_read(b, buffer, sizeof buffer, &got), SIL_EEND);
    sil_stream_close(b);
    return 0;
}

SCENARIO(bad_arguments)
{
    (void)arg, (void)result;
    sil_stream *stream;
    sil_stream *other;
    struct turner turner = {0};
    sil_transport_ops ops = turner_ops;
    EXPECT_CODE(sil_stream_create(NULL, &turner, &stream), SIL_EINVAL);
    EXPECT_CODE(sil_stream_create(&ops, &turner, NULL), SIL_EINVAL);
    ops.size = 8;
    EXPECT_CODE(sil_stream_create(&ops, &turner, &stream), SIL_EINVAL);
    ops = turner_ops;
    ops.wait = NULL;
    EXPECT_CODE(sil_stream_create(&ops, &turner, &stream), SIL_EINVAL);
    EXPECT_CODE(sil_socketpair(&stream, &other), 0);
    char byte;
    size_t got;
    struct iovec part = {&byte, 1};
    EXPECT_CODE(sil_stream_try_read(stream, &byte, 0, &got), SIL_EINVAL);
    EXPECT_CODE(sil_stream_try_read(NULL, &byte, 1, &got), SIL_EINVAL);
    EXPECT_CODE(sil_stream_try_write(stream, &part, 0, &got), SIL_EINVAL);
    EXPECT_CODE(sil_stream_try_write(stream, &part, 1, NULL), SIL_EINVAL);
    EXPECT_CODE(sil_stream_wait(NULL, SIL_READING, SIL_NOW, NULL), SIL_EINVAL);
    EXPECT_CODE(sil_stream_wait(stream, (sil_side)7, SIL_NOW, NULL), SIL_EINVAL);
    sil_stream_close(stream);
    sil_stream_close(other);
    return 0;
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_everything_works_on_top),
        TEST(test_closing_while_one_waits),
        TEST(test_deadlines_end_what_never_waits),
        TEST(test_others_run_beside_what_never_waits),
        TEST(test_waits_are_given_up),
        TEST(test_the_tools_of_transports),
        TEST(test_bad_arguments),
    };
    return test_run("coro.stream_impl", tests);
}
