/* SPDX-License-Identifier: MIT */
/*
 * An initializer: what each worker does once, before its first task.
 * Teaches .initializer, for things that are one a thread (a connection, a random generator), and
 * that a pool whose initializer fails is broken: its tasks fail, and nothing hangs.
 */
#include <errno.h>
#include <stdio.h>

#include <sillon/sillon.h>

static _Thread_local const char *database; /* one connection a worker */

static int connect_worker(void *arg)
{
    if (arg == NULL)
        return sil_fail(ENOENT, "no database to connect to");
    database = arg;
    return 0;
}

static int query(void *arg, void *result)
{
    (void)arg;
    *(const char **)result = database;
    return 0;
}

static int ask(const char *name)
{
    char address[32];
    snprintf(address, sizeof address, "db://%s", name != NULL ? name : "");
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){
        .name = "query",
        .initializer = connect_worker,
        .initializer_arg = name != NULL ? address : NULL,
    });
    sil_future *f = sil_submit(pool, query, NULL, 0, sizeof(char *));
    const char *used;
    int code = sil_take(f, &used, SIL_FOREVER);
    if (code == 0)
        printf("answered by %s\n", used);
    else
        printf("%s: %s\n", sil_status_name(code), sil_error_message(sil_last_error()));
    sil_executor_close(pool);
    return code;
}

int main(void)
{
    bool ok = ask("stations") == 0 && ask(NULL) == SIL_EBROKEN;
    return ok ? 0 : 1;
}
