/* SPDX-License-Identifier: MIT */
/*
 * The outputs of a run: what the options come to, and who may begin.
 *
 * Which way it is kept is decided once for the run. --save comes before all else; then, in objects
 * (--json) and in the order of the inputs (-k) whole outputs are kept even with --output=line, for both
 * need the end of the job; raw outputs are nobody's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sillon/error.h>

#include "map/outputs.h"

enum {
    AHEAD_PER_SLOT = 16, /**< without --window */
    SPARE_DESCRIPTORS = 64,
    DESCRIPTORS_PER_SLOT = 6, /**< of a job that runs: outputs, its process, and so on */
};
#define RESERVE ((uint64_t)16 << 20)

static enum keeping choose(const struct map_options *options, bool in_json)
{
    if (options->save != NULL)
        return KEEP_SAVED;
    if (in_json)
        return KEEP_WHOLE;
    if (options->output == OUTPUT_RAW)
        return KEEP_NOT;
    return options->output == OUTPUT_LINE && !options->keep_order ? KEEP_LINES : KEEP_WHOLE;
}

/* The folder, and those it lies in. @return its descriptor; -1 with errno. */
static int make_folder(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return -1;
    int error = 0;
    for (char *at = copy + 1; error == 0 && *copy != '\0'; at++) {
        char here = *at;
        if (here != '/' && here != '\0')
            continue;
        *at = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            error = errno;
        *at = here;
        if (here == '\0')
            break;
    }
    free(copy);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && error != 0)
        errno = error; /* why it is not there */
    return fd;
}

struct outputs *outputs_create(const struct map_options *options, struct screen *screen,
                               bool in_json)
{
    struct outputs *outputs = calloc(1, sizeof *outputs);
    const char *spill = getenv("TMPDIR");
    if (outputs == NULL)
        goto no_memory;
    *outputs = (struct outputs){
        .screen = screen,
        .keeping = choose(options, in_json),
        .budget = options->buffer,
        .reserve = RESERVE,
        .window = options->window,
        .spill = strdup(spill != NULL && *spill != '\0' ? spill : "/tmp"),
        .saved = -1,
        .order = {.turn = 1},
        .changed = sil_event_create("outputs"),
        .errors = sil_mutex_create("standard error"),
    };
    outputs->shown = outputs->keeping == KEEP_WHOLE && !in_json;
    outputs->ordered = outputs->shown && options->keep_order;
    outputs->last_end = &outputs->last;
    outputs_set_slots(outputs, 1);
    if (outputs->spill == NULL || outputs->changed == NULL || outputs->errors == NULL)
        goto no_memory;
    if (outputs->keeping == KEEP_SAVED && (outputs->saved = make_folder(options->save)) < 0) {
        int error = errno;
        (void)sil_fail(error, "cannot make the folder %s: %s", options->save, strerror(error));
        outputs_destroy(outputs);
        return NULL;
    }
    return outputs;

no_memory:
    (void)sil_fail(SIL_ENOMEM, "no memory for the jobs' outputs");
    outputs_destroy(outputs);
    return NULL;
}

void outputs_set_slots(struct outputs *outputs, size_t slots)
{
    uint64_t ahead = outputs->window != 0 ? outputs->window : AHEAD_PER_SLOT * (uint64_t)slots;
    /* Each that waits may hold two descriptors. */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        uint64_t taken = SPARE_DESCRIPTORS + DESCRIPTORS_PER_SLOT * (uint64_t)slots;
        uint64_t most = limit.rlim_cur > taken ? (limit.rlim_cur - taken) / 2 : 0;
        ahead = ahead < most ? ahead : most;
    }
    outputs->ahead = ahead > slots ? ahead : slots;
    outputs_changed(outputs);
}

void outputs_destroy(struct outputs *outputs)
{
    if (outputs == NULL)
        return;
    struct capture *capture;
    while ((capture = order_take(&outputs->order)) != NULL)
        capture_free(capture);
    while ((capture = outputs->last) != NULL) {
        outputs->last = capture->next;
        capture_free(capture);
    }
    order_fini(&outputs->order);
    if (outputs->saved >= 0)
        (void)close(outputs->saved);
    free(outputs->labelled[0]);
    free(outputs->labelled[1]);
    free(outputs->spill);
    sil_mutex_destroy(outputs->errors);
    sil_event_destroy(outputs->changed);
    free(outputs);
}

/* Whose turn it is never waits, or nobody's turn would come; and where nothing is open, nothing that
 * could be waited for will happen. */
static bool may_begin(const struct outputs *outputs, uint64_t seq)
{
    bool ordered = outputs->ordered && !outputs->order.given_up;
    if (ordered && seq <= outputs->order.turn)
        return true;
    if (ordered && seq - outputs->order.turn > outputs->ahead)
        return false;
    return outputs->open == 0 || !keep_is_short(outputs);
}

int outputs_admit(struct outputs *outputs, uint64_t seq)
{
    while (!outputs->stopped && !may_begin(outputs, seq)) {
        outputs->waiting++;
        (void)sil_event_clear(outputs->changed);
        int code = sil_event_wait(outputs->changed, SIL_FOREVER);
        outputs->waiting--;
        if (code != 0)
            return code;
    }
    if (outputs->stopped)
        return sil_fail(SIL_ECANCELLED, "no more jobs are begun");
    return outputs->ordered ? order_reserve(&outputs->order, seq) : 0;
}

void outputs_changed(struct outputs *outputs)
{
    if (outputs->waiting > 0)
        (void)sil_event_set(outputs->changed);
}

void outputs_stop(struct outputs *outputs)
{
    outputs->stopped = true;
    outputs_changed(outputs);
}

void outputs_flush(struct outputs *outputs)
{
    struct capture *capture;
    /* From now on as they come: numbers between may be missing for ever. */
    outputs->order.given_up = true;
    while ((capture = order_take(&outputs->order)) != NULL)
        (void)capture_write(capture);
    while ((capture = outputs->last) != NULL) {
        outputs->last = capture->next;
        if (outputs->last == NULL)
            outputs->last_end = &outputs->last;
        (void)capture_write(capture);
    }
}

void outputs_skip(struct outputs *outputs, uint64_t seq)
{
    if (outputs->ordered)
        order_skip(outputs, seq);
}
