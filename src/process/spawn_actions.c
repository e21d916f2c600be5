/* SPDX-License-Identifier: MIT */
/*
 * The actions of a new process, see spawn_actions.h. They run one after the other:
 *
 * 1. The socket and the standard descriptors go to numbers that nobody needs, then to their own:
 *    any of them may have a number that another one is to get.
 * 2. What is to stay is packed right behind the standard descriptors, all above is closed in one
 *    call, and it is unpacked. Each was copied by then, if only to itself: copies survive exec.
 *
 * Without a call that closes all, those are closed that are open now; what another thread opens
 * meanwhile without O_CLOEXEC stays open.
 */
#include "process/spawn_actions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"

#define STANDARD 3 /* descriptors 0, 1 and 2 */
#define MOVES (STANDARD + 1)

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
#define HAVE_CLOSEFROM 1
#endif
#endif

struct move {
    int from;
    int to;
};

struct plan {
    posix_spawn_file_actions_t *actions;
    const struct sil__spawn *spawn;
    int socket;
    struct move moves[MOVES];
    int move_count;
    int *kept; /* ascending, the socket's new number among them */
    int kept_count;
};

static bool listed(const int *numbers, size_t count, int number)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

int sil__spawn_socket(const struct sil__spawn *spawn)
{
    int number = STANDARD;
    while (listed(spawn->descriptors, spawn->descriptor_count, number))
        number++;
    return number;
}

static int compare(const void *a, const void *b)
{
    int left = *(const int *)a;
    int right = *(const int *)b;
    return (left > right) - (left < right);
}

static int list_kept(struct plan *plan)
{
    const struct sil__spawn *spawn = plan->spawn;
    plan->kept = sil__alloc_array(spawn->descriptor_count + 1, sizeof *plan->kept);
    if (!plan->kept)
        return ENOMEM;
    plan->kept[plan->kept_count++] = plan->socket;
    for (size_t i = 0; i < spawn->descriptor_count; i++) {
        int number = spawn->descriptors[i];
        if (number < 0)
            return EBADF;
        if (number >= STANDARD && !listed(plan->kept, (size_t)plan->kept_count, number))
            plan->kept[plan->kept_count++] = number;
    }
    qsort(plan->kept, (size_t)plan->kept_count, sizeof *plan->kept, compare);
    return 0;
}

static void list_moves(struct plan *plan)
{
    plan->moves[plan->move_count++] = (struct move){plan->spawn->socket, plan->socket};
    for (int i = 0; i < STANDARD; i++)
        if (plan->spawn->standard[i] >= 0)
            plan->moves[plan->move_count++] = (struct move){plan->spawn->standard[i], i};
}

static bool is_needed(const struct plan *plan, int number)
{
    for (int i = 0; i < plan->move_count; i++)
        if (plan->moves[i].from == number)
            return true;
    return number < STANDARD || listed(plan->kept, (size_t)plan->kept_count, number);
}

/* 1. */
static int add_moves(const struct plan *plan)
{
    int error = 0;
    int free_numbers[MOVES];
    for (int i = 0, next = STANDARD; !error && i < plan->move_count; i++, next++) {
        while (is_needed(plan, next))
            next++;
        free_numbers[i] = next;
        error = posix_spawn_file_actions_adddup2(plan->actions, plan->moves[i].from, next);
    }
    for (int i = 0; !error && i < plan->move_count; i++)
        error = posix_spawn_file_actions_adddup2(plan->actions, free_numbers[i], plan->moves[i].to);
    return error;
}

#ifdef HAVE_CLOSEFROM

/* 2. Ascending, for what is packed goes down and nothing lies in its way; then descending. */
static int add_closes(const struct plan *plan)
{
    int error = 0;
    int count = plan->kept_count;
    for (int i = 0; !error && i < count; i++)
        if (plan->kept[i] != STANDARD + i)
            error = posix_spawn_file_actions_adddup2(plan->actions, plan->kept[i], STANDARD + i);
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(plan->actions, STANDARD + count);
    for (int i = count - 1; !error && i >= 0; i--)
        error = posix_spawn_file_actions_adddup2(plan->actions, STANDARD + i, plan->kept[i]);
    for (int i = 0; !error && i < count; i++)
        if (!listed(plan->kept, (size_t)count, STANDARD + i))
            error = posix_spawn_file_actions_addclose(plan->actions, STANDARD + i);
    return error;
}

#else

/* 2., one by one. */
static int add_closes(const struct plan *plan)
{
    DIR *open_ones = opendir("/proc/self/fd");
    if (!open_ones)
        return errno;
    int error = 0;
    const struct dirent *entry;
    while (!error && (entry = readdir(open_ones)) != NULL) {
        int number = (int)strtol(entry->d_name, NULL, 10); /* "." counts as 0 */
        if (number >= STANDARD && !listed(plan->kept, (size_t)plan->kept_count, number))
            error = posix_spawn_file_actions_addclose(plan->actions, number);
    }
    (void)closedir(open_ones);
    for (int i = 0, next = STANDARD; !error && i < plan->move_count; i++, next++) {
        while (is_needed(plan, next))
            next++;
        error = posix_spawn_file_actions_addclose(plan->actions, next);
    }
    for (int i = 0; !error && i < plan->kept_count; i++)
        error = posix_spawn_file_actions_adddup2(plan->actions, plan->kept[i], plan->kept[i]);
    return error;
}

#endif

int sil__spawn_actions(posix_spawn_file_actions_t *actions, const struct sil__spawn *spawn)
{
    struct plan plan = {.actions = actions, .spawn = spawn, .socket = sil__spawn_socket(spawn)};
    int error = list_kept(&plan);
    list_moves(&plan);
    if (!error)
        error = add_moves(&plan);
    if (!error && spawn->no_input)
        error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error && spawn->directory)
        error = posix_spawn_file_actions_addchdir_np(actions, spawn->directory);
    if (!error)
        error = add_closes(&plan);
    sil__free(plan.kept);
    return error;
}
