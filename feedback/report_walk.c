// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_walk.c - as report_walk.h says.
 *
 * Promises that no input makes a walk unpack more than REPORT_IN_TEXT octets in all, or REPORT_IN_RATIO times what it
 * read. On failure of one part the others are still read.
 */
#include "feedback/report_walk.h"
#include <string.h>
#include <zlib.h>

/* Whether the name has that at its end, or anywhere; in any case. */
static bool ends(struct slice name, const char *end)
{
    size_t m = strlen(end);
    return name.n >= m && strncasecmp(name.p + name.n - m, end, m) == 0;
}

static bool name_holds(struct slice name, const char *word)
{
    for (size_t m = strlen(word); name.n >= m; name = slice_from(name, 1))
        if (strncasecmp(name.p, word, m) == 0)
            return true;
    return false;
}

bool report_walk_is_named(struct slice name)
{
    static const char *const endings[] = {".xml", ".zip", ".gz", ".tgz", ".json"};
    static const char *const others[] = {".sig", ".asc", ".p7s"};
    bool named = false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        named = named || name_holds(name, endings[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        named = named && !ends(name, others[i]);
    return named && !name_holds(name, "__MACOSX/") && !name_holds(name, "/._") &&
           !(name.n > 1 && memcmp(name.p, "._", 2) == 0);
}

void report_walk_unread(struct report_walk *w, const char *where, const char *why)
{
    w->unread++;
    w->to->unread(w->to->context, where, why, STATUS_INVALID);
}

void report_walk_not_unpacked(struct report_walk *w, const char *where, enum status st)
{
    w->unread++;
    w->to->unread(w->to->context, where,
                  st == STATUS_LIMIT   ? "it unpacks to more than is read"
                  : st == STATUS_AGAIN ? "there is no room on the disk (TMPDIR) to unpack it"
                                       : "it needs more memory than is given to a report",
                  st);
}

void report_walk_too_many(struct report_walk *w, const char *where)
{
    if (!w->full)
        report_walk_unread(w, where, "it has more parts than are looked at");
    w->full = true;
}

const char *report_walk_inflate(struct report_walk *w, struct slice in, int bits, struct report_scratch *out,
                                size_t *used)
{
    unsigned char space[65536];
    z_stream z = {.next_in = (Bytef *)(void *)(size_t)in.p, .avail_in = (uInt)in.n};
    size_t most = in.n * REPORT_IN_RATIO + 4096, total = 0;
    size_t left = REPORT_IN_TEXT - w->unpacked;
    most = most < left ? most : left;
    if (inflateInit2(&z, bits) != Z_OK) {
        out->status = STATUS_NOMEM;
        *used = in.n;
        return NULL;
    }
    int rc;
    do {
        z.next_out = space;
        z.avail_out = sizeof space;
        rc = inflate(&z, Z_NO_FLUSH);
        total += sizeof space - z.avail_out;
        if (total <= most)
            report_scratch_add(out, space, sizeof space - z.avail_out);
        report_scratch_passed((const char *)z.next_in);
    } while (rc == Z_OK && total <= most && out->status == STATUS_OK && (z.avail_in || z.avail_out == 0));
    *used = in.n - z.avail_in;
    inflateEnd(&z);
    w->unpacked += total < left ? total : left;
    if (total > most && out->status == STATUS_OK)
        out->status = STATUS_LIMIT;
    return rc == Z_STREAM_END || out->status != STATUS_OK ? NULL : "it is compressed wrongly, or cut off";
}

void report_walk_look_at(struct report_walk *w, const char *why, struct report_scratch *out, struct report_item it)
{
    it.in = why ? SLICE_NULL : report_scratch_text(out);
    if (why)
        report_walk_unread(w, it.where, why);
    else if (out->status != STATUS_OK)
        report_walk_not_unpacked(w, it.where, out->status);
    else
        w->look(w, it);
    report_scratch_end(out);
}
