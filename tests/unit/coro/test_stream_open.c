/* SPDX-License-Identifier: MIT */
/*
 * Streams of descriptors that come from outside: what others see of those stays as it was.
 */
#include <sillon/stream.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/fault.h"
#include "coro/stream.h"
#include "support/child.h"
#include "unit/coro/scenario.h"

static bool is_blocking(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* What a stream of fds[0] does with what is written to fds[1], while somebody else holds it, too. */
static int try_reading(const int *fds)
{
    sil_stream *stream;
    char buffer[8];
    size_t got;
    int other = dup(fds[0]);
    EXPECT(other >= 0);
    EXPECT_CODE(sil_stream_open(fds[0], &stream), 0);
    EXPECT(is_blocking(other));
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, sil_in(0.001)), SIL_ETIMEDOUT);
    EXPECT(write(fds[1], "abc\n", 4) == 4);
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
    EXPECT(got == 4 && memcmp(buffer, "abc\n", 4) == 0 && is_blocking(other));
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, SIL_NOW), SIL_ETIMEDOUT);
    sil_stream_close(stream);
    EXPECT(is_blocking(other));
    (void)close(other);
    return 0;
}

/* Write until it is full, to something that is not ours alone; nothing may stand still. */
static int try_writing(int fd, int reader)
{
    sil_stream *stream;
    static char block[100000];
    int other = dup(fd);
    EXPECT(other >= 0);
    EXPECT_CODE(sil_stream_open(fd, &stream), 0);
    int code = 0;
    while (code == 0)
        code = sil_write(stream, block, sizeof block, SIL_NOW);
    EXPECT_CODE(code, SIL_ETIMEDOUT);
    EXPECT(is_blocking(other));
    while (read(reader, block, sizeof block) == (ssize_t)sizeof block)
        ;
    EXPECT_CODE(sil_write(stream, "x", 1, SIL_FOREVER), 0);
    sil_stream_close(stream);
    (void)close(other);
    (void)close(reader);
    return 0;
}

SCENARIO(a_foreign_pipe_stays_blocking)
{
    (void)arg, (void)result;
    int fds[2];
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    EXPECT_CODE(try_reading(fds), 0);
    (void)close(fds[1]);
    EXPECT(pipe2(fds, O_CLOEXEC) == 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    EXPECT_CODE(try_writing(fds[1], fds[0]), 0);
    return 0;
}

SCENARIO(a_foreign_socket_stays_blocking)
{
    (void)arg, (void)result;
    int fds[2];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    EXPECT_CODE(try_reading(fds), 0);
    (void)close(fds[1]);
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    EXPECT(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    EXPECT_CODE(try_writing(fds[1], fds[0]), 0);
    return 0;
}

#ifdef SIL_FAULTS
/* One that cannot be opened anew: another user's terminal, say. */
SCENARIO(what_cannot_be_opened_anew_is_treated_gently)
{
    (void)arg, (void)result;
    int fds[2];
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    sil__fault_reset();
    sil__fault_arm(SIL__FAULT_SYSTEM, 1, false);
    EXPECT_CODE(try_reading(fds), 0);
    (void)close(fds[1]);
    EXPECT(pipe2(fds, O_CLOEXEC) == 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    sil__fault_reset();
    sil__fault_arm(SIL__FAULT_SYSTEM, 1, false);
    EXPECT_CODE(try_writing(fds[1], fds[0]), 0);
    sil__fault_reset();
    return 0;
}
#endif

static bool open_terminal(int *fds)
{
    char name[64];
    struct termios raw;
    fds[1] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fds[1] < 0 || grantpt(fds[1]) != 0 || unlockpt(fds[1]) != 0 ||
        ptsname_r(fds[1], name, sizeof name) != 0)
        return false;
    fds[0] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fds[0] < 0 || tcgetattr(fds[0], &raw) != 0)
        return false;
    raw.c_lflag &= (tcflag_t)~ECHO;
    raw.c_oflag = 0;
    return tcsetattr(fds[0], TCSANOW, &raw) == 0;
}

SCENARIO(a_terminal_stays_blocking)
{
    (void)arg, (void)result;
    int fds[2];
    EXPECT(open_terminal(fds));
    EXPECT_CODE(try_reading(fds), 0);
    (void)close(fds[1]);
    /* The other side of it cannot be opened anew: that would be another terminal. */
    EXPECT(open_terminal(fds));
    sil_stream *stream;
    char buffer[8];
    size_t got;
    EXPECT_CODE(sil_stream_open(fds[1], &stream), 0);
    EXPECT(sil_stream_fd(stream) == fds[1]);
    EXPECT_CODE(sil_write(stream, "hi\n", 3, SIL_FOREVER), 0);
    EXPECT(read(fds[0], buffer, sizeof buffer) == 3);
    EXPECT(write(fds[0], "ho", 2) == 2);
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
    EXPECT(got == 2);
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, SIL_NOW), SIL_ETIMEDOUT);
    sil_stream_close(stream);
    (void)close(fds[0]);
    return 0;
}

SCENARIO(files_are_always_ready)
{
    (void)arg, (void)result;
    char name[] = "/tmp/sillon-stream-XXXXXX";
    const char *line;
    size_t size;
    sil_stream *stream;
    int fd = mkstemp(name);
    EXPECT(fd >= 0);
    EXPECT_CODE(sil_stream_open(fd, &stream), 0);
    EXPECT(sil_stream_fd(stream) == fd && is_blocking(fd));
    EXPECT_CODE(sil_stream_printf(stream, SIL_FOREVER, "one\ntwo\n"), 0);
    EXPECT_CODE(sil_stream_shutdown(stream, SIL_FOREVER), 0);
    EXPECT(lseek(fd, 4, SEEK_SET) == 4);
    EXPECT_CODE(sil_read_line(stream, 100, &line, &size, SIL_NOW), 0);
    EXPECT(strcmp(line, "two") == 0);
    EXPECT_CODE(sil_read_line(stream, 100, &line, &size, SIL_NOW), SIL_EEND);
    sil_stream_close(stream);
    (void)unlink(name);
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    EXPECT(fd >= 0);
    EXPECT_CODE(sil_stream_open(fd, &stream), 0);
    EXPECT_CODE(sil_write(stream, "x", 1, SIL_NOW), 0);
    EXPECT_CODE(sil_read_line(stream, 100, &line, &size, SIL_NOW), SIL_EEND);
    sil_stream_close(stream);
    return 0;
}

SCENARIO(a_descriptor_that_was_not_taken_is_as_it_was)
{
    (void)arg, (void)result;
    int fds[2];
    sil_stream *stream;
    sil_stream *other = NULL;
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
#ifdef SIL_FAULTS
    enum { ALLOCATIONS = 3 }; /* the stream, its watch, and the loop's first table of watches */
    for (unsigned nth = 1; nth <= ALLOCATIONS; nth++) {
        sil__fault_reset();
        sil__fault_arm(SIL__FAULT_ALLOC, nth, false);
        int code = sil_stream_open(fds[0], &other);
        sil__fault_reset();
        EXPECT_CODE(code, SIL_ENOMEM);
        EXPECT(!other && is_blocking(fds[0]));
    }
#endif
    EXPECT_CODE(sil_stream_open(fds[0], &stream), 0);
    EXPECT_CODE(sil_stream_open(fds[0], &other), EEXIST);
    EXPECT(!other && is_blocking(fds[0]));
    EXPECT_CODE(sil_write(stream, "x", 1, SIL_FOREVER), 0);
    sil_stream_close(stream);
    EXPECT_CODE(sil_stream_open(fds[1], &stream), 0);
    sil_stream_close(stream);
    return 0;
}

SCENARIO(what_is_no_socket_has_no_address)
{
    (void)arg, (void)result;
    sil_stream *reader;
    sil_stream *writer;
    sil_address address;
    EXPECT_CODE(sil_pipe(&reader, &writer), 0);
    EXPECT_CODE(sil_stream_local(reader, &address), SIL_ENOTSUP);
    EXPECT(strstr(sil_error_message(sil_last_error()), "no socket"));
    EXPECT_CODE(sil_stream_peer(writer, &address), SIL_ENOTSUP);
    EXPECT(strstr(sil_error_message(sil_last_error()), "no socket"));
    EXPECT_CODE(sil_flush(NULL, SIL_NOW), SIL_EINVAL);
    EXPECT(!strstr(sil_error_message(sil_last_error()), "sil_flush"));
    sil_stream_close(reader);
    sil_stream_close(writer);
    return 0;
}

SCENARIO(other_descriptors)
{
    (void)arg, (void)result;
    sil_stream *stream;
    uint64_t count = 0;
    for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
        int fd = eventfd(0, nonblocking ? EFD_NONBLOCK | EFD_CLOEXEC : EFD_CLOEXEC);
        EXPECT(fd >= 0);
        EXPECT_CODE(sil_stream_open(fd, &stream), 0);
        size_t got;
        EXPECT_CODE(sil_read(stream, &count, sizeof count, &got, sil_in(0.001)), SIL_ETIMEDOUT);
        EXPECT(eventfd_write(fd, 5) == 0);
        EXPECT_CODE(sil_read(stream, &count, sizeof count, &got, SIL_FOREVER), 0);
        EXPECT(got == sizeof count && count == 5);
        sil_stream_close(stream);
    }
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT(fd >= 0);
    EXPECT_CODE(sil_stream_open(fd, &stream), 0);
    size_t got;
    EXPECT_CODE(sil_read(stream, &count, 1, &got, SIL_FOREVER), EISDIR);
    sil_stream_close(stream);
    EXPECT_CODE(sil_stream_open(-1, &stream), EBADF);
    EXPECT_CODE(sil_stream_open(0, NULL), SIL_EINVAL);
    EXPECT_CODE(sil_stream_standard(3, &stream), SIL_EINVAL);
    EXPECT_CODE(sil_stream_standard(-1, &stream), SIL_EINVAL);
    return 0;
}

/* --- standard input and output, in a child ----------------------------------------------------- */

static int co_copy(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_stream *in;
    sil_stream *out;
    sil_stream *again;
    const char *line;
    size_t size;
    EXPECT_CODE(sil_stream_standard(0, &in), 0);
    EXPECT_CODE(sil_stream_standard(1, &out), 0);
    EXPECT_CODE(sil_stream_standard(1, &again), 0);
    while (sil_read_line(in, 1000, &line, &size, SIL_FOREVER) == 0) {
        EXPECT_CODE(sil_stream_printf(out, SIL_FOREVER, "<%s>\n", line), 0);
        EXPECT_CODE(sil_flush(out, SIL_FOREVER), 0);
    }
    EXPECT_CODE(sil_write(again, "end\n", 4, SIL_FOREVER), 0);
    sil_stream_close(in);
    sil_stream_close(out);
    sil_stream_close(again);
    return 0;
}

static int copy_in_child(void *arg)
{
    const int *fds = arg;
    CHECK(dup2(fds[0], 0) == 0 && dup2(fds[1], 1) == 1);
    CHECK(sil_run(co_copy, NULL, 0, NULL, 0) == 0);
    /* They are as they were, and open. */
    CHECK(is_blocking(0) && is_blocking(1));
    CHECK(write(1, "still open\n", 11) == 11);
    return 0;
}

static void check_standard(int *in, int *out)
{
    static const char expected[] = "<one>\n<two>\nend\nstill open\n";
    char got[sizeof expected] = "";
    int fds[2] = {in[0], out[1]};
    assert_int_equal(write(in[1], "one\ntwo", 7), 7);
    (void)close(in[1]);
    assert_int_equal(child_run(copy_in_child, fds), 0);
    (void)close(out[1]);
    size_t all = 0;
    ssize_t more;
    while ((more = read(out[0], got + all, sizeof got - all)) > 0)
        all += (size_t)more;
    assert_string_equal(got, expected);
    (void)close(in[0]);
    (void)close(out[0]);
}

static void test_standard_streams_are_pipes(void **state)
{
    (void)state;
    int in[2];
    int out[2];
    assert_int_equal(pipe(in) | pipe(out), 0);
    check_standard(in, out);
}

static void test_standard_streams_are_sockets(void **state)
{
    (void)state;
    int in[2];
    int out[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, in), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, out), 0);
    check_standard(in, out);
}

static void test_standard_streams_are_files(void **state)
{
    (void)state;
    char in_name[] = "/tmp/sillon-stream-XXXXXX";
    char out_name[] = "/tmp/sillon-stream-XXXXXX";
    int in[2] = {mkstemp(in_name), -1};
    int out[2] = {mkstemp(out_name), -1};
    in[1] = open(in_name, O_WRONLY);
    out[1] = open(out_name, O_WRONLY | O_APPEND);
    assert_true(in[0] >= 0 && in[1] >= 0 && out[0] >= 0 && out[1] >= 0);
    (void)unlink(in_name);
    (void)unlink(out_name);
    check_standard(in, out);
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_a_foreign_pipe_stays_blocking),
        TEST(test_a_foreign_socket_stays_blocking),
#ifdef SIL_FAULTS
        TEST(test_what_cannot_be_opened_anew_is_treated_gently),
#endif
        TEST(test_a_terminal_stays_blocking),
        TEST(test_files_are_always_ready),
        TEST(test_a_descriptor_that_was_not_taken_is_as_it_was),
        TEST(test_what_is_no_socket_has_no_address),
        TEST(test_other_descriptors),
        TEST(test_standard_streams_are_pipes),
        TEST(test_standard_streams_are_sockets),
        TEST(test_standard_streams_are_files),
    };
    return test_run("coro.stream_open", tests);
}
