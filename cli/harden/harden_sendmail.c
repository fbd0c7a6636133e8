// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_sendmail.c - Sendmail: INPUT_MAIL_FILTER in sendmail.mc, and sendmail.cf made from it by m4.
 *
 * F=T makes Sendmail wait while the milter is away; without it mail would come in unjudged. The line goes before the
 * first MAILER line, and before other filters, whose order stays. The check is made on the sendmail.cf that m4
 * generates (sendmail_cf.c): if Sendmail would not ask for all mail, it is refused with the reason; so is a sendmail.mc
 * that m4 rejects, and a sendmail.cf that was not generated from it.
 */
#include "cli/harden/harden.h"
#include "cli/harden/scratch.h"
#include "cli/harden/sendmail_cf.h"
#include "base/inet_name.h"
#include <stdio.h>
#include <sys/socket.h>

#define OURS "INPUT_MAIL_FILTER(`assay'"

static const char *filter_line(struct harden *h)
{
    const char *rest = strchr(h->socket, ':');
    rest = rest ? rest + 1 : h->socket;
    struct inet_name n;
    const char *kind = !inet_name_read(h->socket, &n) ? "local" : n.family == AF_INET6 ? "inet6" : "inet";
    return arena_printf(h->arena, OURS ", `S=%s:%s, F=T, T=S:30s;R:60s;E:5m')dnl\n", kind, rest);
}

/* Where the line goes: before the first filter or MAILER line. */
static size_t filter_line_place(struct slice mc)
{
    for (size_t at = 0; at < mc.n;) {
        struct slice line = slice_from(mc, at);
        const char *nl = memchr(line.p, '\n', line.n);
        while (line.n && (*line.p == ' ' || *line.p == '\t'))
            line = slice_from(line, 1);
        static const char *const before[] = {"INPUT_MAIL_FILTER(", "MAIL_FILTER(", "MAILER("};
        for (size_t i = 0; i < 3; i++)
            if (line.n > strlen(before[i]) && memcmp(line.p, before[i], strlen(before[i])) == 0)
                return at;
        at = nl ? (size_t)(nl - mc.p) + 1 : mc.n;
    }
    return mc.n;
}

static bool text_holds(struct slice text, const char *what)
{
    return text.n && memmem(text.p, text.n, what, strlen(what)) != NULL;
}

/* m4's output for this text of sendmail.mc, which holds `must`; NULL after a refusal. */
static const char *make_cf(struct harden *h, struct slice mc, const char *must)
{
    struct scratch scratch;
    char name[SCRATCH_PATH + 16];
    bool made = scratch_open(&scratch, "/tmp", "sendmail");
    snprintf(name, sizeof name, "%s/sendmail.mc", scratch.path);
    FILE *f = made ? fopen(name, "we") : NULL;
    bool ok = f && fwrite(mc.p, 1, mc.n, f) == mc.n;
    if (ok && mc.n && mc.p[mc.n - 1] != '\n') /* m4 would complain of it, among what it makes */
        ok = fputc('\n', f) != EOF;
    if (f && fclose(f) != 0)
        ok = false;
    const char *argv[] = {"m4", "-I/etc/mail", name, NULL};
    int code = -1;
    const char *out = ok ? harden_ask(h, argv, &code) : NULL;
    if (code == 0 && out && strstr(out, must)) {
        scratch_close(&scratch);
        return out;
    }
    out = ok ? harden_run(h, argv, &code) : NULL;
    scratch_close(&scratch);
    harden_refuse(h, "m4 makes no sendmail.cf from sendmail.mc: %.300s", out && *out ? out : "it could not be run");
    return NULL;
}

/* The next line that is no comment, without its newline; *at goes behind it. False: there is none. */
static bool next_line(struct slice text, size_t *at, struct slice *line)
{
    while (*at < text.n) {
        const char *start = text.p + *at, *nl = memchr(start, '\n', text.n - *at);
        size_t n = nl ? (size_t)(nl - start) : text.n - *at;
        *at += n + 1;
        *line = slice_of(start, n);
        while (line->n && (line->p[line->n - 1] == ' ' || line->p[line->n - 1] == '\t'))
            line->n--;
        if (line->n && line->p[0] != '#')
            return true;
    }
    return false;
}

/* Tells whether this sendmail.cf is what sendmail.mc makes; comments (when it was made, by whom) apart. Else what is
 * written into it by hand would be lost. */
static bool made_from(struct harden *h, struct slice cf, struct slice mc, const char *path)
{
    const char *made = make_cf(h, mc, "\nR");
    size_t a = 0, b = 0;
    struct slice in_cf = SLICE_NULL, in_made = SLICE_NULL;
    if (!made)
        return false;
    for (;;) {
        bool more = next_line(cf, &a, &in_cf), more_made = next_line(slice_str(made), &b, &in_made);
        if (!more && !more_made)
            return true;
        if (more == more_made && slice_eq(in_cf, in_made))
            continue;
        harden_refuse(h,
                      "%s was not made from the sendmail.mc beside it: it has \"%.*s\", and \"%.*s\" would be made; "
                      "put what was written by hand into "
                      "sendmail.mc and run sendmailconfig, then again",
                      path, more ? (int)(in_cf.n < 80 ? in_cf.n : 80) : 3, more ? in_cf.p : "end",
                      more_made ? (int)(in_made.n < 80 ? in_made.n : 80) : 3, more_made ? in_made.p : "end");
        return false;
    }
}

void harden_sendmail(struct harden *h)
{
    struct slice mc, cf;
    bool exists, cf_exists;
    const char *mc_path = arena_printf(h->arena, "%s/etc/mail/sendmail.mc", h->root),
               *cf_path = arena_printf(h->arena, "%s/etc/mail/sendmail.cf", h->root);
    if (!mc_path || !cf_path || !harden_read(h, mc_path, &mc, &exists) || !harden_read(h, cf_path, &cf, &cf_exists))
        return;
    if (!cf_exists)
        return;
    h->found_mta = true;
    if (!exists) {
        harden_refuse(
            h, "%s is there, but the sendmail.mc it was made from is not: add the filter of contrib/sendmail by hand",
            cf_path);
        return;
    }
    struct sendmail_verdict v = sendmail_cf_judge(h->arena, cf, h->socket);
    if (!v.trouble) {
        (void)harden_tell_socket(h);
        return;
    }
    if (!made_from(h, cf, mc, cf_path))
        return;
    if (v.defined) {
        harden_refuse(h, "%s: %s\nfix or remove the line of the filter assay in sendmail.mc, then run this again",
                      cf_path, v.trouble);
        return;
    }
    const char *line = filter_line(h);
    size_t at = filter_line_place(mc);
    const char *end = at == mc.n && mc.n && mc.p[mc.n - 1] != '\n' ? "\n" : "";
    const char *text =
        line ? arena_printf(h->arena, "%.*s%s%s%.*s", (int)at, mc.p, end, line, (int)(mc.n - at), mc.p + at) : NULL;
    const char *made = text ? make_cf(h, slice_str(text), "\nR") : NULL;
    if (!made)
        return;
    v = sendmail_cf_judge(h->arena, slice_str(made), h->socket);
    if (v.trouble) {
        harden_refuse(
            h,
            "with the filter's line in %s, sendmail.cf would still not ask as it should: %s\nchange what sets "
            "that in sendmail.mc or in a file that it includes, then run this again",
            mc_path, v.trouble);
        return;
    }
    if (harden_tell_socket(h) && harden_write(h, mc_path, slice_str(text), 0644)) {
        const char *whole = arena_printf(h->arena, "%s\n", made);
        harden_reason(h, "INPUT_MAIL_FILTER", "assay-milter judges each mail; while it does not run, mail waits (F=T)");
        if (whole && harden_write(h, cf_path, slice_str(whole), 0644))
            harden_reload_by(h, "service sendmail reload");
    }
}

/* "INPUT_MAIL_FILTER(`assay'", with blanks and quotes as m4 takes them. */
static bool is_our_line(struct slice line)
{
    static const char macro[] = "INPUT_MAIL_FILTER(";
    while (line.n && (*line.p == ' ' || *line.p == '\t'))
        line = slice_from(line, 1);
    if (line.n < sizeof macro || memcmp(line.p, macro, sizeof macro - 1) != 0)
        return false;
    line = slice_from(line, sizeof macro - 1);
    while (line.n && strchr(" \t`", *line.p))
        line = slice_from(line, 1);
    return line.n > 5 && memcmp(line.p, "assay", 5) == 0 && strchr("', \t", line.p[5]);
}

/* sendmail.mc without the lines that name us. */
static const char *without_ours(struct harden *h, struct slice mc)
{
    const char *out = "";
    for (size_t at = 0; out && at < mc.n;) {
        struct slice rest = slice_from(mc, at);
        const char *nl = memchr(rest.p, '\n', rest.n);
        size_t n = nl ? (size_t)(nl - rest.p) + 1 : rest.n;
        if (!is_our_line(slice_of(rest.p, n)))
            out = arena_printf(h->arena, "%s%.*s", out, (int)n, rest.p);
        at += n;
    }
    return out;
}

static bool names_us(struct slice mc)
{
    for (size_t at = 0; at < mc.n;) {
        struct slice rest = slice_from(mc, at);
        const char *nl = memchr(rest.p, '\n', rest.n);
        size_t n = nl ? (size_t)(nl - rest.p) + 1 : rest.n;
        if (is_our_line(slice_of(rest.p, n)))
            return true;
        at += n;
    }
    return false;
}

void harden_sendmail_release(struct harden *h)
{
    struct slice cf, mc;
    bool cf_exists, mc_exists;
    const char *cf_path = arena_printf(h->arena, "%s/etc/mail/sendmail.cf", h->root),
               *mc_path = arena_printf(h->arena, "%s/etc/mail/sendmail.mc", h->root);
    if (!cf_path || !mc_path || !harden_read(h, cf_path, &cf, &cf_exists) || !harden_read(h, mc_path, &mc, &mc_exists))
        return;
    bool asks = cf_exists && text_holds(cf, "\nXassay,"), would_ask = mc_exists && names_us(mc);
    if (asks && !would_ask)
        harden_refuse(h,
                      "%s still asks assay-milter, and was changed since assay harden; %s take the line \"Xassay\" and "
                      "the word assay in \"O "
                      "InputMailFilters\" out of it",
                      cf_path,
                      mc_exists ? "the sendmail.mc beside it asks no more: make it anew (sendmailconfig), or"
                                : "there is no sendmail.mc to make it of:");
    if (!would_ask || (asks && !made_from(h, cf, mc, cf_path)))
        return;
    const char *text = without_ours(h, mc), *made = asks && text ? make_cf(h, slice_str(text), "\nR") : NULL;
    const char *whole = made ? arena_printf(h->arena, "%s\n", made) : NULL;
    if (!text || (asks && !whole))
        return;
    if (harden_write(h, mc_path, slice_str(text), 0644) && whole)
        (void)harden_write(h, cf_path, slice_str(whole), 0644);
}
