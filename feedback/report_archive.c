// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_archive.c - goes through zip (APPNOTE.TXT 6.3, with its 64 bits) and tar (POSIX ustar and pax, GNU).
 *
 * Promises that a file whose checksum is wrong, that is cut off, encrypted or packed in a way that is not read is
 * named, never taken; that the directory of a zip file decides which files are in it, and that each whole file of one
 * that lost its directory is found; that of archives one behind the other each is looked at; and that a file whose name
 * says that it is a report, and that is none, is named. Every number out of an archive is compared with what is there
 * before it is used.
 */
#include "feedback/report_archive.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define ZIP_HEADER 30
#define ZIP_ENTRY 46
#define ZIP_END 22
#define ZIP_END_64 56
#define ZIP_PLACE_64 20
#define ZIP_DESCRIPTOR 24           /* octets, at most */
#define ZIP_32 UINT32_C(0xffffffff) /* the number is in the field of 64 bits */
#define TAR_BLOCK ((size_t)512)
#define NAME_MOST 120

static uint64_t le(const char *p, int octets)
{
    uint64_t v = 0;
    for (int i = octets; i-- > 0;)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

/* A file of an archive, by its entry in the directory, or without one by its own header. */
struct zipped {
    const char *name;
    size_t name_length;
    unsigned flags, method;
    uint32_t sum;
    bool later; /* sum and sizes stand behind the octets, and no directory has them */
    uint64_t packed, plain, at;
};

/* The numbers that do not fit the entry, in their order (APPNOTE 4.5.3). */
static void read_64(struct zipped *z, struct slice extra)
{
    uint64_t *const wanted[] = {z->plain == ZIP_32 ? &z->plain : NULL, z->packed == ZIP_32 ? &z->packed : NULL,
                                z->at == ZIP_32 ? &z->at : NULL};
    while (extra.n >= 4) {
        struct slice field = slice_from(extra, 4);
        size_t size = le(extra.p + 2, 2);
        bool is = le(extra.p, 2) == 1;
        field.n = field.n < size ? field.n : size;
        extra = slice_from(extra, 4 + size);
        for (size_t i = 0; i < 3 && is; i++)
            if (wanted[i] && field.n >= 8) {
                *wanted[i] = le(field.p, 8);
                field = slice_from(field, 8);
            }
    }
}

static bool sum_is(struct slice s, uint32_t sum)
{
    uLong have = crc32(0, NULL, 0);
    while (s.n) {
        size_t n = s.n < REPORT_SCRATCH_STEP ? s.n : REPORT_SCRATCH_STEP;
        have = crc32(have, (const Bytef *)s.p, (uInt)n);
        report_scratch_passed(s.p);
        s = slice_from(s, n);
    }
    return have == sum;
}

/* The sum in the descriptor behind a file's octets, with or without a mark (APPNOTE 4.3.9). False: it is cut off. */
static bool sum_behind(struct slice s, uint32_t *sum)
{
    s = slice_from(s, s.n >= 4 && memcmp(s.p, "PK\7\10", 4) == 0 ? 4 : 0);
    *sum = s.n >= 4 ? (uint32_t)le(s.p, 4) : 0;
    return s.n >= 4;
}

/* Looks at one file whose octets begin with data. *used: octets of it. */
static void look_at_zipped(struct report_walk *w, struct report_item it, const struct zipped *z, struct slice data,
                           size_t *used)
{
    char where[300];
    struct report_scratch out = REPORT_UNPACKED;
    const char *why = NULL;
    snprintf(where, sizeof where, "%.150s: %.*s", it.where,
             (int)(z->name_length < NAME_MOST ? z->name_length : NAME_MOST), z->name);
    it = (struct report_item){data, where, it.depth - 1, report_walk_is_named(slice_of(z->name, z->name_length))};
    *used = data.n;
    if (z->name_length && z->name[z->name_length - 1] == '/')
        return; /* a folder */
    if (z->flags & 1)
        why = "it is encrypted";
    else if (z->method == 8)
        why = report_walk_inflate(w, data, -15, &out, used);
    else if (z->method != 0)
        why = "it is packed in a way that is not read";
    else if (data.n < z->packed)
        why = "it is cut off";
    struct slice text = z->method == 8 ? report_scratch_text(&out) : data;
    uint32_t sum = z->sum;
    bool known = !z->later || sum_behind(slice_from(data, *used), &sum);
    if (!why && out.status == STATUS_OK && known && !sum_is(text, sum))
        why = "it is damaged: its checksum is wrong";
    if (why || z->method != 0)
        report_walk_look_at(w, why, &out, it);
    else
        w->look(w, it);
}

static void look_at_entry(struct report_walk *w, struct report_item it, const char *entry, struct slice all)
{
    struct zipped z = {.name = entry + ZIP_ENTRY,
                       .name_length = le(entry + 28, 2),
                       .flags = (unsigned)le(entry + 8, 2),
                       .method = (unsigned)le(entry + 10, 2),
                       .sum = (uint32_t)le(entry + 16, 4),
                       .packed = le(entry + 20, 4),
                       .plain = le(entry + 24, 4),
                       .at = le(entry + 42, 4)};
    size_t used;
    read_64(&z, slice_of(entry + ZIP_ENTRY + z.name_length, le(entry + 30, 2)));
    struct slice local = slice_from(all, z.at < all.n ? (size_t)z.at : all.n);
    if (local.n < ZIP_HEADER || memcmp(local.p, "PK\3\4", 4) != 0) {
        char where[300];
        snprintf(where, sizeof where, "%.150s: %.*s", it.where,
                 (int)(z.name_length < NAME_MOST ? z.name_length : NAME_MOST), z.name);
        report_walk_unread(w, where, "the archive's directory points to no file");
        return;
    }
    struct slice data = slice_from(local, ZIP_HEADER + le(local.p + 26, 2) + le(local.p + 28, 2));
    data.n = data.n < z.packed ? data.n : (size_t)z.packed;
    look_at_zipped(w, it, &z, data, &used);
}

/* ---- a zip file with its directory ---- */

struct directory {
    struct slice entries, all; /* all: from where the archive begins */
    uint64_t count;
};

/* The directory that an end record at this place tells of. False: it is no such record. */
static bool read_end(struct slice in, size_t at, struct directory *d)
{
    const char *end = in.p + at;
    uint64_t size = le(end + 12, 4), offset = le(end + 16, 4);
    size_t behind = at;
    d->count = le(end + 10, 2);
    if (at >= ZIP_PLACE_64 + ZIP_END_64 && memcmp(end - ZIP_PLACE_64, "PK\6\7", 4) == 0 &&
        memcmp(end - ZIP_PLACE_64 - ZIP_END_64, "PK\6\6", 4) == 0) {
        behind = at - ZIP_PLACE_64 - ZIP_END_64;
        d->count = le(in.p + behind + 32, 8);
        size = le(in.p + behind + 40, 8);
        offset = le(in.p + behind + 48, 8);
    }
    if (size > behind || offset > behind - size)
        return false;
    if (!d->count && le(end + 20, 2) != in.n - at - ZIP_END)
        return false;                         /* octets of a comment */
    const char *first = in.p + behind - size; /* the directory ends where its end record begins */
    if (d->count && (size < ZIP_ENTRY || memcmp(first, "PK\1\2", 4) != 0))
        return false;
    d->entries = slice_of(first, (size_t)size);
    d->all = slice_from(in, behind - (size_t)size - (size_t)offset);
    return true;
}

static bool find_directory(struct slice in, struct directory *d)
{
    for (size_t back = ZIP_END; back <= in.n && back <= ZIP_END + 65535; back++)
        if (memcmp(in.p + in.n - back, "PK\5\6", 4) == 0 && read_end(in, in.n - back, d))
            return true;
    return false;
}

/* Without the mark of an archive that was to be split and fitted into one piece (APPNOTE 8.5.4). */
static struct slice without_mark(struct slice in)
{
    bool marked = in.n >= 4 && (memcmp(in.p, "PK\7\10", 4) == 0 || memcmp(in.p, "PK00", 4) == 0);
    return slice_from(in, marked ? 4 : 0);
}

bool report_archive_is_zip(struct slice in)
{
    in = without_mark(in);
    return in.n >= 4 && memcmp(in.p, "PK\3\4", 4) == 0;
}

bool report_archive_ends_as_zip(struct slice in)
{
    struct directory d;
    return find_directory(in, &d) && d.count && report_archive_is_zip(d.all);
}

static void look_at_entries(struct report_walk *w, struct report_item it, struct directory d)
{
    for (; d.count > 0; d.count--, w->parts++) {
        if (w->parts >= REPORT_IN_PARTS) {
            report_walk_too_many(w, it.where);
            return;
        }
        if (d.entries.n < ZIP_ENTRY || memcmp(d.entries.p, "PK\1\2", 4) != 0)
            break;
        size_t size = ZIP_ENTRY + (size_t)(le(d.entries.p + 28, 2) + le(d.entries.p + 30, 2) + le(d.entries.p + 32, 2));
        if (size > d.entries.n)
            break;
        look_at_entry(w, it, d.entries.p, d.all);
        d.entries = slice_from(d.entries, size);
    }
    if (d.count > 0)
        report_walk_unread(w, it.where, "the archive's directory is cut off, or damaged");
}

/* ---- a zip file that was cut off ---- */

/* What is behind a file's octets: without the descriptor that may follow them (APPNOTE 4.3.9). */
static struct slice next_header(struct slice rest)
{
    const char *next = report_scratch_find(rest, "PK\3\4", 4);
    return next ? slice_from(rest, (size_t)(next - rest.p)) : SLICE_NULL;
}

static void look_at_headers(struct report_walk *w, struct report_item it)
{
    struct slice rest = without_mark(it.in);
    for (; rest.n; w->parts++) {
        if (w->parts >= REPORT_IN_PARTS) {
            report_walk_too_many(w, it.where);
            return;
        }
        if (rest.n < ZIP_HEADER) {
            report_walk_unread(w, it.where, "the zip file is cut off");
            return;
        }
        struct zipped z = {.name = rest.p + ZIP_HEADER,
                           .name_length = le(rest.p + 26, 2),
                           .flags = (unsigned)le(rest.p + 6, 2),
                           .method = (unsigned)le(rest.p + 8, 2),
                           .sum = (uint32_t)le(rest.p + 14, 4),
                           .packed = le(rest.p + 18, 4),
                           .plain = le(rest.p + 22, 4)};
        z.later = z.flags & 8;
        struct slice data = slice_from(rest, ZIP_HEADER + z.name_length + le(rest.p + 28, 2));
        size_t used = data.n;
        if (z.name_length > rest.n - ZIP_HEADER || (z.later && z.method != 8)) {
            report_walk_unread(w, it.where, "the zip file is cut off");
            return;
        }
        read_64(&z, slice_of(z.name + z.name_length, data.n ? le(rest.p + 28, 2) : 0));
        if (!z.later)
            data.n = data.n < z.packed ? data.n : (size_t)z.packed;
        look_at_zipped(w, it, &z, data, &used);
        struct slice behind = slice_of(data.p + used, (size_t)(it.in.p + it.in.n - data.p) - used);
        rest = next_header(behind);
        if (!rest.n && behind.n > ZIP_DESCRIPTOR && !report_scratch_find(behind, "PK\1\2", 4))
            report_walk_unread(w, it.where, "the zip file is cut off, or damaged");
    }
}

void report_archive_zip(struct report_walk *w, struct report_item it)
{
    struct directory d;
    unsigned before = w->found + w->unread;
    bool any = false;
    while (w->parts < REPORT_IN_PARTS && find_directory(it.in, &d)) { /* one behind the other: the last one first */
        look_at_entries(w, it, d);
        it.in.n = (size_t)(d.all.p - it.in.p);
        w->parts++;
        any = true;
    }
    if (w->parts >= REPORT_IN_PARTS)
        report_walk_too_many(w, it.where);
    else if (!any || report_archive_is_zip(it.in))
        look_at_headers(w, it);
    if (w->found + w->unread == before)
        report_walk_unread(w, it.where, "no report is in the archive");
}

/* ---- tar ---- */

/* A number in octal digits, or, as GNU has larger ones, in 256s. False: it is none. */
static bool tar_number(const char *p, size_t n, uint64_t *out)
{
    size_t i = 0;
    *out = 0;
    if ((unsigned char)p[0] == 0x80) {
        for (i = n - 8; i < n; i++)
            *out = *out << 8 | (unsigned char)p[i];
        return true;
    }
    while (i < n && p[i] == ' ')
        i++;
    size_t from = i;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
        *out = *out << 3 | (uint64_t)(p[i] - '0');
    return i > from && (i == n || p[i] == ' ' || p[i] == '\0');
}

/* The sum of the header's octets, with blanks in the sum's own place. */
static bool tar_sum_is_good(const char *h)
{
    uint64_t said, sum = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)h[i];
    return tar_number(h + 148, 8, &said) && said == sum;
}

bool report_archive_is_tar(struct slice in)
{
    return in.n >= TAR_BLOCK && memcmp(in.p + 257, "ustar", 5) == 0 && tar_sum_is_good(in.p);
}

/* A longer name stands in a file of its own in front (GNU's L, the "path=" of POSIX); *name is empty if there is none.
 */
static void tar_long_name(char kind, struct slice data, struct slice *name)
{
    if (kind == 'L')
        *name = slice_of(data.p, data.n ? strnlen(data.p, data.n) : 0);
    const char *path = kind == 'x' && data.n ? memmem(data.p, data.n, " path=", 6) : NULL;
    const char *end = path ? memchr(path, '\n', data.n - (size_t)(path - data.p)) : NULL;
    if (end)
        *name = slice_of(path + 6, (size_t)(end - path) - 6);
}

void report_archive_tar(struct report_walk *w, struct report_item it)
{
    char where[300];
    struct slice rest = it.in, name = SLICE_NULL;
    unsigned before = w->found + w->unread;
    for (; rest.n >= TAR_BLOCK && rest.p[0]; w->parts++) {
        uint64_t size;
        const char *h = rest.p, kind = h[156];
        if (w->parts >= REPORT_IN_PARTS) {
            report_walk_too_many(w, it.where);
            return;
        }
        if (!tar_sum_is_good(h) || !tar_number(h + 124, 12, &size)) {
            report_walk_unread(w, it.where, "the tar file is damaged");
            return;
        }
        rest = slice_from(rest, TAR_BLOCK);
        struct slice data = slice_of(rest.p, size < rest.n ? (size_t)size : rest.n);
        name = name.n ? name : slice_of(h, strnlen(h, 100));
        snprintf(where, sizeof where, "%.150s: %.*s", it.where, (int)(name.n < NAME_MOST ? name.n : NAME_MOST), name.p);
        bool named = report_walk_is_named(name);
        name = SLICE_NULL;
        if (data.n < size)
            report_walk_unread(w, where, "it is cut off");
        else if (kind == 'L' || kind == 'x')
            tar_long_name(kind, data, &name);
        else if (kind == '0' || kind == '\0' || kind == '7')
            w->look(w, (struct report_item){data, where, it.depth - 1, named});
        size_t padded = data.n + (TAR_BLOCK - data.n % TAR_BLOCK) % TAR_BLOCK;
        rest = slice_from(rest, padded);
        report_scratch_passed(rest.p);
    }
    if (w->found + w->unread == before)
        report_walk_unread(w, it.where, "no report is in the archive");
}
