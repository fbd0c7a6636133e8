// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_gather.c - what a run of `assay check` costs the hosts it asks, and us: at most 24 connections to an address of
 * a mail host that accepts whatever it is offered, whatever number of names it has; one address is asked once, however
 * many domains use it; memory has a bound, and where it does not suffice there are no facts rather than fewer.
 */
#include "base/clock.h"
#include "check/gather.h"
#include "check/tls_probe.h"
#include "dns/dns_replay.h"
#include "dns/dns_source.h"
#include "net/https.h"
#include "tests/unit/web_host.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define NOW 1795216765
#define DAY 86400L
#define DOMAINS 6
#define HELLO_MOST 4096
#define DIGEST "abababababababababababababababababababababababababababababababab"

/* ---- a host that accepts every offer, and counts ---- */

struct greedy {
    struct server tls; /* answers a library's handshake */
    atomic_int connections;
};

static void octets_put(unsigned char **p, const void *octets, size_t n)
{
    memcpy(*p, octets, n);
    *p += n;
}

/* The first cipher suite of an offer is accepted: of TLS 1.3 by a HelloRetryRequest for X25519MLKEM768, of older
 * versions by a ServerHello and, as for the RSA key exchange, a ServerHelloDone. */
static void accept_offer(int fd, const unsigned char *hello)
{
    static const unsigned char retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                            0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                            0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    static const unsigned char extensions[] = {0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0x11, 0xec};
    unsigned char out[200], *p = out;
    const unsigned char *cipher = hello + 46;
    const bool tls13 = cipher[0] == 0x13;
    const unsigned char body = tls13 ? 38 + sizeof extensions : 38, whole = tls13 ? 4 + body : 4 + body + 4;
    octets_put(&p, "\x16\x03\x03\0", 4);
    octets_put(&p, &whole, 1);
    octets_put(&p, "\x02\0\0", 3);
    octets_put(&p, &body, 1);
    octets_put(&p, hello + 9, 2);
    octets_put(&p, tls13 ? (const char *)retry : "a server's 32 octets of its own.", 32);
    octets_put(&p, "", 1);
    octets_put(&p, cipher, 2);
    octets_put(&p, "", 1);
    if (tls13)
        octets_put(&p, extensions, sizeof extensions);
    else
        octets_put(&p, "\x0e\0\0\0", 4);
    (void)!send(fd, out, (size_t)(p - out), MSG_NOSIGNAL);
}

static void converse(struct greedy *g, int fd)
{
    unsigned char hello[HELLO_MOST];
    ssize_t n;
    if (send(fd, "220 mx\r\n", 8, MSG_NOSIGNAL) != 8 || recv(fd, hello, sizeof hello, 0) <= 0 ||
        send(fd, "250-mx\r\n250 STARTTLS\r\n", 22, MSG_NOSIGNAL) != 22 || recv(fd, hello, sizeof hello, 0) <= 0 ||
        send(fd, "220 go\r\n", 8, MSG_NOSIGNAL) != 8)
        return;
    n = recv(fd, hello, 5, MSG_PEEK | MSG_WAITALL);
    size_t record = n == 5 ? 5 + (size_t)(hello[3] << 8 | hello[4]) : 0;
    if (record < 48 || record > sizeof hello || recv(fd, hello, record, MSG_PEEK | MSG_WAITALL) != (ssize_t)record)
        return;
    if (hello[43]) { /* a session: a library's ClientHello */
        serve_tls(&g->tls, fd);
        return;
    }
    (void)!recv(fd, hello, record, MSG_WAITALL);
    accept_offer(fd, hello);
}

static void *greedy_main(void *arg)
{
    struct greedy *g = arg;
    for (int fd; (fd = accept(g->tls.listener, NULL, NULL)) >= 0; close(fd)) {
        g->connections++;
        converse(g, fd);
    }
    return NULL;
}

static void greedy_start(struct greedy *g)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof sin;
    *g = (struct greedy){.tls = {.script = GOOD, .key = make_key()}};
    g->tls.leaf = make_cert(g->tls.key, "mx.shared.example", false, -DAY, 30 * DAY, NULL, NULL);
    g->tls.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(g->tls.listener, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(listen(g->tls.listener, 64), 0);
    assert_int_equal(getsockname(g->tls.listener, (struct sockaddr *)&sin, &size), 0);
    g->tls.port = ntohs(sin.sin_port);
    assert_int_equal(pthread_create(&g->tls.thread, NULL, greedy_main, g), 0);
}

static void greedy_stop(struct greedy *g)
{
    shutdown(g->tls.listener, SHUT_RDWR);
    pthread_join(g->tls.thread, NULL);
    close(g->tls.listener);
    X509_free(g->tls.leaf);
    EVP_PKEY_free(g->tls.key);
}

/* ---- runs ---- */

static struct dns *zones(const char *text)
{
    char *error = NULL;
    struct dns *dns = dns_replay_text(slice_str(text), "test", &error);
    if (!dns)
        print_error("%s\n", error);
    assert_non_null(dns);
    return dns;
}

struct asked {
    struct gather *gather;
    char domain[32];
    struct buf text;
    enum status status;
    pthread_t thread;
};

static void *ask_main(void *arg)
{
    static const struct gather_known nothing;
    struct asked *a = arg;
    a->status = gather_domain(a->gather, a->domain, &nothing, &a->text);
    return NULL;
}

/* Facts of d1.example, d2.example, ... all at once in one run. */
static void ask_zones(struct asked *a, size_t count, const struct buf *text, const struct greedy *host)
{
    struct dns *dns = zones(text->p);
    struct gather_config c = {.dns = dns,
                              .ehlo = "check.example",
                              .ipv4 = FACTS_YES,
                              .ipv6 = FACTS_NO,
                              .allow_special = true,
                              .smtp_port = host->tls.port};
    struct gather *g = gather_new(&c);
    assert_non_null(g);
    for (size_t i = 0; i < count; i++) {
        a[i] = (struct asked){.gather = g, .text = BUF_INIT};
        snprintf(a[i].domain, sizeof a[i].domain, "d%zu.example", i + 1);
        assert_int_equal(pthread_create(&a[i].thread, NULL, ask_main, &a[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(a[i].thread, NULL);
        assert_int_equal(a[i].status, STATUS_OK);
    }
    gather_free(g);
    dns_close(dns);
}

/* Facts of d1.example, d2.example, ... whose one mail host is mx.shared.example, all at once in one run. `records`: of
 * TLSA. Returns how many connections the host saw. */
static int ask_domains(struct asked *a, size_t count, const char *records)
{
    struct buf text = BUF_INIT;
    struct greedy host;
    greedy_start(&host);
    buf_adds(&text, "zone example secure\nmx.shared.example A 127.0.0.1\nmx.shared.example nodata AAAA\n");
    buf_adds(&text, records);
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "d%zu.example MX 10 mx.shared.example\n", i + 1);
    ask_zones(a, count, &text, &host);
    buf_release(&text);
    greedy_stop(&host);
    return host.connections;
}

static struct facts *read_facts(struct arena *arena, const struct asked *a)
{
    const char *error = "";
    struct facts *f = facts_read(arena, buf_slice(&a->text), &error);
    if (!f)
        print_error("%s\n", error);
    assert_non_null(f);
    return f;
}

/* Handshakes of one name that were begun, and that no cipher suite was chosen by two of them. */
static size_t offers(const struct facts *f, const char *probe)
{
    size_t n = 0;
    for (size_t i = 0; i < f->tls_count; i++) {
        if (strcmp(f->tls[i].probe, probe) != 0)
            continue;
        n++;
        assert_string_equal(f->tls[i].outcome, "accepted");
        for (size_t k = 0; k < i; k++)
            assert_true(strcmp(f->tls[k].probe, probe) != 0 || f->tls[k].answer.cipher != f->tls[i].answer.cipher);
    }
    return n;
}

static void a_host_that_accepts_everything_sees_at_most_24_connections(void **state)
{
    static const char *const once[] = {"tls13", "pq",         "tls12", "phase-out", "order", "dhe",
                                       "sha1",  "weak-group", "tls11", "tls10",     "ssl3",  "anonymous"};
    struct asked a[1];
    struct arena *arena = arena_new(8 << 20);
    const int connections = ask_domains(a, 1, "");
    struct facts *f = read_facts(arena, a);
    assert_int_equal(f->smtp_count, 1);
    assert_string_equal(f->smtp[0].outcome, "done");
    assert_true(connections <= 24);
    assert_int_equal(connections, 1 + f->tls_count); /* each of them is a fact */
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
        assert_int_equal(offers(f, once[i]), 1);
    /* What a host chose is left out of the next offer. */
    assert_int_equal(offers(f, "old"), TLS_PROBE_TRIES);
    assert_int_equal(offers(f, "broken"), TLS_PROBE_TRIES);
    facts_free(f);
    buf_release(&a[0].text);
    arena_free(arena);
}

/* All domains say the same of the shared host. Returns how many connections they cost it together. */
static int shared(const char *records)
{
    struct asked a[DOMAINS];
    const int connections = ask_domains(a, DOMAINS, records);
    const char *first = strstr(a[0].text.p, "\nsmtp ");
    assert_non_null(first);
    for (size_t i = 1; i < DOMAINS; i++) {
        const char *its = strstr(a[i].text.p, "\nsmtp ");
        assert_non_null(its);
        assert_string_equal(its, first);
    }
    for (size_t i = 0; i < DOMAINS; i++)
        buf_release(&a[i].text);
    return connections;
}

static void an_address_is_asked_once_a_run(void **state)
{
    assert_true(shared("") <= 24);
}

/* RFC 7672 3.2.1: the names in a certificate do not count with DANE-EE(3), so what it matched is the same for each. */
static void with_dane_ee_too(void **state)
{
    assert_true(shared("_25._tcp.mx.shared.example TLSA 3 1 1 " DIGEST "\n") <= 24);
}

/* RFC 7672 3.2.2: with DANE-TA(2) the certificate may bear the name of the domain that is written to, which only a
 * conversation for that domain can tell; what TLS the address accepts is asked once all the same. */
static void with_dane_ta_once_for_each_domain(void **state)
{
    const int without = shared(""), connections = shared("_25._tcp.mx.shared.example TLSA 2 1 1 " DIGEST "\n");
    assert_int_equal(connections, without + DOMAINS - 1);
}

/* The domain of several names at one address; names begin with mx1.shared.example. Returns how many connections the
 * address saw. */
static int many_names(struct asked *a, size_t names, const char *records)
{
    struct buf text = BUF_INIT;
    struct greedy host;
    greedy_start(&host);
    buf_adds(&text, "zone example secure\n");
    buf_adds(&text, records);
    for (size_t i = 1; i <= names; i++)
        buf_printf(&text,
                   "d1.example MX %zu mx%zu.shared.example\nmx%zu.shared.example A 127.0.0.1\n"
                   "mx%zu.shared.example nodata AAAA\n",
                   i, i, i, i);
    ask_zones(a, 1, &text, &host);
    buf_release(&text);
    greedy_stop(&host);
    return host.connections;
}

/* The certificate goes by the name (SNI), and so does TLSA; what TLS the address accepts does not. */
static void an_address_of_many_names_sees_at_most_24_connections(void **state)
{
    for (size_t names = 1; names <= FACTS_MX; names++) {
        struct asked a[1];
        struct arena *arena = arena_new(8 << 20);
        const int connections = many_names(a, names,
                                           "_25._tcp.mx1.shared.example TLSA 3 1 1 " DIGEST "\n"
                                           "_25._tcp.mx2.shared.example TLSA 2 1 1 " DIGEST "\n");
        struct facts *f = read_facts(arena, a);
        assert_true(connections <= 24);
        assert_int_equal(f->smtp_count, names);
        assert_int_equal(connections, names + f->tls_count / names); /* each name once, TLS once */
        for (size_t i = 0; i < names; i++) {
            assert_string_equal(f->smtp[i].outcome, "done");
            assert_true((i < 2) == (f->smtp[i].dane[0] != '\0'));
        }
        for (size_t i = 0; i < f->tls_count; i++) {
            const size_t each = f->tls_count / names;
            assert_string_equal(f->tls[i].host, f->smtp[i / each].host);
            assert_string_equal(f->tls[i].probe, f->tls[i % each].probe);
            assert_int_equal(f->tls[i].answer.cipher, f->tls[i % each].answer.cipher);
        }
        /* to the last question; of most names, to the last but one */
        assert_string_equal(f->tls[f->tls_count - 1].probe, names < FACTS_MX ? "anonymous" : "ssl3");
        facts_free(f);
        buf_release(&a[0].text);
        arena_free(arena);
    }
}

/* ---- look-ups that fail ---- */

/* The answers of another source, but the first `failing` are temporary failures. */
struct tired_source {
    struct dns base;
    struct dns *under;
    unsigned failing, asked;
};

static struct dns_result *tired_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    struct tired_source *t = (struct tired_source *)source;
    if (++t->asked > t->failing)
        return t->under->ops->ask(t->under, q, flight);
    return dns_result_new(&(struct dns_result){.state = DNS_TEMPFAIL, .why = "no answer in time"});
}

/* The facts where so many look-ups fail; *asked: how many questions there were. */
static void ask_tired(unsigned failing, unsigned again_ms, struct buf *out, unsigned *asked)
{
    static const struct dns_ops ops = {.ask = tired_ask};
    static const struct gather_known nothing;
    struct tired_source t = {.base.ops = &ops, .failing = failing};
    t.under = zones("zone example secure\nd1.example MX 0 .\nd1.example TXT \"v=spf1 -all\"\n"
                    "_dmarc.d1.example TXT \"v=DMARC1; p=reject\"\n");
    struct gather_config c = {.dns = &t.base, .ehlo = "check.example", .ipv4 = FACTS_YES, .again_ms = again_ms};
    struct gather *g = gather_new(&c);
    clock_set_wall(NOW);
    assert_int_equal(gather_domain(g, "d1.example", &nothing, out), STATUS_OK);
    clock_set_wall(0);
    gather_free(g);
    dns_close(t.under);
    *asked = t.asked;
}

/* What failed for a moment is asked once more, and what the facts say of it then is the answer; what fails again stays
 * a failure, and is asked no third time. */
static void a_look_up_that_failed_is_asked_once_more(void **state)
{
    struct buf good = BUF_INIT;
    unsigned once, asked;
    ask_tired(0, 1, &good, &once);
    assert_null(strstr(good.p, "no answer in time"));
    const unsigned failing[] = {1, 3, 10}; /* of the first round, which begins with thirteen */
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        struct buf some = BUF_INIT;
        ask_tired(failing[i], 1, &some, &asked);
        assert_string_equal(some.p, good.p);
        assert_true(asked > once && asked <= 2 * once + 1);
        buf_release(&some);
    }
    struct buf never = BUF_INIT, some = BUF_INIT;
    ask_tired(1000000, 1, &never, &asked);
    assert_non_null(strstr(never.p, "no answer in time"));
    assert_true(asked <= 2 * once + 1);
    ask_tired(3, 0, &some, &asked); /* not where it is not wanted */
    assert_non_null(strstr(some.p, "no answer in time"));
    buf_release(&good);
    buf_release(&never);
    buf_release(&some);
}

/* What a source says that took a key for a bad one: nothing validates. */
static struct dns_result *poisoned_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    return dns_result_new(&(struct dns_result){
        .state = DNS_BOGUS, .security = DNS_BROKEN, .why = "key for validation . is marked as invalid"});
}

static void nothing_to_close(struct dns *source)
{
}

struct other_dns {
    struct dns *fresh;
    const char *trouble;
    unsigned made, canaries;
};

static struct dns *make_fresh(void *context)
{
    struct other_dns *o = context;
    o->made++;
    return o->fresh;
}

static void say_canary(void *context, char out[GATHER_CANARY])
{
    struct other_dns *o = context;
    o->canaries++;
    snprintf(out, GATHER_CANARY, "%s", o->trouble);
}

static void gather_through(struct dns *run, struct other_dns *other, struct buf *out)
{
    static const struct gather_known nothing;
    struct gather_config c = {.dns = run,
                              .fresh = make_fresh,
                              .canary = say_canary,
                              .context = other,
                              .ehlo = "check.example",
                              .ipv4 = FACTS_YES,
                              .again_ms = 1};
    struct gather *g = gather_new(&c);
    clock_set_wall(NOW);
    assert_int_equal(gather_domain(g, "d1.example", &nothing, out), STATUS_OK);
    clock_set_wall(0);
    gather_free(g);
}

/* A resolver that lost one key on its way finds all below it bogus for a minute. Only what is bogus for a resolver that
 * knows nothing yet is a fact of the domain (RFC 4035 5.5). The canary is asked about what stays a failure, and about
 * nothing else: a run in order has no word of our own side, and a fault of a domain is its own while we are well. */
static void what_is_bogus_is_asked_of_a_fresh_source(void **state)
{
    static const char zone[] = "zone example secure\nd1.example MX 0 .\nd1.example TXT \"v=spf1 -all\"\n";
    static const struct dns_ops ops = {.ask = poisoned_ask, .close = nothing_to_close};
    struct dns poisoned = {.ops = &ops}, again = {.ops = &ops};
    struct other_dns none = {.trouble = ""}, well = {.fresh = zones(zone), .trouble = ""},
                     ill = {.fresh = &again, .trouble = ""}, broken = {.fresh = &again, .trouble = "the clock"};
    struct buf good = BUF_INIT, mended = BUF_INIT, bogus = BUF_INIT, ours = BUF_INIT;
    struct dns *healthy = zones(zone);
    gather_through(healthy, &none, &good);
    assert_int_equal(none.made + none.canaries, 0);
    gather_through(&poisoned, &well, &mended);
    assert_string_equal(mended.p, good.p);
    assert_int_equal(well.made, 1);
    assert_int_equal(well.canaries, 0);
    gather_through(&poisoned, &ill, &bogus);
    assert_int_equal(ill.made, 1);
    assert_int_equal(ill.canaries, 1);
    assert_non_null(strstr(bogus.p, "marked as invalid"));
    assert_non_null(strstr(bogus.p, "canary=\"\""));
    gather_through(&poisoned, &broken, &ours);
    assert_non_null(strstr(ours.p, "canary=\"the clock\""));
    dns_close(healthy);
    buf_release(&good);
    buf_release(&mended);
    buf_release(&bogus);
    buf_release(&ours);
}

/* A connection to the policy's host that is lost is made once more; what is lost twice is a fact. */
static void a_policy_that_was_lost_is_fetched_once_more(void **state)
{
    static const struct gather_known nothing;
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\n"
                                 "version: STSv1";
    const struct {
        int cut, taken;
        const char *said;
    } t[] = {{0, 1, "outcome=done why=\"\" body=\"version: STSv1\""},
             {1, 2, "outcome=done why=\"\" body=\"version: STSv1\""},
             {9, 2, "outcome=unreachable"}};
    struct dns *dns = zones("zone example secure\nd1.example MX 0 .\n_mta-sts.d1.example TXT \"v=STSv1; id=1\"\n"
                            "mta-sts.d1.example A 127.0.0.1\n");
    assert_true(https_begin());
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct web w = {.answer = answer, .cut = t[i].cut};
        struct buf out = BUF_INIT;
        web_start(&w, "mta-sts.d1.example", 1);
        struct gather_config c = {.dns = dns,
                                  .ehlo = "check.example",
                                  .ipv4 = FACTS_YES,
                                  .allow_special = true,
                                  .ca_file = w.ca_file,
                                  .https_port = w.port,
                                  .again_ms = 1};
        struct gather *g = gather_new(&c);
        assert_int_equal(gather_domain(g, "d1.example", &nothing, &out), STATUS_OK);
        assert_non_null(strstr(out.p, t[i].said));
        assert_int_equal(w.taken, t[i].taken);
        gather_free(g);
        web_stop(&w);
        buf_release(&out);
    }
    dns_close(dns);
}

/* A name server that is not there yet, and answers with no records from then on. */
struct late_server {
    struct sockaddr_in at;
    unsigned ms;
    int fd;
    pthread_t thread;
};

static void *serve_late(void *arg)
{
    struct late_server *s = arg;
    unsigned char q[512];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    clock_sleep_ms(s->ms);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&s->at, sizeof s->at), 0);
    for (ssize_t n; (n = recvfrom(s->fd, q, sizeof q, 0, (struct sockaddr *)&from, &size)) > 12; size = sizeof from) {
        q[2] |= 0x84; /* an answer, with authority */
        (void)!sendto(s->fd, q, (size_t)n, 0, (struct sockaddr *)&from, size);
    }
    return NULL;
}

/* What a name server does not answer, for a moment's trouble on the way, is asked once more. */
static void a_silent_name_server_is_asked_once_more(void **state)
{
    static const struct gather_known nothing;
    struct dns *dns = zones("zone example secure\nd1.example MX 0 .\nd1.example NS ns.d1.example\n"
                            "ns.d1.example A 127.0.0.1\n");
    for (size_t late = 0; late < 2; late++) {
        struct late_server s = {.ms = late ? 300 : 0, .fd = socket(AF_INET, SOCK_DGRAM, 0)};
        struct buf out = BUF_INIT;
        socklen_t size = sizeof s.at;
        int fd = socket(AF_INET, SOCK_DGRAM, 0); /* for a port that is free */
        s.at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        assert_int_equal(bind(fd, (struct sockaddr *)&s.at, sizeof s.at), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&s.at, &size), 0);
        close(fd);
        struct gather_config c = {.dns = dns,
                                  .ehlo = "check.example",
                                  .ipv4 = FACTS_YES,
                                  .allow_special = true,
                                  .dns_port = ntohs(s.at.sin_port),
                                  .again_ms = 1000};
        struct gather *g = gather_new(&c);
        assert_int_equal(pthread_create(&s.thread, NULL, serve_late, &s), 0);
        assert_int_equal(gather_domain(g, "d1.example", &nothing, &out), STATUS_OK);
        assert_non_null(strstr(out.p, "question=SOA outcome=answered"));
        assert_non_null(strstr(out.p, "question=MX outcome=answered"));
        shutdown(s.fd, SHUT_RDWR);
        pthread_join(s.thread, NULL);
        close(s.fd);
        gather_free(g);
        buf_release(&out);
    }
    dns_close(dns);
}

/* With any bound there are all the facts or none. */
static void memory_suffices_or_there_are_no_facts(void **state)
{
    struct buf text = BUF_INIT;
    struct gather_known known = {.selector_count = 32};
    char names[32][8], long_text[251];
    size_t enough = 0, too_little = 0;
    memset(long_text, 'x', 250);
    long_text[250] = '\0';
    buf_adds(&text, "zone example secure\nd1.example MX 10 mx.d1.example\nmx.d1.example A 10.0.0.1\n"
                    "d1.example TXT \"v=spf1 mx -all\"\n");
    for (int i = 0; i < 32; i++) {
        snprintf(names[i], sizeof names[i], "s%d", i);
        known.selectors[i] = (struct facts_selector){names[i], "option"};
        buf_printf(&text, "s%d._domainkey.d1.example TXT", i);
        for (int k = 0; k < 160; k++)
            buf_printf(&text, " \"%s\"", long_text);
        buf_addc(&text, '\n');
    }
    clock_set_wall(NOW);
    struct dns *dns = zones(text.p);
    struct buf whole = BUF_INIT;
    for (size_t bound = (size_t)64 << 20; bound >= (size_t)64 << 10; bound -= bound / 8) {
        struct gather_config c = {.dns = dns, .ehlo = "check.example", .ipv4 = FACTS_YES, .memory = bound};
        struct gather *g = gather_new(&c);
        struct buf out = BUF_INIT;
        enum status s = gather_domain(g, "d1.example", &known, &out);
        assert_true(s == STATUS_OK || s == STATUS_NOMEM);
        if (s == STATUS_OK && !whole.n)
            buf_addslice(&whole, buf_slice(&out));
        if (s == STATUS_OK)
            assert_string_equal(out.p, whole.p);
        enough += s == STATUS_OK;
        too_little += s == STATUS_NOMEM;
        buf_release(&out);
        gather_free(g);
    }
    clock_set_wall(0);
    assert_true(whole.n > 32 * 160 * 250);
    assert_true(enough && too_little);
    buf_release(&whole);
    buf_release(&text);
    dns_close(dns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_accepts_everything_sees_at_most_24_connections),
        cmocka_unit_test(an_address_is_asked_once_a_run),
        cmocka_unit_test(with_dane_ee_too),
        cmocka_unit_test(with_dane_ta_once_for_each_domain),
        cmocka_unit_test(an_address_of_many_names_sees_at_most_24_connections),
        cmocka_unit_test(a_look_up_that_failed_is_asked_once_more),
        cmocka_unit_test(what_is_bogus_is_asked_of_a_fresh_source),
        cmocka_unit_test(a_policy_that_was_lost_is_fetched_once_more),
        cmocka_unit_test(a_silent_name_server_is_asked_once_more),
        cmocka_unit_test(memory_suffices_or_there_are_no_facts),
    };
    signal(SIGPIPE, SIG_IGN); /* a client may be gone before its host has answered */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
