/* SPDX-License-Identifier: MIT */
/*
 * Download a list of sites at once; a site that fails does not stop the others.
 * Teaches sil_submit_many, an error for each future, and results read in the order of the list.
 * (The network is a table here, so that the example runs anywhere.)
 */
#include <errno.h>
#include <stdio.h>

#include <sillon/sillon.h>

typedef struct site {
    const char *url;
    double wait; /* seconds until the answer */
    int bytes;   /* of the answer; none when negative */
} site;

static const site sites[] = {
    {"https://www.example.org/", 0.05, 1256},
    {"https://www.example.com/news", 0.02, 48102},
    {"https://nowhere.invalid/", 0.01, -1},
    {"https://www.example.net/weather", 0.04, 9377},
    {"https://archive.example.org/1997", 0.03, 731},
};
enum { COUNT = sizeof sites / sizeof *sites };

static int download(void *arg, void *result)
{
    const site *from = arg;
    int code = sil_sleep(sil_in(from->wait));
    if (code != 0)
        return code; /* cancelled while it waited */
    if (from->bytes < 0)
        return sil_fail(EHOSTUNREACH, "no such host");
    *(int *)result = from->bytes;
    return 0;
}

int main(void)
{
    /* These tasks wait, they do not compute: as many workers as waits, whatever the processors. */
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = COUNT});
    sil_future *pages[COUNT];
    sil_submit_many(pool, NULL, download, sites, sizeof(site), sizeof(int), COUNT, pages);

    int failed = 0;
    for (int i = 0; i < COUNT; i++) {
        int bytes;
        if (sil_take(pages[i], &bytes, SIL_FOREVER) == 0) {
            printf("%-32s %5d bytes\n", sites[i].url, bytes);
        } else {
            printf("%-32s failed: %s\n", sites[i].url, sil_error_message(sil_last_error()));
            failed++;
        }
    }
    sil_executor_close(pool);
    return failed == 1 ? 0 : 1;
}
