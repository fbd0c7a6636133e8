// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_seal.c - `set arc.seal` on whole messages through the judge: who is sealed, that the set put on top verifies,
 * and that a key which cannot be used stops no mail.
 */
#include "dns/dns_replay.h"
#include "judge/judge.h"
#include "judge/stamp.h"
#include "tests/unit/dkim_lab.h"
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

static const char zone[] = "seal._domainkey.example.org TXT \"v=DKIM1; p={RSA2048}\"\n";
static const char body[] = "Hello  you\r\n\r\n";
static const struct lab_field fields[] = {{"Received", " from x"},
                                          {"From", " A <a@good.example>"},
                                          {"To", " u@example.org"},
                                          {"Date", " Thu, 01 Jan 2026 00:00:00 +0000"},
                                          {NULL, NULL}};

struct sealed {
    struct judge *j;
    const struct classes *c;
    struct stamp stamp;
};

static struct dns *source;

static struct sealed seal_run(const char *settings, const char *key_path, const char *rcpt)
{
    static struct judge_host host;
    char text[2048];
    host = (struct judge_host){.dns = source, .name = "mx.example.org", .authserv_id = "mx.example.org"};
    snprintf(text, sizeof text,
             "record dkim, arc of everyone\nown domains example.org\nset mode enforce\nset arc.seal-key \"%s\"\n%s",
             key_path, settings);
    const struct policy *p = policy_load_text(slice_str(text), "test", NULL);
    assert_non_null(p);
    struct sealed r = {.j = judge_new(&host, p, 0)};
    policy_unref(p);
    struct judge_mail *m = judge_mail(r.j);
    assert_int_equal(ip_from_text(SLICE_LIT("192.0.2.10"), &m->peer), STATUS_OK);
    m->client = m->peer;
    assert_int_equal(mail_set_helo(m, judge_arena(r.j), "mail.good.example"), STATUS_OK);
    assert_int_equal(mail_set_from(m, judge_arena(r.j), "<a@good.example>", false), STATUS_OK);
    assert_int_equal(mail_add_rcpt(m, judge_arena(r.j), rcpt), STATUS_OK);
    m->source = mail_source(m, judge_policy(r.j), false);
    assert_int_equal(judge_envelope(r.j), STATUS_OK);
    for (const struct lab_field *f = fields; f->name; f++)
        assert_int_equal(judge_header(r.j, slice_str(f->name), slice_str(f->value)), STATUS_OK);
    assert_int_equal(judge_headers_end(r.j), STATUS_OK);
    judge_body(r.j, slice_str(body), true);
    assert_int_equal(judge_end(r.j), STATUS_OK);
    assert_int_equal(judge_verdicts(r.j, NULL, &r.c), STATUS_OK);
    assert_int_equal(stamp_make(r.j, &r.c->list[0].verdict, &r.stamp), STATUS_OK);
    return r;
}

static const char *write_key(const char *name, mode_t mode)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/assay-test-seal-%ld.pem", (long)getpid());
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, lab_key(name)->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

#define SEALED "set arc.seal-domain example.org\nset arc.seal-selector seal\n"

/* The message as the next hop gets it. */
static void stamp_verify(const struct stamp *stamp)
{
    struct lab l;
    struct arc_finding found;
    lab_open(&l, zone);
    for (size_t i = 0; i < stamp->count; i++) {
        char value[8192];
        snprintf(value, sizeof value, " %s", stamp->fields[i].value);
        lab_add(&l, stamp->fields[i].name, value);
    }
    for (const struct lab_field *f = fields; f->name; f++)
        lab_add(&l, f->name, f->value);
    struct arc_checker *c = arc_checker_new(l.dns, l.arena, &l.headers, NULL);
    arc_checker_body(c, slice_str(body));
    assert_int_equal(arc_checker_end(c, &found), STATUS_OK);
    assert_string_equal(found.reason, "");
    assert_int_equal(found.result, RESULT_PASS);
    assert_string_equal(found.sealers[0], "example.org");
    assert_string_equal(found.sets[0].authserv, "mx.example.org");
    assert_int_equal(found.sets[0].cv, RESULT_NONE);
    arc_checker_free(c);
    lab_close(&l);
}

static void test_who_is_sealed(void **state)
{
    static const struct {
        const char *settings, *rcpt;
        size_t count; /* of fields put on */
    } cases[] = {
        {"", "<u@example.org>", 2},
        {"set arc.seal relayed\n" SEALED, "<u@example.org>", 2},
        {"set arc.seal relayed\n" SEALED, "<u@mail.example.org>", 2},
        {"set arc.seal relayed\n" SEALED, "<u@elsewhere.example>", 5},
        {"set arc.seal all\n" SEALED, "<u@example.org>", 5},
    };
    const char *path = write_key("RSA2048", 0600);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sealed r = seal_run(cases[i].settings, path, cases[i].rcpt);
        if (r.stamp.count != cases[i].count)
            fail_msg("case %zu: %zu fields, want %zu: %s", i, r.stamp.count, cases[i].count,
                     judge_report(r.j)->seal_problem ? judge_report(r.j)->seal_problem : "no problem");
        if (r.stamp.count == 5) {
            assert_string_equal(r.stamp.fields[0].name, "ARC-Seal");
            stamp_verify(&r.stamp);
        }
        assert_null(judge_report(r.j)->seal_problem);
        judge_free(r.j);
    }
    unlink(path);
}

static void check_problem(const char *settings, const char *path, const char *says)
{
    struct sealed r = seal_run(settings, path, "<u@elsewhere.example>");
    assert_int_equal(r.stamp.count, 2);
    assert_non_null(judge_report(r.j)->seal_problem);
    if (!strstr(judge_report(r.j)->seal_problem, says))
        fail_msg("\"%s\" does not say \"%s\"", judge_report(r.j)->seal_problem, says);
    judge_free(r.j);
}

static void test_no_key_stops_no_mail(void **state)
{
    check_problem("set arc.seal all\n" SEALED, "/nowhere/key.pem", "cannot be opened");
    const char *path = write_key("RSA2048", 0644);
    check_problem("set arc.seal all\n" SEALED, path, "everybody");
    write_key("RSA512", 0600);
    check_problem("set arc.seal all\n" SEALED, path, "1024");
    /* The file is put right: no reload needed. */
    write_key("RSA2048", 0600);
    struct sealed r = seal_run("set arc.seal all\n" SEALED, path, "<u@example.org>");
    assert_int_equal(r.stamp.count, 5);
    judge_free(r.j);
    unlink(path);
}

static int open_source(void **state)
{
    char *error = NULL;
    source = dns_replay_text(SLICE_LIT("zone example insecure\n"), "test", &error);
    return source ? 0 : -1;
}

static int close_source(void **state)
{
    source = dns_close(source);
    lab_forget_keys();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_is_sealed),
                                       cmocka_unit_test(test_no_key_stops_no_mail)};
    return cmocka_run_group_tests(tests, open_source, close_source);
}
