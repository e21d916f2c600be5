/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors of others.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sillon/sillon.h>

#include "scenario.h"

static int signal_it(void *arg, void *result)
{
    (void)result;
    uint64_t one = 1;
    return write(*(int *)arg, &one, sizeof one) == sizeof one ? 0 : errno;
}

static int wait_for_event(void *arg, void *result)
{
    (void)arg, (void)result;
    int fd = eventfd(0, EFD_CLOEXEC);
    EXPECT(fd >= 0);
    EXPECT_CODE(sil_fd_wait(fd, SIL_WRITABLE, SIL_FOREVER), 0);
    EXPECT_CODE(sil_fd_wait(fd, SIL_READABLE, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_fd_wait(fd, SIL_READABLE, sil_in(0.01)), SIL_ETIMEDOUT);
    sil_future *other = sil_go(signal_it, &fd, sizeof fd, 0);
    EXPECT_CODE(sil_fd_wait(fd, SIL_READABLE, SIL_FOREVER), 0);
    EXPECT_CODE(sil_fd_wait(fd, SIL_READABLE, SIL_NOW), 0);
    (void)close(fd);
    return sil_take(other, NULL, SIL_FOREVER);
}

static void test_a_descriptor_is_waited_for(void **state)
{
    (void)state;
    run_scenario(wait_for_event);
}

static int wait_in_vain(void *arg, void *result)
{
    (void)result;
    return sil_fd_wait(*(int *)arg, SIL_READABLE, SIL_FOREVER);
}

static int refuse(void *arg, void *result)
{
    (void)arg, (void)result;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_CODE(sil_fd_wait(-1, SIL_READABLE, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_fd_wait(file, (sil_readiness)2, SIL_FOREVER), SIL_EINVAL);
    (void)close(file);
    file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    EXPECT_CODE(sil_fd_wait(file, SIL_READABLE, SIL_FOREVER), 0);
    (void)close(file);

    int fd = eventfd(0, EFD_CLOEXEC);
    sil_future *waiter = sil_go(wait_in_vain, &fd, sizeof fd, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_fd_wait(fd, SIL_READABLE, SIL_FOREVER), EEXIST);
    EXPECT_CODE(sil_future_cancel(waiter), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT_CODE(sil_fd_wait(fd, SIL_WRITABLE, SIL_FOREVER), 0);
    (void)close(fd);
    return 0;
}

static void test_what_cannot_be_waited_for_is_refused(void **state)
{
    (void)state;
    assert_code(sil_fd_wait(0, SIL_READABLE, SIL_FOREVER), SIL_ENOTASK);
    run_scenario(refuse);
}

struct reader {
    sil_stream *stream;
    size_t got;
};

static int read_some(void *arg, void *result)
{
    (void)result;
    char buffer[8];
    struct reader *reader = *(struct reader **)arg;
    return sil_read(reader->stream, buffer, sizeof buffer, &reader->got, SIL_FOREVER);
}

/* Whether or not anybody waits in the stream, which goes on. */
static int leave_streams_alone(void *arg, void *result)
{
    (void)arg, (void)result;
    struct reader reader = {0};
    struct reader *it = &reader;
    sil_stream *writer;
    EXPECT_CODE(sil_pipe(&reader.stream, &writer), 0);
    int fd = sil_stream_fd(reader.stream);
    EXPECT_CODE(sil_fd_wait(fd, SIL_READABLE, SIL_FOREVER), EEXIST);
    sil_future *read = sil_go(read_some, &it, sizeof it, 0);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_fd_wait(fd, SIL_READABLE, SIL_FOREVER), EEXIST);
    EXPECT_CODE(sil_write(writer, "x", 1, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(read, NULL, SIL_FOREVER), 0);
    EXPECT(reader.got == 1);
    sil_stream_close(reader.stream);
    sil_stream_close(writer);
    return 0;
}

static void test_the_descriptor_of_a_stream_is_refused(void **state)
{
    (void)state;
    run_scenario(leave_streams_alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_descriptor_is_waited_for),
        TEST(test_what_cannot_be_waited_for_is_refused),
        TEST(test_the_descriptor_of_a_stream_is_refused),
    };
    begin_scenarios();
    return test_run("readiness", tests);
}
