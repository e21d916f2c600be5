/* SPDX-License-Identifier: MIT */
/*
 * Filling templates, see template.h. It is done twice, by the same code: once to measure, once to
 * write.
 */
#include "map/template.h"

#include <stdlib.h>
#include <string.h>

#include "map/template_parts.h"
#include "text/quote.h"

/* MAX_ARG_STRLEN: the kernel takes no longer word, with its end. */
enum { WORD_LONGEST = 128 << 10 };

enum { DIGITS = 20 };

/* What is filled in. */
struct output {
    char *at;         /* NULL: it is only measured */
    size_t size;      /* bytes so far */
    char **words;     /* NULL: as at, and for texts */
    size_t count;     /* words so far */
    size_t word_from; /* where the last one begins */
    size_t longest;   /* word, with its end */
    size_t
        first_row; /* of those that are filled in; measures one row only, for template_row_size */
};

static void put(struct output *out, const char *bytes, size_t size)
{
    if (out->at != NULL)
        memcpy(out->at + out->size, bytes, size);
    out->size += size;
}

static void begin_word(struct output *out)
{
    if (out->words != NULL)
        out->words[out->count] = out->at + out->size;
    out->count++;
    out->word_from = out->size;
}

static void end_word(struct output *out)
{
    put(out, "", 1);
    size_t size = out->size - out->word_from;
    out->longest = size > out->longest ? size : out->longest;
}

/* --- values --------------------------------------------------------------------------------- */

struct quoting {
    size_t (*size)(const char *word, size_t size);
    char *(*write)(char *out, const char *word, size_t size);
};

static void put_value(struct output *out, const char *bytes, size_t size,
                      enum shell_context context)
{
    static const struct quoting quotings[] = {
        [SHELL_NOT] = {NULL, NULL},
        [SHELL_PLAIN] = {quote_size, quote_word},
        [SHELL_ALWAYS] = {quote_always_size, quote_word_always},
        [SHELL_DOUBLE] = {quote_in_double_size, quote_in_double},
        [SHELL_SINGLE] = {quote_in_single_size, quote_in_single},
    };
    if (quotings[context].size == NULL || quotings[context].write == NULL)
        put(out, bytes, size);
    else if (out->at == NULL)
        out->size += quotings[context].size(bytes, size);
    else
        out->size = (size_t)(quotings[context].write(out->at + out->size, bytes, size) - out->at);
}

static void put_field(struct output *out, const struct piece *piece, const struct field *field)
{
    size_t size;
    const char *bytes = field_part(field, piece->what.part, &size);
    put_value(out, bytes, size, piece->context);
}

static void put_number(struct output *out, uint64_t number)
{
    char digits[DIGITS];
    size_t at = DIGITS;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(out, digits + at, DIGITS - at);
}

/* A column, counted through all rows; one that is not there is empty. */
static const struct field *find_column(const struct filling *filling, size_t column)
{
    static const struct field none = {.bytes = "", .size = 0};
    for (size_t i = 0; i < filling->row_count; i++) {
        const struct row *row = filling->rows[i];
        if (column < row->count)
            return &row->fields[column];
        column -= row->count;
    }
    return &none;
}

/* A blank that sh does not split at. */
static void put_blank(struct output *out, enum shell_context context)
{
    bool quoted = context == SHELL_PLAIN || context == SHELL_ALWAYS;
    put(out, quoted ? "' '" : " ", quoted ? 3 : 1);
}

/* Of the rows from `first` to before `end`. */
static void put_rows(struct output *out, const struct piece *piece, const struct filling *filling,
                     size_t first, size_t end)
{
    bool more = false;
    for (size_t i = first; i < end; i++) {
        const struct row *row = filling->rows[i];
        bool named = piece->what.kind == PLACEHOLDER_NAMED;
        for (size_t j = named ? piece->what.column : 0; j < row->count; j++) {
            if (more)
                put_blank(out, piece->context);
            put_field(out, piece, &row->fields[j]);
            more = true;
            if (named)
                break;
        }
    }
    if (!more)
        put_value(out, "", 0, piece->context);
}

static void put_piece(struct output *out, const struct piece *piece, const struct filling *filling,
                      size_t first, size_t end)
{
    if (piece->is_text)
        put(out, piece->text, piece->size);
    else if (piece->what.kind == PLACEHOLDER_SEQ)
        put_number(out, filling->seq);
    else if (piece->what.kind == PLACEHOLDER_SLOT)
        put_number(out, filling->slot);
    else if (piece->what.kind == PLACEHOLDER_COLUMN)
        put_field(out, piece, find_column(filling, piece->what.column));
    else
        put_rows(out, piece, filling, first, end);
}

/* --- portions ------------------------------------------------------------------------------- */

static void put_pieces(struct output *out, const struct template *template,
                       const struct portion *portion, const struct filling *filling, size_t first,
                       size_t end)
{
    const struct piece *pieces = template->pieces + portion->first;
    for (size_t i = 0; i < portion->count; i++)
        put_piece(out, &pieces[i], filling, first, end);
}

/* As words of the command. */
static void put_words(struct output *out, const struct template *template,
                      const struct portion *portion, const struct filling *filling)
{
    if (!portion->repeats) {
        if (out->first_row > 0)
            return;
        begin_word(out);
        put_pieces(out, template, portion, filling, 0, filling->row_count);
        end_word(out);
        return;
    }
    for (size_t i = out->first_row; i < filling->row_count; i++) {
        const struct row *row = filling->rows[i];
        for (size_t j = 0; j < (portion->alone ? row->count : 1); j++) {
            begin_word(out);
            if (portion->alone)
                put_field(out, &template->pieces[portion->first], &row->fields[j]);
            else
                put_pieces(out, template, portion, filling, i, i + 1);
            end_word(out);
        }
    }
}

/* As a part of a line: what is repeated stands there with blanks in between. */
static void put_line(struct output *out, const struct template *template,
                     const struct portion *portion, const struct filling *filling)
{
    if (!portion->repeats && out->first_row == 0)
        put_pieces(out, template, portion, filling, 0, filling->row_count);
    for (size_t i = out->first_row; portion->repeats && i < filling->row_count; i++) {
        const struct row *row = filling->rows[i];
        for (size_t j = 0; j < (portion->alone ? row->count : 1); j++) {
            if (i + j > 0)
                put(out, " ", 1);
            if (portion->alone)
                put_field(out, &template->pieces[portion->first], &row->fields[j]);
            else
                put_pieces(out, template, portion, filling, i, i + 1);
        }
    }
}

static void put_word(struct output *out, const char *word)
{
    begin_word(out);
    put(out, word, strlen(word));
    end_word(out);
}

static void put_all(struct output *out, const struct template *template,
                    const struct filling *filling)
{
    bool more_rows = out->first_row > 0;
    if (template->is_line && !more_rows) {
        put_word(out, "/bin/sh");
        put_word(out, "-c");
    }
    if (template->is_line) {
        if (!more_rows)
            begin_word(out);
        for (size_t i = 0; i < template->line_portions; i++)
            put_line(out, template, &template->portions[i], filling);
        if (!more_rows)
            end_word(out);
        if (!more_rows && template->line_portions < template->portion_count)
            put_word(out, "sh"); /* $0 */
    }
    for (size_t i = template->line_portions; i < template->portion_count; i++)
        put_words(out, template, &template->portions[i], filling);
}

/* --- public --------------------------------------------------------------------------------- */

/* No word that echo could read in two ways, whatever part of a field becomes one. */
static bool is_tame(const struct filling *filling)
{
    for (size_t i = 0; i < filling->row_count; i++) {
        for (size_t j = 0; j < filling->rows[i]->count; j++) {
            const struct field *field = &filling->rows[i]->fields[j];
            if (field->bytes[0] == '-' || strstr(field->bytes, "/-") != NULL ||
                memchr(field->bytes, '\\', field->size) != NULL)
                return false;
        }
    }
    return true;
}

/* The one that is filled for this input. */
static const struct template *choose(const struct template *template, const struct filling *filling)
{
    if (template->direct == NULL || (template->direct_if_tame && !is_tame(filling)))
        return template;
    return template->direct;
}

bool template_uses_slot(const struct template *template)
{
    return template->uses_slot;
}

char **template_fill(const struct template *template, const struct filling *filling,
                     size_t *out_count)
{
    template = choose(template, filling);
    struct output measured = {0};
    put_all(&measured, template, filling);
    size_t pointers = (measured.count + 1) * sizeof(char *);
    char **words = malloc(pointers + measured.size);
    if (words == NULL)
        return NULL;
    struct output written = {.at = (char *)words + pointers, .words = words};
    put_all(&written, template, filling);
    words[written.count] = NULL;
    if (out_count != NULL)
        *out_count = written.count;
    return words;
}

size_t template_size(const struct template *template, const struct filling *filling)
{
    struct output measured = {0};
    put_all(&measured, choose(template, filling), filling);
    if (measured.longest > WORD_LONGEST)
        return SIZE_MAX;
    return measured.size + (measured.count + 1) * sizeof(char *);
}

size_t template_row_size(const struct template *template, const struct filling *filling)
{
    if (filling->row_count < 2)
        return template_size(template, filling);
    /* To look whether all rows are tame would take as many steps as there are rows; sh needs more.
     * */
    bool direct = template->direct != NULL && !template->direct_if_tame;
    struct output measured = {.first_row = filling->row_count - 1};
    put_all(&measured, direct ? template->direct : template, filling);
    return measured.size + measured.count * sizeof(char *);
}

char *template_fill_text(const struct template *template, const struct filling *filling)
{
    struct output measured = {0};
    for (size_t i = 0; i < template->portion_count; i++)
        put_line(&measured, template, &template->portions[i], filling);
    char *text = malloc(measured.size + 1);
    if (text == NULL)
        return NULL;
    struct output written = {.at = text};
    for (size_t i = 0; i < template->portion_count; i++)
        put_line(&written, template, &template->portions[i], filling);
    text[written.size] = '\0';
    return text;
}
