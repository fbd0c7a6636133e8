// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_read_report.c - `assay ledger read-report`: reports that others sent about our domains, into the ledger.
 *
 * Promises that each report in a file is taken wholly or is named with the reason, a repeat is named as such and
 * changes nothing, and a bad file stops none of the others. No input makes the process larger than MEMORY_MOST: what
 * needs more is refused. On failure of any: EX_DATAERR (EX_NOINPUT where a file cannot be read), after all were tried.
 */
#include "base/arena.h"
#include "base/utf8.h"
#include "cli/ledger/ledger.h"
#include "feedback/report_sender.h"
#include "ledger/timestamp.h"
#include "policy/policy_settings.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ARENA_BOUND ((size_t)512 << 20)
#define MEMORY_MOST ((rlim_t)1 << 30)
#define HEAD_BOUND ((size_t)4 << 20)
#define OVER_SENDER "not taken: its sender has brought as many reports today as are taken (1,000, or 1 GB)"
#define OVER_STRANGERS                                                                                                 \
    "not taken: senders that are not authenticated have brought as many reports today as are taken (1,000, or 1 GB)"
#define WATCH_SECONDS 5

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
    const char *authserv_id, *sender;
    const char *where; /* the store */
};

/* False with errno. What is no plain file is not opened: a FIFO in a mailbox would stop us. */
static bool read_file(const char *path, bool mailbox, struct buf *out)
{
    char space[65536];
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    int fd =
        standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (mailbox ? O_NOFOLLOW | O_NONBLOCK : 0));
    ssize_t n = fd >= 0 ? 1 : -1;
    if (fd >= 0 && mailbox && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        errno = EINVAL;
        n = -1;
    }
    while (n > 0 && out->n <= REPORT_IN_FILE && (n = read(fd, space, sizeof space)) > 0)
        buf_add(out, space, (size_t)n);
    int error = errno;
    if (fd >= 0 && !standard)
        close(fd);
    errno = error;
    return n >= 0;
}

static void failed(struct reading *r, const char *where, const char *why, int rc)
{
    struct buf name = BUF_INIT; /* a file's name, and names out of the mail: anybody's */
    utf8_add_visible(&name, slice_str(where));
    cli_error("%s: %s", name.failed ? "" : name.p, why);
    buf_release(&name);
    r->worst = rc;
}

static void unread(void *context, const char *where, const char *why)
{
    failed(context, where, why, EX_DATAERR);
}

static int64_t sum_of(const struct report_in *in)
{
    int64_t sum = 0; /* REPORT_IN_ROWS times REPORT_COUNT_MAX fits */
    for (size_t i = 0; i < in->row_count; i++)
        sum += in->rows[i].count;
    return sum;
}

static void show(struct reading *r, const char *where, const struct report_in *in, bool fresh)
{
    table_text(r->table, where);
    table_text(r->table, in->kind == REPORT_IN_DMARC ? "dmarc" : "tls");
    table_text(r->table, in->org);
    table_text(r->table, in->sender ? in->sender : "");
    table_text(r->table, in->proof == REPORT_IN_PROVED       ? "yes"
                         : in->proof == REPORT_IN_NOT_PROVED ? "no"
                                                             : "not known");
    table_text(r->table, in->domain);
    table_moment(r->table, in->begin * TIMESTAMP_SECOND);
    table_number(r->table, (int64_t)in->row_count);
    table_number(r->table, sum_of(in));
    table_text(r->table, !fresh        ? "was there"
                         : in->others  ? "taken, about others"
                         : in->partial ? "taken in part"
                                       : "taken");
    table_text(r->table, in->partial ? in->partial : "");
}

/* What its mail proves about a report. */
static void prove(const struct reading *r, struct report_in *in)
{
    in->by_mail = r->by_mail;
    in->sender = r->sender;
    if (r->by_mail)
        in->proof = report_sender_speaks_for(r->sender, in) ? REPORT_IN_PROVED : REPORT_IN_NOT_PROVED;
}

/* One report about one domain. */
static void take(struct reading *r, const char *where, struct report_in *in)
{
    bool fresh = false;
    in->others = r->has_own && !policy_is_own_domain(r->policy, in->domain);
    prove(r, in);
    enum status st = report_in_store(r->store, in, where, &fresh);
    if (st == STATUS_OK)
        show(r, where, in, fresh);
    else if (st == STATUS_LIMIT)
        failed(r, where, in->proof == REPORT_IN_PROVED ? OVER_SENDER : OVER_STRANGERS, EX_DATAERR);
    else
        failed(r, where, store_error(r->store), EX_TEMPFAIL);
}

static void found(void *context, const char *where, struct slice text)
{
    struct reading *r = context;
    struct arena *a = arena_new(ARENA_BOUND);
    struct report_in whole, one;
    char why[200] = "";
    enum status st = a ? report_in_parse(a, text, &whole, why) : STATUS_NOMEM;
    for (size_t i = 0; st == STATUS_OK && (st = report_in_about(a, &whole, i, &one)) == STATUS_OK; i++) {
        one.octets = i ? 0 : text.n; /* of a sender's day they count once */
        take(r, where, &one);
    }
    if (st != STATUS_MISSING) /* there is no further domain */
        failed(r, where, why[0] ? why : status_text(st), EX_DATAERR);
    arena_free(a);
}

static bool take_file(struct reading *r, const char *path)
{
    struct buf file = {.p = buf_empty, .bound = REPORT_IN_FILE + 65536};
    const struct report_in_walker to = {found, unread, r};
    struct arena *head = r->by_mail ? arena_new(HEAD_BOUND) : NULL;
    bool ok = read_file(path, r->by_mail, &file);
    r->sender = NULL;
    if (ok && head && report_sender_read(head, buf_slice(&file), r->authserv_id, &r->sender) != STATUS_OK)
        r->sender = NULL; /* its header is larger than any honest one: nothing is proved */
    if (!ok)
        failed(r, path, errno == EINVAL || errno == ELOOP || errno == ENXIO ? "not a plain file" : strerror(errno),
               EX_NOINPUT);
    else
        report_in_walk(buf_slice(&file), path, &to);
    buf_release(&file);
    arena_free(head);
    return ok;
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
        snprintf(to, sizeof to, "%s/cur/%s:2,S", dir, e->d_name);
        int before = r->worst;
        r->worst = EX_OK;
        (void)take_file(r, from);
        bool moved = r->worst == EX_TEMPFAIL || rename(from, to) == 0;
        if (!moved)
            failed(r, to, strerror(errno), EX_CANTCREAT);
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
        failed(r, r->where, why, EX_TEMPFAIL);
    return r->store != NULL;
}

static bool read_all(struct reading *r, const struct ledger_args *a)
{
    bool ok = true;
    for (int i = 0; i < a->word_count; i++)
        (void)take_file(r, a->words[i]);
    r->by_mail = a->maildir != NULL;
    while (a->maildir) {
        if (store_is_replaced(r->store) && !open_again(r))
            break;
        enum status st = take_maildir(r, a->maildir);
        if (st == STATUS_MISSING)
            failed(r, a->maildir, "there is no maildir (a folder with new and cur)", EX_NOINPUT);
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
    (void)setrlimit(RLIMIT_AS, &(struct rlimit){MEMORY_MOST, MEMORY_MOST});
    struct reading r = {.worst = EX_OK, .table = new_table()};
    r.store = ledger_store(&a, STORE_WRITE, &c, &p, &rc);
    if (!r.store)
        return rc;
    r.policy = p;
    r.where = c.store;
    r.authserv_id = our_name(p);
    r.has_own = has_own_domains(p);
    bool ok = read_all(&r, &a);
    table_free(r.table);
    rc = ledger_end(r.store, p, STATUS_OK);
    return r.worst != EX_OK ? r.worst : ok ? rc : EX_IOERR;
}
