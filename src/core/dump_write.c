/* SPDX-License-Identifier: MIT */
/*
 * Dumps written: a head line for each part, and below it the trees of those whom nobody awaits. The form
 * is told in sillon/dump.h.
 *
 * Trees may be deep, so nothing recurses. A node is written once.
 */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/clock.h"
#include "core/dump.h"

/* What is deeper is not moved in any further. */
#define MOST_INDENTED 30

struct writer {
    FILE *out;
    const struct sil__links *links;
    struct sil__part *parts;
    int error; /* errno value */
    size_t used;
    char bytes[1000]; /* on the stack of a coroutine, maybe */
};

/* --- text --------------------------------------------------------------------------------------- */

static void flush(struct writer *writer)
{
    if (writer->used > 0 && writer->error == 0 &&
        fwrite(writer->bytes, 1, writer->used, writer->out) != writer->used)
        writer->error = errno != 0 ? errno : EIO;
    writer->used = 0;
}

static void put_byte(struct writer *writer, char byte)
{
    if (writer->used == sizeof writer->bytes)
        flush(writer);
    writer->bytes[writer->used++] = byte;
}

/* Those that control a terminal: C0, DEL, and C1 in UTF-8. */
static bool is_control(const unsigned char *at)
{
    return *at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
}

static void put(struct writer *writer, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (!is_control(at)) {
            put_byte(writer, (char)*at);
            continue;
        }
        put_byte(writer, '\\');
        put_byte(writer, 'x');
        put_byte(writer, digits[*at >> 4]);
        put_byte(writer, digits[*at & 15]);
    }
}

static void put_spaces(struct writer *writer, unsigned count)
{
    while (count-- > 0)
        put_byte(writer, ' ');
}

static void put_number(struct writer *writer, const char *format, long long number)
{
    char text[40];
    (void)snprintf(text, sizeof text, format, number);
    put(writer, text);
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *sil__function_text(sil_task_fn fn, char *buffer, size_t size)
{
    Dl_info info;
    uintptr_t address = (uintptr_t)fn;
    if (dladdr((void *)address, &info) == 0 || !info.dli_fname) // NOLINT(performance-no-int-to-ptr)
        (void)snprintf(buffer, size, "%#zx", (size_t)address);
    else if (!info.dli_sname)
        (void)snprintf(buffer, size, "%s+%#zx", last_of(info.dli_fname),
                       (size_t)(address - (uintptr_t)info.dli_fbase));
    else if ((uintptr_t)info.dli_saddr == address)
        (void)snprintf(buffer, size, "%s", info.dli_sname);
    else
        (void)snprintf(buffer, size, "%s+%#zx", info.dli_sname,
                       (size_t)(address - (uintptr_t)info.dli_saddr));
    return buffer;
}

/* --- one line ----------------------------------------------------------------------------------- */

static const char *text_of(const struct sil__node *node, uint32_t offset)
{
    return node->part->text + offset;
}

static void put_function(struct writer *writer, const struct sil__node *node)
{
    char text[120];
    put(writer, sil__function_text(node->fn, text, sizeof text));
}

/* Short: the name, or else the function. */
static void put_name(struct writer *writer, const struct sil__node *node)
{
    if (node->name) {
        put(writer, node->plain ? "" : "'");
        put(writer, text_of(node, node->name));
        put(writer, node->plain ? "" : "'");
    } else if (node->fn) {
        put_function(writer, node);
    } else {
        put(writer, "unnamed");
    }
}

static void put_label(struct writer *writer, const struct sil__node *node)
{
    put_name(writer, node);
    if (node->name && node->fn) {
        put_byte(writer, ' ');
        put_function(writer, node);
    }
}

/* The part whose executor it belongs to, or where it was found. */
static const struct sil__part *home_of(const struct writer *writer, const struct sil__node *node)
{
    if (!node->executor || node->part->executor == node->executor)
        return node->part;
    const struct sil__part *part = writer->parts;
    while (part && part->executor != node->executor)
        part = part->next;
    return part ? part : node->part;
}

/* Where it is, unless that is known: the head line of the part says it. */
static void put_where(struct writer *writer, const struct sil__node *node,
                      const struct sil__part *under)
{
    const struct sil__part *home = home_of(writer, node);
    const char *place = home != under && home->executor ? home->text + home->label : "";
    const char *where = text_of(node, node->where);
    if (!place[0] && !where[0])
        return;
    put(writer, " [");
    put(writer, place);
    put(writer, place[0] && where[0] ? ", " : "");
    put(writer, where);
    put(writer, "]");
}

static const char *need_text(const struct sil__node *node)
{
    switch ((enum sil__need)node->need) {
    case SIL__NEED_ONE:
        return "one of %lld futures";
    case SIL__NEED_SUCCESS:
        return "one of %lld futures to succeed";
    case SIL__NEED_FAILURE:
        return "one of %lld futures to fail";
    default:
        return "all of %lld futures";
    }
}

static struct sil__node *target(const struct writer *writer, const struct sil__node *node,
                                uint32_t index)
{
    return sil__links_task(writer->links, node->part->ids[node->first + index]);
}

static void put_wait(struct writer *writer, const struct sil__node *node)
{
    uint32_t count = node->count + node->more;
    if (node->what) {
        put(writer, ": ");
        put(writer, text_of(node, node->what));
    }
    if (node->holder) {
        const struct sil__node *holder = sil__links_context(writer->links, node->holder);
        put(writer, " held by ");
        if (holder)
            put_name(writer, holder);
        else
            put(writer, "another");
    }
    if (node->what || count == 0)
        return;
    put(writer, ": ");
    const struct sil__node *awaited = count == 1 ? target(writer, node, 0) : NULL;
    if (awaited) {
        put(writer, "future ");
        put_name(writer, awaited);
    } else {
        put_number(writer, need_text(node), count);
    }
}

static void put_line(struct writer *writer, const struct sil__node *node, unsigned depth,
                     const struct sil__part *under)
{
    static const char *const states[] = {
        [SIL__SEEN_PENDING] = "  pending ",
        [SIL__SEEN_READY] = "  ready   ",
        [SIL__SEEN_RUNNING] = "  running ",
        [SIL__SEEN_WAITING] = "  waiting ",
    };
    put(writer, states[node->seen]);
    if (node->since != 0) {
        int64_t now = node->part->now;
        int64_t elapsed = now > node->since ? now - node->since : 0;
        put_number(writer, "%6lld.", (long long)(elapsed / SIL__SECOND));
        put_number(writer, "%03lld s  ", (long long)(elapsed % SIL__SECOND / 1000000));
    } else {
        put_spaces(writer, 14);
    }
    put_spaces(writer, 2 * (depth < MOST_INDENTED ? depth : MOST_INDENTED));
    put_label(writer, node);
    put_where(writer, node, under);
    if (node->written && !node->stub)
        put(writer, ": see above");
    else
        put_wait(writer, node);
    put_byte(writer, '\n');
}

static void put_more(struct writer *writer, const struct sil__node *node, unsigned depth)
{
    put_spaces(writer, 24 + 2 * (depth < MOST_INDENTED ? depth : MOST_INDENTED));
    put_number(writer, "... and %lld more", node->more);
    put_byte(writer, '\n');
}

/* --- trees -------------------------------------------------------------------------------------- */

/* Below the first line of its tree. */
static void put_tree(struct writer *writer, struct sil__node *root, const struct sil__part *under)
{
    unsigned depth = 0;
    put_line(writer, root, 0, under);
    root->written = true;
    for (struct sil__node *node = root; node;) {
        if (node->cursor == node->count) {
            if (node->more > 0 && node->count > 0)
                put_more(writer, node, depth + 1);
            node = node->parent;
            depth--;
            continue;
        }
        struct sil__node *next = target(writer, node, node->cursor++);
        if (!next || (next->written && next->stub))
            continue;
        put_line(writer, next, depth + 1, under);
        if (next->written)
            continue;
        next->written = true;
        next->parent = node;
        node = next;
        depth++;
    }
}

static void put_head(struct writer *writer, const struct sil__part *part)
{
    put(writer, part->text + part->label);
    if (part->title) {
        put(writer, ": ");
        put(writer, part->text + part->title);
    }
    put(writer, part->failed ? " (not whole: no memory)" : "");
    put_byte(writer, '\n');
}

/* Those found in one part whose home is under; circles too: all that are left. */
static void put_trees(struct writer *writer, const struct sil__part *found,
                      const struct sil__part *under, bool circles)
{
    bool headed = under->title != 0;
    for (size_t i = 0; i < found->node_count; i++) {
        struct sil__node *node = &found->nodes[i];
        bool root = circles || !node->awaited;
        if (!root || node->written || node->stub || node->hidden ||
            (!circles && home_of(writer, node) != under))
            continue;
        if (!headed && !circles)
            put_head(writer, under);
        headed = true;
        put_tree(writer, node, under);
    }
}

static void put_parts(struct writer *writer)
{
    const struct sil__part *threads = writer->parts;
    while (threads && threads->next)
        threads = threads->next;
    for (const struct sil__part *part = writer->parts; part; part = part->next) {
        if (part->title)
            put_head(writer, part);
        put_trees(writer, part, part, false);
        if (part != threads)
            put_trees(writer, threads, part, false);
    }
    /* Those in a circle are all awaited. */
    for (const struct sil__part *part = writer->parts; part; part = part->next)
        put_trees(writer, part, part, true);
}

int sil__dump_write(FILE *out, struct sil__part *parts)
{
    struct sil__links links;
    if (!sil__links_init(&links, parts))
        return SIL_ENOMEM;
    struct writer writer = {.out = out, .links = &links, .parts = parts};
    put_number(&writer, "sillon: dump of process %lld", (long long)getpid());
    put_byte(&writer, '\n');
    put_parts(&writer);
    flush(&writer);
    if (writer.error == 0 && fflush(out) != 0)
        writer.error = errno;
    sil__links_fini(&links);
    return writer.error;
}
