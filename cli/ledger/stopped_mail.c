// SPDX-License-Identifier: BSD-2-Clause
/*
 * stopped_mail.c - finds the stopped forgery in the ledger.
 *
 * First the domains are looked up whose mail did not meet the policy in the time asked about, then for each of them its
 * mail of the last STOPPED_LOOK_BACK_DAYS is gone through: where it passed from, where it failed from. Promises to read
 * no mail of other domains, and at most STOPPED_MAIL_MOST records, those that can decide. Records are kept for
 * ledger.keep-identity: what is older counts as unexplained, never as forgery.
 */
#include "cli/ledger/stopped_mail.h"
#include "base/clock.h"
#include "cli/mail_history.h"
#include "ledger/stopped.h"
#include "ledger/ingest.h"
#include "ledger/timestamp.h"
#include "policy/map.h"
#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)
#define KEY_SIZE 1200
#define SUMMED(action) (strcmp(action, "deliver") != 0)

struct stopped_mail {
    struct arena *arena;
    struct map sums;    /* key of a sum -> mails */
    struct map perhaps; /* the same of mail that may be forged */
    struct stopped_domain *domains;
    size_t count, read;
    int64_t mails, since, until;
    const struct policy *policy;
    bool failed;
};

static const char *or_none(const char *text)
{
    return text ? text : "";
}

static void key_of(char key[KEY_SIZE], const char *standard, const char *subject, const char *result,
                   const char *action, const char *statement)
{
    snprintf(key, KEY_SIZE, "%.40s %.300s %.40s %.40s %.300s", standard, subject, or_none(result), action,
             or_none(statement));
}

static void add_to(struct stopped_mail *m, struct map *sums, const char *key)
{
    uint64_t *n = map_get(sums, slice_str(key));
    if (n) {
        ++*n;
        return;
    }
    const char *kept = arena_strdup(m->arena, key);
    m->failed = !kept || map_put(sums, slice_str(kept), 1) != STATUS_OK || m->failed;
}

/* The lines that were summed for this mail when it was taken in (outcome_day). */
static void add_lines(struct stopped_mail *m, struct map *sums, const struct record *r)
{
    for (size_t i = 0; i < value_count(r->lines) && i < RECORD_FINDINGS_MAX; i++) {
        const struct value *l = value_at(r->lines, i);
        const char *standard = or_none(value_text(l, "standard")), *action = value_text(l, "action");
        char coarse[INGEST_NET], key[KEY_SIZE];
        const char *subject = ingest_coarse(or_none(value_text(l, "subject")), coarse);
        if (!action || !SUMMED(action) || value_text(l, "exemption") || value_text(l, "trust"))
            continue;
        key_of(key, standard, subject, value_text(l, "result"), action, value_text(l, "statement"));
        add_to(m, sums, key);
        key_of(key, standard, subject, NULL, action, NULL);
        add_to(m, sums, key);
    }
}

/* The network whose mails count together, of what the ledger keeps of a client (ingest_coarse()). */
static const char *network_of(const char *kept, char out[IP_NET_TEXT])
{
    struct ip_net net;
    if (!kept || ip_net_from_text(slice_str(kept), &net) != STATUS_OK)
        return NULL;
    net = stopped_network(&net.base);
    return ip_net_text(&net, out);
}

/* Networks from which mail of this domain came that did not meet the policy. */
static enum status find_networks(struct stopped_mail *m, struct store *s, const char *domain, struct arena *a,
                                 struct map *networks)
{
    bool memory = true;
    struct store_rows *rows = store_ask(s,
                                        "SELECT client_net FROM mail WHERE from_domain = $1 AND t >= $2 AND t < $3 AND "
                                        "would <> 'deliver' AND record IS NOT NULL GROUP BY client_net",
                                        "tii", domain, m->since, m->until);
    while (memory && store_next(rows)) {
        char text[IP_NET_TEXT];
        const char *net = network_of(store_text(rows, 0), text);
        const char *kept = net && !map_get(networks, slice_str(net)) ? arena_strdup(a, net) : NULL;
        memory = !arena_failed(a) && (!kept || map_put(networks, slice_str(kept), 1) == STATUS_OK);
    }
    enum status st = store_done(rows);
    return memory ? st : STATUS_NOMEM;
}

/* The domain's mail of the last days into the history. What is asked of it is whether STOPPED_PASSES mails passed, and
 * what came from those networks: other mails are not unpacked. */
static enum status read_history(struct stopped_mail *m, struct store *s, const char *domain, struct mail_history *h,
                                struct map *networks)
{
    struct store_rows *rows =
        store_ask(s,
                  "SELECT client_net, record FROM mail WHERE from_domain = $1 AND t >= $2 AND record IS NOT NULL ORDER "
                  "BY t DESC LIMIT $3",
                  "tii", domain, (int64_t)clock_wall_us() - STOPPED_LOOK_BACK_DAYS * DAY_US,
                  (int64_t)(STOPPED_MAIL_MOST - m->read) * STOPPED_MAIL_PASSED);
    size_t left = networks->count; /* those of which it is not decided yet; their value in the map is 1 */
    while (m->read < STOPPED_MAIL_MOST && store_next(rows)) {
        struct record r;
        char text[IP_NET_TEXT];
        const char *net = network_of(store_text(rows, 0), text);
        uint64_t *open = net ? map_get(networks, slice_str(net)) : NULL;
        bool decided = mail_history_is_decided(h, domain, open ? net : NULL);
        if (decided && open && *open) {
            *open = 0;
            left--;
        }
        if (decided && !left)
            break;
        if (decided)
            continue;
        const char *line = store_record(rows, 1);
        if (!line || record_parse(slice_str(line), &r, NULL) != STATUS_OK)
            continue;
        m->read++;
        if (r.kind == RECORD_MAIL && record_is_from_outside(&r))
            mail_history_add(h, &r);
        record_free(&r);
    }
    return store_done(rows);
}

static enum status judge_mails(struct stopped_mail *m, struct store *s, struct mail_history *h,
                               struct stopped_domain *d)
{
    struct store_rows *rows = store_ask(s,
                                        "SELECT record FROM mail WHERE from_domain = $1 AND t >= $2 AND t < $3 AND "
                                        "would <> 'deliver' AND record IS NOT NULL ORDER BY t DESC LIMIT $4",
                                        "tiii", d->domain, m->since, m->until, (int64_t)STOPPED_MAIL_MOST);
    while (store_next(rows)) {
        struct record r;
        const char *line = store_record(rows, 0);
        if (!line || record_parse(slice_str(line), &r, NULL) != STATUS_OK)
            continue;
        bool usable = r.kind == RECORD_MAIL && record_is_from_outside(&r) && SUMMED(r.would);
        if (usable && mail_history_is_stopped(h, m->policy, &r)) {
            d->mails++;
            d->first = !d->first || r.t < d->first ? r.t : d->first;
            d->last = r.t > d->last ? r.t : d->last;
            add_lines(m, &m->sums, &r);
        } else if (usable && mail_history_may_be_forged(h, m->policy, &r)) {
            add_lines(m, &m->perhaps, &r);
        }
        record_free(&r);
    }
    return store_done(rows);
}

static enum status look_at_domain(struct stopped_mail *m, struct store *s, const char *domain)
{
    struct arena *a = arena_new((size_t)64 << 20);
    struct mail_history *h = a ? mail_history_new(a) : NULL;
    struct stopped_domain *d = &m->domains[m->count];
    struct map networks;
    *d = (struct stopped_domain){.domain = domain};
    map_init(&networks, 1);
    enum status st = h ? mail_history_load(h, s, domain) : STATUS_NOMEM;
    if (st == STATUS_OK)
        st = find_networks(m, s, domain, a, &networks);
    if (st == STATUS_OK)
        st = read_history(m, s, domain, h, &networks);
    if (st == STATUS_OK)
        st = judge_mails(m, s, h, d);
    m->count += d->mails > 0;
    m->mails += d->mails;
    map_release(&networks);
    mail_history_free(h);
    arena_free(a);
    return st;
}

/* Domains whose mail did not meet the policy, the most mails first. */
static enum status find_domains(struct stopped_mail *m, struct store *s, const char **names, size_t *count)
{
    struct store_rows *rows = store_ask(s,
                                        "SELECT from_domain FROM mail WHERE t >= $1 AND t < $2 AND would <> 'deliver' "
                                        "AND from_domain IS NOT NULL GROUP BY from_domain ORDER BY count(*) DESC, "
                                        "from_domain LIMIT $3",
                                        "iii", m->since, m->until, (int64_t)STOPPED_MAIL_DOMAINS);
    for (*count = 0; store_next(rows) && *count < STOPPED_MAIL_DOMAINS; ++*count) {
        names[*count] = arena_strdup(m->arena, or_none(store_text(rows, 0)));
        m->failed = !names[*count] || m->failed;
    }
    return store_done(rows);
}

static int most_first(const void *a, const void *b)
{
    const struct stopped_domain *x = a, *y = b;
    return x->mails != y->mails ? (x->mails > y->mails ? -1 : 1) : strcmp(x->domain, y->domain);
}

struct stopped_mail *stopped_mail_find(struct store *s, const struct policy *p, int64_t since_day, int64_t until_day,
                                       enum status *status)
{
    struct arena *a = arena_new((size_t)64 << 20);
    struct stopped_mail *m = a ? ARENA_NEW(a, struct stopped_mail) : NULL;
    const char **names = m ? arena_alloc(a, STOPPED_MAIL_DOMAINS * sizeof *names) : NULL;
    struct stopped_domain *domains = names ? arena_alloc(a, STOPPED_MAIL_DOMAINS * sizeof *domains) : NULL;
    size_t count = 0;
    *status = STATUS_NOMEM;
    if (!domains) {
        arena_free(a);
        return NULL;
    }
    *m = (struct stopped_mail){.arena = a, .domains = domains, .policy = p};
    m->since = since_day > 0 ? since_day * DAY_US : 0;
    m->until = until_day < timestamp_day(clock_wall_us()) + 2 ? (until_day + 1) * DAY_US : INT64_MAX;
    map_init(&m->sums, 1);
    map_init(&m->perhaps, 1);
    *status = find_domains(m, s, names, &count);
    for (size_t i = 0; i < count && *status == STATUS_OK && !m->failed && m->read < STOPPED_MAIL_MOST; i++)
        *status = look_at_domain(m, s, names[i]);
    if (*status == STATUS_OK && m->failed)
        *status = STATUS_NOMEM;
    if (*status != STATUS_OK)
        return stopped_mail_free(m);
    qsort(m->domains, m->count, sizeof *m->domains, most_first);
    return m;
}

struct stopped_mail *stopped_mail_free(struct stopped_mail *m)
{
    if (m) {
        map_release(&m->sums);
        map_release(&m->perhaps);
        arena_free(m->arena);
    }
    return NULL;
}

const struct stopped_domain *stopped_mail_at(const struct stopped_mail *m, size_t i)
{
    return i < m->count ? &m->domains[i] : NULL;
}

int64_t stopped_mail_count(const struct stopped_mail *m)
{
    return m->mails;
}

static int64_t among(const struct map *sums, const char *standard, const char *subject, const char *result,
                     const char *action, const char *statement)
{
    char key[KEY_SIZE];
    key_of(key, standard, subject, result, action, statement);
    const uint64_t *n = map_get(sums, slice_str(key));
    return n ? (int64_t)*n : 0;
}

int64_t stopped_mail_among(const struct stopped_mail *m, const char *standard, const char *subject, const char *result,
                           const char *action, const char *statement)
{
    return among(&m->sums, standard, subject, result, action, statement);
}

int64_t stopped_mail_perhaps_among(const struct stopped_mail *m, const char *standard, const char *subject,
                                   const char *result, const char *action, const char *statement)
{
    return among(&m->perhaps, standard, subject, result, action, statement);
}

size_t stopped_mail_sums(const struct stopped_mail *m)
{
    return m->sums.count;
}
