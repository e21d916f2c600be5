/* SPDX-License-Identifier: MIT */
/*
 * The least that an argument and a result cost that are copied: memcpy into memory that was touched
 * before, and memcpy out of such memory. What the task does in between is not part of it.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/adapter.h"

static char *arg_there;
static char *result_there;

static void start(int workers)
{
    (void)workers;
}

/* Zeros, and each page touched. */
static char *bytes_new(size_t size)
{
    char *bytes = malloc(size);
    if (bytes == NULL)
        abort();
    memset(bytes, 1, size);
    __asm__ volatile("" : : "r"(bytes) : "memory");
    memset(bytes, 0, size);
    return bytes;
}

static void copy(const void *arg, void *result, size_t size, bool touch)
{
    if (arg_there == NULL) {
        arg_there = bytes_new(size);
        result_there = bytes_new(size);
    }
    memcpy(arg_there, arg, size);
    __asm__ volatile("" : : "r"(arg_there) : "memory");
    memcpy(result, touch ? arg_there : result_there, size);
}

const struct adapter bench_adapter = {
    .name = "memcpy",
    .start = start,
    .copy = copy,
};
