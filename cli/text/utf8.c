/* SPDX-License-Identifier: MIT */
/*
 * UTF-8, see utf8.h.
 */
#include "text/utf8.h"

/* Lead bytes by length: 0xxxxxxx, 110xxxxx, 1110xxxx, 11110xxx. */
static size_t length_from_lead(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead < 0xe0)
        return 2;
    if (lead >= 0xe0 && lead < 0xf0)
        return 3;
    return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

size_t utf8_read(const char *text, uint32_t *out_character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)text[0];
    size_t length = lead == 0 ? 0 : length_from_lead(lead);
    if (length == 0)
        return 0;

    uint32_t character = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0; /* the 0 at the end of the text too */
        character = character << 6 | (next & 0x3f);
    }
    /* A longer form than needed, a half of a UTF-16 pair, or past the last plane. */
    if (character < least[length] || (character >= 0xd800 && character < 0xe000) ||
        character > 0x10ffff)
        return 0;
    *out_character = character;
    return length;
}

unsigned utf8_columns(uint32_t character)
{
    return character < 0x1100 ? 1 : 2;
}
