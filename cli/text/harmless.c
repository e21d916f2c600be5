/* SPDX-License-Identifier: MIT */
/*
 * Text fit to be printed, see harmless.h.
 */
#include "text/harmless.h"

#include <stdio.h>
#include <string.h>

#include "text/utf8.h"

bool harmless_is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
           (character >= 0x200e && character <= 0x200f) || /* direction marks */
           (character >= 0x2028 && character <= 0x202e) || /* line ends, embeddings, overrides */
           (character >= 0x2066 && character <= 0x2069);   /* isolates */
}

/* The next character as it may be printed; returns how many bytes of text that were. */
static size_t next_piece(const char *text, char piece[static 24])
{
    uint32_t character;
    size_t length = utf8_read(text, &character);
    if (length > 0 && !harmless_is_control(character)) {
        memcpy(piece, text, length);
        piece[length] = '\0';
        return length;
    }
    size_t escaped = length > 0 ? length : 1;
    for (size_t i = 0; i < escaped; i++)
        (void)snprintf(piece + 4 * i, 5, "\\x%02x", (unsigned)(unsigned char)text[i]);
    return escaped;
}

const char *harmless(char *out, size_t size, const char *text)
{
    size_t used = 0, room_for_dots = 0;
    while (*text != '\0') {
        char piece[24];
        text += next_piece(text, piece);
        size_t length = strlen(piece);
        if (used + length + 1 > size) {
            memcpy(out + room_for_dots, "...", 4);
            return out;
        }
        memcpy(out + used, piece, length);
        used += length;
        if (used + 4 <= size)
            room_for_dots = used;
    }
    out[used] = '\0';
    return out;
}
