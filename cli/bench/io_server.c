/* SPDX-License-Identifier: MIT */
/*
 * The server of io tasks, see io_server.h.
 *
 * Each connection waits with a timer of its own (timerfd): a loop's sleeps are exact to a millisecond,
 * which of 50 would be 2 %, and would look as if the modes had lost them.
 */
#include "bench/io_server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/coro.h>
#include <sillon/error.h>
#include <sillon/loop.h>
#include <sillon/server.h>

enum { HEAD_LIMIT = 4096, PIECE = 16384 };

struct settings {
    double latency;
    int port_pipe; /* where the port is written */
};

/* A multiple of eight bytes at a time, so that each piece begins as the first did. */
static int write_body(sil_stream *stream, uint64_t number, uint64_t size)
{
    uint64_t words[PIECE / sizeof(uint64_t)];
    size_t used = size < PIECE ? (size_t)size / sizeof(words[0]) + 1 : PIECE / sizeof(words[0]);
    for (size_t i = 0; i < used && i < PIECE / sizeof(words[0]); i++)
        words[i] = io_word(number);
    int code = 0;
    for (uint64_t left = size; left > 0 && code == 0;) {
        size_t piece = left < PIECE ? (size_t)left : PIECE;
        code = sil_write_buffered(stream, words, piece, SIL_FOREVER);
        left -= piece;
    }
    return code != 0 ? code : sil_flush(stream, SIL_FOREVER);
}

/* @param timer  borrows. @param until  on the monotonic clock, which is sil_clock's. */
static int wait_until(sil_stream *timer, int64_t until)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000}};
    uint64_t times;
    if (timerfd_settime(sil_stream_fd(timer), TFD_TIMER_ABSTIME, &when, NULL) != 0)
        return errno;
    return sil_read_exactly(timer, &times, sizeof(times), NULL, SIL_FOREVER);
}

/* "GET /NUMBER/BYTES ". */
static bool read_request(const char *head, size_t size, uint64_t *out_number, uint64_t *out_bytes)
{
    static const char begin[] = "GET /";
    char line[128], *end;
    (void)snprintf(line, sizeof(line), "%.*s", (int)size, head);
    if (strncmp(line, begin, strlen(begin)) != 0)
        return false;
    *out_number = strtoull(line + strlen(begin), &end, 10);
    if (*end != '/')
        return false;
    *out_bytes = strtoull(end + 1, &end, 10);
    return *end == ' ';
}

/* @return SIL_EEND there are no more. */
static int serve_request(sil_stream *stream, const struct settings *settings, sil_stream *timer)
{
    const char *head;
    size_t size;
    int code = sil_read_until(stream, "\r\n\r\n", 4, HEAD_LIMIT, &head, &size, SIL_FOREVER);
    int64_t came = sil_clock();
    uint64_t number, bytes;
    if (code != 0)
        return code;
    if (!read_request(head, size, &number, &bytes))
        return SIL_EHTTP;
    if (settings->latency > 0)
        code = wait_until(timer, came + (int64_t)(settings->latency * 1e9));
    if (code == 0)
        code = sil_stream_printf(stream, SIL_FOREVER,
                                 "HTTP/1.1 200 OK\r\nContent-Length: %" PRIu64 "\r\n\r\n", bytes);
    return code == 0 ? write_body(stream, number, bytes) : code;
}

/* One connection. */
static int serve_one(sil_stream *stream, void *user)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return errno;
    sil_stream *timer;
    int code = sil_stream_open(fd, &timer);
    if (code != 0) {
        (void)close(fd);
        return code;
    }
    while (code == 0)
        code = serve_request(stream, user, timer);
    sil_stream_close(timer);
    return code == SIL_EEND ? 0 : code;
}

static int serve(void *arg, void *result)
{
    (void)result;
    struct settings *settings = arg;
    sil_server *server;
    int code = sil_listen("127.0.0.1", "0", NULL, &server, SIL_FOREVER);
    if (code != 0)
        return code;
    uint16_t port = sil_server_port(server);
    if (write(settings->port_pipe, &port, sizeof(port)) == (ssize_t)sizeof(port)) {
        (void)close(settings->port_pipe);
        code = sil_server_serve(server, serve_one, settings, SIL_FOREVER);
    }
    sil_server_close(server);
    return code;
}

static _Noreturn void be_server(const struct settings *settings, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)prctl(PR_SET_NAME, "sillon-server", 0, 0, 0);
    /* The answers' time is measured: the default slack of sleeps, 50 us, would be in each. */
    (void)prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
    if (getppid() != parent)
        _exit(1);
    int code = sil_run(serve, settings, sizeof(*settings), NULL, 0);
    if (code != 0)
        (void)fprintf(stderr, "sillon bench: server: %s\n", sil_error_message(sil_last_error()));
    _exit(code != 0);
}

int io_server_start(struct io_server *server, double latency)
{
    int ends[2];
    *server = (struct io_server){0};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return sil_fail(errno, "pipe: %s", strerror(errno));
    (void)fflush(NULL);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        be_server(&(struct settings){.latency = latency, .port_pipe = ends[1]}, parent);
    }
    int code = pid < 0 ? sil_fail(errno, "fork: %s", strerror(errno)) : 0;
    (void)close(ends[1]);
    server->pid = pid;
    ssize_t got = 0;
    if (code == 0) {
        do
            got = read(ends[0], &server->port, sizeof(server->port));
        while (got < 0 && errno == EINTR);
        if (got != (ssize_t)sizeof(server->port)) {
            io_server_stop(server);
            code = sil_fail(SIL_EBROKEN, "the built-in server did not start");
        }
    }
    (void)close(ends[0]);
    return code;
}

void io_server_stop(struct io_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    *server = (struct io_server){0};
}
