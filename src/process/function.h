/* SPDX-License-Identifier: MIT */
/*
 * What sil_process_start and the new process say to each other, over a SOCK_SEQPACKET socket.
 *
 *     starter                            new process
 *     heaps (region.h)         ------>
 *     order (letter)           ------>
 *                              <------   reply; then both close it, and the function runs
 *
 * The letter is a memfd with the table of modules, and behind it the argument.
 */
#ifndef SIL__PROCESS_FUNCTION_H
#define SIL__PROCESS_FUNCTION_H

#include <stdint.h>

#include "process/module.h"

#define SIL__ORDER_MAGIC 0x53696c32u
/* A whole number of pages, since it is mapped from there. */
#define SIL__LETTER_ARG ((uint64_t)128 * 1024)

struct sil__order {
    uint32_t magic;
    uint32_t size; /* of this struct */
    int32_t starter;
    uint32_t dies_with_starter;
    struct sil__code code;
    uint64_t arg_size;
};

struct sil__reply {
    int32_t code; /* 0: the function runs now */
    char text[508];
};

_Static_assert(sizeof(struct sil__module_table) <= SIL__LETTER_ARG, "the table has its place");

#endif
