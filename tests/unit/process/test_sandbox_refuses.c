/* SPDX-License-Identifier: MIT */
/*
 * The sandboxes, each entered in a child: what they refuse, and what READ_ONLY still reads.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__
#include <asm/prctl.h>
#endif

#include "process/limits.h"
#include "support/child.h"
#include "support/test.h"

/* The call by its number fails with that error. */
#define FAILS(error, ...) (errno = 0, syscall(__VA_ARGS__) == -1 && errno == (error))
#define DENIED(...) FAILS(EPERM, __VA_ARGS__)

static char folder[64];
static char file[80];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/sillon-test-sandbox-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(file, sizeof file, "%s/file", folder);
    FILE *stream = fopen(file, "w");
    return stream && fputs("hello\n", stream) >= 0 && fclose(stream) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return unlink(file) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void run_in_child(int (*fn)(void *arg), void *arg, int expected)
{
    if (!sil__sandbox_supported())
        skip();
    assert_int_equal(child_run(fn, arg), expected);
}

/* --- what both refuse ---------------------------------------------------------------------- */

static int refuse_descriptors(void *arg)
{
    struct sockaddr address = {.sa_family = AF_UNIX};
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    CHECK(sil__sandbox_enter(*(sil_sandbox *)arg) == 0);
    CHECK(DENIED(SYS_socket, AF_INET, SOCK_STREAM, 0));
    CHECK(DENIED(SYS_connect, pair[0], &address, sizeof address));
    CHECK(DENIED(SYS_sendto, pair[0], "x", 1, 0, &address, sizeof address));
    CHECK(DENIED(SYS_sendmsg, pair[0], NULL, 0));
    CHECK(DENIED(SYS_io_uring_setup, 1, NULL));
    CHECK(DENIED(SYS_memfd_create, "x", 0));
    CHECK(DENIED(SYS_userfaultfd, 0));
    CHECK(DENIED(SYS_pidfd_open, getpid(), 0));
    CHECK(DENIED(SYS_ftruncate, pair[0], 0L));
    CHECK(DENIED(SYS_ioctl, pair[0], TIOCSTI, "x"));
    CHECK(DENIED(SYS_ioctl, pair[0], (uint64_t)TIOCSTI | (uint64_t)1 << 32, "x"));
    CHECK(DENIED(SYS_fcntl, pair[0], F_SETFL, O_NONBLOCK));
    CHECK(DENIED(SYS_fcntl, pair[0], F_SETOWN, getppid()));
    return 0;
}

static int refuse_processes(void *arg)
{
    char *const arguments[] = {(char *)"/bin/true", NULL};
    const struct rlimit limit = {1, 1};
    struct rlimit old;
    CHECK(sil__sandbox_enter(*(sil_sandbox *)arg) == 0);
    CHECK(DENIED(SYS_execve, arguments[0], arguments, arguments + 1));
    CHECK(DENIED(SYS_execveat, AT_FDCWD, arguments[0], arguments, arguments + 1, 0));
    CHECK(DENIED(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
    CHECK(DENIED(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL));
    CHECK(FAILS(ENOSYS, SYS_clone3, NULL, 0L));
    CHECK(DENIED(SYS_unshare, CLONE_NEWUSER));
    CHECK(DENIED(SYS_kill, getpid(), 0));
    CHECK(DENIED(SYS_kill, getppid(), SIGTERM));
    CHECK(DENIED(SYS_kill, -1, 0));
    CHECK(DENIED(SYS_tgkill, getppid(), getppid(), 0));
    CHECK(DENIED(SYS_tkill, getppid(), 0));
    CHECK(DENIED(SYS_rt_sigqueueinfo, getppid(), SIGTERM, NULL));
    CHECK(DENIED(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL));
    CHECK(DENIED(SYS_process_vm_readv, getppid(), NULL, 0L, NULL, 0L, 0L));
    CHECK(DENIED(SYS_prlimit64, getppid(), RLIMIT_CPU, &limit, NULL));
    CHECK(DENIED(SYS_prlimit64, getppid(), RLIMIT_CPU, NULL, &old));
    CHECK(DENIED(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL));
    CHECK(DENIED(SYS_setpriority, PRIO_PROCESS, getppid(), 19));
    CHECK(DENIED(SYS_sched_setaffinity, 0, 0L, NULL));
#ifdef SYS_fork
    CHECK(DENIED(SYS_fork));
    CHECK(DENIED(SYS_vfork));
#endif
    return 0;
}

static int refuse_system(void *arg)
{
    CHECK(sil__sandbox_enter(*(sil_sandbox *)arg) == 0);
    CHECK(DENIED(SYS_bpf, 0, NULL, 0));
    CHECK(DENIED(SYS_mount, "x", "/", "tmpfs", 0L, NULL));
    CHECK(DENIED(SYS_personality, 0xffffffffL));
    CHECK(DENIED(SYS_shmget, 0, 4096L, 0600));
    CHECK(DENIED(SYS_mq_open, "/x", O_RDONLY, 0, NULL));
    CHECK(DENIED(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0));
    CHECK(DENIED(SYS_seccomp, 0, 0, NULL));
    CHECK(DENIED(SYS_setuid, 0));
    CHECK(DENIED(SYS_reboot, 0, 0, 0, NULL));
    /* What there is not yet must look like that. */
    CHECK(FAILS(ENOSYS, 600L));
#ifdef __x86_64__
    CHECK(DENIED(SYS_arch_prctl, ARCH_SET_GS, 0L));
    CHECK(DENIED(0x40000000L + SYS_getpid)); /* x32 */
    CHECK(DENIED(-1L));
#endif
    return 0;
}

static void test_both_refuse_what_reaches_out(void **state)
{
    (void)state;
    static sil_sandbox sandboxes[] = {SIL_SANDBOX_COMPUTE, SIL_SANDBOX_READ_ONLY};
    for (size_t i = 0; i < COUNT_OF(sandboxes); i++) {
        run_in_child(refuse_descriptors, &sandboxes[i], 0);
        run_in_child(refuse_processes, &sandboxes[i], 0);
        run_in_child(refuse_system, &sandboxes[i], 0);
    }
}

#ifdef __x86_64__
/* The old way into the kernel, where calls have the numbers of i386: 20 is getpid. */
static int call_as_i386(void *arg)
{
    (void)arg;
    long result = 20;
    const struct rlimit none = {0};
    CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
    (void)signal(SIGSEGV, SIG_DFL);
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return (int)result == -EPERM ? 0 : 1;
}

static void test_calls_of_another_architecture_are_refused(void **state)
{
    (void)state;
    if (!sil__sandbox_supported())
        skip();
    int ended = child_run(call_as_i386, NULL);
    assert_true(ended == 0 || ended == -SIGSEGV); /* kernels without it have a trap there */
}
#endif

/* --- files --------------------------------------------------------------------------------- */

static int compute_refuses_files(void *arg)
{
    (void)arg;
    struct stat status;
    CHECK(sil__sandbox_enter(SIL_SANDBOX_COMPUTE) == 0);
    CHECK(open(file, O_RDONLY) == -1 && errno == EPERM);
    CHECK(DENIED(SYS_openat, AT_FDCWD, file, O_RDONLY));
    CHECK(DENIED(SYS_openat2, AT_FDCWD, file, NULL, 0L));
    CHECK(stat(file, &status) == -1 && errno == EPERM);
    CHECK(access(file, R_OK) == -1 && errno == EPERM);
    CHECK(unlink(file) == -1 && errno == EPERM);
    CHECK(!opendir(folder) && errno == EPERM);
    CHECK(DENIED(SYS_chdir, "/"));
    return 0;
}

static void test_compute_refuses_files(void **state)
{
    (void)state;
    run_in_child(compute_refuses_files, NULL, 0);
}

static int read_only_reads(void *arg)
{
    (void)arg;
    char text[16] = "";
    struct stat status;
    CHECK(sil__sandbox_enter(SIL_SANDBOX_READ_ONLY) == 0);
    FILE *stream = fopen(file, "re");
    CHECK(stream);
    CHECK(fgets(text, sizeof text, stream) && strcmp(text, "hello\n") == 0);
    CHECK(fstat(fileno(stream), &status) == 0 && status.st_size == 6);
    const char *map = mmap(NULL, 6, PROT_READ, MAP_PRIVATE, fileno(stream), 0);
    CHECK(map != MAP_FAILED && memcmp(map, "hello", 5) == 0);
    CHECK(fclose(stream) == 0);
    CHECK(stat(file, &status) == 0 && lstat(file, &status) == 0);
    CHECK(access(file, R_OK) == 0 && access("/none/such", F_OK) == -1 && errno == ENOENT);
    CHECK(faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) == 0);
    CHECK(readlink("/proc/self/exe", text, sizeof text) > 0);
    CHECK(getcwd(text, 0) == NULL && errno == EINVAL);
    DIR *list = opendir(folder);
    CHECK(list);
    unsigned entries = 0;
    while (readdir(list))
        entries++;
    CHECK(closedir(list) == 0);
    CHECK(entries == 3);
    return 0;
}

static void test_read_only_reads(void **state)
{
    (void)state;
    run_in_child(read_only_reads, NULL, 0);
}

static int read_only_refuses_to_write(void *arg)
{
    (void)arg;
    static const int flags[] = {O_WRONLY,
                                O_RDWR,
                                O_RDONLY | O_CREAT,
                                O_RDONLY | O_TRUNC,
                                O_RDONLY | O_APPEND,
                                O_ACCMODE,
                                O_RDWR | O_TMPFILE,
                                O_TMPFILE};
    char other[100];
    (void)snprintf(other, sizeof other, "%s-2", file);
    CHECK(sil__sandbox_enter(SIL_SANDBOX_READ_ONLY) == 0);
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        CHECK(DENIED(SYS_openat, AT_FDCWD, file, flags[i], 0600));
        CHECK(open(file, flags[i], 0600) == -1 && errno == EPERM);
    }
    CHECK(FAILS(ENOSYS, SYS_openat2, AT_FDCWD, file, NULL, 0L));
    CHECK(unlink(file) == -1 && errno == EPERM);
    CHECK(rename(file, other) == -1 && errno == EPERM);
    CHECK(link(file, other) == -1 && errno == EPERM);
    CHECK(symlink(file, other) == -1 && errno == EPERM);
    CHECK(mkdir(other, 0700) == -1 && errno == EPERM);
    CHECK(chmod(file, 0700) == -1 && errno == EPERM);
    CHECK(truncate(file, 0) == -1 && errno == EPERM);
    CHECK(mkfifo(other, 0700) == -1 && errno == EPERM);
    CHECK(utimensat(AT_FDCWD, file, NULL, 0) == -1 && errno == EPERM);
    return 0;
}

static void test_read_only_refuses_to_write(void **state)
{
    (void)state;
    run_in_child(read_only_refuses_to_write, NULL, 0);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_both_refuse_what_reaches_out),
#ifdef __x86_64__
        TEST(test_calls_of_another_architecture_are_refused),
#endif
        IN_FOLDER(test_compute_refuses_files),
        IN_FOLDER(test_read_only_reads),
        IN_FOLDER(test_read_only_refuses_to_write),
    };
    return test_run("sandbox_refuses", tests);
}
