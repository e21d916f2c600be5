/* SPDX-License-Identifier: MIT */
/*
 * The writer of a trace, see trace.h: a thread that reads what the others have told, and writes it
 * down as JSON.
 *
 * An event a line, each begun by what separates it from the one before: whatever the moment at
 * which the program ends, the file is one that viewers read. An event costs about 0.2 us.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/trace.h"

#define ROOM ((size_t)128 * 1024)
/* No event takes more. */
#define LONGEST ((size_t)32 * 1024)
/* Functions whose names are known already. A power of two. */
#define KNOWN 256

static struct {
    /* The writer's; there is one at a time. */
    struct sil__trace_file *file;
    uint64_t pid;
    size_t size;
    char bytes[ROOM];
    struct {
        const void *function;
        const char *name; /* NULL: it has none that can be found */
    } known[KNOWN];
} out;

/* --- bytes ---------------------------------------------------------------------------------- */

static void flush(void)
{
    const char *at = out.bytes;
    for (size_t left = out.size; left > 0 && out.file->error == 0;) {
        ssize_t written = write(out.file->fd, at, left);
        if (written < 0 && errno != EINTR)
            out.file->error = errno;
        at += written > 0 ? written : 0;
        left -= written > 0 ? (size_t)written : 0;
    }
    out.size = 0;
}

static void put(const char *text)
{
    size_t size = strlen(text);
    memcpy(out.bytes + out.size, text, size);
    out.size += size;
}

static void put_unsigned(uint64_t number, unsigned digits)
{
    char text[24];
    char *at = text + sizeof text;
    for (unsigned i = 0; i < digits || number > 0; i++, number /= 10)
        *--at = (char)('0' + number % 10);
    size_t size = (size_t)(text + sizeof text - at);
    memcpy(out.bytes + out.size, at, size);
    out.size += size;
}

/* Nanoseconds as microseconds. */
static void put_time(int64_t nanoseconds)
{
    uint64_t number = nanoseconds > 0 ? (uint64_t)nanoseconds : 0;
    put_unsigned(number / 1000, 1);
    put(".");
    put_unsigned(number % 1000, 3);
}

/* Bytes of the character that text begins with, if it is UTF-8; else 0. */
static size_t character(const unsigned char *text)
{
    unsigned char lead = text[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead >= 0xf5)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0; /* the end of the text, too */
    /* A longer form than needed, half of a pair of UTF-16, or past the last plane. */
    bool wrong = (lead == 0xe0 && text[1] < 0xa0) || (lead == 0xed && text[1] >= 0xa0) ||
                 (lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] >= 0x90);
    return wrong ? 0 : size;
}

static void put_string(const char *text)
{
    put("\"");
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t size = character(at);
        if (size == 0)
            out.bytes[out.size++] = '?';
        else if (*at == '"' || *at == '\\')
            out.bytes[out.size++] = '\\', out.bytes[out.size++] = (char)*at;
        else if (*at < 0x20)
            out.size += (size_t)snprintf(out.bytes + out.size, 7, "\\u%04x", *at);
        else
            for (size_t i = 0; i < size; i++)
                out.bytes[out.size++] = (char)at[i];
        at += size ? size : 1;
    }
    put("\"");
}

static void put_double(double value)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%.15g", value);
    char *comma = strchr(text, ','); /* in some locales */
    if (comma)
        *comma = '.';
    bool finite = value - value == 0;
    put(finite ? text : "0");
}

/* --- events --------------------------------------------------------------------------------- */

/* Exactly there: what lies somewhere before it has another name. */
static const char *function_name(const void *function)
{
    size_t place = ((uintptr_t)function >> 4) % KNOWN;
    if (out.known[place].function != function) {
        Dl_info info;
        bool found = dladdr(function, &info) != 0 && info.dli_sname && info.dli_saddr == function;
        out.known[place].function = function;
        out.known[place].name = found ? info.dli_sname : NULL;
    }
    return out.known[place].name;
}

static void put_row_name(uint32_t row, const char *name)
{
    put(",\n{\"ph\":\"M\",\"pid\":");
    put_unsigned(out.pid, 1);
    put(",\"tid\":");
    put_unsigned(row, 1);
    put(",\"name\":\"thread_name\",\"args\":{\"name\":");
    put_string(name);
    put("}},\n{\"ph\":\"M\",\"pid\":");
    put_unsigned(out.pid, 1);
    put(",\"tid\":");
    put_unsigned(row, 1);
    put(",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":");
    put_unsigned(row, 1);
    put("}}");
}

static void put_arguments(const struct sil__trace_record *record, const char *arguments)
{
    if (record->phase == 'C') {
        put(",\"args\":{\"value\":");
        put_double(record->value);
        put("}");
    } else if (arguments) {
        put(",\"args\":");
        size_t from = out.size;
        put(arguments);
        for (; from < out.size; from++)
            if (out.bytes[from] == '\n') /* between members, since it is JSON */
                out.bytes[from] = ' ';
    } else if (record->queued >= 0) {
        put(",\"args\":{\"queued_us\":");
        put_time(record->queued);
        put("}");
    }
}

/* What a phase has besides. The bar of what began before the trace begins with it. */
static void put_phase(const struct sil__trace_record *record)
{
    int64_t at = record->at - out.file->origin;
    put(",\"ts\":");
    put_time(at);
    if (record->phase == 'X') {
        put(",\"dur\":");
        put_time(at < 0 ? record->duration + at : record->duration);
    } else if (record->phase == 'i') {
        put(",\"s\":\"t\"");
    } else if (record->phase != 'C') {
        put(",\"id\":\"");
        put_unsigned(record->id, 1);
        put("\"");
    }
}

static void put_event(const struct sil__trace_record *record)
{
    const char *text = (const char *)(record + 1);
    const char *name = record->name_size ? text : NULL;
    text += record->name_size;
    const char *category = record->category_size ? text : "";
    text += record->category_size;
    const char *arguments = record->arguments_size ? text : NULL;
    if (!name && record->function)
        name = function_name(record->function);
    if (!name)
        name = category;
    if (record->phase == 'M') {
        put_row_name(record->row, name);
        return;
    }
    put(",\n{\"ph\":\"");
    out.bytes[out.size++] = record->phase;
    put("\",\"pid\":");
    put_unsigned(out.pid, 1);
    put(",\"tid\":");
    put_unsigned(record->row, 1);
    put(",\"cat\":");
    put_string(category);
    put(",\"name\":");
    put_string(name);
    put_phase(record);
    put_arguments(record, arguments);
    put("}");
}

/* --- reading -------------------------------------------------------------------------------- */

static void read_chunk(struct sil__trace_recorder *recorder, const struct sil__trace_chunk *chunk)
{
    /* Acquire pairs with the release of who writes: the records before their end. */
    uint32_t filled = atomic_load_explicit(&chunk->filled, memory_order_acquire);
    while (recorder->read < filled) {
        const struct sil__trace_record *record = (const void *)(chunk->bytes + recorder->read);
        if (recorder->named != out.file->trace && record->row == recorder->row) {
            recorder->named = out.file->trace;
            put_row_name(recorder->row, recorder->name);
        }
        put_event(record);
        recorder->read += record->size;
        if (out.size > ROOM - 2 * LONGEST)
            flush();
    }
}

static void read_recorder(struct sil__trace_recorder *recorder)
{
    struct sil__trace_chunk *chunk = atomic_load_explicit(&recorder->first, memory_order_acquire);
    while (chunk) {
        /* Before the chunk is read: then it is full, and is read to its end. */
        struct sil__trace_chunk *next = atomic_load_explicit(&chunk->next, memory_order_acquire);
        read_chunk(recorder, chunk);
        if (next) {
            recorder->read = 0;
            atomic_store_explicit(&recorder->first, next, memory_order_release);
            sil__trace_give_chunk(chunk);
        }
        chunk = next;
    }
}

void *sil__trace_write(void *argument)
{
    (void)prctl(PR_SET_NAME, "sillon-trace");
    out.file = argument;
    out.pid = (uint64_t)getpid();
    out.size = 0;
    put("[\n{\"ph\":\"M\",\"pid\":");
    put_unsigned(out.pid, 1);
    put(",\"name\":\"process_name\",\"args\":{\"name\":");
    put_string(out.file->process);
    put("}}");
    for (bool ends = false; !ends;) {
        flush();
        ends = sil__trace_rest();
        for (struct sil__trace_recorder *at = sil__trace_recorders(); at;
             at = atomic_load_explicit(&at->next, memory_order_acquire))
            read_recorder(at);
        sil__trace_reap();
    }
    put("\n]\n");
    flush();
    return NULL;
}
