// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_read_report.c - `assay ledger read-report`: reports that others sent about our domains, into the ledger.
 *
 * Promises that each report in a file is taken wholly or is named with the reason, a repeat is named as such and
 * changes nothing, and a bad file stops none of the others. Files are read by processes of their own (report_reader.h).
 * On failure of any: EX_DATAERR (EX_NOINPUT where a file cannot be read), after all were tried.
 */
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/ledger/ledger.h"
#include "feedback/dmarc_claim.h"
#include "feedback/report_reader.h"
#include "feedback/report_store.h"
#include "ledger/timestamp.h"
#include "policy/policy_settings.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OVER_SENDER "not taken: its sender has brought as many reports today as are taken (1,000, or 1 GB)"
#define OVER_STRANGERS                                                                                                 \
    "not taken: senders that are not authenticated have brought as many reports today as are taken (1,000, or 1 GB)"
#define WATCH_SECONDS 5
#define SEEN ":2,S"

static const struct ledger_usage usage = {
    "FILE...\n--maildir FOLDER [--watch]",
    "Takes DMARC aggregate reports (XML; RFC 9990 and RFC 7489) and SMTP TLS reports (JSON; RFC 8460) into the ledger. "
    "A file may be packed (gzip, zip), or be the mail that brought it, or an mbox; every report in it is taken. '-' is "
    "standard input."};

struct reading {
    struct store *store;
    const struct policy *policy;
    struct table *table;
    bool has_own; /* the policy names own domains: reports about others are told apart */
    int worst;
    bool by_mail; /* the file is a mail of the mailbox */
    const char *authserv_id;
    struct report_reader *reader;
    const char *where; /* the store */
    /* the report that is coming */
    const struct report_in *report;
    char from[REPORT_IN_WHERE];
    struct report_store_about about[REPORT_IN_DOMAINS];
    enum status status;
};

/* -1 with errno. What is no plain file is not opened from a mailbox: a FIFO in it would stop us. */
static int open_file(const char *path, bool mailbox)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return dup(STDIN_FILENO);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (mailbox ? O_NOFOLLOW | O_NONBLOCK : 0));
    if (fd >= 0 && (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode) || (mailbox && !S_ISREG(st.st_mode)))) {
        errno = S_ISDIR(st.st_mode) && !mailbox ? EISDIR : EINVAL;
        close(fd);
        return -1;
    }
    return fd;
}

static void reading_failed(struct reading *r, const char *where, const char *why, int rc)
{
    struct buf name = BUF_INIT; /* a file's name, and names out of the mail: anybody's */
    utf8_add_visible(&name, slice_str(where));
    cli_error("%s: %s", name.failed ? "" : name.p, why);
    buf_release(&name);
    r->worst = rc;
}

static void unread(void *context, const char *where, const char *why, enum status status)
{
    reading_failed(context, where, why, status == STATUS_AGAIN ? EX_TEMPFAIL : EX_DATAERR);
}

static void report_show(struct reading *r, const struct report_in *in, size_t i)
{
    const struct report_store_about *about = &r->about[i];
    table_text(r->table, r->from);
    table_text(r->table, in->kind == REPORT_IN_DMARC ? "dmarc" : "tls");
    table_text(r->table, in->org);
    table_text(r->table, in->sender ? in->sender : "");
    table_text(r->table, in->proof == REPORT_IN_PROVED       ? "yes"
                         : in->proof == REPORT_IN_NOT_PROVED ? "no"
                                                             : "not known");
    table_text(r->table, in->domains[i]);
    table_moment(r->table, in->begin * TIMESTAMP_SECOND);
    table_number(r->table, (int64_t)about->rows);
    table_number(r->table, about->count);
    table_text(r->table, !about->fresh  ? "was there"
                         : !about->ours ? "taken, about others"
                         : in->partial  ? "taken in part"
                                        : "taken");
    table_text(r->table, in->partial ? in->partial : "");
}

static void head(void *context, const char *where, const struct report_in *in)
{
    struct reading *r = context;
    r->report = in;
    snprintf(r->from, sizeof r->from, "%s", where);
    for (size_t i = 0; i < in->domain_count; i++)
        r->about[i].ours = !r->has_own || policy_is_own_domain(r->policy, in->domains[i]);
    r->status = report_store_begin(r->store, in, where, r->about);
    if (r->status == STATUS_LIMIT)
        reading_failed(r, where, in->proof == REPORT_IN_PROVED ? OVER_SENDER : OVER_STRANGERS, EX_DATAERR);
    else if (r->status != STATUS_OK)
        reading_failed(r, where, store_error(r->store), EX_TEMPFAIL);
}

/* After a failure the rest of the report is not taken, and what was is taken back. */
static void store_failed(struct reading *r, enum status st)
{
    r->status = st;
    report_store_drop(r->store, r->report, r->about);
    reading_failed(r, r->from, store_error(r->store), EX_TEMPFAIL);
}

static void row(void *context, const struct report_in_row *w)
{
    struct reading *r = context;
    enum status st = r->status == STATUS_OK ? report_store_row(r->store, r->report, r->about, w) : STATUS_OK;
    if (st != STATUS_OK)
        store_failed(r, st);
}

static void report_end(void *context, bool whole)
{
    struct reading *r = context;
    if (r->status != STATUS_OK)
        return;
    enum status st = whole ? report_store_end(r->store, r->report, r->about) : STATUS_OK;
    if (!whole)
        report_store_drop(r->store, r->report, r->about);
    else if (st != STATUS_OK)
        store_failed(r, st);
    for (size_t i = 0; whole && st == STATUS_OK && i < r->report->domain_count; i++)
        report_show(r, r->report, i);
}

static void bounced(void *context, const char *where, const char *recipient, const char *code, const char *id)
{
    struct reading *r = context;
    bool noted = false;
    if (dmarc_claim_bounced(r->store, id, recipient, code, &noted) != STATUS_OK)
        reading_failed(r, where, store_error(r->store), EX_TEMPFAIL);
    else if (!noted)
        reading_failed(r, where, "a bounce of no report that was sent to this address", EX_DATAERR);
    if (!noted)
        return;
    const char *const texts[] = {where, "bounce", recipient, "", "", ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        table_text(r->table, texts[i]);
    table_moment(r->table, clock_wall_us());
    table_number(r->table, 0);
    table_number(r->table, 0);
    table_text(r->table, "its address gets no reports for now");
    table_text(r->table, code);
}

static void take_file(struct reading *r, const char *path)
{
    const struct report_reader_to to = {head, row, report_end, unread, bounced, r};
    int fd = open_file(path, r->by_mail);
    if (fd < 0 && errno == ENOENT && r->by_mail)
        return; /* another reader of the mailbox was there before */
    if (fd < 0) {
        reading_failed(r, path,
                       errno == EINVAL || errno == ELOOP || errno == ENXIO ? "not a plain file" : strerror(errno),
                       EX_NOINPUT);
        return;
    }
    report_reader_read(r->reader, fd, path, r->by_mail ? r->authserv_id : NULL, &to);
    close(fd);
}

/* From new to cur, as one that was seen (maildir(5)); a name that says so already, or is too long for more, stays. */
static bool move_mail(const char *from, const char *dir, const char *name, char *to, size_t size)
{
    bool whole = strstr(name, ":2,") || strlen(name) + strlen(SEEN) > NAME_MAX;
    snprintf(to, size, "%s/cur/%s%s", dir, name, whole ? "" : SEEN);
    if (rename(from, to) == 0)
        return true;
    int error = errno;
    bool gone = error == ENOENT && faccessat(AT_FDCWD, from, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
    errno = error;
    return gone; /* by another reader, or a mail program */
}

/* The mails in new, each then in cur (maildir(5)); not if the store was away: it is tried again. STATUS_MISSING: no
 * such folder. STATUS_DENIED: a mail cannot be moved, so that it would be read again and again. */
static enum status take_maildir(struct reading *r, const char *dir)
{
    char from[4096], to[4200];
    snprintf(from, sizeof from, "%s/new", dir);
    bool stuck = false;
    DIR *d = opendir(from);
    if (!d)
        return STATUS_MISSING;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(from, sizeof from, "%s/new/%s", dir, e->d_name);
        int before = r->worst;
        r->worst = EX_OK;
        take_file(r, from);
        bool moved = r->worst == EX_TEMPFAIL || move_mail(from, dir, e->d_name, to, sizeof to);
        if (!moved)
            reading_failed(r, to, strerror(errno), EX_CANTCREAT);
        stuck = stuck || !moved;
        r->worst = r->worst != EX_OK ? r->worst : before;
    }
    closedir(d);
    return stuck ? STATUS_DENIED : STATUS_OK;
}

static struct table *new_table(void)
{
    static const struct table_column columns[] = {{"file", "File"},
                                                  {"kind", "Kind"},
                                                  {"org", "From"},
                                                  {"sender", "Mail from"},
                                                  {"authenticated", "Authenticated"},
                                                  {"domain", "About"},
                                                  {"begin", "Begins"},
                                                  {"rows", "Rows"},
                                                  {"count", "Count"},
                                                  {"state", ""},
                                                  {"partial", "Missing"},
                                                  {NULL, NULL}};
    return table_new(columns);
}

/* As assay-milter calls itself in Authentication-Results. */
static const char *our_name(const struct policy *p)
{
    static char host[256];
    const char *set = policy_set_text(p, SETTING_AUTHSERV_ID);
    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        snprintf(host, sizeof host, "localhost");
    return *set ? set : host;
}

static bool has_own_domains(const struct policy *p)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(p, i)); i++)
        if (s->kind == POLICY_OWN && strcmp(s->name, "domains") == 0)
            return true;
    return false;
}

static bool print(struct reading *r, enum table_form form)
{
    bool ok = table_rows(r->table) == 0 || table_print(r->table, form, "");
    table_free(r->table);
    r->table = new_table();
    fflush(stdout);
    return ok;
}

/* Somebody put a copy in the ledger's place: what is written to the old file would be lost. */
static bool open_again(struct reading *r)
{
    char why[STORE_ERROR];
    store_close(r->store);
    r->store = store_open(r->where, STORE_WRITE, NULL, why);
    if (!r->store)
        reading_failed(r, r->where, why, EX_TEMPFAIL);
    else
        store_shrink(r->store);
    return r->store != NULL;
}

static bool read_all(struct reading *r, const struct ledger_args *a)
{
    bool ok = true;
    for (int i = 0; i < a->word_count; i++)
        take_file(r, a->words[i]);
    r->by_mail = a->maildir != NULL;
    while (a->maildir) {
        if (store_is_replaced(r->store) && !open_again(r))
            break;
        enum status st = take_maildir(r, a->maildir);
        if (st == STATUS_MISSING)
            reading_failed(r, a->maildir, "there is no maildir (a folder with new and cur)", EX_NOINPUT);
        if (st != STATUS_OK || !a->watch)
            break;
        ok = print(r, a->form) && ok;
        nanosleep(&(struct timespec){.tv_sec = WATCH_SECONDS}, NULL);
    }
    return print(r, a->form) && ok;
}

int ledger_read_report(int argc, char **argv)
{
    struct ledger_args a;
    struct ledger_config c;
    const struct policy *p;
    int rc = ledger_args_read(&a, argc, argv, LEDGER_ASK | LEDGER_MAILDIR, 0, 100000, &usage);
    if (rc >= 0)
        return rc;
    if (!a.maildir && (a.watch || a.word_count == 0))
        return cli_usage(a.watch ? "--watch needs --maildir" : "'read-report' needs a file, or --maildir");
    static struct reading r;
    r = (struct reading){.worst = EX_OK, .table = new_table(), .reader = report_reader_start()};
    if (!r.reader) {
        cli_error("no process to read reports: %s", strerror(errno));
        return EX_OSERR;
    }
    r.store = ledger_store(&a, STORE_WRITE, &c, &p, &rc);
    if (!r.store) {
        report_reader_end(r.reader);
        return rc;
    }
    store_shrink(r.store);
    r.policy = p;
    r.where = c.store;
    r.authserv_id = our_name(p);
    r.has_own = has_own_domains(p);
    bool ok = read_all(&r, &a);
    report_reader_end(r.reader);
    table_free(r.table);
    rc = ledger_end(r.store, p, STATUS_OK);
    return r.worst != EX_OK ? r.worst : ok ? rc : EX_IOERR;
}
