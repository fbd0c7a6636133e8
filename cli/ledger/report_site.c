// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_site.c - `assay report --html DIR`: hands the model what the ledger does not know (the next steps of the
 * policy, the grades of our own domains), fills it, and has the site written.
 *
 * Promises that a store that is away leaves the last site as it is. Exit codes: report.c's.
 */
#include "base/clock.h"
#include "cli/ledger/report.h"
#include "cli/next/next_report.h"
#include "ledger/timestamp.h"
#include "policy/policy.h"
#include "policy/policy_settings.h"
#include "report/annual.h"
#include "report/metrics.h"
#include "report/publish.h"
#include "report/site.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ARENA_MOST ((size_t)1 << 30)
static int code_of(enum status st)
{
    return st == STATUS_AGAIN ? EX_TEMPFAIL : st == STATUS_NOMEM ? EX_OSERR : EX_DATAERR;
}

static int out_of_reach(struct report_model *m, enum status st)
{
    cli_error("%s", st == STATUS_NOMEM ? "out of memory" : store_error(m->store));
    return code_of(st);
}

static enum status model_fill(struct report_model *m, const struct ledger_args *a)
{
    enum status st = m->arena ? STATUS_OK : STATUS_NOMEM;
    if (st == STATUS_OK && a->html && !a->annual) /* the others show no decisions */
        st = next_decisions(m->arena, a->policy ? a->policy : CLI_POLICY_PATH, m->store, m->decisions, REPORT_DECISIONS,
                            &m->decision_count);
    if (st == STATUS_OK)
        st = report_own_read(m, a->checks);
    return st == STATUS_OK ? report_model_fill(m) : st;
}

static int write_metrics(const struct report_model *m, const char *path)
{
    struct buf b = BUF_INIT;
    report_metrics(m, &b);
    return cli_flush_to_file(path, &b, 0644) ? EX_OK : EX_CANTCREAT;
}

static int print_annual(const struct report_model *m)
{
    struct buf b = BUF_INIT;
    annual_text(m, &b);
    return cli_flush(&b) ? EX_OK : EX_IOERR;
}

/* What is shown to the world is kept in the ledger, which is otherwise only read. */
static enum status model_publish(const struct report_model *m, const struct ledger_args *a, char why[FOLDER_WHY])
{
    char error[STORE_ERROR];
    enum status st = STATUS_OK;
    const char *where = a->store ? a->store : policy_set_text(m->policy, SETTING_LEDGER_STORE);
    struct store *kept = store_open(where, STORE_WRITE, &st, error);
    if (!kept) {
        snprintf(why, FOLDER_WHY, "the ledger cannot keep what is published: %s", error);
        return st;
    }
    st = publish_write(m, kept, a->publish, why);
    store_close(kept);
    return st;
}

/* All that was asked for, of the model that is filled. */
static int write_all(const struct report_model *m, const struct ledger_args *a)
{
    char why[FOLDER_WHY] = "";
    enum status st = STATUS_OK;
    if (a->annual && !a->html && !a->publish)
        return print_annual(m);
    if (a->html)
        st = a->annual ? annual_write(m, a->html, why) : site_write(m, a->html, why);
    if (st == STATUS_OK && a->publish)
        st = model_publish(m, a, why);
    if (st != STATUS_OK) {
        cli_error("%s", why);
        return st == STATUS_AGAIN ? EX_TEMPFAIL : EX_CANTCREAT;
    }
    return a->prometheus ? write_metrics(m, a->prometheus) : EX_OK;
}

/* Whether the path is the folder, or lies below it. */
static bool is_within(const char *path, const char *folder)
{
    char inner[PATH_MAX], outer[PATH_MAX];
    folder_real_path(path, inner);
    folder_real_path(folder, outer);
    size_t n = strlen(outer);
    while (n > 1 && outer[n - 1] == '/')
        n--;
    return strncmp(inner, outer, n) == 0 && (n == 1 || inner[n] == '/' || inner[n] == '\0');
}

/* What would be written over what else is written, or would show the world what is not for it. NULL: nothing. */
static const char *collision(const struct ledger_args *a)
{
    const char *folders[] = {a->html, a->publish};
    if (a->html && a->publish && (is_within(a->html, a->publish) || is_within(a->publish, a->html)))
        return "--html and --publish: neither folder may be in the other";
    for (size_t i = 0; a->prometheus && i < 2; i++) {
        char log[PATH_MAX];
        if (!folders[i])
            continue;
        size_t n = strlen(folders[i]);
        while (n > 1 && folders[i][n - 1] == '/')
            n--;
        snprintf(log, sizeof log, "%.*s" FOLDER_PUBLISHED, (int)n, folders[i]);
        if (is_within(a->prometheus, folders[i]) || is_within(a->prometheus, log))
            return "--prometheus: the file may not be in a folder that is written, or be its log";
    }
    return NULL;
}

static bool is_in_the_way(const struct ledger_args *a)
{
    char why[FOLDER_WHY] = "";
    if ((!a->html || folder_may_write(a->html, FOLDER_PRIVATE, why)) &&
        (!a->publish || folder_may_write(a->publish, FOLDER_OPEN, why)))
        return false;
    cli_error("%s", why);
    return true;
}

int report_site(const struct report *r, const struct ledger_args *a)
{
    struct report_model m = {.language = a->language_given ? a->language : language_of_user(),
                             .policy = r->policy,
                             .store = r->store,
                             .since_day = r->since_day,
                             .until_day = r->until_day,
                             .made = clock_wall()};
    const char *wrong = collision(a);
    if (wrong)
        return cli_usage("%s", wrong);
    if (a->checks && access(a->checks, R_OK | X_OK) != 0) {
        cli_error("--checks: %s: %s", a->checks, strerror(errno));
        return EX_NOINPUT;
    }
    if (is_in_the_way(a))
        return EX_CANTCREAT;
    if (a->annual) {
        char day[TIMESTAMP_TEXT];
        int64_t last = 0, today = m.made / 86400;
        snprintf(day, sizeof day, "%04d-01-01", (int)a->annual);
        (void)timestamp_day_from_text(day, &m.since_day);
        snprintf(day, sizeof day, "%04d-12-31", (int)a->annual);
        (void)timestamp_day_from_text(day, &last);
        snprintf(day, sizeof day, "%04d-01-01", (int)a->annual - 1);
        (void)timestamp_day_from_text(day, &m.before_day);
        m.until_day = last < today ? last : today;
    }
    m.arena = arena_new(ARENA_MOST);
    enum status st = model_fill(&m, a);
    int rc = st == STATUS_OK ? write_all(&m, a) : out_of_reach(&m, st);
    report_model_free(&m);
    return rc;
}
