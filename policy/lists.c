// SPDX-License-Identifier: BSD-2-Clause
/*
 * lists.c - files of names: one domain, network or recipient address a line, `#` begins a comment.
 *
 * A domain means it and all below, as everywhere. Names become canonical names; text that is already a canonical name
 * skips libidn2, so that a million lines are read in well under a second. Each bad line is an error with its place (at
 * most POLICY_LIST_MESSAGES_MAX of a file are told), and a list with a bad line makes the policy bad: half a list would
 * be a rule nobody wrote.
 */
#include "base/domain.h"
#include "base/array.h"
#include "policy/load.h"
#include <stdlib.h>

/* Tells whether the line is a canonical name as it stands: lower case, two labels or more, nothing that needs a second
 * look. */
static bool plainly_kept(struct slice s)
{
    size_t label = 0, labels = 1;
    bool digits_only = true;
    if (s.n > LIMIT_DOMAIN)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '.') {
            if (label == 0 || label > LIMIT_LABEL)
                return false;
            label = 0;
            labels++;
            digits_only = true;
            continue;
        }
        bool letter = (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && c != '-' && (c < '0' || c > '9'))
            return false;
        if (label == 0 && c == 'x' && s.n - i >= 4 && memcmp(s.p + i, "xn--", 4) == 0)
            return false;
        digits_only = digits_only && !letter;
        label++;
    }
    return label && label <= LIMIT_LABEL && labels > 1 && !digits_only;
}

static enum status add_address(struct list *list, struct slice w, size_t at)
{
    char key[KEYSET_KEY_MAX + 1], domain[LIMIT_DOMAIN + 1];
    bool added;
    enum status s = domain_from_text(slice_from(w, at + 1), domain);
    if (s != STATUS_OK || at == 0 || at + 1 + strlen(domain) > KEYSET_KEY_MAX)
        return STATUS_INVALID;
    for (size_t i = 0; i < at; i++)
        key[i] = (char)(w.p[i] >= 'A' && w.p[i] <= 'Z' ? w.p[i] + ('a' - 'A') : w.p[i]);
    key[at] = '@';
    size_t n = strlen(domain);
    memcpy(key + at + 1, domain, n);
    s = keyset_add(&list->keys, slice_of(key, at + 1 + n), &added);
    list->has_address = list->has_address || s == STATUS_OK;
    return s;
}

/* What was meant as an address or a number: no top-level domain is all digits (RFC 3696 2). */
static bool like_number(struct slice w)
{
    size_t i = w.n;
    if (i && w.p[i - 1] == '.')
        i--;
    size_t end = i;
    while (i && w.p[i - 1] >= '0' && w.p[i - 1] <= '9')
        i--;
    return memchr(w.p, '/', w.n) || (i < end && (i == 0 || w.p[i - 1] == '.'));
}

static enum status add_line(struct list *list, struct slice w)
{
    char kept[LIMIT_DOMAIN + 1];
    struct ip_net net;
    bool added;
    if (plainly_kept(w)) {
        memcpy(kept, w.p, w.n);
        kept[w.n] = '\0';
        return keyset_add_domain(&list->keys, kept, &added);
    }
    const char *at = memrchr(w.p, '@', w.n);
    if (at)
        return add_address(list, w, (size_t)(at - w.p));
    if (ip_net_from_text(w, &net) == STATUS_OK)
        return keyset_add_net(&list->keys, &net, &added);
    enum status s = like_number(w) ? STATUS_INVALID : domain_from_text(w, kept);
    return s == STATUS_OK ? keyset_add_domain(&list->keys, kept, &added) : s;
}

struct reading {
    struct loader *ld;
    const char *shown;
    struct list *list;
    unsigned lineno;
    unsigned errors;
};

static void bad_line(struct reading *r, struct slice line, struct slice w, const char *help, const char *what)
{
    struct place at = {.file = r->shown, .lineno = r->lineno, .line = line, .text = w};
    r->errors++;
    if (r->errors <= POLICY_LIST_MESSAGES_MAX)
        loader_error(r->ld, &at, help, "%s", what);
    else
        r->ld->errors++;
}

static void read_line(struct reading *r, struct slice line)
{
    if (line.n > POLICY_LIST_LINE_MAX) {
        bad_line(r, slice_of(line.p, POLICY_LIST_LINE_MAX), slice_of(line.p, 1), "one name a line",
                 "the line is too long");
        return;
    }
    const char *comment = memchr(line.p, '#', line.n);
    struct slice w = slice_trim(comment ? slice_of(line.p, (size_t)(comment - line.p)) : line);
    if (!w.n)
        return;
    enum status s = add_line(r->list, w);
    if (s == STATUS_NOMEM)
        r->ld->out_of_memory = true;
    else if (s != STATUS_OK) {
        bool wild = w.n > 2 && (w.p[0] == '*' || w.p[0] == '.');
        const char *help = wild ? "a domain means it and all below: leave out what is before it"
                                : "one domain, network (192.0.2.0/24) or address (name@domain) a line";
        bad_line(r, line, w, help,
                 s == STATUS_LIMIT ? "this is too long for a name" : "this is not a domain name, network or address");
    }
}

/* A program, an archive, UTF-16: one error instead of one a line. */
static bool is_text(struct reading *r, struct slice text)
{
    if (!text.n || !memchr(text.p, '\0', text.n))
        return true;
    struct place at = {.file = r->shown};
    r->errors++;
    loader_error(r->ld, &at, "a list is a UTF-8 text with one name a line",
                 "this list holds NUL octets: it is not a text file (a program, an archive, UTF-16?)");
    return false;
}

static size_t count_lines(struct slice text)
{
    size_t n = 1;
    for (const char *p = text.p, *end = text.p + text.n; p && p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        n++;
    return n;
}

static void read_lines(struct reading *r, struct slice text)
{
    if (!is_text(r, text))
        return;
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = slice_from(text, 3);
    keyset_reserve(&r->list->keys, count_lines(text), text.n);
    while (text.n && !r->ld->out_of_memory) {
        const char *end = memchr(text.p, '\n', text.n);
        struct slice line = end ? slice_of(text.p, (size_t)(end - text.p)) : text;
        r->lineno++;
        read_line(r, line);
        text = slice_from(text, line.n + (end != NULL));
    }
    keyset_trim(&r->list->keys);
    if (r->errors > POLICY_LIST_MESSAGES_MAX) {
        struct place at = {.file = r->shown};
        report_add(r->ld->report, POLICY_NOTE, &at, NULL, "bad lines of this list that are not shown: %u",
                   r->errors - POLICY_LIST_MESSAGES_MAX);
    }
}

/* A tightening file's list must be in its folder or below and belong to the same owner: else a customer could make us
 * read any file. */
static bool may_read(struct loader *ld, const struct item *it, const char *written, const struct place *at)
{
    if (!it->unit->tighten || loader_source(ld, it->unit))
        return true;
    if (written[0] != '/' && !strstr(written, ".."))
        return true;
    loader_error(ld, at, "name a file beside this one",
                 "this file may only tighten: its lists lie beside it or below, without '..'");
    return false;
}

static void read_list(struct loader *ld, struct list *list)
{
    const struct item *it = &ld->p->items[list->item];
    struct place at;
    struct source_text t = {0};
    item_place_word(it, it->whom_word, &at);
    const struct slice w = it->whom_word;
    const char *written = w.n >= 2 ? arena_copy(ld->p->arena, w.p + 1, w.n - 2) : NULL;
    if (!written || !may_read(ld, it, written, &at))
        return;
    t.owned_by = it->unit->tighten && it->unit->owner != 0;
    t.must_own = it->unit->owner;
    if (!loader_source(ld, it->unit))
        loader_tries(ld, list->path);
    if (loader_read(loader_source(ld, it->unit), SNAPSHOT_LIST, list->path, POLICY_LIST_MAX, &t) != STATUS_OK) {
        loader_error(ld, &at, t.help ? t.help : "a relative path is taken from the folder of the file that names it",
                     "cannot read list %s: %s", list->name, t.reason);
        return;
    }
    struct reading r = {.ld = ld, .list = list, .shown = loader_path(ld, it->unit->shown, written)};
    if (r.shown)
        read_lines(&r, t.text);
    source_text_release(&t);
}

static bool add_list(struct policy *p, struct list *list)
{
    if (p->list_count == p->list_size) {
        struct list **more = array_grow(p->lists, &p->list_size, 16, sizeof *more);
        if (!more)
            return false;
        p->lists = more;
    }
    p->lists[p->list_count++] = list;
    return true;
}

static void define(struct loader *ld, uint32_t i)
{
    struct policy *p = ld->p;
    const struct item *it = &p->items[i];
    const struct unit *scope = it->unit->tighten ? it->unit : NULL;
    char *key = arena_printf(p->arena, "%u %s", scope ? scope->number : 0, it->s.name);
    const uint64_t *there = key ? map_get(&p->list_names, slice_str(key)) : NULL;
    if (there) {
        struct place at;
        const struct policy_statement *first = &p->items[p->lists[*there]->item].s;
        item_place(it, &at);
        loader_error(ld, &at, NULL, "list %s is defined already, in %s line %u", it->s.name, first->file, first->line);
        return;
    }
    struct list *list = ARENA_NEW(p->arena, struct list);
    if (!key || !list || map_put(&p->list_names, slice_str(key), p->list_count) != STATUS_OK || !add_list(p, list)) {
        ld->out_of_memory = true;
        return;
    }
    *list = (struct list){.name = it->s.name, .path = it->s.value, .scope = scope, .item = i};
    keyset_init(&list->keys, p->seed);
}

static void define_one(struct loader *ld, uint32_t i)
{
    const struct unit *u = ld->p->items[i].unit;
    size_t before = ld->errors;
    define(ld, i);
    if (u->tighten)
        loader_forgive(ld, u->path, before);
}

static void read_one(struct loader *ld, struct list *list)
{
    const struct unit *u = ld->p->items[list->item].unit;
    size_t before = ld->errors;
    read_list(ld, list);
    if (u->tighten)
        loader_forgive(ld, u->path, before);
}

void loader_lists(struct loader *ld)
{
    for (uint32_t i = 0; i < ld->p->item_count && !ld->out_of_memory; i++)
        if (ld->p->items[i].s.kind == POLICY_LIST)
            define_one(ld, i);
    for (size_t i = 0; i < ld->p->list_count && !ld->out_of_memory; i++)
        read_one(ld, ld->p->lists[i]);
}
