/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors of others.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sillon/sillon.h>

#include "support/test.h"

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
    assert_true(fd >= 0);
    assert_code(sil_fd_wait(fd, SIL_WRITABLE, SIL_FOREVER), 0);
    assert_code(sil_fd_wait(fd, SIL_READABLE, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_fd_wait(fd, SIL_READABLE, sil_in(0.01)), SIL_ETIMEDOUT);
    sil_future *other = sil_go(signal_it, &fd, sizeof fd, 0);
    assert_code(sil_fd_wait(fd, SIL_READABLE, SIL_FOREVER), 0);
    assert_code(sil_fd_wait(fd, SIL_READABLE, SIL_NOW), 0);
    (void)close(fd);
    return sil_take(other, NULL, SIL_FOREVER);
}

static void test_a_descriptor_is_waited_for(void **state)
{
    (void)state;
    assert_code(sil_run(wait_for_event, NULL, 0, NULL, 0), 0);
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
    assert_code(sil_fd_wait(-1, SIL_READABLE, SIL_FOREVER), SIL_EINVAL);
    assert_code(sil_fd_wait(file, (sil_readiness)2, SIL_FOREVER), SIL_EINVAL);
    (void)close(file);
    file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_code(sil_fd_wait(file, SIL_READABLE, SIL_FOREVER), 0);
    (void)close(file);

    int fd = eventfd(0, EFD_CLOEXEC);
    sil_future *waiter = sil_go(wait_in_vain, &fd, sizeof fd, 0);
    assert_code(sil_yield(), 0);
    assert_code(sil_fd_wait(fd, SIL_READABLE, SIL_FOREVER), EEXIST);
    assert_code(sil_future_cancel(waiter), SIL_EINPROGRESS);
    assert_code(sil_take(waiter, NULL, SIL_FOREVER), SIL_ECANCELLED);
    assert_code(sil_fd_wait(fd, SIL_WRITABLE, SIL_FOREVER), 0);
    (void)close(fd);
    return 0;
}

static void test_what_cannot_be_waited_for_is_refused(void **state)
{
    (void)state;
    assert_code(sil_fd_wait(0, SIL_READABLE, SIL_FOREVER), SIL_ENOTASK);
    assert_code(sil_run(refuse, NULL, 0, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_descriptor_is_waited_for),
        TEST(test_what_cannot_be_waited_for_is_refused),
    };
    return test_run("readiness", tests);
}
