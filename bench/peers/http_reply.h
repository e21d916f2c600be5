/* SPDX-License-Identifier: MIT */
/*
 * HTTP without reading it: the same few bytes whatever is asked. What ours and raw epoll send,
 * beside nginx, whose reply has as many lines.
 */
#ifndef BENCH_HTTP_REPLY_H
#define BENCH_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char http_reply[] = "HTTP/1.1 200 OK\r\n"
                                 "Server: bench\r\n"
                                 "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                 "Content-Type: application/octet-stream\r\n"
                                 "Content-Length: 5\r\n"
                                 "Connection: keep-alive\r\n"
                                 "\r\n"
                                 "hello";
static const size_t http_reply_size = sizeof http_reply - 1;

/** Does a request end here? (None here has a body, and none comes in pieces.) */
static inline bool http_request_ends(const char *bytes, size_t size)
{
    return size >= 4 && memcmp(bytes + size - 4, "\r\n\r\n", 4) == 0;
}

#endif
