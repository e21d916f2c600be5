/* SPDX-License-Identifier: MIT */
/*
 * Errors are values: a code, a message and an origin.
 * Teaches sil_fail, and that a task which returns the code of a failed await hands the very same
 * error on, with the place where things went wrong.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sillon/sillon.h>

static int read_port(void *arg, void *result)
{
    const char *text = *(const char **)arg;
    char *end;
    long port = strtol(text, &end, 10);
    if (port < 1 || port > 65535 || *end != '\0')
        return sil_fail(EINVAL, "'%s' is not a port", text);
    *(long *)result = port;
    return 0;
}

typedef struct request {
    sil_executor *pool;
    const char *port;
} request;

static int connect_to(void *arg, void *result)
{
    const request *r = arg;
    sil_future *f = sil_submit_with(r->pool, &(sil_submit_options){.name = "read port"}, read_port,
                                    &r->port, sizeof r->port, sizeof(long));
    return sil_take(f, result, SIL_FOREVER); /* what failed there, fails here */
}

static int try_port(sil_executor *pool, const char *port)
{
    sil_future *f = sil_submit_with(pool, &(sil_submit_options){.name = "connect"}, connect_to,
                                    &(request){pool, port}, sizeof(request), sizeof(long));
    int code = sil_await(f, SIL_FOREVER);
    if (code == 0) {
        printf("port %ld\n", *(const long *)sil_future_result(f, NULL));
    } else {
        const sil_error *e = sil_future_error(f);
        const char *task = sil_error_task(e) ? sil_error_task(e) : "(no task)";
        printf("%s in %s: %s\n", sil_status_name(code), task, sil_error_message(e));
    }
    sil_future_release(f);
    return code;
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(NULL);
    int good = try_port(pool, "8080"), bad = try_port(pool, "eighty");
    int refused = try_port(NULL, "8080"); /* not even submitted: seen at the same place */
    sil_executor_close(pool);
    return good == 0 && bad == EINVAL && refused == SIL_EINVAL ? 0 : 1;
}
