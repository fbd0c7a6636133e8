// SPDX-License-Identifier: BSD-2-Clause
/*
 * facts.c - reads a file of facts (facts.h).
 *
 * Promises that a file that is too long, cut off, of a newer version or out of its grammar is refused with its line,
 * and so is one with a value that cannot be read, a field that is not known, or anything said twice: what is judged is
 * all that the file says. No entry beyond a bound is kept. Everything lives in the caller's arena.
 */
#include "check/facts.h"
#include "base/base64.h"
#include "base/domain.h"
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#define FIELDS 32

struct field {
    struct slice name;
    const char *value; /* octets undone, NUL behind */
    size_t n;
};

struct line {
    struct facts *f;
    struct field fields[FIELDS];
    bool used[FIELDS]; /* somebody asked for it */
    size_t count;
    const char *wrong; /* with the first value that cannot be read; NULL */
};

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A quoted value; *s begins behind the quote and ends behind the closing one. NULL: not closed, a bad escape,
 * memory. */
static char *read_quoted(struct arena *arena, struct slice *s, size_t *n)
{
    const char *close = s->n ? memchr(s->p, '"', s->n) : NULL;
    char *out = close ? arena_alloc(arena, (size_t)(close - s->p) + 1) : NULL;
    if (!out)
        return NULL;
    *n = 0;
    const char *p = s->p;
    while (p < close) {
        if (*p != '\\') {
            out[(*n)++] = *p++;
        } else {
            int high = close - p >= 4 && p[1] == 'x' ? hex(p[2]) : -1, low = high >= 0 ? hex(p[3]) : -1;
            if (low < 0)
                return NULL;
            out[(*n)++] = (char)(high << 4 | low);
            p += 4;
        }
    }
    out[*n] = '\0';
    *s = slice_from(*s, (size_t)(close - s->p) + 1);
    return out;
}

static const char *read_fields(struct line *l, struct slice s)
{
    for (l->count = 0; s.n; l->count++) {
        if (s.p[0] != ' ' || l->count == FIELDS)
            return l->count == FIELDS ? "too many fields" : "a blank should be here, before a field";
        s = slice_from(s, 1);
        const char *equals = s.n ? memchr(s.p, '=', s.n) : NULL;
        if (!equals || equals == s.p)
            return "a field should be NAME=VALUE";
        struct field *f = &l->fields[l->count];
        f->name = slice_of(s.p, (size_t)(equals - s.p));
        s = slice_from(s, f->name.n + 1);
        if (s.n && s.p[0] == '"') {
            s = slice_from(s, 1);
            f->value = read_quoted(l->f->arena, &s, &f->n);
        } else {
            const char *blank = s.n ? memchr(s.p, ' ', s.n) : NULL;
            f->n = blank ? (size_t)(blank - s.p) : s.n;
            f->value = arena_copy(l->f->arena, s.p ? s.p : "", f->n);
            s = slice_from(s, f->n);
        }
        if (!f->value)
            return arena_failed(l->f->arena) ? "out of memory"
                                             : "a quoted value should end with a quote and hold \\xHH";
    }
    return NULL;
}

/* The first thing that is wrong with a line is what is said of it. */
static void say_wrong(struct line *l, const char *name, const char *what)
{
    if (!l->wrong)
        l->wrong = arena_printf(l->f->arena, "%s= %s", name, what);
    if (!l->wrong)
        l->wrong = "out of memory";
}

static const struct field *find_field(struct line *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (slice_eq(l->fields[i].name, slice_str(name))) {
            l->used[i] = true;
            return &l->fields[i];
        }
    return NULL;
}

/* "" where it is not there: the tests need no NULL. */
static const char *text_of(struct line *l, const char *name)
{
    const struct field *f = find_field(l, name);
    if (f && memchr(f->value, '\0', f->n))
        say_wrong(l, name, "should be text, without NUL");
    return f ? f->value : "";
}

/* A text that must be there. */
static const char *name_of(struct line *l, const char *name)
{
    const char *text = text_of(l, name);
    if (!*text)
        say_wrong(l, name, "is missing");
    return text;
}

/* Digits alone; 0 where the field is not there. */
static int64_t number_of(struct line *l, const char *name, int64_t most)
{
    const struct field *f = find_field(l, name);
    int64_t n = 0;
    size_t i = 0;
    while (f && i < f->n && f->value[i] >= '0' && f->value[i] <= '9' && n <= most / 10)
        n = 10 * n + (f->value[i++] - '0');
    if (f && (f->n == 0 || i < f->n || n > most)) {
        say_wrong(l, name, arena_printf(l->f->arena, "should be a number from 0 to %" PRId64, most));
        return 0;
    }
    return n;
}

static struct ip address_of(struct line *l)
{
    struct ip a = {.family = 0};
    if (ip_from_text(slice_str(text_of(l, "address")), &a) != STATUS_OK)
        say_wrong(l, "address", "should be an IP address");
    return a;
}

static enum facts_here here_of(struct line *l, const char *name)
{
    const struct field *f = find_field(l, name);
    if (!f || strcmp(f->value, "not tried") == 0)
        return FACTS_NOT_TRIED;
    if (strcmp(f->value, "yes") == 0)
        return FACTS_YES;
    if (strcmp(f->value, "no") != 0)
        say_wrong(l, name, "should be yes, no or \"not tried\"");
    return FACTS_NO;
}

/* What is wrong with one more entry of a kind of which there are so many. */
static const char *full(struct line *l, const char *kind, size_t most)
{
    const char *text = arena_printf(l->f->arena, "there are more than %zu lines \"%s\"", most, kind);
    return text ? text : "out of memory";
}

static const char *read_subject(struct facts *f, struct line *l)
{
    char name[LIMIT_DOMAIN + 1];
    if (f->domain)
        return "the subject was named before";
    if (domain_from_text(slice_str(text_of(l, "domain")), name) != STATUS_OK) {
        say_wrong(l, "domain", "should be a domain name");
        return NULL;
    }
    f->domain = arena_strdup(f->arena, name);
    (void)name_of(l, "time");
    f->at = (time_t)number_of(l, "time", INT64_C(253402300799));
    f->program = text_of(l, "program");
    f->table = (unsigned)number_of(l, "table", 1000);
    return f->domain ? NULL : "out of memory";
}

static const char *read_here(struct facts *f, struct line *l)
{
    if (f->here)
        return "there was a line \"here\" before";
    f->here = true;
    f->ipv4 = here_of(l, "ipv4");
    f->ipv6 = here_of(l, "ipv6");
    f->canary = text_of(l, "canary");
    f->rtr = text_of(l, "rtr");
    return NULL;
}

static const char *read_selector(struct facts *f, struct line *l)
{
    struct facts_selector s = {name_of(l, "name"), text_of(l, "source")};
    if (f->selector_count == FACTS_SELECTORS)
        return full(l, "selector", FACTS_SELECTORS);
    for (size_t i = 0; i < f->selector_count; i++)
        if (strcasecmp(f->selectors[i].name, s.name) == 0)
            return "this selector was named before";
    f->selectors[f->selector_count++] = s;
    return NULL;
}

static const char *read_sender(struct facts *f, struct line *l)
{
    struct facts_sender s = {.address = address_of(l),
                             .source = text_of(l, "source"),
                             .mails = number_of(l, "mails", INT64_C(1000000000000)),
                             .aligned = number_of(l, "aligned", INT64_C(1000000000000))};
    if (f->sender_count == FACTS_SENDERS)
        return full(l, "sender", FACTS_SENDERS);
    for (size_t i = 0; i < f->sender_count; i++)
        if (ip_eq(&f->senders[i].address, &s.address))
            return "this sender was named before";
    if (s.aligned > s.mails)
        say_wrong(l, "aligned", "is more than mails=");
    f->senders[f->sender_count++] = s;
    return NULL;
}

static const char *read_seen(struct facts *f, struct line *l)
{
    if (f->seen)
        return "there was a line \"seen\" before";
    f->seen = true;
    f->seen_tls = number_of(l, "tls", INT64_C(1000000000000));
    f->seen_clear = number_of(l, "clear", INT64_C(1000000000000));
    return NULL;
}

static const char *read_server(struct facts *f, struct line *l)
{
    struct facts_server s = {.host = name_of(l, "host"),
                             .address = address_of(l),
                             .question = name_of(l, "question"),
                             .outcome = name_of(l, "outcome"),
                             .why = text_of(l, "why"),
                             .rcode = (unsigned)number_of(l, "rcode", 15),
                             .authoritative = number_of(l, "aa", 1),
                             .tcp = number_of(l, "tcp", 1),
                             .serial = (uint32_t)number_of(l, "serial", UINT32_MAX),
                             .signed_to = (time_t)number_of(l, "signed-to", UINT32_MAX),
                             .signed_from = (time_t)number_of(l, "signed-from", UINT32_MAX),
                             .digest = text_of(l, "digest")};
    if (f->server_count == FACTS_SERVERS)
        return full(l, "server", FACTS_SERVERS);
    for (size_t i = 0; i < f->server_count; i++)
        if (ip_eq(&f->servers[i].address, &s.address) && strcmp(f->servers[i].host, s.host) == 0 &&
            strcmp(f->servers[i].question, s.question) == 0)
            return "this question to this server was noted before";
    f->servers[f->server_count++] = s;
    return NULL;
}

static const char *read_tcp(struct facts *f, struct line *l)
{
    struct facts_tcp t = {.host = name_of(l, "host"),
                          .address = address_of(l),
                          .outcome = name_of(l, "outcome"),
                          .why = text_of(l, "why")};
    if (f->tcp_count == FACTS_TCP)
        return full(l, "tcp", FACTS_TCP);
    for (size_t i = 0; i < f->tcp_count; i++)
        if (ip_eq(&f->tcp[i].address, &t.address) && strcmp(f->tcp[i].host, t.host) == 0)
            return "this address of this server was noted before";
    f->tcp[f->tcp_count++] = t;
    return NULL;
}

static const char *read_parent(struct facts *f, struct line *l)
{
    if (f->parent.host)
        return "there was a line \"parent\" before";
    f->parent = (struct facts_parent){.host = name_of(l, "host"),
                                      .address = address_of(l),
                                      .outcome = name_of(l, "outcome"),
                                      .why = text_of(l, "why"),
                                      .names = text_of(l, "names")};
    return NULL;
}

static const char *read_smtp(struct facts *f, struct line *l)
{
    struct facts_smtp s = {.host = name_of(l, "host"),
                           .address = address_of(l),
                           .outcome = name_of(l, "outcome"),
                           .reason = text_of(l, "reason"),
                           .banner = text_of(l, "banner"),
                           .ehlo = text_of(l, "ehlo"),
                           .connected = number_of(l, "connected", 1),
                           .version = text_of(l, "version"),
                           .cipher = text_of(l, "cipher"),
                           .dane = text_of(l, "dane"),
                           .trust = text_of(l, "trust"),
                           .usage = find_field(l, "usage") ? (int)number_of(l, "usage", 3) : -1};
    if (f->smtp_count == FACTS_SMTP)
        return full(l, "smtp", FACTS_SMTP);
    for (size_t i = 0; i < f->smtp_count; i++)
        if (ip_eq(&f->smtp[i].address, &s.address) && strcmp(f->smtp[i].host, s.host) == 0)
            return "this address of this host was noted before";
    f->smtp[f->smtp_count++] = s;
    return NULL;
}

/* A certificate of the host named last. */
static const char *read_cert(struct facts *f, struct line *l)
{
    struct facts_smtp *s = f->chain_open ? &f->smtp[f->smtp_count - 1] : NULL;
    struct slice text = slice_str(name_of(l, "der"));
    struct buf der = BUF_INIT;
    size_t n = text.n;
    if (!s)
        return "a certificate should stand directly behind its host's smtp line";
    if (s->cert_count == FACTS_CHAIN)
        return full(l, "cert", FACTS_CHAIN);
    while (n && text.n - n < 2 && text.p[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++)
        if (!base64_value[(unsigned char)text.p[i]])
            n = 0;
    if (!n || text.n % 4) {
        say_wrong(l, "der", "should be base64");
        return NULL;
    }
    base64_decode(&der, text);
    struct slice kept = der.failed ? SLICE_NULL : arena_slice(f->arena, buf_slice(&der));
    buf_release(&der);
    if (!kept.p)
        return "out of memory";
    s->certs[s->cert_count++] = kept;
    return NULL;
}

static const char *read_tls(struct facts *f, struct line *l)
{
    struct facts_tls t = {.host = name_of(l, "host"),
                          .address = address_of(l),
                          .probe = name_of(l, "probe"),
                          .outcome = name_of(l, "outcome")};
    struct hello_answer *a = &t.answer;
    a->version = (uint16_t)number_of(l, "version", UINT16_MAX);
    a->cipher = (uint16_t)number_of(l, "cipher", UINT16_MAX);
    a->group = (uint16_t)number_of(l, "group", UINT16_MAX);
    a->signature = (uint16_t)number_of(l, "signature", UINT16_MAX);
    a->dh_bits = (uint16_t)number_of(l, "dh-bits", UINT16_MAX);
    a->compression = (uint8_t)number_of(l, "compression", 255);
    a->alert = (uint8_t)number_of(l, "alert", 255);
    a->ems = number_of(l, "ems", 1);
    a->renegotiation = number_of(l, "renegotiation", 1);
    if (f->tls_count == FACTS_TLS)
        return full(l, "tls", FACTS_TLS);
    /* Lists are offered again, without what was taken of them. */
    const bool list = strcmp(t.probe, "old") == 0 || strcmp(t.probe, "broken") == 0;
    for (size_t i = 0; i < f->tls_count && !list; i++)
        if (strcmp(f->tls[i].probe, t.probe) == 0 && ip_eq(&f->tls[i].address, &t.address) &&
            strcmp(f->tls[i].host, t.host) == 0)
            return "this offer to this address of this host was noted before";
    f->tls[f->tls_count++] = t;
    return NULL;
}

static const char *read_web(struct facts *f, struct line *l)
{
    struct facts_web w = {name_of(l, "host"), text_of(l, "path"), name_of(l, "outcome"), text_of(l, "why"), SLICE_NULL};
    const struct field *body = find_field(l, "body");
    if (f->web_count == FACTS_WEB)
        return full(l, "web", FACTS_WEB);
    for (size_t i = 0; i < f->web_count; i++)
        if (strcmp(f->web[i].host, w.host) == 0 && strcmp(f->web[i].path, w.path) == 0)
            return "this page was noted before";
    if (body)
        w.body = slice_of(body->value, body->n);
    f->web[f->web_count++] = w;
    return NULL;
}

static const char *read_rpki(struct facts *f, struct line *l)
{
    const char *role = text_of(l, "role");
    struct facts_rpki r = {.host = name_of(l, "host"),
                           .name_server = strcmp(role, "ns") == 0,
                           .address = address_of(l),
                           .roas = text_of(l, "roas"),
                           .origins = text_of(l, "origins"),
                           .why = text_of(l, "why")};
    if (*role && strcmp(role, "ns") != 0)
        say_wrong(l, "role", "should be ns, or not there");
    if (f->rpki_count == FACTS_RPKI)
        return full(l, "rpki", FACTS_RPKI);
    for (size_t i = 0; i < f->rpki_count; i++)
        if (f->rpki[i].name_server == r.name_server && ip_eq(&f->rpki[i].address, &r.address) &&
            strcmp(f->rpki[i].host, r.host) == 0)
            return "this address of this host was noted before";
    f->rpki[f->rpki_count++] = r;
    return NULL;
}

/* Every field of a line is known to its kind, and stands there once. */
static const char *check_fields(const struct line *l)
{
    for (size_t i = 0; i < l->count; i++) {
        const char *what = l->used[i] ? NULL : "is not a field of this line";
        for (size_t k = 0; k < i; k++)
            if (slice_eq(l->fields[i].name, l->fields[k].name))
                what = "stands twice in this line";
        const char *text =
            what ? arena_printf(l->f->arena, "%.*s= %s", (int)(l->fields[i].name.n % 64), l->fields[i].name.p, what)
                 : NULL;
        if (what)
            return text ? text : "out of memory";
    }
    return NULL;
}

/* A line of assay-dns(5). It has the same number as in the file: the others are empty lines there. */
static const char *add_dns(struct facts *f, struct slice line)
{
    for (; f->dns_lines + 1 < f->line; f->dns_lines++)
        buf_addc(&f->dns, '\n');
    buf_addslice(&f->dns, line);
    buf_addc(&f->dns, '\n');
    f->dns_lines++;
    return f->dns.failed ? "out of memory" : NULL;
}

/* One line behind the first. NULL, or what is wrong. */
static const char *read_line(struct facts *f, struct slice text)
{
    static const struct {
        const char *kind;
        const char *(*read)(struct facts *f, struct line *l);
    } kinds[] = {{"subject", read_subject}, {"here", read_here}, {"selector", read_selector},
                 {"sender", read_sender},   {"seen", read_seen}, {"server", read_server},
                 {"smtp", read_smtp},       {"cert", read_cert}, {"tls", read_tls},
                 {"web", read_web},         {"rpki", read_rpki}, {"parent", read_parent},
                 {"tcp", read_tcp}};
    const char *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;
    struct slice kind = slice_of(text.p, blank ? (size_t)(blank - text.p) : text.n);
    f->chain_open = slice_eq(kind, SLICE_LIT("smtp")) || (f->chain_open && slice_eq(kind, SLICE_LIT("cert")));
    if (slice_eq(kind, SLICE_LIT("dns")))
        return add_dns(f, slice_from(text, blank ? 4 : 3));
    struct line l = {.f = f};
    const char *wrong = read_fields(&l, slice_from(text, kind.n));
    for (size_t i = 0; !wrong && i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_eq(kind, slice_str(kinds[i].kind))) {
            wrong = kinds[i].read(f, &l);
            return l.wrong ? l.wrong : wrong ? wrong : check_fields(&l);
        }
    return wrong
               ? wrong
               : "a line begins with subject, here, selector, sender, seen, dns, server, tcp, parent, smtp, cert, tls, "
                 "web or rpki";
}

static const char *read_all(struct facts *f, struct slice text, unsigned *number)
{
    char first[64];
    snprintf(first, sizeof first, "assay-facts %d", FACTS_VERSION);
    for (*number = 1; text.n; (*number)++) {
        const char *nl = memchr(text.p, '\n', text.n);
        struct slice line = slice_of(text.p, nl ? (size_t)(nl - text.p) : text.n);
        if (!nl || line.n > FACTS_LINE)
            return nl ? "the line is too long" : "the file is cut off: its last line should end";
        text = slice_from(text, line.n + 1);
        f->line = *number;
        if (*number == 1) {
            if (!slice_eq(line, slice_str(first)))
                return "a file of facts begins with \"assay-facts 1\"";
        } else if (line.n) {
            const char *wrong = read_line(f, line);
            if (wrong)
                return wrong;
        }
    }
    if (*number == 1)
        return "the file is empty; a file of facts begins with \"assay-facts 1\"";
    return f->domain ? NULL : "there is no line \"subject domain=...\"";
}

struct facts *facts_read(struct arena *arena, struct slice text, const char **error)
{
    struct facts *f = ARENA_NEW(arena, struct facts);
    unsigned number = 0;
    *error = "out of memory";
    if (!f)
        return NULL;
    f->arena = arena;
    f->canary = f->rtr = f->program = "";
    f->ipv4 = f->ipv6 = FACTS_NOT_TRIED;
    f->dns = BUF_INIT;
    const char *wrong = text.n > FACTS_OCTETS ? "the file is over 4 MB" : read_all(f, text, &number);
    if (!wrong)
        return f;
    *error = arena_printf(arena, "line %u: %s", number, wrong);
    if (!*error)
        *error = wrong;
    facts_free(f);
    return NULL;
}

void facts_free(struct facts *f)
{
    if (f)
        buf_release(&f->dns);
}
