// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_arc_seal.c - sets and signatures that we make: the verifiers must accept them (libopendkim's too), say the
 * right cv=, and not be made where RFC 8617 5.1 forbids it.
 */
#include "tests/unit/dkim_lab.h"
#include "standards/arc/arc_seal.h"
#include "engines/engines.h"
#include "standards/dkim/dkim_checker.h"
#include "standards/dkim/dkim_signer.h"
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

static const char zone[] = "s._domainkey.a.example TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "s._domainkey.b.example TXT \"v=DKIM1; k=ed25519; p={ED25519}\"\n"
                           "zone dead.example timeout\n";

static const char *const fields[][2] = {{"Received", " from x"},
                                        {"From", " Alice\n\t<a@example.org>"},
                                        {"To", " b@example.net"},
                                        {"Cc", " c@example.net,\r\n d@example.net"},
                                        {"Subject", "  A   long\n subject "},
                                        {"Message-ID", " <1@example.org>"},
                                        {"Date", " Fri, 20 Nov 2026 12:00:00 +0000"},
                                        {"MIME-Version", " 1.0"},
                                        {"Content-Type", " text/plain"},
                                        {"List-Id", " <l.example.org>"},
                                        {"List-Unsubscribe", " <https://l.example.org/>"},
                                        {"DKIM-Signature", " v=1; d=x.example"}};

static char key_path[64];

/* A key as a file; its path is good until the next call. */
static struct dkim_privkey *key_from_file(const char *name, mode_t mode, const char **error)
{
    snprintf(key_path, sizeof key_path, "/tmp/assay-test-key-%ld.pem", (long)getpid());
    FILE *f = fopen(key_path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, lab_key(name)->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    assert_int_equal(chmod(key_path, mode), 0);
    struct dkim_privkey *k = dkim_privkey_read(key_path, error);
    unlink(key_path);
    return k;
}

static struct dkim_privkey *key_of(const char *name)
{
    const char *error = NULL;
    struct dkim_privkey *k = key_from_file(name, 0600, &error);
    if (!k)
        fail_msg("%s: %s", name, error);
    return k;
}

/* The sets made so far, newest first, with the message below them. */
static void sets_fill(struct lab *l, const struct arc_seal_set *sets, size_t n)
{
    lab_open(l, zone);
    for (size_t i = n; i-- > 0;) {
        char seal[4096], message[4096], aar[4096];
        snprintf(seal, sizeof seal, " %s", sets[i].seal);
        snprintf(message, sizeof message, " %s", sets[i].message);
        snprintf(aar, sizeof aar, " %s", sets[i].aar);
        lab_add(l, "ARC-Seal", seal);
        lab_add(l, "ARC-Message-Signature", message);
        lab_add(l, "ARC-Authentication-Results", aar);
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        lab_add(l, fields[i][0], fields[i][1]);
}

/* Verifies, and seals on top. The texts made are copied out of the arena. */
static enum status hop(const struct arc_seal_set *sets, size_t n, const char *body, const char *domain,
                       const struct dkim_privkey *key, struct arc_finding *found, struct arc_seal_set *out)
{
    struct lab l;
    struct arc_seal_request r = {.key = key,
                                 .domain = domain,
                                 .selector = "s",
                                 .results = SLICE_LIT("mx.example;\n\tspf=pass smtp.mailfrom=x.example"),
                                 .at = 1700000000};
    struct arc_seal_set made = {0};
    sets_fill(&l, sets, n);
    struct arc_checker *c = arc_checker_new(l.dns, l.arena, &l.headers, NULL);
    assert_non_null(c);
    assert_int_equal(arc_seal_prepare(c), STATUS_OK);
    arc_checker_body(c, slice_str(body));
    assert_int_equal(arc_checker_end(c, found), STATUS_OK);
    enum status s = arc_seal_make(c, found, &r, &made);
    if (s == STATUS_OK)
        *out = (struct arc_seal_set){made.instance, strdup(made.seal), strdup(made.message), strdup(made.aar)};
    arc_checker_free(c);
    lab_close(&l);
    found->reason = NULL; /* was the arena's */
    return s;
}

static void free_set(struct arc_seal_set *s)
{
    free((char *)(uintptr_t)s->seal);
    free((char *)(uintptr_t)s->message);
    free((char *)(uintptr_t)s->aar);
}

static void test_chain_of_ours(void **state)
{
    struct dkim_privkey *rsa = key_of("RSA2048"), *ed = key_of("ED25519");
    struct arc_seal_set sets[5] = {{.seal = NULL}};
    struct arc_finding found;
    assert_int_equal(hop(sets, 0, "Hello\r\n", "a.example", rsa, &found, &sets[0]), STATUS_OK);
    assert_int_equal(found.result, RESULT_NONE);
    assert_non_null(strstr(sets[0].seal, "cv=none"));
    assert_int_equal(hop(sets, 1, "Hello\r\n", "b.example", ed, &found, &sets[1]), STATUS_OK);
    assert_int_equal(found.result, RESULT_PASS);
    assert_non_null(strstr(sets[1].seal, "cv=pass"));
    assert_int_equal(sets[1].instance, 2);
    assert_int_equal(hop(sets, 2, "Hello\r\n", "a.example", rsa, &found, &sets[2]), STATUS_OK);
    assert_int_equal(found.result, RESULT_PASS);
    assert_int_equal(found.oldest_pass, 0);
    /* Somebody changed the body: the next set says so, over itself alone, and that is the last. */
    assert_int_equal(hop(sets, 3, "Changed\r\n", "a.example", rsa, &found, &sets[3]), STATUS_OK);
    assert_int_equal(found.result, RESULT_FAIL);
    assert_non_null(strstr(sets[3].seal, "cv=fail"));
    assert_int_equal(hop(sets, 4, "Changed\r\n", "a.example", rsa, &found, &sets[4]), STATUS_MISSING);
    assert_int_equal(found.result, RESULT_FAIL);
    for (size_t i = 0; i < 4; i++)
        free_set(&sets[i]);
    dkim_privkey_free(rsa);
    dkim_privkey_free(ed);
}

static void test_unsure_is_not_sealed(void **state)
{
    struct dkim_privkey *rsa = key_of("RSA2048");
    struct arc_seal_set sets[2] = {{.seal = NULL}};
    struct arc_finding found;
    assert_int_equal(hop(sets, 0, "x\r\n", "dead.example", rsa, &found, &sets[0]), STATUS_OK);
    assert_int_equal(hop(sets, 1, "x\r\n", "a.example", rsa, &found, &sets[1]), STATUS_AGAIN);
    assert_int_equal(found.result, RESULT_TEMPERROR);
    free_set(&sets[0]);
    dkim_privkey_free(rsa);
}

static void test_signature_of_ours(void **state)
{
    static const char *const keys[] = {"RSA2048", "ED25519"}, *const domains[] = {"a.example", "b.example"};
    for (int k = 0; k < 2; k++) {
        struct lab l;
        struct dkim_check_options options = {.engine = &assay_dkim_engine};
        const struct dkim_signature *s = NULL;
        size_t count = 0;
        bool header = false, body = false;
        struct dkim_privkey *key = key_of(keys[k]);
        struct slice text = SLICE_LIT("Hello  you \r\n\r\n");
        lab_open(&l, zone);
        for (size_t i = 0; i + 1 < sizeof fields / sizeof *fields; i++)
            lab_add(&l, fields[i][0], fields[i][1]);
        const char *value = dkim_signer_field(l.arena, &l.headers, text, key, domains[k], "s", 1700000000);
        assert_non_null(value);
        char sent[4096];
        snprintf(sent, sizeof sent, " %s", value);
        lab_add(&l, "DKIM-Signature", sent);
        struct dkim_checker *c = dkim_checker_new(l.dns, l.arena, &l.headers, "a.example", &options);
        dkim_checker_body(c, text);
        assert_int_equal(dkim_checker_end(c, &s, &count), STATUS_OK);
        assert_int_equal(count, 1);
        assert_string_equal(s->reason, "");
        assert_int_equal(s->result, RESULT_PASS);
        assert_true(s->counts && s->oversigned_from);
        assert_true(c->engine->verdict(c->library, 0, &header, &body) && header && body);
        dkim_checker_free(c);
        lab_close(&l);
        dkim_privkey_free(key);
    }
}

static void test_keys_refused(void **state)
{
    const char *error = NULL;
    assert_null(key_from_file("RSA512", 0600, &error));
    assert_non_null(strstr(error, "1024"));
    assert_null(key_from_file("RSA2048", 0644, &error));
    assert_non_null(strstr(error, "everybody"));
    assert_null(dkim_privkey_read("/nowhere/key.pem", &error));
    assert_non_null(strstr(error, "opened"));
    assert_null(dkim_privkey_read("/tmp", &error));
    assert_non_null(error);
    assert_null(dkim_privkey_read("/proc/self/status", &error));
    assert_non_null(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chain_of_ours),
                                       cmocka_unit_test(test_unsure_is_not_sealed),
                                       cmocka_unit_test(test_signature_of_ours), cmocka_unit_test(test_keys_refused)};
    return cmocka_run_group_tests(tests, NULL, lab_end);
}
