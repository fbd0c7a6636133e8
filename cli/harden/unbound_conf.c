// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_conf.c - reads Unbound's configuration with all that it includes.
 *
 * Promises that each statement knows the file and line it stands in, that files are read as the proposed changes leave
 * them, and that cycles of includes end (UNBOUND_DEPTH). It judges nothing: unbound-checkconf does.
 */
#include "cli/harden/unbound_conf.h"
#include "base/array.h"
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

static bool statement_add(struct harden *h, struct unbound_conf *c, struct unbound_statement s)
{
    if (c->count == c->room) {
        size_t room = c->room;
        struct unbound_statement *more = array_grow_in(h->arena, c->at, &room, 256, sizeof *more);
        if (!more || room > UNBOUND_STATEMENTS) {
            harden_refuse(h, "%s: Unbound's configuration has more than %d statements", s.file, UNBOUND_STATEMENTS);
            return false;
        }
        c->at = more;
        c->room = room;
    }
    c->at[c->count++] = s;
    return true;
}

struct reader {
    const char *p, *end, *file;
    unsigned line;
};

/* The next word, with its quotes. false: there is none. */
static bool next_word(struct reader *r, struct slice *word, unsigned *line)
{
    for (; r->p < r->end; r->p++) {
        if (*r->p == '#')
            while (r->p + 1 < r->end && r->p[1] != '\n')
                r->p++;
        else if (*r->p == '\n')
            r->line++;
        else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r')
            break;
    }
    if (r->p >= r->end)
        return false;
    const char *start = r->p;
    *line = r->line;
    if (*r->p == '"' || *r->p == '\'') {
        const char quote = *r->p++;
        while (r->p < r->end && *r->p != quote && *r->p != '\n')
            r->p++;
        r->p += r->p < r->end && *r->p == quote;
    } else {
        while (r->p < r->end && !strchr(" \t\r\n#", *r->p))
            r->p++;
        if (r->p == start)
            r->p++; /* NUL */
    }
    *word = slice_of(start, (size_t)(r->p - start));
    return true;
}

/* "name:": a letter, then letters, digits and hyphens. */
static bool is_keyword(struct slice w)
{
    if (w.n < 2 || w.p[w.n - 1] != ':' || w.p[0] < 'a' || w.p[0] > 'z')
        return false;
    for (size_t i = 0; i + 1 < w.n; i++)
        if (!((w.p[i] >= 'a' && w.p[i] <= 'z') || (w.p[i] >= '0' && w.p[i] <= '9') || w.p[i] == '-'))
            return false;
    return true;
}

const char *unbound_bare(struct arena *a, const char *values)
{
    size_t n = strlen(values);
    bool quoted = n >= 2 && (values[0] == '"' || values[0] == '\'') && values[n - 1] == values[0];
    return quoted ? arena_copy(a, values + 1, n - 2) : values;
}

const char *unbound_clause(const struct unbound_conf *c, size_t i)
{
    while (i-- > 0)
        if (!c->at[i].values)
            return c->at[i].name;
    return "";
}

struct reading {
    const char *to;
    struct unbound_conf *out;
};

static bool read_file(struct harden *h, const char *path, unsigned depth, struct reading *in);

static bool include(struct harden *h, const char *pattern, unsigned depth, struct reading *in)
{
    glob_t found = {0};
    bool good = true;
    if (depth >= UNBOUND_DEPTH) {
        harden_refuse(h, "%s: Unbound's configuration includes files more than %d deep", pattern, UNBOUND_DEPTH);
        return false;
    }
    if (strcmp(pattern, UNBOUND_OURS) == 0)
        return statement_add(h, in->out,
                             (struct unbound_statement){.name = "module-config", .values = "", .file = UNBOUND_OURS});
    int rc = glob(pattern, 0, NULL, &found);
    /* Ours is read in its place among the others, though it is only proposed. */
    bool ours = fnmatch(pattern, in->to, FNM_PATHNAME | FNM_PERIOD) == 0;
    for (size_t i = 0; rc == 0 && good && i < found.gl_pathc; i++) {
        int order = strcoll(found.gl_pathv[i], in->to);
        if (ours && order >= 0) {
            good = read_file(h, in->to, depth + 1, in);
            ours = false;
        }
        if (good && order != 0)
            good = read_file(h, arena_strdup(h->arena, found.gl_pathv[i]), depth + 1, in);
    }
    if (good && ours)
        good = read_file(h, in->to, depth + 1, in);
    globfree(&found);
    return good;
}

static bool read_file(struct harden *h, const char *path, unsigned depth, struct reading *in)
{
    struct slice text, word;
    bool exists, good = path && harden_read(h, path, &text, &exists), have;
    unsigned line = 1;
    if (!good)
        return false;
    struct reader r = {.p = text.p, .end = text.p + text.n, .file = path, .line = 1};
    for (have = text.n && next_word(&r, &word, &line); have && good;) {
        struct unbound_statement s = {.file = path, .line = line};
        struct buf values = BUF_INIT;
        bool keyword = is_keyword(word);
        s.name = arena_copy(h->arena, word.p, word.n - keyword);
        while ((have = next_word(&r, &word, &line)) && !(is_keyword(word) && word.p[0] != '"')) {
            if (values.n)
                buf_addc(&values, ' ');
            buf_addslice(&values, word);
        }
        s.values = values.n ? arena_copy(h->arena, values.p, values.n) : NULL;
        buf_release(&values);
        if (!s.name)
            good = false;
        else if (s.values && strncmp(s.name, "include", 7) == 0)
            good = include(h, unbound_bare(h->arena, s.values), depth, in);
        else
            good = statement_add(h, in->out, s);
    }
    return good;
}

bool unbound_conf_read(struct harden *h, const char *path, const char *to, struct unbound_conf *out)
{
    struct reading in = {.to = to, .out = out};
    *out = (struct unbound_conf){0};
    return read_file(h, path, 0, &in);
}
