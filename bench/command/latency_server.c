/* SPDX-License-Identifier: MIT */
/*
 * A server that is far away: whatever is asked by HTTP/1.1, it answers with the same file, a fixed
 * time after the request was whole. Connections wait independently of each other, and stay open.
 *
 *     command_latency_server MILLISECONDS SIZE      prints its port, serves until killed
 *
 * One thread, epoll, and one timer: since all wait for the same time, they come due in the order in
 * which they asked.
 *
 * I1  A connection has at most one request under way; it is in the queue from when the request was
 *     whole until the reply begins. What is asked meanwhile stays in its buffer.
 * I2  The timer is set to when the first of the queue is due.
 * I3  Who hangs up while in the queue stays there, without a descriptor, until its turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, REQUEST = 8192, HEAD = 256, BACKLOG = 1024 };

static const int64_t second = 1000000000;

struct connection {
    int fd; /* -1: it has hung up */
    size_t got;
    size_t sent; /* of the reply under way */
    int64_t due;
    enum { IDLE, QUEUED, REPLYING } state;
    struct connection *next; /* in the queue */
    char request[REQUEST + 1];
};

static int epoll, timer, listener;
static int64_t latency;
static char *reply;
static size_t reply_size;
static struct connection *first, **last = &first;

static void must(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static int64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * second + at.tv_nsec;
}

static void set_timer(void)
{
    struct itimerspec when = {0};
    if (first != NULL) {
        when.it_value.tv_sec = first->due / second;
        when.it_value.tv_nsec = first->due % second;
    }
    must(timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) == 0, "timerfd_settime");
}

static void queue(struct connection *one)
{
    one->state = QUEUED;
    one->due = now() + latency;
    one->next = NULL;
    *last = one;
    last = &one->next;
    if (first == one)
        set_timer();
}

static struct connection *take_due(int64_t at)
{
    struct connection *one = first;
    if (one == NULL || one->due > at)
        return NULL;
    first = one->next;
    if (first == NULL)
        last = &first;
    return one;
}

static void hang_up(struct connection *one)
{
    if (one->fd >= 0)
        (void)close(one->fd);
    one->fd = -1;
    if (one->state != QUEUED)
        free(one);
}

/* Take a whole request out of the buffer, if there is one, and let it wait. */
static void next_request(struct connection *one)
{
    one->request[one->got] = '\0';
    char *end = strstr(one->request, "\r\n\r\n");
    if (end == NULL)
        return;
    size_t length = (size_t)(end - one->request) + 4;
    one->got -= length;
    memmove(one->request, one->request + length, one->got);
    queue(one);
}

static void watch(struct connection *one, uint32_t events, int how)
{
    struct epoll_event event = {.events = events, .data.ptr = one};
    must(epoll_ctl(epoll, how, one->fd, &event) == 0, "epoll_ctl");
}

/* Send what goes; the rest when there is room. */
static void go_on(struct connection *one)
{
    int blocked = one->state == REPLYING;
    one->state = REPLYING;
    while (one->sent < reply_size) {
        ssize_t sent =
            send(one->fd, reply + one->sent, reply_size - one->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            if (!blocked)
                watch(one, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            return;
        }
        if (sent < 0) {
            hang_up(one);
            return;
        }
        one->sent += (size_t)sent;
    }
    if (blocked)
        watch(one, EPOLLIN, EPOLL_CTL_MOD);
    one->sent = 0;
    one->state = IDLE;
    next_request(one);
}

static void answer_due(void)
{
    uint64_t times;
    (void)!read(timer, &times, sizeof times);
    int64_t at = now();
    struct connection *one;
    while ((one = take_due(at)) != NULL) {
        one->state = IDLE;
        if (one->fd < 0)
            free(one);
        else
            go_on(one);
    }
    set_timer();
}

static void hear(struct connection *one)
{
    ssize_t got = recv(one->fd, one->request + one->got, REQUEST - one->got, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) { /* also when the request is too long: there was no room */
        hang_up(one);
        return;
    }
    one->got += (size_t)got;
    if (one->state == IDLE)
        next_request(one);
}

static void accept_all(void)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *one = calloc(1, sizeof *one);
        must(one != NULL, "calloc");
        one->fd = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        watch(one, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static void handle(const struct epoll_event *event)
{
    struct connection *one = event->data.ptr;
    if (event->data.ptr == &listener)
        accept_all();
    else if (event->data.ptr == &timer)
        answer_due();
    else if (one->state == REPLYING && (event->events & EPOLLOUT))
        go_on(one);
    else
        hear(one);
}

static void listen_and_tell(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(bind(listener, (const struct sockaddr *)&address, size) == 0, "bind");
    must(listen(listener, BACKLOG) == 0, "listen");
    must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    (void)fflush(stdout);
}

static void make_reply(size_t size)
{
    reply = malloc(HEAD + size);
    must(reply != NULL, "malloc");
    int head = snprintf(reply, HEAD,
                        "HTTP/1.1 200 OK\r\nServer: far\r\nETag: \"1\"\r\n"
                        "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                        size);
    memset(reply + head, 'x', size);
    reply_size = (size_t)head + size;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s MILLISECONDS SIZE\n", argv[0]);
        return 2;
    }
    latency = (int64_t)(atof(argv[1]) * 1e6);
    make_reply((size_t)strtoull(argv[2], NULL, 10));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    must(epoll >= 0 && timer >= 0, "epoll, timerfd");
    listen_and_tell();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0, "epoll_ctl");
    event.data.ptr = &timer;
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0, "epoll_ctl");
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        must(count >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < count; i++)
            handle(&events[i]);
    }
}
