// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_fleet.c - proofs between hosts of a fleet: the next host accepts what one of them stamped, and nothing else: not
 * with another key, a changed message, a later day, from a peer that is not a relay, or with a key file that others
 * could have written.
 */
#include "dns/dns_replay.h"
#include "judge/fleet.h"
#include "judge/judge.h"
#include "judge/stamp.h"
#include "tests/unit/cm.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define NOW 1790000000
#define BODY "hello\n"
#define RECEIVED "Received: from x (unknown [192.0.2.66]) by mx2.example.org (Postfix) with ESMTP id 1\n"
#define MESSAGE "From: A <a@good.example>\nMessage-ID: <1@good.example>\nDate: Thu, 01 Jan 2026 00:00:00 +0000\n"

static const char zones[] = "_dmarc.good.example secure TXT \"v=DMARC1; p=reject\"\n"
                            "good.example secure TXT \"v=spf1 ip4:192.0.2.10 -all\"\nzone example secure\n";
static struct dns *source;
static char folder[] = "/tmp/assay-fleet-XXXXXX";

struct run {
    struct judge *j;
    const struct classes *c;
    struct stamp stamp;
};

static const char *key_file(const char *name, const char *octets, mode_t mode)
{
    static char path[4][128];
    static int next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    unlink(p);
    int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, octets, strlen(octets)) == (ssize_t)strlen(octets));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return p;
}

static struct run judge_it(const char *settings, const char *client, const char *header, const char *body, time_t at)
{
    static struct judge_host h;
    char policy[1024], text[4096];
    struct run r = {NULL, NULL, {.count = 0}};
    struct arena *a = arena_new(1 << 20);
    struct header_list list;
    struct slice rest;
    struct judge_mail *m;

    h = (struct judge_host){.dns = source, .name = "mx2.example.org", .authserv_id = "mx2.example.org"};
    snprintf(
        policy, sizeof policy,
        "follow dmarc as published of everyone\nrelay 203.0.113.200\nown domains example.org\nset mode enforce\n%s",
        settings);
    snprintf(text, sizeof text, "%s\n%s", header, body);
    const struct policy *p = policy_load_text(slice_str(policy), "test", NULL);
    assert_non_null(p);
    r.j = judge_new(&h, p, 0);
    policy_unref(p);
    m = judge_mail(r.j);
    m->at = at;
    assert_int_equal(ip_from_text(slice_str(client), &m->peer), STATUS_OK);
    m->client = m->peer;
    assert_int_equal(mail_set_from(m, judge_arena(r.j), "<a@good.example>", false), STATUS_OK);
    assert_int_equal(mail_add_rcpt(m, judge_arena(r.j), "<user@example.org>"), STATUS_OK);
    m->source = mail_source(m, judge_policy(r.j), false);
    assert_int_equal(judge_envelope(r.j), STATUS_OK);
    header_list_init(&list, a);
    assert_int_equal(header_parse_message(&list, slice_str(text), &rest), STATUS_OK);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(judge_header(r.j, list.fields[i].name, list.fields[i].value), STATUS_OK);
    assert_int_equal(judge_headers_end(r.j), STATUS_OK);
    judge_body(r.j, rest, false);
    assert_int_equal(judge_end(r.j), STATUS_OK);
    assert_int_equal(judge_verdicts(r.j, NULL, &r.c), STATUS_OK);
    assert_int_equal(stamp_make(r.j, &r.c->list[0].verdict, &r.stamp), STATUS_OK);
    arena_free(a);
    return r;
}

/* The Assay-Verdict field that a host of the fleet puts on this message. */
static void stamped(const char *settings, char *out, size_t size)
{
    struct run r = judge_it(settings, "192.0.2.10", MESSAGE, BODY, NOW);
    for (size_t i = 0; i < r.stamp.count; i++)
        if (strcmp(r.stamp.fields[i].name, "Assay-Verdict") == 0)
            snprintf(out, size, "Assay-Verdict: %s\n", r.stamp.fields[i].value);
    judge_free(r.j);
}

static const char *doubt; /* of the last source_of() */

static enum judge_source source_of(const char *settings, const char *client, const char *field, const char *header,
                                   const char *body, time_t at)
{
    char text[3000];
    snprintf(text, sizeof text, "%s" RECEIVED "%s", field, header);
    struct run r = judge_it(settings, client, text, body, at);
    enum judge_source s = judge_mail(r.j)->source;
    size_t from = 0;
    const char *name;
    unsigned index;
    /* What is not believed is not left in the mail either. */
    assert_int_equal(stamp_next_forged(r.j, &from, &name, &index), s != JUDGE_FLEET);
    doubt = judge_report(r.j)->fleet_doubt ? strdup(judge_report(r.j)->fleet_doubt) : NULL;
    judge_free(r.j);
    return s;
}

/* The relay's verdict is not believed, and the report says why. */
static void not_believed(const char *words, enum judge_source s)
{
    assert_int_equal(s, JUDGE_RELAY);
    assert_non_null(doubt);
    assert_non_null(strstr(doubt, words));
    free((char *)doubt);
    doubt = NULL;
}

static void what_is_believed(void **state)
{
    char one[300], two[300], both[500], none[1] = "", field[1024] = "", plain[1024] = "", two_fields[2100];
    (void)state;
    if (geteuid() != 0)
        skip();
    snprintf(one, sizeof one, "set fleet.key-file %s\n", key_file("one", "0123456789abcdef0123456789abcdef", 0640));
    snprintf(two, sizeof two, "set fleet.key-file %s\n", key_file("two", "another key of the fleet: 32 octets", 0640));
    snprintf(both, sizeof both, "%sset fleet.key-file-other %s/one\n", two, folder);
    stamped(one, field, sizeof field);
    stamped(none, plain, sizeof plain);
    assert_non_null(strstr(field, "; host=mx2.example.org; time=1790000000; proof="));
    assert_null(strstr(plain, "proof="));

    const char *relay = "203.0.113.200";
    assert_int_equal(source_of(one, relay, field, MESSAGE, BODY, NOW + 60), JUDGE_FLEET);
    assert_int_equal(source_of(one, relay, field, MESSAGE, BODY, NOW + FLEET_SECONDS), JUDGE_FLEET);
    assert_int_equal(source_of(both, relay, field, MESSAGE, BODY, NOW + 60), JUDGE_FLEET); /* rotation */
    assert_null(doubt); /* the first key is not its, but the second is */

    not_believed("no key", source_of(none, relay, field, MESSAGE, BODY, NOW));
    assert_int_equal(source_of(one, "192.0.2.99", field, MESSAGE, BODY, NOW), JUDGE_INTERNET); /* no stated relay */
    not_believed("another key", source_of(two, relay, field, MESSAGE, BODY, NOW));
    not_believed("no proof", source_of(one, relay, plain, MESSAGE, BODY, NOW));
    not_believed("five days", source_of(one, relay, field, MESSAGE, BODY, NOW + FLEET_SECONDS + 1));
    not_believed("in the future", source_of(one, relay, field, MESSAGE, BODY, NOW - FLEET_DRIFT - 1));
    not_believed("the body", source_of(one, relay, field, MESSAGE, "changed\n", NOW));
    not_believed("From", source_of(one, relay, field, MESSAGE "From: b@bank.example\n", BODY, NOW));
    not_believed("From",
                 source_of(one, relay, field, "From: B <a@good.example>\nMessage-ID: <1@good.example>\n", BODY, NOW));
    not_believed("Message-ID",
                 source_of(one, relay, field, "From: A <a@good.example>\nMessage-ID: <2@good.example>\n", BODY, NOW));
    /* a CR that ends no line is an octet like any other */
    not_believed("From",
                 source_of(one, relay, field, "From: A \r<a@good.example>\nMessage-ID: <1@good.example>\n", BODY, NOW));
    /* a field of somebody else's above or below ours: neither hides the one that is proved */
    snprintf(two_fields, sizeof two_fields, "Assay-Verdict: deliver; forged=1\n%s", field);
    assert_int_equal(source_of(one, relay, two_fields, MESSAGE, BODY, NOW), JUDGE_FLEET);
    snprintf(two_fields, sizeof two_fields, "%sAssay-Verdict: deliver; forged=1\n", field);
    assert_int_equal(source_of(one, relay, two_fields, MESSAGE, BODY, NOW), JUDGE_FLEET);
    field[sizeof "Assay-Verdict: d" - 1] ^= 1; /* another verdict, another proof */
    not_believed("another key", source_of(one, relay, field, MESSAGE, BODY, NOW));
    key_file("one", "0123456789abcdef0123456789abcdef", 0644);
    not_believed("everybody can read it", source_of(one, relay, field, MESSAGE, BODY, NOW));
}

static void key_files(void **state)
{
    static const char good[] = "0123456789abcdef0123456789abcdef";
    struct fleet_key key;
    const char *why = NULL, *path;
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_true(fleet_key_read(key_file("good", good, 0640), &key, &why));
    assert_int_equal(key.n, sizeof good - 1);
    assert_true(fleet_key_read(key_file("good", good, 0600), &key, &why));
    assert_false(fleet_key_read(key_file("world", good, 0644), &key, &why));
    assert_false(fleet_key_read(key_file("group", good, 0660), &key, &why));
    assert_false(fleet_key_read(key_file("short", "0123456789abcdef0123456789abcde", 0640), &key, &why));
    assert_false(fleet_key_read("/nonexistent", &key, &why));
    path = key_file("others", good, 0640);
    assert_int_equal(chown(path, 65534, 0), 0);
    assert_false(fleet_key_read(path, &key, &why));
    path = key_file("group", good, 0640);
    assert_int_equal(chown(path, 0, getegid() + 100), 0);
    assert_false(fleet_key_read(path, &key, &why));
    assert_non_null(strstr(why, "chgrp"));
    path = key_file("target", good, 0640);
    char link[200], fifo[200];
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    assert_int_equal(symlink(path, link), 0);
    assert_false(fleet_key_read(link, &key, &why));
    assert_int_equal(mkfifo(fifo, 0640), 0);
    assert_false(fleet_key_read(fifo, &key, &why)); /* and does not wait for a writer */
    assert_non_null(why);
}

static int set_up(void **state)
{
    char *error = NULL;
    (void)state;
    source = dns_replay_text(slice_str(zones), "test", &error);
    return source && mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"one",   "two",    "good",   "world", "group",
                                        "short", "others", "target", "link",  "fifo"};
    char path[200];
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    dns_close(source);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_believed), cmocka_unit_test(key_files)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
