/* SPDX-License-Identifier: MIT */
/*
 * Items, see item.h.
 */
#include "map/item.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/status.h>

#include "text/quote.h"

/* What POSIX leaves for those that add to the environment, as xargs does, and for ours. */
enum { HEADROOM = 4096 };

size_t item_most_bytes(void)
{
    long most = sysconf(_SC_ARG_MAX);
    size_t rest = most > 0 ? (size_t)most : _POSIX_ARG_MAX;
    for (char **variable = environ; *variable != NULL; variable++) {
        size_t size = strlen(*variable) + 1 + sizeof(char *);
        rest = rest > size ? rest - size : 0;
    }
    /* Linux takes 128 KiB in a word and, as a rule, a quarter of the stack in all; a share of that is
     * enough to make the cost of a start vanish. */
    size_t enough = (size_t)1 << 20;
    rest = rest > HEADROOM ? rest - HEADROOM : 0;
    return rest < enough ? rest : enough;
}

void item_destroy(struct map_item *item)
{
    if (item == NULL)
        return;
    for (size_t i = 0; i < item->row_count; i++)
        free(item->rows[i]);
    free(item->rows);
    if (item->block >= 0)
        (void)close(item->block);
    free(item->words);
    free(item->line);
    free(item->tag);
    json_decref(item->full);
    free(item);
}

static struct filling filling_of(const struct map_item *item)
{
    return (struct filling){.rows = (const struct row *const *)item->rows,
                            .row_count = item->row_count,
                            .seq = item->seq,
                            .slot = item->head.slot};
}

bool item_fill(struct map_item *item, const struct template *command)
{
    struct filling filling = filling_of(item);
    char **words = template_fill(command, &filling, NULL);
    if (words == NULL)
        return false;
    free(item->words);
    item->words = words;
    return true;
}

/* @param row  takes, also on failure. */
static bool add_row(struct map_item *item, struct row *row, size_t *room)
{
    if (item->row_count == *room) {
        size_t more = *room == 0 ? 1 : *room * 2;
        struct row **rows = realloc(item->rows, more * sizeof(struct row *));
        if (rows == NULL) {
            free(row);
            return false;
        }
        item->rows = rows;
        *room = more;
    }
    item->rows[item->row_count++] = row;
    return true;
}

/* How much the last row adds, or, of the first, how much there is at all. */
static size_t size_of_last(const struct item_maker *maker, const struct map_item *item)
{
    struct filling filling = filling_of(item);
    return item->row_count == 1 ? template_size(maker->command, &filling)
                                : template_row_size(maker->command, &filling);
}

/* Takes as many rows as the options want in a job. SIL_ECLOSED: there was not even one. */
static int take_rows(struct item_maker *maker, struct map_item *item)
{
    const struct map_options *options = maker->options;
    size_t room = 0, size = 0, most = options->per_job > 0 ? options->per_job : 1;
    if (options->pack && most == 1)
        most = SIZE_MAX;
    while (item->row_count < most) {
        struct row *row = NULL;
        int code = inputs_next(maker->inputs, &row);
        if (code != 0)
            return code == SIL_ECLOSED && item->row_count > 0 ? 0 : code;
        if (!add_row(item, row, &room))
            return SIL_ENOMEM;
        size_t more = options->pack ? size_of_last(maker, item) : 0;
        if (item->row_count > 1 && more > maker->most_bytes - size) {
            inputs_unread(maker->inputs, row);
            item->row_count--;
            return 0;
        }
        size = more < maker->most_bytes - size ? size + more : maker->most_bytes;
    }
    return 0;
}

static int fill_all(const struct item_maker *maker, struct map_item *item)
{
    if (!item_fill(item, maker->command))
        return SIL_ENOMEM;
    item->line = quote_line(item->words);
    if (item->line == NULL)
        return SIL_ENOMEM;
    if (maker->tag == NULL)
        return 0;
    struct filling filling = filling_of(item);
    item->tag = template_fill_text(maker->tag, &filling);
    return item->tag == NULL ? SIL_ENOMEM : 0;
}

struct map_item *item_make(struct item_maker *maker)
{
    struct map_item *item = calloc(1, sizeof(*item));
    if (item == NULL) {
        maker->error = SIL_ENOMEM;
        return NULL;
    }
    item->block = -1;
    item->seq = maker->made + 1;
    int code = maker->options->pipe ? inputs_next_block(maker->inputs, &item->block)
                                    : take_rows(maker, item);
    if (code == 0)
        code = fill_all(maker, item);
    if (code == 0) {
        maker->made++;
        return item;
    }
    maker->error = code == SIL_ECLOSED ? 0 : code;
    item_destroy(item);
    return NULL;
}
