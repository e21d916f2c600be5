/* SPDX-License-Identifier: MIT */
/*
 * What one try of a job writes, from its beginning until it is passed on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/program.h>

#include "map/outputs.h"
#include "record/recorder.h"

/** Of a job's output, and of its error, at most so much stands in its object. */
#define JSON_MOST ((size_t)16 << 20)

/* --- among those that run -------------------------------------------------------------------- */

static void join_running(struct capture *capture)
{
    struct outputs *outputs = capture->outputs;
    if (outputs->running == NULL) {
        outputs->running = capture->next = capture->before = capture;
        return;
    }
    capture->next = outputs->running;
    capture->before = outputs->running->before;
    capture->before->next = capture->next->before = capture;
}

static void leave_running(struct capture *capture)
{
    struct outputs *outputs = capture->outputs;
    if (capture->next == NULL)
        return;
    if (outputs->running == capture)
        outputs->running = capture->next != capture ? capture->next : NULL;
    capture->before->next = capture->next;
    capture->next->before = capture->before;
    capture->next = capture->before = NULL;
}

/* --- its life -------------------------------------------------------------------------------- */

static int open_sinks(struct capture *capture)
{
    struct outputs *outputs = capture->outputs;
    int code = 0;
    for (int number = 1; code == 0 && number <= 2; number++) {
        struct sink *sink = &capture->sinks[number - 1];
        if (outputs->keeping == KEEP_WHOLE)
            code = keep_open(outputs, sink);
        else if (outputs->keeping == KEEP_SAVED)
            code = keep_open_saved(outputs, sink, capture->seq, number);
        else if (outputs->keeping == KEEP_LINES)
            code = lines_open(capture, number);
    }
    return code;
}

struct capture *capture_begin(struct outputs *outputs, uint64_t seq, const char *tag)
{
    size_t tag_size = tag != NULL ? strlen(tag) : 0;
    struct capture *capture = calloc(1, sizeof *capture + tag_size + 2);
    if (capture == NULL) {
        (void)sil_fail(SIL_ENOMEM, "no memory for a job's output");
        return NULL;
    }
    capture->outputs = outputs;
    capture->seq = seq;
    capture->sinks[0].fd = capture->sinks[1].fd = -1;
    if (tag != NULL) {
        memcpy(capture->tag, tag, tag_size);
        capture->tag[tag_size] = '\t';
    }
    outputs->open++;
    if (outputs->keeping == KEEP_WHOLE)
        keep_look(outputs);
    if ((outputs->ordered && order_reserve(&outputs->order, seq) != 0) ||
        open_sinks(capture) != 0) {
        capture_discard(capture);
        return NULL;
    }
    if (outputs->keeping == KEEP_WHOLE)
        join_running(capture);
    return capture;
}

int capture_descriptor(const struct capture *capture, int number)
{
    int fd = capture->sinks[number - 1].fd;
    return fd >= 0 ? fd : SIL_INHERIT;
}

void capture_started(struct capture *capture)
{
    if (capture->outputs->keeping != KEEP_LINES)
        return;
    lines_started(&capture->sinks[0]);
    lines_started(&capture->sinks[1]);
}

void capture_ended(struct capture *capture)
{
    struct outputs *outputs = capture->outputs;
    if (capture->ended)
        return;
    capture->ended = true;
    leave_running(capture);
    for (int i = 0; i < 2; i++) {
        struct sink *sink = &capture->sinks[i];
        if (outputs->keeping == KEEP_LINES)
            lines_end(capture, sink);
        else
            keep_measure(outputs, sink);
        if (sink->size == 0) /* most jobs' error, and then a descriptor less to hold */
            keep_close(outputs, sink);
    }
}

uint64_t capture_size(const struct capture *capture, int number)
{
    return capture->sinks[number - 1].size;
}

void capture_free(struct capture *capture)
{
    struct outputs *outputs = capture->outputs;
    for (int i = 0; i < 2; i++)
        keep_close(outputs, &capture->sinks[i]);
    outputs->open -= capture->last ? 0 : 1;
    free(capture);
    outputs_changed(outputs);
}

void capture_discard(struct capture *capture)
{
    if (capture == NULL)
        return;
    capture_ended(capture);
    capture_free(capture);
}

/* --- passing it on --------------------------------------------------------------------------- */

int capture_write(struct capture *capture)
{
    int error = 0;
    for (int number = 1; number <= 2; number++) {
        const struct sink *sink = &capture->sinks[number - 1];
        if (sink->size == 0 || sink->fd < 0)
            continue;
        struct emission emission;
        emission_begin(&emission, capture, number, true);
        emission_file(&emission, sink->fd, keep_left(sink));
        if (emission.tag_size != 0 && !emission.begins)
            emission_bytes(&emission, "\n", 1); /* or the next label would stand behind it */
        int code = emission_end(&emission);
        error = error != 0 ? error : code;
    }
    capture_free(capture);
    return error;
}

int capture_deliver(struct capture *capture, bool last)
{
    struct outputs *outputs = capture->outputs;
    capture_ended(capture);
    if (!outputs->shown) {
        int error = capture->error;
        capture_free(capture);
        return error;
    }
    if (!last)
        return outputs->ordered ? order_put(capture) : capture_write(capture);
    /* Nobody may wait for it to be passed on; its number is done with. */
    capture->last = true;
    outputs->open--;
    *outputs->last_end = capture;
    outputs->last_end = &capture->next;
    if (outputs->ordered)
        order_skip(outputs, capture->seq);
    outputs_changed(outputs);
    return 0;
}

/* --- as JSON --------------------------------------------------------------------------------- */

/* Up to size bytes of a file from its start. @return owned; NULL: errno. */
static char *read_whole(int fd, size_t *size)
{
    char *bytes = malloc(*size);
    size_t got = 0;
    while (bytes != NULL && got < *size) {
        ssize_t more = pread(fd, bytes + got, *size - got, (off_t)got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0) {
            free(bytes);
            return NULL;
        }
        if (more == 0) /* somebody made it shorter */
            break;
        got += (size_t)more;
    }
    *size = got;
    return bytes;
}

/* Without a last character of UTF-8 that is cut through. */
static size_t whole_characters(const char *bytes, size_t size)
{
    size_t tail = 0;
    while (tail < 3 && tail < size && ((unsigned char)bytes[size - 1 - tail] & 0xC0) == 0x80)
        tail++;
    return tail < size && ((unsigned char)bytes[size - 1 - tail] & 0xC0) == 0xC0 ? size - 1 - tail
                                                                                 : size;
}

json_t *capture_json(const struct capture *capture, int number)
{
    const struct sink *sink = &capture->sinks[number - 1];
    if (capture->outputs->keeping == KEEP_LINES || capture->outputs->keeping == KEEP_NOT)
        return json_null();
    if (sink->size == 0 || sink->fd < 0)
        return record_text("", 0);
    size_t size = sink->size < JSON_MOST ? (size_t)sink->size : JSON_MOST;
    char *bytes = read_whole(sink->fd, &size);
    if (bytes == NULL)
        return NULL;
    bool whole = sink->size <= JSON_MOST;
    json_t *text = record_text(bytes, whole ? size : whole_characters(bytes, size));
    free(bytes);
    if (whole || text == NULL)
        return text;
    return json_pack("{s:b, s:o}", "truncated", 1, "head", text);
}
