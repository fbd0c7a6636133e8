// SPDX-License-Identifier: BSD-2-Clause
// check: alone, since it holds a deadline of 30 ms against the clock
/* The scope: one question one answer, budget, deadlines, trace, names. The source is made here, so that time is in the
 * test's hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "dns/dns_source.h"
#include <stdio.h>
#include <stdlib.h>

/* Answers names that begin with "now" at once, others when awaited, "never..." not at all. */
struct made {
    struct dns base;
    unsigned asked, flights;
};

struct dns_flight {
    char name[DNS_NAME_TEXT];
};

static struct dns_result *address_result(unsigned packets)
{
    struct slice rdata = SLICE_LIT("\300\0\2\1");
    return dns_result_new(&(struct dns_result){.state = DNS_FOUND,
                                               .security = DNS_SECURE,
                                               .ttl = 10,
                                               .count = 1,
                                               .packets = packets,
                                               .rdata = &rdata,
                                               .canonical = "c.example"});
}

static struct dns_result *made_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    struct made *m = (struct made *)source;
    m->asked++;
    *flight = NULL;
    if (strncmp(q->name, "now", 3) == 0)
        return address_result(1);
    *flight = calloc(1, sizeof **flight);
    memcpy((*flight)->name, q->name, sizeof q->name);
    m->flights++;
    return NULL;
}

static struct dns_result *made_await(struct dns *source, struct dns_flight *f, int64_t until)
{
    if (strncmp(f->name, "never", 5) != 0)
        return address_result(strncmp(f->name, "far", 3) == 0 ? 8 : 1);
    while (clock_mono_ms() < until)
        continue;
    return NULL;
}

static unsigned made_let_go(struct dns *source, struct dns_flight *f)
{
    ((struct made *)source)->flights--;
    free(f);
    return LIMIT_DNS_WIRE_LOOKUP;
}

static void made_close(struct dns *source)
{
}

static const struct dns_ops made_ops = {
    .ask = made_ask, .await = made_await, .let_go = made_let_go, .close = made_close};

static void one_question_one_answer(void **state)
{
    struct made m = {.base.ops = &made_ops};
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(&m.base, arena, NULL);
    dns_start(s, "later.example", DNS_A);
    assert_null(dns_trace(s, 0));
    const struct dns_answer *a = dns_get(s, "Later.Example.", DNS_A);
    assert_int_equal(a->state, DNS_FOUND);
    assert_int_equal(a->security, DNS_SECURE);
    assert_string_equal(a->name, "later.example");
    assert_string_equal(a->canonical, "c.example");
    assert_ptr_equal(a, dns_get(s, "l\\097ter.example", DNS_A));
    assert_int_equal(m.asked, 1);
    dns_get(s, "later.example", DNS_AAAA);
    assert_int_equal(m.asked, 2);
    dns_start(s, "left.example", DNS_A);
    dns_get(s, "now.example", DNS_A);
    assert_string_equal(dns_trace(s, 0)->name, "later.example");
    assert_string_equal(dns_trace(s, 2)->name, "now.example");
    assert_null(dns_trace(s, 3));
    assert_int_equal(m.flights, 1);
    dns_scope_free(s);
    assert_int_equal(m.flights, 0);
    assert_int_equal(a->count, 1);
    arena_free(arena);
}

static void budget(void **state)
{
    struct made m = {.base.ops = &made_ops};
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(&m.base, arena, &(struct dns_budget){.lookups = 2});
    assert_int_equal(dns_get(s, "now1.example", DNS_A)->state, DNS_FOUND);
    assert_int_equal(dns_get(s, "not..name", DNS_A)->state, DNS_BADNAME);
    assert_int_equal(dns_get(s, "now2.example", DNS_A)->state, DNS_FOUND);
    const struct dns_answer *a = dns_get(s, "now3.example", DNS_A);
    assert_int_equal(a->state, DNS_TEMPFAIL);
    assert_int_equal(a->limit, LIMIT_OF_MESSAGE);
    assert_int_equal(dns_scope_limit(s), LIMIT_OF_MESSAGE);
    assert_int_equal(dns_scope_limit(s), LIMIT_NOT_REACHED);
    dns_get(s, "now3.example", DNS_A); /* the same answer tells it again to whoever needs it next */
    assert_int_equal(dns_scope_limit(s), LIMIT_OF_MESSAGE);
    assert_non_null(a->why);
    assert_int_equal(dns_get(s, "now1.example", DNS_A)->state, DNS_FOUND);
    assert_int_equal(m.asked, 2);
    dns_scope_free(s);
    arena_free(arena);
}

static void deadlines(void **state)
{
    struct made m = {.base.ops = &made_ops};
    struct arena *arena = arena_new(1 << 20);
    struct dns_scope *s = dns_scope_new(&m.base, arena, &(struct dns_budget){.lookup_ms = 300, .total_ms = 1000});
    int64_t start = clock_mono_ms();
    const struct dns_answer *a = dns_get(s, "never1.example", DNS_A);
    assert_int_equal(a->state, DNS_TEMPFAIL);
    assert_int_equal(a->limit, LIMIT_NOT_REACHED);
    assert_in_range(clock_mono_ms() - start, 299, 900);
    while (clock_mono_ms() < start + 800)
        continue;
    a = dns_get(s, "never2.example", DNS_A);
    assert_int_equal(a->state, DNS_TEMPFAIL);
    assert_int_equal(a->limit, LIMIT_OF_MOMENT);
    assert_int_equal(dns_get(s, "now.example", DNS_A)->state, DNS_FOUND);
    assert_int_equal(m.flights, 0);
    dns_scope_free(s);
    arena_free(arena);
}

static struct dns_result *made_known(struct dns *source, const struct dns_question *q)
{
    return strncmp(q->name, "now", 3) == 0 ? address_result(1) : NULL;
}

static bool charge(void *context)
{
    unsigned *left = context;
    return *left && (*left)--;
}

/* What the source knows costs nothing; each other question is charged before it goes out, once. */
static void charged(void **state)
{
    const struct dns_ops ops = {
        .ask = made_ask, .await = made_await, .let_go = made_let_go, .close = made_close, .known = made_known};
    struct made m = {.base.ops = &ops};
    struct arena *arena = arena_new(1 << 20);
    unsigned left = 1;
    struct dns_scope *s = dns_scope_new(&m.base, arena, &(struct dns_budget){.charge = charge, .context = &left});
    assert_int_equal(dns_get(s, "now.example", DNS_A)->state, DNS_FOUND);
    assert_int_equal(left, 1);
    dns_start(s, "later.example", DNS_A);
    assert_int_equal(left, 0);
    assert_int_equal(dns_get(s, "later.example", DNS_A)->state, DNS_FOUND);
    const struct dns_answer *a = dns_get(s, "later2.example", DNS_A);
    assert_int_equal(a->state, DNS_TEMPFAIL);
    assert_int_equal(a->limit, LIMIT_OF_MOMENT);
    assert_int_equal(dns_get(s, "now2.example", DNS_A)->state, DNS_FOUND);
    assert_int_equal(m.asked, 1);
    dns_scope_free(s);
    arena_free(arena);
}

static const struct dns_answer *get_numbered(struct dns_scope *s, const char *what, unsigned i)
{
    char name[64];
    snprintf(name, sizeof name, "%s%u.a.example", what, i);
    return dns_get(s, name, DNS_A);
}

static void start_numbered(struct dns_scope *s, const char *what, unsigned n)
{
    char name[64];
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s%u.a.example", what, i);
        dns_start(s, name, DNS_A);
    }
}

/* A message has look-ups for each purpose: what SPF used up, DMARC and keys still have. */
static void purposes(void **state)
{
    static const struct {
        enum dns_purpose purpose;
        unsigned most;
    } cases[] = {{DNS_FOR_SPF, LIMIT_DNS_SPF},
                 {DNS_FOR_REST, LIMIT_DNS_REST},
                 {DNS_FOR_KEYS, LIMIT_DNS_KEYS},
                 {DNS_FOR_DMARC, LIMIT_DNS_DMARC}};
    const struct dns_ops ops = {
        .ask = made_ask, .await = made_await, .let_go = made_let_go, .close = made_close, .known = made_known};
    struct made m = {.base.ops = &ops};
    struct arena *arena = arena_new(8 << 20);
    struct dns_scope *s = dns_scope_new(&m.base, arena, &(struct dns_budget){.message = true});
    unsigned all = 0;
    for (unsigned k = 0; k < 4; k++) {
        char what[16];
        snprintf(what, sizeof what, "now%u-", k);
        dns_scope_purpose(s, cases[k].purpose);
        for (unsigned i = 0; i < cases[k].most; i++, all++)
            assert_int_equal(get_numbered(s, what, i)->state, DNS_FOUND);
        assert_int_equal(get_numbered(s, what, cases[k].most)->limit, LIMIT_OF_MESSAGE);
    }
    assert_int_equal(all, LIMIT_DNS_MESSAGE);
    dns_scope_free(s);
    arena_free(arena);
}

/* Plain look-ups cost one packet each when they are answered; as many are under way at a time as the most that one may
 * send allows. The hundred and eleven look-ups of the greatest SPF record fit, and what is kept for DMARC and keys
 * remains. The last packets are for zones that are known. */
static void packets(void **state)
{
    struct made m = {.base.ops = &made_ops};
    struct arena *arena = arena_new(8 << 20);
    struct dns_scope *s = dns_scope_new(&m.base, arena, &(struct dns_budget){.message = true});
    dns_scope_purpose(s, DNS_FOR_SPF);
    for (unsigned i = 0; i < 111; i++)
        assert_int_equal(get_numbered(s, "later", i)->state, DNS_FOUND);
    while (get_numbered(s, "later", m.asked)->state == DNS_FOUND)
        assert_in_range(m.asked, 112, LIMIT_DNS_WIRE);
    assert_int_equal(get_numbered(s, "later", m.asked)->limit, LIMIT_OF_MESSAGE);
    dns_scope_purpose(s, DNS_FOR_DMARC);
    assert_int_equal(dns_get(s, "later.b.other", DNS_A)->state, DNS_FOUND);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get_numbered(s, "key", i)->state, DNS_FOUND);
    assert_int_equal(dns_get(s, "later.b.third", DNS_A)->limit, LIMIT_OF_MESSAGE);
    assert_int_equal(get_numbered(s, "key", 8)->state, DNS_FOUND);
    dns_scope_free(s);
    assert_int_equal(m.flights, 0);
    arena_free(arena);
}

/* Servers that never answer may have been sent the worst case each: no more go out than that allows, and that is the
 * servers' doing, not the message's. What was started waits for its turn. */
static void packets_of_failures(void **state)
{
    struct made m = {.base.ops = &made_ops};
    struct arena *arena = arena_new(8 << 20);
    struct dns_scope *s =
        dns_scope_new(&m.base, arena, &(struct dns_budget){.message = true, .lookup_ms = 5, .total_ms = 2000});
    dns_scope_purpose(s, DNS_FOR_DMARC);
    start_numbered(s, "never", 20);
    assert_in_range(m.asked, LIMIT_DNS_WIRE / LIMIT_DNS_WIRE_LOOKUP, LIMIT_DNS_WIRE / LIMIT_DNS_WIRE_LOOKUP);
    assert_int_equal(get_numbered(s, "never", 0)->limit, LIMIT_NOT_REACHED);
    const struct dns_answer *a = get_numbered(s, "never", 19);
    assert_int_equal(a->state, DNS_TEMPFAIL);
    assert_int_equal(a->limit, LIMIT_OF_MOMENT);
    assert_true(m.asked * LIMIT_DNS_WIRE_LOOKUP <= LIMIT_DNS_WIRE);
    dns_scope_free(s);
    assert_int_equal(m.flights, 0);
    arena_free(arena);
}

/* Names that are found, each at the price of a long way: that is of the moment once, and the verdict's to judge when
 * the mail comes again (base/limits.h). Beside a server that failed it is the moment's alone. */
static void packets_of_long_ways(void **state)
{
    for (unsigned broken = 0; broken <= 1; broken++) {
        struct made m = {.base.ops = &made_ops};
        struct arena *arena = arena_new(8 << 20);
        struct dns_scope *s =
            dns_scope_new(&m.base, arena, &(struct dns_budget){.message = true, .lookup_ms = 5, .total_ms = 2000});
        dns_scope_purpose(s, DNS_FOR_DMARC);
        if (broken)
            get_numbered(s, "never", 0);
        for (unsigned i = 0; i < 20; i++)
            get_numbered(s, "far", i);
        assert_int_equal(dns_scope_limit(s), broken ? LIMIT_OF_MOMENT : LIMIT_OF_COST);
        dns_scope_free(s);
        arena_free(arena);
    }
}

static bool never_watch(struct dns *source, struct dns_flight *f, struct dns_watch *w)
{
    return true;
}

static void never_unwatch(struct dns *source, struct dns_flight *f, struct dns_watch *w)
{
}

static void nobody(void *context)
{
}

/* A caller that may not wait: an answer that has not come is "not yet" and is lacking; what is overdue fails as for one
 * that waits; what is given up fails by a limit of the moment; a question is asked once all the same. */
static void nobody_waits(void **state)
{
    const struct dns_ops ops = {.ask = made_ask,
                                .await = made_await,
                                .let_go = made_let_go,
                                .close = made_close,
                                .watch = never_watch,
                                .unwatch = never_unwatch};
    struct made m = {.base.ops = &ops};
    struct arena *arena = arena_new(8 << 20);
    struct dns_scope *s =
        dns_scope_new(&m.base, arena, &(struct dns_budget){.message = true, .lookup_ms = 20, .total_ms = 2000});
    const struct dns_answer *a;

    dns_scope_no_wait(s, nobody, NULL);
    dns_scope_begin_run(s);
    assert_int_equal(dns_get(s, "now.example", DNS_A)->state, DNS_FOUND);
    assert_false(dns_scope_lacks(s));
    a = dns_get(s, "never.example", DNS_A);
    assert_int_equal(a->state, DNS_TEMPFAIL);
    assert_string_equal(a->why, "not yet");
    assert_true(dns_scope_lacks(s));
    assert_true(dns_scope_awaits(s));
    assert_string_equal(dns_trace(s, 0)->name, "now.example");
    assert_null(dns_trace(s, 1)); /* it is not an answer */
    for (int64_t end = clock_mono_ms() + 25; clock_mono_ms() < end;)
        continue;
    assert_false(dns_scope_awaits(s));
    dns_scope_begin_run(s);
    a = dns_get(s, "never.example", DNS_A);
    assert_string_equal(a->why, "no answer in time");
    assert_int_equal(a->limit, LIMIT_NOT_REACHED);
    assert_false(dns_scope_lacks(s));
    assert_int_equal(m.asked, 2);
    start_numbered(s, "never", 20); /* some are under way, others wait for packets */
    dns_scope_give_up(s);
    assert_false(dns_scope_awaits(s));
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(get_numbered(s, "never", i)->limit, LIMIT_OF_MOMENT);
    assert_int_equal(dns_get(s, "now2.example", DNS_A)->limit, LIMIT_OF_MOMENT); /* no other is begun */
    assert_int_equal(m.flights, 0);
    dns_scope_free(s);
    s = dns_scope_new(&(struct made){.base.ops = &made_ops}.base, arena, NULL);
    dns_scope_no_wait(s, nobody, NULL); /* a source that cannot tell: dns_get() waits */
    assert_int_equal(dns_get(s, "later.example", DNS_A)->state, DNS_FOUND);
    dns_scope_free(s);
    arena_free(arena);
}

static void little_memory(void **state)
{
    struct made m = {.base.ops = &made_ops};
    struct arena *arena = arena_new(8192);
    struct dns_scope *s = dns_scope_new(&m.base, arena, &(struct dns_budget){.lookups = 1000});
    assert_non_null(s);
    bool ran_out = false;
    for (unsigned i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "now%u.example", i);
        const struct dns_answer *a = dns_get(s, name, DNS_A);
        assert_non_null(a);
        ran_out |= a->state == DNS_TEMPFAIL && a->limit == LIMIT_OF_MOMENT;
    }
    assert_true(ran_out);
    dns_scope_free(s);
    arena_free(arena);
}

static void names(void **state)
{
    static const char l63[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const struct {
        const char *text, *normal;
    } cases[] = {
        {"Example.ORG", "example.org"},
        {"example.org.", "example.org"},
        {".", "."},
        {"a b.c", "a\\032b.c"},
        {"a\\.b.c", "a\\046b.c"},
        {"\\065.b", "a.b"},
        {"a\\\\b", "a\\092b"},
        {"_dmarc.x", "_dmarc.x"},
        {"\xff.x", "\\255.x"},
        {"", NULL},
        {"..", NULL},
        {".a", NULL},
        {"a..b", NULL},
        {"a\\", NULL},
        {"a\\25", NULL},
        {"a\\256", NULL},
    };
    char out[DNS_NAME_TEXT], back[DNS_NAME_TEXT];
    uint8_t wire[DNS_NAME_WIRE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum status s = dns_name_normal(cases[i].text, out);
        if (!cases[i].normal) {
            assert_int_equal(s, STATUS_INVALID);
            continue;
        }
        assert_int_equal(s, STATUS_OK);
        assert_string_equal(out, cases[i].normal);
        size_t n = dns_name_to_wire(out, wire);
        assert_int_equal(dns_name_from_wire(wire, n, back), n);
        assert_string_equal(back, out);
        assert_int_equal(dns_name_from_wire(wire, n - 1, back), 0);
    }
    char text[300];
    snprintf(text, sizeof text, "%s.%s.%s.%.61s", l63, l63, l63, l63);
    assert_int_equal(dns_name_normal(text, out), STATUS_OK);
    assert_int_equal(dns_name_to_wire(out, wire), 255);
    assert_int_equal(dns_name_from_wire(wire, 255, back), 255);
    snprintf(text, sizeof text, "%s.%s.%s.%.62s", l63, l63, l63, l63);
    assert_int_equal(dns_name_normal(text, out), STATUS_LIMIT);
    snprintf(text, sizeof text, "%sa", l63);
    assert_int_equal(dns_name_normal(text, out), STATUS_LIMIT);
    assert_int_equal(dns_name_from_wire("\300\014", 2, back), 0);
    assert_int_equal(dns_name_from_wire("\1a\5b", 4, back), 0);
    assert_int_equal(dns_name_from_wire("", 0, back), 0);
    assert_false(dns_name_is_whole("", 0, back));
    assert_true(dns_name_is_whole("", 1, back));
    assert_false(dns_name_is_whole("\0x", 2, back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_question_one_answer),
        cmocka_unit_test(budget),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(little_memory),
        cmocka_unit_test(names),
        cmocka_unit_test(charged),
        cmocka_unit_test(purposes),
        cmocka_unit_test(packets),
        cmocka_unit_test(packets_of_failures),
        cmocka_unit_test(packets_of_long_ways),
        cmocka_unit_test(nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
