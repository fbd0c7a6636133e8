// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_replay.c - reads a file of saved answers (format: dns_replay.h) and answers from it.
 *
 * The file is read once, whole; the first mistake in it ends the reading with file, line, and what was expected, and no
 * source is made: half a set of answers would judge a case wrongly. After that the source never changes, and answers at
 * once.
 */
#include "dns/dns_replay.h"
#include "dns/dns_table.h"
#include "dns/dns_text.h"
#include "base/limits.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#define DEFAULT_TTL 300
#define ARENA_BOUND (16u * LIMIT_REPLAY_BYTES)

struct replay {
    struct dns base;
    struct arena *arena;
    struct dns_table *table;
    time_t saved;
};

struct reader {
    struct replay *replay;
    const char *what;
    size_t line;
    char name[DNS_NAME_TEXT]; /* of the line before; "" at the start */
    struct dns_token *token;
    size_t count, at;
    char *error; /* malloc'ed; set once */
};

static enum status reader_complain(struct reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static enum status reader_complain(struct reader *r, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!r->error && asprintf(&r->error, "%s:%zu: %s", r->what, r->line, text) < 0)
        r->error = NULL;
    return STATUS_INVALID;
}

static bool is_word(const struct dns_token *t, const char *word)
{
    return !t->quoted && slice_eq_nocase(t->text, slice_str(word));
}

/* The next word is that one: takes it. */
static bool accept(struct reader *r, const char *word)
{
    if (r->at >= r->count || !is_word(&r->token[r->at], word))
        return false;
    r->at++;
    return true;
}

static bool is_number(struct slice s, uint32_t *value)
{
    uint64_t v = 0;
    if (s.n == 0 || s.n > 9)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(s.p[i] - '0');
    }
    *value = (uint32_t)v;
    return true;
}

static enum status read_name(struct reader *r, char out[DNS_NAME_TEXT])
{
    char raw[DNS_NAME_TEXT + 1];
    if (r->at >= r->count)
        return reader_complain(r, "expected a name");
    struct slice text = r->token[r->at].text;
    if (text.n >= sizeof raw || memchr(text.p, '\0', text.n))
        return reader_complain(r, "not a domain name");
    memcpy(raw, text.p, text.n);
    raw[text.n] = '\0';
    enum status s = dns_name_normal(raw, out);
    if (s != STATUS_OK)
        return reader_complain(
            r, s == STATUS_LIMIT ? "\"%.100s\": a name or a label that is too long" : "\"%.100s\" is not a domain name",
            raw);
    r->at++;
    return STATUS_OK;
}

/* secure, insecure, timeout, servfail, bogus: what a zone or a line may say. False: the next word is none of them. */
static bool read_condition(struct reader *r, enum dns_state *state, enum dns_security *security, const char **why)
{
    if (accept(r, "secure")) {
        *security = DNS_SECURE;
        return true;
    }
    if (accept(r, "insecure")) {
        *security = DNS_INSECURE;
        return true;
    }
    if (accept(r, "timeout")) {
        *state = DNS_TEMPFAIL;
        *why = "no answer in time (as saved)";
    } else if (accept(r, "servfail")) {
        *state = DNS_TEMPFAIL;
        *why = "server failure (as saved)";
    } else if (accept(r, "bogus")) {
        *state = DNS_BOGUS;
        *why = "validation failure (as saved)";
    } else {
        return false;
    }
    return true;
}

/* A quoted text behind a failing state, into *why. */
static enum status read_why(struct reader *r, const char **why)
{
    if (r->at >= r->count || !r->token[r->at].quoted)
        return STATUS_OK;
    struct buf text = BUF_INIT;
    enum status s = dns_text_octets(r->token[r->at++].text, &text);
    if (s == STATUS_OK) {
        *why = arena_copy(r->replay->arena, text.p, text.n);
        if (!*why)
            s = STATUS_NOMEM;
    } else {
        s = reader_complain(r, "a bad escape in a string");
    }
    buf_release(&text);
    return s;
}

static enum status read_zone(struct reader *r)
{
    char name[DNS_NAME_TEXT];
    enum dns_state state = DNS_FOUND;
    enum dns_security security = DNS_UNKNOWN;
    const char *why = NULL;
    enum status s = read_name(r, name);
    if (s != STATUS_OK)
        return s;
    if (!read_condition(r, &state, &security, &why))
        return reader_complain(r, "expected secure, insecure, bogus, timeout or servfail after zone NAME");
    if (state != DNS_FOUND)
        s = read_why(r, &why);
    if (s == STATUS_OK && r->at < r->count)
        return reader_complain(r, "more words than a zone statement has");
    if (s == STATUS_OK)
        s = dns_table_zone(r->replay->table, name, state, security, why);
    return s == STATUS_INVALID ? reader_complain(r, "a line before says otherwise of this zone") : s;
}

static enum status read_time(struct reader *r)
{
    char text[32];
    struct tm tm = {0};
    if (r->count != 2 || r->token[1].text.n != 20)
        return reader_complain(r, "expected time YYYY-MM-DDTHH:MM:SSZ");
    memcpy(text, r->token[1].text.p, 20);
    text[20] = '\0';
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (!end || *end)
        return reader_complain(r, "expected time YYYY-MM-DDTHH:MM:SSZ");
    r->replay->saved = timegm(&tm);
    return STATUS_OK;
}

/* The words between name and type, in any order. `l->state` other than DNS_FOUND: a statement and no record. */
static enum status read_attributes(struct reader *r, struct dns_line *l, char as[DNS_NAME_TEXT])
{
    for (; r->at < r->count;) {
        enum status s = STATUS_OK;
        if (r->token[r->at].quoted)
            return reader_complain(
                r, "a quoted text is expected only after bogus, timeout or servfail, and as record data");
        if (l->state == DNS_FOUND && read_condition(r, &l->state, &l->security, &l->why))
            s = l->state == DNS_FOUND ? STATUS_OK : read_why(r, &l->why);
        else if (accept(r, "nodata"))
            l->state = DNS_NODATA;
        else if (accept(r, "nxdomain"))
            l->state = DNS_NXDOMAIN;
        else if (is_number(r->token[r->at].text, &l->ttl))
            r->at++;
        else if (accept(r, "as"))
            s = read_name(r, as);
        else
            return STATUS_OK;
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

static enum status read_record(struct reader *r, struct dns_line *l)
{
    struct buf rdata = BUF_INIT;
    const char *why = NULL;
    enum status s = dns_rdata_parse(l->type, r->token + r->at, r->count - r->at, &rdata, &why);
    if (s != STATUS_OK) {
        s = reader_complain(r, "%s record: %s", dns_type_name(l->type), why);
    } else {
        l->rdata = buf_slice(&rdata);
        s = rdata.failed ? STATUS_NOMEM : dns_table_add(r->replay->table, r->name, l);
    }
    buf_release(&rdata);
    return s;
}

static enum status read_line(struct reader *r, bool continued)
{
    char as[DNS_NAME_TEXT] = "";
    struct dns_line l = {.state = DNS_FOUND, .security = DNS_SECURITY_UNSET, .ttl = DEFAULT_TTL, .number = r->line};
    if (!continued && accept(r, "zone"))
        return read_zone(r);
    if (!continued && accept(r, "time"))
        return read_time(r);
    if (continued && r->name[0] == '\0')
        return reader_complain(r, "a line that continues a name, but there is none before it");
    enum status s = continued ? STATUS_OK : read_name(r, r->name);
    if (s == STATUS_OK)
        s = read_attributes(r, &l, as);
    if (s != STATUS_OK)
        return s;
    if (as[0])
        l.as = as;
    if (r->at < r->count) {
        if (!dns_type_from_text(r->token[r->at].text, &l.type))
            return reader_complain(
                r,
                "\"%.*s\": expected secure, insecure, nodata, nxdomain, timeout, servfail, bogus, as, a TTL, or a type",
                (int)(r->token[r->at].text.n > 60 ? 60 : r->token[r->at].text.n), r->token[r->at].text.p);
        r->at++;
    } else if (l.state == DNS_FOUND || l.state == DNS_NODATA) {
        return reader_complain(r, "expected a type, as in NAME MX 10 mx.example.org");
    }
    if (l.state == DNS_FOUND)
        return read_record(r, &l);
    if (r->at < r->count)
        return reader_complain(r, "record data after a state that has none");
    return dns_table_add(r->replay->table, r->name, &l);
}

static enum status read_text(struct reader *r, struct slice text)
{
    if (text.n > LIMIT_REPLAY_BYTES)
        return reader_complain(r, "longer than %u octets", LIMIT_REPLAY_BYTES);
    while (text.n) {
        const char *newline = memchr(text.p, '\n', text.n), *why = NULL;
        struct slice line = slice_of(text.p, newline ? (size_t)(newline - text.p) : text.n);
        text = slice_from(text, line.n + 1);
        r->line++;
        if (line.n > LIMIT_REPLAY_LINE)
            return reader_complain(r, "a line longer than %u octets", LIMIT_REPLAY_LINE);
        r->at = 0;
        r->count = dns_tokens(line, r->token, &why);
        if (r->count == SIZE_MAX)
            return reader_complain(r, "%s", why);
        if (r->count == 0)
            continue;
        enum status s = read_line(r, line.p[0] == ' ' || line.p[0] == '\t');
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

static struct dns_result *replay_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    *flight = NULL;
    return dns_table_answer(((const struct replay *)source)->table, q);
}

static struct dns_result *replay_known(struct dns *source, const struct dns_question *q)
{
    return dns_table_answer(((const struct replay *)source)->table, q);
}

/* Never called: there are no flights. */
static struct dns_result *replay_await(struct dns *source, struct dns_flight *flight, int64_t until)
{
    return NULL;
}

static unsigned replay_let_go(struct dns *source, struct dns_flight *flight)
{
    return 0;
}

static void replay_close(struct dns *source)
{
    struct replay *r = (struct replay *)source;
    arena_free(r->arena);
    free(r);
}

static const struct dns_ops replay_ops = {
    .ask = replay_ask, .await = replay_await, .let_go = replay_let_go, .close = replay_close, .known = replay_known};

struct dns *dns_replay_text(struct slice text, const char *what, char **error)
{
    struct reader r = {.what = what};
    enum status s = STATUS_NOMEM;
    *error = NULL;
    r.replay = calloc(1, sizeof *r.replay);
    r.token = calloc(DNS_TOKENS, sizeof *r.token);
    if (r.replay) {
        r.replay->base.ops = &replay_ops;
        r.replay->arena = arena_new(ARENA_BOUND);
        r.replay->table = r.replay->arena ? dns_table_new(r.replay->arena) : NULL;
    }
    if (r.token && r.replay && r.replay->table)
        s = read_text(&r, text);
    free(r.token);
    if (s == STATUS_OK)
        return &r.replay->base;
    *error = r.error ? r.error : strdup("out of memory while reading saved DNS answers");
    if (r.replay)
        replay_close(&r.replay->base);
    return NULL;
}

struct dns *dns_replay_new(const char *path, char **error)
{
    struct buf text = {.p = buf_empty, .bound = LIMIT_REPLAY_BYTES + 1};
    char chunk[65536];
    size_t n;
    *error = NULL;
    FILE *f = fopen(path, "re");
    if (!f) {
        if (asprintf(error, "%s: cannot be opened: %s", path, strerror(errno)) < 0)
            *error = NULL;
        return NULL;
    }
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && !text.failed)
        buf_add(&text, chunk, n);
    int failed = ferror(f) ? errno : 0;
    fclose(f);
    struct dns *d = NULL;
    if (failed || text.failed) {
        const char *why = failed ? strerror(failed) : "longer than a file of saved answers may be (16 MiB)";
        if (asprintf(error, "%s: %s", path, why) < 0)
            *error = NULL;
    } else {
        d = dns_replay_text(buf_slice(&text), path, error);
    }
    buf_release(&text);
    return d;
}

void dns_replay_only_known(struct dns *source, const char *why)
{
    if (source->ops == &replay_ops)
        dns_table_only_known(((struct replay *)source)->table, why);
}

size_t dns_replay_contradiction(const struct dns *source)
{
    return source->ops == &replay_ops ? dns_table_contradiction(((const struct replay *)source)->table) : 0;
}

time_t dns_replay_time(const struct dns *source)
{
    return source && source->ops == &replay_ops ? ((const struct replay *)source)->saved : 0;
}
