/* SPDX-License-Identifier: MIT */
/*
 * Two look-ups at once: employees and projects, each from a service that takes its time. Teaches sil_run
 * (a loop on this thread), sil_go (a coroutine, which is a future like any other), and that waiting in
 * one coroutine lets the others go on: together they take as long as the slower one.
 */
#include <stdio.h>

#include <sillon/sillon.h>

typedef struct list {
    int count;
    const char *names[3];
} list;

static int fetch_employees(void *arg, void *result)
{
    (void)arg;
    sil_sleep(sil_in(0.2)); /* a database, say */
    *(list *)result = (list){3, {"Ada", "Grace", "Edsger"}};
    return 0;
}

static int fetch_projects(void *arg, void *result)
{
    (void)arg;
    sil_sleep(sil_in(0.3));
    *(list *)result = (list){2, {"Engine", "Compiler"}};
    return 0;
}

static int report(void *arg, void *result)
{
    (void)arg, (void)result;
    int64_t started = sil_clock();
    sil_future *employees = sil_go(fetch_employees, NULL, 0, sizeof(list));
    sil_future *projects = sil_go(fetch_projects, NULL, 0, sizeof(list));

    list who = {0}, what = {0};
    int code = sil_take(employees, &who, SIL_FOREVER);
    int other = sil_take(projects, &what, SIL_FOREVER);
    if (code != 0 || other != 0)
        return code != 0 ? code : other;

    for (int i = 0; i < who.count; i++)
        printf("employee %s\n", who.names[i]);
    for (int i = 0; i < what.count; i++)
        printf("project %s\n", what.names[i]);
    double seconds = (double)(sil_clock() - started) / 1e9;
    fprintf(stderr, "%s\n",
            seconds < 0.45 ? "at the same time" : "one after the other, or a slow machine");
    return 0;
}

int main(void)
{
    return sil_run(report, NULL, 0, NULL, 0);
}
