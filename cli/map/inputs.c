/* SPDX-License-Identifier: MIT */
/*
 * The inputs of map, see inputs.h. The groups of linked sources (sources.h) turn like the wheels of
 * a counter: when the last has gone round, the one before it moves on by one.
 */
#include "map/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/status.h>

#include "command.h"
#include "map/blocks.h"
#include "map/row.h"
#include "map/sources.h"

struct inputs {
    const struct map_options *options;
    struct sources sources;
    struct blocks *blocks;      /* instead, with --pipe */
    const struct row **present; /* a row of each group */
    struct row *names;          /* of all columns */
    bool names_read;
    bool begun; /* the groups stand at a combination */
    bool stopped;
    uint64_t skipped, given;
    int end; /* what inputs_next returns from now on; 0: it goes on */
    struct row *unread;
    struct row **shuffled; /* --shuf: what is still to be given, from its end */
    size_t shuffled_count;
    bool gathered; /* for --shuf: all was read */
    char *error;
};

/* --- opening -------------------------------------------------------------------------------- */

static bool open_blocks(struct inputs *inputs, const struct words *words,
                        const struct map_words *split, int *out_status)
{
    const struct map_options *options = inputs->options;
    bool one_file = options->arg_files.count == 1;
    if (split->sources_at < words->count || options->arg_files.count > 1) {
        *out_status =
            options_refuse(&map_syntax, "--pipe", "takes one input: -a or standard input");
        return false;
    }
    const char *file = one_file ? options->arg_files.list[0] : "-";
    inputs->blocks = blocks_open(&(struct blocks_plan){
        .file = file,
        .size = options->block > 0 ? options->block : 1,
        .end = options->null ? '\0' : '\n',
        .header = options->header,
    });
    if (inputs->blocks == NULL)
        *out_status = options_refuse(&map_syntax, strcmp(file, "-") == 0 ? "standard input" : file,
                                     "%s", sil_strerror(sil_error_code(sil_last_error())));
    return inputs->blocks != NULL;
}

struct inputs *inputs_open(const struct map_options *options, const struct words *words,
                           const struct map_words *split, int *out_status)
{
    struct inputs *inputs = calloc(1, sizeof(*inputs));
    if (inputs == NULL) {
        *out_status = STATUS_LOCAL_FAILURE;
        return NULL;
    }
    inputs->options = options;
    bool good = options->pipe ? open_blocks(inputs, words, split, out_status)
                              : sources_init(&inputs->sources, options, words, split, out_status);
    if (!good)
        goto fail;
    inputs->present = calloc(inputs->sources.count + 1, sizeof(struct row *));
    if (inputs->present != NULL)
        return inputs;
    *out_status = STATUS_LOCAL_FAILURE;
fail:
    inputs_destroy(inputs);
    return NULL;
}

void inputs_destroy(struct inputs *inputs)
{
    if (inputs == NULL)
        return;
    for (size_t i = 0; i < inputs->shuffled_count; i++)
        free(inputs->shuffled[i]);
    free(inputs->shuffled);
    sources_fini(&inputs->sources);
    blocks_close(inputs->blocks);
    free(inputs->present);
    free(inputs->names);
    free(inputs->unread);
    free(inputs->error);
    free(inputs);
}

/* It has ended, with this. Returns it as inputs_next does. */
static int end_with(struct inputs *inputs, int code)
{
    if (inputs->stopped || code == SIL_ECANCELLED)
        return SIL_ECANCELLED;
    inputs->end = code == SIL_EEND ? SIL_ECLOSED : code;
    if (inputs->end != SIL_ECLOSED && inputs->error == NULL) {
        const char *message = code == SIL_ENOMEM ? NULL : sil_error_message(sil_last_error());
        inputs->error = message != NULL ? strdup(message) : NULL;
    }
    return inputs->end;
}

/* --- combinations --------------------------------------------------------------------------- */

/* Put the groups from `first` on to their first rows. SIL_EEND: one of them has none. */
static int begin_groups(struct inputs *inputs, size_t first)
{
    int code = 0;
    for (size_t i = first; code == 0 && i < inputs->sources.count; i++) {
        if (i > 0)
            group_rewind(&inputs->sources.groups[i]);
        code = group_next(&inputs->sources.groups[i]);
    }
    return code;
}

/* Turn the last wheel that can be turned. SIL_EEND: they have all gone round. */
static int turn(struct inputs *inputs)
{
    for (size_t i = inputs->sources.count; i-- > 0;) {
        int code = group_next(&inputs->sources.groups[i]);
        if (code == 0)
            return begin_groups(inputs, i + 1);
        if (code != SIL_EEND)
            return code;
    }
    return SIL_EEND;
}

/* The next combination; no skipping, no shuffling. */
static int next_combination(struct inputs *inputs, struct row **out)
{
    struct group *groups = inputs->sources.groups;
    size_t count = inputs->sources.count;
    int code = inputs->begun ? turn(inputs) : begin_groups(inputs, 0);
    inputs->begun = true;
    if (code != 0)
        return code;
    if (count == 1) {
        *out = groups[0].now;
        groups[0].now = NULL;
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        inputs->present[i] = groups[i].now;
    *out = row_join(inputs->present, count);
    return *out != NULL ? 0 : SIL_ENOMEM;
}

/* --- --shuf --------------------------------------------------------------------------------- */

/* SplitMix64: https://prng.di.unimi.it/splitmix64.c */
static uint64_t random_next(uint64_t *state)
{
    uint64_t mixed = (*state += UINT64_C(0x9e3779b97f4a7c15));
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static void shuffle(struct row **rows, size_t count)
{
    uint64_t state = 0;
    if (getrandom(&state, sizeof(state), GRND_NONBLOCK) != (ssize_t)sizeof(state))
        state = (uint64_t)sil_clock();
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)(random_next(&state) % i); /* a bias of i in 2^64 */
        struct row *row = rows[other];
        rows[other] = rows[i - 1];
        rows[i - 1] = row;
    }
}

static int gather(struct inputs *inputs)
{
    size_t room = 0;
    struct row *row = NULL;
    int code;
    while ((code = next_combination(inputs, &row)) == 0) {
        if (inputs->shuffled_count == room) {
            room = room == 0 ? 256 : 2 * room;
            struct row **rows = realloc(inputs->shuffled, room * sizeof(struct row *));
            if (rows == NULL) {
                free(row);
                return SIL_ENOMEM;
            }
            inputs->shuffled = rows;
        }
        inputs->shuffled[inputs->shuffled_count++] = row;
    }
    if (code != SIL_EEND)
        return code;
    shuffle(inputs->shuffled, inputs->shuffled_count);
    inputs->gathered = true;
    return 0;
}

static int next_any(struct inputs *inputs, struct row **out)
{
    if (!inputs->options->shuffle)
        return next_combination(inputs, out);
    int code = inputs->gathered ? 0 : gather(inputs);
    if (code == 0 && inputs->shuffled_count == 0)
        return SIL_EEND;
    if (code == 0)
        *out = inputs->shuffled[--inputs->shuffled_count];
    return code;
}

/* --- rows ----------------------------------------------------------------------------------- */

static int read_names(struct inputs *inputs)
{
    if (inputs->names_read)
        return 0;
    size_t room = 0, count = 0;
    for (size_t i = 0; i < inputs->sources.count; i++)
        room += inputs->sources.groups[i].count;
    const struct row **rows = calloc(room + 1, sizeof(struct row *));
    int code = rows != NULL ? 0 : SIL_ENOMEM;
    for (size_t i = 0; code == 0 && i < inputs->sources.count; i++) {
        const struct group *group = &inputs->sources.groups[i];
        for (size_t j = 0; code == 0 && j < group->count; j++) {
            code = supply_names(group->supplies[j], &rows[count]);
            count += code == 0 && rows[count] != NULL;
        }
    }
    if (code == 0 && inputs->sources.format.header) {
        inputs->names = row_join(rows, count);
        code = inputs->names != NULL ? 0 : SIL_ENOMEM;
    }
    inputs->names_read = code == 0;
    free(rows);
    return code;
}

const struct row *inputs_header(struct inputs *inputs)
{
    int code = inputs->end == 0 && !inputs->stopped ? read_names(inputs) : 0;
    if (code != 0)
        (void)end_with(inputs, code);
    return inputs->names;
}

int inputs_next(struct inputs *inputs, struct row **out)
{
    if (inputs->stopped || inputs->end != 0)
        return inputs->stopped ? SIL_ECANCELLED : inputs->end;
    if (inputs->unread != NULL) {
        *out = inputs->unread;
        inputs->unread = NULL;
        return 0;
    }
    if (inputs->options->most > 0 && inputs->given == inputs->options->most)
        return end_with(inputs, SIL_EEND);
    int code = read_names(inputs);
    while (code == 0) {
        struct row *row = NULL;
        code = next_any(inputs, &row);
        if (code == 0 && inputs->skipped == inputs->options->skip) {
            *out = row;
            inputs->given++;
            return 0;
        }
        inputs->skipped += code == 0;
        free(row);
    }
    return end_with(inputs, code);
}

void inputs_unread(struct inputs *inputs, struct row *row)
{
    free(inputs->unread);
    inputs->unread = row;
}

int inputs_next_block(struct inputs *inputs, int *out_fd)
{
    if (inputs->stopped || inputs->end != 0)
        return inputs->stopped ? SIL_ECANCELLED : inputs->end;
    if (inputs->options->most > 0 && inputs->given == inputs->options->most)
        return end_with(inputs, SIL_EEND);
    for (;;) {
        int fd = -1;
        int code = blocks_next(inputs->blocks, &fd);
        if (code != 0)
            return end_with(inputs, code);
        if (inputs->skipped == inputs->options->skip) {
            *out_fd = fd;
            inputs->given++;
            return 0;
        }
        (void)close(fd);
        inputs->skipped++;
    }
}

void inputs_stop(struct inputs *inputs)
{
    inputs->stopped = true;
    if (inputs->blocks != NULL)
        blocks_stop(inputs->blocks);
    for (size_t i = 0; i < inputs->sources.count; i++)
        for (size_t j = 0; j < inputs->sources.groups[i].count; j++)
            supply_stop(inputs->sources.groups[i].supplies[j]);
}

uint64_t inputs_total(const struct inputs *inputs)
{
    const struct map_options *options = inputs->options;
    if (inputs->end == SIL_ECLOSED)
        return inputs->given;
    uint64_t total = 1, of_group;
    for (size_t i = 0; i < inputs->sources.count; i++) {
        if (!group_total(&inputs->sources.groups[i], &of_group))
            return 0;
        if (__builtin_mul_overflow(total, of_group, &total))
            total = UINT64_MAX;
    }
    if (inputs->blocks != NULL || total <= options->skip)
        return 0;
    total -= options->skip;
    return options->most > 0 && options->most < total ? options->most : total;
}

const char *inputs_error(const struct inputs *inputs)
{
    if (inputs->end == 0 || inputs->end == SIL_ECLOSED)
        return NULL;
    return inputs->error != NULL ? inputs->error : "out of memory";
}
