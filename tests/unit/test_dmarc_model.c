// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dmarc_model.c - thousands of random zones, judged by dmarc_check and by a second reading of RFC 9989 that
 * follows its numbered steps one by one, asks one name after the other, walks for every identifier, and takes no short
 * way. Both must agree.
 *
 * Names are made of two labels only, so that they meet often, and go down to eleven labels, so that the shortcut
 * of 4.10 step 4 is taken.
 */
#include "base/domain.h"
#include "tests/unit/dmarc_case.h"

#define ROUNDS 30000
#define NAMES 10
#define LABELS 11

struct published {
    char name[64];
    int records; /* 0: only an address record */
    enum dmarc_policy p, sp, np;
    bool has_sp, has_np, testing, strict_dkim, strict_spf;
    char psd;
};

struct model {
    struct published at[NAMES];
    size_t count;
};

static uint32_t seed = 99899091;

static uint32_t random_next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static void random_name(char out[64])
{
    size_t n = 0;
    for (uint32_t k = random_next(3) ? random_next(4) : random_next(LABELS); k; k--) {
        out[n++] = "ab"[random_next(2)];
        out[n++] = '.';
    }
    memcpy(out + n, "t", 2);
}

static void random_model(struct model *m)
{
    memset(m, 0, sizeof *m);
    for (uint32_t k = random_next(NAMES); k; k--) {
        struct published *p = &m->at[m->count];
        bool taken = false;
        random_name(p->name);
        for (size_t i = 0; i < m->count; i++)
            taken |= strcmp(m->at[i].name, p->name) == 0;
        if (taken)
            continue;
        p->records = random_next(8) ? 1 : (int)random_next(3);
        p->p = random_next(3), p->sp = random_next(3), p->np = random_next(3);
        p->has_sp = random_next(2), p->has_np = random_next(2);
        p->testing = random_next(6) == 0, p->strict_dkim = random_next(4) == 0, p->strict_spf = random_next(4) == 0;
        p->psd = "uuuuyn"[random_next(6)];
        m->count++;
    }
}

static void write_zone(const struct model *m, struct buf *out)
{
    buf_reset(out);
    for (size_t i = 0; i < m->count; i++) {
        const struct published *p = &m->at[i];
        if (p->records == 0)
            buf_printf(out, "%s A 192.0.2.1\n", p->name);
        for (int r = 0; r < p->records; r++) {
            buf_printf(out, "_dmarc.%s TXT \"v=DMARC1; p=%s; x=%d", p->name, dmarc_policy_name(p->p), r);
            if (p->has_sp)
                buf_printf(out, "; sp=%s", dmarc_policy_name(p->sp));
            if (p->has_np)
                buf_printf(out, "; np=%s", dmarc_policy_name(p->np));
            buf_printf(out, "; psd=%c; t=%c; adkim=%c; aspf=%c\"\n", p->psd, p->testing ? 'y' : 'n',
                       p->strict_dkim ? 's' : 'r', p->strict_spf ? 's' : 'r');
        }
    }
}

/* "Query the DNS for a DMARC Policy Record"; "if multiple are returned, they are all discarded". */
static const struct published *query(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->at[i].name, name) == 0 && m->at[i].records == 1)
            return &m->at[i];
    return NULL;
}

static bool exists(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (domain_is_within(m->at[i].name, name))
            return true;
    return false;
}

struct found {
    const struct published *set[16];
    const char *names[16];
    size_t count;
};

/* 4.10, steps 1 to 7. */
static void tree_walk(const struct model *m, const char *start, struct found *f)
{
    const char *target = start;
    f->count = 0;
    for (bool first = true;; first = false) {
        const struct published *r = query(m, target);
        if (r) {
            f->set[f->count] = r;
            f->names[f->count++] = target;
            if (r->psd != 'u')
                return;
        }
        size_t x = domain_labels(target);
        if (x == 1)
            return;
        if (first && x >= 8)
            while (domain_labels(target) > 7)
                target = strchr(target, '.') + 1;
        else
            target = strchr(target, '.') + 1;
    }
}

/* 4.10.2, rules 1 to 3. */
static const char *organizational_domain(const struct model *m, const char *start, const struct published **psd)
{
    struct found f;
    tree_walk(m, start, &f);
    *psd = NULL;
    for (size_t i = 0; i < f.count; i++) {
        if (f.set[i]->psd == 'n')
            return f.names[i];
        if (f.set[i]->psd == 'y' && strcmp(f.names[i], start) != 0) {
            const char *below = start;
            *psd = f.set[i];
            while (domain_labels(below) > domain_labels(f.names[i]) + 1)
                below = strchr(below, '.') + 1;
            return below;
        }
    }
    return f.count ? f.names[f.count - 1] : start;
}

static bool aligned(const struct model *m, const char *author, const struct dmarc_identifier *id,
                    const struct published *record)
{
    const struct published *ignored;
    if (id->result != RESULT_PASS)
        return false;
    if (strcmp(author, id->domain) == 0)
        return true;
    if (id->kind == DMARC_DKIM ? record->strict_dkim : record->strict_spf)
        return false;
    return strcmp(organizational_domain(m, author, &ignored), organizational_domain(m, id->domain, &ignored)) == 0;
}

static void model_line(const struct model *m, const char *author, const struct dmarc_identifier *ids, size_t n,
                       char *out, size_t size)
{
    const struct published *psd, *own = query(m, author), *record = own;
    const char *org = organizational_domain(m, author, &psd), *tag = "p";
    if (!record)
        record = query(m, org);
    if (!record)
        record = psd;
    if (!record) {
        snprintf(out, size, "none - - - %s", org);
        return;
    }
    enum dmarc_policy policy = record->p;
    if (!own && record->has_np && !exists(m, author))
        tag = "np", policy = record->np;
    else if (!own && record->has_sp)
        tag = "sp", policy = record->sp;
    if (record->testing && policy != DMARC_POLICY_NONE)
        policy--;
    bool pass = false;
    for (size_t i = 0; i < n; i++)
        pass |= aligned(m, author, &ids[i], record);
    snprintf(out, size, "%s %s %s %s %s", pass ? "pass" : "fail", record->name, tag, dmarc_policy_name(policy), org);
}

static void random_identifiers(struct buf *out)
{
    static const char *const what[] = {"spf=pass",     "dkim=pass", "dkim=fail",
                                       "spf=softfail", "dkim=pass", "dkim=permerror"};
    char name[64];
    buf_reset(out);
    for (uint32_t n = random_next(4); n; n--) {
        random_name(name);
        buf_printf(out, " %s:%s", what[random_next(6)], name);
    }
}

static void two_readings_agree(void **state)
{
    struct buf zone = BUF_INIT, ids = BUF_INIT;
    size_t seen[3] = {0, 0, 0};
    for (int i = 0; i < ROUNDS; i++) {
        struct dmarc_world w;
        struct model m;
        char author[64], got[300], expect[300];
        random_model(&m);
        write_zone(&m, &zone);
        random_name(author);
        random_identifiers(&ids);
        case_open(&w, zone.n ? zone.p : "# nothing\n", ids.p);
        assert_int_equal(dmarc_check(w.scope, w.arena, author, w.ids, w.count, &w.f), STATUS_OK);
        case_line(&w.f, got, sizeof got);
        model_line(&m, author, w.ids, w.count, expect, sizeof expect);
        if (strcmp(got, expect) != 0)
            fail_msg("From %s, ids %s\n%sgot:      %s\nexpected: %s", author, ids.p, zone.p, got, expect);
        seen[w.f.result == RESULT_PASS ? 0 : w.f.result == RESULT_FAIL ? 1 : 2]++;
        case_close(&w);
    }
    assert_true(seen[0] > ROUNDS / 50 && seen[1] > ROUNDS / 50 && seen[2] > ROUNDS / 50);
    buf_release(&zone);
    buf_release(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_readings_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
