/* SPDX-License-Identifier: MIT */
/*
 * The store: what an interrupted run leaves, and that it is gone on from only when it is the same
 * file.
 */
#include <sys/file.h>
#include <time.h>

#include "support/child.h"
#include "unit/cli/store_rig.h"

enum { HALF = 300000 };

static int rest(const char *name, uint64_t from, const struct digest *expected)
{
    struct part *part;
    struct store_found found;
    EXPECT_CODE(part_begin(rig_store, name, RIG_URL, expected, false, &part, &found), 0);
    EXPECT(found.resume >= from);
    EXPECT_CODE(part_head(part, from, RIG_SIZE, "", ""), 0);
    EXPECT(part_size(part) == from);
    EXPECT_CODE(rig_feed(part, rig_bytes + from, RIG_SIZE - from), 0);
    EXPECT_CODE(part_commit(part, -1, NULL), PART_GOOD);
    EXPECT(rig_holds(name, rig_bytes, RIG_SIZE));
    EXPECT(rig_count() == 1);
    return unlink(rig_path(name));
}

/* How many bytes of it a run would go on from. */
static uint64_t resumable(const char *name, const char *url)
{
    struct part *part;
    struct store_found found;
    if (part_begin(rig_store, name, url, &rig_no_digest, false, &part, &found) != 0)
        return STORE_UNKNOWN;
    part_abandon(part, true);
    return found.resume;
}

STORE_SCENARIO(interrupted_file_is_gone_on_from)
{
    static const size_t sizes[] = {1, 16384, 65536, HALF, RIG_SIZE};
    for (enum digest_kind kind = DIGEST_NONE; kind <= DIGEST_SHA256; kind++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            struct digest expected = rig_no_digest;
            if (kind != DIGEST_NONE)
                expected = rig_digest(kind, rig_bytes, RIG_SIZE);
            EXPECT_CODE(rig_interrupted("a", sizes[i], "\"tag\"", RIG_OLD_DATE), 0);
            EXPECT(rig_holds("a.part", rig_bytes, sizes[i]) && rig_count() == 2);
            EXPECT_CODE(rest("a", sizes[i], &expected), 0);
        }
    return 0;
}

STORE_SCENARIO(part_of_what_is_there_may_be_kept)
{
    struct digest expected = rig_digest(DIGEST_SHA1, rig_bytes, RIG_SIZE);
    EXPECT_CODE(rig_interrupted("a", HALF, "\"tag\"", ""), 0);
    EXPECT_CODE(rest("a", 1000, &expected), 0);
    return 0;
}

STORE_SCENARIO(what_was_found_says_how_to_ask)
{
    struct part *part;
    struct store_found found;
    EXPECT_CODE(rig_interrupted("a", HALF, "\"tag\"", RIG_OLD_DATE), 0);
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT(found.resume == HALF && found.length == RIG_SIZE && !found.whole);
    EXPECT(strcmp(found.etag, "\"tag\"") == 0 && strcmp(found.modified, RIG_OLD_DATE) == 0);
    EXPECT(strcmp(part_validator(part), "\"tag\"") == 0);
    part_abandon(part, false);
    EXPECT(rig_count() == 0);
    EXPECT_CODE(rig_interrupted("a", HALF, "W/\"tag\"", RIG_OLD_DATE), 0);
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT(found.resume == HALF && found.etag[0] == '\0');
    EXPECT(strcmp(part_validator(part), RIG_OLD_DATE) == 0);
    part_abandon(part, true);
    EXPECT(rig_count() == 2);
    return 0;
}

STORE_SCENARIO(nothing_is_kept_without_a_strong_validator)
{
    char now[64];
    time_t moment = time(NULL);
    struct tm parts;
    (void)strftime(now, sizeof now, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&moment, &parts));
    const char *const bad[][2] = {{"", ""},   {"W/\"x\"", ""},   {"", now},       {"naked", ""},
                                  {"\"", ""}, {"", "yesterday"}, {"\"a\nb\"", ""}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        EXPECT_CODE(rig_interrupted("a", HALF, bad[i][0], bad[i][1]), 0);
        EXPECT(rig_count() == 0);
    }
    EXPECT_CODE(rig_interrupted("a", HALF, "", RIG_OLD_DATE), 0);
    EXPECT(resumable("a", RIG_URL) == HALF);
    return 0;
}

STORE_SCENARIO(small_file_is_begun_anew)
{
    struct part *part;
    struct store_found found;
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT_CODE(part_head(part, 0, 65535, "\"tag\"", ""), 0);
    EXPECT_CODE(rig_feed(part, rig_bytes, 60000), 0);
    part_abandon(part, true);
    EXPECT(rig_count() == 0);
    return 0;
}

STORE_SCENARIO(damaged_meta_counts_as_none)
{
    size_t size = 0;
    EXPECT_CODE(rig_interrupted("a", HALF, "\"tag\"", RIG_OLD_DATE), 0);
    char *meta = rig_read("a.part.meta", &size);
    EXPECT(meta != NULL);
    bool ignored = true;
    for (size_t cut = 0; cut < size; cut++) {
        rig_write("a.part", rig_bytes, HALF);
        rig_write("a.part.meta", meta, cut);
        ignored = ignored && resumable("a", RIG_URL) == 0;
    }
    rig_write("a.part", rig_bytes, HALF);
    rig_write("a.part.meta", meta, size);
    free(meta);
    EXPECT(ignored);
    EXPECT(resumable("a", RIG_URL) == HALF);
    EXPECT(resumable("a", RIG_URL "2") == 0); /* another URL */
    EXPECT(rig_count() == 0);                 /* which had no use for it, and took nothing */
    return 0;
}

STORE_SCENARIO(part_that_is_too_long_is_begun_anew)
{
    EXPECT_CODE(rig_interrupted("a", HALF, "\"tag\"", ""), 0);
    rig_write("a.part", rig_bytes, RIG_SIZE);
    EXPECT(resumable("a", RIG_URL) == RIG_SIZE);
    EXPECT(truncate(rig_path("a.part"), RIG_SIZE + 1) == 0);
    EXPECT(resumable("a", RIG_URL) == 0);
    return 0;
}

STORE_SCENARIO(leftovers_of_others_do_no_harm)
{
    struct part *part;
    struct store_found found;
    rig_write("a.part", "strange bytes", 13);
    rig_write("b.part.meta", "sillon-part 1\n", 14);
    for (const char *name = "a"; name != NULL; name = *name == 'a' ? "b" : NULL) {
        EXPECT_CODE(rig_begin_part(name, &part, &found), 0);
        EXPECT(found.resume == 0);
        EXPECT_CODE(part_head(part, 0, RIG_SIZE, "\"tag\"", ""), 0);
        EXPECT_CODE(rig_feed(part, rig_bytes, RIG_SIZE), 0);
        EXPECT_CODE(part_commit(part, -1, NULL), PART_GOOD);
        EXPECT(rig_holds(name, rig_bytes, RIG_SIZE));
    }
    EXPECT(rig_count() == 2);
    return 0;
}

/* --- the file has changed on the server ------------------------------------------------------ */

STORE_SCENARIO(changed_file_is_begun_anew)
{
    static char other[200000];
    struct part *part;
    struct store_found found;
    rig_fill(other, sizeof other, 99);
    struct digest expected = rig_digest(DIGEST_SHA256, other, sizeof other);
    EXPECT_CODE(rig_interrupted("a", HALF, "\"tag\"", ""), 0);
    EXPECT_CODE(part_begin(rig_store, "a", RIG_URL, &expected, false, &part, &found), 0);
    EXPECT(found.resume == HALF);
    EXPECT_CODE(part_head(part, 0, sizeof other, "\"new\"", ""), 0);
    EXPECT_CODE(rig_feed(part, other, sizeof other), 0);
    EXPECT_CODE(part_commit(part, -1, NULL), PART_GOOD);
    EXPECT(rig_holds("a", other, sizeof other) && rig_count() == 1);
    return 0;
}

STORE_SCENARIO(answer_of_another_file_is_refused)
{
    struct part *part;
    struct store_found found;
    EXPECT_CODE(rig_interrupted("a", HALF, "\"tag\"", ""), 0);
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT_CODE(part_head(part, HALF, RIG_SIZE, "\"new\"", ""), ESTALE);
    EXPECT_CODE(part_head(part, HALF, RIG_SIZE + 1, "\"tag\"", ""), ESTALE);
    EXPECT_CODE(part_head(part, HALF + 1, RIG_SIZE, "\"tag\"", ""), EINVAL);
    EXPECT_CODE(part_head(part, HALF, RIG_SIZE, "\"tag\"", ""), 0);
    part_abandon(part, true);
    EXPECT(resumable("a", RIG_URL) == HALF);
    return 0;
}

/* The head of a new file came, and no byte of it: what is there is of no use. */
STORE_SCENARIO(old_bytes_go_when_a_new_head_came)
{
    struct part *part;
    struct store_found found;
    EXPECT_CODE(rig_interrupted("a", HALF, "\"tag\"", ""), 0);
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT_CODE(part_head(part, 0, RIG_SIZE, "\"new\"", ""), 0);
    part_abandon(part, true);
    EXPECT(rig_count() == 0);
    return 0;
}

STORE_SCENARIO(second_try_in_one_run_goes_on)
{
    struct part *part;
    struct store_found found;
    struct digest expected = rig_digest(DIGEST_SHA256, rig_bytes, RIG_SIZE);
    EXPECT_CODE(part_begin(rig_store, "a", RIG_URL, &expected, false, &part, &found), 0);
    for (uint64_t from = 0; from < RIG_SIZE; from += 100000) {
        EXPECT_CODE(part_head(part, from, RIG_SIZE, "\"tag\"", ""), 0);
        EXPECT_CODE(rig_feed(part, rig_bytes + from, 100000), 0);
        EXPECT_CODE(part_settle(part), 0);
        EXPECT(part_size(part) == from + 100000);
    }
    EXPECT_CODE(part_head(part, 0, RIG_SIZE, "\"tag\"", ""), 0);
    EXPECT_CODE(rig_feed(part, rig_bytes, RIG_SIZE), 0);
    EXPECT_CODE(part_commit(part, -1, NULL), PART_GOOD);
    EXPECT(rig_holds("a", rig_bytes, RIG_SIZE) && rig_count() == 1);
    return 0;
}

/* --- two at a time --------------------------------------------------------------------------- */

STORE_SCENARIO(part_of_another_item_is_not_touched)
{
    struct part *part, *second;
    struct store_found found;
    EXPECT_CODE(rig_begin_part("a", &part, &found), 0);
    EXPECT_CODE(part_head(part, 0, RIG_SIZE, "\"tag\"", ""), 0);
    EXPECT_CODE(rig_begin_part("a", &second, &found), 0); /* there is no file yet */
    EXPECT_CODE(rig_feed(part, rig_bytes, HALF), 0);
    EXPECT_CODE(part_settle(part), 0);
    EXPECT_CODE(part_head(second, 0, 3, "", ""), 0);
    EXPECT_CODE(rig_feed(second, "abc", 3), 0);
    EXPECT_CODE(part_commit(second, -1, NULL), PART_NOT_WRITTEN);
    EXPECT_CODE(sil_error_code(sil_last_error()), EBUSY);
    EXPECT_CODE(rig_begin_part("a", &second, &found), EBUSY);
    EXPECT_CODE(rig_feed(part, rig_bytes + HALF, RIG_SIZE - HALF), 0);
    EXPECT_CODE(part_commit(part, -1, NULL), PART_GOOD);
    EXPECT(rig_holds("a", rig_bytes, RIG_SIZE));
    return 0;
}

static int begin_in_child(void *arg, void *result)
{
    (void)arg, (void)result;
    struct part *part;
    struct store_found found;
    rig_store = store_create(&rig_options, NULL);
    int code = rig_begin_part("a", &part, &found);
    if (code == 0)
        part_abandon(part, false);
    store_destroy(rig_store);
    return code;
}

static int run_child(void *arg)
{
    (void)arg;
    return sil_run(begin_in_child, NULL, 0, NULL, 0) == EBUSY ? 0 : 1;
}

static int interrupt_one(void *arg, void *result)
{
    (void)arg, (void)result;
    EXPECT(rig_open());
    EXPECT_CODE(rig_interrupted("a", HALF, "\"tag\"", ""), 0);
    rig_close();
    return 0;
}

static void test_part_of_another_run_is_not_touched(void **state)
{
    (void)state;
    run_scenario(interrupt_one);
    int fd = open(rig_path("a.part"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(child_run(run_child, NULL), 0);
    assert_true(rig_holds("a.part", rig_bytes, HALF));
    (void)close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(test_interrupted_file_is_gone_on_from),
        RIG_TEST(test_part_of_what_is_there_may_be_kept),
        RIG_TEST(test_what_was_found_says_how_to_ask),
        RIG_TEST(test_nothing_is_kept_without_a_strong_validator),
        RIG_TEST(test_small_file_is_begun_anew),
        RIG_TEST(test_damaged_meta_counts_as_none),
        RIG_TEST(test_part_that_is_too_long_is_begun_anew),
        RIG_TEST(test_leftovers_of_others_do_no_harm),
        RIG_TEST(test_changed_file_is_begun_anew),
        RIG_TEST(test_answer_of_another_file_is_refused),
        RIG_TEST(test_old_bytes_go_when_a_new_head_came),
        RIG_TEST(test_second_try_in_one_run_goes_on),
        RIG_TEST(test_part_of_another_item_is_not_touched),
        RIG_TEST(test_part_of_another_run_is_not_touched),
    };
    begin_scenarios();
    return test_run("resuming", tests);
}
