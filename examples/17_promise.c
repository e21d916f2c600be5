/* SPDX-License-Identifier: MIT */
/*
 * Promises: make a future of anything that calls back.
 * Teaches sil_promise: your code holds the writing end and gives the value when it has one; the
 * future is awaited, combined and cancelled like any other.
 */
#include <stdio.h>

#include <sillon/sillon.h>

/* Some library of old: it keeps a callback, and calls it when an answer has come. */
typedef struct sensor {
    void (*callback)(double value, void *user);
    void *user;
} sensor;

/* The bridge: a callback that completes a promise, and a call that returns its future. */
static void on_reading(double value, void *user)
{
    sil_promise_resolve(user, &value);
    sil_promise_destroy(user);
}

static sil_future *sensor_read(sensor *s, const char *name)
{
    sil_promise *promise = sil_promise_create(name, sizeof(double));
    *s = (sensor){on_reading, promise};
    return sil_promise_future(promise);
}

int main(void)
{
    sensor thermometer, barometer;
    sil_future *both[] = {sensor_read(&thermometer, "degrees"), sensor_read(&barometer, "hPa")};
    printf("%s: %s\n", sil_future_name(both[0]), sil_strerror(sil_await(both[0], SIL_NOW)));
    barometer.callback(1013, barometer.user); /* later, in whatever order, from any thread */
    thermometer.callback(21.5, thermometer.user);

    double y[2] = {0};
    int code = sil_take(sil_all(both, 2), y, SIL_FOREVER);
    printf("%.1f %s, %.0f %s\n", y[0], sil_future_name(both[0]), y[1], sil_future_name(both[1]));

    sil_promise *broken = sil_promise_create("never kept", 0); /* nobody waits for ever */
    sil_future *f = sil_promise_future(broken);
    sil_promise_destroy(broken);
    int lost = sil_take(f, NULL, SIL_FOREVER);
    printf("%s\n", sil_status_name(lost));
    sil_future_release(both[0]);
    sil_future_release(both[1]);
    return code == 0 && lost == SIL_EBROKEN ? 0 : 1;
}
