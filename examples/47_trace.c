/* SPDX-License-Identifier: MIT */
/*
 * A trace: what ran where and when, for ui.perfetto.dev. Teaches sil_trace_start and
 * sil_trace_stop, which need no change in what is traced, and a row of one's own for what the
 * library does not know of.
 */
#include <stdio.h>
#include <string.h>

#include <sillon/sillon.h>

static int work(void *arg, void *result)
{
    const int *rounds = arg;
    for (int i = 0; i < *rounds; i++)
        *(long *)result += i % 7;
    return 0;
}

static void run_phase(sil_executor *pool, sil_track phases, const char *name, int rounds)
{
    int64_t begin = sil_clock();
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = sil_submit_with(pool, &(sil_submit_options){.name = name}, work, &rounds,
                                     sizeof rounds, sizeof(long));
    for (int i = 0; i < 3; i++)
        sil_take(futures[i], NULL, SIL_FOREVER);
    sil_trace_span(phases, name, "phase", begin, sil_clock(), NULL);
}

static int count_lines(const char *path, const char *part)
{
    char line[512];
    int count = 0;
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        count += strstr(line, part) != NULL;
    if (file)
        fclose(file);
    return count;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "47_trace.json";
    sil_executor *pool = sil_thread_pool(NULL);
    int code = sil_trace_start(path, NULL);
    sil_track phases = sil_trace_track("phases"); /* a row of our own */
    run_phase(pool, phases, "short", 100000);
    run_phase(pool, phases, "long", 1000000);
    if (code == 0)
        code = sil_trace_stop(NULL); /* now the file is whole */
    sil_executor_close(pool);
    if (code != 0)
        fprintf(stderr, "%s: %s\n", path, sil_strerror(code));
    printf("%d tasks in %d phases\n", count_lines(path, "\"cat\":\"task\""),
           count_lines(path, "\"cat\":\"phase\""));
    return (argc == 1 && remove(path) != 0) || code != 0;
}
