// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_https.c - base/https: what counts as an answer (RFC 8461 3.3), which certificates do, where it connects, when it
 * ends.
 */
#include "base/clock.h"
#include "net/https.h"
#include "tests/unit/web_host.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody"
#define LOCAL "127.0.0.1"

static struct ip ip_of(const char *text)
{
    struct ip a;
    assert_int_equal(ip_from_text(slice_str(text), &a), STATUS_OK);
    return a;
}

static enum https_outcome get_root(const struct web *w, struct buf *body, char why[HTTPS_WHY])
{
    const struct ip a = ip_of(LOCAL);
    const struct https_request r = {
        .host = "w.example", .path = "/", .port = w->port, .addresses = &a, .address_count = 1, .ca_file = w->ca_file};
    return https_get(&r, body, why);
}

struct get_case {
    const char *what, *answer, *cert;
    long days; /* until the certificate ends */
    bool silent, trusted;
    const char *body; /* of HTTPS_DONE */
    enum https_outcome want;
};

static bool is_got_as_expected(const struct get_case *c)
{
    struct web w = {.answer = c->answer, .silent = c->silent, .cut = c->answer ? 0 : 1};
    web_start(&w, c->cert, c->days);
    struct ip a = ip_of(LOCAL);
    struct buf body = BUF_INIT;
    char why[HTTPS_WHY];
    struct https_request r = {.host = "w.example",
                              .path = "/p/q.txt",
                              .port = w.port,
                              .addresses = &a,
                              .address_count = 1,
                              .ca_file = c->trusted ? w.ca_file : NULL,
                              .total_ms = c->silent ? 300 : 5000};
    enum https_outcome o = https_get(&r, &body, why);
    bool right = o == c->want && strcmp(body.p, c->body ? c->body : "") == 0 && (o == HTTPS_DONE) == !why[0];
    if (o == HTTPS_DONE)
        right = right && strncmp(w.asked, "GET /p/q.txt HTTP/1.1\r\nHost: w.example:", 39) == 0;
    if (!right)
        print_error("%s: %d, \"%s\", body \"%.40s\", asked \"%.60s\"\n", c->what, (int)o, why, body.p, w.asked);
    assert_int_equal(w.taken, 1);
    web_stop(&w);
    buf_release(&body);
    return right;
}

static void get_all(const struct get_case *t, size_t count)
{
    unsigned failures = 0;
    for (size_t i = 0; i < count; i++)
        failures += !is_got_as_expected(&t[i]);
    assert_int_equal(failures, 0);
}

static void what_counts_as_an_answer(void **state)
{
    static const struct get_case t[] = {
        {"a file", OK, "w.example", 1, false, true, "body", HTTPS_DONE},
        {"with a charset, in capitals",
         "HTTP/1.1 200 OK\r\ncontent-type: Text/Plain; charset=utf-8\r\nContent-Length: 1\r\n\r\nx", "w.example", 1,
         false, true, "x", HTTPS_DONE},
        {"without a length", "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end", "w.example", 1, false,
         true, "to the end", HTTPS_DONE},
        {"HTML", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx", "w.example", 1, false,
         true, NULL, HTTPS_TYPE},
        {"a longer type", "HTTP/1.1 200 OK\r\nContent-Type: text/plainer\r\nContent-Length: 1\r\n\r\nx", "w.example", 1,
         false, true, NULL, HTTPS_TYPE},
        {"no type", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "w.example", 1, false, true, NULL, HTTPS_TYPE},
        {"a redirect is not followed",
         "HTTP/1.1 301 Moved\r\nLocation: https://w.example/\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n",
         "w.example", 1, false, true, NULL, HTTPS_STATUS},
        {"not found", "HTTP/1.1 404 No\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx", "w.example", 1,
         false, true, NULL, HTTPS_STATUS},
        {"206", "HTTP/1.1 206 Part\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx", "w.example", 1, false,
         true, NULL, HTTPS_STATUS},
        {"announced too long", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9999999\r\n\r\nx",
         "w.example", 1, false, true, NULL, HTTPS_UNREACHABLE},
        {"cut short", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nx", "w.example", 1,
         false, true, NULL, HTTPS_UNREACHABLE},
        {"not HTTP", "SSH-2.0-x\r\n", "w.example", 1, false, true, NULL, HTTPS_UNREACHABLE},
        {"the connection is closed within TLS", NULL, "w.example", 1, false, true, NULL, HTTPS_UNREACHABLE},
        {"silence", "", "w.example", 1, true, true, NULL, HTTPS_TIMEOUT},
    };
    get_all(t, sizeof t / sizeof *t);
}

static void which_certificates_do(void **state)
{
    static const struct get_case t[] = {
        {"another name in the certificate", OK, "v.example", 1, false, true, NULL, HTTPS_CERTIFICATE},
        {"RFC 8461 3.3: only a Common Name", OK, "CN:w.example", 1, false, true, NULL, HTTPS_CERTIFICATE},
        {"the certificate has ended", OK, "w.example", -1, false, true, NULL, HTTPS_CERTIFICATE},
        {"nobody vouches for it", OK, "w.example", 1, false, false, NULL, HTTPS_CERTIFICATE},
    };
    get_all(t, sizeof t / sizeof *t);
}

/* A body without a length is bounded too, to the octet. */
static void body_bounded(void **state)
{
    static const char head[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    static char answer[sizeof head + HTTPS_BODY + 1];
    for (size_t over = 0; over < 2; over++) {
        struct web w = {.answer = answer, .answer_size = sizeof head - 1 + HTTPS_BODY + over};
        memset(answer, 'x', sizeof answer);
        memcpy(answer, head, sizeof head - 1);
        web_start(&w, "w.example", 1);
        struct buf body = BUF_INIT;
        char why[HTTPS_WHY];
        assert_int_equal(get_root(&w, &body, why), over ? HTTPS_TOO_LONG : HTTPS_DONE);
        assert_int_equal(body.n, over ? 0 : HTTPS_BODY);
        web_stop(&w);
        buf_release(&body);
    }
}

static void authorities(void **state)
{
    struct web w = {.answer = OK};
    web_start(&w, "w.example", 1);
    assert_true(https_has_authorities(w.ca_file));
    assert_false(https_has_authorities("/"));
    assert_false(https_has_authorities("/dev/null"));
    assert_false(https_has_authorities("tests/unit/test_https.c"));
    assert_false(https_has_authorities("/nonexistent"));
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    assert_false(https_has_authorities(NULL));
    setenv("SSL_CERT_FILE", w.ca_file, 1);
    assert_true(https_has_authorities(NULL));
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    web_stop(&w);
}

/* What is wrong with an answer is told of a long page, too: a server that is busy for a moment is not one whose file is
 * too long. */
static void a_long_page_of_an_error(void **state)
{
    static const struct {
        const char *head;
        enum https_outcome want;
        const char *why;
    } t[] = {{"HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\n\r\n", HTTPS_STATUS, "the server says 503"},
             {"HTTP/1.1 404 No\r\nContent-Type: text/html\r\n\r\n", HTTPS_STATUS, "the server says 404"},
             {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", HTTPS_TYPE, "its type is text/html"},
             {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", HTTPS_TOO_LONG, "longer than 64 KiB"}};
    static char answer[4 * HTTPS_BODY];
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct web w = {.answer = answer, .answer_size = sizeof answer};
        memset(answer, 'x', sizeof answer);
        memcpy(answer, t[i].head, strlen(t[i].head));
        web_start(&w, "w.example", 1);
        struct buf body = BUF_INIT;
        char why[HTTPS_WHY];
        assert_int_equal(get_root(&w, &body, why), t[i].want);
        assert_non_null(strstr(why, t[i].why));
        assert_int_equal(body.n, 0);
        web_stop(&w);
        buf_release(&body);
    }
}

/* Only the addresses given: of several the one that answers; none: nobody is asked, even where the name could be looked
 * up. */
static void only_addresses_given(void **state)
{
    struct web w = {.answer = OK};
    web_start(&w, "localhost", 1);
    struct ip list[3] = {ip_of("127.0.0.9"), ip_of("::1"), ip_of(LOCAL)};
    struct buf body = BUF_INIT;
    char why[HTTPS_WHY];
    struct https_request r = {
        .host = "localhost", .path = "/", .port = w.port, .addresses = list, .address_count = 3, .ca_file = w.ca_file};
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    assert_int_equal(https_get(&r, &body, why), HTTPS_DONE);
    r.address_count = 2;
    assert_int_equal(https_get(&r, &body, why), HTTPS_UNREACHABLE);
    r.address_count = 0;
    assert_int_equal(https_get(&r, &body, why), HTTPS_UNREACHABLE);
    assert_string_equal(why, "there is no address to ask");
    assert_int_equal(w.taken, 1);
    web_stop(&w);
    buf_release(&body);
}

int main(void)
{
    assert_true(https_begin());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorities), /* first: the system's are kept */
        cmocka_unit_test(what_counts_as_an_answer),
        cmocka_unit_test(which_certificates_do),
        cmocka_unit_test(body_bounded),
        cmocka_unit_test(a_long_page_of_an_error),
        cmocka_unit_test(only_addresses_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
