/* SPDX-License-Identifier: MIT */
/*
 * Fire and forget: tasks that nobody asks about, the cheapest there are.
 * Teaches sil_post (one) and sil_post_many (one for each element): no future is made; closing the
 * executor waits for them like for all others.
 */
#include <stdatomic.h>
#include <stdio.h>

#include <sillon/sillon.h>

enum { PIXELS = 10000 };

static atomic_uint histogram[4];

static int count_brightness(void *arg, void *result)
{
    (void)result; /* NULL: there is nobody to take it */
    unsigned char brightness = *(unsigned char *)arg;
    atomic_fetch_add(&histogram[brightness / 64], 1);
    return 0;
}

int main(void)
{
    static unsigned char pixels[PIXELS];
    for (unsigned i = 0; i < PIXELS; i++)
        pixels[i] = (unsigned char)(i % 256);

    sil_executor *pool = sil_thread_pool(NULL);
    int code = sil_post_many(pool, count_brightness, pixels, 1, PIXELS);
    unsigned char one_more = 255;
    if (code == 0)
        code = sil_post(pool, count_brightness, &one_more, 1); /* copied, as always */
    sil_executor_close(pool);

    printf("dark %u, dim %u, light %u, bright %u\n", histogram[0], histogram[1], histogram[2],
           histogram[3]);
    return code;
}
