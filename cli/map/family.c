/* SPDX-License-Identifier: MIT */
/*
 * All processes of a run, see family.h: the table of groups, and the guardian's birth and end. How the
 * others are found is kin.c's.
 */
#include "map/family.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "map/guardian.h"
#include "map/kin.h"

enum {
    OWN = 4, /* words of ours in a job's environment */
    TEXT = 32,
};

struct family {
    _Atomic pid_t *leaders; /* of slots 1, 2 ...; shared with the guardian */
    size_t slots;
    pid_t guardian; /* 0: somebody has killed it */
    int pipe;
    char word[48];
    char own[OWN - 1][TEXT];

    /* Room for a job's environment: ours first, inherited ones, one for each of more, NULL. */
    const char **environment;
    size_t room;
};

/* --- the environment ----------------------------------------------------------------------- */

static bool has_name_of(const char *entry, const char *other)
{
    size_t size = strcspn(other, "=");
    return strncmp(entry, other, size) == 0 && entry[size] == '=';
}

static bool is_replaced(const char *entry, const char *const *own, const char *const *more)
{
    if (strncmp(entry, "SILLON_", strlen("SILLON_")) == 0)
        for (size_t i = 0; i < OWN; i++)
            if (has_name_of(entry, own[i]))
                return true;
    for (; more != NULL && *more != NULL; more++)
        if (has_name_of(entry, *more))
            return true;
    return false;
}

static bool make_room(struct family *family, const char *const *more)
{
    size_t wanted = OWN + 1;
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        wanted++;
    for (; more != NULL && *more != NULL; more++)
        wanted++;
    if (wanted <= family->room)
        return true;
    const char **grown = realloc(family->environment, wanted * sizeof(*grown));
    if (grown == NULL)
        return false;
    family->environment = grown;
    family->room = wanted;
    return true;
}

const char *const *family_environment(struct family *family, uint64_t seq, unsigned slot,
                                      unsigned attempt, const char *const *more)
{
    if (!make_room(family, more))
        return NULL;
    const char **to = family->environment;
    (void)snprintf(family->own[0], TEXT, "SILLON_SEQ=%" PRIu64, seq);
    (void)snprintf(family->own[1], TEXT, "SILLON_SLOT=%u", slot);
    (void)snprintf(family->own[2], TEXT, "SILLON_TRY=%u", attempt);
    *to++ = family->word; /* first, where it is found soonest */
    for (size_t i = 0; i < OWN - 1; i++)
        *to++ = family->own[i];
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (!is_replaced(*entry, family->environment, more))
            *to++ = *entry;
    for (; more != NULL && *more != NULL; more++)
        *to++ = *more;
    *to = NULL;
    return family->environment;
}

/* --- the guardian -------------------------------------------------------------------------- */

static void name_run(struct family *family)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random)) {
        struct timespec time; /* together with our number: no other run has that, either */
        (void)clock_gettime(CLOCK_BOOTTIME, &time);
        random = (uint64_t)time.tv_sec << 30 ^ (uint64_t)time.tv_nsec;
    }
    (void)snprintf(family->word, sizeof(family->word), "SILLON_RUN=%d-%016" PRIx64, (int)getpid(),
                   random);
}

static int fork_guardian(struct family *family)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    sigset_t all;
    sigset_t former;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &former);
    family->guardian = fork();
    if (family->guardian == 0)
        guardian_main(&(struct guardian_plan){
            .word = family->word,
            .leaders = family->leaders,
            .count = family->slots,
            .pipe = ends[0],
        });
    int error = errno;
    (void)sigprocmask(SIG_SETMASK, &former, NULL);
    (void)close(ends[0]);
    family->pipe = ends[1];
    if (family->guardian > 0)
        return 0;
    (void)close(ends[1]);
    errno = error;
    return -1;
}

struct family *family_create(size_t slots)
{
    struct family *family = calloc(1, sizeof(*family));
    if (family == NULL)
        return NULL;
    family->slots = slots;
    name_run(family);
    int error;
    void *table = mmap(NULL, slots * sizeof(*family->leaders), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED) {
        error = errno;
        goto fail_table;
    }
    family->leaders = table;
    if (fork_guardian(family) != 0) {
        error = errno;
        goto fail_guardian;
    }
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    return family;
fail_guardian:
    (void)munmap(table, slots * sizeof(*family->leaders));
fail_table:
    free(family);
    errno = error;
    return NULL;
}

void family_destroy(struct family *family)
{
    if (family == NULL)
        return;
    family_reap(family);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    /* It has the other end as long as it lives; if it does not, SIGPIPE must not end us. */
    if (family->guardian > 0) {
        sigset_t set;
        sigset_t former;
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGPIPE);
        (void)sigprocmask(SIG_BLOCK, &set, &former);
        if (write(family->pipe, "", 1) < 0)
            (void)sigtimedwait(&set, NULL, &(struct timespec){0});
        (void)sigprocmask(SIG_SETMASK, &former, NULL);
        while (waitpid(family->guardian, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    (void)close(family->pipe);
    (void)munmap(family->leaders, family->slots * sizeof(*family->leaders));
    free(family->environment);
    free(family);
}

/* --- signals ------------------------------------------------------------------------------- */

const char *family_word(const struct family *family)
{
    return family->word;
}

void family_set(struct family *family, unsigned slot, pid_t leader)
{
    if (slot >= 1 && slot <= family->slots)
        family->leaders[slot - 1] = leader;
}

size_t family_signal(struct family *family, int signal)
{
    size_t count = 0;
    for (size_t i = 0; i < family->slots; i++) {
        pid_t leader = family->leaders[i];
        if (leader <= 0)
            continue;
        count++;
        if (signal != 0)
            kin_signal_group(leader, signal);
    }
    return count;
}

size_t family_signal_all(struct family *family, unsigned slot, uint64_t seq, int signal)
{
    pid_t leader = 0;
    if (slot == 0)
        (void)family_signal(family, signal);
    else if (slot <= family->slots)
        leader = family->leaders[slot - 1];
    if (leader > 0 && signal != 0)
        kin_signal_group(leader, signal);
    return kin_signal(&(struct kin_search){
        .word = family->word,
        .seq = seq,
        .leaders = family->leaders,
        .count = family->slots,
        .root = seq != 0 ? leader : getpid(),
        .except = family->guardian,
        .signal = signal,
    });
}

size_t family_ask(struct family *family, uint64_t seq, int signal, struct kin_asked *asked)
{
    return kin_signal(&(struct kin_search){
        .word = family->word,
        .seq = seq,
        .leaders = family->leaders,
        .count = family->slots,
        .except = family->guardian,
        .signal = signal,
        .asked = asked,
    });
}

/* --- orphans ------------------------------------------------------------------------------- */

static bool is_leader(const struct family *family, pid_t pid)
{
    for (size_t i = 0; i < family->slots; i++)
        if (family->leaders[i] == pid)
            return true;
    return false;
}

/* A leader that is about to be waited for by who started it hides those behind it: they are taken at
 * the next call. */
void family_reap(struct family *family)
{
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0 ||
            is_leader(family, info.si_pid))
            return;
        if (info.si_pid == family->guardian)
            family->guardian = 0;
        if (waitpid(info.si_pid, NULL, WNOHANG) != info.si_pid)
            return;
    }
}
