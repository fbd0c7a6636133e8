// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_save.c - writes the answers of a scope as a replay file (dns_replay.h), so that a case can be judged again years
 * later.
 *
 * Each answer becomes lines of its own question: an answer found at the end of a CNAME chain is written with "as",
 * since the links are not known here. Names that were none are left out (they are none again). Fails only where writing
 * fails.
 */
#include "base/clock.h"
#include "dns/dns_replay.h"
#include "dns/dns_source.h"
#include "dns/dns_text.h"

static void add_type(enum dns_type type, struct buf *out)
{
    const char *name = dns_type_name(type);
    if (strcmp(name, "?") == 0)
        buf_printf(out, "TYPE%u", (unsigned)type);
    else
        buf_adds(out, name);
}

/* "NAME secure 300 as OTHER " of an answer that came. */
static void add_head(const char *name, const struct dns_answer *a, struct buf *out)
{
    buf_printf(out, "%s%s %s %u ", name, strcmp(name, ".") == 0 ? "" : ".",
               a->security == DNS_SECURE ? "secure" : "insecure", (unsigned)a->ttl);
    if (a->canonical)
        buf_printf(out, "as %s ", a->canonical);
}

static void add_answer(const struct dns_answer *a, struct buf *out)
{
    char name[DNS_NAME_TEXT];
    if (dns_name_normal(a->name, name) != STATUS_OK)
        return;
    switch (a->state) {
    case DNS_FOUND:
        for (size_t i = 0; i < a->count; i++) {
            add_head(name, a, out);
            add_type(a->type, out);
            buf_addc(out, ' ');
            dns_rdata_print(a->type, a->rdata[i], out);
            buf_addc(out, '\n');
        }
        return;
    case DNS_NODATA:
    case DNS_NXDOMAIN:
        add_head(name, a, out);
        buf_adds(out, a->state == DNS_NODATA ? "nodata " : "nxdomain ");
        break;
    case DNS_TEMPFAIL:
    case DNS_BOGUS:
        buf_printf(out, "%s%s %s ", name, strcmp(name, ".") == 0 ? "" : ".",
                   a->state == DNS_BOGUS ? "bogus" : "servfail");
        dns_string_print(slice_str(a->why ? a->why : "not known"), out);
        buf_addc(out, ' ');
        break;
    case DNS_BADNAME:
        return;
    }
    add_type(a->type, out);
    buf_addc(out, '\n');
}

enum status dns_replay_write(const struct dns_scope *scope, FILE *to)
{
    struct buf text = BUF_INIT;
    char when[CLOCK_TEXT];
    const struct dns_answer *a;
    buf_printf(&text, "time %s\n", clock_utc_text(clock_wall(), when));
    for (size_t i = 0; (a = dns_trace(scope, i)) != NULL; i++)
        add_answer(a, &text);
    enum status s = STATUS_OK;
    if (text.failed)
        s = STATUS_NOMEM;
    else if (fwrite(text.p, 1, text.n, to) != text.n || fflush(to) != 0)
        s = STATUS_AGAIN;
    buf_release(&text);
    return s;
}
