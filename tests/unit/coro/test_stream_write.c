/* SPDX-License-Identifier: MIT */
/*
 * Streams: writing, by one and by several, against somebody who does not read.
 */
#include <sillon/stream.h>

#include <stdlib.h>
#include <string.h>

#include "coro/stream.h"
#include "support/random.h"
#include "unit/coro/scenario.h"

enum { LARGE = 3 * 1000 * 1000 };

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 7 + i / 251);
}

/* --- coroutines ---------------------------------------------------------------------------- */

struct writing {
    sil_stream *stream;
    const char *data;
    size_t size;
    sil_deadline until;
};

static int co_write(void *arg, void *result)
{
    const struct writing *writing = arg;
    (void)result;
    return sil_write(writing->stream, writing->data, writing->size, writing->until);
}

static sil_future *go_write(sil_stream *stream, const char *data, size_t size, sil_deadline until)
{
    struct writing writing = {stream, data, size, until};
    return sil_go(co_write, &writing, sizeof writing, 0);
}

/* Write LARGE bytes and end. */
static int co_write_large(void *arg, void *result)
{
    sil_stream *stream = *(sil_stream **)arg;
    (void)result;
    char *data = malloc(LARGE);
    EXPECT(data != NULL);
    for (size_t i = 0; i < LARGE; i++)
        data[i] = (char)byte_at(i);
    int code = sil_write(stream, data, LARGE, SIL_FOREVER);
    free(data);
    return code == 0 ? sil_stream_shutdown(stream, SIL_FOREVER) : code;
}

/* Write until no more fits; what is left is waited for. */
static int fill(sil_stream *stream)
{
    static const char block[4096];
    int code;
    do
        code = sil_write(stream, block, sizeof block, SIL_NOW);
    while (code == 0);
    return code;
}

/* --- tests --------------------------------------------------------------------------------- */

static int transfer(sil_stream *reader, sil_stream *writer)
{
    static char buffer[70000];
    struct random random = {7};
    sil_future *future = sil_go(co_write_large, &writer, sizeof writer, 0);
    size_t all = 0;
    for (;;) {
        size_t got;
        int code =
            sil_read(reader, buffer, 1 + random_below(&random, sizeof buffer), &got, SIL_FOREVER);
        if (code == SIL_EEND || code != 0) {
            EXPECT_CODE(code, SIL_EEND);
            break;
        }
        for (size_t i = 0; i < got; i++)
            EXPECT((unsigned char)buffer[i] == byte_at(all + i));
        all += got;
        if (all > LARGE / 2)
            give_way(1);
    }
    EXPECT(all == LARGE);
    return sil_take(future, NULL, SIL_FOREVER);
}

SCENARIO(writing_waits_for_the_reader)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(transfer(a, b), 0);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

static int co_end_with_writer(void *arg, void *result)
{
    sil_stream **writer = *(sil_stream ***)arg;
    (void)result;
    int code = co_write_large(writer, NULL);
    sil_stream_close(*writer);
    *writer = NULL;
    return code;
}

SCENARIO(a_pipe_waits_too)
{
    (void)arg, (void)result;
    sil_stream *reader;
    sil_stream *writer;
    sil_stream **the_writer = &writer;
    const char *data;
    size_t size;
    EXPECT_CODE(sil_pipe(&reader, &writer), 0);
    sil_future *future = sil_go(co_end_with_writer, &the_writer, sizeof the_writer, 0);
    EXPECT_CODE(sil_read_all(reader, LARGE, &data, &size, SIL_FOREVER), 0);
    EXPECT(size == LARGE);
    for (size_t i = 0; i < size; i++)
        EXPECT((unsigned char)data[i] == byte_at(i));
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    sil_stream_close(reader);
    return 0;
}

/* Each writes a long run of its own letter. */
SCENARIO(several_writers_take_turns_in_order)
{
    (void)arg, (void)result;
    enum { WRITERS = 8, EACH = 300000 };
    sil_stream *a;
    sil_stream *b;
    sil_future *futures[WRITERS];
    char *letters = malloc((size_t)WRITERS * EACH);
    EXPECT(letters != NULL);
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    for (int i = 0; i < WRITERS; i++) {
        memset(letters + (size_t)i * EACH, 'a' + i, EACH);
        futures[i] = go_write(a, letters + (size_t)i * EACH, EACH, SIL_FOREVER);
    }
    give_way(2);
    /* One in the middle gives up, and one is out of time: they leave nothing. */
    (void)sil_future_cancel(futures[3]);
    EXPECT_CODE(sil_write(a, "never", 5, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_write_buffered(a, "never", 5, sil_in(0.001)), SIL_ETIMEDOUT);
    static char buffer[EACH];
    for (int i = 0; i < WRITERS; i++) {
        if (i == 3) {
            EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), SIL_ECANCELLED);
            continue;
        }
        EXPECT_CODE(sil_read_exactly(b, buffer, EACH, NULL, SIL_FOREVER), 0);
        EXPECT(memcmp(buffer, letters + (size_t)i * EACH, EACH) == 0);
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    }
    size_t got;
    EXPECT_CODE(sil_read(b, buffer, 1, &got, SIL_NOW), SIL_ETIMEDOUT);
    free(letters);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

SCENARIO(a_write_ends_by_deadline_cancel_and_close)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    static const char block[4096];
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(fill(a), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_write(a, block, sizeof block, sil_in(0.001)), SIL_ETIMEDOUT);
    sil_future *future = go_write(a, block, sizeof block, SIL_FOREVER);
    give_way(2);
    (void)sil_future_cancel(future);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    sil_future *first = go_write(a, block, sizeof block, SIL_FOREVER);
    sil_future *second = go_write(a, block, sizeof block, SIL_FOREVER);
    sil_future *third = go_write(a, block, sizeof block, SIL_FOREVER);
    give_way(2);
    sil_stream_close(a);
    EXPECT_CODE(sil_take(first, NULL, SIL_FOREVER), SIL_ECLOSED);
    EXPECT_CODE(sil_take(second, NULL, SIL_FOREVER), SIL_ECLOSED);
    EXPECT_CODE(sil_take(third, NULL, SIL_FOREVER), SIL_ECLOSED);
    sil_stream_close(b);
    return 0;
}

SCENARIO(the_reader_goes_away_while_one_writes)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    static const char block[4096];
    for (int pipe = 0; pipe < 2; pipe++) {
        EXPECT_CODE(pipe ? sil_pipe(&b, &a) : sil_socketpair(&a, &b), 0);
        EXPECT_CODE(fill(a), SIL_ETIMEDOUT);
        sil_future *first = go_write(a, block, sizeof block, SIL_FOREVER);
        sil_future *second = go_write(a, block, sizeof block, SIL_FOREVER);
        give_way(2);
        sil_stream_close(b);
        EXPECT_CODE(sil_take(first, NULL, SIL_FOREVER), EPIPE);
        EXPECT_CODE(sil_take(second, NULL, SIL_FOREVER), EPIPE);
        sil_stream_close(a);
    }
    return 0;
}

/* --- pieces -------------------------------------------------------------------------------- */

SCENARIO(writes_parts)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    struct iovec parts[100];
    char bytes[100];
    char got[300];
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    for (int i = 0; i < 100; i++) {
        bytes[i] = (char)i;
        parts[i] = (struct iovec){bytes + i, i % 3 != 0};
    }
    EXPECT_CODE(sil_write_parts(a, parts, 100, SIL_FOREVER), 0);
    EXPECT_CODE(sil_write_parts(a, parts, 1, SIL_FOREVER), 0); /* an empty one */
    EXPECT_CODE(sil_write_parts(a, NULL, 0, SIL_FOREVER), 0);
    EXPECT_CODE(sil_write(a, NULL, 0, SIL_FOREVER), 0);
    EXPECT(parts[99].iov_base == bytes + 99);
    EXPECT_CODE(sil_read_exactly(b, got, 66, NULL, SIL_NOW), 0);
    for (int i = 0, next = 0; i < 100; i++)
        if (i % 3 != 0)
            EXPECT(got[next++] == (char)i);
    size_t more;
    EXPECT_CODE(sil_read(b, got, 1, &more, SIL_NOW), SIL_ETIMEDOUT);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

SCENARIO(buffers_small_pieces)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    const char *line;
    char byte;
    size_t size;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(sil_stream_printf(a, SIL_NOW, "%s %d", "number", 5), 0);
    EXPECT_CODE(sil_write_buffered(a, NULL, 0, SIL_NOW), 0);
    EXPECT_CODE(sil_write_buffered(a, "\n", 1, SIL_NOW), 0);
    EXPECT_CODE(sil_read(b, &byte, 1, &size, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_flush(a, SIL_NOW), 0);
    EXPECT_CODE(sil_read_line(b, 100, &line, &size, SIL_NOW), 0);
    EXPECT(strcmp(line, "number 5") == 0);
    /* A write goes behind what is in the buffer. */
    EXPECT_CODE(sil_write_buffered(a, "be", 2, SIL_NOW), 0);
    EXPECT_CODE(sil_write(a, "fore\n", 5, SIL_NOW), 0);
    EXPECT_CODE(sil_read_line(b, 100, &line, &size, SIL_NOW), 0);
    EXPECT(strcmp(line, "before") == 0);
    /* Longer than the room on the stack. */
    EXPECT_CODE(sil_stream_printf(a, SIL_NOW, "%05000d\n", 1), 0);
    EXPECT_CODE(sil_stream_shutdown(a, SIL_NOW), 0);
    EXPECT_CODE(sil_read_line(b, 6000, &line, &size, SIL_NOW), 0);
    EXPECT(size == 5000 && line[4999] == '1');
    EXPECT_CODE(sil_read_line(b, 6000, &line, &size, SIL_NOW), SIL_EEND);
    EXPECT_CODE(sil_write(a, "x", 1, SIL_NOW), EPIPE);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

SCENARIO(a_full_buffer_is_flushed)
{
    (void)arg, (void)result;
    enum { PIECES = 2000, PIECE = 100 };
    sil_stream *a;
    sil_stream *b;
    char piece[PIECE];
    static char all[PIECES * PIECE];
    size_t got = 0;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    for (int i = 0; i < PIECES; i++) {
        memset(piece, i, PIECE);
        EXPECT_CODE(sil_write_buffered(a, piece, PIECE, SIL_FOREVER), 0);
        EXPECT(a->out.size <= 16384);
        size_t more = 0;
        if (i % 100 == 99 && sil_read(b, all + got, sizeof all - got, &more, SIL_NOW) == 0)
            got += more;
    }
    EXPECT_CODE(sil_flush(a, SIL_FOREVER), 0);
    EXPECT_CODE(sil_read_exactly(b, all + got, sizeof all - got, NULL, SIL_FOREVER), 0);
    for (size_t i = 0; i < sizeof all; i++)
        EXPECT(all[i] == (char)(i / PIECE));
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

/* What a flush that was given up has written is not written again. */
SCENARIO(a_flush_that_is_given_up_goes_on_where_it_was)
{
    (void)arg, (void)result;
    enum { SOME = 16000 };
    sil_stream *a;
    sil_stream *b;
    static char sent[SOME];
    static char got[SOME];
    char rest[4096];
    size_t more;
    for (int i = 0; i < SOME; i++)
        sent[i] = (char)byte_at((size_t)i);
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    int small = 1;
    (void)setsockopt(sil_stream_fd(a), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    EXPECT_CODE(sil_write_buffered(a, sent, SOME, SIL_NOW), 0);
    size_t all = 0;
    for (;;) {
        int code = sil_flush(a, SIL_NOW);
        while (sil_read(b, rest, sizeof rest, &more, SIL_NOW) == 0) {
            EXPECT(all + more <= SOME);
            memcpy(got + all, rest, more);
            all += more;
        }
        if (code == 0)
            break;
        EXPECT_CODE(code, SIL_ETIMEDOUT);
    }
    EXPECT(all == SOME && memcmp(sent, got, SOME) == 0);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_writing_waits_for_the_reader),
        TEST(test_a_pipe_waits_too),
        TEST(test_several_writers_take_turns_in_order),
        TEST(test_a_write_ends_by_deadline_cancel_and_close),
        TEST(test_the_reader_goes_away_while_one_writes),
        TEST(test_writes_parts),
        TEST(test_buffers_small_pieces),
        TEST(test_a_full_buffer_is_flushed),
        TEST(test_a_flush_that_is_given_up_goes_on_where_it_was),
    };
    return test_run("coro.stream_write", tests);
}
