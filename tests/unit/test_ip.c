// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_ip.c - base/ip: addresses and networks, from RFC 4291, RFC 5321 4.1.3 and RFC 4632.
 */
#include "base/ip.h"
#include "tests/unit/cm.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static struct ip must(const char *text)
{
    struct ip a;
    assert_int_equal(ip_from_text(slice_str(text), &a), STATUS_OK);
    return a;
}

static void reads_and_writes(void **state)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"[192.0.2.1]", "192.0.2.1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"IPv6:2001:db8::1", "2001:db8::1"},
        {"[IPv6:2001:db8::1]", "2001:db8::1"},
        {"::ffff:192.0.2.7", "192.0.2.7"}, /* mapped: one spelling only inside */
        {"::ffff:c000:207", "192.0.2.7"},
        {"::1", "::1"},
        {"0.0.0.0", "0.0.0.0"},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        char text[IP_TEXT];
        struct ip a = must(t[i].in);
        assert_string_equal(ip_text(&a, text), t[i].out);
    }
}

static void ip_refuses(void **state)
{
    static const char *const t[] = {
        "",           "192.0.2", "192.0.2.256",    "192.0.2.01x", "1.2.3.4 ",       "2001:db8::g",  "fe80::1%eth0",
        "[192.0.2.1", "IPv6:",   "IPv6:192.0.2.1", "0x7f.1",      "2001:db8::1::2", "192.0.2.1/32", "localhost"};
    struct ip a;
    for (size_t i = 0; i < COUNT(t); i++)
        assert_int_equal(ip_from_text(slice_str(t[i]), &a), STATUS_INVALID);
    assert_int_equal(ip_from_text(slice_of("192.0.2.1\0x", 11), &a), STATUS_INVALID);
}

static void networks(void **state)
{
    static const struct {
        const char *net, *address;
        bool in;
    } t[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"2001:db8::/32", "2001:db8:ffff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.128/25", "::ffff:192.0.2.200", true},
        {"::/0", "2001:db8::1", true},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct ip_net n;
        struct ip a = must(t[i].address);
        assert_int_equal(ip_net_from_text(slice_str(t[i].net), &n), STATUS_OK);
        assert_int_equal(ip_in_net(&a, &n), t[i].in);
    }
}

static void bad_networks(void **state)
{
    static const char *const t[] = {"192.0.2.1/24",  "192.0.2.0/33",   "192.0.2.0/",
                                    "192.0.2.0/024", "2001:db8::/129", "2001:db8::1/64",
                                    "192.0.2.0/-1",  "192.0.2.0/1e1",  "/24"};
    struct ip_net n;
    for (size_t i = 0; i < COUNT(t); i++)
        assert_int_equal(ip_net_from_text(slice_str(t[i]), &n), STATUS_INVALID);
}

/* IANA's special-purpose address registries; addresses that contain an IPv4 address are judged by that one. */
static void special(void **state)
{
    static const char *const t[] = {
        "127.0.0.1",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.0.1",
        "169.254.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "0.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.0.1",
        "192.0.0.170",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "2001:db8::1",
        "3fff::1",
        "::1",
        "::",
        "::5",
        "::10.0.0.1",
        "::8.8.8.8",
        "fd00::1",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:a00:1::1",
        "2002:7f00:1::1",
        "2002:c0a8:101::1",
        "2001::1",
        "2001:0:102:304::1",
        "2001:2::1",
        "2001:10::1",
        "100::1",
        "100:0:0:1::1",
        "5f00::1",
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct ip a = must(t[i]);
        if (!ip_is_special(&a))
            fail_msg("public: %s", t[i]);
    }
}

static void public(void **state)
{
    static const char *const t[] = {
        "8.8.8.8",       "172.32.0.1",      "100.128.0.1",      "192.0.1.1",      "198.20.0.1",
        "192.0.0.9",     "192.0.0.10",      "223.255.255.255",  "2a00::1",        "2001:500::1",
        "2001:200::1",   "2002:808:808::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2001:3::1",
        "2001:4:112::1", "2001:1::1",       "2001:20::1",       "64:ff9c::1",
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct ip a = must(t[i]);
        if (ip_is_special(&a))
            fail_msg("special: %s", t[i]);
    }
}

/* As it may be in a record's rdata, not read from text. */
static void special_in_rdata(void **state)
{
    struct ip mapped = {.family = 6, .octets = {[10] = 0xff, 0xff, 10, 0, 0, 1}};
    assert_true(ip_is_special(&mapped));
    mapped.octets[12] = 8;
    assert_false(ip_is_special(&mapped));
    assert_true(ip_is_special(&(struct ip){0}));
}

static void reverse_names(void **state)
{
    char text[IP_ARPA_TEXT];
    struct ip a = must("192.0.2.5"), b = must("2001:db8::567:89ab");
    assert_string_equal(ip_arpa(&a, text), "5.2.0.192.in-addr.arpa");
    assert_string_equal(ip_arpa(&b, text), "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

/* Each octet at each place, as the C library writes it. */
static void as_printf_writes_it(void **state)
{
    char text[IP_TEXT], net_text[IP_NET_TEXT], arpa[IP_ARPA_TEXT], want[IP_ARPA_TEXT];
    for (unsigned n = 0; n < 256 * 4; n++) {
        struct ip a = {.family = 4, .octets = {1, 20, 0, 255}};
        a.octets[n / 256] = (uint8_t)n;
        const unsigned o[] = {a.octets[0], a.octets[1], a.octets[2], a.octets[3]};
        snprintf(want, sizeof want, "%u.%u.%u.%u", o[0], o[1], o[2], o[3]);
        assert_string_equal(ip_text(&a, text), want);
        struct ip_net net = ip_net_of(&a, 32);
        assert_string_equal(ip_net_text(&net, net_text), want);
        snprintf(want, sizeof want, "%u.%u.%u.%u.in-addr.arpa", o[3], o[2], o[1], o[0]);
        assert_string_equal(ip_arpa(&a, arpa), want);
    }
    for (unsigned bits = 0; bits <= 128; bits++) {
        const struct ip all = {.family = 6,
                               .octets = {0xff, 0xfe, 0xfd, 0xfc, 0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
        const struct ip_net net = ip_net_of(&all, bits);
        snprintf(want, sizeof want, bits == 128 ? "%s" : "%s/%u", ip_text(&net.base, text), bits);
        assert_string_equal(ip_net_text(&net, net_text), want);
    }
    const struct ip none = {0};
    assert_string_equal(ip_text(&none, text), "unknown");
}

static void from_sockets(void **state)
{
    struct sockaddr_in6 s = {.sin6_family = AF_INET6};
    char text[IP_TEXT];
    assert_int_equal(inet_pton(AF_INET6, "::ffff:198.51.100.4", &s.sin6_addr), 1);
    struct ip a = ip_from_sockaddr((struct sockaddr *)&s);
    assert_string_equal(ip_text(&a, text), "198.51.100.4");
    struct ip none = ip_from_sockaddr(NULL);
    assert_int_equal(none.family, 0);
    assert_string_equal(ip_text(&none, text), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),    cmocka_unit_test(ip_refuses),    cmocka_unit_test(networks),
        cmocka_unit_test(bad_networks),        cmocka_unit_test(special),       cmocka_unit_test(public),
        cmocka_unit_test(special_in_rdata),    cmocka_unit_test(reverse_names), cmocka_unit_test(from_sockets),
        cmocka_unit_test(as_printf_writes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
