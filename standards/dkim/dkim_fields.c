// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_fields.c - an index of the header fields by name, and the hashes made over them.
 *
 * Every distinct name gets a number and a chain of its fields from the bottom of the header up (RFC 6376 5.4.2 takes
 * them in that order). One signature's hash walks h= with a cursor per name, so that its cost is the length of h= plus
 * the octets hashed, however many fields a sender piles up. The table's seed is random per process, so that names
 * cannot be chosen to collide.
 *
 * A name in h= that has no (further) field is the null string: hashed as nothing (RFC 6376 3.5, h=; 5.4).
 * Memory: the arena; the digest context is OpenSSL's and is freed before each function returns.
 */
#include "standards/dkim/dkim_fields.h"
#include "standards/dkim/dkim_canonical.h"
#include "standards/dkim/dkim_digest.h"
#include "standards/dkim/dkim_tags.h"
#include "standards/message/header.h"
#include <pthread.h>
#include <sys/random.h>

#define NONE UINT32_MAX

struct named {
    struct slice name;
    uint32_t top, bottom; /* the highest and the lowest field of this name */
    uint32_t count;
};

struct dkim_fields {
    const struct header_list *list;
    uint32_t *above, *below; /* per field: the next field of the same name going up, and going down; or NONE */
    struct named *names;
    uint32_t name_count;
    uint32_t *slots; /* hash table of numbers of names */
    uint32_t slot_mask;
    uint32_t *cursor; /* per name: the next field to take */
};

static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)(uintptr_t)&seed * 0x9e3779b97f4a7c15u;
}

static uint32_t hash_name(struct slice s)
{
    uint64_t h = seed;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 'A' && c <= 'Z')
            c += 'a' - 'A';
        h = (h ^ c) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return (uint32_t)(h ^ h >> 32);
}

/* The slot of this name, or the free one where it belongs. */
static uint32_t *slot_of(const struct dkim_fields *f, struct slice name)
{
    uint32_t at = hash_name(name) & f->slot_mask;
    while (f->slots[at] != NONE && !slice_eq_nocase(f->names[f->slots[at]].name, name))
        at = (at + 1) & f->slot_mask;
    return &f->slots[at];
}

static void add_field(struct dkim_fields *f, uint32_t place)
{
    struct slice name = slice_trim(f->list->fields[place].name);
    uint32_t *slot = slot_of(f, name);
    if (*slot == NONE) {
        *slot = f->name_count;
        f->names[f->name_count++] = (struct named){name, place, NONE, 0};
    }
    struct named *n = &f->names[*slot];
    f->above[place] = n->bottom;
    f->below[place] = NONE;
    if (n->bottom != NONE)
        f->below[n->bottom] = place;
    n->bottom = place;
    n->count++;
}

struct dkim_fields *dkim_fields_new(struct arena *arena, const struct header_list *headers)
{
    size_t count = headers->count, size = 16;
    pthread_once(&seed_once, make_seed);
    while (size < count * 2)
        size *= 2;
    struct dkim_fields *f = ARENA_NEW(arena, struct dkim_fields);
    if (!f)
        return NULL;
    f->list = headers;
    f->above = ARENA_ARRAY(arena, uint32_t, count);
    f->below = ARENA_ARRAY(arena, uint32_t, count);
    f->names = ARENA_ARRAY(arena, struct named, count);
    f->cursor = ARENA_ARRAY(arena, uint32_t, count);
    f->slots = ARENA_ARRAY(arena, uint32_t, size);
    if (!f->above || !f->below || !f->names || !f->cursor || !f->slots)
        return NULL;
    f->slot_mask = (uint32_t)size - 1;
    for (size_t i = 0; i < size; i++)
        f->slots[i] = NONE;
    for (size_t i = 0; i < count; i++)
        add_field(f, (uint32_t)i);
    return f;
}

size_t dkim_fields_count(const struct dkim_fields *f, struct slice name)
{
    uint32_t n = *slot_of(f, slice_trim(name));
    return n == NONE ? 0 : f->names[n].count;
}

size_t dkim_fields_top(const struct dkim_fields *f, struct slice name)
{
    uint32_t n = *slot_of(f, slice_trim(name));
    return n == NONE ? SIZE_MAX : f->names[n].top;
}

size_t dkim_fields_below(const struct dkim_fields *f, size_t place)
{
    return f->below[place] == NONE ? SIZE_MAX : f->below[place];
}

static void into_digest(void *context, const char *p, size_t n)
{
    dkim_digest_add(context, p, n);
}

static void put_field(const struct dkim_fields *f, struct dkim_canonical *c, size_t place, struct slice without,
                      bool relaxed, bool line_end)
{
    const struct header_field *field = &f->list->fields[place];
    dkim_canonical_field(c, field->name, field->value, without, relaxed, line_end);
}

enum status dkim_fields_hash(struct dkim_fields *f, const struct dkim_fields_request *r, uint8_t out[DKIM_HASH_OCTETS])
{
    struct dkim_digest *digest = dkim_digest_new();
    if (!digest)
        return STATUS_NOMEM;
    struct dkim_canonical c = {.sink = into_digest, .context = digest};
    for (uint32_t i = 0; i < f->name_count; i++)
        f->cursor[i] = f->names[i].bottom;
    struct slice rest = r->names, name;
    while (dkim_tags_next(&rest, &name)) {
        uint32_t n = *slot_of(f, name);
        if (n == NONE)
            continue;
        /* NONE and "not in the list" (SIZE_MAX) are the same number where size_t has 32 bits. */
        if (f->cursor[n] != NONE && f->cursor[n] == r->self)
            f->cursor[n] = f->above[f->cursor[n]];
        if (f->cursor[n] == NONE)
            continue;
        put_field(f, &c, f->cursor[n], SLICE_NULL, r->relaxed, true);
        f->cursor[n] = f->above[f->cursor[n]];
    }
    if (r->self != SIZE_MAX)
        put_field(f, &c, r->self, r->b_raw, r->relaxed, false);
    else
        dkim_canonical_field(&c, r->own_name, r->own_value, r->b_raw, r->relaxed, false);
    dkim_canonical_flush(&c);
    return dkim_digest_end(digest, out);
}

enum status dkim_fields_seal_hash(struct dkim_fields *f, const size_t *places, size_t count,
                                  const struct dkim_field_made *made, size_t made_count, struct slice b_raw,
                                  uint8_t out[DKIM_HASH_OCTETS])
{
    struct dkim_digest *digest = dkim_digest_new();
    if (!digest)
        return STATUS_NOMEM;
    struct dkim_canonical c = {.sink = into_digest, .context = digest};
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count + made_count;
        put_field(f, &c, places[i], last ? b_raw : SLICE_NULL, true, !last);
    }
    for (size_t i = 0; i < made_count; i++) {
        bool last = i + 1 == made_count;
        dkim_canonical_field(&c, made[i].name, made[i].value, last ? b_raw : SLICE_NULL, true, !last);
    }
    dkim_canonical_flush(&c);
    return dkim_digest_end(digest, out);
}
