// SPDX-License-Identifier: BSD-2-Clause
/*
 * Postfix's mynetworks beside the policy's own networks: what is advised is what Postfix takes for its own, whole, and
 * nothing else. postconf(5): the first pattern that matches decides, "!" excludes.
 */
#include "cli/mta_networks.h"
#include "base/buf.h"
#include "base/ip.h"
#include "tests/unit/policy_folder.h"

static struct arena *arena;

static struct policy *policy_of(const char *statement)
{
    char text[65536];
    snprintf(text, sizeof text, "own domains example.org\nrecord spf of everyone\nset mode dry-run\n%s\n", statement);
    put("policy", text);
    struct policy *p = policy_load(in("policy"), NULL);
    assert_non_null(p);
    return p;
}

static struct mta_networks networks_ask(const char *own, const char *mynetworks)
{
    struct policy *p = policy_of(own);
    struct mta_networks n = mta_networks_unknown(arena, p, mynetworks);
    policy_unref(p);
    return n;
}

static bool is_own_now(const char *own, const char *address)
{
    struct ip ip;
    struct policy *p = policy_of(own);
    assert_int_equal(ip_from_text(slice_str(address), &ip), STATUS_OK);
    bool yes = policy_is_own_network(p, &ip);
    policy_unref(p);
    return yes;
}

/* The line that is advised, as a statement. */
static const char *line_of(const struct mta_networks *n)
{
    return arena_printf(arena, "own network %s%s%s", n->here, *n->here && *n->others ? ", " : "", n->others);
}

struct row {
    const char *mynetworks, *here, *others, *left_out, *unread, *open;
};

static void each_form(void **state)
{
    static const struct row rows[] = {
        {"", "", "", "", "", ""},
        {"127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", "127.0.0.0/8, ::1", "", "", "", ""},
        {"192.0.2.0/24, 198.51.100.7", "198.51.100.7", "192.0.2.0/24", "", "", ""},
        {"192.0.2.77/24", "", "192.0.2.0/24", "", "", ""},
        {"[2001:db8:7::]/48\n\t[2001:db8::9]", "2001:db8::9", "2001:db8:7::/48", "", "", ""},
        /* What no address says. */
        {"hash:/etc/postfix/nets cidr:/etc/postfix/n.cidr /etc/postfix/file", "", "", "",
         "hash:/etc/postfix/nets, cidr:/etc/postfix/n.cidr, /etc/postfix/file", ""},
        {"mail.example.org .example.org $relay", "", "", "", "mail.example.org, .example.org, $relay", ""},
        {"!hash:/etc/postfix/not 192.0.2.0/24", "", "192.0.2.0/24", "", "!hash:/etc/postfix/not", ""},
        /* An exclusion counts for what stands behind it, and only there. */
        {"!192.0.2.1 192.0.2.0/30", "", "192.0.2.0, 192.0.2.2/31", "192.0.2.1", "", ""},
        {"192.0.2.0/30 !192.0.2.1", "", "192.0.2.0/30", "", "", ""},
        {"!192.0.2.0/24 192.0.2.9 192.0.2.128/25", "", "", "", "", ""},
        {"!192.0.2.0/24 192.0.2.0/24 198.51.100.0/24", "", "198.51.100.0/24", "", "", ""},
        {"!!192.0.2.0/24", "", "192.0.2.0/24", "", "", ""},
        {"!198.51.100.1 192.0.2.0/24", "", "192.0.2.0/24", "", "", ""},
        {"!", "", "", "", "", ""},
        /* Everybody. */
        {"static:all", "", "", "", "", "static:all"},
        {"0.0.0.0/0, 192.0.2.0/24 [::]/0", "", "192.0.2.0/24", "", "", "0.0.0.0/0, [::]/0"},
        {"!static:all", "", "", "", "!static:all", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mta_networks n = networks_ask("", rows[i].mynetworks);
        assert_string_equal(n.here, rows[i].here);
        assert_string_equal(n.others, rows[i].others);
        assert_string_equal(n.left_out, rows[i].left_out);
        assert_string_equal(n.unread, rows[i].unread);
        assert_string_equal(n.open, rows[i].open);
    }
}

/* A host that Postfix does not take for its own does not become ours by the line that we advise. */
static void what_is_left_out(void **state)
{
    struct mta_networks n =
        networks_ask("", "127.0.0.0/8 !192.0.2.9 !192.0.2.200/29 192.0.2.0/24 ![2001:db8::25] [2001:db8::]/64");
    const char *line = line_of(&n);
    char address[32];
    for (unsigned i = 0; i < 256; i++) {
        snprintf(address, sizeof address, "192.0.2.%u", i);
        assert_int_equal(is_own_now(line, address), i != 9 && (i < 200 || i > 207));
    }
    assert_false(is_own_now(line, "2001:db8::25"));
    assert_true(is_own_now(line, "2001:db8::24"));
    assert_true(is_own_now(line, "2001:db8::26"));
    assert_false(is_own_now(line, "2001:db8:0:1::"));
    assert_string_equal(n.left_out, "192.0.2.9, 192.0.2.200/29, 2001:db8::25");
    struct mta_networks again =
        networks_ask(line, "127.0.0.0/8 !192.0.2.9 !192.0.2.200/29 192.0.2.0/24 ![2001:db8::25] "
                           "[2001:db8::]/64");
    assert_string_equal(again.others, "");
    assert_string_equal(again.left_out, "");
}

/* Too many parts to write: the network is named as it stands, and not advised. */
static void in_too_many_parts(void **state)
{
    struct buf b = BUF_INIT;
    for (unsigned i = 0; i < 128; i++)
        buf_printf(&b, "!192.0.2.%u ", 2 * i);
    buf_printf(&b, "192.0.2.0/24 198.51.100.0/24");
    struct mta_networks n = networks_ask("", b.p);
    assert_string_equal(n.others, "198.51.100.0/24");
    assert_string_equal(n.unread, "192.0.2.0/24");
    buf_release(&b);
}

/* Three hundred, far above 256 octets: each is named whole, and the line that is advised loads and says it all. */
static void three_hundred(void **state)
{
    struct buf b = BUF_INIT;
    for (unsigned i = 0; i < 150; i++)
        buf_printf(&b, "10.%u.0.0/16%s[2001:db8:%x::]/48, ", i, i % 2 ? ",\n\t" : " ", i + 1);
    struct mta_networks n = networks_ask("", b.p);
    const char *line = line_of(&n);
    assert_true(strlen(n.others) > 4000);
    struct mta_networks again = networks_ask(line, b.p);
    assert_string_equal(again.others, "");
    assert_string_equal(again.here, "");
    assert_true(is_own_now(line, "10.149.255.255"));
    assert_false(is_own_now(line, "10.150.0.0"));
    assert_true(is_own_now(line, "2001:db8:96::1"));
    assert_false(is_own_now(line, "2001:db8:97::1"));
    buf_release(&b);
}

static int group_begin(void **state)
{
    arena = arena_new(16 * 1024 * 1024);
    return arena ? folder_make() : -1;
}

static int group_end(void **state)
{
    arena_free(arena);
    return folder_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form),
        cmocka_unit_test(what_is_left_out),
        cmocka_unit_test(in_too_many_parts),
        cmocka_unit_test(three_hundred),
    };
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
