/* SPDX-License-Identifier: MIT */
/*
 * Reading templates, see template.h.
 */
#include "map/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "map/template_parts.h"

struct parser {
    struct template *template;
    struct placeholder_names names;
    const struct syntax *syntax;
    struct shell_scan *scan; /* NULL: this is no line for sh */
    bool quoted;             /* a direct word has quotes */
    int status;              /* STATUS_DONE, or what is wrong; it was said */
};

/* --- building ------------------------------------------------------------------------------- */

static void no_memory(struct parser *parser)
{
    (void)fputs("sillon map: out of memory\n", stderr);
    parser->status = STATUS_LOCAL_FAILURE;
}

/* Room for one more. NULL: said. */
static void *grow(struct parser *parser, void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    size_t more = *room == 0 ? 8 : 2 * *room;
    void *grown = realloc(list, more * size);
    if (grown == NULL)
        no_memory(parser);
    else
        *room = more;
    return grown;
}

static void add_piece(struct parser *parser, const struct piece *piece)
{
    struct template *template = parser->template;
    if (parser->status != STATUS_DONE || (piece->is_text && piece->size == 0))
        return;
    struct piece *pieces = grow(parser, template->pieces, template->piece_count,
                                &template->piece_room, sizeof(*pieces));
    if (pieces == NULL)
        return;
    template->pieces = pieces;
    pieces[template->piece_count++] = *piece;
}

static void add_text(struct parser *parser, const char *text, size_t size)
{
    struct template *template = parser->template;
    size_t count = template->piece_count;
    size_t from =
        template->portion_count > 0 ? template->portions[template->portion_count - 1].first : 0;
    struct piece *last = count > from ? &template->pieces[count - 1] : NULL;
    if (last != NULL && last->is_text && last->text + last->size == text)
        last->size += size;
    else
        add_piece(parser, &(struct piece){.is_text = true, .text = text, .size = size});
}

/* What is added from now on belongs to a new one. */
static void begin_portion(struct parser *parser)
{
    struct template *template = parser->template;
    if (parser->status != STATUS_DONE)
        return;
    struct portion *portions = grow(parser, template->portions, template->portion_count,
                                    &template->portion_room, sizeof(*portions));
    if (portions == NULL)
        return;
    template->portions = portions;
    portions[template->portion_count++] = (struct portion){.first = template->piece_count};
    parser->quoted = false;
}

/* It has all of its pieces. */
static void end_portion(struct parser *parser)
{
    struct template *template = parser->template;
    if (parser->status != STATUS_DONE)
        return;
    struct portion *portion = &template->portions[template->portion_count - 1];
    portion->count = template->piece_count - portion->first;
    for (size_t i = 0; i < portion->count; i++) {
        const struct piece *piece = &template->pieces[portion->first + i];
        bool of_row =
            piece->what.kind == PLACEHOLDER_INPUT || piece->what.kind == PLACEHOLDER_NAMED;
        portion->repeats |= !piece->is_text && of_row;
        portion->alone = portion->count == 1 && !piece->is_text && !parser->quoted &&
                         piece->what.kind == PLACEHOLDER_INPUT && piece->context <= SHELL_ALWAYS;
    }
}

/* {} as a word of its own. */
static void append_input(struct parser *parser, enum shell_context context)
{
    begin_portion(parser);
    add_piece(parser, &(struct piece){.context = context});
    end_portion(parser);
}

/* --- braces --------------------------------------------------------------------------------- */

static void add_value(struct parser *parser, const struct braces *braces, char next)
{
    struct template *template = parser->template;
    enum shell_context context = SHELL_NOT;
    const char *reason = NULL;
    int shown = (int)(braces->name_size + 2);
    if (parser->scan != NULL)
        context = shell_scan_value(parser->scan, next, &reason);
    if (!braces->is_known)
        parser->status = options_refuse(parser->syntax, "--header",
                                        "no column has the name in %.*s; {%.*s} would be this text",
                                        shown, braces->name - 1, shown, braces->name - 1);
    else if (reason != NULL)
        parser->status = options_refuse(parser->syntax, "--shell", "%.*s cannot stand %s", shown,
                                        braces->name - 1, reason);
    enum placeholder_kind kind = braces->what.kind;
    template->uses_slot |= kind == PLACEHOLDER_SLOT;
    template->uses_input |= kind != PLACEHOLDER_SLOT &&kind != PLACEHOLDER_SEQ;
    add_piece(parser, &(struct piece){.what = braces->what, .context = context});
}

static void add_scanned(struct parser *parser, const char *text, size_t size)
{
    for (size_t i = 0; parser->scan != NULL && i < size; i++)
        (void)shell_scan_byte(parser->scan, text + i);
    add_text(parser, text, size);
}

/* What begins with this brace. Returns how many bytes it takes. */
static size_t add_braces(struct parser *parser, const char *text, size_t size)
{
    struct braces braces;
    size_t extra;
    bool found = braces_read(text, size, &parser->names, &extra, &braces);
    add_scanned(parser, text, extra);
    if (!found)
        return extra;
    const char *begin = text + extra;
    size_t half = braces.count / 2;
    if (braces.count % 2 == 0) { /* all of it is text, with half of the braces */
        add_scanned(parser, begin + half, braces.size - 2 * half);
    } else {
        const char *end = begin + braces.size;
        add_scanned(parser, begin, half);
        add_value(parser, &braces, half > 0 ? '}' : *end);
        add_scanned(parser, end - half, half);
    }
    return extra + braces.size;
}

/* --- words and lines ------------------------------------------------------------------------ */

static void add_pieces(struct parser *parser, const char *text)
{
    size_t size = strlen(text);
    begin_portion(parser);
    for (size_t i = 0; parser->status == STATUS_DONE && i < size;) {
        const char *brace = memchr(text + i, '{', size - i);
        size_t plain = brace != NULL ? (size_t)(brace - text) - i : size - i;
        add_text(parser, text + i, plain);
        i += plain;
        if (i < size)
            i += add_braces(parser, text + i, size - i);
    }
    end_portion(parser);
}

/* A line for sh, in portions: what separates words is one by itself. */
static void add_line(struct parser *parser, const char *line, size_t size)
{
    begin_portion(parser);
    for (size_t i = 0; parser->status == STATUS_DONE && i < size;) {
        if (line[i] == '{' && !shell_scan_owns_brace(parser->scan)) {
            i += add_braces(parser, line + i, size - i);
            continue;
        }
        bool separates = shell_scan_byte(parser->scan, line + i);
        if (separates) {
            end_portion(parser);
            begin_portion(parser);
        }
        add_text(parser, line + i++, 1);
        if (separates) {
            end_portion(parser);
            begin_portion(parser);
        }
    }
    end_portion(parser);
}

/* The words of a simple line (shell_line.h), without quotes. */
static void add_simple_line(struct parser *parser, const char *line, size_t size)
{
    char quote = '\0';
    bool in_word = false;
    for (size_t i = 0; parser->status == STATUS_DONE && i < size;) {
        char c = line[i];
        if (quote == '\0' && (c == ' ' || c == '\t')) {
            if (in_word)
                end_portion(parser);
            in_word = false;
            i++;
            continue;
        }
        if (!in_word)
            begin_portion(parser);
        in_word = true;
        if (c == quote || (quote == '\0' && (c == '\'' || c == '"'))) {
            quote = c == quote ? '\0' : c;
            parser->quoted = true;
            i++;
        } else if (c == '{') {
            i += add_braces(parser, line + i, size - i);
        } else {
            add_text(parser, line + i++, 1);
        }
    }
    if (in_word)
        end_portion(parser);
}

/* Literal words that echo of sh and of the system could read in two ways. */
static bool is_tame_text(const struct template *template)
{
    for (size_t i = 1; i < template->portion_count; i++) {
        const struct portion *portion = &template->portions[i];
        for (size_t j = 0; j < portion->count; j++) {
            const struct piece *piece = &template->pieces[portion->first + j];
            if (piece->is_text && ((j == 0 && piece->text[0] == '-') ||
                                   memchr(piece->text, '\\', piece->size) != NULL))
                return false;
        }
    }
    return true;
}

/* The program to run, in one piece. SHELL_OWN: it has to be left to sh. */
static enum shell_command first_command(const struct template *template)
{
    const struct portion *first = &template->portions[0];
    if (template->portion_count == 0 || first->count != 1 ||
        !template->pieces[first->first].is_text)
        return SHELL_OWN;
    const struct piece *piece = &template->pieces[first->first];
    enum shell_command command = shell_command_of(piece->text, piece->size);
    return command == SHELL_ECHO && !is_tame_text(template) ? SHELL_OWN : command;
}

/* The template for a simple line without sh, if there is one. */
static void make_direct(struct parser *parser, const char *line, size_t size, bool appends)
{
    struct template *direct = calloc(1, sizeof(*direct));
    if (direct == NULL) {
        no_memory(parser);
        return;
    }
    struct parser own = {.template = direct, .names = parser->names, .syntax = parser->syntax};
    add_simple_line(&own, line, size);
    if (appends)
        append_input(&own, SHELL_NOT);
    enum shell_command command = own.status == STATUS_DONE ? first_command(direct) : SHELL_OWN;
    parser->status = own.status;
    parser->template->direct_if_tame = command == SHELL_ECHO;
    if (command == SHELL_OWN)
        template_destroy(direct);
    else
        parser->template->direct = direct;
}

/* Blanks at the end mean nothing, and would stand before what is appended. */
static size_t line_size(const char *line)
{
    size_t size = strlen(line);
    while (size > 0 && strchr(" \t\n", line[size - 1]) != NULL)
        size--;
    return size > 0 && line[size - 1] == '\\' ? strlen(line) : size;
}

/* The line, and the words behind it. */
static void parse_line(struct parser *parser, const char *line, char *const *words, size_t count)
{
    struct template *template = parser->template;
    struct shell_scan scan = {.simple = true};
    size_t size = line_size(line);
    template->is_line = true;
    parser->scan = &scan;
    add_line(parser, line, size);
    parser->scan = NULL;
    template->line_portions = template->portion_count;
    for (size_t i = 0; i < count; i++)
        add_pieces(parser, words[i]);
    bool appends = parser->names.inputs && !template->uses_input;
    if (parser->status == STATUS_DONE && appends && count == 0) {
        const char *reason = shell_scan_end(&scan);
        if (reason != NULL)
            parser->status = options_refuse(parser->syntax, line, "%s: say where with {}", reason);
        begin_portion(parser);
        add_text(parser, " ", 1);
        end_portion(parser);
        append_input(parser, SHELL_PLAIN);
        template->line_portions = template->portion_count;
    } else if (appends) {
        append_input(parser, SHELL_NOT);
    }
    if (parser->status == STATUS_DONE && scan.simple && scan.depth == 0)
        make_direct(parser, line, size, appends && count == 0);
}

/* --- public --------------------------------------------------------------------------------- */

static struct template *begin(struct parser *parser, const struct row *header, bool inputs,
                              const struct syntax *syntax)
{
    *parser = (struct parser){
        .template = calloc(1, sizeof(struct template)),
        .names = {.header = header, .inputs = inputs},
        .syntax = syntax,
        .status = STATUS_DONE,
    };
    if (parser->template == NULL)
        no_memory(parser);
    return parser->template;
}

static struct template *finish(struct parser *parser, int *out_status)
{
    if (parser->status == STATUS_DONE)
        return parser->template;
    *out_status = parser->status;
    template_destroy(parser->template);
    return NULL;
}

struct template *template_parse(char *const *words, size_t count, const char *shell_line,
                                const struct row *header, bool pipe, const struct syntax *syntax,
                                int *out_status)
{
    struct parser parser;
    struct template *template = begin(&parser, header, !pipe, syntax);
    if (template == NULL)
        return finish(&parser, out_status);
    if (shell_line != NULL) {
        parse_line(&parser, shell_line, words, count);
        return finish(&parser, out_status);
    }
    for (size_t i = 0; i < count; i++)
        add_pieces(&parser, words[i]);
    if (!pipe && !template->uses_input)
        append_input(&parser, SHELL_NOT);
    return finish(&parser, out_status);
}

struct template *template_parse_text(const char *text, const struct row *header,
                                     const struct syntax *syntax, int *out_status)
{
    struct parser parser;
    if (begin(&parser, header, true, syntax) == NULL)
        return finish(&parser, out_status);
    add_pieces(&parser, text);
    if (parser.status == STATUS_DONE)
        parser.template->portions[0].repeats = parser.template->portions[0].alone = false;
    return finish(&parser, out_status);
}

void template_destroy(struct template *template)
{
    if (template == NULL)
        return;
    template_destroy(template->direct);
    free(template->pieces);
    free(template->portions);
    free(template);
}
