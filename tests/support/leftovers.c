/* SPDX-License-Identifier: MIT */
/*
 * What is left of processes, as the kernel tells it.
 */
#include "support/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

bool leftovers_no_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

void leftovers_adopt(bool adopt)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, adopt ? 1L : 0L);
}

bool leftovers_collect(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    return leftovers_no_children();
}

unsigned leftovers_mappings(const char *text)
{
    unsigned count = 0;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, text) != NULL;
    if (maps != NULL)
        (void)fclose(maps);
    return count;
}

static unsigned files_in(const char *folder)
{
    unsigned count = 0;
    DIR *files = opendir(folder);
    if (files == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(files)) != NULL;)
        count += strstr(entry->d_name, "sillon") != NULL;
    (void)closedir(files);
    return count;
}

unsigned leftovers_files(void)
{
    return files_in("/dev/shm") + files_in("/tmp");
}
