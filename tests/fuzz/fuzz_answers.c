/* SPDX-License-Identifier: MIT */
/*
 * For libFuzzer: build with clang and -DSILLON_FUZZ=ON.
 */
#include "answers.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    (void)fuzz_answers(bytes, size);
    return 0;
}
