/* SPDX-License-Identifier: MIT */
/*
 * Ten images, one by one and at once.
 * Teaches that the executor is the only thing that changes: the inline executor runs each task
 * in the calling thread, the pool runs them on all processors. The images are the same.
 */
#include <stdio.h>
#include <string.h>

#include <sillon/sillon.h>

enum { COUNT = 10, SIDE = 96 };

/* A PGM file in memory: grey rings around a centre that moves from image to image. */
typedef struct image {
    char header[16];
    unsigned char pixels[SIDE][SIDE];
} image;

static int draw(void *arg, void *result)
{
    int centre = *(int *)arg * SIDE / COUNT;
    image *out = result;
    memset(out->header, 0, sizeof out->header);
    snprintf(out->header, sizeof out->header, "P5 %d %d 255\n", SIDE, SIDE);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int dx = x - centre, dy = y - centre;
            out->pixels[y][x] = (unsigned char)((dx * dx + dy * dy) / 8 % 256);
        }
    return 0;
}

static int draw_all(sil_executor *executor, image *images)
{
    int numbers[COUNT];
    for (int i = 0; i < COUNT; i++)
        numbers[i] = i;
    int code = sil_map(executor, draw, numbers, sizeof(int), images, sizeof(image), COUNT);
    printf("%s: %s\n", sil_executor_kind(executor), code == 0 ? "drawn" : sil_strerror(code));
    sil_executor_close(executor);
    return code;
}

int main(void)
{
    static image one_by_one[COUNT], at_once[COUNT];
    if (draw_all(sil_inline_executor(), one_by_one) != 0)
        return 1;
    if (draw_all(sil_thread_pool(NULL), at_once) != 0)
        return 1;
    bool same = memcmp(one_by_one, at_once, sizeof at_once) == 0;
    printf("%d images of %zu bytes: %s\n", COUNT, sizeof(image), same ? "the same" : "different");
    return same ? 0 : 1;
}
