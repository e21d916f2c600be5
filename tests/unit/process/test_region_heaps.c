/* SPDX-License-Identifier: MIT */
/*
 * Heaps: how one process tells another of them, and what the other refuses.
 */
#include "process/region.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/shared.h>

#include "support/child.h"
#include "support/self.h"
#include "support/test.h"

/* Lines of our address map that are regions. */
static unsigned mappings(void)
{
    char line[512];
    unsigned count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof line, maps))
        count += strstr(line, "memfd:sillon") != NULL;
    if (maps)
        (void)fclose(maps);
    return count;
}

static void *asked_for(size_t size)
{
    static max_align_t blocks[100];
    return size <= sizeof blocks ? blocks : NULL;
}

static void *given;

static void give(void *block)
{
    given = block;
}

static const struct sil__region_hooks hooks = {asked_for, give};

/* --- telling ------------------------------------------------------------------------------- */

struct talk {
    int ends[2];
    unsigned char *block;
};

static void talk_open(struct talk *talk)
{
    memset(talk, 0, sizeof *talk);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk->ends), 0);
}

static void talk_close(struct talk *talk)
{
    for (int i = 0; i < 2; i++)
        if (talk->ends[i] >= 0)
            assert_int_equal(close(talk->ends[i]), 0);
}

/* Forked before there was a heap, it knows only what it is told. */
static int receive_in_child(void *arg)
{
    struct talk *talk = arg;
    unsigned descriptors = self_descriptors();
    CHECK(mappings() == 0);
    CHECK(read(talk->ends[1], &talk->block, sizeof talk->block) == (ssize_t)sizeof talk->block);
    CHECK(sil__heaps_receive(talk->ends[1]) == 0);
    CHECK(mappings() == 1);
    CHECK(self_descriptors() == descriptors + 1);
    CHECK(talk->block[0] == 17);
    talk->block[0] = 18;
    CHECK(sil__heaps_receive(talk->ends[1]) == 0); /* told again */
    CHECK(mappings() == 1);
    CHECK(self_descriptors() == descriptors + 1);

    sil__heap_hooks(&hooks);
    CHECK(sil_shared_alloc(100) == asked_for(1));
    sil_shared_free(talk->block);
    CHECK(given == talk->block);

    sil__heap_hooks(NULL);
    void *own = sil_shared_alloc(100);
    CHECK(own && mappings() == 2);
    CHECK(sil__heaps_send(talk->ends[1]) == 0); /* both */
    sil_shared_free(own);
    return 0;
}

static void test_heaps_are_told_to_another_process(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(TEST_PATIENCE / 3);
        _exit(receive_in_child(&talk));
    }
    unsigned char *block = sil_shared_alloc(5000);
    block[0] = 17;
    assert_int_equal(write(talk.ends[0], &block, sizeof block), sizeof block);
    assert_code(sil__heaps_send(talk.ends[0]), 0);
    assert_code(sil__heaps_send(talk.ends[0]), 0);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(block[0], 18);
    sil_shared_free(block);
    talk_close(&talk);
}

static int receive_both(void *arg)
{
    struct talk *talk = arg;
    CHECK(sil__heaps_receive(talk->ends[1]) == 0);
    CHECK(mappings() == 2);
    return talk->block[0] == 19 ? 0 : 1;
}

/* A worker's worker: told of the worker's heap, and of the program's, which it has by fork. */
static int tell_of_both(void *arg)
{
    struct talk *talk = arg;
    struct sil__region *own = sil__heap_hold();
    CHECK(own);
    CHECK(mappings() == 2);
    CHECK(sil__heaps_send(talk->ends[0]) == 0);
    return 0;
}

static void test_attached_heaps_are_told_too(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    talk.block = sil_shared_alloc(100);
    talk.block[0] = 19;
    assert_int_equal(child_run(tell_of_both, &talk), 0);
    assert_int_equal(child_run(receive_both, &talk), 0);
    sil_shared_free(talk.block);
    talk_close(&talk);
}

static int address_is_taken(void *arg)
{
    struct talk *talk = arg;
    unsigned descriptors = self_descriptors();
    CHECK(sil__heaps_receive(talk->ends[1]) == SIL_EAGAIN);
    CHECK(sil_error_code(sil_last_error()) == SIL_EAGAIN);
    CHECK(self_descriptors() == descriptors);
    return 0;
}

/* It is told of a heap it had and let go, where something else is now. */
static int send_and_see_it_refused(void *arg)
{
    struct talk *talk = arg;
    struct sil__region *own = sil__heap_hold();
    CHECK(own && sil__heaps_send(talk->ends[0]) == 0);
    void *base = sil__region_base(own);
    size_t size = sil__region_size(own);
    sil__region_release(own);
    CHECK(mmap((char *)base + size - 4096, 4096, PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
    return address_is_taken(talk);
}

static void test_taken_address_is_reported(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    assert_int_equal(child_run(send_and_see_it_refused, &talk), 0);
    talk_close(&talk);
}

/* --- garbage ------------------------------------------------------------------------------- */

/* What a heap's message looks like, written by hand. */
struct forged {
    uint64_t magic;
    uint64_t count;
    uint64_t places[6];
};

#define MAGIC UINT64_C(0x7061656873206c69)

/* Where nothing is, and something may be. */
#ifdef TEST_TSAN
#define ADDRESS UINT64_C(0x7e9000000000)
#else
#define ADDRESS UINT64_C(0x300000000000)
#endif

static void send_forged(int socket, const void *bytes, size_t size, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        unsigned char bytes[CMSG_SPACE(100 * sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)bytes, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof *fds);
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(count * sizeof *fds);
        memcpy(CMSG_DATA(&control.align), fds, count * sizeof *fds);
    }
    assert_int_equal(sendmsg(socket, &header, MSG_NOSIGNAL), size);
}

static void test_garbage_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    int file = memfd_create("a file", MFD_CLOEXEC);
    assert_int_equal(ftruncate(file, 8192), 0);
    int fds[100];
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = file;
    fds[99] = talk.ends[0];
    static const struct {
        struct forged message;
        size_t size;
        size_t fds;
        int code;
    } garbage[] = {
        {{0}, 1, 0, SIL_EBROKEN},
        {{0}, 16, 1, SIL_EBROKEN},
        {{MAGIC, 1, {ADDRESS, 4096}}, 32, 0, SIL_EBROKEN},
        {{MAGIC, 1, {ADDRESS, 4096}}, 32, 2, SIL_EBROKEN},
        {{MAGIC, 1, {ADDRESS, 4096}}, 31, 1, SIL_EBROKEN},
        {{MAGIC, 2, {ADDRESS, 4096}}, 32, 1, SIL_EBROKEN},
        {{MAGIC, UINT64_MAX, {ADDRESS, 4096}}, 32, 1, SIL_EBROKEN},
        {{MAGIC, 1, {ADDRESS, 12288}}, 32, 1, SIL_EBROKEN}, /* the file is shorter */
        {{MAGIC, 1, {ADDRESS, 100}}, 32, 1, SIL_EBROKEN},   /* no pages */
        {{MAGIC, 1, {ADDRESS + 8, 4096}}, 32, 1, SIL_EBROKEN},
        {{MAGIC, 1, {0, 4096}}, 32, 1, SIL_EBROKEN},
        {{MAGIC, 1, {UINT64_MAX - 4095, 4096}}, 32, 1, SIL_EBROKEN},
        {{MAGIC, 2, {ADDRESS, 65536, ADDRESS, 4096}}, 48, 2, SIL_EBROKEN},
        {{MAGIC, 2, {ADDRESS, 4096, ADDRESS, 8192}}, 48, 2, SIL_EAGAIN}, /* over one another */
        {{MAGIC, 1, {ADDRESS, 4096}}, 32, 80, SIL_ENOMEM}, /* more than a message may bring */
    };
    unsigned descriptors = self_descriptors();
    for (size_t i = 0; i < COUNT_OF(garbage); i++) {
        send_forged(talk.ends[0], &garbage[i].message, garbage[i].size, fds, garbage[i].fds);
        assert_code(sil__heaps_receive(talk.ends[1]), garbage[i].code);
        assert_code(sil_error_code(sil_last_error()), garbage[i].code);
        assert_int_equal(self_descriptors(), descriptors);
        assert_int_equal(mappings(), 0);
    }
    struct forged socket_as_file = {MAGIC, 1, {ADDRESS, 4096}};
    send_forged(talk.ends[0], &socket_as_file, 32, &fds[99], 1);
    assert_code(sil__heaps_receive(talk.ends[1]), SIL_EBROKEN);
    assert_int_equal(self_descriptors(), descriptors);
    assert_int_equal(close(file), 0);
    talk_close(&talk);
}

static void test_broken_socket_is_reported(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    assert_int_equal(close(talk.ends[1]), 0);
    talk.ends[1] = -1;
    assert_code(sil__heaps_send(talk.ends[0]), SIL_EBROKEN);
    assert_code(sil__heaps_receive(talk.ends[0]), SIL_EBROKEN);
    assert_code(sil__heaps_receive(-1), SIL_EBROKEN);
    assert_int_equal(mappings(), 0);
    talk_close(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_heaps_are_told_to_another_process), TEST(test_attached_heaps_are_told_too),
        TEST(test_taken_address_is_reported),         TEST(test_garbage_is_refused),
        TEST(test_broken_socket_is_reported),
    };
    return test_run("region heaps", tests);
}
