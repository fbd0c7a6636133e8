// SPDX-License-Identifier: BSD-2-Clause
/*
 * model_own.c - grades of our own domains, from facts that `assay check` kept (model.h).
 *
 * They are in the ledger (--keep), or in a folder (--save): files of facts, or folders of them (a day each). Each is
 * judged by the check's own function, so that a grade here is the one that the command shows. What is no regular file,
 * too large or broken is passed over. At most OWN_FILES are read and REPORT_GRADES of a domain kept, the newest.
 */
#include "base/rootfile.h"
#include "ledger/domain_checks.h"
#include "report/model.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_FILES 4000
#define OWN_DOMAINS 200
#define FILE_OCTETS ((size_t)4 << 20)
#define JUDGE_ARENA ((size_t)64 << 20)

struct reading {
    struct report_model *m;
    size_t files;
    time_t newest[OWN_DOMAINS];
};

static struct report_own *own_of(struct reading *x, const char *domain)
{
    struct report_model *m = x->m;
    for (size_t i = 0; i < m->own_count; i++)
        if (strcmp(m->own[i].domain, domain) == 0)
            return &m->own[i];
    if (m->own_count == OWN_DOMAINS)
        return NULL;
    struct report_own *o = &m->own[m->own_count];
    *o = (struct report_own){.domain = arena_strdup(m->arena, domain)};
    for (size_t i = 0; i < CHECK_FIRST; i++)
        o->first[i] = CHECK_TESTS;
    return o->domain ? &m->own[m->own_count++] : NULL;
}

/* In the order of days; one a day, the last. */
static void add_grade(struct report_own *o, const struct report_grade *g)
{
    size_t at = o->count;
    while (at && o->grades[at - 1].day > g->day)
        at--;
    if (at && o->grades[at - 1].day == g->day) {
        o->grades[at - 1] = *g;
        return;
    }
    if (o->count == REPORT_GRADES) {
        if (at == 0)
            return;
        memmove(o->grades, o->grades + 1, (REPORT_GRADES - 1) * sizeof *o->grades);
        o->count--;
        at--;
    }
    memmove(o->grades + at + 1, o->grades + at, (o->count - at) * sizeof *o->grades);
    o->grades[at] = *g;
    o->count++;
}

static void keep_transport(struct report_model *m, const struct check_report *r, struct report_own *o)
{
    static const enum check_test tests[REPORT_OWN_TESTS] = {CHECK_DNSSEC_SIGNED, CHECK_STARTTLS, CHECK_CERT_DATES,
                                                            CHECK_DANE, CHECK_DANE_MATCH};
    for (size_t i = 0; i < REPORT_OWN_TESTS; i++) {
        const struct check_result *x = &r->results[tests[i]];
        bool shown = x->state != CHECK_NOT_APPLICABLE && x->evidence;
        o->transport[i] =
            (struct report_own_test){tests[i], x->state, shown ? arena_strdup(m->arena, x->evidence) : NULL};
    }
}

static void own_judge(void *context, struct slice text)
{
    struct reading *x = context;
    struct arena *a = arena_new(JUDGE_ARENA);
    const char *error = NULL;
    struct check_report report;
    struct facts *facts = a ? facts_read(a, text, &error) : NULL;
    if (facts && check_judge(a, facts, 0, x->m->language, &report, &error) == STATUS_OK &&
        policy_is_own_domain(x->m->policy, report.domain)) {
        struct report_own *o = own_of(x, report.domain);
        const struct report_grade g = {.day = report.at / 86400,
                                       .grade = report.grade,
                                       .least = report.least,
                                       .score = report.score,
                                       .failed = report.counts[CHECK_FAIL],
                                       .untested = report.counts[CHECK_UNTESTED]};
        if (o)
            add_grade(o, &g);
        if (o && report.at >= x->newest[o - x->m->own]) {
            x->newest[o - x->m->own] = report.at;
            memcpy(o->first, report.first, sizeof o->first);
            keep_transport(x->m, &report, o);
        }
    }
    arena_free(a);
}

static void read_file(struct reading *x, int folder, const char *name)
{
    struct stat st;
    struct buf text = {.p = buf_empty, .bound = FILE_OCTETS + 1};
    char chunk[65536];
    ssize_t n = 0;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size <= FILE_OCTETS)
        while ((n = read(fd, chunk, sizeof chunk)) > 0 && !text.failed)
            buf_add(&text, chunk, (size_t)n);
    close(fd);
    if (n == 0 && text.n && !text.failed)
        own_judge(x, buf_slice(&text));
    buf_release(&text);
}

static void read_folder(struct reading *x, int fd, unsigned depth)
{
    DIR *d = fdopendir(fd);
    for (struct dirent *e; d && x->files < OWN_FILES && (e = readdir(d));) {
        struct stat st;
        if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(st.st_mode)) {
            x->files++;
            read_file(x, dirfd(d), e->d_name);
        } else if (S_ISDIR(st.st_mode) && depth) {
            int below = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0)
                read_folder(x, below, depth - 1);
        }
    }
    if (d)
        closedir(d);
    else
        close(fd);
}

enum status report_own_read(struct report_model *m, const char *folder)
{
    struct reading x = {.m = m};
    m->own = ARENA_ARRAY(m->arena, struct report_own, OWN_DOMAINS);
    if (!m->own)
        return STATUS_NOMEM;
    if (!folder)
        return domain_check_each(m->store, m->until_day, OWN_FILES, own_judge, &x);
    int fd = rootfile_folder(folder);
    if (fd >= 0)
        read_folder(&x, fd, 1);
    return STATUS_OK;
}
