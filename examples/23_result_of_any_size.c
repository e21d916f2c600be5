/* SPDX-License-Identifier: MIT */
/*
 * Results of any size: when only the task knows how much there will be.
 * Teaches sil_result_alloc in the task, and sil_future_result, which reads the value where it
 * lies, without a copy, as long as the future is held.
 */
#include <stdio.h>
#include <string.h>

#include <sillon/sillon.h>

typedef struct order {
    char word[8];
    int times;
} order;

static int repeat(void *arg, void *result)
{
    (void)result; /* NULL: submitted with a result size of 0 */
    const order *o = arg;
    size_t length = strlen(o->word);
    char *text = sil_result_alloc(length * (size_t)o->times + 1);
    if (text == NULL)
        return sil_error_code(sil_last_error());
    for (int i = 0; i < o->times; i++)
        memcpy(text + length * (size_t)i, o->word, length);
    return 0; /* the zero at the end is there: the memory comes zeroed */
}

int main(void)
{
    const order orders[] = {{"la", 8}, {"ha", 3}, {"", 5}};
    enum { COUNT = sizeof orders / sizeof *orders };

    sil_executor *pool = sil_thread_pool(NULL);
    sil_future *texts[COUNT];
    sil_submit_many(pool, NULL, repeat, orders, sizeof(order), 0, COUNT, texts);

    bool ok = true;
    for (int i = 0; i < COUNT; i++) {
        size_t size;
        if (sil_await(texts[i], SIL_FOREVER) == 0) {
            const char *text = sil_future_result(texts[i], &size);
            printf("%2zu bytes: '%s'\n", size, text);
        } else {
            ok = false;
        }
        sil_future_release(texts[i]); /* and with it the text */
    }
    sil_executor_close(pool);
    return ok ? 0 : 1;
}
