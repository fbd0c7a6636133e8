// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_unbound_open.c - creates and ends the libunbound source.
 *
 * Order: the anchor is checked, then libunbound is configured (the caller's file first, so that our own settings win),
 * then one question that needs no network (localhost) makes it read its anchors: what is wrong with the configuration
 * is found here and not at the first mail. What libunbound prints meanwhile is captured and becomes the error text;
 * afterwards it prints nothing. The thread is created with all signals blocked, so that the program's handlers run in
 * the program's threads.
 *
 * Fails with NULL and one line in *error, after undoing everything.
 */
#include "base/clock.h"
#include "dns/dns_anchor.h"
#include "dns/dns_cache.h"
#include "dns/dns_flight.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unbound-event.h>
#include <unbound.h>
#include <unistd.h>

#define DEFAULT_CACHE (32u * 1024 * 1024)
#define SCRATCH (1u << 20) /* one answer's records: at most 512, and 65,535 octets with names compressed */

static void open_complain(char **error, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void open_complain(char **error, const char *fmt, ...)
{
    va_list ap;
    if (*error)
        return;
    va_start(ap, fmt);
    if (vasprintf(error, fmt, ap) < 0)
        *error = NULL;
    va_end(ap);
}

/* The first error that libunbound printed (the later ones follow from it), without time stamp and process number; ""
 * for none. */
static const char *first_error(char *log)
{
    char *words = log ? strstr(log, "error: ") : NULL;
    if (!words)
        return "";
    words += 7;
    words[strcspn(words, "\n")] = '\0';
    return words;
}

static bool option(struct ub_ctx *ctx, const char *name, const char *value, char **error)
{
    int rc = ub_ctx_set_option(ctx, name, value);
    if (rc != 0)
        open_complain(error, "libunbound does not take %s %s: %s", name, value, ub_strerror(rc));
    return rc == 0;
}

/* Look-ups that may be under way: each may need a port, which is an open file. */
static unsigned most_flights(const struct dns_unbound_config *config)
{
    struct rlimit files;
    if (config->small)
        return 64;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur / 2 >= LIMIT_DNS_FLIGHTS)
        return LIMIT_DNS_FLIGHTS;
    return files.rlim_cur / 2 < 64 ? 64 : (unsigned)(files.rlim_cur / 2);
}

/* Tells whether this host has a way to IPv6 addresses. Nothing is sent: connecting a datagram socket only asks for a
 * route.
 */
static bool has_ipv6(void)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && inet_pton(AF_INET6, "2001:7fd::1", &to.sin6_addr) == 1 &&
                connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* What keeps look-ups cheap at servers that lead on and on; dns_loop.h bounds them. A libunbound that does not know one
 * of these does without, and dns_unbound_not_taken() tells.
 *
 * Qname minimisation (RFC 9156) would hide whole names from the servers of the root and of top-level domains. But the
 * sender chooses the names, and max-sent-count begins anew for each label: mails would reach their bound with few of
 * their names asked. */
static void set_bounds(struct dns_unbound *u)
{
    static const char *const options[][2] = {
        {"max-query-restarts:", "7"},          /* CNAME records followed; 11 by default */
        {"max-sent-count:", "6"},              /* packets for one name at one delegation, all that fit 5 s; 32 */
        {"outbound-msg-retry:", "3"},          /* tries of one server; 5 */
        {"max-global-quota:", "50"},           /* packets for a question and all that it leads to (since 1.21) */
        {"infra-cache-max-rtt:", "4000"},      /* the longest wait for one server; 120000 */
        {"target-fetch-policy:", "0 0 0 0 0"}, /* no addresses of name servers that are not needed */
        {"qname-minimisation:", "no"},         /* a packet for each label, of each name on the way; see below */
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (ub_ctx_set_option(u->ctx, options[i][0], options[i][1]) != 0 && !u->not_taken[0])
            snprintf(u->not_taken, sizeof u->not_taken, "%s %s", options[i][0], options[i][1]);
    if (!has_ipv6())
        (void)ub_ctx_set_option(u->ctx, "do-ip6:", "no");
}

/* As a library, libunbound is sized for one user's browser: 16 ports, caches of 1 MiB. */
static bool set_options(struct dns_unbound *u, unsigned flights, char **error)
{
    char range[16];
    snprintf(range, sizeof range, "%u", flights);
    set_bounds(u);
    if (!option(u->ctx, "outgoing-range:", range, error) || !option(u->ctx, "num-queries-per-thread:", range, error))
        return false;
    static const char *const options[][2] = {
        {"outgoing-num-tcp:", "32"},       {"msg-cache-size:", "16m"},         {"rrset-cache-size:", "32m"},
        {"key-cache-size:", "8m"},         {"neg-cache-size:", "2m"},          {"edns-buffer-size:", "1232"},
        {"aggressive-nsec:", "yes"},       {"harden-dnssec-stripped:", "yes"}, {"val-permissive-mode:", "no"},
        {"do-not-query-localhost:", "no"}, {"serve-expired:", "no"},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (!option(u->ctx, options[i][0], options[i][1], error))
            return false;
    return true;
}

/* "ADDRESS", "ADDRESS@PORT". */
static bool is_forward(const char *text)
{
    struct ip address;
    const char *at = strchr(text, '@');
    if (ip_from_text(slice_of(text, at ? (size_t)(at - text) : strlen(text)), &address) != STATUS_OK)
        return false;
    if (!at)
        return true;
    char *end;
    long port = strtol(at + 1, &end, 10);
    return at[1] >= '0' && at[1] <= '9' && *end == '\0' && port > 0 && port <= 65535;
}

/* With a forwarder the site's own names are asked for like others: libunbound would answer for private reverse zones,
 * .test and home.arpa by itself (RFC 6303, 6761, 8375). Nobody can sign them from the root, so they are insecure. */
static bool unblock_local(struct ub_ctx *ctx, char **error)
{
    static const char *const options[][2] = {
        {"unblock-lan-zones:", "yes"},        {"insecure-lan-zones:", "yes"},
        {"local-zone:", "test. transparent"}, {"local-zone:", "home.arpa. transparent"},
        {"domain-insecure:", "test."},        {"domain-insecure:", "home.arpa."},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (!option(ctx, options[i][0], options[i][1], error))
            return false;
    return true;
}

static bool set_forward(struct ub_ctx *ctx, const char *forward, char **error)
{
    char *copy = strdup(forward ? forward : ""), *rest = NULL;
    bool good = copy != NULL;
    for (char *one = copy ? strtok_r(copy, " \t,", &rest) : NULL; one && good; one = strtok_r(NULL, " \t,", &rest)) {
        good = is_forward(one);
        if (!good)
            open_complain(error, "dns.forward \"%s\": expected ADDRESS or ADDRESS@PORT", one);
        else if (ub_ctx_set_fwd(ctx, one) != 0) {
            good = false;
            open_complain(error, "dns.forward \"%s\": not accepted by libunbound", one);
        }
    }
    free(copy);
    return good && (!forward || !*forward || unblock_local(ctx, error));
}

static bool set_anchor(struct ub_ctx *ctx, const struct dns_unbound_config *config, char **error)
{
    enum anchor_use use = ANCHOR_STATIC;
    if (!config->anchor || !*config->anchor) {
        open_complain(error, "no trust anchor is set (dns.anchor); without one nothing can be validated");
        return false;
    }
    if (config->anchor_seed && dns_anchor_seed(config->anchor, config->anchor_seed, error) != STATUS_OK)
        return false;
    if (dns_anchor_check(config->anchor, &use, error) != STATUS_OK)
        return false;
    int rc = use == ANCHOR_RFC5011 && !config->anchor_fixed ? ub_ctx_add_ta_autr(ctx, config->anchor)
                                                            : ub_ctx_add_ta_file(ctx, config->anchor);
    if (rc != 0)
        open_complain(error, "trust anchor %s: %s", config->anchor, ub_strerror(rc));
    return rc == 0;
}

static bool configure(struct dns_unbound *u, const struct dns_unbound_config *config, char **error)
{
    if (config->extra && *config->extra) {
        int rc = ub_ctx_config(u->ctx, config->extra);
        if (rc != 0) {
            open_complain(error, "%s: not a configuration that libunbound takes: %s", config->extra, ub_strerror(rc));
            return false;
        }
    }
    return set_options(u, most_flights(config), error) && set_forward(u->ctx, config->forward, error) &&
           set_anchor(u->ctx, config, error);
}

static void ignore_answer(void *arg, int rcode, void *packet, int octets, int security, char *why_bogus,
                          int was_ratelimited)
{
}

static void *loop_run(void *loop)
{
    dns_loop_run(loop);
    return NULL;
}

/* libunbound reads its anchors at the first question; then the loop's thread starts, with all signals blocked. */
static bool start_thread(struct dns_unbound *u, char **error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = ub_resolve_event(u->ctx, "localhost", DNS_A, 1, NULL, ignore_answer, NULL);
    bool started = rc == 0 && pthread_create(&u->thread, NULL, loop_run, u->loop) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0 && !started)
        open_complain(error, "a thread for DNS cannot be started");
    return started;
}

static void unbound_free(struct dns_unbound *u)
{
    ub_ctx_delete(u->ctx); /* calls back for what is under way */
    dns_unbound_free_flights(u);
    dns_loop_free(u->loop);
    arena_free(u->scratch);
    dns_cache_free(u->cache);
    dns_share_free(u->share);
    pthread_cond_destroy(&u->left);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

static void unbound_close(struct dns *source)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    dns_loop_stop(u->loop);
    pthread_join(u->thread, NULL);
    unbound_free(u);
}

static const struct dns_ops unbound_ops = {
    .ask = dns_unbound_ask,
    .await = dns_unbound_await,
    .let_go = dns_unbound_let_go,
    .close = unbound_close,
    .known = dns_unbound_known,
    .watch = dns_unbound_watch,
    .unwatch = dns_unbound_unwatch,
    .grew = dns_unbound_grew,
    .forget = dns_unbound_forget,
};

struct dns_unbound *dns_unbound_of(struct dns *source)
{
    return source && source->ops == &unbound_ops ? (struct dns_unbound *)source : NULL;
}

static struct dns_unbound *unbound_make(const struct dns_unbound_config *config, char **error)
{
    pthread_condattr_t monotonic;
    struct dns_unbound *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->base.ops = &unbound_ops;
    pthread_mutex_init(&u->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&u->left, &monotonic);
    pthread_condattr_destroy(&monotonic);
    u->patient = config->patient;
    u->last_begun = &u->begun;
    u->scratch = arena_new(SCRATCH);
    u->loop = dns_loop_new(dns_unbound_begin, u);
    u->ctx = u->loop ? ub_ctx_create_ub_event(dns_loop_base(u->loop)) : NULL;
    u->share = dns_share_new(most_flights(config));
    u->cache = config->no_cache ? NULL : dns_cache_new(config->cache_bytes ? config->cache_bytes : DEFAULT_CACHE);
    if (u->ctx && u->scratch && u->share && (u->cache || config->no_cache))
        return u;
    open_complain(error, "libunbound cannot be started: %s", strerror(errno));
    unbound_free(u);
    return NULL;
}

const char *dns_unbound_not_taken(struct dns *source)
{
    const struct dns_unbound *u = dns_unbound_of(source);
    return u && u->not_taken[0] ? u->not_taken : NULL;
}

struct dns *dns_unbound_new(const struct dns_unbound_config *config, char **error)
{
    char *log = NULL;
    size_t log_size = 0;
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER; /* libunbound has one log for the whole process */
    *error = NULL;
    pthread_mutex_lock(&one);
    struct dns_unbound *u = unbound_make(config, error);
    FILE *caught = u ? open_memstream(&log, &log_size) : NULL;
    if (u)
        ub_ctx_debugout(u->ctx, caught);
    bool good = u && configure(u, config, error) && start_thread(u, error);
    if (u)
        ub_ctx_debugout(u->ctx, NULL);
    if (caught)
        fclose(caught);
    if (!good) {
        open_complain(error, "DNS cannot be started: %s", *first_error(log) ? first_error(log) : "out of memory");
        if (u)
            unbound_free(u);
        u = NULL;
    }
    pthread_mutex_unlock(&one);
    free(log);
    return u ? &u->base : NULL;
}
