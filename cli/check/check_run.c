// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_run.c - gathers and judges domains, several at once, and hands them on in the order given.
 *
 * Promises bounded memory: at most `parallel` domains are under way or wait for the one before them. Ctrl-C ends the
 * program; what was passed on before is complete.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "base/quiet_thread.h"
#include "cli/check/check_cmd.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "dns/dns_canary.h"
#include "dns/dns_unbound.h"
#include "ledger/domain_checks.h"
#include "net/https.h"
#include "policy/policy_settings.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CANARY_MS 10000

struct slot {
    struct check_one one;
    size_t index;
    bool full; /* judged, and not passed on yet */
};

struct run {
    const struct check_options *o;
    struct gather *gather;
    struct store *ledger; /* NULL: none that may be read (never with --keep) */
    pthread_mutex_t ledger_lock;
    char **domains;
    size_t count, next, handed;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot slots[CHECK_PARALLEL_MOST];
};

void check_one_free(struct check_one *one)
{
    facts_free(one->facts);
    one->arena = arena_free(one->arena);
    one->facts = NULL;
}

static const char too_little[] = "the domain needs more memory than check.memory allows, or memory ran out";

/* Text of facts to a report. */
static void run_judge(const struct check_options *o, struct slice text, struct check_one *one)
{
    const char *error = "out of memory";
    struct slice kept = arena_slice(one->arena, text);
    one->facts = kept.p ? facts_read(one->arena, kept, &error) : NULL;
    if (!one->facts || check_judge(one->arena, one->facts, o->table, cli_language(), &one->report, &error) != STATUS_OK)
        one->error = arena_failed(one->arena) ? too_little : error;
    else
        one->domain = one->facts->domain;
}

bool check_read_file(const struct check_options *o, const char *path, struct check_one *one)
{
    struct buf text = {.p = buf_empty, .bound = FACTS_OCTETS + 1};
    char chunk[65536];
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    *one = (struct check_one){.domain = path, .arena = arena_new(o->memory ? o->memory : GATHER_MEMORY)};
    if (fd < 0 || fstat(fd, &st) != 0)
        one->error = arena_printf(one->arena, "%s", strerror(errno));
    else if (!S_ISREG(st.st_mode))
        one->error = "not a regular file";
    while (!one->error && (n = read(fd, chunk, sizeof chunk)) > 0 && !text.failed)
        buf_add(&text, chunk, (size_t)n);
    if (fd >= 0)
        close(fd);
    if (!one->error && text.failed)
        one->error = "the file is over 4 MB";
    if (!one->error)
        run_judge(o, buf_slice(&text), one);
    buf_release(&text);
    return !one->error;
}

/* Into the ledger, where the report looks. NULL, or what is wrong. */
static const char *result_keep(struct run *r, const char *domain, const char *text, struct arena *arena)
{
    pthread_mutex_lock(&r->ledger_lock);
    enum status s = domain_check_put(r->ledger, clock_wall() / 86400, domain, text);
    const char *wrong = s == STATUS_OK      ? NULL
                        : s == STATUS_NOMEM ? "out of memory"
                                            : arena_printf(arena, "not kept: %s", store_error(r->ledger));
    pthread_mutex_unlock(&r->ledger_lock);
    return wrong;
}

/* FILE, or FOLDER/DOMAIN.facts; for its owner alone. */
static const char *save(const struct check_options *o, const char *domain, bool several, struct slice text,
                        struct arena *arena)
{
    const char *path = several ? arena_printf(arena, "%s/%s.facts", o->save, domain) : o->save;
    const char *wrong = path ? cli_replace_file(path, text, 0600) : "out of memory";
    return wrong ? arena_printf(arena, "%s: %s", path ? path : o->save, wrong) : NULL;
}

/* The selectors that the ledger saw signatures of the domain pass by, the latest first, behind those asked for. */
static enum status find_selectors(struct store *ledger, const char *domain, struct arena *arena,
                                  struct gather_known *out)
{
    struct store_rows *rows = store_ask(ledger,
                                        "SELECT selector FROM selector WHERE domain = $1 AND result = 'pass' "
                                        "GROUP BY selector ORDER BY max(last_seen) DESC, selector LIMIT 32",
                                        "t", domain);
    while (out->selector_count < FACTS_SELECTORS && store_next(rows)) {
        const char *name = arena_strdup(arena, store_text(rows, 0));
        bool known = !name;
        for (size_t i = 0; i < out->selector_count && !known; i++)
            known = strcasecmp(out->selectors[i].name, name) == 0;
        if (!known)
            out->selectors[out->selector_count++] = (struct facts_selector){name, "ledger"};
    }
    return store_done(rows);
}

/* One address of the rows of DMARC. Only those that passed are senders of the domain: anybody can use its name. Of one
 * that the administrator named, all is counted. Networks, to which old addresses are cut, are no addresses. */
static void add_sender(struct gather_known *out, const char *text, int64_t mails, int64_t aligned)
{
    struct ip address;
    if (!text || ip_from_text(slice_str(text), &address) != STATUS_OK)
        return;
    size_t i = 0;
    while (i < out->sender_count && !ip_eq(&out->senders[i].address, &address))
        i++;
    if (i == out->sender_count && (i == FACTS_SENDERS || aligned == 0))
        return;
    if (i == out->sender_count)
        out->senders[out->sender_count++] = (struct facts_sender){.address = address, .source = "ledger"};
    out->senders[i].mails += mails;
    out->senders[i].aligned += aligned;
}

#define DAYS_BACK "$1, $1 - 1, $1 - 2, $1 - 3, $1 - 4, $1 - 5, $1 - 6, $1 - 7"

/* Who sent mail of the domain in the last week. The rows stand under the name whose DMARC record held: the domain's, or
 * one above it. */
static enum status find_senders(struct store *ledger, const char *domain, struct gather_known *out)
{
    static const char question[] =
        "SELECT source_ip, sum(count), sum(CASE WHEN dkim = 'pass' OR spf = 'pass' THEN count ELSE 0 END) "
        "FROM dmarc_row WHERE day IN (" DAYS_BACK ") AND domain = $2 AND header_from = $3 GROUP BY source_ip "
        "ORDER BY 3 DESC, source_ip LIMIT 200";
    enum status s = STATUS_OK;
    for (const char *name = domain; name && s == STATUS_OK; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
        struct store_rows *rows = store_ask(ledger, question, "itt", clock_wall() / 86400, name, domain);
        while (store_next(rows))
            add_sender(out, store_text(rows, 0), store_number(rows, 1), store_number(rows, 2));
        s = store_done(rows);
    }
    return s;
}

static enum status find_encryption(struct store *ledger, const char *domain, struct gather_known *out)
{
    struct store_rows *rows =
        store_ask(ledger,
                  "SELECT result, sum(count) FROM subject_day WHERE day IN (" DAYS_BACK ") AND subject = $2 "
                  "AND scope = 'mail' AND standard = 'tls' GROUP BY result",
                  "it", clock_wall() / 86400, domain);
    while (store_next(rows)) {
        const enum result result = result_from_name(slice_str(store_text(rows, 0)));
        out->tls += result == RESULT_PASS ? store_number(rows, 1) : 0;
        out->clear += result == RESULT_FAIL || result == RESULT_NONE ? store_number(rows, 1) : 0;
    }
    return store_done(rows);
}

/* What was asked for, and what the ledger knows, if it can be read. */
static void find_known(struct run *r, const char *domain, struct arena *arena, struct gather_known *out)
{
    out->selector_count = r->o->selector_count;
    memcpy(out->selectors, r->o->selectors, out->selector_count * sizeof *out->selectors);
    out->sender_count = r->o->sender_count;
    memcpy(out->senders, r->o->senders, out->sender_count * sizeof *out->senders);
    if (!r->ledger)
        return;
    const struct gather_known asked = *out;
    pthread_mutex_lock(&r->ledger_lock);
    if (find_selectors(r->ledger, domain, arena, out) != STATUS_OK ||
        find_senders(r->ledger, domain, out) != STATUS_OK || find_encryption(r->ledger, domain, out) != STATUS_OK)
        *out = asked;
    pthread_mutex_unlock(&r->ledger_lock);
}

static void check_domain(struct run *r, const char *domain, struct check_one *one)
{
    struct gather_known known = {.selector_count = 0};
    struct buf text = {.p = buf_empty, .bound = FACTS_OCTETS};
    *one = (struct check_one){.domain = domain, .arena = arena_new(r->o->memory)};
    if (one->arena)
        find_known(r, domain, one->arena, &known);
    if (!one->arena || gather_domain(r->gather, domain, &known, &text) != STATUS_OK)
        one->error = text.failed ? "the facts are over 4 MB, or memory ran out" : too_little;
    if (!one->error && r->o->save)
        one->unsaved = save(r->o, domain, r->count > 1, buf_slice(&text), one->arena);
    if (!one->error && r->o->keep)
        one->unsaved = result_keep(r, domain, text.p, one->arena);
    if (!one->error)
        run_judge(r->o, buf_slice(&text), one);
    buf_release(&text);
}

static void *worker(void *context)
{
    struct run *r = context;
    pthread_mutex_lock(&r->lock);
    while (r->next < r->count) {
        /* Nobody runs further ahead of the one passed on last than there are slots. */
        if (r->next >= r->handed + r->o->parallel) {
            pthread_cond_wait(&r->changed, &r->lock);
            continue;
        }
        size_t index = r->next++;
        struct slot *s = &r->slots[index % r->o->parallel];
        pthread_mutex_unlock(&r->lock);
        check_domain(r, r->domains[index], &s->one);
        pthread_mutex_lock(&r->lock);
        s->index = index;
        s->full = true;
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void show_progress(const struct run *r, int64_t begun)
{
    if (!isatty(STDERR_FILENO) || r->count < 2)
        return;
    int64_t took = clock_mono_ms() - begun, left = took / (int64_t)r->handed * (int64_t)(r->count - r->handed) / 1000;
    fprintf(stderr, "\r%zu of %zu domains, about %lld min %02lld s left   %s", r->handed, r->count,
            (long long)left / 60, (long long)left % 60, r->handed == r->count ? "\n" : "");
    fflush(stderr);
}

static void hand_on(struct run *r, void (*done)(void *context, struct check_one *one), void *context)
{
    int64_t begun = clock_mono_ms();
    pthread_mutex_lock(&r->lock);
    while (r->handed < r->count) {
        struct slot *s = &r->slots[r->handed % r->o->parallel];
        if (!s->full || s->index != r->handed) {
            pthread_cond_wait(&r->changed, &r->lock);
            continue;
        }
        pthread_mutex_unlock(&r->lock);
        done(context, &s->one);
        check_one_free(&s->one);
        pthread_mutex_lock(&r->lock);
        s->full = false;
        r->handed++;
        show_progress(r, begun);
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
}

/* ---- what we ask with ---- */

/* Tells whether this computer has a way out over a family of addresses: a route is looked up, nothing is sent. */
static enum facts_here has_route(int family, const char *to)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } a = {0};
    bool good;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return FACTS_NO;
    a.sa.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        a.in.sin_port = htons(53);
        inet_pton(AF_INET, to, &a.in.sin_addr);
        good = connect(fd, &a.sa, sizeof a.in) == 0;
    } else {
        a.in6.sin6_port = htons(53);
        inet_pton(AF_INET6, to, &a.in6.sin6_addr);
        good = connect(fd, &a.sa, sizeof a.in6) == 0;
    }
    close(fd);
    return good ? FACTS_YES : FACTS_NO;
}

/* How this computer asks DNS, and whether its DNS is in order. */
struct own_dns {
    const struct policy *policy; /* NULL: none */
    struct dns_unbound_config config;
    pthread_mutex_t lock; /* for begun and why */
    int64_t begun;        /* when the canary was last asked; 0: never */
    char why[GATHER_CANARY];
};

/* Own addresses are asked only where own domains or names on the command line were given. */
static bool is_own(void *context, const struct ip *a)
{
    const struct own_dns *own = context;
    return policy_is_own_network(own->policy, a);
}

/* Asks the canary for a domain whose answers failed. A thread that waits for the lock does not use the answer that is
 * under way, which began before its own failure. All threads that wait share the next answer. */
static void ask_canary(void *context, char out[GATHER_CANARY])
{
    struct own_dns *own = context;
    const int64_t since = clock_mono_ms();
    pthread_mutex_lock(&own->lock);
    if (!own->begun || own->begun < since) {
        char *why = NULL;
        own->begun = clock_mono_ms();
        (void)dns_canary(&own->config, NULL, CANARY_MS, &why);
        snprintf(own->why, sizeof own->why, "%s", why ? why : "");
        free(why);
    }
    snprintf(out, GATHER_CANARY, "%s", own->why);
    pthread_mutex_unlock(&own->lock);
}

static struct dns *fresh_dns(void *context)
{
    struct own_dns *own = context;
    struct dns_unbound_config config = own->config;
    char *error = NULL;
    config.small = true;
    struct dns *dns = dns_unbound_new(&config, &error);
    free(error);
    return dns;
}

static struct dns *open_dns(const struct policy *policy, struct own_dns *own)
{
    own->policy = policy;
    own->config = (struct dns_unbound_config){
        .anchor = policy ? dns_anchor_or_system(policy_set_text(policy, SETTING_DNS_ANCHOR)) : DNS_SYSTEM_ANCHOR,
        .forward = policy ? policy_set_text(policy, SETTING_DNS_FORWARD) : NULL,
        .anchor_fixed = true,
        .patient = true}; /* an administrator's own list may be all in one zone */
    char *error = NULL;
    struct dns *dns = dns_unbound_new(&own->config, &error);
    if (!dns)
        cli_error("%s", error ? error : "out of memory");
    free(error);
    return dns;
}

static const char *host_name(char out[256])
{
    return gethostname(out, 256) == 0 && memchr(out, '\0', 256) && *out ? out : "localhost";
}

/* What RPKI is tested by. -1 after a message: a setting cannot be used, which the administrator wants to know at once.
 * An RTR cache that does not answer is a fact, no error. */
static int open_rpki(const struct policy *policy, struct gather_config *c, char zones[2][LIMIT_DOMAIN + 1],
                     char why[RTR_WHY])
{
    const char *cache = policy ? policy_set_text(policy, SETTING_CHECK_RTR) : "";
    const char *origin = policy ? policy_set_text(policy, SETTING_CHECK_ORIGIN) : "";
    char problem[ORIGIN_WHY];
    if (!*cache)
        return 0;
    if (*origin == '/' && !(c->origins = origin_load(origin, problem))) {
        cli_error("check.origin: %s", problem);
        return -1;
    }
    size_t n = strcspn(origin, " \t");
    const char *second = origin + n + strspn(origin + n, " \t");
    if (*origin && *origin != '/' &&
        (domain_from_text(slice_of(origin, n), zones[0]) != STATUS_OK ||
         domain_from_text(*second ? slice_str(second) : slice_of(origin, n), zones[1]) != STATUS_OK)) {
        cli_error("check.origin is \"%s\"; it takes a path that begins with /, or one or two DNS zones", origin);
        return -1;
    }
    c->origin4 = zones[0];
    c->origin6 = zones[1];
    c->rtr = rtr_open(cache, RTR_WAIT_MS, why);
    c->rtr_why = why;
    return 0;
}

/* The ledger, where it is there and may be read: without it no selector is known but those given. --keep needs it, one
 * that is there: assay-ledger makes it, with its own rights. False after a message. */
static bool open_ledger(const struct policy *policy, bool keep, struct store **out)
{
    char why[STORE_ERROR];
    enum status s;
    const char *where = policy ? policy_set_text(policy, SETTING_LEDGER_STORE) : NULL;
    *out = where ? store_open(where, STORE_READ, &s, why) : NULL;
    if (!keep)
        return true;
    if (*out) {
        store_close(*out);
        *out = store_open(where, STORE_WRITE, &s, why);
    }
    if (!*out)
        cli_error("--keep: %s", where ? why : "there is no policy that names the ledger");
    return *out != NULL;
}

static void start_threads(struct run *r, void (*done)(void *context, struct check_one *one), void *context)
{
    pthread_t threads[CHECK_PARALLEL_MOST];
    size_t started = 0, wanted = r->o->parallel < r->count ? r->o->parallel : r->count;
    while (started < wanted && quiet_thread_create(&threads[started], worker, r) == 0)
        started++;
    if (started)
        hand_on(r, done, context);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

int check_run(const struct check_options *o, const struct policy *policy, char **domains, size_t count,
              void (*done)(void *context, struct check_one *one), void *context)
{
    struct own_dns own = {.lock = PTHREAD_MUTEX_INITIALIZER};
    char name[256], zones[2][LIMIT_DOMAIN + 1] = {"", ""}, why[RTR_WHY] = "";
    bool usable;
    struct gather_config c = {.ehlo = host_name(name),
                              .ipv4 = has_route(AF_INET, "198.41.0.4"),
                              .ipv6 = has_route(AF_INET6, "2001:503:ba3e::2:30"),
                              .allow_special = o->allow_private,
                              .is_own = policy && o->list ? is_own : NULL,
                              .fresh = fresh_dns,
                              .canary = ask_canary,
                              .context = &own,
                              .ca_file = o->ca_file,
                              .pace_ms = o->pace_ms,
                              .again_ms = GATHER_AGAIN_MS,
                              .sockets = o->sockets,
                              .memory = o->memory};
    struct run *r = calloc(1, sizeof *r);
    if (r && !open_ledger(policy, o->keep, &r->ledger)) {
        free(r);
        return EX_CANTCREAT;
    }
    usable = open_rpki(policy, &c, zones, why) == 0; /* forks, so before there are threads */
    c.dns = usable ? open_dns(policy, &own) : NULL;
    if (r && c.dns && https_begin())
        r->gather = gather_new(&c);
    if (r && r->gather) {
        r->o = o;
        r->domains = domains;
        r->count = count;
        pthread_mutex_init(&r->lock, NULL);
        pthread_cond_init(&r->changed, NULL);
        pthread_mutex_init(&r->ledger_lock, NULL);
        start_threads(r, done, context);
        pthread_mutex_destroy(&r->ledger_lock);
        pthread_cond_destroy(&r->changed);
        pthread_mutex_destroy(&r->lock);
    }
    bool ran = r && r->gather;
    if (r) {
        gather_free(r->gather);
        store_close(r->ledger);
    }
    free(r);
    rtr_close(c.rtr);
    prefix_table_free(c.origins);
    dns_close(c.dns);
    return ran ? 0 : c.dns ? EX_OSERR : EX_CONFIG;
}
