/* SPDX-License-Identifier: MIT */
/*
 * Identities, see identity.h.
 */
#include "record/identity.h"

#include <stdlib.h>
#include <string.h>

/* --- SipHash-2-4, 128 bits ------------------------------------------------------------------ */

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void rounds(uint64_t v[4], int count)
{
    while (count-- > 0) {
        v[0] += v[1], v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1], v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

/* Up to eight bytes, the first one lowest. */
static uint64_t word_of(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

static uint64_t squeeze(uint64_t v[4])
{
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct identity identity_keyed(uint64_t key0, uint64_t key1, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t v[4] = {
        UINT64_C(0x736f6d6570736575) ^ key0,
        UINT64_C(0x646f72616e646f6d) ^ key1 ^ 0xee,
        UINT64_C(0x6c7967656e657261) ^ key0,
        UINT64_C(0x7465646279746573) ^ key1,
    };
    for (size_t left = size; left >= 8; left -= 8, at += 8)
        absorb(v, word_of(at, 8));
    absorb(v, (uint64_t)size << 56 | word_of(at, size % 8));
    struct identity identity;
    v[2] ^= 0xee;
    identity.words[0] = squeeze(v);
    v[1] ^= 0xdd;
    identity.words[1] = squeeze(v);
    return identity;
}

struct identity identity_make(const void *bytes, size_t size)
{
    /* Any key does: nobody is kept from making two items collide, but for his own log. */
    return identity_keyed(UINT64_C(0x6e6f6c6c69730a31), UINT64_C(0x676f6c2d6d657469), bytes, size);
}

/* --- as text -------------------------------------------------------------------------------- */

void identity_write(struct identity identity, char out[IDENTITY_DIGITS + 1])
{
    for (unsigned i = 0; i < IDENTITY_DIGITS; i++) {
        /* Byte i / 2 in little-endian order; its high digit comes first. */
        unsigned shift = i / 2 % 8 * 8 + (i % 2 == 0 ? 4 : 0);
        out[i] = "0123456789abcdef"[identity.words[i / 16] >> shift & 0xf];
    }
    out[IDENTITY_DIGITS] = '\0';
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool identity_read(const char *text, size_t size, struct identity *out)
{
    if (size != IDENTITY_DIGITS)
        return false;
    struct identity identity = {{0, 0}};
    for (unsigned i = 0; i < IDENTITY_DIGITS; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0)
            return false;
        unsigned shift = i / 2 % 8 * 8 + (i % 2 == 0 ? 4 : 0);
        identity.words[i / 16] |= (uint64_t)(unsigned)digit << shift;
    }
    *out = identity;
    return true;
}

/* --- the table ------------------------------------------------------------------------------ */

/* Where it is, or where it would be. There is a free place. */
static size_t place_of(const struct identity_table *table, struct identity identity)
{
    size_t place = (size_t)identity.words[0] & (table->places - 1);
    while (table->values[place] != 0 && (table->keys[place].words[0] != identity.words[0] ||
                                         table->keys[place].words[1] != identity.words[1]))
        place = (place + 1) & (table->places - 1);
    return place;
}

static bool grow(struct identity_table *table)
{
    struct identity_table larger = {.count = table->count,
                                    .places = table->places != 0 ? table->places * 2 : 64};
    larger.keys = calloc(larger.places, sizeof(*larger.keys));
    larger.values = calloc(larger.places, 1);
    if (larger.keys == NULL || larger.values == NULL) {
        identity_table_fini(&larger);
        return false;
    }
    for (size_t i = 0; i < table->places; i++) {
        if (table->values[i] == 0)
            continue;
        size_t place = place_of(&larger, table->keys[i]);
        larger.keys[place] = table->keys[i];
        larger.values[place] = table->values[i];
    }
    free(table->keys);
    free(table->values);
    table->keys = larger.keys;
    table->values = larger.values;
    table->places = larger.places;
    return true;
}

bool identity_table_set(struct identity_table *table, struct identity identity, unsigned value)
{
    if (table->count >= table->places / 4 * 3 && !grow(table))
        return false;
    size_t place = place_of(table, identity);
    table->count += table->values[place] == 0;
    table->keys[place] = identity;
    table->values[place] = (unsigned char)(value + 1);
    return true;
}

int identity_table_get(const struct identity_table *table, struct identity identity)
{
    if (table->places == 0)
        return -1;
    return (int)table->values[place_of(table, identity)] - 1;
}

void identity_table_fini(struct identity_table *table)
{
    free(table->keys);
    free(table->values);
    *table = (struct identity_table){0};
}
