/* SPDX-License-Identifier: MIT */
/*
 * How functions travel: what is encoded here is decoded here or in a forked child, which has
 * loaded what this process has loaded at that moment, and finds the table in memory shared with it.
 */
#include "process/module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/process.h>

#include "base/fault.h"
#include "modules/plugin.h"
#include "support/child.h"
#include "support/test.h"

static struct sil__module_table *table;
static struct sil__encoder *encoder;
static struct sil__decoder *decoder;

static int begin(void **state)
{
    table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    encoder = sil__encoder_create(table);
    decoder = sil__decoder_create(table);
    return table == MAP_FAILED || !encoder || !decoder ? -1 : test_begin(state);
}

static int end(void **state)
{
    sil__encoder_destroy(encoder);
    sil__decoder_destroy(decoder);
    (void)munmap(table, sizeof *table);
    return test_end(state);
}

static int static_task(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return 42;
}

static struct sil__code encode(sil_task_fn fn)
{
    struct sil__code code;
    assert_code(sil__encode(encoder, fn, &code), 0);
    return code;
}

static const char *last_message(void)
{
    return sil_error_message(sil_last_error());
}

static void assert_travels(sil_task_fn fn)
{
    struct sil__code code = encode(fn);
    assert_true(sil__decode(decoder, &code) == fn);
}

/* --- libraries ----------------------------------------------------------------------------- */

static void *open_library(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail_msg("%s", dlerror());
    return library;
}

static void close_library(void *library, const char *path)
{
    assert_int_equal(dlclose(library), 0);
    assert_null(dlopen(path, RTLD_NOW | RTLD_NOLOAD));
}

static sil_task_fn task_of(void *library, const char *name)
{
    void *symbol = dlsym(library, name);
    assert_non_null(symbol);
    sil_task_fn fn;
    memcpy(&fn, &symbol, sizeof fn);
    return fn;
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    assert_true(in && out);
    char block[4096];
    for (size_t size; (size = fread(block, 1, sizeof block, in)) > 0;)
        assert_int_equal(fwrite(block, 1, size, out), size);
    (void)fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* A path of our own, with a copy of a library. */
static void temporary_library(char path[64], const char *original)
{
    strcpy(path, "/tmp/sillon-module-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    copy_file(original, path);
}

/* --- receivers in a child ------------------------------------------------------------------ */

/* What the task returns there. */
static int run_there(void *arg)
{
    sil_task_fn fn = sil__decode(decoder, arg);
    if (!fn)
        (void)fprintf(stderr, "%s\n", last_message());
    CHECK(fn);
    return fn(NULL, NULL);
}

struct refusal {
    struct sil__code code;
    const char *path;
    const char *reason;
};

static int be_refused_there(void *arg)
{
    const struct refusal *refusal = arg;
    CHECK(!sil__decode(decoder, &refusal->code));
    CHECK(sil_error_code(sil_last_error()) == SIL_ENOTSUP);
    CHECK(strstr(last_message(), refusal->path));
    CHECK(strstr(last_message(), refusal->reason));
    return 0;
}

/* --- the sender ---------------------------------------------------------------------------- */

static void test_a_static_function_of_the_program_travels(void **state)
{
    (void)state;
    assert_travels(static_task);
    assert_travels(static_task);
    assert_int_equal(table->count, 1);
    assert_string_equal(table->modules[0].path, "");
    struct sil__code code = encode(static_task);
    assert_int_equal(child_run(run_there, &code), 42);
}

static void test_a_function_of_a_linked_library_travels(void **state)
{
    (void)state;
    assert_travels(plugin_static_task());
    struct sil__code code = encode(plugin_static_task());
    assert_contains(table->modules[code.module].path, PLUGIN_DIR "/plugin-linked.so");
    assert_int_equal(child_run(run_there, &code), 103);
    code = encode(plugin_task);
    assert_int_equal(child_run(run_there, &code), 3);
}

static void test_functions_of_our_library_and_of_libc_travel(void **state)
{
    (void)state;
    assert_travels((sil_task_fn)(void (*)(void))sil_cpu_count);
    assert_travels((sil_task_fn)(void (*)(void))sil__encode);
    assert_travels(task_of(RTLD_DEFAULT, "getpid"));
}

static void test_what_is_no_function_is_refused(void **state)
{
    (void)state;
    static int datum;
    int on_stack = 0;
    char *page = sysconf(_SC_PAGESIZE) + (char *)getauxval(AT_SYSINFO_EHDR);
    const void *addresses[] = {NULL, &datum, &on_stack, table, page, (void *)UINTPTR_MAX};
    (void)encode(static_task);
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        sil_task_fn fn;
        memcpy(&fn, &addresses[i], sizeof fn);
        struct sil__code code = {.module = 7};
        assert_code(sil__encode(encoder, fn, &code), SIL_EINVAL);
        assert_int_equal(code.module, 7);
    }
    assert_int_equal(table->count, 1);
}

static void test_a_full_table_is_reported(void **state)
{
    (void)state;
    struct sil__code code;
    table->count = SIL__MODULE_MAX;
    assert_code(sil__encode(encoder, static_task, &code), SIL_ENOTSUP);
    assert_contains(last_message(), "255");
}

/* --- loading ------------------------------------------------------------------------------- */

static void travel_after_unloading(const char *path)
{
    void *library = open_library(path);
    struct sil__code code = encode(task_of(library, "plugin_task"));
    assert_string_equal(table->modules[code.module].path, path);
    close_library(library, path);
    assert_int_equal(child_run(run_there, &code), 1);
}

static void test_a_library_is_loaded_where_it_is_missing(void **state)
{
    (void)state;
    travel_after_unloading(PLUGIN_DIR "/plugin-1-sha1.so");
    travel_after_unloading(PLUGIN_DIR "/plugin-1-none.so");
    assert_int_equal(table->count, 2);
    assert_int_equal(table->modules[0].id_size, 20);
    assert_false(table->modules[0].hashed);
    assert_true(table->modules[1].hashed);
}

/* Closed by whoever opened it, it stays for the decoder. */
static int outlast_its_owner(void *path)
{
    void *library = dlopen(path, RTLD_NOW);
    CHECK(library);
    sil_task_fn fn;
    void *symbol = dlsym(library, "plugin_task");
    memcpy(&fn, &symbol, sizeof fn);
    struct sil__code code;
    CHECK(sil__encode(encoder, fn, &code) == 0);
    CHECK(sil__decode(decoder, &code) == fn);
    CHECK(dlclose(library) == 0);
    CHECK(sil__decode(decoder, &code) == fn);
    return fn(NULL, NULL);
}

static void test_a_decoded_function_stays_when_its_library_is_closed(void **state)
{
    (void)state;
    char path[] = PLUGIN_DIR "/plugin-1-sha1.so";
    assert_int_equal(child_run(outlast_its_owner, path), 1);
}

/* Where one library was the next often comes to lie. */
static int replace_each_other(void *id)
{
    for (int round = 0; round < 6; round++) {
        int number = 1 + round % 2;
        char path[256];
        (void)snprintf(path, sizeof path, PLUGIN_DIR "/plugin-%d-%s.so", number, (char *)id);
        void *library = dlopen(path, RTLD_NOW);
        CHECK(library);
        void *symbol = dlsym(library, "plugin_task");
        sil_task_fn fn;
        memcpy(&fn, &symbol, sizeof fn);
        struct sil__code code;
        for (int again = 0; again < 2; again++) {
            CHECK(sil__encode(encoder, fn, &code) == 0);
            CHECK(strcmp(table->modules[code.module].path, path) == 0);
        }
        CHECK(dlclose(library) == 0);
    }
    CHECK(table->count == 2);
    return 0;
}

static void test_a_library_in_anothers_place_is_not_mistaken_for_it(void **state)
{
    (void)state;
    assert_int_equal(child_run(replace_each_other, (char[]){"sha1"}), 0);
    table->count = 0;
    sil__encoder_destroy(encoder);
    encoder = sil__encoder_create(table);
    assert_int_equal(child_run(replace_each_other, (char[]){"none"}), 0);
}

static void test_a_relative_path_becomes_absolute(void **state)
{
    (void)state;
    char *former = getcwd(NULL, 0);
    assert_int_equal(chdir(PLUGIN_DIR), 0);
    void *library = open_library("./plugin-1-sha1.so");
    assert_int_equal(chdir(former), 0);
    free(former);
    struct sil__code code = encode(task_of(library, "plugin_task"));
    char expected[512];
    assert_non_null(realpath(PLUGIN_DIR "/plugin-1-sha1.so", expected));
    assert_string_equal(table->modules[code.module].path, expected);
    assert_int_equal(dlclose(library), 0);
    assert_int_equal(child_run(run_there, &code), 1);
}

/* More stretches of code than an encoder remembers; all the same build. */
static void test_many_libraries_are_told_apart_or_known_as_one(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    void *libraries[COUNT];
    char paths[COUNT][64];
    for (int i = 0; i < COUNT; i++) {
        temporary_library(paths[i], PLUGIN_DIR "/plugin-1-sha1.so");
        libraries[i] = open_library(paths[i]);
    }
    for (int i = 0; i < 3 * COUNT; i++) {
        sil_task_fn fn = task_of(libraries[i % COUNT], "plugin_task");
        struct sil__code code = encode(fn);
        assert_int_equal(code.module, 0);
        assert_int_equal(child_run(run_there, &code), 1);
    }
    assert_int_equal(table->count, 1);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(dlclose(libraries[i]), 0);
        (void)unlink(paths[i]);
    }
}

/* --- refusals of the receiver -------------------------------------------------------------- */

static void be_refused_after_replacement(const char *original, const char *replacement)
{
    char path[64];
    temporary_library(path, original);
    void *library = open_library(path);
    struct refusal refusal = {encode(task_of(library, "plugin_task")), path, "another build"};
    close_library(library, path);
    (void)unlink(path);
    copy_file(replacement, path);
    assert_int_equal(child_run(be_refused_there, &refusal), 0);
    (void)unlink(path);
    refusal.reason = "cannot open shared object file";
    assert_int_equal(child_run(be_refused_there, &refusal), 0);
}

static void test_a_replaced_or_removed_library_is_refused(void **state)
{
    (void)state;
    be_refused_after_replacement(PLUGIN_DIR "/plugin-1-sha1.so", PLUGIN_DIR "/plugin-2-sha1.so");
    be_refused_after_replacement(PLUGIN_DIR "/plugin-1-none.so", PLUGIN_DIR "/plugin-2-none.so");
    be_refused_after_replacement(PLUGIN_DIR "/plugin-2-none.so", PLUGIN_DIR "/plugin-2-sha1.so");
}

static void test_another_build_of_the_program_is_refused(void **state)
{
    (void)state;
    struct sil__code code = encode(static_task);
    table->modules[code.module].id[3] ^= 1;
    assert_null(sil__decode(decoder, &code));
    assert_code(sil_error_code(sil_last_error()), SIL_ENOTSUP);
    assert_contains(last_message(), "the program is another build");
}

static void refuse(struct sil__code code)
{
    (void)sil_fail(1, "not yet refused");
    assert_null(sil__decode(decoder, &code));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
}

static void test_garbage_is_refused(void **state)
{
    (void)state;
    struct sil__code good = encode(static_task);
    refuse((struct sil__code){.module = 1, .offset = good.offset});
    refuse((struct sil__code){.module = SIL__MODULE_MAX, .offset = good.offset});
    refuse((struct sil__code){.module = UINT32_MAX, .offset = good.offset});
    table->count = UINT32_MAX;
    refuse((struct sil__code){.module = SIL__MODULE_MAX, .offset = good.offset});
    refuse((struct sil__code){.module = 5, .offset = good.offset}); /* all zero */
    table->modules[6] = table->modules[0];
    table->modules[6].id_size = SIL__MODULE_ID_SIZE + 1;
    refuse((struct sil__code){.module = 6, .offset = good.offset});
    table->modules[7] = table->modules[0];
    memset(table->modules[7].path, '/', sizeof table->modules[7].path);
    refuse((struct sil__code){.module = 7, .offset = good.offset});
    for (int round = 0; round < 2; round++) {
        refuse((struct sil__code){.module = 0, .offset = 0});
        refuse((struct sil__code){.module = 0, .offset = UINT64_MAX});
        refuse((struct sil__code){.module = 0, .offset = good.offset + (UINT64_C(1) << 40)});
        assert_true(sil__decode(decoder, &good) == static_task);
    }
}

#ifdef SIL_FAULTS
static void test_no_memory_gives_null(void **state)
{
    (void)state;
    sil__fault_arm(SIL__FAULT_ALLOC, 1, true);
    assert_null(sil__encoder_create(table));
    assert_null(sil__decoder_create(table));
    sil__fault_reset();
}
#endif

#define MODULE_TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODULE_TEST(test_a_static_function_of_the_program_travels),
        MODULE_TEST(test_a_function_of_a_linked_library_travels),
        MODULE_TEST(test_functions_of_our_library_and_of_libc_travel),
        MODULE_TEST(test_what_is_no_function_is_refused),
        MODULE_TEST(test_a_full_table_is_reported),
        MODULE_TEST(test_a_library_is_loaded_where_it_is_missing),
        MODULE_TEST(test_a_decoded_function_stays_when_its_library_is_closed),
        MODULE_TEST(test_a_library_in_anothers_place_is_not_mistaken_for_it),
        MODULE_TEST(test_a_relative_path_becomes_absolute),
        MODULE_TEST(test_many_libraries_are_told_apart_or_known_as_one),
        MODULE_TEST(test_a_replaced_or_removed_library_is_refused),
        MODULE_TEST(test_another_build_of_the_program_is_refused),
        MODULE_TEST(test_garbage_is_refused),
#ifdef SIL_FAULTS
        MODULE_TEST(test_no_memory_gives_null),
#endif
    };
    return test_run("module", tests);
}
