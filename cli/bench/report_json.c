/* SPDX-License-Identifier: MIT */
/*
 * The comparison for programs: a line of JSON for each series, a last one for all.
 */
#include <errno.h>
#include <jansson.h>

#include "bench/report.h"

/* jansson takes the value over, also where it fails; one that is missing is null. */
static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new(object, name, value != NULL ? value : json_null());
}

static json_t *known(double figure)
{
    return figure > 0 ? json_real(figure) : json_null();
}

static json_t *spread_of(const struct measure *measure)
{
    return json_pack("{s:f, s:f, s:f}", "median", measure_median(measure), "min",
                     measure_least(measure), "max", measure_most(measure));
}

static json_t *series_object(const struct comparison *comparison, const struct series *series)
{
    json_t *object = json_object();
    if (object == NULL)
        return NULL;
    set(object, "type", json_string("mode"));
    set(object, "kind", json_string(series_kind(series)));
    set(object, "mode", json_string(mode_names[series->job.mode]));
    set(object, "workers", json_integer(series->job.workers));
    set(object, "tasks", json_integer((json_int_t)series->wanted));
    set(object, "measured_tasks", json_integer((json_int_t)series->job.tasks));
    set(object, "runs", json_integer((json_int_t)series->wall.count));
    set(object, "seconds", spread_of(&series->wall));
    set(object, "speedup", known(series_speedup(comparison, series)));
    set(object, "ideal", known(series_ideal(comparison, series)));
    set(object, "cpu_seconds", json_real(measure_median(&series->cpu)));
    set(object, "switches", json_integer((json_int_t)measure_median(&series->switches)));
    set(object, "memory", json_integer((json_int_t)measure_median(&series->memory)));
    set(object, "overhead_us", json_real(measure_median(&series->overhead) * 1e6));
    set(object, "failed", json_integer((json_int_t)series->failed));
    set(object, "wrong", json_integer((json_int_t)series->wrong));
    return object;
}

static json_t *summary_object(const struct comparison *comparison)
{
    json_t *object = json_object(), *advice = json_array();
    uint64_t failed = 0, wrong = 0;
    for (size_t i = 0; i < comparison->count; i++) {
        failed += comparison->list[i].failed;
        wrong += comparison->list[i].wrong;
    }
    char text[ADVICE_SIZE];
    for (int cpu = 1; cpu >= 0; cpu--)
        if (report_advice(comparison, cpu == 1, text))
            (void)json_array_append_new(advice, json_string(text));
    set(object, "type", json_string("summary"));
    set(object, "cpus", json_integer(comparison->cpus));
    set(object, "cpu_work", json_real(comparison->cpu_work));
    set(object, "spread", json_real(comparison_spread(comparison)));
    set(object, "others", comparison->others >= 0 ? json_real(comparison->others) : json_null());
    set(object, "failed", json_integer((json_int_t)failed));
    set(object, "wrong", json_integer((json_int_t)wrong));
    set(object, "seconds", json_real(comparison->seconds));
    set(object, "advice", advice);
    return object;
}

static int write_line(json_t *object, FILE *out)
{
    errno = 0;
    bool good = object != NULL &&
                json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0 &&
                fputc('\n', out) != EOF;
    int reason = errno != 0 ? errno : EIO;
    json_decref(object);
    return good ? 0 : reason;
}

int report_json(const struct comparison *comparison, FILE *out)
{
    int reason = 0;
    for (size_t i = 0; i < comparison->count && reason == 0; i++)
        reason = write_line(series_object(comparison, &comparison->list[i]), out);
    return reason != 0 ? reason : write_line(summary_object(comparison), out);
}
