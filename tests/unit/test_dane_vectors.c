// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dane_vectors.c - every usage, selector and matching type of TLSA that mail can use, at every depth of a chain,
 * with the chain served whole and cut, through base/starttls as the prober and assay doctor use it (RFC 6698 2.1, RFC
 * 7671 sections 4, 5 and 9, RFC 7672 3.1 to 3.3).
 */
#include "net/starttls.h"
#include "tests/unit/mail_host.h"
#include <signal.h>

#define DAY 86400L
#define MOST_RECORDS 3

struct chain {
    EVP_PKEY *keys[3];
    X509 *certs[3]; /* leaf, its issuer, the root */
};

struct record {
    int usage, selector, matching, of; /* of: place in the chain */
    bool wrong;
};

static void make_chain(struct chain *c, const char *name, long from, long to, long issuer_to)
{
    for (int i = 0; i < 3; i++)
        c->keys[i] = make_key();
    c->certs[2] = make_cert(c->keys[2], "root.test", true, -9 * DAY, 9 * DAY, NULL, NULL);
    c->certs[1] = make_cert(c->keys[1], "issuer.test", true, -9 * DAY, issuer_to, c->certs[2], c->keys[2]);
    c->certs[0] = make_cert(c->keys[0], name, false, from, to, c->certs[1], c->keys[1]);
}

static void free_chain(struct chain *c)
{
    for (int i = 0; i < 3; i++) {
        X509_free(c->certs[i]);
        EVP_PKEY_free(c->keys[i]);
    }
}

/* The record's data by RFC 6698 2.1.2 to 2.1.4. */
static struct starttls_tlsa make_record(struct arena *a, const struct chain *c, const struct record *r)
{
    unsigned char *der = NULL, digest[64];
    unsigned int size = 0;
    int n = r->selector == 0 ? i2d_X509(c->certs[r->of], &der)
                             : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->certs[r->of]), &der);
    assert_true(n > 0);
    struct slice data = slice_of((char *)der, (size_t)n);
    if (r->matching) {
        assert_int_equal(
            EVP_Digest(der, (size_t)n, digest, &size, r->matching == 1 ? EVP_sha256() : EVP_sha512(), NULL), 1);
        data = slice_of((char *)digest, size);
    }
    char *copy = arena_copy(a, data.p, data.n);
    assert_non_null(copy);
    copy[data.n - 1] = (char)(copy[data.n - 1] ^ r->wrong);
    OPENSSL_free(der);
    return (struct starttls_tlsa){(uint8_t)r->usage, (uint8_t)r->selector, (uint8_t)r->matching,
                                  slice_of(copy, data.n)};
}

/* One session with a host that serves the chain up to place `served`. */
static void session_judge(struct arena *a, const struct chain *c, int served, const struct record *records,
                          size_t count, struct starttls_result *out)
{
    struct server s = {.script = GOOD,
                       .key = c->keys[0],
                       .leaf = c->certs[0],
                       .ca = served >= 1 ? c->certs[1] : NULL,
                       .root = served >= 2 ? c->certs[2] : NULL};
    struct starttls_tlsa tlsa[MOST_RECORDS];
    for (size_t i = 0; i < count; i++)
        tlsa[i] = make_record(a, c, &records[i]);
    start(&s);
    struct starttls_request q = {.port = s.port,
                                 .server_name = "mx.dane.test",
                                 .base_domain = "mail.test",
                                 .ehlo = "probe.test",
                                 .total_ms = 4000,
                                 .tlsa = tlsa,
                                 .tlsa_count = count};
    assert_int_equal(ip_from_text(SLICE_LIT("127.0.0.1"), &q.address), STATUS_OK);
    starttls_run(a, &q, out);
    stop(&s);
    assert_int_equal(out->outcome, STARTTLS_DONE);
}

/* DANE-EE is the server's own certificate and nothing else's. DANE-TA is an issuer's; by digest it must be in what
 * is served (RFC 7671 5.2.1), whole or as a bare key it may be the one that is missing at the end (5.2.2, 5.2.3). */
static bool promises(const struct record *r, int served)
{
    if (r->usage == 3)
        return r->of == 0;
    return r->of >= 1 && (r->of <= served || (r->matching == 0 && r->of == served + 1));
}

static void every_combination(void **state)
{
    struct chain c;
    int looked = 0;
    make_chain(&c, "mx.dane.test", -DAY, DAY, 9 * DAY);
    for (int n = 0; n < 2 * 2 * 3 * 3 * 3; n++) {
        struct record r = {2 + n % 2, n / 2 % 2, n / 4 % 3, n / 12 % 3, false};
        int served = n / 36;
        struct arena *a = arena_new(1 << 20);
        struct starttls_result got;
        bool want = promises(&r, served);
        session_judge(a, &c, served, &r, 1, &got);
        if (got.dane_match != want)
            print_error("%d %d %d of certificate %d, served up to %d: match %d (%s)\n", r.usage, r.selector, r.matching,
                        r.of, served, got.dane_match, got.dane_error ? got.dane_error : "-");
        assert_int_equal(got.tlsa_usable, 1);
        assert_int_equal(got.dane_match, want);
        assert_int_equal(got.dane_usage, want ? r.usage : -1);
        looked++;
        arena_free(a);
    }
    assert_int_equal(looked, 108);
    free_chain(&c);
}

static const struct {
    const char *what, *name;
    long to, issuer_to;
    int served;
    struct record records[MOST_RECORDS];
    size_t count;
    bool match;
    unsigned usable;
} particular[] = {
    {"an expired leaf is DANE-EE's all the same", "mx.dane.test", -DAY, 9 * DAY, 1, {{3, 1, 1, 0, false}}, 1, true, 1},
    {"another name is DANE-EE's all the same", "www.test", DAY, 9 * DAY, 1, {{3, 0, 2, 0, false}}, 1, true, 1},
    {"an expired leaf below DANE-TA", "mx.dane.test", -DAY, 9 * DAY, 1, {{2, 1, 1, 1, false}}, 1, false, 1},
    {"an expired issuer below DANE-TA", "mx.dane.test", DAY, -DAY, 2, {{2, 1, 1, 2, false}}, 1, false, 1},
    {"another name below DANE-TA", "www.test", DAY, 9 * DAY, 1, {{2, 0, 1, 1, false}}, 1, false, 1},
    {"another name below a bare key", "www.test", DAY, 9 * DAY, 0, {{2, 1, 0, 1, false}}, 1, false, 1},
    {"the domain's own name below DANE-TA (RFC 7672 3.2.2)",
     "mail.test",
     DAY,
     9 * DAY,
     1,
     {{2, 0, 1, 1, false}},
     1,
     true,
     1},
    {"a wildcard below DANE-TA", "*.dane.test", DAY, 9 * DAY, 1, {{2, 0, 1, 1, false}}, 1, true, 1},
    {"a wildcard in part of a label", "m*.dane.test", DAY, 9 * DAY, 1, {{2, 0, 1, 1, false}}, 1, false, 1},
    {"a wrong digest", "mx.dane.test", DAY, 9 * DAY, 1, {{3, 1, 1, 0, true}}, 1, false, 1},
    {"a wrong issuer's digest", "mx.dane.test", DAY, 9 * DAY, 1, {{2, 1, 2, 1, true}}, 1, false, 1},
    {"any one of several",
     "mx.dane.test",
     DAY,
     9 * DAY,
     1,
     {{3, 1, 1, 0, true}, {2, 1, 1, 1, true}, {3, 1, 1, 0, false}},
     3,
     true,
     3},
    {"EE wrong, TA right", "mx.dane.test", DAY, 9 * DAY, 1, {{3, 1, 1, 0, true}, {2, 1, 1, 1, false}}, 2, true, 2},
    {"agility: the stronger digest is wrong",
     "mx.dane.test",
     DAY,
     9 * DAY,
     1,
     {{3, 1, 1, 0, false}, {3, 1, 2, 0, true}},
     2,
     false,
     2},
    {"agility: the stronger digest is right",
     "mx.dane.test",
     DAY,
     9 * DAY,
     1,
     {{3, 1, 1, 0, true}, {3, 1, 2, 0, false}},
     2,
     true,
     2},
    {"agility: another selector's digests are its own",
     "mx.dane.test",
     DAY,
     9 * DAY,
     1,
     {{3, 1, 1, 0, false}, {3, 0, 2, 0, true}},
     2,
     true,
     2},
    {"agility: whole keys always count",
     "mx.dane.test",
     DAY,
     9 * DAY,
     1,
     {{3, 1, 0, 0, false}, {3, 1, 2, 0, true}},
     2,
     true,
     2},
    {"PKIX usages, unknown usages",
     "mx.dane.test",
     DAY,
     9 * DAY,
     2,
     {{0, 1, 1, 2, false}, {1, 1, 1, 0, false}, {4, 1, 1, 0, false}},
     3,
     false,
     0},
    {"unknown selectors and digests",
     "mx.dane.test",
     DAY,
     9 * DAY,
     1,
     {{3, 1, 3, 0, false}, {3, 1, 255, 0, false}, {3, 2, 1, 0, false}},
     3,
     false,
     0},
    {"an unusable record stands in nobody's way",
     "mx.dane.test",
     DAY,
     9 * DAY,
     1,
     {{1, 1, 1, 0, false}, {3, 1, 3, 0, false}, {3, 1, 1, 0, false}},
     3,
     true,
     1},
};

static void particulars(void **state)
{
    for (size_t i = 0; i < sizeof particular / sizeof particular[0]; i++) {
        struct chain c;
        struct arena *a = arena_new(1 << 20);
        struct starttls_result got;
        make_chain(&c, particular[i].name, -5 * DAY, particular[i].to, particular[i].issuer_to);
        session_judge(a, &c, particular[i].served, particular[i].records, particular[i].count, &got);
        if (got.dane_match != particular[i].match || got.tlsa_usable != particular[i].usable)
            print_error("%s: match %d, %u usable (%s)\n", particular[i].what, got.dane_match, got.tlsa_usable,
                        got.dane_error ? got.dane_error : "-");
        assert_int_equal(got.dane_match, particular[i].match);
        assert_int_equal(got.tlsa_usable, particular[i].usable);
        arena_free(a);
        free_chain(&c);
    }
}

/* Data that is not a certificate, no key, or a digest of another length is unusable, never a match, never a crash (RFC
 * 6698 4.1; 0 and 65,535 octets). */
static void broken_data(void **state)
{
    static char big[65535];
    struct chain c;
    make_chain(&c, "mx.dane.test", -DAY, DAY, 9 * DAY);
    for (int usage = 2; usage <= 3; usage++)
        for (int selector = 0; selector <= 1; selector++)
            for (int matching = 0; matching <= 2; matching++)
                for (int k = 0; k < 4; k++) {
                    static const size_t lengths[] = {0, 1, 31, sizeof big};
                    struct arena *a = arena_new(1 << 20);
                    struct starttls_result got;
                    struct server s = {.script = GOOD, .key = c.keys[0], .leaf = c.certs[0], .ca = c.certs[1]};
                    struct starttls_tlsa tlsa = {(uint8_t)usage, (uint8_t)selector, (uint8_t)matching,
                                                 slice_of(big, lengths[k])};
                    start(&s);
                    struct starttls_request q = {.port = s.port,
                                                 .server_name = "mx.dane.test",
                                                 .total_ms = 4000,
                                                 .tlsa = &tlsa,
                                                 .tlsa_count = 1};
                    assert_int_equal(ip_from_text(SLICE_LIT("127.0.0.1"), &q.address), STATUS_OK);
                    starttls_run(a, &q, &got);
                    stop(&s);
                    assert_int_equal(got.outcome, STARTTLS_DONE);
                    assert_false(got.dane_match);
                    assert_int_equal(got.tlsa_usable, 0);
                    arena_free(a);
                }
    free_chain(&c);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination),
        cmocka_unit_test(particulars),
        cmocka_unit_test(broken_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
