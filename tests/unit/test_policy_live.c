// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_policy_live.c - the policy a daemon runs on: a good reload is in force at once, a bad one changes nothing, a
 * start with a bad or missing file uses the snapshot, a list that shrank by more than 30% needs force, a damaged
 * snapshot is refused.
 */
#include "tests/unit/policy_folder.h"
#include "policy/policy.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* As put, but left alone for a minute by its time stamp. */
static void put_old(const char *name, const char *text)
{
    put(name, text);
    struct timespec now[2];
    clock_gettime(CLOCK_REALTIME, &now[0]);
    now[0].tv_sec -= 60;
    now[1] = now[0];
    assert_int_equal(utimensat(AT_FDCWD, in(name), now, 0), 0);
}

static void put_list(const char *name, unsigned count)
{
    FILE *f = fopen(in(name), "w");
    assert_non_null(f);
    for (unsigned i = 0; i < count; i++)
        fprintf(f, "d%u.example\n", i);
    fprintf(f, "192.0.2.0/24\nsomebody@b.example\n");
    assert_int_equal(fclose(f), 0);
}

#define POLICY                                                                                                         \
    "list l in \"names.list\"\nrequire dmarc of list l\ninclude \"customers\" may tighten\nrecord dmarc of everyone\n"

static void put_all(void)
{
    (void)mkdir(in("customers"), 0755);
    put("policy", POLICY);
    put_list("names.list", 100);
    put("customers/c.example.policy", "require spf of everyone\n");
}

static enum policy_level level_of(struct policy_live *l, const char *who)
{
    const struct policy *p = policy_live_get(l);
    struct policy_answer a;
    policy_ask(p, &(struct policy_question){.standard = STANDARD_DMARC, .who = who}, &a);
    policy_unref(p);
    return a.level;
}

static char *hash_of(struct policy_live *l, char out[16])
{
    const struct policy *p = policy_live_get(l);
    snprintf(out, 16, "%s", policy_hash(p));
    policy_unref(p);
    return out;
}

static bool reports(const struct policy_report *r, const char *words)
{
    for (size_t i = 0; policy_report_at(r, i); i++)
        if (strstr(policy_report_at(r, i)->text, words))
            return true;
    return false;
}

static void test_start_and_reload(void **state)
{
    enum policy_source source;
    char before[16], after[16];
    put_all();
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    assert_non_null(l);
    assert_int_equal(source, POLICY_FROM_FILE);
    assert_int_equal(level_of(l, "a.example"), POLICY_RECORD);
    assert_int_equal(access(in("snapshot"), R_OK), 0);
    assert_false(policy_live_changed(l));
    hash_of(l, before);
    put("policy", POLICY "require dmarc of a.example\n");
    assert_true(policy_live_changed(l));
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    assert_int_equal(source, POLICY_FROM_FILE);
    assert_int_equal(level_of(l, "a.example"), POLICY_REQUIRE);
    assert_string_not_equal(before, hash_of(l, after));
    policy_live_close(l);
}

static void test_bad_reload_keeps(void **state)
{
    enum policy_source source;
    char before[16], after[16];
    put_all();
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    hash_of(l, before);
    put("policy", POLICY "requre dmarc of a.example\n");
    struct policy_report *r = policy_report_new();
    assert_int_equal(policy_live_reload(l, false, r, &source), STATUS_INVALID);
    assert_int_equal(source, POLICY_KEPT);
    assert_true(policy_report_count(r, POLICY_ERROR) >= 1);
    assert_true(reports(r, "the policy from before is in force"));
    assert_string_equal(before, hash_of(l, after));
    assert_false(policy_live_changed(l)); /* the same bad file is not read again and again */
    policy_report_free(r);
    assert_int_equal(unlink(in("policy")), 0);
    assert_int_equal(policy_live_reload(l, true, NULL, &source), STATUS_INVALID); /* force forces no missing file */
    assert_string_equal(before, hash_of(l, after));
    policy_live_close(l);
}

/* A mend in a file that only the failed policy names is noticed, and so is the acceptance of a policy kept out. */
static void test_failed_policy_is_watched(void **state)
{
    enum policy_source source;
    char reason[256];
    put_all();
    (void)unlink(in("snapshot"));
    (void)unlink(in("snapshot.accept"));
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    put("more.policy", "requre dmarc of b.example\n");
    put("policy", POLICY "include \"more.policy\"\n");
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_INVALID);
    assert_false(policy_live_changed(l));
    put("more.policy", "require dmarc of b.example\nlist late in \"late.list\"\nrequire dmarc of list late\n");
    assert_true(policy_live_changed(l));
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_INVALID); /* there is no such list */
    assert_false(policy_live_changed(l));
    put("late.list", "late.example\n");
    assert_true(policy_live_changed(l));
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    assert_int_equal(level_of(l, "late.example"), POLICY_REQUIRE);
    assert_false(policy_live_changed(l));

    put("policy", POLICY "include \"missing\"\n"); /* a folder that comes later */
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_INVALID);
    assert_int_equal(mkdir(in("missing"), 0755), 0);
    assert_true(policy_live_changed(l));
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);

    put_list("names.list", 10); /* looks like an accident */
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_INVALID);
    assert_false(policy_live_changed(l));
    struct policy *p = policy_load(in("policy"), NULL);
    assert_int_equal(policy_accept(p, in("snapshot"), reason), STATUS_OK);
    policy_unref(p);
    assert_true(policy_live_changed(l));
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    policy_live_close(l);

    /* A start from the snapshot watches what the bad file names. */
    put("more.policy", "requre dmarc of b.example\n");
    put("policy", POLICY "include \"more.policy\"\n");
    l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    assert_int_equal(source, POLICY_FROM_SNAPSHOT);
    assert_false(policy_live_changed(l));
    put("more.policy", "require dmarc of b.example\n");
    assert_true(policy_live_changed(l));
    policy_live_close(l);
    assert_int_equal(rmdir(in("missing")), 0);
    (void)unlink(in("more.policy"));
    (void)unlink(in("late.list"));
    (void)unlink(in("snapshot"));
    (void)unlink(in("snapshot.accept"));
}

static void test_start_from_snapshot(void **state)
{
    enum policy_source source;
    char before[16], after[16];
    struct policy_answer a;
    put_all();
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    hash_of(l, before);
    policy_live_close(l);
    time_t loaded = 0;
    char kept[9];
    assert_int_equal(policy_snapshot_says(in("snapshot"), kept, &loaded), STATUS_OK);
    assert_string_equal(kept, before);
    assert_true(loaded > 0);
    assert_int_equal(policy_snapshot_says(in("policy"), kept, &loaded), STATUS_INVALID);
    if (geteuid() == 0) /* written by a daemon that had dropped to its own user, read by the same before it drops */
        assert_int_equal(chown(in("snapshot"), 12345, 12345), 0);
    /* Everything it was read from is gone. */
    assert_int_equal(unlink(in("policy")), 0);
    assert_int_equal(unlink(in("names.list")), 0);
    assert_int_equal(unlink(in("customers/c.example.policy")), 0);
    assert_int_equal(rmdir(in("customers")), 0);
    struct policy_report *r = policy_report_new();
    l = policy_live_open(in("policy"), in("snapshot"), r, &source);
    assert_non_null(l);
    assert_int_equal(source, POLICY_FROM_SNAPSHOT);
    assert_true(reports(r, "the snapshot of the last good policy is in force"));
    assert_string_equal(before, hash_of(l, after));
    assert_int_equal(level_of(l, "x.d7.example"), POLICY_REQUIRE);
    const struct policy *p = policy_live_get(l);
    policy_ask(p, &(struct policy_question){.standard = STANDARD_SPF, .who = "z.example", .rcpt = "x@c.example"}, &a);
    assert_int_equal(a.level, POLICY_REQUIRE);
    policy_unref(p);
    policy_report_free(r);
    policy_live_close(l);
}

/* In the file, as a version would have written it that did not yet check the value. */
static void put_in_snapshot(const char *old, const char *new)
{
    char text[4096];
    FILE *f = fopen(in("snapshot"), "r+");
    assert_non_null(f);
    const size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    char *at = strstr(text, old), *end = strstr(text, "\nend ");
    assert_non_null(at);
    assert_non_null(end);
    assert_int_equal(strlen(old), strlen(new));
    memcpy(at, new, strlen(new));
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (const char *c = text; c <= end; c++)
        sum = (sum ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    snprintf(end, sizeof text - (size_t)(end - text), "\nend %016llx\n", (unsigned long long)sum);
    rewind(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* An upgrade does not stop mail: a value that an earlier version allowed gives way to the default. */
static void test_snapshot_of_an_earlier_version(void **state)
{
    (void)state;
    enum policy_source source;
    put("policy", "set postfix.policy-socket \"unix:/run/x\"\nrequire dmarc of d7.example\nset mode enforce\n");
    (void)unlink(in("snapshot"));
    policy_live_close(policy_live_open(in("policy"), in("snapshot"), NULL, &source));
    put_in_snapshot("unix:/run/x", "a socket, !");
    put("policy", "set postfix.policy-socket \"a socket, !\"\nrequire dmarc of d7.example\nset mode enforce\n");
    struct policy_report *r = policy_report_new();
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), r, &source);
    assert_non_null(l);
    assert_int_equal(source, POLICY_FROM_SNAPSHOT);
    assert_true(reports(r, "'a socket, !' is not valid for postfix.policy-socket"));
    assert_int_equal(level_of(l, "d7.example"), POLICY_REQUIRE);
    const struct policy *p = policy_live_get(l);
    assert_string_equal(policy_set_text(p, SETTING_POSTFIX_POLICY_SOCKET), "");
    assert_true(policy_set_is(p, SETTING_MODE, "enforce"));
    policy_unref(p);
    policy_report_free(r);
    policy_live_close(l);
}

static void test_first_start_refuses(void **state)
{
    enum policy_source source;
    put("policy", "nonsense\n");
    (void)unlink(in("snapshot"));
    struct policy_report *r = policy_report_new();
    assert_null(policy_live_open(in("policy"), in("snapshot"), r, &source));
    assert_true(policy_report_count(r, POLICY_ERROR) >= 1);
    policy_report_free(r);
}

/* A wrong suspension is left out at a first start, since that loosens nothing; anything else wrong is not. */
static void test_wrong_suspension_at_first_start(void **state)
{
    (void)state;
    static const char wrong[] = "suspend validation below . because \"x\" agreed by \"y\" through 2026-12-01\n";
    char text[600];
    enum policy_source source;
    put_all();
    snprintf(text, sizeof text, "%s%s", POLICY, wrong);
    put("policy", text);
    (void)unlink(in("snapshot"));
    struct policy_report *r = policy_report_new();
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), r, &source);
    assert_non_null(l);
    assert_int_equal(source, POLICY_FROM_FILE);
    assert_int_equal(level_of(l, "d7.example"), POLICY_REQUIRE);
    assert_true(policy_report_count(r, POLICY_ERROR) > 0);
    assert_true(reports(r, "is no domain name"));
    assert_true(reports(r, "are left out, and the rest is in force"));
    assert_int_equal(access(in("snapshot"), F_OK), -1); /* it is not a policy that was good */
    policy_report_free(r);
    r = policy_report_new(); /* a reload is no first start */
    assert_int_equal(policy_live_reload(l, false, r, &source), STATUS_INVALID);
    policy_report_free(r);
    policy_live_close(l);
    snprintf(text, sizeof text, "%s%snonsense\n", POLICY, wrong);
    put("policy", text);
    r = policy_report_new();
    assert_null(policy_live_open(in("policy"), in("snapshot"), r, &source));
    policy_report_free(r);
    put_all();
}

static void test_shrunk_list(void **state)
{
    enum policy_source source;
    put_all();
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    put_list("names.list", 70); /* 72 of 102: lost 29.4% */
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    put_list("names.list", 40); /* 42 of 72 */
    struct policy_report *r = policy_report_new();
    assert_int_equal(policy_live_reload(l, false, r, &source), STATUS_INVALID);
    assert_true(reports(r, "list l lost 30 of its 72 names"));
    assert_int_equal(level_of(l, "d69.example"), POLICY_REQUIRE);
    policy_report_free(r);
    policy_live_close(l);
    l = policy_live_open(in("policy"), in("snapshot"), NULL, &source); /* a restart is no way round it */
    assert_int_equal(source, POLICY_FROM_SNAPSHOT);
    assert_int_equal(level_of(l, "d69.example"), POLICY_REQUIRE);
    char reason[256];
    struct policy *p = policy_load(in("policy"), NULL);
    assert_int_equal(policy_accept(p, in("snapshot"), reason), STATUS_OK);
    policy_unref(p);
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK); /* somebody has looked */
    assert_int_equal(level_of(l, "d69.example"), POLICY_RECORD);
    put_list("names.list", 5); /* that was not what was accepted */
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_INVALID);
    assert_int_equal(level_of(l, "d30.example"), POLICY_REQUIRE);
    assert_int_equal(policy_live_reload(l, true, NULL, &source), STATUS_OK);
    assert_int_equal(level_of(l, "d30.example"), POLICY_RECORD);
    policy_live_close(l);
}

#define ENFORCING                                                                                                      \
    "require dmarc of a.example\nrequire dmarc of b.example\nrequire dmarc of c.example\n"                             \
    "require dmarc of d.example\nrequire dmarc of e.example\nset mode enforce\n"

static bool enforces(struct policy_live *l)
{
    const struct policy *p = policy_live_get(l);
    bool yes = policy_set_is(p, SETTING_MODE, "enforce");
    policy_unref(p);
    return yes;
}

/* `text` after ENFORCING: by a reload and at a start against the snapshot, which must agree. Whether it is in force. */
static bool takes_over(const char *text, const char *words)
{
    enum policy_source source;
    char before[16], after[16];
    put("policy", ENFORCING);
    (void)unlink(in("snapshot"));
    (void)unlink(in("snapshot.accept"));
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    hash_of(l, before);
    put("policy", text);
    bool would = policy_live_takes(in("policy"), in("snapshot"), NULL);
    policy_live_close(l);

    struct policy_report *r = policy_report_new(); /* a start, which leaves the snapshot where it keeps the file out */
    l = policy_live_open(in("policy"), in("snapshot"), r, &source);
    bool started = source == POLICY_FROM_FILE;
    assert_int_equal(started, strcmp(before, hash_of(l, after)) != 0);
    if (words)
        assert_true(reports(r, words));
    policy_live_close(l);
    policy_report_free(r);

    put("policy", ENFORCING);
    (void)unlink(in("snapshot"));
    l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    put("policy", text);
    r = policy_report_new();
    bool reloaded = policy_live_reload(l, false, r, &source) == STATUS_OK;
    if (words)
        assert_true(reports(r, words));
    if (!reloaded)
        assert_true(enforces(l));
    policy_report_free(r);
    policy_live_close(l);
    assert_int_equal(started, reloaded);
    assert_int_equal(would, reloaded);
    return reloaded;
}

/* What looks like an accident is kept out, and the policy in force goes on enforcing. */
static void test_accidents_are_kept_out(void **state)
{
    assert_false(takes_over("", "there is no statement"));
    assert_false(takes_over("# all of it is a comment\n\n", "there is no statement"));
    assert_false(takes_over("policy \"a title alone\"\n", "there is no statement"));
    assert_false(takes_over("require dmarc of a.example\nrequire dmarc of b.example\nrequire dmarc of c.example\n",
                            "has no `set mode`"));
    assert_false(takes_over("require dmarc of a.example\nset mode enforce\n", "fewer than half"));
    assert_true(
        takes_over("require dmarc of a.example\nrequire dmarc of b.example\nset mode enforce\n", NULL)); /* half */
}

/* Cut anywhere, the file never ends enforcement. */
static void test_cut_short_anywhere(void **state)
{
    char text[sizeof ENFORCING];
    for (size_t n = 0; n < sizeof ENFORCING - 3; n++) {
        memcpy(text, ENFORCING, n);
        text[n] = '\0';
        assert_false(takes_over(text, NULL));
    }
}

/* A written `set mode dry-run` is the emergency brake: obeyed at once, whatever else is missing. */
static void test_brake(void **state)
{
    assert_true(takes_over("set mode dry-run\n", NULL));
    assert_true(takes_over("require dmarc of a.example\nset mode dry-run\n", NULL));
}

static void test_brake_with_a_lost_list(void **state)
{
    enum policy_source source;
    put_all();
    put("policy", POLICY "set mode enforce\n");
    (void)unlink(in("snapshot"));
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    assert_true(enforces(l));
    put_list("names.list", 1);
    put("policy", POLICY "set mode dry-run\n");
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    assert_false(enforces(l));
    policy_live_close(l);
}

/* Accepted is one policy, by its hash; the next accident is kept out again. */
static void test_accept(void **state)
{
    enum policy_source source;
    char reason[256];
    put("policy", ENFORCING);
    (void)unlink(in("snapshot"));
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    put("policy", "require dmarc of a.example\n");
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_INVALID);
    struct policy *p = policy_load_as_kept(in("policy"), in("snapshot"), NULL);
    assert_int_equal(policy_accept(p, in("snapshot"), reason), STATUS_OK);
    policy_unref(p);
    put("policy", "require dmarc of b.example\n"); /* another one than what was accepted */
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_INVALID);
    put("policy", "require dmarc of a.example\n");
    assert_true(policy_live_takes(in("policy"), in("snapshot"), NULL));
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    assert_false(enforces(l));
    policy_live_close(l);
    (void)unlink(in("snapshot.accept"));
}

/* One customer's many statements do not count: it could keep everybody's policy out by taking them away. Many
 * customers' files that go at once do. */
static void test_customers_do_not_count(void **state)
{
    enum policy_source source;
    char name[64], many[4000] = "";
    put_all();
    for (unsigned i = 0; i < 100; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "require spf of a%u.example\n", i);
    put("customers/c.example.policy", many);
    (void)unlink(in("snapshot"));
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    put("customers/c.example.policy", "require spf of a1.example\n");
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "customers/n%u.example.policy", i);
        put(name, "require spf of everyone\n");
    }
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "customers/n%u.example.policy", i);
        assert_int_equal(unlink(in(name)), 0);
    }
    struct policy_report *r = policy_report_new();
    assert_int_equal(policy_live_reload(l, false, r, &source), STATUS_INVALID);
    assert_true(reports(r, "files of customers that are gone: 20 of 21"));
    policy_report_free(r);
    policy_live_close(l);
}

static void *write_slowly(void *arg)
{
    FILE *f = fopen(in("policy"), "w");
    (void)arg;
    fputs("require dmarc of a.example\n", f);
    fflush(f);
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 500000000}, NULL);
    fputs("require dmarc of f.example\nset mode enforce\nrequire dmarc of g.example\n", f);
    fclose(f);
    return NULL;
}

static int64_t settle_ms(void)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    policy_live_settle(in("policy"), in("snapshot"));
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}

/* A file that is still being written is waited for; one left alone costs no time. */
static void test_settle(void **state)
{
    enum policy_source source;
    pthread_t t;
    put_old("policy", ENFORCING);
    (void)unlink(in("snapshot"));
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    assert_true(policy_live_settled(in("policy")));
    assert_true(settle_ms() < 500);
    assert_int_equal(pthread_create(&t, NULL, write_slowly, NULL), 0);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    assert_false(policy_live_settled(in("policy")));
    int64_t took = settle_ms();
    assert_true(took > 1000 && took < POLICY_SETTLE_MAX_MS);
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    assert_int_equal(level_of(l, "g.example"), POLICY_REQUIRE);
    pthread_join(t, NULL);
    policy_live_close(l);
    assert_int_equal(unlink(in("policy")), 0);
    assert_true(settle_ms() < 500); /* a missing file is not waited for */
}

static void test_damaged_snapshot(void **state)
{
    enum policy_source source;
    put_all();
    (void)unlink(in("snapshot"));
    policy_live_close(policy_live_open(in("policy"), in("snapshot"), NULL, &source));
    assert_int_equal(unlink(in("policy")), 0);
    int fd = open(in("snapshot"), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "X", 1, 200), 1);
    assert_int_equal(close(fd), 0);
    struct policy_report *r = policy_report_new();
    assert_null(policy_live_open(in("policy"), in("snapshot"), r, &source));
    assert_true(reports(r, "damaged"));
    policy_report_free(r);
    assert_int_equal(truncate(in("snapshot"), 100), 0);
    assert_null(policy_live_open(in("policy"), in("snapshot"), NULL, &source));
    assert_int_equal(unlink(in("snapshot")), 0);
}

static enum policy_level spf_for(struct policy_live *l, const char *rcpt)
{
    const struct policy *p = policy_live_get(l);
    struct policy_answer a;
    policy_ask(p, &(struct policy_question){.standard = STANDARD_SPF, .who = "z.example", .rcpt = rcpt}, &a);
    policy_unref(p);
    return a.level;
}

/* One customer's mistake does not affect anybody else's policy, and that customer loses nothing. */
static void test_bad_customer(void **state)
{
    enum policy_source source;
    put_all();
    (void)unlink(in("snapshot"));
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    assert_int_equal(spf_for(l, "x@c.example"), POLICY_REQUIRE);
    put("customers/c.example.policy", "requre spf of everyone\n");
    put("customers/d.example.policy", "require spf of list nowhere\n");
    put("policy", POLICY "require dmarc of a.example\n");
    struct policy_report *r = policy_report_new();
    assert_int_equal(policy_live_reload(l, false, r, &source), STATUS_OK);
    assert_int_equal(source, POLICY_FROM_FILE);
    assert_int_equal(policy_report_count(r, POLICY_ERROR), 2); /* both are told all the same */
    assert_true(reports(r, "its earlier version stays in force"));
    assert_true(reports(r, "nothing of it is in force"));
    policy_report_free(r);
    assert_int_equal(level_of(l, "a.example"), POLICY_REQUIRE);  /* the operator's change */
    assert_int_equal(spf_for(l, "x@c.example"), POLICY_REQUIRE); /* as before */
    assert_int_equal(spf_for(l, "x@d.example"), POLICY_RECORD);  /* new, and bad */
    assert_false(policy_live_changed(l));
    policy_live_close(l);

    l = policy_live_open(in("policy"), in("snapshot"), NULL, &source); /* a restart changes nothing */
    assert_int_equal(source, POLICY_FROM_FILE);
    assert_int_equal(spf_for(l, "x@c.example"), POLICY_REQUIRE);
    put("customers/d.example.policy", "require spf of everyone\n");
    assert_true(policy_live_changed(l)); /* also of a file of which nothing is in force */
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_OK);
    assert_int_equal(spf_for(l, "x@d.example"), POLICY_REQUIRE);
    put("policy", "requre\n" POLICY); /* the operator's own slip still counts */
    assert_int_equal(policy_live_reload(l, false, NULL, &source), STATUS_INVALID);
    policy_live_close(l);
    l = policy_live_open(in("policy"), in("snapshot"), NULL,
                         &source); /* and a snapshot that left a file out is whole */
    assert_int_equal(source, POLICY_FROM_SNAPSHOT);
    assert_int_equal(spf_for(l, "x@d.example"), POLICY_REQUIRE);
    policy_live_close(l);
    assert_int_equal(unlink(in("customers/d.example.policy")), 0);
}

/* At a first start there is nothing earlier: the customer's file is left out, the rest is in force, now and from the
 * snapshot. */
static void test_bad_customer_at_first_start(void **state)
{
    enum policy_source source;
    put_all();
    (void)unlink(in("snapshot"));
    put("customers/c.example.policy", "requre spf of everyone\n");
    struct policy_live *l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    assert_non_null(l);
    assert_int_equal(level_of(l, "d5.example"), POLICY_REQUIRE);
    assert_int_equal(spf_for(l, "x@c.example"), POLICY_RECORD);
    policy_live_close(l);
    assert_int_equal(unlink(in("policy")), 0);
    l = policy_live_open(in("policy"), in("snapshot"), NULL, &source);
    assert_non_null(l);
    assert_int_equal(source, POLICY_FROM_SNAPSHOT);
    assert_int_equal(level_of(l, "d5.example"), POLICY_REQUIRE);
    policy_live_close(l);
}

static void test_snapshot_unwritable(void **state)
{
    enum policy_source source;
    put_all();
    struct policy_report *r = policy_report_new();
    struct policy_live *l = policy_live_open(in("policy"), in("no/such/folder/snapshot"), r, &source);
    assert_non_null(l); /* the policy is in force all the same */
    assert_true(reports(r, "cannot be kept as a snapshot"));
    policy_report_free(r);
    policy_live_close(l);
}

struct asker {
    struct policy_live *l;
    atomic_bool stop;
    atomic_uint wrong, asked;
};

/* While policies change, every answer is wholly of one of them: a list member is required under both. */
static void *ask_always(void *arg)
{
    struct asker *k = arg;
    while (!atomic_load(&k->stop)) {
        if (level_of(k->l, "d5.example") != POLICY_REQUIRE)
            atomic_fetch_add(&k->wrong, 1);
        atomic_fetch_add(&k->asked, 1);
    }
    return NULL;
}

static void test_reload_under_load(void **state)
{
    enum policy_source source;
    pthread_t threads[3];
    put_all();
    struct asker k = {.l = policy_live_open(in("policy"), NULL, NULL, &source)};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_always, &k), 0);
    /* Sixty reloads, and on until a hundred questions were asked between them, however slow the machine is. */
    for (unsigned i = 0; i < 60 || (atomic_load(&k.asked) <= 100 && i < 60000); i++) {
        put("policy", i % 3 == 2 ? "broken\n" : i % 3 ? POLICY : POLICY "require spf of everyone\n");
        assert_int_equal(policy_live_reload(k.l, false, NULL, &source), i % 3 == 2 ? STATUS_INVALID : STATUS_OK);
    }
    atomic_store(&k.stop, true);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(k.wrong, 0);
    assert_true(k.asked > 100);
    policy_live_close(k.l);
}

static int make_folder(void **state)
{
    return folder_make();
}

static int remove_folder(void **state)
{
    return folder_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_and_reload),
        cmocka_unit_test(test_bad_reload_keeps),
        cmocka_unit_test(test_failed_policy_is_watched),
        cmocka_unit_test(test_start_from_snapshot),
        cmocka_unit_test(test_snapshot_of_an_earlier_version),
        cmocka_unit_test(test_first_start_refuses),
        cmocka_unit_test(test_wrong_suspension_at_first_start),
        cmocka_unit_test(test_shrunk_list),
        cmocka_unit_test(test_accidents_are_kept_out),
        cmocka_unit_test(test_cut_short_anywhere),
        cmocka_unit_test(test_brake),
        cmocka_unit_test(test_brake_with_a_lost_list),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_customers_do_not_count),
        cmocka_unit_test(test_settle),
        cmocka_unit_test(test_damaged_snapshot),
        cmocka_unit_test(test_bad_customer),
        cmocka_unit_test(test_bad_customer_at_first_start),
        cmocka_unit_test(test_snapshot_unwritable),
        cmocka_unit_test(test_reload_under_load),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
