/* SPDX-License-Identifier: MIT */
/*
 * Usable CPUs, read from folders that look like /proc and /sys/fs/cgroup of real machines.
 */
#include "base/cpus.h"

#include <sched.h>
#include <sillon/thread_pool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/test.h"

#define V2_MOUNT "29 23 0:26 / /cg rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNTS                                                     \
    "30 23 0:27 / /cg/cpu rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n" \
    "31 23 0:28 / /cg/cpuset rw,nosuid - cgroup cgroup rw,cpuset\n"   \
    "32 23 0:29 / /tmp rw - tmpfs tmpfs rw,cpu\n"

static char root[64];

static void write_file(const char *path, const char *text)
{
    char whole[512];
    (void)snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static unsigned quota(void)
{
    char process[80];
    (void)snprintf(process, sizeof process, "%s/proc", root);
    return sil__cpus_quota(process, root);
}

static int make_root(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/sillon-test-cpus-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command); // NOLINT(cert-env33-c): a test's own folder
}

static void test_nothing_to_read_is_no_limit(void **state)
{
    (void)state;
    assert_int_equal(quota(), 0);
    write_file("/proc/cgroup", "");
    write_file("/proc/mountinfo", "garbage\n\n1 2 3\n");
    assert_int_equal(quota(), 0);
}

static void test_v2_quota_is_rounded_up(void **state)
{
    (void)state;
    write_file("/proc/cgroup", "0::/app.slice/job\n");
    write_file("/proc/mountinfo", V2_MOUNT);
    write_file("/cg/app.slice/job/cpu.max", "max 100000\n");
    assert_int_equal(quota(), 0);
    write_file("/cg/app.slice/job/cpu.max", "150000 100000\n");
    assert_int_equal(quota(), 2);
    write_file("/cg/app.slice/job/cpu.max", "200000 100000\n");
    assert_int_equal(quota(), 2);
    write_file("/cg/app.slice/job/cpu.max", "1000 100000\n");
    assert_int_equal(quota(), 1);
}

static void test_v2_the_strictest_parent_counts(void **state)
{
    (void)state;
    write_file("/proc/cgroup", "0::/a/b/c\n");
    write_file("/proc/mountinfo", V2_MOUNT);
    write_file("/cg/a/b/c/cpu.max", "800000 100000\n");
    write_file("/cg/a/cpu.max", "300000 100000\n");
    assert_int_equal(quota(), 3);
}

static void test_v2_in_a_container_that_sees_only_its_part(void **state)
{
    (void)state;
    write_file("/proc/cgroup", "0::/\n");
    write_file("/proc/mountinfo", V2_MOUNT);
    write_file("/cg/cpu.max", "400000 100000\n");
    assert_int_equal(quota(), 4);
    write_file("/proc/cgroup", "0::/docker/123\n");
    write_file("/proc/mountinfo", "29 23 0:26 /docker/123 /cg rw - cgroup2 cgroup2 rw\n");
    assert_int_equal(quota(), 4);
    write_file("/proc/cgroup", "0::/../elsewhere\n");
    assert_int_equal(quota(), 4);
}

static void test_v1_quota_of_the_cpu_controller(void **state)
{
    (void)state;
    write_file("/proc/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/job\n3:cpuacct2:/y\n");
    write_file("/proc/mountinfo", V1_MOUNTS);
    write_file("/cg/cpu/job/cpu.cfs_quota_us", "-1\n");
    write_file("/cg/cpu/job/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota(), 0);
    write_file("/cg/cpu/job/cpu.cfs_quota_us", "250000\n");
    assert_int_equal(quota(), 3);
    write_file("/cg/cpu/cpu.cfs_quota_us", "100000\n");
    write_file("/cg/cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota(), 1);
}

static void test_rubbish_in_the_files_limits_nothing(void **state)
{
    (void)state;
    write_file("/proc/cgroup", "0::/job\n");
    write_file("/proc/mountinfo", V2_MOUNT);
    static const char *const rubbish[] = {"", "\n", "0 0\n", "-5 100000\n", "5 -1\n", "x y\n"};
    for (size_t i = 0; i < COUNT_OF(rubbish); i++) {
        write_file("/cg/job/cpu.max", rubbish[i]);
        assert_int_equal(quota(), 0);
    }
}

static void test_count_follows_the_affinity(void **state)
{
    (void)state;
    cpu_set_t before;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_true(sil_process_cpu_count() >= 1);
    assert_true(sil_process_cpu_count() <= (unsigned)CPU_COUNT(&before));
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(sil_process_cpu_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        IN_ROOT(test_nothing_to_read_is_no_limit),
        IN_ROOT(test_v2_quota_is_rounded_up),
        IN_ROOT(test_v2_the_strictest_parent_counts),
        IN_ROOT(test_v2_in_a_container_that_sees_only_its_part),
        IN_ROOT(test_v1_quota_of_the_cpu_controller),
        IN_ROOT(test_rubbish_in_the_files_limits_nothing),
        TEST(test_count_follows_the_affinity),
    };
    return test_run("cpus", tests);
}
