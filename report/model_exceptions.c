// SPDX-License-Identifier: BSD-2-Clause
/*
 * model_exceptions.c - the register of a report (model.h): each exemption by standard, each suspension and trusted
 * forwarder, with its state on the day and its use; and who does not meet the policy without one.
 *
 * On failure: the question's status.
 */
#include "ledger/questions.h"
#include "ledger/timestamp.h"
#include "report/model.h"
#include <string.h>

static enum status exception_add(struct report_model *m, const struct policy_statement *p, const char *standard)
{
    struct report_exception *e = &m->exceptions[m->exception_count++];
    struct buf scope = BUF_INIT;
    policy_scope(p, true, &scope);
    *e = (struct report_exception){.statement = p, .standard = standard, .scope = arena_strdup(m->arena, scope.p)};
    bool failed = scope.failed || !e->scope;
    buf_release(&scope);
    if (failed)
        return STATUS_NOMEM;
    e->ends_soon = p->until > m->made && p->until <= m->made + REPORT_ENDS_SOON_DAYS * 86400;
    enum status st = exceptions_state(m->store, p, standard, m->made, &e->state);
    if (st == STATUS_OK && p->kind != POLICY_SUSPEND)
        st = exceptions_used(m->store, m->policy, p, standard, &e->used, &e->last);
    return st;
}

static enum status ask_register(struct report_model *m)
{
    const struct policy_statement *p;
    size_t rows = 0;
    enum status st = STATUS_OK;
    for (size_t i = 0; (p = policy_statement_at(m->policy, i)); i++)
        if (exceptions_is_one(p)) {
            rows += p->kind == POLICY_EXEMPT ? STANDARD_MAIL_COUNT : 1;
            m->in_force += p->until > m->made;
            m->ended += p->until <= m->made;
            m->ending += p->until > m->made && p->until <= m->made + REPORT_ENDS_SOON_DAYS * 86400;
        }
    m->exceptions = ARENA_ARRAY(m->arena, struct report_exception, rows + 1);
    if (!m->exceptions)
        return STATUS_NOMEM;
    for (size_t i = 0; st == STATUS_OK && (p = policy_statement_at(m->policy, i)); i++) {
        if (exceptions_is_one(p) && p->kind != POLICY_EXEMPT)
            st = exception_add(m, p, NULL);
        for (unsigned s = 0; s < STANDARD_MAIL_COUNT && p->kind == POLICY_EXEMPT && st == STATUS_OK; s++)
            if (p->standards & POLICY_BIT(s))
                st = exception_add(m, p, standard_name((enum standard)s));
    }
    return st;
}

static enum status ask_unexplained(struct report_model *m)
{
    enum status st = store_ask_number(m->store, 0, &m->unexplained_domains,
                                      "SELECT count(DISTINCT subject) FROM outcome_day WHERE day >= $1 AND day <= $2 "
                                      "AND action <> 'deliver' AND exemption = '' AND trust = ''",
                                      "ii", m->since_day, m->until_day);
    if (st != STATUS_OK)
        return st;
    st = store_ask_number(m->store, 0, &m->only_recorded, QUESTION_ONLY_RECORDED, "ii", m->since_day, m->until_day);
    if (st != STATUS_OK)
        return st;
    struct store_rows *r = store_ask(
        m->store,
        "SELECT standard, subject, sum(count), max(expired) FROM outcome_day WHERE day >= $1 AND day <= $2 AND "
        "action <> 'deliver' AND exemption = '' AND trust = '' GROUP BY standard, subject ORDER BY sum(count) "
        "DESC, subject LIMIT $3",
        "iii", m->since_day, m->until_day, (int64_t)REPORT_TOP);
    while (store_next(r) && m->unexplained_count < REPORT_TOP)
        m->unexplained[m->unexplained_count++] = (struct report_unexplained){
            arena_strdup(m->arena, store_text(r, 0)), arena_strdup(m->arena, store_text(r, 1)), store_number(r, 2),
            store_text(r, 3) && *store_text(r, 3)};
    return store_done(r);
}

enum status report_ask_exceptions(struct report_model *m)
{
    enum status st = ask_register(m);
    return st == STATUS_OK ? ask_unexplained(m) : st;
}
