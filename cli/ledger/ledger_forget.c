// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_forget.c - `assay ledger forget` and `assay ledger tidy`: deletes from the ledger by command.
 *
 * Promises that forget first ingests the waiting journals, so that nothing of the subject comes back from there, and
 * that it names what it cannot reach: segments that are still being written, and backups. On failure: the exit codes of
 * ledger_args.c; what was deleted before it stays deleted, and the command can be repeated.
 */
#include "base/domain.h"
#include "base/ip.h"
#include "base/rootfile.h"
#include "cli/ledger/ledger.h"
#include "journal/journal_read.h"
#include "ledger/inbox.h"
#include "ledger/ingest.h"
#include "ledger/mention.h"
#include "ledger/retention.h"
#include "ledger/store_backup.h"
#include "ledger/store_lease.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST ((size_t)256 << 20)

/* The canonical name or address of what was typed: "2001:db8:0::1", "EXAMPLE.org." */
static bool canonical(const char *word, char out[LIMIT_DOMAIN + 1])
{
    struct ip ip;
    size_t n = strlen(word);
    char text[IP_TEXT];
    if (ip_from_text(slice_str(word), &ip) == STATUS_OK) {
        snprintf(out, LIMIT_DOMAIN + 1, "%s", ip_text(&ip, text));
        return true;
    }
    return domain_from_text(slice_of(word, n && word[n - 1] == '.' ? n - 1 : n), out) == STATUS_OK;
}

/* A file without the lines that mention the subject. Returns how many those were; -1: it could not be read or written.
 * */
static int64_t strip_file(const char *path, const char *subject, bool write)
{
    struct buf kept = BUF_INIT;
    char *line = NULL;
    size_t room = 0;
    int64_t found = 0;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!f || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size > FILE_MOST) {
        if (f)
            fclose(f);
        return -1;
    }
    for (ssize_t n; (n = getline(&line, &room, f)) > 0;) {
        if (mention_of(line, subject))
            found++;
        else
            buf_add(&kept, line, (size_t)n);
    }
    const struct rootfile_rights rights = {.mode = st.st_mode & 0777, .uid = st.st_uid, .gid = st.st_gid};
    if (found && write && (kept.failed || rootfile_write(path, buf_slice(&kept), &rights) != STATUS_OK))
        found = -1;
    fclose(f);
    free(line);
    buf_release(&kept);
    return found;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), k = strlen(end);
    return n > k && strcmp(name + n - k, end) == 0;
}

/* What is left in a folder of journals: segments set aside are stripped, the others named. */
static int64_t forget_folder(const char *dir, const char *subject, bool dry_run)
{
    int64_t lines = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        bool aside = ends_with(e->d_name, ".bad") || ends_with(e->d_name, ".bad.why");
        bool segment = strstr(e->d_name, ".journal") != NULL;
        if (!aside && !segment)
            continue;
        int64_t n = strip_file(path, subject, aside && !dry_run);
        if (n < 0)
            cli_error("%s: not reached: %s", path, strerror(errno));
        else if (n && aside)
            lines += n;
        else if (n)
            printf("not reached: %s is still being written and mentions %s; it goes when it is closed and ingested\n",
                   path, subject);
    }
    if (d)
        closedir(d);
    return lines;
}

static bool never(void)
{
    return false;
}

/* What is in journals, and what other hosts have sent and nobody has taken in yet. */
static enum status take_in(struct store *s, const struct policy *p, const struct ledger_config *c)
{
    struct organisation_lists *lists = organisation_lists_new(p);
    struct ingest_report report = {0};
    enum status st = lists ? STATUS_OK : STATUS_NOMEM;
    for (size_t i = 0; i < c->folder_count && st == STATUS_OK; i++) {
        st = ingest_folder(s, lists, c->folders[i], never, &report);
        if (st == STATUS_AGAIN && report.refused) {
            st = STATUS_DENIED;
            break;
        }
        if (st == STATUS_MISSING || st == STATUS_DENIED) {
            if (st == STATUS_DENIED)
                printf("not reached: the journals in %s\n", c->folders[i]);
            st = STATUS_OK;
        }
    }
    if (st == STATUS_OK)
        st = inbox_take(s, lists, never, &report);
    organisation_lists_free(lists);
    return st;
}

static enum status subject_forget(struct store *s, const struct policy *p, const struct ledger_config *c,
                                  const char *subject, bool dry_run)
{
    int64_t rows = 0, lines = 0;
    enum status st = dry_run ? STATUS_OK : ledger_wait_for_lease(s, "forget");
    if (st == STATUS_OK && !dry_run)
        st = take_in(s, p, c);
    if (st == STATUS_OK)
        st = retention_forget(s, subject, dry_run, &rows);
    for (size_t i = 0; i < c->folder_count && st == STATUS_OK; i++)
        lines += forget_folder(c->folders[i], subject, dry_run);
    if (st != STATUS_OK)
        return st;
    printf(dry_run ? "Would delete %lld %s about %s.\n" : "Deleted %lld %s about %s.\n", (long long)(rows + lines),
           rows + lines == 1 ? "entry" : "entries", subject);
    struct store_rows *r = store_ask(s, "SELECT name FROM ledger_state WHERE name LIKE 'backup:%' ORDER BY name", "");
    while (store_next(r)) {
        const char *path = store_text(r, 0) + strlen("backup:");
        char part[PATH_MAX];
        snprintf(part, sizeof part, "%s" STORE_BACKUP_PART, path);
        if (access(path, F_OK) == 0)
            printf("not reached: the backup %s\n", path);
        if (access(part, F_OK) == 0)
            printf("not reached: the backup %s, which is not whole\n", part);
    }
    return store_done(r);
}

int ledger_forget(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "[--dry-run | --yes] DOMAIN|ADDRESS",
        "Deletes everything about a domain (and all below), or about a client's address, from the ledger, from "
        "segments that were set aside, and from journals, which it ingests first. Sums over all domains keep their "
        "numbers. Asks first; without a terminal it needs --yes. Names what it cannot change."};
    struct ledger_args a;
    struct ledger_config c;
    const struct policy *p;
    char subject[LIMIT_DOMAIN + 1];
    int rc = ledger_args_read(&a, argc, argv, LEDGER_STORE | LEDGER_DRY_RUN | LEDGER_YES, 1, 1, &usage);
    if (rc >= 0)
        return rc;
    if (!canonical(a.words[0], subject))
        return cli_usage("'%s' is neither a domain name nor an address", a.words[0]);
    if (!a.dry_run && !a.yes && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
        return cli_usage("forget deletes for good: say --yes, or --dry-run to see how much it is");
    struct store *s = ledger_store(&a, STORE_WRITE, &c, &p, &rc);
    if (!s)
        return rc;
    if (a.store)
        c.folder_count = 0; /* another ledger: the journals are not its own */
    enum status st = a.yes && !a.dry_run ? STATUS_OK : subject_forget(s, p, &c, subject, true);
    if (st == STATUS_OK && !a.dry_run && !a.yes && !cli_confirm("\nDelete all of it for good?")) {
        printf("Nothing was deleted.\n");
        return ledger_end(s, p, STATUS_OK);
    }
    if (st == STATUS_OK && !a.dry_run)
        st = subject_forget(s, p, &c, subject, false);
    return ledger_end(s, p, st);
}

int ledger_tidy(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "[--now]", "Deletes what is older than it may be kept, as assay-ledger does every hour."};
    struct ledger_args a;
    struct ledger_config c;
    const struct policy *p;
    int rc = ledger_args_read(&a, argc, argv, LEDGER_STORE | LEDGER_NOW, 0, 0, &usage);
    if (rc >= 0)
        return rc;
    struct store *s = ledger_store(&a, STORE_WRITE, &c, &p, &rc);
    if (!s)
        return rc;
    char why[STORE_ERROR];
    struct retention_time t = retention_time_read();
    struct retention_keep keep = {c.keep_identity, c.keep_mails, c.keep_days};
    int64_t now = 0, rows = 0;
    bool held = false;
    /* Without --now it is a timer's: who has the lease does the same, or it is left to the next time. */
    enum status st = a.now ? ledger_wait_for_lease(s, "retention") : store_lease_take(s, "retention");
    if (st == STATUS_OK)
        st = retention_clock(s, &t, a.now, &now, &held, why);
    if (st == STATUS_OK && !held)
        st = retention_run(s, &keep, now, NULL, &rows);
    if (st == STATUS_OK && held)
        cli_error("%s", why);
    else if (st == STATUS_OK)
        printf("Deleted or cleared %lld %s.\n", (long long)rows, rows == 1 ? "entry" : "entries");
    rc = ledger_end(s, p, st);
    return rc == EX_OK && held ? EX_TEMPFAIL : rc;
}
