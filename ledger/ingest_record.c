// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest_record.c - makes the rows and counts of one record; aggregate_flush() writes them to the store.
 *
 * Promises: the mail table gets the record as it stands (for `assay why`, until ledger.keep-identity takes it away);
 * counts never hold a local part, a queue-id or an exact address. A record of a kind this version does not know adds
 * nothing. A DMARC report's row is made here (dmarc_row.h; RFC 9990: one record per address, result and identifiers).
 * Texts and numbers that a sender or another host can make as large as it likes are limited before they reach an index
 * or a sum, so that no record can stop the ledger. On failure the caller
 * rolls back the batch.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "ledger/dmarc_row.h"
#include "ledger/timestamp.h"
#include "ledger/ingest.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SIGNATURES_MAX 100   /* RFC 9990 3.1.4: no more in one row */
#define ROW_SIGNATURES 1500  /* octets of a DMARC row after which it gets no further signature */
#define TEXT_MAX 998         /* of an indexed text (RFC 5322 2.1.1: a line) */
#define COUNT_MAX 1000000000 /* what one record adds to a sum at most */
#define WRITTEN_DOMAINS 50   /* recipients' domains of one mail that are kept: as many as a record names */
#define WRITTEN_ABOVE 3      /* a domain and so many less one above it */
#define HOUR (3600 * TIMESTAMP_SECOND)

struct when {
    char day[24], hour[24];
};

static void number_text(char out[24], int64_t n)
{
    snprintf(out, 24, "%" PRId64, n);
}

static int64_t count_bounded(int64_t n)
{
    return n < 0 ? 0 : n > COUNT_MAX ? COUNT_MAX : n;
}

static const char *text_cut(const char *text, char out[TEXT_MAX + 1])
{
    if (!text || strlen(text) <= TEXT_MAX)
        return text;
    snprintf(out, TEXT_MAX + 1, "%.*s", (int)aggregate_cut(text, TEXT_MAX), text);
    return out;
}

const char *ingest_policy_mark(const char *published, char out[INGEST_MARK])
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (const char *p = published; *p; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    snprintf(out, INGEST_MARK, "%08" PRIx32, h);
    return out;
}

/* ---- counts by standard ---- */

static void add_sum(struct aggregate *t, const struct record *r, const struct when *w, const char *scope,
                    const char *standard, const char *result, const char *security, int64_t n)
{
    aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_STANDARD_HOUR,
                                               .keys = {w->hour, r->host, scope, standard, result, security},
                                               .counts = {n},
                                               .moment = r->t});
    aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_STANDARD_DAY,
                                               .keys = {w->day, scope, standard, result, security},
                                               .counts = {n},
                                               .moment = r->t});
}

static void add_subject(struct aggregate *t, const struct record *r, const struct when *w, const char *scope,
                        const char *standard, const char *subject, const char *result, const char *security, int64_t n)
{
    char coarse[INGEST_NET];
    const char *s = ingest_coarse(subject, coarse);
    if (s && *s)
        aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_SUBJECT_DAY,
                                                   .keys = {s, scope, standard, w->day, result, security},
                                                   .counts = {n},
                                                   .moment = r->first ? r->first : r->t,
                                                   .until = r->last});
}

static const char *or_none(const char *text)
{
    return text ? text : "";
}

static void add_signature(struct aggregate *t, const struct record *r, const struct value *f)
{
    char bits[24];
    number_text(bits, value_number(f, "bits"));
    aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_SELECTOR,
                                               .counts = {1},
                                               .moment = r->t,
                                               .keys = {value_text(f, "subject"), value_text(f, "selector"),
                                                        value_text(f, "algorithm"), bits, value_text(f, "result")}});
}

/* The name that a finding is counted under (table in assay-policy(5)). A signature's own domain is in the table of
 * selectors; `require dkim` asks about the From domain. */
static const char *subject_of(const struct record *r, const struct value *f)
{
    const char *standard = value_text(f, "standard"), *subject = value_text(f, "subject");
    if (str_is(standard, "dkim") || str_is(standard, "arc"))
        return r->from ? r->from : value_text(record_finding(r, "dmarc"), "subject");
    if (str_is(standard, "tls") && !subject)
        return r->mail_from ? r->mail_from : r->client;
    return str_is(standard, "rdns") ? r->client : subject;
}

/* Of a DKIM signature of somebody else's: for the From domain it is none. */
static const char *result_of(const struct value *f)
{
    bool foreign = str_is(value_text(f, "standard"), "dkim") && value_text(f, "selector") && value_get(f, "aligned") &&
                   !value_true(f, "aligned");
    return foreign ? "none" : value_text(f, "result");
}

/* The findings that are counted: of SPF's two identities HELO only if there is no MAIL FROM. What is compared with that
 * of all others is looked up once. */
struct counted {
    struct one {
        const struct value *f;
        const char *standard, *subject, *result; /* subject_of() and result_of() it */
        bool passed, passed_subject;             /* by its own result, by result_of() it */
    } at[RECORD_FINDINGS_MAX];
    size_t n;
};

static void find_counted(const struct record *r, struct counted *c)
{
    size_t n = value_count(r->findings);
    c->n = 0;
    for (size_t i = 0; i < n && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *f = value_at(r->findings, i);
        const char *standard = value_text(f, "standard"), *result = value_text(f, "result");
        bool helo = r->mail_from && str_is(standard, "spf") && str_is(value_text(f, "identity"), "helo");
        if (!standard || !result || helo)
            continue;
        struct one *o = &c->at[c->n++];
        *o = (struct one){.f = f, .standard = standard, .subject = subject_of(r, f), .result = result_of(f)};
        o->passed = strcmp(result, "pass") == 0;
        o->passed_subject = str_is(o->result, "pass");
    }
}

static bool same_subject(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* What one mail counts as: one passing signature is enough, but all domains whose DNS or hosts were checked must pass.
 * by_subject: only for the subject of this finding. NULL: counted with an earlier finding already. */
static const struct one *chosen(const struct counted *c, size_t i, bool by_subject)
{
    const struct one *best = &c->at[i];
    bool one_is_enough = str_is(best->standard, "dkim") || str_is(best->standard, "spf");
    for (size_t k = 0; k < c->n; k++) {
        const struct one *o = &c->at[k];
        if (strcmp(o->standard, best->standard) != 0 || (by_subject && !same_subject(o->subject, best->subject)))
            continue;
        if (k < i)
            return NULL;
        if ((by_subject ? o->passed_subject : o->passed) == one_is_enough &&
            (by_subject ? best->passed_subject : best->passed) != one_is_enough)
            best = o;
    }
    return best;
}

static void add_findings(struct aggregate *t, const struct record *r, const struct when *w)
{
    struct counted c;
    find_counted(r, &c);
    for (size_t i = 0; i < c.n; i++) {
        const char *standard = c.at[i].standard;
        const struct one *of_mail = chosen(&c, i, false), *of_subject = chosen(&c, i, true);
        if (of_mail)
            add_sum(t, r, w, "mail", standard, value_text(of_mail->f, "result"),
                    or_none(value_text(of_mail->f, "security")), 1);
        if (of_subject)
            add_subject(t, r, w, "mail", standard, of_subject->subject, of_subject->result,
                        or_none(value_text(of_subject->f, "security")), 1);
        if (strcmp(standard, "dkim") == 0 && value_text(c.at[i].f, "selector"))
            add_signature(t, r, c.at[i].f);
    }
}

/* ---- what the policy said ---- */

static void add_lines(struct aggregate *t, const struct record *r, const struct when *w)
{
    size_t n = value_count(r->lines);
    for (size_t i = 0; i < n && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *l = value_at(r->lines, i);
        const char *action = value_text(l, "action"), *exemption = value_text(l, "exemption"),
                   *expired = value_text(l, "expired");
        const char *trust = value_text(l, "trust");
        char coarse[INGEST_NET];
        bool plain = !action || strcmp(action, "deliver") == 0;
        if (plain && !exemption && !expired && !trust)
            continue;
        aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_OUTCOME_DAY,
                                                   .counts = {1},
                                                   .moment = r->t,
                                                   .keys = {w->day, value_text(l, "standard"),
                                                            ingest_coarse(or_none(value_text(l, "subject")), coarse),
                                                            value_text(l, "result"), value_text(l, "level"),
                                                            action ? action : "deliver", value_text(l, "statement"),
                                                            exemption, expired, trust, r->policy}});
    }
}

/* ---- DMARC ---- */

/* RFC 9990's disposition of this mail, or NULL if it is not to be reported (it comes again, or was not judged). */
static const char *disposition(const struct record *r, const struct value *dmarc)
{
    const char *applied = value_text(dmarc, "applied");
    if (str_is(r->action, "defer"))
        return NULL;
    if (str_is(r->action, "reject"))
        return "reject";
    if (str_is(r->action, "quarantine") || str_is(r->action, "hold"))
        return "quarantine";
    return str_is(value_text(dmarc, "result"), "pass") && (str_is(applied, "quarantine") || str_is(applied, "reject"))
               ? "pass"
               : "none";
}

#define RANKS 4

static int signature_rank(const struct value *f, const char *domain, const char *result, const char *from)
{
    bool pass = str_is(result, "pass");
    if (pass && from && str_is(domain, from))
        return 0;
    return pass && value_true(f, "aligned") ? 1 : pass ? 2 : 3;
}

struct signature {
    const char *domain, *selector, *result;
    int rank;
};

/* The record's signatures that name a selector. */
static size_t find_signatures(const struct record *r, struct signature out[RECORD_FINDINGS_MAX])
{
    size_t n = value_count(r->findings), found = 0;
    for (size_t i = 0; i < n && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *f = value_at(r->findings, i);
        const char *selector = str_is(value_text(f, "standard"), "dkim") ? value_text(f, "selector") : NULL;
        if (!selector)
            continue;
        const char *domain = value_text(f, "subject"), *result = value_text(f, "result");
        out[found++] =
            (struct signature){or_none(domain), selector, or_none(result), signature_rank(f, domain, result, r->from)};
    }
    return found;
}

/* In the order RFC 9990 3.1.3 prefers: strictly aligned passes, relaxed, other passes, the rest. */
static void put_signatures(struct buf *out, const struct record *r, size_t octets)
{
    struct signature all[RECORD_FINDINGS_MAX];
    size_t n = find_signatures(r, all), put = 0;
    for (int rank = 0; rank < RANKS; rank++)
        for (size_t i = 0; i < n && put < SIGNATURES_MAX; i++) {
            const struct signature *s = &all[i];
            if (s->rank != rank || octets + out->n + strlen(s->domain) + strlen(s->selector) > ROW_SIGNATURES)
                continue;
            dmarc_row_add_signature(out, s->domain, s->selector, s->result);
            put++;
        }
}

/* Of the null sender the identity is postmaster at HELO (RFC 7208 2.4). */
static const struct value *spf_of(const struct record *r)
{
    const char *identity = r->mail_from ? "mailfrom" : "helo";
    struct counted c;
    find_counted(r, &c);
    for (size_t i = 0; i < c.n; i++)
        if (str_is(c.at[i].standard, "spf") && str_is(value_text(c.at[i].f, "identity"), identity))
            return c.at[i].f;
    return NULL;
}

/* signatures: of the row, which points into it. */
static void make_row(struct dmarc_row *row, const struct record *r, const struct value *dmarc, const char *what,
                     const char *mark, struct buf *signatures)
{
    const struct value *spf = spf_of(r);
    const char *domain = spf ? value_text(spf, "subject") : NULL;
    *row = (struct dmarc_row){.column = {[DMARC_ROW_MARK] = mark,
                                         [DMARC_ROW_SOURCE_IP] = r->client,
                                         [DMARC_ROW_HEADER_FROM] = r->from,
                                         [DMARC_ROW_ENVELOPE_FROM] = r->mail_from,
                                         [DMARC_ROW_DISPOSITION] = what,
                                         [DMARC_ROW_DKIM] = value_true(dmarc, "dkim_aligned") ? "pass" : "fail",
                                         [DMARC_ROW_SPF] = value_true(dmarc, "spf_aligned") ? "pass" : "fail",
                                         /* RFC 9990 3.1.1.8: why disposition and policy differ, as the verdict said */
                                         [DMARC_ROW_REASON] = r->override,
                                         [DMARC_ROW_COMMENT] = r->override ? r->comment : NULL,
                                         [DMARC_ROW_SPF_DOMAIN] = domain,
                                         [DMARC_ROW_SPF_SCOPE] = domain && !r->mail_from ? "helo" : NULL,
                                         [DMARC_ROW_SPF_RESULT] = domain ? value_text(spf, "result") : NULL},
                              .count = 1};
    put_signatures(signatures, r, dmarc_row_size(row));
    row->column[DMARC_ROW_SIGNATURES] = signatures->p;
}

static void put_published(struct json *j, const struct value *dmarc)
{
    static const char *const keys[] = {"p", "sp", "np", "adkim", "aspf", "fo", "t", "discovery", "org"};
    json_open(j);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_opt(j, keys[i], value_text(dmarc, keys[i]));
    json_end(j);
}

static void add_correspondent(struct aggregate *t, const struct when *w, const char *domain, const char *how)
{
    aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_CORRESPONDENT, .keys = {domain, how, w->day}});
}

/* Whom our users write to: each recipient's domain, and those above it, since a DMARC policy may be the organisation's.
 * Nothing else is kept of them. */
static void add_written(struct aggregate *t, const struct record *r, const struct when *w)
{
    bool ours = str_is(r->source, "submission") || str_is(r->source, "own-network") || str_is(r->source, "local");
    for (size_t i = 0; ours && i < value_count(r->rcpt_domains) && i < WRITTEN_DOMAINS; i++) {
        const char *domain = value_text_at(r->rcpt_domains, i);
        for (int above = 0; domain && above < WRITTEN_ABOVE && strchr(domain, '.'); above++) {
            if (strlen(domain) <= LIMIT_DOMAIN)
                add_correspondent(t, w, domain, "written");
            domain = strchr(domain, '.') + 1;
        }
    }
}

static void add_policy_of_day(struct aggregate *t, const struct when *w, const char *domain, const char *mark,
                              const char *published)
{
    aggregate_add(t, &(struct aggregate_entry){
                         .sum = AGGREGATE_DMARC_POLICY, .keys = {w->day, domain, mark}, .notes = {published}});
}

static enum status add_dmarc(struct aggregate *t, const struct record *r, const struct when *w)
{
    const struct value *dmarc = record_finding(r, "dmarc");
    const char *result = value_text(dmarc, "result"), *domain = value_text(dmarc, "record"),
               *rua = value_text(dmarc, "rua");
    if (str_is(result, "pass") && r->from)
        aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_SIGNER_DAY,
                                                   .keys = {w->day, r->from},
                                                   .counts = {1, value_true(dmarc, "dkim_aligned")},
                                                   .moment = r->t});
    add_written(t, r, w);
    if (str_is(result, "pass") && domain && strlen(domain) <= LIMIT_DOMAIN && !str_is(r->action, "reject") &&
        !value_true(r->root, "report"))
        add_correspondent(t, w, domain, "passed");
    bool reported = record_is_from_outside(r);
    const char *what = dmarc ? disposition(r, dmarc) : NULL;
    if (!what || !reported || !r->client || !r->from || !domain || strlen(domain) > LIMIT_DOMAIN || !rua || !*rua ||
        !(str_is(result, "pass") || str_is(result, "fail")))
        return STATUS_OK;
    struct buf signatures = BUF_INIT, published = BUF_INIT;
    struct json k = JSON_INTO(&published);
    struct dmarc_row row = {0};
    char mark[INGEST_MARK] = "";
    put_published(&k, dmarc);
    if (!published.failed)
        make_row(&row, r, dmarc, what, ingest_policy_mark(published.p, mark), &signatures);
    bool ok = !signatures.failed && !published.failed, fits = dmarc_row_size(&row) <= DMARC_ROW_MAX;
    if (ok && fits)
        aggregate_dmarc_row(t, w->day, domain, &row, r->t);
    if (ok && fits &&
        timestamp_day(r->t) < timestamp_day(clock_wall_us())) /* it may be too late for its report (dmarc_late.h) */
        aggregate_add(
            t, &(struct aggregate_entry){
                   .sum = AGGREGATE_DMARC_BEHIND, .keys = {w->day, domain, r->host}, .counts = {1}, .moment = r->t});
    if (ok && fits)
        add_policy_of_day(t, w, domain, mark, published.p);
    /* A domain whose only mail of the day was reports gets none: two reporters would answer each other for ever. */
    if (ok && fits && !value_true(r->root, "report"))
        aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_DMARC_DOMAIN,
                                                   .keys = {w->day, domain},
                                                   .notes = {published.p, rua},
                                                   .moment = r->t});
    buf_release(&signatures);
    buf_release(&published);
    return ok ? STATUS_OK : STATUS_NOMEM;
}

/* ---- kinds ---- */

static enum status ingest_mail(struct store *s, struct aggregate *t, const struct record *r, const struct when *w,
                               struct slice line)
{
    char text[INGEST_LINE_KEPT + 1];
    /* Longer records keep their facts in the columns and counts; only the evidence for `assay why` is cut off whole. */
    bool keep = line.n <= INGEST_LINE_KEPT;
    if (keep) {
        memcpy(text, line.p, line.n);
        text[line.n] = '\0';
    }
    aggregate_add(t,
                  &(struct aggregate_entry){.sum = AGGREGATE_HOST, .keys = {r->host}, .counts = {1}, .moment = r->t});
    aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_VERDICT_HOUR,
                                               .keys = {w->hour, r->host, or_none(r->source), r->action, r->would},
                                               .counts = {1},
                                               .moment = r->t});
    add_findings(t, r, w);
    add_lines(t, r, w);
    ingest_organisation(t, r, w->day);
    enum status st = add_dmarc(t, r, w);
    if (st != STATUS_OK)
        return st;
    char net[INGEST_NET], id[TEXT_MAX + 1], message_id[TEXT_MAX + 1], from[TEXT_MAX + 1], reference[TEXT_MAX + 1];
    return aggregate_statement(
        t, s,
        "INSERT INTO mail (t, host, queue_id, message_id, source, client, client_net, exact, helo, mail_from, "
        "from_domain, rcpts, "
        "action, would, statement, policy, reference, ruf, record) VALUES "
        "($1,$2,$3,$4,$5,$6,$7,1,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)",
        "itttttttttittttt"
        "iz",
        r->t, r->host, text_cut(r->id, id), text_cut(r->message_id, message_id), or_none(r->source), r->client,
        ingest_coarse(r->client, net), r->helo, r->mail_from, text_cut(r->from, from), r->rcpts, r->action, r->would,
        r->statement, r->policy, text_cut(r->reference, reference),
        (int64_t)(value_text(record_finding(r, "dmarc"), "ruf") != NULL), keep ? text : NULL);
}

static void words_join(struct buf *b, const struct value *array)
{
    for (size_t i = 0; i < value_count(array) && i < 16; i++) {
        const char *word = value_text_at(array, i);
        buf_printf(b, "%s", i ? " " : "");
        if (word)
            buf_adds(b, word);
        else
            buf_printf(b, "%" PRId64, value_number_at(array, i));
    }
}

static void ingest_names(struct aggregate *t, const struct record *r, const struct when *w)
{
    if (!r->zone || !r->state)
        return;
    int64_t n = r->count > 0 ? count_bounded(r->count) : 1;
    char bits[24];
    struct buf algorithms = BUF_INIT;
    words_join(&algorithms, r->algorithms);
    number_text(bits, r->bits);
    /* The standard's words: secure passes, insecure has none, bogus fails. */
    const char *result = str_is(r->state, "secure")                                 ? "pass"
                         : str_is(r->state, "bogus") || str_is(r->state, "refused") ? "fail"
                         : str_is(r->state, "insecure")                             ? "none"
                                                                                    : "untested";
    aggregate_add(
        t, &(struct aggregate_entry){.sum = AGGREGATE_HOST, .keys = {r->host}, .counts = {0, n}, .moment = r->t});
    aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_ZONE,
                                               .keys = {r->zone, r->state},
                                               .counts = {n},
                                               .moment = r->first,
                                               .until = r->last,
                                               .notes = {r->reason, algorithms.p, bits}});
    add_sum(t, r, w, "names", "dnssec", result, r->state, n);
    int64_t refused = count_bounded(value_number(r->root, "refused")) + count_bounded(value_number(r->root, "would"));
    if (refused > 0)
        aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_OUTCOME_DAY,
                                                   .counts = {refused},
                                                   .moment = r->first,
                                                   .until = r->last,
                                                   .keys = {w->day, "dnssec", r->zone, result, "require", "refuse",
                                                            r->statement, "", "", "", r->policy}});
    add_subject(t, r, w, "names", "dnssec", r->zone, result, r->state, n);
    buf_release(&algorithms);
}

/* A record dated in the future, from a host whose clock is ahead: it would be the newest of all until that time. */
static enum status keep_ahead(struct store *s, struct aggregate *t, const struct record *r, struct slice line)
{
    char text[INGEST_LINE_KEPT + 1];
    if (line.n > INGEST_LINE_KEPT)
        return STATUS_OK; /* no genuine record is so long and so wrong */
    memcpy(text, line.p, line.n);
    text[line.n] = '\0';
    return aggregate_statement(
        t, s,
        "INSERT INTO ahead (t, number, line) VALUES ($1, (SELECT COALESCE(max(number), 0) + 1 FROM ahead "
        "WHERE t = $1), $2)",
        "it", r->t, text);
}

void ingest_totals(struct aggregate *t, const struct record *r)
{
    struct when w;
    number_text(w.day, timestamp_day(r->t));
    number_text(w.hour, r->t / HOUR);
    add_findings(t, r, &w);
    ingest_organisation(t, r, w.day);
}

enum status ingest_record(struct store *s, struct aggregate *t, const struct record *r, struct slice line)
{
    struct when w;
    number_text(w.day, timestamp_day(r->t));
    number_text(w.hour, r->t / HOUR);
    if (r->t > clock_wall_us() + INGEST_AHEAD && (r->kind == RECORD_MAIL || r->kind == RECORD_NAMES))
        return keep_ahead(s, t, r, line);
    if (r->kind == RECORD_MAIL)
        return ingest_mail(s, t, r, &w, line);
    if (r->kind == RECORD_NAMES)
        ingest_names(t, r, &w);
    else if (r->kind == RECORD_NOTE && (str_is(r->note, "lost") || str_is(r->note, "dropped")))
        aggregate_add(t, &(struct aggregate_entry){.sum = AGGREGATE_HOST,
                                                   .keys = {r->host},
                                                   .counts = {0, 0, count_bounded(r->dropped), count_bounded(r->lost)},
                                                   .moment = r->t});
    return STATUS_OK;
}
