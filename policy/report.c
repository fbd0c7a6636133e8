// SPDX-License-Identifier: BSD-2-Clause
/*
 * report.c - the errors and warnings about a policy, with their places.
 *
 * Promises that all texts are safe to print (base/utf8.h), that a message's source line is a window of at most WINDOW
 * columns round the place, and that at most POLICY_MESSAGES_MAX messages are kept: further ones are counted, and the
 * last message says how many. If memory runs out a report loses texts, never counts: policy_load fails on errors even
 * if their texts were lost.
 */
#include "policy/report.h"
#include "base/arena.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "policy/limits.h"
#include <stdlib.h>

#define WINDOW 150u
#define LEAD 60u

struct policy_report {
    struct arena *arena;
    struct policy_message *messages;
    size_t count;
    bool json;                            /* the policy says `set log.format json` */
    size_t by_severity[POLICY_ERROR + 1]; /* all that were added, kept or not */
};

struct policy_report *policy_report_new(void)
{
    struct policy_report *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->arena = arena_new(16u * 1024 * 1024);
    r->messages = calloc(POLICY_MESSAGES_MAX + 1, sizeof *r->messages);
    if (!r->arena || !r->messages)
        return policy_report_free(r);
    return r;
}

struct policy_report *policy_report_free(struct policy_report *r)
{
    if (r) {
        arena_free(r->arena);
        free(r->messages);
        free(r);
    }
    return NULL;
}

size_t policy_report_count(const struct policy_report *r, enum policy_severity at_least)
{
    size_t n = 0;
    for (int s = at_least; r && s <= POLICY_ERROR; s++)
        n += r->by_severity[s];
    return n;
}

const struct policy_message *policy_report_at(const struct policy_report *r, size_t i)
{
    return r && i < r->count ? &r->messages[i] : NULL;
}

void report_set_json(struct policy_report *r)
{
    if (r)
        r->json = true;
}

bool policy_report_wants_json(const struct policy_report *r)
{
    return r && r->json;
}

const char *report_visible(struct policy_report *r, struct slice text, size_t most)
{
    struct buf b = BUF_INIT;
    struct slice cut = text.n > most ? slice_of(text.p, most) : text;
    while (cut.n < text.n && cut.n && ((unsigned char)text.p[cut.n] & 0xc0) == 0x80)
        cut.n--;
    struct buf safe = BUF_INIT;
    secret_add(&safe, cut);
    utf8_add_visible(&b, buf_slice(&safe));
    buf_release(&safe);
    if (cut.n < text.n)
        buf_adds(&b, "...");
    const char *kept = r ? arena_copy(r->arena, b.p, b.n) : NULL;
    buf_release(&b);
    return kept ? kept : "?";
}

static unsigned columns(struct slice s)
{
    unsigned n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* The start of the window: of a short line its start; else LEAD octets before the place at most, at the start of a
 * character. */
static size_t window_start(struct slice line, size_t at)
{
    size_t from = at > LEAD && line.n > WINDOW ? at - LEAD : 0;
    while (from && from < line.n && ((unsigned char)line.p[from] & 0xc0) == 0x80)
        from--;
    return from;
}

/* The line without passwords; all places in it stay the same. */
static struct slice without_password(struct policy_report *r, struct slice line)
{
    size_t start, end;
    if (!secret_find(line, 0, &start, &end))
        return line;
    char *copy = arena_copy(r->arena, line.p, line.n);
    if (copy)
        (void)secret_blank(copy, line.n);
    return copy ? slice_of(copy, line.n) : SLICE_NULL;
}

/* A part of the source line, safe on a terminal; a tab is shown as one blank, so that the caret stands right. */
static void add_source(struct buf *b, struct slice part)
{
    while (part.n) {
        const char *tab = memchr(part.p, '\t', part.n);
        size_t n = tab ? (size_t)(tab - part.p) : part.n;
        utf8_add_visible(b, slice_of(part.p, n));
        if (tab)
            buf_addc(b, ' ');
        part = slice_from(part, n + (tab != NULL));
    }
}

static void message_draw(struct policy_report *r, struct policy_message *m, const struct place *shown)
{
    struct buf b = BUF_INIT;
    size_t place = (size_t)(shown->text.p - shown->line.p), from = window_start(shown->line, place);
    struct slice line = without_password(r, shown->line);
    if (!line.p)
        return;
    struct place hidden = {.line = line, .text = slice_of(line.p + place, shown->text.n)}, *at = &hidden;
    size_t end = at->line.n - from > WINDOW ? from + WINDOW : at->line.n;
    while (end > place && end < at->line.n && ((unsigned char)at->line.p[end] & 0xc0) == 0x80)
        end--;
    if (from)
        buf_adds(&b, "...");
    add_source(&b, slice_of(at->line.p + from, place - from));
    m->caret = columns(buf_slice(&b));
    size_t marked = at->text.n < end - place ? at->text.n : end - place, before = b.n;
    add_source(&b, slice_of(at->text.p, marked));
    unsigned length = columns(slice_of(b.p + before, b.n - before));
    m->caret_length = length ? length : 1;
    add_source(&b, slice_of(at->line.p + place + marked, end - place - marked));
    if (end < at->line.n)
        buf_adds(&b, "...");
    m->source = arena_copy(r->arena, b.p, b.n);
    buf_release(&b);
}

void report_vadd(struct policy_report *r, enum policy_severity severity, const struct place *at, const char *help,
                 const char *fmt, va_list ap)
{
    if (!r)
        return;
    r->by_severity[severity]++;
    if (r->count >= POLICY_MESSAGES_MAX) {
        struct policy_message *last = &r->messages[POLICY_MESSAGES_MAX];
        *last = (struct policy_message){
            .severity = last->severity > severity ? last->severity : severity,
        };
        last->file = report_visible(r, slice_str(at->file), 4096);
        last->text = arena_printf(r->arena, "more than %u messages: the rest is not shown", POLICY_MESSAGES_MAX);
        last->text = last->text ? last->text : "?";
        r->count = POLICY_MESSAGES_MAX + 1;
        return;
    }
    struct policy_message *m = &r->messages[r->count++];
    *m = (struct policy_message){.severity = severity, .line = at->lineno, .caret_length = 1, .length = 1};
    m->file = report_visible(r, slice_str(at->file), 4096);
    m->text = arena_vprintf(r->arena, fmt, ap);
    m->text = m->text ? m->text : "?";
    m->help = arena_strdup(r->arena, help);
    m->column = at->lineno ? 1 : 0;
    /* A word that is not of that line could not be drawn in it. */
    if (at->line.p && at->text.p && at->text.p >= at->line.p && at->text.p <= at->line.p + at->line.n) {
        m->column = columns(slice_of(at->line.p, (size_t)(at->text.p - at->line.p))) + 1;
        unsigned length = columns(at->text);
        m->length = length ? length : 1;
        message_draw(r, m, at);
    }
}

void report_add(struct policy_report *r, enum policy_severity severity, const struct place *at, const char *help,
                const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report_vadd(r, severity, at, help, fmt, ap);
    va_end(ap);
}

static bool goes_before(const struct policy_message *a, const struct policy_message *b)
{
    if (!a->file || !b->file || strcmp(a->file, b->file) != 0)
        return false;
    if (a->line != b->line)
        return a->line < b->line;
    return a->column < b->column;
}

/* Insertion: few messages, mostly in order, and equal places must keep their order. Files keep the order of their first
 * message. */
void report_soften(struct policy_report *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->messages[i].severity == POLICY_ERROR)
            r->messages[i].severity = POLICY_WARNING;
    r->by_severity[POLICY_WARNING] += r->by_severity[POLICY_ERROR];
    r->by_severity[POLICY_ERROR] = 0;
}

void report_sort(struct policy_report *r)
{
    size_t n = r ? r->count : 0;
    if (n > POLICY_MESSAGES_MAX)
        n = POLICY_MESSAGES_MAX;
    for (size_t i = 1; i < n; i++) {
        struct policy_message m = r->messages[i];
        size_t j = i, to = i;
        while (j > 0) {
            j--;
            if (!strcmp(r->messages[j].file ? r->messages[j].file : "", m.file ? m.file : "") &&
                !goes_before(&m, &r->messages[j]))
                break;
            if (goes_before(&m, &r->messages[j]))
                to = j;
        }
        memmove(&r->messages[to + 1], &r->messages[to], (i - to) * sizeof m);
        r->messages[to] = m;
    }
}

void policy_message_line(const struct policy_message *m, struct buf *out)
{
    buf_adds(out, m->file ? m->file : "");
    if (m->line)
        buf_printf(out, ":%u:%u", m->line, m->column);
    buf_printf(out, ": %s", m->text);
    if (m->help)
        buf_printf(out, "; help: %s", m->help);
}

void policy_report_log_errors(const struct policy_report *r, void (*say)(const char *fmt, ...))
{
    const struct policy_message *m;
    struct buf b = BUF_INIT;

    for (size_t i = 0; (m = policy_report_at(r, i)) != NULL; i++) {
        if (m->severity != POLICY_ERROR)
            continue;
        buf_reset(&b);
        policy_message_line(m, &b);
        say("policy error: %s", b.failed || !b.n ? "out of memory" : b.p);
    }
    buf_release(&b);
}

void policy_message_print(const struct policy_message *m, struct buf *out)
{
    static const char *const words[] = {"note", "warning", "error"};
    buf_adds(out, m->file);
    if (m->line)
        buf_printf(out, ":%u:%u", m->line, m->column);
    buf_printf(out, ": %s: %s\n", words[m->severity], m->text);
    if (m->source) {
        buf_printf(out, "    %s\n    ", m->source);
        for (unsigned i = 0; i < m->caret; i++)
            buf_addc(out, ' ');
        buf_addc(out, '^');
        for (unsigned i = 1; i < m->caret_length; i++)
            buf_addc(out, '~');
        buf_addc(out, '\n');
    }
    if (m->help)
        buf_printf(out, "  help: %s\n", m->help);
}

void policy_report_print(const struct policy_report *r, enum policy_severity at_least, struct buf *out)
{
    const struct policy_message *m;
    for (size_t i = 0; (m = policy_report_at(r, i)) != NULL; i++)
        if (m->severity >= at_least)
            policy_message_print(m, out);
}
