// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dkim_agree.c - made-up messages signed by libopendkim, the signer behind much of the world's mail, and verified
 * by us; then one octet changed, and they must fail. Headers and bodies are full of what canonical forms are about:
 * folds, blanks, empty lines, repeated names, missing line ends. The pseudo-random sequence is fixed, so that a failure
 * can be repeated: its number is printed.
 */
#include "tests/unit/dkim_lab.h"
#include <opendkim/dkim.h>
#include <openssl/pem.h>

#define MESSAGES 240

/* libopendkim keeps what it makes when it signs by Ed25519: not what is tested here. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#define LEAKS_OF_OTHERS_BEGIN() __lsan_disable()
#define LEAKS_OF_OTHERS_END() __lsan_enable()
#else
#define LEAKS_OF_OTHERS_BEGIN() (void)0
#define LEAKS_OF_OTHERS_END() (void)0
#endif

static const char zone[] = "r._domainkey.a.example TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "e._domainkey.a.example TXT \"v=DKIM1; k=ed25519; p={ED25519}\"\n";

static uint32_t state_of_draw;

static uint32_t random_draw(uint32_t below)
{
    state_of_draw = state_of_draw * 1664525u + 1013904223u;
    return (state_of_draw >> 8) % below;
}

#define FIELDS_MAX 24

struct message {
    char *name[FIELDS_MAX], *value[FIELDS_MAX];
    size_t count;
    struct buf body;
};

static void message_add(struct message *m, const char *name, struct buf *value)
{
    m->name[m->count] = strdup(name);
    m->value[m->count++] = buf_detach(value);
}

static void make_value(struct buf *b)
{
    static const char *const pieces[] = {"a", "Bc", " ",     "  ", "\t",  "\r\n ",    "\r\n\t", ":",
                                         ";", "=",  "<x@y>", "\"", "(c)", "\xc3\xbc", "word",   " \t "};
    for (uint32_t n = random_draw(12); n; n--)
        buf_adds(b, pieces[random_draw(sizeof pieces / sizeof *pieces)]);
    /* A field does not end in a fold: what follows would be a line of nothing. */
    buf_adds(b, "z");
}

static void make_message(struct message *m)
{
    static const char *const names[] = {"Subject", "To", "X-a", "x-A", "Received", "Date", "MIME-Version", "Cc"};
    static const char *const pieces[] = {"a",     "word",   " ", "  ",   "\t",       "\r\n",     "\r\n\r\n",
                                         " \r\n", "\t\r\n", ".", "\xff", "line\r\n", "\r\n \r\n"};
    struct buf from = BUF_INIT;
    *m = (struct message){.body = BUF_INIT};
    buf_adds(&from, random_draw(2) ? " a@a.example" : "  \"A\"\r\n\t<a@a.example>");
    message_add(m, "From", &from);
    for (uint32_t n = random_draw(FIELDS_MAX - 4); n; n--) {
        struct buf v = BUF_INIT;
        if (random_draw(4))
            buf_addc(&v, ' ');
        make_value(&v);
        message_add(m, names[random_draw(sizeof names / sizeof *names)], &v);
    }
    for (uint32_t n = random_draw(40); n; n--)
        buf_adds(&m->body, pieces[random_draw(sizeof pieces / sizeof *pieces)]);
    if (m->body.n)
        buf_adds(&m->body, "end\r\n");
    for (uint32_t n = random_draw(4); n; n--)
        buf_adds(&m->body, "\r\n");
}

static void free_message(struct message *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->name[i]);
        free(m->value[i]);
    }
    buf_release(&m->body);
}

static char *pem_of(const char *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, lab_key(key)->key, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(bio, &data);
    char *out = calloc(1, (size_t)n + 1);
    memcpy(out, data, (size_t)n);
    BIO_free(bio);
    return out;
}

struct choice {
    dkim_canon_t header, body;
    bool ed25519;
    long limit; /* -1: none */
};

/* The value of DKIM-Signature; malloc'ed. */
static char *signed_by_library(DKIM_LIB *lib, const struct message *m, const struct choice *c)
{
    DKIM_STAT status;
    unsigned char *text = NULL;
    size_t n = 0;
    char *pem = pem_of(c->ed25519 ? "ED25519" : "RSA2048");
    LEAKS_OF_OTHERS_BEGIN();
    DKIM *d = dkim_sign(lib, (const unsigned char *)"test", NULL, (unsigned char *)pem,
                        (const unsigned char *)(c->ed25519 ? "e" : "r"), (const unsigned char *)"a.example", c->header,
                        c->body, c->ed25519 ? DKIM_SIGN_ED25519SHA256 : DKIM_SIGN_RSASHA256, c->limit, &status);
    assert_non_null(d);
    for (size_t i = 0; i < m->count; i++) {
        struct buf field = BUF_INIT;
        buf_printf(&field, "%s:%s", m->name[i], m->value[i]);
        assert_int_equal(dkim_header(d, (unsigned char *)field.p, field.n), DKIM_STAT_OK);
        buf_release(&field);
    }
    assert_int_equal(dkim_eoh(d), DKIM_STAT_OK);
    if (m->body.n)
        assert_int_equal(dkim_body(d, (unsigned char *)m->body.p, m->body.n), DKIM_STAT_OK);
    assert_int_equal(dkim_eom(d, NULL), DKIM_STAT_OK);
    assert_int_equal(dkim_getsighdr_d(d, sizeof "DKIM-Signature: " - 1, &text, &n), DKIM_STAT_OK);
    char *value = malloc(n + 2);
    value[0] = ' ';
    memcpy(value + 1, text, n);
    value[n + 1] = '\0';
    dkim_free(d);
    free(pem);
    LEAKS_OF_OTHERS_END();
    return value;
}

static void message_verify(const struct message *m, const char *signature, struct dkim_signature *out)
{
    struct lab l;
    const struct dkim_signature *s = NULL;
    size_t count = 0;
    lab_open(&l, zone);
    lab_add(&l, "DKIM-Signature", signature);
    for (size_t i = 0; i < m->count; i++)
        lab_add(&l, m->name[i], m->value[i]);
    struct dkim_checker *c = dkim_checker_new(l.dns, l.arena, &l.headers, "a.example", NULL);
    assert_non_null(c);
    dkim_checker_body(c, buf_slice(&m->body));
    assert_int_equal(dkim_checker_end(c, &s, &count), STATUS_OK);
    assert_int_equal(count, 1);
    *out = *s;
    out->reason = s->result == RESULT_PASS ? "" : "see above";
    if (s->result != RESULT_PASS && s->result != RESULT_FAIL)
        fail_msg("%s: %s", result_name(s->result), s->reason);
    dkim_checker_free(c);
    lab_close(&l);
}

static void check_message(DKIM_LIB *lib, unsigned number)
{
    struct message m;
    struct dkim_signature s;
    state_of_draw = number * 7919u + 1;
    make_message(&m);
    struct choice c = {.header = random_draw(2) ? DKIM_CANON_SIMPLE : DKIM_CANON_RELAXED,
                       .body = random_draw(2) ? DKIM_CANON_SIMPLE : DKIM_CANON_RELAXED,
                       .ed25519 = random_draw(3) == 0,
                       .limit = -1};
    /* libopendkim 2.11 folds the field anew after an Ed25519 signature in the simple form was made over it: nobody can
     * verify those, itself included. */
    if (c.ed25519)
        c.header = DKIM_CANON_RELAXED;
    char *signature = signed_by_library(lib, &m, &c);
    message_verify(&m, signature, &s);
    if (s.result != RESULT_PASS || !s.counts)
        fail_msg("message %u: libopendkim's signature does not pass", number);
    /* One octet of a signed field, then one of the body. */
    size_t n = strlen(m.value[0]);
    m.value[0][n - 1] ^= 1;
    message_verify(&m, signature, &s);
    if (s.result != RESULT_FAIL || s.header_hash_ok)
        fail_msg("message %u: passes with another From", number);
    m.value[0][n - 1] ^= 1;
    buf_adds(&m.body, "more\r\n");
    message_verify(&m, signature, &s);
    if (s.result != RESULT_FAIL || !s.header_hash_ok || s.body_hash_ok)
        fail_msg("message %u: passes with another body", number);
    free(signature);
    free_message(&m);
}

static void test_signed_by_libopendkim(void **state)
{
    DKIM_LIB *lib = dkim_init(NULL, NULL);
    assert_non_null(lib);
    for (unsigned i = 0; i < MESSAGES; i++)
        check_message(lib, i);
    dkim_close(lib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_signed_by_libopendkim)};
    return cmocka_run_group_tests(tests, NULL, lab_end);
}
