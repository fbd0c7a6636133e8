// SPDX-License-Identifier: BSD-2-Clause
/*
 * migrate_read.c - the configuration files of opendmarc, opendkim and postfix-policyd-spf-python.
 *
 * The first two: "Name value" in a line, cut at '#'; opendkim's Include reads another file in its place, at most
 * MIGRATE_MAX_INCLUDES deep. The third: "name = value". Names are matched without regard to case, as the programs do. A
 * line that ends in CR LF is read as if it ended in LF. Refused, with file and line: an option that is not in
 * migrate.def (with the nearest one that is), one without a value, a NUL octet, a line beyond MIGRATE_MAX_LINE, a file
 * that is named and cannot be read, a circle of includes. All that is wrong is said, not only the first.
 */
#include "cli/harden/migrate.h"
#include "base/words.h"
#include <strings.h>

static const struct migrate_option table[] = {
#define MIGRATION(program, name, class, initial, words) {MIGRATE_##program, name, MIGRATE_##class, initial, words},
#include "cli/harden/migrate.def"
#undef MIGRATION
};
#define TABLE_COUNT (sizeof table / sizeof *table)

static const struct {
    const char *name, *path;
} programs[] = {
    [MIGRATE_OPENDMARC] = {"opendmarc", "/etc/opendmarc.conf"},
    [MIGRATE_OPENDKIM] = {"opendkim", "/etc/opendkim.conf"},
    [MIGRATE_POLICYD] = {"policyd-spf", "/etc/postfix-policyd-spf-python/policyd-spf.conf"},
};

struct place {
    enum migrate_program program;
    const char *file;
    unsigned line, depth;
};

const char *migrate_program_name(enum migrate_program p)
{
    return programs[p].name;
}

static const struct migrate_option *find_option(enum migrate_program p, struct slice name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (table[i].program == p && slice_eq_nocase(slice_str(table[i].name), name))
            return &table[i];
    return NULL;
}

static void unknown(struct migrate *m, const struct place *at, struct slice name)
{
    const char *names[TABLE_COUNT];
    for (size_t i = 0; i < TABLE_COUNT; i++)
        names[i] = table[i].program == at->program ? table[i].name : NULL;
    const char *near = words_nearest(name, names, TABLE_COUNT);
    harden_refuse(m->h, "%s:%u: '%.*s' is not an option of %s%s%s%s", at->file, at->line, SLICE_ARG(name),
                  programs[at->program].name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void set_value(struct migrate *m, const struct place *at, const struct migrate_option *o, struct slice text)
{
    if (m->count == MIGRATE_MAX_VALUES) {
        harden_refuse(m->h, "%s:%u: more than %d options are set", at->file, at->line, MIGRATE_MAX_VALUES);
        return;
    }
    for (size_t i = 0; i < m->count; i++)
        if (m->values[i].option == o)
            m->values[i].beaten = true;
    m->values[m->count++] = (struct migrate_value){
        .option = o, .file = at->file, .line = at->line, .text = arena_copy(m->h->arena, text.p, text.n)};
}

static bool read_conf(struct migrate *m, const struct place *from, const char *path, bool must);

/* "Name value", or "name = value". */
static void read_option(struct migrate *m, const struct place *at, struct slice line)
{
    const bool equals = at->program == MIGRATE_POLICYD;
    size_t n = 0;
    while (n < line.n && line.p[n] != '=' && line.p[n] != ' ' && line.p[n] != '\t')
        n++;
    struct slice name = slice_of(line.p, n), rest = slice_trim(slice_from(line, n));
    if (equals && rest.n && *rest.p == '=')
        rest = slice_trim(slice_from(rest, 1));
    else if (equals) {
        harden_refuse(m->h, "%s:%u: '%.*s': expected a name, '=' and a value", at->file, at->line, SLICE_ARG(line));
        return;
    }
    if (equals && slice_eq_nocase(name, slice_str("defaultSeedOnly")))
        name = slice_str("TestOnly"); /* what it was once called */
    const struct migrate_option *o = find_option(at->program, name);
    if (!o)
        unknown(m, at, name);
    else if (!rest.n && !equals)
        harden_refuse(m->h, "%s:%u: %s has no value", at->file, at->line, o->name);
    else if (at->program == MIGRATE_OPENDKIM && strcmp(o->name, "Include") == 0)
        read_conf(m, at, arena_copy(m->h->arena, rest.p, rest.n), true);
    else if (rest.n)
        set_value(m, at, o, rest);
}

static void read_lines(struct migrate *m, struct place at, struct slice text)
{
    for (const char *p = text.p, *end = text.p + text.n; p < end; at.line++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        struct slice line = slice_of(p, (size_t)((nl ? nl : end) - p));
        const char *hash = line.n ? memchr(line.p, '#', line.n) : NULL;
        p = nl ? nl + 1 : end;
        if (line.n > MIGRATE_MAX_LINE) {
            harden_refuse(m->h, "%s:%u: a line of %zu octets; at most %d are read", at.file, at.line, line.n,
                          MIGRATE_MAX_LINE);
            continue;
        }
        if (line.n && memchr(line.p, '\0', line.n)) {
            harden_refuse(m->h, "%s:%u: a NUL octet; this is not a text file", at.file, at.line);
            return;
        }
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (hash && (size_t)(hash - line.p) < line.n)
            line.n = (size_t)(hash - line.p);
        line = slice_trim(line);
        if (line.n)
            read_option(m, &at, line);
    }
}

static bool read_conf(struct migrate *m, const struct place *from, const char *path, bool must)
{
    struct slice text;
    bool exists;
    if (!path)
        return false;
    if (from->depth > MIGRATE_MAX_INCLUDES) {
        harden_refuse(m->h, "%s:%u: %s: more than %d files deep; does a file include itself?", from->file, from->line,
                      path, MIGRATE_MAX_INCLUDES);
        return false;
    }
    if (from->depth && *m->h->root && *path == '/')
        path = arena_printf(m->h->arena, "%s%s", m->h->root, path);
    if (!path || !harden_read(m->h, path, &text, &exists))
        return false;
    if (!exists) {
        if (must)
            harden_refuse(m->h, "%s%s%s: there is no such file", from->depth ? from->file : "", from->depth ? ": " : "",
                          path);
        return false;
    }
    read_lines(m, (struct place){from->program, path, 1, from->depth + 1}, text);
    return true;
}

bool migrate_read(struct migrate *m, const struct migrate_paths *paths)
{
    bool any = false;
    m->values = ARENA_ARRAY(m->h->arena, struct migrate_value, MIGRATE_MAX_VALUES);
    if (!m->values) {
        harden_refuse(m->h, "out of memory");
        return false;
    }
    for (unsigned p = 0; p < MIGRATE_PROGRAMS; p++) {
        const struct place top = {.program = (enum migrate_program)p};
        const char *path =
            paths->of[p] ? paths->of[p] : arena_printf(m->h->arena, "%s%s", m->h->root, programs[p].path);
        m->found[p] = read_conf(m, &top, path, paths->of[p] != NULL);
        any |= m->found[p];
    }
    if (!any && !m->h->refused)
        harden_refuse(m->h, "none of %s, %s and %s is there: there is nothing to carry over", programs[0].path,
                      programs[1].path, programs[2].path);
    return !m->h->refused;
}

const struct migrate_value *migrate_value(const struct migrate *m, enum migrate_program p, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (!m->values[i].beaten && m->values[i].option->program == p && strcmp(m->values[i].option->name, name) == 0)
            return &m->values[i];
    return NULL;
}

const char *migrate_text(const struct migrate *m, enum migrate_program p, const char *name)
{
    const struct migrate_value *v = migrate_value(m, p, name);
    const struct migrate_option *o = find_option(p, slice_str(name));
    return v ? v->text : o ? o->initial : "";
}

bool migrate_switch(const struct migrate *m, enum migrate_program p, const char *name)
{
    const struct migrate_value *v = migrate_value(m, p, name);
    const char *text = migrate_text(m, p, name);
    if (*text && strchr("TtYy1", *text))
        return true;
    if (v && !strchr("FfNn0", *text))
        harden_refuse(m->h, "%s:%u: %s %s: neither true nor false", v->file, v->line, name, text);
    return false;
}
