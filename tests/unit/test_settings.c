// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_settings.c - every setting of settings.def takes values with which its program can work, and no others.
 *
 * Made from settings.def: each setting is given the good and the bad values of its type. A type without good and bad
 * values fails, and so does a setting whose type has none. What was found is read from the policy's errors: the line,
 * the value, the setting, what would be right.
 */
#include "base/buf.h"
#include "policy/policy.h"
#include "policy/policy_settings.h"
#include "policy/setting_types.h"
#include "tests/unit/cm.h"
#include <stdio.h>

#define VALUES_MOST 40

/* What the other settings say, so that the one in question can work. */
static const char beside[] = "record spf of everyone\n"
                             "set arc.seal-domain example.org\nset arc.seal-selector arc\n"
                             "set report.contact a@example.org\nset report.from b@example.org\n"
                             "set report.dkim-selector rpt\n";
#define LINE 7

static const struct {
    const char *good[VALUES_MOST], *bad[VALUES_MOST];
} values[TYPE_COUNT] = {
    [TYPE_SWITCH] = {{"yes", "no", "on", "off"}, {"maybe", "", "1"}},
    [TYPE_REPLY] = {{"see https://example.org/mail-help", "https://xn--mnchen-3ya.example/%C3%BC"},
                    {" ", "https://m\xc3\xbcnchen.example/", "siehe \xc3\xbc"}},
    [TYPE_NAMES] = {{"example.org", "a.example"}, {"a b", "a..b", "x@example.org"}},
    [TYPE_PROSE] = {{"Example & <Sons>", "HTTPS://example.org/x", "x", "Verein f\xc3\xbcr Post"}, {" "}},
    [TYPE_FILE] = {{"/var/lib/x", "/x y", "/x.", "/..x"},
                   {"x", "var/lib/x", "./x", "~/x", "unix:/x", "/", "/var/lib/", "/var/lib/x//", "/var/lib/.",
                    "/var/lib/.."}},
    [TYPE_FOLDER] = {{"/var/lib/x", "/x y", "/var/lib/x/"}, {"x", "var/lib/x", "./x", "~/x", "unix:/x"}},
    [TYPE_FOLDERS] = {{"/a", "/a /b", "/a  /b "}, {"a", "/a b", "/a, /b", " "}},
    [TYPE_COMMAND] = {{"/usr/sbin/sendmail -oi -t -f <>", "sendmail -t", "/opt/r&d/m\xc3\xa4il -t",
                       "sendmail -t -f d'arc@example.org", "sendmail -t -f a|b$c@example.org",
                       "sendmail a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h"},
                      {" ", "\"sendmail -t\"", "|sendmail", "sendmail -t -F \"Mail Reports\"",
                       "sendmail -t -F'Mail Reports'", "sendmail -t -F 'Reports'", "sendmail -t | tee /tmp/x",
                       "sendmail -t >/tmp/x", "sendmail -t 2>&1", "sendmail -t -f a@$(hostname)",
                       "sendmail -t -f ${SENDER}", "sendmail -t ; true"}},
    [TYPE_SERVERS] = {{"192.0.2.1", "192.0.2.1@5353", "2001:db8::1", "192.0.2.1, 192.0.2.2@53", "192.0.2.1 192.0.2.2",
                       "192.0.2.1@00053"},
                      {"x", "ns.example.org", "[::1]@53", "IPv6:::1", "192.0.2.1:53", "192.0.2.1@0", "192.0.2.1@",
                       "192.0.2.0/24", ","}},
    [TYPE_IP] = {{"192.0.2.1", "2001:db8::1"}, {"x", "192.0.2.1@25", "192.0.2.1, 192.0.2.2", "192.0.2.0/24"}},
    [TYPE_SOCKET] =
        {{"unix:/run/x", "local:/run/x", "/run/x", "inet:8891", "inet:8891@127.0.0.1", "inet6:8891@::1",
          "inet:8891@[::1]", "inet:8891@localhost", "inet:8891@mx.example.org", "inet:8891@127.1", "inet6:8891",
          "inet:08891@[127.0.0.1]", "inet6:8891@[IPv6:::1]", "inet6:8891@fe80::1%eth0", "unix:/run/a.sock",
          "local:/run//x", "unix:/run/./x", "/run/x y"},
         {"x",
          "unix:run/x",
          "unix:",
          "inet:",
          "inet:0@localhost",
          "inet:99999@localhost",
          "inet:8891@",
          "inet:8891@local host",
          "127.0.0.1:8891",
          "/",
          "unix:/run/",
          "/run/assay/",
          "local:/run/.",
          "unix:/run/..",
          "inet:8891@[::1",
          "inet:8891@::1]",
          "inet6:8891@127.0.0.1",
          "inet:008891",
          "inet:65536",
          "inet:123456@localhost",
          "inet:8891@[]",
          "inet:8891@256.0.0.1",
          "inet:8891@:x",
          "inet:8891@::g",
          "inet:8891@m\xc3\xbcnchen.example",
          "inet:8891@a,b",
          "inet6:8891@::1%",
          "/234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
          "12345678"}},
    [TYPE_INET] = {{"inet:323@127.0.0.1", "inet6:323@::1", "inet:323"},
                   {"x", "unix:/run/x", "/run/x", "127.0.0.1:323", "inet:000323", "inet:323@[::1",
                    "inet6:323@127.0.0.1"}},
    [TYPE_STORE] = {{"/var/lib/x.db", "postgresql://u@h/db", "postgres://u@h/db", "postgresql://u@h1,h2/db",
                     "postgresql://", "postgresql:///db", "postgresql:///db?host=/run/postgresql",
                     "postgresql://u:p%40@[2001:db8::1]:5432/db?sslmode=verify-full&application_name=x",
                     "postgresql://h:/db", "postgresql://u:@h1:5432,[::1]:,h3/",
                     "postgresql://u@%2Frun%2Fpostgresql/db", "postgresql://u:p?x&y=@h/db"},
                    {"x",
                     "",
                     "sqlite:/x",
                     "mysql://h/db",
                     "postgresql://u@h1, h2/db",
                     "/var/lib/",
                     "/var/lib/.",
                     "postgresql:/h/db",
                     "postgresql://u@h:x/db",
                     "postgresql://u@h:65536/db",
                     "postgresql://u@h:0/db",
                     "postgresql://u@[::1/db",
                     "postgresql://u@[]/db",
                     "postgresql://u@[::1]x/db",
                     "postgresql://u@h/db?sslmode",
                     "postgresql://u@h/db?a=b=c",
                     "postgresql://u@h/db?=x",
                     "postgresql://u@h/d%zz",
                     "postgresql://u@h/d%0",
                     "postgresql://u@h/d%00",
                     "postgresql://a@b@h/db",
                     "postgresql://u:a/b"}},
    [TYPE_MODE] = {{"0660", "660", "0600"}, {"", "0999", "rw", "66", "04660", "1777", "0440", "0000"}},
    [TYPE_FIELD] = {{"X-Spam-Flag: YES", "X-Junk:yes"}, {"x", "X-Spam-Flag", "X-Spam-Flag:", "X Y: z", "from: x"}},
    [TYPE_NAME] = {{"mx.example.org", "mx", "m\xc3\xbcnchen.example"}, {"mx example.org", "a; dmarc=pass", "a\"b"}},
    [TYPE_DOMAIN] = {{"example.org", "a.b", "s1", "s_1", "m\xc3\xbcnchen.example"},
                     {"a b", "a..b", ".", "example.org/x", "a@example.org", "s1._domainkey.example.org",
                      "_DomainKey.example.org"}},
    [TYPE_SELECTOR] = {{"s1", "s_1", "2026.mail", "m\xc3\xbcnchen", "s1."},
                       {"a b", "a..b", ".", "s1._domainkey.example.org", "s1._domainkey",
                        "S1._DOMAINKEY.example.org."}},
    [TYPE_DNS_NAME] = {{".", "example.org", "example.org."}, {"a b", "a..b", "https://example.org", "a@b"}},
    [TYPE_MAILBOX] = {{"a@example.org", "a+b@m\xc3\xbcnchen.example"},
                      {"x", "a@", "@example.org", "a@b@example.org", "A <a@example.org>", "mailto:a@example.org",
                       "a@host", "j\xc3\xb6rg@example.org"}},
    [TYPE_USER] = {{"assay", "_assay", "user@realm", "domain user", "j\xc3\xb6rg"}, {"", "a:b", "-x", "a,b", " a"}},
    [TYPE_USERS] = {{"postfix", "postfix root", "postfix, root"}, {" ", "a:b", "postfix -x", ","}},
    [TYPE_GROUP] = {{"postfix", "smmsp", "domain users"}, {"a:b", "-x", "a/b"}},
    [TYPE_SMTP_URL] = {{"smtp://mx.example.org", "smtps://mx.example.org:465", "smtp://192.0.2.1:25", "smtp://[::1]:25",
                        "smtp://mx.example.org:", "smtp://[::1]:"},
                       {"x", "mx.example.org", "smtp://", "smtp://:25", "smtp://h:x", "smtp://u@h", "smtp://h/x",
                        "http://h"}},
    [TYPE_ORIGIN] = {{"/var/lib/pfx2as", "origin.example.net", "origin.example.net origin6.example.net",
                      "origin.example.net ", "origin.example.net  origin6.example.net\t"},
                     {"a..b", "a b c", "https://example.net", "/var/lib/", "/var/lib/.."}},
};

/* The policy with that setting in its last line; the number of errors there. */
static struct policy *with(const char *name, const char *value, struct policy_report *r)
{
    char text[2048];
    snprintf(text, sizeof text, "%sset %s \"%s\"\n", beside, name, value);
    for (char *at = strstr(text + sizeof beside - 1, " \"") + 2, *end = text + strlen(text) - 2; at < end; at++)
        if (*at == '"') {
            memmove(at + 1, at, strlen(at) + 1);
            *at++ = '\\';
            end++;
        }
    return policy_load_text(slice_str(text), "t", r);
}

static void takes(const char *name, const char *value)
{
    struct policy_report *r = policy_report_new();
    struct policy *p = with(name, value, r);
    if (!p)
        print_error("set %s \"%s\" is refused: %s\n", name, value, policy_report_at(r, 0)->text);
    assert_non_null(p);
    policy_unref(p);
    policy_report_free(r);
}

static void setting_refuses(const char *name, const char *value)
{
    struct policy_report *r = policy_report_new();
    struct policy *p = with(name, value, r);
    const struct policy_message *m = policy_report_at(r, 0);
    char beginning[64];
    if (p)
        print_error("set %s \"%s\" is taken\n", name, value);
    assert_null(p);
    assert_int_equal(policy_report_count(r, POLICY_ERROR), 1);
    assert_int_equal(m->line, LINE);
    if (!strstr(m->text, "is not valid for"))
        print_error("set %s \"%s\": %s\n", name, value, m->text);
    assert_non_null(strstr(m->text, "is not valid for"));
    assert_non_null(strstr(m->text, name));
    snprintf(beginning, sizeof beginning, "%s takes ", name);
    assert_non_null(m->help);
    assert_memory_equal(m->help, beginning, strlen(beginning));
    policy_report_free(r);
}

static void is_type_known(enum setting_type type, const char *name)
{
    const bool known = type == TYPE_WORD || type == TYPE_NUMBER || type == TYPE_SECONDS || type == TYPE_BYTES ||
                       (values[type].good[0] && values[type].bad[0]);
    if (!known)
        print_error("%s: test_settings.c has no good and bad values for its type\n", name);
    assert_true(known);
}

/* Numbers and words have their bounds in settings.def. */
static void bounds(const char *name, const struct policy_setting *s)
{
    char value[64];
    setting_refuses(name, "x");
    setting_refuses(name, "");
    takes(name, s->preset);
    for (const char *w = s->words; w && *w; w += strcspn(w, "|"), w += *w == '|') {
        snprintf(value, sizeof value, "%.*s", (int)strcspn(w, "|"), w);
        takes(name, value);
    }
    if (!s->maximum)
        return;
    snprintf(value, sizeof value, "%lld", (long long)s->maximum + 1);
    setting_refuses(name, value);
    if (strcmp(s->type, "size") != 0) { /* a number without a unit; sizes are octets, too */
        snprintf(value, sizeof value, "%lld", (long long)s->maximum);
        takes(name, value);
    }
}

static const enum setting_type types[] = {
#define SETTING(id, name, type, preset, minimum, maximum, help) TYPE_##type,
#include "policy/settings.def"
#undef SETTING
};

static void every_setting(void **state)
{
    (void)state;
    struct policy_setting s;
    for (size_t i = 0; policy_setting_at(NULL, i, &s); i++) {
        is_type_known(types[i], s.name);
        if (!values[types[i]].good[0])
            bounds(s.name, &s);
        for (size_t k = 0; values[types[i]].good[k]; k++)
            takes(s.name, values[types[i]].good[k]);
        for (size_t k = 0; values[types[i]].bad[k]; k++)
            if (*values[types[i]].bad[k] || *s.preset)
                setting_refuses(s.name, values[types[i]].bad[k]);
    }
}

/* Empty: where the manual gives it a meaning ("empty: ..."), or nothing would be missed. */
static void empty_values(void **state)
{
    (void)state;
    static const char *const good[] = {"dns.canary",  "quarantine.header",     "milter.socket-group", "authserv-id",
                                       "report.smtp", "postfix.policy-socket", "milter.peers",        "dns.forward"};
    static const char *const bad[] = {"journal.dir", "milter.socket", "ledger.store", "milter.user", "dns.anchor"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        takes(good[i], "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        setting_refuses(bad[i], "");
}

/* The programs read one form of a value, however it was written. */
static void one_form(void **state)
{
    (void)state;
    static const struct {
        enum setting_id id;
        const char *written, *read;
    } forms[] = {
        {SETTING_POSTFIX_POLICY_SOCKET, "unix:/run/x", "unix:/run/x"},
        {SETTING_POSTFIX_POLICY_SOCKET, "local:/run/x", "unix:/run/x"},
        {SETTING_POSTFIX_POLICY_SOCKET, "/run/x", "unix:/run/x"},
        {SETTING_POSTFIX_POLICY_SOCKET, "local://run//./x", "unix:/run/x"},
        {SETTING_POSTFIX_POLICY_SOCKET, "inet:8891@[::1]", "inet:8891@[::1]"},
        {SETTING_POSTFIX_POLICY_SOCKET, "", ""},
        {SETTING_CHECK_ORIGIN, "origin.example.net\t", "origin.example.net"},
        {SETTING_CHECK_ORIGIN, "origin.example.net \t origin6.example.net ", "origin.example.net origin6.example.net"},
        {SETTING_CHECK_ORIGIN, "/var/lib/pfx2as", "/var/lib/pfx2as"},
        {SETTING_REPORT_FROM, "Post@m\xc3\xbcnchen.example", "Post@xn--mnchen-3ya.example"},
        {SETTING_REPORT_FROM, "Post@Example.org", "Post@Example.org"},
        {SETTING_REPORT_DKIM_SELECTOR, "m\xc3\xbcnchen", "xn--mnchen-3ya"},
        {SETTING_REPORT_DKIM_SELECTOR, "s1.", "s1"},
        {SETTING_ARC_SEAL_DOMAIN, "m\xc3\xbcnchen.example", "xn--mnchen-3ya.example"},
        {SETTING_DNS_CANARY, ".", "."},
        {SETTING_AUTHSERV_ID, "m\xc3\xbcnchen.example", "xn--mnchen-3ya.example"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct policy *p = with(policy_setting_name(forms[i].id), forms[i].written, NULL);
        assert_non_null(p);
        assert_string_equal(policy_set_text(p, forms[i].id), forms[i].read);
        policy_unref(p);
    }
}

/* What is read as words with commas has no string's bound of its own. */
static void too_long(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    struct policy_report *r = policy_report_new();
    buf_adds(&text, "record spf of everyone\nset milter.peers a");
    for (size_t i = 0; i < 250; i++)
        buf_adds(&text, ", a");
    buf_adds(&text, "\n");
    assert_null(policy_load_text(buf_slice(&text), "t", r));
    buf_release(&text);
    assert_string_equal(policy_report_at(r, 0)->help, "milter.peers takes at most 500 octets");
    policy_report_free(r);
}

static const struct {
    const char *policy;
    const char *error; /* NULL: it loads */
    unsigned line;
    const char *warning;
} combinations[] = {
    {"record spf of everyone\nset arc.seal all\n", "arc.seal-domain", 2, NULL},
    {"record spf of everyone\nset arc.seal relayed\nset arc.seal-domain example.org\n", "arc.seal-selector", 2, NULL},
    {"record spf of everyone\nset arc.seal all\nset arc.seal-domain a.example\nset arc.seal-selector s\n", NULL, 0,
     NULL},
    {"record spf of everyone\nset arc.seal all\nset arc.seal-domain a.example\nset arc.seal-selector s\n"
     "set arc.seal-key \"\"\n",
     "arc.seal-key", 2, NULL},
    {"record spf of everyone\nset arc.seal-domain a.example\n", NULL, 0, NULL},
    {"record spf of everyone\nset report.dkim-key /k\n", NULL, 0, NULL}, /* no reports are sent */
    {"record spf of everyone\nset report.dkim-key /k\nset report.from a@a.example\nset report.contact a@a.example\n",
     "report.dkim-selector", 2, NULL},
    {"record spf of everyone\nset report.sendmail \"\"\nset report.from a@a.example\nset report.contact a@a.example\n",
     NULL, 2, "report.sendmail is empty"},
    {"record spf of everyone\nset report.sendmail \"\"\nset report.from a@a.example\nset report.contact a@a.example\n"
     "set report.smtp smtp://mx.a.example\n",
     NULL, 0, NULL},
    {"record spf of everyone\nset report.from a@a.example\nset report.contact a@a.example\n"
     "set report.smtp smtp://mx.a.example\nset report.smtp-login /x\nset report.smtp-tls opportunistic\n",
     NULL, 6, "report.smtp-login"},
    {"record spf of everyone\nset milter.socket unix:/a\nset postfix.policy-socket /a\n", "the same socket", 3, NULL},
    {"record spf of everyone\nset postfix.tls-policy-socket unix:/run/assay/milter.sock\n", "the same socket", 2, NULL},
    {"record spf of everyone\nset milter.socket unix:/run/x\nset postfix.policy-socket local:/run//x\n",
     "the same socket", 3, NULL},
    {"record spf of everyone\nset milter.socket inet:8891@127.0.0.1\nset postfix.policy-socket "
     "inet:08891@[127.0.0.1]\n",
     "the same socket", 3, NULL},
    {"record spf of everyone\nset milter.socket inet6:8891@::1\nset postfix.policy-socket inet:8891@0:0::1\n",
     "the same socket", 3, NULL},
    {"record spf of everyone\nset milter.socket inet:8891\nset postfix.policy-socket inet:8891@127.0.0.1\n",
     "the same socket", 3, NULL},
    {"record spf of everyone\nset milter.socket inet:8891@localhost\nset postfix.policy-socket inet:8891@127.0.0.1\n",
     "the same socket", 3, NULL},
    {"record spf of everyone\nset milter.socket inet:8891@127.0.0.1\nset postfix.policy-socket inet:8891@127.0.0.2\n",
     NULL, 0, NULL},
    {"record spf of everyone\nset milter.socket inet:8891@127.0.0.1\nset postfix.policy-socket inet:8892@127.0.0.1\n",
     NULL, 0, NULL},
    {"record spf of everyone\nset milter.socket inet:8891@127.0.0.1\nset postfix.policy-socket inet6:8891@::1\n", NULL,
     0, NULL},
    {"record spf of everyone\nset milter.socket inet:8891@127.0.0.1\nset postfix.policy-socket inet6:8891\n", NULL, 3,
     "net.ipv6.bindv6only"},
    /* 104 octets fit into a socket's address, but not with the name that it has until its rights are set; 103 do */
    {"record spf of everyone\nset milter.socket "
     "/234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
     "1234\n",
     "the path of milter.socket has 104 octets; at most 103", 2, NULL},
    {"record spf of everyone\nset milter.socket "
     "/234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
     "123\n",
     NULL, 0, NULL},
    {"record spf of everyone\nset postfix.policy-socket "
     "/234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
     "1234567\n",
     NULL, 0, NULL},
};

static void settings_that_need_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof combinations / sizeof *combinations; i++) {
        struct policy_report *r = policy_report_new();
        struct policy *p = policy_load_text(slice_str(combinations[i].policy), "t", r);
        const struct policy_message *m = policy_report_at(r, 0);
        if (!p != !!combinations[i].error)
            print_error("%s%s\n", combinations[i].policy, m ? m->text : "it loads");
        assert_int_equal(!p, combinations[i].error != NULL);
        const char *words = p ? combinations[i].warning : combinations[i].error;
        for (size_t k = 0; (m = policy_report_at(r, k)) && m->severity != (p ? POLICY_WARNING : POLICY_ERROR);)
            k++;
        if (words) {
            assert_non_null(m);
            assert_non_null(strstr(m->text, words));
            assert_int_equal(m->line, combinations[i].line);
        }
        policy_unref(p);
        policy_report_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting),
        cmocka_unit_test(empty_values),
        cmocka_unit_test(one_form),
        cmocka_unit_test(too_long),
        cmocka_unit_test(settings_that_need_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
