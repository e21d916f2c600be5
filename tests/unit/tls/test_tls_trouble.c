/* SPDX-License-Identifier: MIT */
/*
 * TLS on streams that make trouble, and with others that do not speak it: whatever happens, the code tells,
 * and nothing is left open.
 */
#include <sillon/tls.h>

#include <string.h>
#include <sys/socket.h>

#include "unit/tls/pair.h"

/* --- others that do not speak TLS ------------------------------------------------------------ */

/* This comes, and then the end. */
static int meet(const void *data, size_t size, bool as_server, const char *part)
{
    sil_stream *a;
    sil_stream *b;
    sil_stream *out = NULL;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(sil_write(a, data, size, SIL_FOREVER), 0);
    EXPECT_CODE(sil_stream_shutdown(a, SIL_FOREVER), 0);
    int code = as_server ? sil_tls_accept(b, configs.server, &out, SIL_FOREVER)
                         : sil_tls_connect(b, configs.client, "localhost", &out, SIL_FOREVER);
    EXPECT_CODE(code, SIL_ETLS);
    EXPECT(!out);
    EXPECT(!part || last_error_has(part));
    EXPECT(as_server ? last_error_has("a client") : last_error_has("'localhost'"));
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

SCENARIO(garbage_is_refused)
{
    (void)arg, (void)result;
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    struct random random = {1};
    EXPECT_PART(meet(request, strlen(request), true, "http request"));
    EXPECT_PART(meet(answer, strlen(answer), false, "wrong version number"));
    EXPECT_PART(meet("", 0, true, "cut off"));
    EXPECT_PART(meet("", 0, false, "cut off"));
    for (size_t i = 0; i < TEST_SCALE(2000); i++) {
        unsigned char bytes[300];
        size_t size = random_below(&random, sizeof bytes);
        for (size_t at = 0; at < size; at++)
            bytes[at] = (unsigned char)random_next(&random);
        if (size > 5 && i % 2) { /* a record, at least */
            memcpy(bytes, "\x16\x03\x01\x00", 4);
            bytes[4] = (unsigned char)(size - 5);
        }
        EXPECT_PART(meet(bytes, size, i % 4 < 2, NULL));
    }
    return 0;
}

SCENARIO(a_silent_server_costs_the_deadline)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    sil_stream *out = NULL;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(sil_tls_connect(b, configs.client, "localhost", &out, sil_in(0.001)),
                SIL_ETIMEDOUT);
    EXPECT(last_error_has("'localhost'"));
    sil_stream_close(a);
    sil_stream_close(b);
    EXPECT(!out);
    return 0;
}

/* --- handshakes that are cut off, or changed --------------------------------------------------- */

/* One side reads so many bytes and then the end; *out_all: that was all it needed. */
static int cut(int side, size_t end, size_t flip, bool *out_all)
{
    struct pair pair = {0};
    EXPECT_CODE(sil_socketpair(&pair.plain[CLIENT], &pair.plain[SERVER]), 0);
    struct trouble *trouble = make_trouble(&pair.plain[side], (unsigned)end);
    trouble->read_end = end;
    trouble->flip_at = flip;
    (void)pair_begin(&pair, configs.client, configs.server, "localhost");
    *out_all = pair.codes[side] == 0;
    if (!*out_all) {
        EXPECT(pair.codes[side] == SIL_ETLS || (pair.codes[side] == SIL_ETIMEDOUT && flip < end));
        EXPECT(flip != SIZE_MAX || has(pair.messages[side], "cut off"));
    }
    pair_close(&pair);
    return 0;
}

SCENARIO(handshakes_that_are_cut_off_at_each_byte)
{
    (void)arg, (void)result;
    for (int side = CLIENT; side <= SERVER; side++) {
        bool all = false;
        size_t end;
        for (end = 0; !all; end++)
            EXPECT_PART(cut(side, end, SIZE_MAX, &all));
        EXPECT(end > 100);
    }
    return 0;
}

SCENARIO(handshakes_with_a_changed_bit)
{
    (void)arg, (void)result;
    struct random random = {5};
    for (size_t i = 0; i < TEST_SCALE(1000); i++) {
        bool all;
        size_t end = 20 + random_below(&random, 1500);
        EXPECT_PART(cut(i % 2 ? CLIENT : SERVER, end, random_below(&random, end), &all));
    }
    return 0;
}

/* --- every suspension, every try ----------------------------------------------------------------- */

struct session {
    sil_stream *plain;
    int side;
};

enum { REQUEST = 60000, ANSWER = 80000 };

static int talk(sil_stream *stream)
{
    static char buffer[ANSWER];
    size_t got;
    int code = sil_write(stream, buffer, REQUEST, SIL_FOREVER);
    if (code == 0)
        code = sil_read_exactly(stream, buffer, ANSWER, NULL, SIL_FOREVER);
    if (code == 0)
        code = sil_stream_shutdown(stream, SIL_FOREVER);
    if (code == 0)
        code = sil_read(stream, buffer, 1, &got, SIL_FOREVER);
    return code == SIL_EEND ? 0 : code;
}

static int answer(sil_stream *stream)
{
    static char buffer[ANSWER];
    size_t got;
    int code = sil_read_exactly(stream, buffer, REQUEST, NULL, SIL_FOREVER);
    if (code == 0)
        code = sil_write(stream, buffer, ANSWER, SIL_FOREVER);
    if (code == 0)
        code = sil_read(stream, buffer, 1, &got, SIL_FOREVER);
    if (code == SIL_EEND)
        code = sil_stream_shutdown(stream, SIL_FOREVER);
    return code;
}

static int co_session(void *arg, void *result)
{
    (void)result;
    const struct session *session = arg;
    sil_stream *stream = NULL;
    int code =
        session->side == CLIENT
            ? sil_tls_connect(session->plain, configs.client, "localhost", &stream, SIL_FOREVER)
            : sil_tls_accept(session->plain, configs.server, &stream, SIL_FOREVER);
    if (code == 0)
        code = session->side == CLIENT ? talk(stream) : answer(stream);
    sil_stream_close(stream);
    sil_stream_close(session->plain);
    return code;
}

/* A session in which this happens to one side. */
static int run_session(int side, struct plan *plan, int *out_code)
{
    struct session sessions[2] = {{NULL, CLIENT}, {NULL, SERVER}};
    sil_future *futures[2];
    EXPECT_CODE(sil_socketpair(&sessions[0].plain, &sessions[1].plain), 0);
    for (int i = 0; i < 2; i++) {
        int fd = sil_stream_fd(sessions[i].plain);
        EXPECT(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int)) == 0);
    }
    struct trouble *trouble = make_trouble(&sessions[side].plain, 3);
    trouble->most = 8000;
    trouble->plan = plan;
    for (int i = 0; i < 2; i++)
        futures[i] = sil_go(co_session, &sessions[i], sizeof sessions[i], 0);
    plan->victim = futures[side];
    *out_code = sil_await(futures[side], SIL_FOREVER);
    (void)sil_await(futures[!side], SIL_FOREVER);
    sil_future_release(futures[0]);
    sil_future_release(futures[1]);
    return 0;
}

/* The nth wait, or try, for each n until there are no more. */
static int each_point(int side, int code, bool tries)
{
    bool more = true;
    unsigned nth;
    for (nth = 1; more; nth++) {
        struct plan plan = {.code = code};
        *(tries ? &plan.try_at : &plan.wait_at) = nth;
        int got = UNEXPECTED;
        EXPECT_PART(run_session(side, &plan, &got));
        more = (tries ? plan.tries : plan.waits) >= nth;
        /* What has come with the deadline is taken. */
        if (more && !(code == SIL_ETIMEDOUT && got == 0))
            EXPECT_CODE(got, code);
        if (!more)
            EXPECT_CODE(got, 0);
    }
    EXPECT(nth > 10);
    return 0;
}

SCENARIO(cancels_and_deadlines_at_each_suspension)
{
    (void)arg, (void)result;
    static const int codes[] = {SIL_ECANCELLED, SIL_ETIMEDOUT, ECONNRESET};
    for (int side = CLIENT; side <= SERVER; side++)
        for (size_t i = 0; i < COUNT_OF(codes); i++)
            EXPECT_PART(each_point(side, codes[i], false));
    return 0;
}

SCENARIO(failures_of_each_try)
{
    (void)arg, (void)result;
    static const int codes[] = {SIL_ECANCELLED, ECONNRESET, SIL_ENOMEM};
    for (int side = CLIENT; side <= SERVER; side++)
        for (size_t i = 0; i < COUNT_OF(codes); i++)
            EXPECT_PART(each_point(side, codes[i], true));
    return 0;
}

/* A cancel ends one wait, and the connection is as good as before. */
SCENARIO(a_cancel_leaves_it_whole)
{
    (void)arg, (void)result;
    struct pair pair;
    char buffer[8];
    size_t got;
    EXPECT_CODE(pair_open(&pair), 0);
    for (int i = 0; i < 3; i++) {
        EXPECT_CODE(sil_read(pair.tls[CLIENT], buffer, sizeof buffer, &got, SIL_NOW),
                    SIL_ETIMEDOUT);
        EXPECT_CODE(put(pair.tls[SERVER], "whole"), 0);
        EXPECT_CODE(sil_read(pair.tls[CLIENT], buffer, sizeof buffer, &got, SIL_NOW), 0);
        EXPECT(got == 5);
    }
    pair_close(&pair);
    return 0;
}

int main(void)
{
    begin_tls_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_garbage_is_refused),
        TEST(test_a_silent_server_costs_the_deadline),
        TEST(test_handshakes_that_are_cut_off_at_each_byte),
        TEST(test_handshakes_with_a_changed_bit),
        TEST(test_cancels_and_deadlines_at_each_suspension),
        TEST(test_failures_of_each_try),
        TEST(test_a_cancel_leaves_it_whole),
    };
    return test_exit(end_tls_scenarios(test_run_group("tls.trouble", tests, COUNT_OF(tests))));
}
