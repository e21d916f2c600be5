/* SPDX-License-Identifier: MIT */
/*
 * The store: files come to be there whole, or not at all.
 */
#include <signal.h>
#include <sys/resource.h>

#include "unit/cli/store_rig.h"

/* All of a download; the bytes are from the rig's. */
static enum part_verdict fetch(const char *name, size_t size, uint64_t length,
                               const struct digest *expected, struct digest *out)
{
    struct part *part;
    struct store_found found;
    if (part_begin(rig_store, name, RIG_URL, expected, false, &part, &found) != 0)
        return PART_NOT_WRITTEN;
    if (part_head(part, 0, length, "", "") != 0 || rig_feed(part, rig_bytes, size) != 0) {
        part_abandon(part, true);
        return PART_NOT_WRITTEN;
    }
    return part_commit(part, -1, out);
}

static bool last_error_has(const char *text)
{
    return strstr(sil_error_message(sil_last_error()), text) != NULL;
}

/* --- whole files ----------------------------------------------------------------------------- */

STORE_SCENARIO(file_is_whole_whatever_its_size)
{
    static const size_t sizes[] = {0, 1, 10000, 16383, 16384, 16385, 262144, RIG_SIZE};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (int known = 0; known < 2; known++) {
            uint64_t length = known ? sizes[i] : STORE_UNKNOWN;
            EXPECT_CODE(fetch("a", sizes[i], length, &rig_no_digest, NULL), PART_GOOD);
            EXPECT(rig_holds("a", rig_bytes, sizes[i]));
            EXPECT(rig_count() == 1);
        }
    return 0;
}

STORE_SCENARIO(time_of_the_file_is_the_servers)
{
    struct part *part;
    struct store_found found;
    struct stat status;
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT(!found.whole && !found.done && found.resume == 0);
    EXPECT_CODE(part_head(part, 0, 3, "", ""), 0);
    EXPECT_CODE(rig_feed(part, "abc", 3), 0);
    EXPECT_CODE(part_commit(part, 784111777, NULL), PART_GOOD);
    EXPECT(stat(rig_path("a"), &status) == 0 && status.st_mtime == 784111777);
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT(found.whole && !found.done && found.size == 3);
    EXPECT(strcmp(found.modified, RIG_OLD_DATE) == 0);
    part_abandon(part, true);
    return 0;
}

STORE_SCENARIO(digest_is_of_all_bytes)
{
    static const size_t sizes[] = {0, 3, 20000, RIG_SIZE};
    for (enum digest_kind kind = DIGEST_SHA256; kind <= DIGEST_BLAKE2B; kind++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            struct digest right = rig_digest(kind, rig_bytes, sizes[i]), has;
            EXPECT_CODE(fetch("a", sizes[i], sizes[i], &right, &has), PART_GOOD);
            EXPECT(has.kind == kind && strcmp(has.hex, right.hex) == 0);
            (void)unlink(rig_path("a"));
        }
    return 0;
}

STORE_SCENARIO(wrong_file_leaves_nothing)
{
    struct digest right = rig_digest(DIGEST_SHA256, rig_bytes, 100), has;
    EXPECT_CODE(fetch("a", 99, STORE_UNKNOWN, &right, &has), PART_WRONG_CHECKSUM);
    EXPECT(last_error_has("a: its sha256 is ") && last_error_has(right.hex));
    EXPECT_CODE(fetch("a", RIG_SIZE, STORE_UNKNOWN, &right, &has), PART_WRONG_CHECKSUM);
    EXPECT_CODE(fetch("a", 99, 100, &rig_no_digest, NULL), PART_WRONG_LENGTH);
    EXPECT(last_error_has("a has 99 bytes, not 100"));
    EXPECT_CODE(fetch("a", RIG_SIZE, RIG_SIZE - 1, &rig_no_digest, NULL), PART_WRONG_LENGTH);
    EXPECT(rig_count() == 0);
    return 0;
}

STORE_SCENARIO(abandoned_one_leaves_nothing)
{
    static const size_t sizes[] = {0, 1, RIG_SIZE};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (int keep = 0; keep < 2; keep++) {
            struct part *part;
            struct store_found found;
            EXPECT_CODE(rig_begin_part("x/a", &part, &found), 0);
            EXPECT_CODE(part_head(part, 0, STORE_UNKNOWN, "W/\"weak\"", ""), 0);
            EXPECT_CODE(rig_feed(part, rig_bytes, sizes[i]), 0);
            part_abandon(part, keep);
            EXPECT(!rig_exists("x/a") && !rig_exists("x/a.part") && !rig_exists("x/a.part.meta"));
        }
    return 0;
}

STORE_SCENARIO(folders_in_a_name_are_made)
{
    rig_options.fsync = true;
    EXPECT_CODE(fetch("host/deep/a", 10, 10, &rig_no_digest, NULL), PART_GOOD);
    EXPECT(rig_holds("host/deep/a", rig_bytes, 10));
    EXPECT_CODE(fetch("host/deep/a/b", 10, 10, &rig_no_digest, NULL), PART_NOT_WRITTEN);
    EXPECT(last_error_has("cannot write host/deep/a/b: Not a directory"));
    return 0;
}

/* --- what is there already ------------------------------------------------------------------- */

STORE_SCENARIO(existing_file_is_skipped_refused_or_replaced)
{
    struct part *part;
    struct store_found found;
    rig_write("a", "old", 3);
    rig_options.if_exists = IF_EXISTS_SKIP;
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT(found.done && found.whole && found.size == 3);
    part_abandon(part, true);
    rig_options.if_exists = IF_EXISTS_FAIL;
    EXPECT_CODE(rig_begin_part("a", &part, &found), EEXIST);
    EXPECT(last_error_has("a is there already"));
    EXPECT_CODE(fetch("b", 10, 10, &rig_no_digest, NULL), PART_GOOD);
    EXPECT(rig_holds("a", "old", 3));
    rig_options.if_exists = IF_EXISTS_REPLACE;
    EXPECT_CODE(fetch("a", 10, 10, &rig_no_digest, NULL), PART_GOOD);
    EXPECT(rig_holds("a", rig_bytes, 10));
    EXPECT(mkdir(rig_path("folder"), 0777) == 0);
    EXPECT_CODE(rig_begin_part("folder", &part, &found), EEXIST);
    EXPECT(last_error_has("folder is a folder"));
    return 0;
}

/* It came after we had looked. */
STORE_SCENARIO(file_of_another_is_not_overwritten)
{
    static const int modes[] = {IF_EXISTS_FAIL, IF_EXISTS_SKIP};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct part *part;
        struct store_found found;
        rig_options.if_exists = modes[i];
        EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
        EXPECT_CODE(part_head(part, 0, 10, "", ""), 0);
        EXPECT_CODE(rig_feed(part, rig_bytes, 10), 0);
        rig_write("a", "other", 5);
        EXPECT_CODE(part_commit(part, -1, NULL), PART_NOT_WRITTEN);
        EXPECT_CODE(sil_error_code(sil_last_error()), EEXIST);
        EXPECT(rig_holds("a", "other", 5) && rig_count() == 1);
        (void)unlink(rig_path("a"));
    }
    return 0;
}

STORE_SCENARIO(name_gets_a_number_when_it_is_taken)
{
    struct part *part;
    struct store_found found;
    char *name = NULL;
    rig_options.if_exists = IF_EXISTS_RENAME;
    EXPECT_CODE(fetch("a", 1, 1, &rig_no_digest, NULL), PART_GOOD);
    EXPECT_CODE(fetch("a", 2, 2, &rig_no_digest, NULL), PART_GOOD);
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT(strcmp(part_name(part), "a.2") == 0);
    EXPECT_CODE(part_head(part, 0, 3, "", ""), 0);
    EXPECT_CODE(rig_feed(part, rig_bytes, 3), 0);
    rig_write("a.2", "other", 5); /* meanwhile */
    EXPECT_CODE(part_commit_as(part, -1, NULL, &name), PART_GOOD);
    bool right = name != NULL && strcmp(name, "a.3") == 0;
    free(name);
    EXPECT(right);
    EXPECT(rig_holds("a", rig_bytes, 1) && rig_holds("a.1", rig_bytes, 2));
    EXPECT(rig_holds("a.2", "other", 5) && rig_holds("a.3", rig_bytes, 3));
    return 0;
}

STORE_SCENARIO(existing_file_is_checked_when_a_digest_is_expected)
{
    struct part *part;
    struct store_found found;
    struct digest right = rig_digest(DIGEST_SHA512, rig_bytes, RIG_SIZE);
    rig_write("a", rig_bytes, RIG_SIZE);
    EXPECT_CODE(part_begin(rig_store, "a", RIG_URL, &right, false, &part, &found), 0);
    EXPECT(found.done && found.whole);
    part_abandon(part, true);
    rig_write("a", rig_bytes, RIG_SIZE - 1);
    EXPECT_CODE(part_begin(rig_store, "a", RIG_URL, &right, false, &part, &found), 0);
    EXPECT(!found.done && !found.whole);
    EXPECT_CODE(part_head(part, 0, RIG_SIZE, "", ""), 0);
    EXPECT_CODE(rig_feed(part, rig_bytes, RIG_SIZE), 0);
    EXPECT_CODE(part_commit(part, -1, NULL), PART_GOOD);
    EXPECT(rig_holds("a", rig_bytes, RIG_SIZE) && rig_count() == 1);
    return 0;
}

STORE_SCENARIO(links_are_not_followed)
{
    struct part *part;
    struct store_found found;
    rig_write("victim", "keep", 4);
    EXPECT(symlink("victim", rig_path("a")) == 0);
    EXPECT_CODE(fetch("a", 10, 10, &rig_no_digest, NULL), PART_GOOD);
    EXPECT(rig_holds("a", rig_bytes, 10));
    EXPECT(symlink("victim", rig_path("b.part")) == 0);
    EXPECT_CODE(rig_begin_part("b", &part, &found), ELOOP);
    EXPECT(symlink("victim", rig_path("c.part.meta")) == 0);
    EXPECT_CODE(rig_interrupted("c", 100000, "\"tag\"", ""), 0);
    EXPECT(rig_exists("c.part") && rig_holds("victim", "keep", 4));
    return 0;
}

/* --- other places ---------------------------------------------------------------------------- */

STORE_SCENARIO(standard_output_gets_the_bytes)
{
    struct digest right = rig_digest(DIGEST_SHA256, rig_bytes, RIG_SIZE), has;
    EXPECT_CODE(fetch("-", RIG_SIZE, RIG_SIZE, &right, &has), PART_GOOD);
    EXPECT(rig_screen->out.size == RIG_SIZE && rig_screen->misuses == 0);
    EXPECT(memcmp(rig_screen->out.text, rig_bytes, RIG_SIZE) == 0);
    EXPECT(strcmp(has.hex, right.hex) == 0 && !sil_mutex_locked(rig_screen->lock));

    struct part *part;
    struct store_found found;
    EXPECT_CODE(rig_begin_part("-", &part, &found), 0);
    EXPECT_CODE(part_head(part, 0, 100, "\"tag\"", ""), 0);
    EXPECT_CODE(rig_feed(part, rig_bytes, 60), 0);
    EXPECT(strcmp(part_validator(part), "\"tag\"") == 0);
    EXPECT_CODE(part_head(part, 0, 100, "\"tag\"", ""), ESPIPE);
    EXPECT_CODE(part_head(part, 60, 100, "\"tag\"", ""), 0);
    rig_screen->error = EPIPE;
    EXPECT_CODE(rig_feed(part, rig_bytes, 40), EPIPE);
    EXPECT(last_error_has("cannot write standard output"));
    EXPECT_CODE(part_commit(part, -1, NULL), PART_NOT_WRITTEN);
    EXPECT(rig_count() == 0);
    return 0;
}

STORE_SCENARIO(devices_are_written_to_and_stay)
{
    struct stat status;
    EXPECT_CODE(fetch("/dev/null", RIG_SIZE, RIG_SIZE, &rig_no_digest, NULL), PART_GOOD);
    EXPECT(stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode));
    EXPECT_CODE(fetch("/dev/full", 100, 100, &rig_no_digest, NULL), PART_NOT_WRITTEN);
    EXPECT(last_error_has("cannot write /dev/full: No space left on device"));
    EXPECT(mkfifo(rig_path("fifo"), 0666) == 0);
    EXPECT_CODE(fetch("fifo", 100, 100, &rig_no_digest, NULL), PART_NOT_WRITTEN);
    EXPECT_CODE(sil_error_code(sil_last_error()), ENXIO);
    return 0;
}

/* --- failures -------------------------------------------------------------------------------- */

STORE_SCENARIO(file_that_grows_too_large_fails)
{
    struct rlimit before, limit;
    EXPECT(getrlimit(RLIMIT_FSIZE, &before) == 0);
    limit = before;
    limit.rlim_cur = 300000;
    (void)signal(SIGXFSZ, SIG_IGN);
    EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    enum part_verdict without = fetch("a", RIG_SIZE, RIG_SIZE, &rig_no_digest, NULL);
    bool told = last_error_has("cannot write a: File too large");
    struct part *part;
    struct store_found found;
    EXPECT_CODE(rig_begin_part("b", &part, &found), 0);
    EXPECT_CODE(part_head(part, 0, RIG_SIZE, "\"tag\"", ""), 0);
    (void)rig_feed(part, rig_bytes, RIG_SIZE);
    int settled = part_settle(part);
    bool no_more = part_chunk(part) == NULL;
    part_abandon(part, true);
    EXPECT(setrlimit(RLIMIT_FSIZE, &before) == 0);
    EXPECT(without == PART_NOT_WRITTEN && told && settled == EFBIG && no_more);
    EXPECT(rig_count() == 2 && rig_holds("b.part", rig_bytes, 300000));
    EXPECT_CODE(rig_begin_part("b", &part, &found), 0);
    EXPECT(found.resume == 300000);
    part_abandon(part, false);
    EXPECT(rig_count() == 0);
    return 0;
}

static int refuse_bad_options(void *arg, void *result)
{
    (void)arg, (void)result;
    rig_options.part_suffix = (char *)"";
    EXPECT(store_create(&rig_options, NULL) == NULL);
    rig_options.part_suffix = (char *)"/x";
    EXPECT(store_create(&rig_options, NULL) == NULL);
    rig_options.part_suffix = NULL;
    rig_options.folder = (char *)"/dev/null/no";
    EXPECT(store_create(&rig_options, NULL) == NULL);
    EXPECT(last_error_has("cannot use the folder /dev/null/no"));
    return 0;
}

static void test_store_is_not_made_when_it_cannot_be(void **state)
{
    (void)state;
    run_scenario(refuse_bad_options);
}

static int make_deep_folder(void *arg, void *result)
{
    (void)arg, (void)result;
    char deep[128];
    (void)snprintf(deep, sizeof deep, "%s/x/y/z", rig_folder);
    rig_options.folder = deep;
    rig_options.fsync = true;
    rig_options.part_suffix = (char *)".tmp";
    EXPECT(rig_open());
    EXPECT_CODE(rig_interrupted("a", 100000, "\"tag\"", ""), 0);
    rig_close();
    EXPECT(rig_exists("x/y/z/a.tmp") && rig_exists("x/y/z/a.tmp.meta"));
    return 0;
}

static void test_folder_is_made_with_those_above(void **state)
{
    (void)state;
    run_scenario(make_deep_folder);
}

/* --- memory ---------------------------------------------------------------------------------- */

enum { MANY = 600 };

STORE_SCENARIO(idle_files_do_not_hold_up_others)
{
    static struct part *parts[MANY];
    static struct chunk *chunks[MANY];
    struct store_found found;
    for (int i = 0; i < MANY; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "/dev/null"); /* any file: none is made */
        EXPECT_CODE(rig_begin_part(name, &parts[i], &found), 0);
        EXPECT_CODE(part_head(parts[i], 0, STORE_UNKNOWN, "", ""), 0);
        chunks[i] = part_chunk(parts[i]);
        EXPECT(chunks[i] != NULL);
    }
    EXPECT_CODE(fetch("a", RIG_SIZE, RIG_SIZE, &rig_no_digest, NULL), PART_GOOD);
    EXPECT(rig_holds("a", rig_bytes, RIG_SIZE));
    for (int i = 0; i < MANY; i++) {
        part_give_back(parts[i], chunks[i]);
        part_abandon(parts[i], false);
    }
    return 0;
}

static int feed_for_ever(void *arg, void *result)
{
    (void)result;
    struct part *part = *(struct part **)arg;
    int code = 0;
    while (code == 0)
        code = rig_feed(part, rig_bytes, RIG_SIZE);
    return code;
}

/* A FIFO that nobody reads takes 64 KiB; then the memory fills, then the writer waits. */
STORE_SCENARIO(wait_for_memory_ends_when_cancelled)
{
    EXPECT(mkfifo(rig_path("fifo"), 0666) == 0);
    int reader = open(rig_path("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    EXPECT(reader >= 0);
    struct part *part;
    struct store_found found;
    EXPECT_CODE(rig_begin_part("fifo", &part, &found), 0);
    EXPECT_CODE(part_head(part, 0, STORE_UNKNOWN, "", ""), 0);
    sil_future *feeder = sil_go(feed_for_ever, (void *)&part, sizeof(struct part *), 0);
    uint64_t before;
    do { /* until it goes on no more: it has had all the memory there is */
        before = part_size(part);
        give_way(3);
    } while (part_size(part) != before || before == 0);
    EXPECT(before < 8 * 1024 * 1024);
    EXPECT_CODE(fetch("a", RIG_SIZE, RIG_SIZE, &rig_no_digest, NULL), PART_GOOD);
    (void)sil_future_cancel(feeder);
    EXPECT_CODE(sil_take(feeder, NULL, SIL_FOREVER), SIL_ECANCELLED);
    part_abandon(part, false);
    (void)close(reader);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(test_file_is_whole_whatever_its_size),
        RIG_TEST(test_time_of_the_file_is_the_servers),
        RIG_TEST(test_digest_is_of_all_bytes),
        RIG_TEST(test_wrong_file_leaves_nothing),
        RIG_TEST(test_abandoned_one_leaves_nothing),
        RIG_TEST(test_folders_in_a_name_are_made),
        RIG_TEST(test_existing_file_is_skipped_refused_or_replaced),
        RIG_TEST(test_file_of_another_is_not_overwritten),
        RIG_TEST(test_name_gets_a_number_when_it_is_taken),
        RIG_TEST(test_existing_file_is_checked_when_a_digest_is_expected),
        RIG_TEST(test_links_are_not_followed),
        RIG_TEST(test_standard_output_gets_the_bytes),
        RIG_TEST(test_devices_are_written_to_and_stay),
        RIG_TEST(test_file_that_grows_too_large_fails),
        RIG_TEST(test_store_is_not_made_when_it_cannot_be),
        RIG_TEST(test_folder_is_made_with_those_above),
        RIG_TEST(test_idle_files_do_not_hold_up_others),
        RIG_TEST(test_wait_for_memory_ends_when_cancelled),
    };
    begin_scenarios();
    return test_run("the store", tests);
}
