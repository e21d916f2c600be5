/* SPDX-License-Identifier: MIT */
/*
 * Requests to the built-in server, see work_io.h.
 */
#include "bench/work_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sillon/coro.h>
#include <sillon/error.h>
#include <sillon/stream.h>

#include "bench/io_server.h"

enum { PIECE = 16384, HEAD_LIMIT = 1024, REQUEST_SIZE = 128 };

/* Sum of the words of a body that comes in pieces of any size. */
struct sum {
    uint64_t words;
    unsigned char rest[sizeof(uint64_t)]; /* of a word that is not whole yet */
    size_t rest_size;
};

static void sum_add(struct sum *sum, const char *bytes, size_t size)
{
    while (size > 0 && (sum->rest_size > 0 || size < sizeof(uint64_t))) {
        sum->rest[sum->rest_size++] = (unsigned char)*bytes++;
        size--;
        if (sum->rest_size == sizeof(uint64_t)) {
            uint64_t word;
            memcpy(&word, sum->rest, sizeof(word));
            sum->words += word;
            sum->rest_size = 0;
        }
    }
    for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        sum->words += word;
    }
    if (size > 0) {
        memcpy(sum->rest, bytes, size);
        sum->rest_size = size;
    }
}

static uint64_t sum_end(const struct sum *sum)
{
    uint64_t word = 0;
    memcpy(&word, sum->rest, sum->rest_size);
    return sum->words + word;
}

uint64_t io_answer(uint64_t number, uint64_t size)
{
    uint64_t word = io_word(number);
    uint64_t part = 0;
    memcpy(&part, &word, size % sizeof(word));
    return size / sizeof(word) * word + part;
}

static size_t write_request(char text[REQUEST_SIZE], uint64_t number, uint64_t size)
{
    int length =
        snprintf(text, REQUEST_SIZE,
                 "GET /%" PRIu64 "/%" PRIu64 " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", number, size);
    return (size_t)length;
}

static bool head_says(const char *head, uint64_t size)
{
    static const char field[] = "\r\nContent-Length: ";
    const char *length = strstr(head, field);
    return strncmp(head, "HTTP/1.1 200 ", 13) == 0 && length != NULL &&
           strtoull(length + strlen(field), NULL, 10) == size;
}

/* --- threads and processes ------------------------------------------------------------------------ */

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t connection_key; /* holds an int *: the descriptor */
static bool key_made;

static void close_connection(void *value)
{
    if (value != NULL)
        (void)close(*(const int *)value);
    free(value);
}

static void make_key(void)
{
    key_made = pthread_key_create(&connection_key, close_connection) == 0;
}

static int fail_with_errno(const char *what)
{
    int reason = errno;
    return sil_fail(reason, "%s: %s", what, strerror(reason));
}

/* @param out_fd  receives this thread's connection; borrowed. */
static int connect_here(uint16_t port, int *out_fd)
{
    (void)pthread_once(&key_once, make_key);
    if (!key_made)
        return sil_fail(SIL_ENOMEM, "no room for a connection");
    const int *there = pthread_getspecific(connection_key);
    if (there != NULL) {
        *out_fd = *there;
        return 0;
    }
    int *kept = malloc(sizeof(*kept));
    if (kept == NULL)
        return sil_fail(SIL_ENOMEM, "out of memory");
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int code = fd < 0 ? fail_with_errno("socket") : 0;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (code == 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        code = fail_with_errno("connect");
    *kept = fd;
    if (code == 0 && pthread_setspecific(connection_key, kept) != 0)
        code = sil_fail(SIL_ENOMEM, "no room for a connection");
    if (code != 0) {
        if (fd >= 0)
            (void)close(fd);
        free(kept);
        return code;
    }
    *out_fd = fd;
    return 0;
}

void io_hang_up(void)
{
    (void)pthread_once(&key_once, make_key);
    if (!key_made)
        return;
    close_connection(pthread_getspecific(connection_key));
    (void)pthread_setspecific(connection_key, NULL);
}

static int read_some(int fd, char *buffer, size_t size, size_t *out_got)
{
    ssize_t got;
    do
        got = recv(fd, buffer, size, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail_with_errno("recv");
    if (got == 0)
        return sil_fail(SIL_EEND, "the server hung up");
    *out_got = (size_t)got;
    return 0;
}

/* @param buffer   receives the head, terminated, and what came behind it.
 * @param out_end  receives where that begins; out_used: where it ends. */
static int read_head(int fd, char buffer[PIECE + 1], size_t *out_end, size_t *out_used)
{
    size_t used = 0;
    for (;;) {
        size_t got = 0;
        int code = read_some(fd, buffer + used, PIECE - used, &got);
        if (code != 0)
            return code;
        used += got;
        char *end = memmem(buffer, used, "\r\n\r\n", 4);
        if (end != NULL) {
            *end = '\0';
            *out_end = (size_t)(end + 4 - buffer);
            *out_used = used;
            return 0;
        }
        if (used >= HEAD_LIMIT)
            return sil_fail(SIL_EHTTP, "what the server says is not HTTP");
    }
}

static int exchange(int fd, const struct io_task *task, uint64_t *out_answer)
{
    char buffer[PIECE + 1];
    size_t size = write_request(buffer, task->number, task->size);
    if (send(fd, buffer, size, MSG_NOSIGNAL) != (ssize_t)size)
        return fail_with_errno("send");
    size_t from = 0, used = 0;
    int code = read_head(fd, buffer, &from, &used);
    if (code != 0)
        return code;
    if (!head_says(buffer, task->size))
        return sil_fail(SIL_EHTTP, "not the answer that was asked for");
    struct sum sum = {0};
    uint64_t left = task->size;
    for (;;) {
        size_t piece = used - from;
        if (piece > left)
            return sil_fail(SIL_EHTTP, "the answer is too long");
        sum_add(&sum, buffer + from, piece);
        left -= piece;
        if (left == 0)
            break;
        from = 0;
        code = read_some(fd, buffer, left < PIECE ? (size_t)left : PIECE, &used);
        if (code != 0)
            return code;
    }
    *out_answer = sum_end(&sum);
    return 0;
}

int io_task(void *arg, void *result)
{
    const struct io_task *task = arg;
    struct record *record = result;
    int fd = -1;
    record_begin(record);
    int code = connect_here(task->port, &fd);
    if (code == 0)
        code = exchange(fd, task, &record->answer);
    record_end(record);
    return code;
}

/* --- coroutines ------------------------------------------------------------------------------- */

static int exchange_by_stream(sil_stream *stream, uint64_t number, uint64_t size,
                              uint64_t *out_answer)
{
    char buffer[PIECE];
    int code = sil_write(stream, buffer, write_request(buffer, number, size), SIL_FOREVER);
    const char *head;
    size_t head_size;
    if (code == 0)
        code = sil_read_until(stream, "\r\n\r\n", 4, HEAD_LIMIT, &head, &head_size, SIL_FOREVER);
    if (code != 0)
        return code;
    (void)snprintf(buffer, sizeof(buffer), "%.*s", (int)head_size, head);
    if (!head_says(buffer, size))
        return sil_fail(SIL_EHTTP, "not the answer that was asked for");
    struct sum sum = {0};
    for (uint64_t left = size; left > 0;) {
        size_t got;
        code = sil_read(stream, buffer, left < PIECE ? (size_t)left : PIECE, &got, SIL_FOREVER);
        if (code != 0)
            return code;
        sum_add(&sum, buffer, got);
        left -= got;
    }
    *out_answer = sum_end(&sum);
    return 0;
}

int io_worker(void *arg, void *result)
{
    (void)result;
    const struct io_worker *worker = arg;
    const struct job *job = worker->job;
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", (unsigned)job->port);
    sil_stream *stream = NULL;
    int code = 0;
    while (*worker->next < job->tasks && code == 0) {
        uint64_t number = (*worker->next)++;
        struct record *record = &worker->records[number];
        record_begin(record);
        record->worker = worker->number;
        /* The thread's time is not the coroutine's: others run meanwhile. */
        if (stream == NULL)
            code = sil_connect("127.0.0.1", port, NULL, &stream, SIL_FOREVER);
        if (code == 0)
            code = exchange_by_stream(stream, number, job->size, &record->answer);
        record_end(record);
        record->cpu = 0;
        record->code = code;
    }
    sil_stream_close(stream);
    return code;
}
