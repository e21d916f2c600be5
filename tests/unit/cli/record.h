/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the recorder share: files in a folder of their own, a screen that keeps what it
 * is given, and a run that has been.
 */
#ifndef TESTS_UNIT_CLI_RECORD_H
#define TESTS_UNIT_CLI_RECORD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "record/recorder.h"
#include "unit/coro/scenario.h"

__attribute__((unused)) static const struct syntax get = {.command = "get"};
static const struct syntax map = {.command = "map"};

/* --- standard output ------------------------------------------------------------------------ */

static char shown[4096];
static int screen_code;

int screen_out(struct screen *screen, const void *bytes, size_t size)
{
    (void)screen;
    size_t used = strlen(shown);
    (void)snprintf(shown + used, sizeof(shown) - used, "%.*s", (int)size, (const char *)bytes);
    return screen_code;
}

/* --- files ---------------------------------------------------------------------------------- */

static char folder[] = "/tmp/record-XXXXXX";
static char log_path[64], json_path[64], tsv_path[64];

static inline char *path_in(char *out, size_t size, const char *name)
{
    (void)snprintf(out, size, "%s/%s", folder, name);
    return out;
}

static inline void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* What is in it; "none" if it is not there. */
static inline const char *text_of(const char *path)
{
    static char text[8192];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return "none";
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    (void)fclose(file);
    return text;
}

static inline void remove_files(void)
{
    (void)unlink(log_path);
    (void)unlink(json_path);
    (void)unlink(tsv_path);
}

static inline int record_setup(void **state)
{
    shown[0] = '\0';
    screen_code = 0;
    remove_files();
    return test_begin(state);
}

/* How many, if each is an object with a moment; -1: they are not. */
static inline int count_lines(const char *text)
{
    int lines = 0;
    for (const char *at = text; *at != '\0'; lines++) {
        const char *end = strchr(at, '\n');
        json_t *object =
            end != NULL ? json_loadb(at, (size_t)(end - at), JSON_ALLOW_NUL, NULL) : NULL;
        bool whole = json_is_string(json_object_get(object, "ts"));
        json_decref(object);
        if (!whole)
            return -1;
        at = end + 1;
    }
    return lines;
}

#define assert_lines(text, count) assert_int_equal(count_lines(text), (count))

static inline struct recorder *open_or_fail(const struct report_options *options,
                                            const struct syntax *syntax)
{
    int status = -1;
    struct recorder *recorder = recorder_open(options, syntax, &status);
    assert_non_null(recorder);
    return recorder;
}

static inline int write_item(struct recorder *recorder, const char *identity, const char *status)
{
    return recorder_write(recorder,
                          json_pack("{ss ss si sf sn}", "type", "job", "status", status, "exit", 3,
                                    "wall", 0.25, "signal"),
                          identity, strlen(identity), NULL);
}

static inline bool skips(const struct recorder *recorder, const char *identity)
{
    return recorder_skips(recorder, identity, strlen(identity));
}

static inline enum record_before before(const struct recorder *recorder, const char *identity)
{
    return recorder_before(recorder, identity, strlen(identity));
}

/* A run that did these. */
static inline void run_before(const char *log)
{
    struct recorder *recorder = open_or_fail(&(struct report_options){.log = (char *)log}, &map);
    static const char *const statuses[] = {"ok",     "failed",  "timeout",
                                           "killed", "stopped", "skipped"};
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        assert_int_equal(write_item(recorder, statuses[i], statuses[i]), 0);
    json_t *summary = json_pack("{ss si}", "type", "summary", "ok", 1);
    assert_int_equal(recorder_write(recorder, summary, NULL, 0, NULL), 0);
    assert_int_equal(recorder_close(recorder), 0);
}

#define RECORD_TEST(function) cmocka_unit_test_setup_teardown(function, record_setup, test_end)

/** What main does. */
static inline int record_main(const char *name, const struct CMUnitTest *tests, size_t count)
{
    begin_scenarios();
    if (mkdtemp(folder) == NULL)
        return 1;
    path_in(log_path, sizeof(log_path), "log");
    path_in(json_path, sizeof(json_path), "json");
    path_in(tsv_path, sizeof(tsv_path), "log.tsv");
    int failed = test_run_group(name, tests, count);
    remove_files();
    (void)rmdir(folder);
    return test_exit(failed);
}

#endif
