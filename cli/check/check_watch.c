// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_watch.c - the state of `assay check --watch` (check_watch.h).
 *
 * Promises that a file that is damaged costs the comparison of the lines that cannot be read and nothing else, that a
 * file without any line of a state is somebody else's and is not touched, and that a crash leaves the old file or the
 * new one, whole.
 */
#include "cli/check/check_watch.h"
#include "base/domain.h"
#include "base/rootfile.h"
#include "cli/cli.h"
#include "ledger/domain_checks.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STATE_OCTETS (16u << 20)

struct watch {
    const char *path;   /* NULL: the ledger */
    const char *ledger; /* where it is */
    struct buf before, after;
};

/* A state is compared with and nothing more, so it may be anybody's. */
static uid_t owner_of(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 ? st.st_uid : ROOTFILE_NOBODY;
}

static void add_seen(void *context, const char *domain, const char *state)
{
    buf_printf(context, "%s\t%s\n", domain, state);
}

static bool read_ledger(struct watch *w)
{
    char why[STORE_ERROR];
    struct store *s = store_open(w->ledger, STORE_READ, NULL, why);
    if (!s) {
        cli_error("--watch without --state: %s", why);
        return false;
    }
    bool good = domain_watch_each(s, add_seen, &w->before) == STATUS_OK && !w->before.failed;
    if (!good)
        cli_error("--watch: %s", w->before.failed ? "out of memory" : store_error(s));
    store_close(s);
    return good;
}

/* In one transaction, so that a run is noted wholly or not at all. */
static bool write_ledger(struct watch *w)
{
    char why[STORE_ERROR];
    struct store *s = store_open(w->ledger, STORE_WRITE, NULL, why);
    enum status st = s ? store_begin(s) : STATUS_DENIED;
    for (char *p = w->after.p, *end; st == STATUS_OK && (end = strchr(p, '\n')); p = end + 1) {
        char *tab = strchr(p, '\t');
        *end = *tab = '\0';
        st = domain_watch_put(s, p, tab + 1);
    }
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK)
        cli_error("--watch: %s", s ? store_error(s) : why);
    if (s && st != STATUS_OK)
        store_rollback(s);
    store_close(s);
    return st == STATUS_OK;
}

/* DOMAIN, tab, grade, tab. */
static bool is_state_line(const char *line)
{
    const char *tab = strchr(line, '\t'), *end = tab ? strchr(tab + 1, '\t') : NULL;
    char domain[LIMIT_DOMAIN + 1];
    if (!end || domain_from_text(slice_of(line, (size_t)(tab - line)), domain) != STATUS_OK)
        return false;
    struct slice grade = slice_of(tab + 1, (size_t)(end - tab - 1));
    for (int g = CHECK_A_PLUS; g <= CHECK_F; g++)
        if (slice_eq(grade, slice_str(check_grade_name((enum check_grade)g))))
            return true;
    return false;
}

/* Tells whether --watch may write a file anew: it is empty, or has a line of a state. */
static bool is_ours(const struct buf *b)
{
    bool ours = b->n == 0;
    for (const char *p = b->n ? b->p : NULL; p && !ours; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        ours = is_state_line(p);
    return ours;
}

struct watch *watch_open(const char *path, const struct policy *policy)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->path = path;
    w->before = (struct buf){.p = buf_empty, .bound = STATE_OCTETS};
    w->after = BUF_INIT;
    if (!path) {
        w->ledger = policy_set_text(policy, SETTING_LEDGER_STORE);
        if (read_ledger(w))
            return w;
        buf_release(&w->before);
        free(w);
        return NULL;
    }
    enum status s = rootfile_read(path, owner_of(path), STATE_OCTETS, &w->before);
    if (s == STATUS_MISSING || (s == STATUS_OK && is_ours(&w->before)))
        return w;
    cli_error("%s: %s", path,
              s == STATUS_OK        ? "not a file that --watch wrote"
              : s == STATUS_LIMIT   ? "a state of --watch is at most 16 MB"
              : s == STATUS_INVALID ? "not a regular file"
                                    : strerror(errno));
    buf_release(&w->before);
    free(w);
    return NULL;
}

/* The line of a domain, its name left out; NULL: none. */
static const char *line_of(const struct watch *w, const char *domain)
{
    size_t n = strlen(domain);
    for (const char *p = w->before.p; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        if (strncmp(p, domain, n) == 0 && p[n] == '\t')
            return p + n + 1;
    return NULL;
}

static bool was_unmet(const char *tests, const char *test)
{
    size_t n = strlen(test);
    for (const char *p = tests; p && *p && *p != '\n'; p += strcspn(p, ",\n"), p += *p == ',')
        if (strncmp(p, test, n) == 0 && (p[n] == ',' || p[n] == '\n' || !p[n]))
            return true;
    return false;
}

static void show_tests(const struct check_one *one, const char *tests, struct buf *out)
{
    for (int i = 0; i < CHECK_TESTS; i++) {
        const char *name = check_test_info((enum check_test)i)->name;
        const struct check_result *r = &one->report.results[i];
        bool before = was_unmet(tests, name), now = r->state >= CHECK_ADVICE;
        if (now && !before)
            buf_printf(out, "%s: %s is no longer met: %s\n", one->domain, name, r->evidence);
        else if (before && r->state <= CHECK_NOTE && r->state != CHECK_NOT_APPLICABLE)
            buf_printf(out, "%s: %s is met again\n", one->domain, name);
    }
}

static void result_note(struct watch *w, const struct check_one *one, unsigned unsure, const char *tests)
{
    buf_printf(&w->after, "%s\t%s\t%u\t%u\t", one->domain, check_grade_name(one->report.grade), one->report.score,
               unsure);
    const char *comma = "";
    for (int i = 0; i < CHECK_TESTS; i++) {
        const char *name = check_test_info((enum check_test)i)->name;
        enum check_state s = one->report.results[i].state;
        /* What could not be tested stays as it was seen last, and so does what then seems not to apply. */
        bool unknown = s == CHECK_UNTESTED || (unsure && s == CHECK_NOT_APPLICABLE);
        if (s >= CHECK_ADVICE || (unknown && was_unmet(tests, name))) {
            buf_printf(&w->after, "%s%s", comma, name);
            comma = ",";
        }
    }
    buf_addc(&w->after, '\n');
}

void watch_show(struct watch *w, const struct check_one *one, struct buf *out)
{
    const struct check_report *r = &one->report;
    const char *line = line_of(w, one->domain), *tests = NULL;
    char grade[8] = "", now[CHECK_GRADE_WORDS];
    unsigned score = 0, unsure = 0;
    int at = 0;
    /* No blank behind the last number: in a format it stands for any white space, the line's end too. */
    if (line && sscanf(line, "%7[^\t\n]\t%u\t%u%n", grade, &score, &unsure, &at) == 3 && line[at] == '\t')
        tests = line + at + 1;
    unsure = r->least != r->grade ? unsure + 1 : 0;
    if (!tests)
        buf_printf(out, "%s: seen for the first time: grade %s, %u of 100%s\n", one->domain, check_grade_words(r, now),
                   r->score, r->least == r->grade ? "" : " of what could be tested");
    else if (strcmp(grade, check_grade_name(r->grade)) != 0 && (!unsure || unsure >= WATCH_PATIENCE))
        buf_printf(out, "%s: grade %s, %u of 100%s; it was %s, %u\n", one->domain, check_grade_words(r, now), r->score,
                   r->least == r->grade ? "" : " of what could be tested", grade, score);
    if (tests)
        show_tests(one, tests, out);
    if (unsure == WATCH_PATIENCE)
        buf_printf(out, "%s: could not be tested wholly for the third time in a row\n", one->domain);
    result_note(w, one, unsure, tests);
}

/* Domains that this run did not look at keep their lines. */
static void keep_others(struct watch *w)
{
    for (const char *p = w->before.p, *end; p && *p; p = end + 1) {
        end = strchr(p, '\n');
        if (!end)
            return;
        size_t n = strcspn(p, "\t\n");
        bool known = false;
        for (const char *q = w->after.p; q && *q && !known; q = strchr(q, '\n') ? strchr(q, '\n') + 1 : NULL)
            known = strncmp(q, p, n + 1) == 0;
        if (!known)
            buf_add(&w->after, p, (size_t)(end - p) + 1);
    }
}

int watch_close(struct watch *w)
{
    static const struct rootfile_rights rights = {.mode = 0644, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    bool good;
    if (w->path) {
        keep_others(w);
        good = !w->after.failed && rootfile_write(w->path, buf_slice(&w->after), &rights) == STATUS_OK;
        if (!good)
            cli_error("%s: %s", w->path, w->after.failed ? "out of memory" : strerror(errno));
    } else {
        good = !w->after.failed && write_ledger(w);
        if (w->after.failed)
            cli_error("--watch: out of memory");
    }
    buf_release(&w->before);
    buf_release(&w->after);
    free(w);
    return good ? 0 : -1;
}
