// SPDX-License-Identifier: BSD-2-Clause
/*
 * header.c - the header section as a list (RFC 5322 2.2, 3.6.8, 4.5).
 *
 * Promises that nothing of a field is changed, that an odd field is kept and its oddity noted, and that the bounds of
 * base/limits.h and header.h hold before anything is copied. A saved message is read to the end of its header section,
 * over the bounds or not. A field's number is found by a walk back to the last one of its name: with at most
 * LIMIT_HEADER_FIELDS + HEADER_DECIDING_FIELDS of them that is cheap enough, and it needs no table that a sender could
 * fill.
 */
#include "standards/message/header.h"
#include "base/array.h"
#include "base/eight.h"
#include "base/limits.h"

#define LINE_MAX_OCTETS 998

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Without the blanks that obs-optional allowed between name and colon, and the blanks and folds round it that nothing
 * allowed but some readers overlook. */
static struct slice plain_name(struct slice name)
{
    return slice_trim(name);
}

/* Most names differ in their first letter. */
static bool begin_otherwise(struct slice a, struct slice b)
{
    unsigned x = a.n ? (unsigned char)a.p[0] | 32u : 0, y = b.n ? (unsigned char)b.p[0] | 32u : 0;
    return x - 'a' < 26 && y - 'a' < 26 && x != y;
}

/* NUL counts as nothing: mail systems drop it, and what reads names as C strings ends there. */
static bool same_name(struct slice a, struct slice b)
{
    if (begin_otherwise(a, b))
        return false;
    a = plain_name(a);
    b = plain_name(b);
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a.n && a.p[i] == '\0')
            i++;
        while (j < b.n && b.p[j] == '\0')
            j++;
        if (i == a.n || j == b.n)
            return i == a.n && j == b.n;
        if (!slice_eq_nocase(slice_of(a.p + i++, 1), slice_of(b.p + j++, 1)))
            return false;
    }
}

/* field-name = 1*ftext, ftext = %d33-57 / %d59-126 */
static bool is_field_name(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < 33 || name.p[i] > 126 || name.p[i] == ':')
            return false;
    return name.n > 0;
}

static unsigned name_flaws(struct slice name)
{
    if (is_field_name(name))
        return 0; /* nearly all: nothing below is in it */
    struct slice plain = plain_name(name);
    unsigned flaws = is_field_name(plain) ? 0 : HEADER_BAD_NAME;
    if (name.n && is_blank(name.p[name.n - 1]))
        flaws |= HEADER_BLANK_COLON;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        flaws |= c == '\0' ? HEADER_NUL : c == '\r' ? HEADER_BARE_CR : c == '\n' ? HEADER_BARE_LF : 0;
    }
    if (flaws & (HEADER_NUL | HEADER_BARE_CR | HEADER_BARE_LF) || (name.n && is_blank(name.p[0])))
        flaws |= HEADER_BAD_NAME;
    return flaws;
}

/* Looks at the line end at v.p[i]: whether it folds, and what stands on the line behind it. Sets *i to its LF. */
static unsigned line_end_flaws(struct slice v, size_t *i)
{
    unsigned flaws = 0;
    if (v.p[*i] == '\r') {
        if (*i + 1 >= v.n || v.p[*i + 1] != '\n')
            return HEADER_BARE_CR;
        ++*i;
    }
    if (*i + 1 >= v.n || !is_blank(v.p[*i + 1]))
        return HEADER_BARE_LF;
    size_t j = *i + 1;
    while (j < v.n && is_blank(v.p[j]))
        j++;
    if (j == v.n || v.p[j] == '\n' || v.p[j] == '\r')
        flaws |= HEADER_EMPTY_FOLD;
    return flaws;
}

static bool value_has(struct slice v, char c)
{
    return memchr(v.p, c, v.n) != NULL;
}

/* Octets at the start that are no controls: no line end, no NUL. */
static size_t text_run(struct slice v)
{
    size_t n = 0;
    while (n + 8 <= v.n && !eight_below(eight_at(v.p + n), ' '))
        n += 8;
    return n;
}

static unsigned value_flaws(struct slice v, size_t name_length)
{
    if (v.n == 0 ||
        (name_length + 1 + v.n <= LINE_MAX_OCTETS && !value_has(v, '\r') && !value_has(v, '\n') && !value_has(v, '\0')))
        return 0; /* most fields: one line */
    unsigned flaws = 0;
    size_t line = name_length + 1;
    for (size_t i = 0; i < v.n; i++) {
        const size_t run = text_run(slice_from(v, i));
        i += run;
        line += run;
        if (line > LINE_MAX_OCTETS)
            flaws |= HEADER_LONG_LINE;
        if (i == v.n)
            break;
        if (v.p[i] == '\r' || v.p[i] == '\n') {
            flaws |= line_end_flaws(v, &i);
            line = 0;
            continue;
        }
        if (v.p[i] == '\0')
            flaws |= HEADER_NUL;
        if (++line > LINE_MAX_OCTETS)
            flaws |= HEADER_LONG_LINE;
    }
    return flaws;
}

/* Equal for names that same_name() takes for one (FNV-1a). */
static uint32_t name_key(struct slice name)
{
    uint32_t key = 2166136261u;
    name = plain_name(name);
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c != '\0')
            key = (key ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 16777619u;
    }
    return key;
}

static bool is_named(const struct header_field *field, struct slice name, uint32_t key)
{
    return field->key == key && (slice_eq(field->name, name) || same_name(field->name, name));
}

void header_list_init(struct header_list *list, struct arena *arena)
{
    *list = (struct header_list){.arena = arena};
}

bool header_is(const struct header_field *field, const char *name)
{
    return same_name(field->name, slice_str(name));
}

/* Where the next line begins behind a CR or LF alone, from i on; v.n: nowhere. */
static size_t next_stray_line(struct slice v, size_t i)
{
    for (; i < v.n; i++)
        if ((v.p[i] == '\r' || v.p[i] == '\n') && (line_end_flaws(v, &i) & (HEADER_BARE_CR | HEADER_BARE_LF)))
            return i + 1;
    return v.n;
}

bool header_within(struct slice value, const char *name, size_t *at, struct slice *out)
{
    const struct slice wanted = slice_str(name);
    for (size_t begin = next_stray_line(value, *at), end; begin < value.n; begin = end) {
        end = next_stray_line(value, begin);
        struct slice line = slice_of(value.p + begin, end - begin);
        while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
            line.n--;
        const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
        if (!colon || !same_name(slice_of(line.p, (size_t)(colon - line.p)), wanted))
            continue;
        *out = slice_from(line, (size_t)(colon - line.p) + 1);
        *at = end - 1;
        return true;
    }
    return false;
}

const struct header_field *header_find(const struct header_list *list, const char *name, unsigned nth)
{
    struct slice wanted = slice_str(name);
    uint32_t key = name_key(wanted);
    for (size_t i = 0; i < list->count; i++)
        if (is_named(&list->fields[i], wanted, key) && nth-- == 1)
            return &list->fields[i];
    return NULL;
}

size_t header_count(const struct header_list *list, const char *name)
{
    struct slice wanted = slice_str(name);
    uint32_t key = name_key(wanted);
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++)
        n += is_named(&list->fields[i], wanted, key);
    return n;
}

size_t header_count_seen(const struct header_list *list, const char *name)
{
    struct slice inner;
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct header_field *field = &list->fields[i];
        if (header_is(field, name))
            n++;
        else if (field->flaws & (HEADER_BARE_CR | HEADER_BARE_LF))
            for (size_t at = 0; header_within(field->value, name, &at, &inner);)
                n++;
    }
    return n;
}

/* Room for one more; what the list had before stays in the arena unused, at most as much again. */
static enum status list_grow(struct header_list *list)
{
    struct header_field *more = array_grow_in(list->arena, list->fields, &list->room, 32, sizeof *more);
    if (!more)
        return STATUS_NOMEM;
    list->fields = more;
    return STATUS_OK;
}

/* From and the others that RFC 5322 3.6 allows once; what claims to be ours (RFC 8601 5); signatures. */
static bool decides(struct slice name)
{
    static const char *const names[] = {
        "From",
        "Sender",
        "Reply-To",
        "To",
        "Cc",
        "Bcc",
        "Date",
        "Message-ID",
        "Subject",
        "In-Reply-To",
        "References",
        "Authentication-Results",
        "Assay-Verdict",
        "DKIM-Signature",
        "ARC-Seal",
        "ARC-Message-Signature",
        "ARC-Authentication-Results",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (same_name(name, slice_str(names[i])))
            return true;
    return false;
}

/* Notes a bound that is passed. Whether the field is to be kept, *value perhaps cut to what is kept of it. */
static bool check_bounds(struct header_list *list, struct slice name, struct slice *value)
{
    size_t n = name.n + value->n + 3;
    if (list->count < LIMIT_HEADER_FIELDS && n <= LIMIT_HEADER_FIELD &&
        n <= LIMIT_HEADER_BYTES - (list->bytes - list->extra_bytes))
        return true;
    list->over_limit = true;
    if (!decides(name))
        return false;
    if (n > LIMIT_HEADER_FIELD) {
        list->blind = true;
        value->n = LIMIT_HEADER_FIELD > name.n + 3 ? LIMIT_HEADER_FIELD - name.n - 3 : 0;
        n = name.n + value->n + 3;
    }
    if (list->extra_fields >= HEADER_DECIDING_FIELDS || n > HEADER_DECIDING_BYTES - list->extra_bytes) {
        list->blind = true;
        return false;
    }
    list->extra_fields++;
    list->extra_bytes += n;
    return true;
}

/* The number of the next field of this name: the last one before it has the number before it. */
static unsigned next_index(const struct header_list *list, struct slice name, uint32_t key)
{
    for (size_t i = list->count; i-- > 0;)
        if (is_named(&list->fields[i], name, key))
            return list->fields[i].index + 1;
    return 1;
}

/* Appends a field whose texts already live long enough. */
static enum status field_append(struct header_list *list, struct slice name, struct slice value)
{
    if (list->count == list->room && list_grow(list) != STATUS_OK)
        return STATUS_NOMEM;
    const uint32_t key = name_key(name);
    const unsigned index = next_index(list, name, key);
    unsigned flaws = name_flaws(name) | value_flaws(value, name.n);
    list->fields[list->count++] = (struct header_field){name, value, index, flaws, key};
    list->bytes += name.n + value.n + 3;
    list->flaws |= flaws;
    return STATUS_OK;
}

enum status header_list_add(struct header_list *list, struct slice name, struct slice value)
{
    size_t whole = value.n, before = list->extra_fields;
    if (!check_bounds(list, name, &value))
        return STATUS_LIMIT;
    struct slice own_name = arena_slice(list->arena, name), own_value = arena_slice(list->arena, value);
    if (arena_failed(list->arena))
        return STATUS_NOMEM;
    enum status s = field_append(list, own_name, own_value);
    return s == STATUS_OK && (list->extra_fields > before || value.n < whole) ? STATUS_LIMIT : s;
}

/* ---- a saved message ---- */

struct reader {
    struct slice rest;
    bool crlf; /* lines of this file end in CRLF */
};

/* The next line without its end; false if there is none. */
static bool next_line(struct reader *r, struct slice *line)
{
    if (r->rest.n == 0)
        return false;
    const char *end = r->rest.p + r->rest.n, *at = r->rest.p;
    for (;;) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at || !r->crlf || (at > r->rest.p && at[-1] == '\r'))
            break;
        at++;
        if (at == end) {
            at = NULL;
            break;
        }
    }
    size_t n = at ? (size_t)(at - r->rest.p) : r->rest.n;
    *line = slice_of(r->rest.p, n);
    if (at && r->crlf)
        line->n--;
    r->rest = slice_from(r->rest, at ? n + 1 : n);
    return true;
}

static bool ends_in_crlf(struct slice message)
{
    const char *lf = message.n ? memchr(message.p, '\n', message.n) : NULL;
    return lf && lf > message.p && lf[-1] == '\r';
}

/* A line that begins a field: name, colon, value. */
static bool split_field(struct slice line, struct slice *name, struct slice *value)
{
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    if (!colon)
        return false;
    *name = slice_of(line.p, (size_t)(colon - line.p));
    *value = slice_from(line, name->n + 1);
    return name->n > 0;
}

/* In a file whose lines end in CRLF an LF alone is a bare one, even where a blank follows. */
static bool has_lone_lf(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
            return true;
    return false;
}

static enum status take_field(struct header_list *list, struct slice field, bool crlf)
{
    struct slice name, value;
    if (!split_field(field, &name, &value)) {
        list->flaws |= HEADER_BAD_LINE;
        return STATUS_OK;
    }
    if (!check_bounds(list, name, &value))
        return STATUS_OK;
    enum status s = field_append(list, name, value);
    if (s == STATUS_OK && crlf && has_lone_lf(field)) {
        list->fields[list->count - 1].flaws |= HEADER_BARE_LF;
        list->flaws |= HEADER_BARE_LF;
    }
    return s;
}

/* The separator line of an mbox file: "From " and an address; not a From field with a blank before its colon. */
static bool is_mbox_line(struct slice message)
{
    size_t i = 5;
    if (message.n < 6 || memcmp(message.p, "From ", 5) != 0)
        return false;
    while (i < message.n && is_blank(message.p[i]))
        i++;
    return i < message.n && message.p[i] != ':';
}

enum status header_parse_message(struct header_list *list, struct slice message, struct slice *body)
{
    struct reader r = {message, ends_in_crlf(message)};
    struct slice line, field = SLICE_NULL;
    enum status s = STATUS_OK;
    bool ended = false;
    if (is_mbox_line(message))
        (void)next_line(&r, &line);
    while (s == STATUS_OK && !ended && next_line(&r, &line)) {
        ended = line.n == 0;
        if (line.n && is_blank(line.p[0])) {
            if (!field.p) {
                list->flaws |= HEADER_FIRST_BLANK | HEADER_BAD_LINE;
                field = line;
            }
            field.n = (size_t)(line.p + line.n - field.p);
            continue;
        }
        if (field.p)
            s = take_field(list, field, r.crlf);
        field = line;
    }
    if (!ended) {
        list->flaws |= HEADER_NO_END;
        if (s == STATUS_OK && field.p)
            s = take_field(list, field, r.crlf);
    }
    if (body)
        *body = r.rest;
    return s == STATUS_OK && list->over_limit ? STATUS_LIMIT : s;
}

struct slice header_unfold(struct arena *arena, struct slice value)
{
    char *out = arena_alloc(arena, value.n + 1);
    size_t n = 0;
    if (!out)
        return SLICE_NULL;
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] != '\r' && value.p[i] != '\n')
            out[n++] = value.p[i];
    out[n] = '\0';
    return slice_trim(slice_of(out, n));
}
