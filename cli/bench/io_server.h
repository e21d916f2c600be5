/* SPDX-License-Identifier: MIT */
/*
 * The built-in server of io tasks, in a process of its own on 127.0.0.1: it answers GET /N/SIZE after
 * the latency, with SIZE bytes that depend on N.
 *
 * I1  It does not limit: a coroutine for each connection, on one loop.
 * I2  It ends when the process that started it does, however that ends.
 */
#ifndef CLI_BENCH_IO_SERVER_H
#define CLI_BENCH_IO_SERVER_H

#include <stdint.h>
#include <sys/types.h>

struct io_server {
    pid_t pid;
    uint16_t port;
};

/**
 * Start it. There are no threads and no loops in this process yet.
 *
 * @param latency  seconds until it answers.
 * @return 0, or an errno value, or a code of the library's: sil_last_error.
 */
int io_server_start(struct io_server *server, double latency);

/** End it, and wait for that. One that is all zero is none. */
void io_server_stop(struct io_server *server);

/** What N's answer consists of, over and over: eight bytes in the order of this machine. */
static inline uint64_t io_word(uint64_t number)
{
    return (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

#endif
