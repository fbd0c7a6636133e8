// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_sendmail.c - Sendmail: INPUT_MAIL_FILTER in sendmail.mc, and sendmail.cf made from it by m4.
 *
 * F=T makes Sendmail wait while the milter is away; without it mail would come in unjudged. The line goes before the
 * first MAILER line, and before other filters, whose order stays. A sendmail.mc that m4 does not take, or a sendmail.cf
 * that was not made from it, is refused.
 */
#include "cli/harden.h"
#include <stdio.h>

static const char *filter_line(struct harden *h)
{
    const char *rest = strchr(h->socket, ':');
    rest = rest ? rest + 1 : h->socket;
    const char *kind = strncmp(h->socket, "inet", 4) == 0 ? "inet" : "local";
    return arena_printf(h->arena, "INPUT_MAIL_FILTER(`assay', `S=%s:%s, F=T, T=S:30s;R:60s;E:5m')dnl\n", kind, rest);
}

/* Where the line goes: before the first filter or MAILER line. */
static size_t place(struct slice mc)
{
    for (size_t at = 0; at < mc.n;) {
        struct slice line = slice_from(mc, at);
        const char *nl = memchr(line.p, '\n', line.n);
        static const char *const before[] = {"INPUT_MAIL_FILTER(", "MAIL_FILTER(", "MAILER("};
        for (size_t i = 0; i < 3; i++)
            if (line.n > strlen(before[i]) && memcmp(line.p, before[i], strlen(before[i])) == 0)
                return at;
        at = nl ? (size_t)(nl - mc.p) + 1 : mc.n;
    }
    return mc.n;
}

static bool holds(struct slice text, const char *what)
{
    return text.n && memmem(text.p, text.n, what, strlen(what)) != NULL;
}

/* m4's output for this text of sendmail.mc; NULL after a refusal. */
static const char *make_cf(struct harden *h, struct slice mc)
{
    char name[] = "/tmp/assay-sendmail-XXXXXX";
    int fd = mkstemp(name);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool ok = f && fwrite(mc.p, 1, mc.n, f) == mc.n;
    if (f && fclose(f) != 0)
        ok = false;
    const char *argv[] = {"m4", "-I/etc/mail", name, NULL};
    int code = -1;
    const char *out = ok ? harden_run(h, argv, &code) : NULL;
    if (f)
        remove(name);
    if (code == 0 && out && strstr(out, "InputMailFilters"))
        return out;
    harden_refuse(h, "m4 makes no sendmail.cf from sendmail.mc: %.300s", out && *out ? out : "it could not be run");
    return NULL;
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
    if (holds(mc, "INPUT_MAIL_FILTER(`assay'"))
        return;
    const char *line = filter_line(h);
    size_t at = place(mc);
    const char *text =
        line ? arena_printf(h->arena, "%.*s%s%.*s", (int)at, mc.p, line, (int)(mc.n - at), mc.p + at) : NULL;
    const char *made = text ? make_cf(h, slice_str(text)) : NULL;
    if (made && harden_write(h, mc_path, slice_str(text), 0644)) {
        const char *whole = arena_printf(h->arena, "%s\n", made);
        if (whole && harden_write(h, cf_path, slice_str(whole), 0644) && h->reload_count < 8)
            h->reload[h->reload_count++] = "service sendmail reload";
    }
}

void harden_sendmail_release(struct harden *h)
{
    struct slice cf;
    bool exists;
    const char *path = arena_printf(h->arena, "%s/etc/mail/sendmail.cf", h->root);
    if (path && harden_read(h, path, &cf, &exists) && exists && holds(cf, "\nXassay,"))
        harden_refuse(h,
                      "%s still asks assay-milter, and was changed since assay harden: take the line "
                      "INPUT_MAIL_FILTER(`assay', ...) out of sendmail.mc, and make sendmail.cf anew (sendmailconfig)",
                      path);
}
