// SPDX-License-Identifier: BSD-2-Clause
/*
 * migrate_entries.c - the hosts and domains that an option of the old configuration lists, itself or in a file.
 *
 * A value that begins with '/', "file:" or "refile:" names a file with one entry in a line, '#' a comment; a pattern in
 * it ("*.example.org", of refile:) is a name, as typed. "csl:", or anything else, is a list separated by commas or
 * blanks. An address or a network becomes a network: host bits are masked,
 * ::ffff:192.0.2.0/120 is 192.0.2.0/24, square brackets fall away. All else is a name, as typed; "!..." too. Refused:
 * data sets of other kinds (ldap:, dsn:, db:, lua:), a file that is not there or cannot be read, NUL, more
 * than MIGRATE_MAX_ENTRIES.
 */
#include "cli/harden/migrate.h"
#include "base/array.h"
#include <ctype.h>
#include <strings.h>

static bool take_net(struct slice text, struct ip_net *net)
{
    const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    struct slice host = slash ? slice_of(text.p, (size_t)(slash - text.p)) : text;
    unsigned bits = 0;
    struct ip ip;
    if (ip_from_text(host, &ip) != STATUS_OK)
        return false;
    const unsigned width = ip.family == 4 ? 32 : 128;
    for (const char *d = slash ? slash + 1 : NULL; d && d < text.p + text.n; d++) {
        if (!isdigit((unsigned char)*d) || bits > 128)
            return false;
        bits = bits * 10 + (unsigned)(*d - '0');
    }
    if (!slash)
        bits = width;
    else if (ip.family == 4 && memchr(host.p, ':', host.n)) /* IPv4 written as IPv6 */
        bits = bits < 96 ? 129 : bits - 96;
    if (bits > width || (slash && slash + 1 == text.p + text.n))
        return false;
    *net = ip_net_of(&ip, bits);
    return true;
}

/* Makes room for one more network and one more name. */
static bool set_grow(struct migrate *m, struct migrate_set *set)
{
    if (set->net_count == set->net_room) {
        struct ip_net *more = array_grow_in(m->h->arena, set->nets, &set->net_room, 16, sizeof *more);
        if (!more)
            return false;
        set->nets = more;
    }
    if (set->name_count == set->name_room) {
        const char **more = array_grow_in(m->h->arena, set->names, &set->name_room, 16, sizeof *more);
        if (!more)
            return false;
        set->names = more;
    }
    return true;
}

static bool entry_add(struct migrate *m, const struct migrate_value *v, struct slice entry, struct migrate_set *set)
{
    size_t count = set->net_count + set->name_count;
    if (!entry.n)
        return true;
    if (count == MIGRATE_MAX_ENTRIES || !set_grow(m, set)) {
        harden_refuse(m->h, "%s:%u: %s: more than %d entries", v->file, v->line, v->option->name, MIGRATE_MAX_ENTRIES);
        return false;
    }
    if (entry.p[0] == '[' && entry.n > 2 && memchr(entry.p, ']', entry.n)) { /* [192.0.2.0]/24 */
        const char *close = memchr(entry.p, ']', entry.n);
        const char *bare = arena_printf(m->h->arena, "%.*s%.*s", (int)(close - entry.p - 1), entry.p + 1,
                                        (int)(entry.p + entry.n - close - 1), close + 1);
        entry = bare ? slice_str(bare) : entry;
    }
    if (take_net(entry, &set->nets[set->net_count]))
        set->net_count++;
    else
        set->names[set->name_count++] = arena_copy(m->h->arena, entry.p, entry.n);
    return true;
}

static bool add_all(struct migrate *m, const struct migrate_value *v, struct slice text, bool file,
                    struct migrate_set *set)
{
    while (text.n) {
        size_t n = 0;
        while (n < text.n && !(file ? text.p[n] == '\n' : strchr(", \t", text.p[n]) != NULL))
            n++;
        struct slice entry = slice_of(text.p, n);
        text = slice_from(text, n < text.n ? n + 1 : n);
        const char *hash = file && entry.n ? memchr(entry.p, '#', entry.n) : NULL;
        if (hash)
            entry.n = (size_t)(hash - entry.p);
        if (!entry_add(m, v, slice_trim(entry), set))
            return false;
    }
    return true;
}

static bool add_file(struct migrate *m, const struct migrate_value *v, const char *path, struct migrate_set *set)
{
    struct slice text;
    bool exists;
    const char *base =
        migrate_text(m, v->option->program, v->option->program == MIGRATE_POLICYD ? "" : "BaseDirectory");
    const char *real = *path == '/' || !*base ? arena_printf(m->h->arena, "%s%s", m->h->root, path)
                                              : arena_printf(m->h->arena, "%s%s/%s", m->h->root, base, path);
    if (!real || !harden_read(m->h, real, &text, &exists))
        return false;
    if (!exists)
        harden_refuse(m->h, "%s:%u: %s names %s, and there is no such file", v->file, v->line, v->option->name, real);
    else if (text.n && memchr(text.p, '\0', text.n))
        harden_refuse(m->h, "%s: a NUL octet; this is not a text file", real);
    else
        return add_all(m, v, text, true, set);
    return false;
}

const char *migrate_named_file(const struct migrate_value *v)
{
    return *v->text == '/'                           ? v->text
           : strncasecmp(v->text, "file:", 5) == 0   ? v->text + 5
           : strncasecmp(v->text, "refile:", 7) == 0 ? v->text + 7
                                                     : NULL;
}

bool migrate_entries(struct migrate *m, const struct migrate_value *v, struct migrate_set *set)
{
    static const char *const others[] = {
        "db:", "bdb:", "ldap:", "ldaps:", "ldapi:", "dsn:", "lua:", "mdb:", "memcache:", "repute:", "socket:"};
    *set = (struct migrate_set){0};
    if (!v)
        return true;
    const bool a_file =
        strcmp(v->option->name, "IgnoreHosts") == 0 || strcmp(v->option->name, "DomainWhitelistFile") == 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncasecmp(v->text, others[i], strlen(others[i])) == 0) {
            harden_refuse(m->h,
                          "%s:%u: %s %s: a data set of this kind is not read; write its entries into a file of one "
                          "entry a line",
                          v->file, v->line, v->option->name, v->text);
            return false;
        }
    if (migrate_named_file(v))
        return add_file(m, v, migrate_named_file(v), set);
    if (strncasecmp(v->text, "csl:", 4) == 0)
        return add_all(m, v, slice_str(v->text + 4), false, set);
    if (a_file)
        return add_file(m, v, v->text, set);
    return add_all(m, v, slice_str(v->text), false, set);
}
