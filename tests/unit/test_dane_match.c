// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dane_match.c - a table of records and chains: our verdict beside that of OpenSSL's own DANE code in a real TLS
 * handshake, which is given all records as they are published.
 */
#include "base/buf.h"
#include "dns/dns_replay.h"
#include "standards/dane/dane_match.h"
#include "tests/unit/mail_host.h"

#define HOST "mx.d.example"

static EVP_PKEY *ca_key, *leaf_key, *other_key, *small_key;
static X509 *ca, *leaf, *renewed, *other, *expired, *small, *foreign;

static void der_of(X509 *x, struct slice *out)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    assert_true(n > 0);
    *out = slice_of((char *)der, (size_t)n);
}

static X509 *chain_part(char c)
{
    return c == 'l'   ? leaf
           : c == 'r' ? renewed
           : c == 'o' ? other
           : c == 'e' ? expired
           : c == 's' ? small
           : c == 'f' ? foreign
                      : ca;
}

/* "U S M C" with C of chain_part, or "-": data of the right length that is nobody's. */
static void add_record(struct buf *zone, const char *record)
{
    X509 *x = chain_part(record[6]);
    unsigned char *der = NULL, digest[64];
    unsigned int size = 0;
    int n = record[2] == '0' ? i2d_X509(x, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    const unsigned char *data = der;

    assert_true(n > 0);
    if (record[4] != '0') {
        EVP_Digest(der, (size_t)n, digest, &size, record[4] == '1' ? EVP_sha256() : EVP_sha512(), NULL);
        data = digest;
        n = (int)size;
        if (record[6] == '-')
            digest[0] ^= 1;
    }
    buf_printf(zone, "_25._tcp.%s secure TLSA %.5s ", HOST, record);
    for (int i = 0; i < n; i++)
        buf_printf(zone, "%02x", data[i]);
    buf_addc(zone, '\n');
    OPENSSL_free(der);
}

/* ---- OpenSSL's verdict ---- */

static void pump(BIO *from, BIO *to)
{
    char octets[16384];
    int n = BIO_read(from, octets, sizeof octets);
    if (n > 0)
        BIO_write(to, octets, n);
}

static bool handshake(const struct dane_records *records, const char *chain, bool *usable)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()), *server = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(client, 0);
    SSL_CTX_set_security_level(server, 0);
    assert_true(SSL_CTX_dane_enable(client) > 0);
    assert_int_equal(SSL_CTX_use_certificate(server, chain_part(chain[0])), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server, chain[0] == 'o'   ? other_key
                                                    : chain[0] == 's' ? small_key
                                                    : chain[0] == 'c' ? ca_key
                                                                      : leaf_key),
                     1);
    for (const char *c = chain + 1; *c; c++)
        assert_int_equal(SSL_CTX_add1_chain_cert(server, chain_part(*c)), 1);
    SSL *a = SSL_new(client), *b = SSL_new(server);
    BIO *bios[4] = {BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())};
    SSL_set_bio(a, bios[0], bios[1]);
    SSL_set_bio(b, bios[2], bios[3]);
    assert_true(SSL_dane_enable(a, HOST) > 0);
    SSL_dane_set_flags(a, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    *usable = false;
    for (size_t i = 0; i < records->count; i++) {
        const struct dane_record *t = &records->record[i];
        if (t->usage >= 2) /* RFC 7672 3.1.3 */
            *usable |= SSL_dane_tlsa_add(a, t->usage, t->selector, t->matching, (const unsigned char *)t->data.p,
                                         t->data.n) > 0;
    }
    SSL_set_connect_state(a);
    SSL_set_accept_state(b);
    for (int i = 0; i < 20 && (!SSL_is_init_finished(a) || !SSL_is_init_finished(b)); i++) {
        SSL_do_handshake(a);
        pump(bios[1], bios[2]);
        SSL_do_handshake(b);
        pump(bios[3], bios[0]);
    }
    assert_true(SSL_is_init_finished(a));
    bool good =
        SSL_get_verify_result(a) == X509_V_OK && SSL_get0_dane_tlsa(a, NULL, NULL, NULL, NULL, NULL) >= 0 && *usable;
    SSL_free(a);
    SSL_free(b);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return good;
}

/* ---- the table ---- */

static const struct {
    const char *records[4], *chain;
    enum dane_match_state want;
    bool holds; /* after a renewal */
    const char *why;
} cases[] = {
    {{"3 1 1 l"}, "lc", DANE_MATCH_YES, true, NULL},
    {{"3 1 1 l"}, "rc", DANE_MATCH_YES, true, NULL}, /* renewed with the same key */
    {{"3 0 1 l"}, "lc", DANE_MATCH_YES, false, NULL},
    {{"3 0 1 l"}, "rc", DANE_MATCH_NO, false, "no record matches"},
    {{"3 1 1 -"}, "lc", DANE_MATCH_NO, false, "no record matches"},
    {{"3 1 2 l"}, "lc", DANE_MATCH_YES, true, NULL},
    {{"3 1 0 l"}, "lc", DANE_MATCH_YES, true, NULL},
    {{"3 0 0 l"}, "lc", DANE_MATCH_YES, false, NULL},
    {{"3 1 1 l", "3 1 2 o"}, "lc", DANE_MATCH_NO, false, "RFC 7671 9"}, /* the right one is the weaker */
    {{"3 1 1 o", "3 1 2 l"}, "lc", DANE_MATCH_YES, true, NULL},
    {{"3 0 1 l", "3 0 2 o"}, "lc", DANE_MATCH_NO, false, "RFC 7671 9"},
    {{"3 0 1 l", "3 1 2 o"}, "lc", DANE_MATCH_YES, false, NULL}, /* agility is by selector */
    {{"3 1 1 l", "2 1 2 o"}, "lc", DANE_MATCH_YES, true, NULL},  /* ... and by usage */
    {{"3 1 0 l", "3 1 2 o"}, "lc", DANE_MATCH_YES, true, NULL},  /* whole keys always count */
    {{"3 1 1 l", "3 0 1 o"}, "lc", DANE_MATCH_YES, true, NULL},
    {{"2 1 1 c"}, "lc", DANE_MATCH_YES, true, NULL},
    {{"2 0 1 c"}, "lc", DANE_MATCH_YES, true, NULL},
    {{"2 1 1 c"}, "l", DANE_MATCH_NO, false, "RFC 7671 5.2.3"}, /* the anchor is not served */
    {{"2 0 0 c"}, "l", DANE_MATCH_YES, true, NULL},             /* ... but published */
    {{"2 1 1 c"}, "fc", DANE_MATCH_NO, false, "not valid for this host"},
    {{"2 1 1 c"}, "ec", DANE_MATCH_NO, false, "not valid for this host"}, /* expired */
    {{"3 1 1 e"}, "ec", DANE_MATCH_YES, true, NULL},                      /* DANE-EE does not look at dates */
    {{"3 1 1 f"}, "fc", DANE_MATCH_YES, true, NULL},                      /* ... nor at names */
    {{"3 1 1 s"}, "sc", DANE_MATCH_YES, true, NULL},                      /* ... nor at key sizes */
    {{"2 1 1 c", "2 1 2 o"}, "lc", DANE_MATCH_NO, false, "RFC 7671 9"},
    {{"2 1 1 c", "3 1 1 o"}, "lc", DANE_MATCH_YES, true, NULL},
    {{"1 1 1 l"}, "lc", DANE_MATCH_NO_RECORDS, false, NULL},
    {{"1 1 1 l", "3 1 1 o"}, "lc", DANE_MATCH_NO, false, "no record matches"}, /* hides no mismatch */
    {{"3 1 1 o", "3 1 1 l"}, "lc", DANE_MATCH_YES, true, NULL},                /* a roll-over under way */
};

static void equal_to_openssl(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new(4 << 20);
        struct buf zone = BUF_INIT;
        struct slice chain[4];
        struct dane_records records;
        struct dane_match m;
        char *error = NULL, name[64] = "";
        size_t n = 0;
        bool usable;
        for (size_t k = 0; k < 4 && cases[i].records[k]; k++) {
            add_record(&zone, cases[i].records[k]);
            snprintf(name + strlen(name), sizeof name - strlen(name), "%s, ", cases[i].records[k]);
        }
        struct dns *dns = dns_replay_text(buf_slice(&zone), "zone", &error);
        assert_non_null(dns);
        struct dns_scope *scope = dns_scope_new(dns, arena, NULL);
        assert_int_equal(dane_records_read(arena, dns_get(scope, "_25._tcp." HOST, DNS_TLSA), &records), STATUS_OK);
        for (const char *c = cases[i].chain; *c; c++)
            der_of(chain_part(*c), &chain[n++]);
        struct dane_match_request r = {
            .records = &records, .chain = chain, .chain_count = n, .host = HOST, .at = time(NULL)};
        assert_int_equal(dane_match(arena, &r, &m), STATUS_OK);
        bool theirs = handshake(&records, cases[i].chain, &usable);
        if (m.state != cases[i].want || (m.state == DANE_MATCH_YES) != theirs ||
            m.holds_after_renewal != cases[i].holds || (cases[i].why && !strstr(m.why, cases[i].why)))
            fail_msg("%schain %s: ours %d (holds %d, %s), OpenSSL's %d", name, cases[i].chain, (int)m.state,
                     m.holds_after_renewal, m.why, theirs);
        assert_int_equal(usable, m.state != DANE_MATCH_NO_RECORDS);
        assert_true((m.by != NULL) == (m.state == DANE_MATCH_YES));
        for (size_t k = 0; k < n; k++)
            OPENSSL_free((void *)(uintptr_t)chain[k].p);
        dns_scope_free(scope);
        dns_close(dns);
        buf_release(&zone);
        arena_free(arena);
    }
}

static int set_up(void **state)
{
    ca_key = make_key();
    leaf_key = make_key();
    other_key = make_key();
    small_key = EVP_RSA_gen(1024);
    ca = make_cert(ca_key, "ca.example", true, -86400, 86400, NULL, NULL);
    leaf = make_cert(leaf_key, HOST, false, -86400, 86400, ca, ca_key);
    renewed = make_cert(leaf_key, HOST, false, -60, 2 * 86400, ca, ca_key);
    other = make_cert(other_key, HOST, false, -86400, 86400, ca, ca_key);
    expired = make_cert(leaf_key, HOST, false, -2 * 86400, -86400, ca, ca_key);
    small = make_cert(small_key, HOST, false, -86400, 86400, ca, ca_key);
    foreign = make_cert(leaf_key, "mx.other.example", false, -86400, 86400, ca, ca_key);
    return small_key ? 0 : 1;
}

static int tear_down(void **state)
{
    X509 *all[] = {ca, leaf, renewed, other, expired, small, foreign};
    EVP_PKEY *keys[] = {ca_key, leaf_key, other_key, small_key};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        X509_free(all[i]);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        EVP_PKEY_free(keys[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equal_to_openssl)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
