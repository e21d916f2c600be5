/* SPDX-License-Identifier: MIT */
/*
 * Streams: reading by size, their ends, and whoever waits in them.
 */
#include <sillon/stream.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coro/stream.h"
#include "unit/coro/scenario.h"

/* --- coroutines ---------------------------------------------------------------------------- */

struct reading {
    sil_stream *stream;
    size_t size; /* exactly; 0: some */
    sil_deadline until;
};

static int co_read(void *arg, void *result)
{
    const struct reading *reading = arg;
    char buffer[256];
    size_t got = 0;
    int code = reading->size > 0
                   ? sil_read_exactly(reading->stream, buffer, reading->size, &got, reading->until)
                   : sil_read(reading->stream, buffer, sizeof buffer, &got, reading->until);
    *(size_t *)result = got;
    return code;
}

static sil_future *go_read(sil_stream *stream, size_t size, sil_deadline until)
{
    struct reading reading = {stream, size, until};
    return sil_go(co_read, &reading, sizeof reading, sizeof(size_t));
}

static int put(sil_stream *stream, const char *text)
{
    return sil_write(stream, text, strlen(text), SIL_FOREVER);
}

/* --- reading ------------------------------------------------------------------------------- */

SCENARIO(reads_what_was_written)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    char buffer[16] = "";
    size_t got;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(put(a, "hello"), 0);
    EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
    EXPECT(got == 5 && memcmp(buffer, "hello", 5) == 0);
    EXPECT_CODE(put(b, "and back"), 0);
    EXPECT_CODE(sil_read(a, buffer, 3, &got, SIL_FOREVER), 0);
    EXPECT(got == 3 && memcmp(buffer, "and", 3) == 0);
    EXPECT_CODE(sil_read(a, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
    EXPECT(got == 5 && memcmp(buffer, " back", 5) == 0);
    sil_stream_close(a);
    EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, SIL_FOREVER), SIL_EEND);
    EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, SIL_FOREVER), SIL_EEND);
    sil_stream_close(b);
    sil_stream_close(NULL);
    return 0;
}

SCENARIO(a_pipe_goes_one_way)
{
    (void)arg, (void)result;
    sil_stream *reader;
    sil_stream *writer;
    char buffer[16];
    size_t got;
    EXPECT_CODE(sil_pipe(&reader, &writer), 0);
    sil_future *future = go_read(reader, 0, SIL_FOREVER);
    give_way(2);
    EXPECT_CODE(put(writer, "x"), 0);
    EXPECT_CODE(sil_take(future, &got, SIL_FOREVER), 0);
    EXPECT(got == 1);
    EXPECT_CODE(sil_read(writer, buffer, sizeof buffer, &got, SIL_NOW), EBADF);
    EXPECT_CODE(put(reader, "x"), EBADF);
    EXPECT_CODE(sil_stream_shutdown(writer, SIL_FOREVER), 0);
    future = go_read(reader, 0, SIL_FOREVER);
    give_way(2);
    sil_stream_close(writer);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_EEND);
    sil_stream_close(reader);
    return 0;
}

SCENARIO(a_pipe_without_a_reader_is_broken)
{
    (void)arg, (void)result;
    sil_stream *reader;
    sil_stream *writer;
    EXPECT_CODE(sil_pipe(&reader, &writer), 0);
    sil_stream_close(reader);
    EXPECT_CODE(put(writer, "x"), EPIPE);
    sil_stream_close(writer);
    EXPECT_CODE(sil_socketpair(&reader, &writer), 0);
    sil_stream_close(reader);
    EXPECT_CODE(put(writer, "x"), EPIPE);
    sil_stream_close(writer);
    return 0;
}

SCENARIO(reads_exactly_so_many)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    char buffer[64];
    size_t got;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    sil_future *future = go_read(b, 6, SIL_FOREVER);
    for (int i = 0; i < 3; i++) {
        give_way(3);
        EXPECT(!sil_future_done(future));
        EXPECT_CODE(put(a, "ab"), 0);
    }
    EXPECT_CODE(sil_take(future, &got, SIL_FOREVER), 0);
    EXPECT(got == 6);
    EXPECT_CODE(put(a, "12345"), 0);
    EXPECT_CODE(sil_read_exactly(b, buffer, 2, &got, SIL_FOREVER), 0);
    EXPECT_CODE(sil_read_exactly(b, buffer, 0, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_read_exactly(b, buffer, 10, &got, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT(got == 3 && memcmp(buffer, "345", 3) == 0);
    EXPECT_CODE(put(a, "67"), 0);
    sil_stream_close(a);
    EXPECT_CODE(sil_read_exactly(b, buffer, 10, &got, SIL_FOREVER), SIL_EEND);
    EXPECT(got == 2 && memcmp(buffer, "67", 2) == 0);
    sil_stream_close(b);
    return 0;
}

/* What fills its buffer to the last byte, again and again, and what does not. */
SCENARIO(reads_of_the_size_of_the_messages)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    static char message[5000];
    static char buffer[5000];
    size_t got;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    for (int i = 0; i < 200; i++) {
        size_t size = i % 3 ? 4096 : 5000;
        memset(message, 'a' + i % 26, size);
        EXPECT_CODE(sil_write(a, message, size, SIL_FOREVER), 0);
        EXPECT_CODE(sil_read(b, buffer, 4096, &got, SIL_FOREVER), 0);
        EXPECT(got == 4096);
        if (size > got)
            EXPECT_CODE(sil_read_exactly(b, buffer + got, size - got, NULL, SIL_FOREVER), 0);
        EXPECT(memcmp(buffer, message, size) == 0);
    }
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

/* --- waiting ------------------------------------------------------------------------------- */

SCENARIO(a_poll_reads_what_is_there)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    char buffer[16];
    size_t got = 77;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    for (int i = 0; i < 3; i++) {
        EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, SIL_NOW), SIL_ETIMEDOUT);
        EXPECT(got == 77);
        EXPECT_CODE(put(a, "abc"), 0);
        EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, SIL_NOW), 0);
        EXPECT(got == 3);
        got = 77;
    }
    sil_stream_close(a);
    EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, SIL_NOW), SIL_EEND);
    sil_stream_close(b);
    return 0;
}

SCENARIO(a_read_ends_by_deadline_scope_and_cancel)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    char buffer[16];
    size_t got;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, sil_in(0.001)), SIL_ETIMEDOUT);
    sil_deadline outer = sil_deadline_scope(sil_in(0.001));
    EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    for (size_t size = 0; size <= 4; size += 4) {
        sil_future *future = go_read(b, size, SIL_FOREVER);
        give_way(3);
        EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
        EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
        EXPECT(strstr(sil_error_message(sil_future_error(future)), "sil_read"));
        sil_future_release(future);
    }
    EXPECT_CODE(put(a, "still good"), 0);
    EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
    EXPECT(got == 10);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

struct cancelled {
    sil_stream *stream;
    sil_future **own;
};

static int co_cancelled_before(void *arg, void *result)
{
    const struct cancelled *cancelled = arg;
    sil_stream *stream = cancelled->stream;
    (void)result;
    char buffer[4];
    size_t got = 0;
    EXPECT_CODE(sil_future_cancel(*cancelled->own), SIL_EINPROGRESS);
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(got == 0);
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER), 0); /* told once */
    EXPECT_CODE(put(stream, "fine"), 0);
    return 0;
}

SCENARIO(a_cancel_that_came_before_ends_the_next_call)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(put(a, "abc"), 0);
    sil_future *future = NULL;
    struct cancelled cancelled = {b, &future};
    future = sil_go(co_cancelled_before, &cancelled, sizeof cancelled, 0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

SCENARIO(one_reader_at_a_time)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    char buffer[4];
    size_t got;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    sil_future *future = go_read(b, 0, SIL_FOREVER);
    give_way(2);
    EXPECT_CODE(sil_read(b, buffer, sizeof buffer, &got, SIL_FOREVER), SIL_EBUSY);
    EXPECT_CODE(sil_read_exactly(b, buffer, sizeof buffer, &got, SIL_NOW), SIL_EBUSY);
    EXPECT_CODE(put(b, "writing is another matter"), 0);
    EXPECT_CODE(put(a, "x"), 0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

SCENARIO(closing_ends_the_waits)
{
    (void)arg, (void)result;
    for (int told = 0; told < 2; told++) {
        sil_stream *a;
        sil_stream *b;
        EXPECT_CODE(sil_socketpair(&a, &b), 0);
        sil_future *some = go_read(b, 0, SIL_FOREVER);
        sil_future *all = go_read(a, 10, SIL_FOREVER);
        give_way(2);
        if (told)
            EXPECT_CODE(put(a, "x"), 0);
        sil_stream_close(b);
        EXPECT_CODE(sil_take(some, NULL, SIL_FOREVER), SIL_ECLOSED);
        EXPECT_CODE(sil_take(all, NULL, SIL_FOREVER), told ? ECONNRESET : SIL_EEND);
        sil_stream_close(a);
    }
    return 0;
}

/* --- memory -------------------------------------------------------------------------------- */

SCENARIO(who_waits_has_no_buffer)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    sil_future *future = go_read(b, 4, SIL_FOREVER);
    give_way(2);
    EXPECT(!b->in.data);
    EXPECT_CODE(put(a, "abcdef"), 0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    EXPECT(b->in.data && b->in.end - b->in.start == 2);
    future = go_read(b, 4, SIL_FOREVER);
    give_way(2);
    EXPECT(!b->in.data && !sil_future_done(future));
    EXPECT_CODE(put(a, "gh"), 0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_write_buffered(a, "x", 1, SIL_FOREVER), 0);
    EXPECT(a->out.data);
    EXPECT_CODE(sil_flush(a, SIL_FOREVER), 0);
    EXPECT(!a->out.data);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

/* --- misuse -------------------------------------------------------------------------------- */

static sil_stream *of_other_loop;

static int co_use_other(void *arg, void *result)
{
    (void)arg, (void)result;
    char buffer[4];
    size_t got;
    EXPECT_CODE(sil_read(of_other_loop, buffer, sizeof buffer, &got, SIL_NOW), SIL_ENOTASK);
    EXPECT_CODE(put(of_other_loop, "x"), SIL_ENOTASK);
    return 0;
}

SCENARIO(only_its_loop_uses_it)
{
    (void)arg, (void)result;
    sil_stream *other;
    EXPECT_CODE(sil_socketpair(&of_other_loop, &other), 0);
    sil_executor *loop = sil_loop_thread(NULL);
    EXPECT(loop != NULL);
    EXPECT_CODE(sil_take(sil_submit(loop, co_use_other, NULL, 0, 0), NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_executor_close(loop), 0);
    sil_stream_close(of_other_loop);
    sil_stream_close(other);
    return 0;
}

static sil_stream *survivors[2];

static int leave_streams(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_socketpair(&survivors[0], &survivors[1]);
}

static void test_a_stream_is_closed_after_its_loop(void **state)
{
    (void)state;
    run_scenario(leave_streams);
    char byte;
    size_t got;
    assert_code(sil_read(survivors[0], &byte, 1, &got, SIL_NOW), SIL_ENOTASK);
    sil_stream_close(survivors[0]);
    sil_stream_close(survivors[1]);
}

static void test_no_stream_outside_coroutines(void **state)
{
    (void)state;
    sil_stream *a;
    sil_stream *b;
    assert_code(sil_socketpair(&a, &b), SIL_ENOTASK);
    assert_code(sil_pipe(&a, &b), SIL_ENOTASK);
    assert_code(sil_stream_open(0, &a), SIL_ENOTASK);
    assert_code(sil_stream_standard(0, &a), SIL_ENOTASK);
    assert_code(sil_connect("127.0.0.1", "1", NULL, &a, SIL_NOW), SIL_ENOTASK);
    assert_code(sil_connect_unix("/nowhere", &a, SIL_NOW), SIL_ENOTASK);
}

SCENARIO(bad_arguments)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    char buffer[4];
    size_t got;
    EXPECT_CODE(sil_socketpair(&a, NULL), SIL_EINVAL);
    EXPECT_CODE(sil_pipe(NULL, &b), SIL_EINVAL);
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(sil_read(NULL, buffer, 4, &got, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read(a, NULL, 4, &got, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read(a, buffer, 0, &got, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read(a, buffer, 4, NULL, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_read_exactly(a, NULL, 4, &got, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_write(a, NULL, 4, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_write(NULL, buffer, 4, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_write_parts(a, NULL, 1, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_write_buffered(a, NULL, 1, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_stream_printf(a, SIL_NOW, NULL), SIL_EINVAL);
    EXPECT_CODE(sil_flush(NULL, SIL_NOW), SIL_EINVAL);
    EXPECT(sil_stream_fd(NULL) == -1 && sil_stream_fd(a) >= 0);
    sil_address address;
    EXPECT_CODE(sil_stream_local(a, NULL), SIL_EINVAL);
    EXPECT_CODE(sil_stream_peer(NULL, &address), SIL_EINVAL);
    EXPECT_CODE(sil_stream_set_nodelay(NULL, true), SIL_EINVAL);
    EXPECT_CODE(sil_stream_set_nodelay(a, true), SIL_ENOTSUP);
    EXPECT_CODE(sil_stream_set_keepalive(NULL, 1), SIL_EINVAL);
    EXPECT_CODE(sil_stream_set_keepalive(a, 1), SIL_ENOTSUP);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_reads_what_was_written),
        TEST(test_a_pipe_goes_one_way),
        TEST(test_a_pipe_without_a_reader_is_broken),
        TEST(test_reads_exactly_so_many),
        TEST(test_reads_of_the_size_of_the_messages),
        TEST(test_a_poll_reads_what_is_there),
        TEST(test_a_read_ends_by_deadline_scope_and_cancel),
        TEST(test_a_cancel_that_came_before_ends_the_next_call),
        TEST(test_one_reader_at_a_time),
        TEST(test_closing_ends_the_waits),
        TEST(test_who_waits_has_no_buffer),
        TEST(test_only_its_loop_uses_it),
        TEST(test_a_stream_is_closed_after_its_loop),
        TEST(test_no_stream_outside_coroutines),
        TEST(test_bad_arguments),
    };
    return test_run("coro.stream", tests);
}
