// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_arc_check.c - ARC chains by RFC 8617: built link by link from literal canonical texts, signed by OpenSSL, then
 * judged whole or after damage.
 */
#include "tests/unit/dkim_lab.h"
#include "standards/arc/arc_check.h"

static const char zone[] = "s._domainkey.a.example secure TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "s._domainkey.b.example TXT \"v=DKIM1; p={RSA1024}\"\n"
                           "s._domainkey.c.example secure TXT \"v=DKIM1; k=ed25519; p={ED25519}\"\n"
                           "s._domainkey.weak.example TXT \"v=DKIM1; p={RSA512}\"\n"
                           "zone dead.example timeout\n"
                           "zone bogus.example bogus\n";

#define BODY "Hello.\r\n"
#define FROM "from:a@example.org\r\n"

struct link {
    unsigned i;
    const char *domain, *key;
    const char *cv;
    const char *body;  /* as this hop saw it; NULL: BODY */
    const char *h;     /* NULL: from */
    const char *extra; /* more tags of the message signature, e.g. "l=0; " */
    const char *seal_extra;
    const char *aar;      /* behind "i=N; "; NULL: a usual one */
    const char *seal_key; /* NULL: key */
};

struct set {
    char *aar, *message, *seal; /* canonical values */
};

static const char *algorithm(const char *key)
{
    return strcmp(key, "ED25519") == 0 ? "ed25519-sha256" : "rsa-sha256";
}

/* Seals link n on top of the sets below it. */
static void seal(const struct link *t, struct set *sets, size_t n)
{
    struct buf text = BUF_INIT, value = BUF_INIT;
    const char *usual = "mx.example; spf=pass smtp.mailfrom=example.org; dkim=fail; dkim=pass header.d=example.org; "
                        "dmarc=pass header.from=Example.org";
    buf_printf(&value, "i=%u; %s", t->i, t->aar ? t->aar : usual);
    sets[n].aar = buf_detach(&value);
    buf_printf(&value, "i=%u; a=%s; c=relaxed/relaxed; d=%s; s=s; h=%s; %sbh={BH}; b=", t->i, algorithm(t->key),
               t->domain, t->h ? t->h : "from", t->extra ? t->extra : "");
    char *tags = lab_fill(value.p, t->body ? t->body : BODY);
    buf_reset(&value);
    buf_printf(&text, "%sarc-message-signature:%s", t->h && strcmp(t->h, "to") == 0 ? "" : FROM, tags);
    char *b = lab_sign(t->key, buf_slice(&text));
    buf_printf(&value, "%s%s", tags, b);
    sets[n].message = buf_detach(&value);
    free(tags);
    free(b);
    buf_reset(&text);
    for (size_t i = 0; i <= n; i++) {
        buf_printf(&text, "arc-authentication-results:%s\r\narc-message-signature:%s\r\n", sets[i].aar,
                   sets[i].message);
        if (i < n)
            buf_printf(&text, "arc-seal:%s\r\n", sets[i].seal);
    }
    const char *key = t->seal_key ? t->seal_key : t->key;
    buf_printf(&value, "i=%u; a=%s; cv=%s; d=%s; s=s; %st=1700000000; b=", t->i, algorithm(key), t->cv, t->domain,
               t->seal_extra ? t->seal_extra : "");
    buf_printf(&text, "arc-seal:%s", value.p);
    b = lab_sign(key, buf_slice(&text));
    buf_adds(&value, b);
    sets[n].seal = buf_detach(&value);
    free(b);
    buf_release(&text);
}

enum damage { WHOLE, NO_AAR, NO_MESSAGE, NO_SEAL, TWO_SEALS, OTHER_AAR, OTHER_SEAL, OTHER_MESSAGE };

struct chain_case {
    const char *name;
    struct link links[4];
    enum result result;
    unsigned oldest_pass;
    const char *reason; /* a part of it; NULL: empty */
    enum damage damage; /* to the set damaged */
    size_t damaged;     /* index into links */
    const char *body;   /* as it arrives; NULL: BODY */
    enum dns_security security;
    bool does_not_count;
};

#define A1 {1, "a.example", "RSA2048", "none"}
#define B2 {2, "b.example", "RSA1024", "pass"}
#define C3 {3, "c.example", "ED25519", "pass"}

static const struct chain_case cases[] = {
    {"no chain", {{0}}, RESULT_NONE},
    {"one set", {A1}, RESULT_PASS, .security = DNS_SECURE},
    {"two sets, RSA of 1024 bits in one", {A1, B2}, RESULT_PASS, .security = DNS_INSECURE},
    {"three sets, one Ed25519", {A1, B2, C3}, RESULT_PASS, .security = DNS_INSECURE},
    {"a list changed the body",
     {{1, "a.example", "RSA2048", "none", .body = "Before.\r\n"}, B2},
     RESULT_PASS,
     2,
     .security = DNS_INSECURE},
    {"the second of three changed it",
     {A1, {2, "b.example", "RSA1024", "pass", .body = "Before.\r\n"}, C3},
     RESULT_PASS,
     3,
     .security = DNS_INSECURE},
    {"the first of three changed it",
     {{1, "a.example", "RSA2048", "none", .body = "Before.\r\n"}, B2, C3},
     RESULT_PASS,
     2,
     .security = DNS_INSECURE},
    {"changed behind the newest", {A1, B2}, RESULT_FAIL, 0, "body hash", .body = "After.\r\n"},
    {"cv=fail in the newest", {A1, {2, "b.example", "RSA1024", "fail"}}, RESULT_FAIL, 0, "cv=fail"},
    {"cv=fail in an older one", {{1, "a.example", "RSA2048", "fail"}, B2}, RESULT_FAIL, 0, "cv=fail"},
    {"cv=pass in the first", {{1, "a.example", "RSA2048", "pass"}}, RESULT_FAIL, 0, "cv=none"},
    {"cv=none in the second", {A1, {2, "b.example", "RSA1024", "none"}}, RESULT_FAIL, 0, "cv=pass"},
    {"cv= unknown", {{1, "a.example", "RSA2048", "maybe"}}, RESULT_FAIL, 0, "cv=none"},
    {"a gap", {A1, {3, "b.example", "RSA1024", "pass"}}, RESULT_FAIL, 0, "incomplete"},
    {"begins at 2", {{2, "a.example", "RSA2048", "pass"}}, RESULT_FAIL, 0, "incomplete"},
    {"the same instance twice", {A1, {1, "b.example", "RSA1024", "none"}}, RESULT_FAIL, 0, "two ARC-"},
    {"instance 0", {{0, "a.example", "RSA2048", "none"}}, RESULT_FAIL, 0, "without a valid i="},
    {"instance 51", {{51, "a.example", "RSA2048", "none"}}, RESULT_FAIL, 0, "without a valid i="},
    {"instance 50 alone", {{50, "a.example", "RSA2048", "pass"}}, RESULT_FAIL, 0, "incomplete"},
    {"no AAR", {A1, B2}, RESULT_FAIL, 0, "incomplete", NO_AAR, 0},
    {"no message signature", {A1, B2}, RESULT_FAIL, 0, "incomplete", NO_MESSAGE, 1},
    {"no seal", {A1, B2}, RESULT_FAIL, 0, "incomplete", NO_SEAL, 1},
    {"two seals of one instance", {A1}, RESULT_FAIL, 0, "two ARC-Seals", TWO_SEALS, 0},
    {"an older AAR was changed", {A1, B2}, RESULT_FAIL, 0, "seal i=2", OTHER_AAR, 0},
    {"an older message signature was changed", {A1, B2}, RESULT_FAIL, 0, "seal i=2", OTHER_MESSAGE, 0},
    {"an older seal was changed", {A1, B2}, RESULT_FAIL, 0, "seal i=2", OTHER_SEAL, 0},
    {"the newest AAR was changed", {A1, B2}, RESULT_FAIL, 0, "seal i=2", OTHER_AAR, 1},
    {"sealed with another key",
     {{1, "a.example", "RSA2048", "none", .seal_key = "RSA1024"}},
     RESULT_FAIL,
     0,
     "seal i=1"},
    {"a key under 1024 bits", {{1, "weak.example", "RSA512", "none"}}, RESULT_FAIL, 0, "1024"},
    {"no key", {{1, "gone.example", "RSA2048", "none"}}, RESULT_FAIL, 0, "no key"},
    {"the key's zone is dead", {{1, "dead.example", "RSA2048", "none"}}, RESULT_TEMPERROR, 0, "could not be fetched"},
    {"the key is bogus",
     {A1, {2, "bogus.example", "RSA2048", "pass"}},
     RESULT_TEMPERROR,
     0,
     "bogus",
     .security = DNS_BROKEN},
    {"an older seal's key is dead",
     {{1, "dead.example", "RSA2048", "none"}, B2},
     RESULT_TEMPERROR,
     0,
     "seal i=1",
     .security = DNS_UNKNOWN},
    {"dead, and broken besides: broken",
     {{1, "dead.example", "RSA2048", "none"}, B2},
     RESULT_FAIL,
     0,
     "body hash",
     .body = "x\r\n"},
    {"h= in a seal", {{1, "a.example", "RSA2048", "none", .seal_extra = "h=from; "}}, RESULT_FAIL, 0, "h="},
    {"ARC-Seal in h=", {{1, "a.example", "RSA2048", "none", .h = "from:arc-seal"}}, RESULT_FAIL, 0, "ARC-Seal"},
    {"unknown tags",
     {{1, "a.example", "RSA2048", "none", .extra = "v=7; x9=y; ", .seal_extra = "zz=; "}},
     RESULT_PASS,
     .security = DNS_SECURE},
    {"t= twice in a seal", {{1, "a.example", "RSA2048", "none", .seal_extra = "t=1; "}}, RESULT_FAIL, 0, "twice"},
    {"l= leaves nothing open",
     {{1, "a.example", "RSA2048", "none", .extra = "l=8; "}},
     RESULT_PASS,
     .security = DNS_SECURE},
    {"l= leaves a part open",
     {{1, "a.example", "RSA2048", "none", .extra = "l=8; "}},
     RESULT_PASS,
     0,
     "l=",
     .body = BODY "Added.\r\n",
     .security = DNS_SECURE,
     .does_not_count = true},
    {"an older l= lets a later hop add: not from there on",
     {{1, "a.example", "RSA2048", "none", .extra = "l=8; "},
      {2, "b.example", "RSA1024", "pass", .body = BODY "Added.\r\n"}},
     RESULT_PASS,
     2,
     .body = BODY "Added.\r\n",
     .security = DNS_INSECURE},
    {"From is not signed by the newest",
     {{1, "a.example", "RSA2048", "none", .h = "to"}},
     RESULT_PASS,
     0,
     "From",
     .security = DNS_SECURE,
     .does_not_count = true},
    {"From is not signed by an older one",
     {{1, "a.example", "RSA2048", "none", .h = "to"}, B2},
     RESULT_PASS,
     2,
     .security = DNS_INSECURE},
    {"an AAR that is no A-R", {{1, "a.example", "RSA2048", "none", .aar = "((("}}, RESULT_PASS, .security = DNS_SECURE},
};

static void add_unless(struct lab *l, bool unless, const char *name, const char *value, const char *tail)
{
    struct buf v = BUF_INIT;
    /* Folded and spaced on the way: nothing to relaxed. */
    buf_printf(&v, "\r\n\t%s%s  ", value, tail);
    if (!unless)
        lab_add(l, name, v.p);
    buf_release(&v);
}

static void add_set(struct lab *l, const struct set *s, enum damage d)
{
    add_unless(l, d == NO_SEAL, "ARC-Seal", s->seal, d == OTHER_SEAL ? "; x=y" : "");
    add_unless(l, d != TWO_SEALS, "ARC-Seal", s->seal, "");
    add_unless(l, d == NO_MESSAGE, "Arc-Message-signature", s->message, d == OTHER_MESSAGE ? "; x=y" : "");
    add_unless(l, d == NO_AAR, "ARC-Authentication-Results", s->aar, d == OTHER_AAR ? "; arc=pass" : "");
}

static void chain_judge(struct lab *l, const struct chain_case *t, struct arc_finding *f, bool shared)
{
    struct arc_check_options options = {.at = 1767225600};
    struct slice body = slice_str(t->body ? t->body : BODY);
    struct dkim_checker *dkim = NULL;
    if (shared)
        options.body_of = dkim = dkim_checker_new(l->dns, l->arena, &l->headers, NULL, NULL);
    struct arc_checker *c = arc_checker_new(l->dns, l->arena, &l->headers, &options);
    assert_non_null(c);
    for (size_t i = 0; i < body.n; i++) {
        if (dkim)
            dkim_checker_body(dkim, slice_of(body.p + i, 1));
        arc_checker_body(c, slice_of(body.p + i, 1));
    }
    if (dkim) {
        const struct dkim_signature *s;
        size_t count;
        assert_int_equal(dkim_checker_end(dkim, &s, &count), STATUS_OK);
    }
    assert_int_equal(arc_checker_end(c, f), STATUS_OK);
    arc_checker_free(c);
    dkim_checker_free(dkim);
}

static void run_case(const struct chain_case *t, bool shared)
{
    struct lab l;
    struct set sets[4];
    struct arc_finding f;
    size_t n = 0;
    lab_open(&l, zone);
    for (; n < 4 && t->links[n].domain; n++)
        seal(&t->links[n], sets, n);
    for (size_t i = n; i-- > 0;) {
        add_set(&l, &sets[i], t->damage && t->damaged == i ? t->damage : WHOLE);
        free(sets[i].aar);
        free(sets[i].message);
        free(sets[i].seal);
    }
    lab_add(&l, "From", " a@example.org");
    chain_judge(&l, t, &f, shared);
    if (f.result != t->result || f.oldest_pass != t->oldest_pass ||
        (t->reason ? !strstr(f.reason, t->reason) : *f.reason != '\0'))
        fail_msg("%s: got %s, oldest-pass %u, \"%s\"; want %s, %u, \"%s\"", t->name, result_name(f.result),
                 f.oldest_pass, f.reason, result_name(t->result), t->oldest_pass, t->reason ? t->reason : "");
    if (t->result == RESULT_PASS) {
        assert_int_equal(f.instance_count, n);
        assert_int_equal(f.counts, !t->does_not_count);
        assert_int_equal(f.security, t->security);
        for (size_t i = 0; i < n; i++) {
            assert_string_equal(f.sealers[i], t->links[n - 1 - i].domain);
            assert_int_equal(f.sets[i].instance, n - i);
            assert_int_equal(f.sets[i].seal, RESULT_PASS);
        }
    } else {
        assert_false(f.counts);
    }
    lab_close(&l);
}

static void test_chains(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_case(&cases[i], false);
        run_case(&cases[i], true);
    }
}

static void test_what_sets_say(void **state)
{
    static const char aar[] = "Lists.Example 1; arc=pass; dmarc=none header.from=y.example; "
                              "dmarc=pass action=none header.from=\"x.example\"";
    static const struct chain_case t = {"", {A1, {2, "b.example", "RSA1024", "pass", .aar = aar}}};
    struct lab l;
    struct set sets[2];
    struct arc_finding f;
    lab_open(&l, zone);
    for (size_t i = 0; i < 2; i++)
        seal(&t.links[i], sets, i);
    for (size_t i = 2; i-- > 0;) {
        add_set(&l, &sets[i], WHOLE);
        free(sets[i].aar);
        free(sets[i].message);
        free(sets[i].seal);
    }
    lab_add(&l, "From", " a@example.org");
    chain_judge(&l, &t, &f, false);
    assert_int_equal(f.result, RESULT_PASS);
    const struct arc_set *s = f.sets;
    assert_string_equal(s[0].authserv, "Lists.Example");
    assert_int_equal(s[0].arc, RESULT_PASS);
    assert_int_equal(s[0].dmarc, RESULT_PASS); /* the best of two, and whose it is */
    assert_int_equal(s[0].spf, RESULT_NONE);
    assert_string_equal(s[0].dmarc_from, "x.example");
    assert_string_equal(s[0].signer, "b.example");
    assert_int_equal(s[0].key_bits, 1024);
    assert_int_equal(s[0].cv, RESULT_PASS);
    assert_string_equal(s[1].authserv, "mx.example");
    assert_int_equal(s[1].spf, RESULT_PASS);
    assert_int_equal(s[1].dkim, RESULT_PASS); /* the best of two */
    assert_int_equal(s[1].dmarc, RESULT_PASS);
    assert_string_equal(s[1].dmarc_from, "example.org");
    assert_int_equal(s[1].cv, RESULT_NONE);
    assert_int_equal(s[1].message, RESULT_PASS);
    lab_close(&l);
}

/* A chain of n whole sets by one sealer, all the same except the instance. */
static void test_length(void **state)
{
    static const struct chain_case usual = {""};
    struct link link = {1, "a.example", "RSA2048", "none"};
    static struct set sets[51];
    struct arc_finding f;
    for (size_t i = 0; i < 51; i++) {
        seal(&link, sets, i);
        link.i++;
        link.cv = "pass";
    }
    for (size_t n = 49; n <= 51; n++) {
        struct lab l;
        lab_open(&l, zone);
        for (size_t i = n; i-- > 0;)
            add_set(&l, &sets[i], WHOLE);
        lab_add(&l, "From", " a@example.org");
        chain_judge(&l, &usual, &f, false);
        assert_int_equal(f.result, n <= 50 ? RESULT_PASS : RESULT_FAIL);
        if (n > 50)
            assert_non_null(strstr(f.reason, "50"));
        lab_close(&l);
    }
    for (size_t i = 0; i < 51; i++) {
        free(sets[i].aar);
        free(sets[i].message);
        free(sets[i].seal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chains), cmocka_unit_test(test_what_sets_say),
                                       cmocka_unit_test(test_length)};
    return cmocka_run_group_tests(tests, NULL, lab_end);
}
