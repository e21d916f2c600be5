/* SPDX-License-Identifier: MIT */
/*
 * What follows a future: more work after success, a way out after failure.
 * Teaches sil_then and sil_catch. They wait without a thread, and each makes a new future, so
 * that steps can be chained.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sillon/sillon.h>

static int parse_celsius(void *arg, void *result)
{
    const char *text = *(const char **)arg;
    char *end;
    *(double *)result = strtod(text, &end);
    if (end == text || *end != '\0')
        return sil_fail(EINVAL, "'%s' is not a number", text);
    return 0;
}

static int to_fahrenheit(sil_future *source, void *arg, void *result)
{
    (void)arg;
    *(double *)result = *(const double *)sil_future_result(source, NULL) * 9 / 5 + 32;
    return 0;
}

static int use_default(sil_future *source, void *arg, void *result)
{
    printf("(%s)\n", sil_error_message(sil_future_error(source)));
    *(double *)result = *(double *)arg;
    return 0;
}

static bool convert(sil_executor *pool, const char *text, double expected)
{
    const size_t size = sizeof(double);
    sil_future *celsius = sil_submit(pool, parse_celsius, &text, sizeof text, size);
    sil_future *fahrenheit = sil_then(celsius, pool, to_fahrenheit, NULL, 0, size);
    /* Short work needs no executor: NULL runs it where its source ends. */
    sil_future *safe = sil_catch(fahrenheit, NULL, use_default, &(double){-460}, size, size);
    sil_future_release(celsius); /* the chain holds what it needs */
    sil_future_release(fahrenheit);

    double y = 0;
    int code = sil_take(safe, &y, SIL_FOREVER);
    printf("%s C is %.1f F\n", text, y);
    return code == 0 && y == expected;
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(NULL);
    bool ok = convert(pool, "100", 212) && convert(pool, "-40", -40) && convert(pool, "hot", -460);
    sil_executor_close(pool);
    return ok ? 0 : 1;
}
