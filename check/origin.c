// SPDX-License-Identifier: BSD-2-Clause
/*
 * origin.c - reads a file of routes, and TXT records of origins (origin.h).
 *
 * Promises that a wrong line is named with its number, and that the most specific route decides.
 */
#include "check/origin.h"
#include "check/prefix_table.h"
#include <errno.h>
#include <stdio.h>

#define LINE 512
/* "64500", at most 4294967295 (RFC 6793). */
static bool read_origin(struct slice text, uint32_t *out)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || (n = n * 10 + (uint64_t)(text.p[i] - '0')) > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)n;
    return text.n > 0;
}

/* The first word, cut off *s at any of the separators. */
static struct slice next_word(struct slice *s, const char *separators)
{
    size_t i = 0, n;
    while (i < s->n && strchr(separators, s->p[i]))
        i++;
    *s = slice_from(*s, i);
    for (n = 0; n < s->n && !strchr(separators, s->p[n]); n++)
        ;
    struct slice word = slice_of(s->p, n);
    *s = slice_from(*s, n);
    return word;
}

/* NULL, or what is wrong with the line. */
static const char *read_route(struct prefix_table *t, struct slice line)
{
    static const char *const wanted = "should be NETWORK LENGTH ORIGIN, as in \"192.0.2.0 24 64500\"";
    struct slice network = next_word(&line, " \t"), bits = next_word(&line, " \t"), origins = next_word(&line, " \t");
    struct prefix p = {.as = 0};
    struct ip address;
    uint32_t length, origin;
    if (ip_from_text(network, &address) != STATUS_OK || !read_origin(bits, &length) ||
        length > (address.family == 4 ? 32 : 128) || !origins.n)
        return wanted;
    p.network = ip_net_of(&address, length);
    bool set = memchr(origins.p, ',', origins.n) != NULL;
    for (size_t i = 0; i < ORIGIN_SEVERAL && (origins.n || !i); i++) {
        struct slice word = next_word(&origins, "_,{}");
        if (!read_origin(word, &origin))
            return wanted;
        p.as = set ? 0 : origin;
        enum status added = prefix_table_add(t, &p);
        if (added != STATUS_OK)
            return added == STATUS_LIMIT ? "is beyond the bound of 4,000,000 routes" : "out of memory";
        if (set)
            break;
    }
    return NULL;
}

struct prefix_table *origin_load(const char *path, char why[ORIGIN_WHY])
{
    struct prefix_table *t = prefix_table_new();
    FILE *f = fopen(path, "re");
    char line[LINE];
    const char *wrong = NULL;
    unsigned number = 0;
    *why = '\0';
    if (!t || !f)
        snprintf(why, ORIGIN_WHY, "%s: %s", path, t ? strerror(errno) : "out of memory");
    while (t && f && !wrong && fgets(line, sizeof line, f)) {
        size_t n = strcspn(line, "\r\n");
        number++;
        if (line[n] == '\0' && n == sizeof line - 1)
            wrong = "is too long";
        else if (n && line[0] != '#')
            wrong = read_route(t, slice_of(line, n));
    }
    if (f && ferror(f))
        snprintf(why, ORIGIN_WHY, "%s: %s", path, strerror(errno));
    if (wrong)
        snprintf(why, ORIGIN_WHY, "%s:%u: the line %s", path, number, wrong);
    if (f)
        fclose(f);
    if (*why)
        return prefix_table_free(t);
    prefix_table_sort(t);
    return t;
}

static void add_origin(struct buf *out, uint32_t origin, const struct ip_net *network)
{
    char text[IP_NET_TEXT];
    buf_printf(out, "%s%u %s", out->n ? ", " : "", (unsigned)origin, ip_net_text(network, text));
}

void origin_of(const struct prefix_table *t, const struct ip *a, struct buf *out)
{
    size_t count = 0;
    for (int bits = a->family == 4 ? 32 : 128; bits >= 0 && !count; bits--) {
        const struct prefix *p = prefix_table_find(t, a, (unsigned)bits, &count);
        for (size_t i = 0; i < count && i < ORIGIN_SEVERAL; i++)
            add_origin(out, p[i].as, &p[i].network);
    }
}

bool origin_from_txt(struct slice text, const struct ip *a, struct buf *out)
{
    const char *bar = text.n ? memchr(text.p, '|', text.n) : NULL;
    if (!bar)
        return false;
    struct slice origins = slice_of(text.p, (size_t)(bar - text.p)), rest = slice_from(text, origins.n + 1);
    struct slice word = next_word(&rest, " \t|");
    struct ip_net network;
    uint32_t origin;
    if (ip_net_from_text(word, &network) != STATUS_OK || !ip_in_net(a, &network))
        return false;
    bool some = false;
    for (int i = 0; i < ORIGIN_SEVERAL; i++, some = true) {
        word = next_word(&origins, " \t");
        if (!read_origin(word, &origin))
            return some;
        add_origin(out, origin, &network);
    }
    return some;
}
