// SPDX-License-Identifier: BSD-2-Clause
/*
 * check.c - `assay check`: is a domain safe to write to, and safe from being forged?
 *
 * Reads which domains are meant, lets check_run.c gather and judge them, and shows each in the form asked for. Exit
 * codes: 0 good, 1 warning, 2 critical, 3 unknown, the worst of all domains (unknown only if nothing was worse than
 * good); sysexits for usage and files.
 */
#include "base/array.h"
#include "base/domain.h"
#include "base/rootfile.h"
#include "cli/check/check_cmd.h"
#include "cli/check/check_watch.h"
#include "cli/cli.h"
#include "cli/table.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE 4096

struct command {
    struct check_options o;
    const struct policy *policy;
    char **domains;
    size_t count, room;
    uint32_t *slots; /* by hash: place in domains, plus one; 0: free. 4 * room of them */
    struct watch *watch;
    struct buf out;
    struct check_metrics metrics;
    struct json json;
    int worst;
    int error; /* sysexits: a file could not be written */
    FILE *resume;
};

/* ---- which domains ---- */

/* Where a name stands, or the free slot that it would have. */
static size_t slot_of(const struct command *c, const char *name)
{
    const size_t mask = 4 * c->room - 1; /* a power of two */
    uint32_t hash = 2166136261u;         /* FNV-1a */
    for (const char *p = name; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    size_t i = hash & mask;
    while (c->slots[i] && strcmp(c->domains[c->slots[i] - 1], name) != 0)
        i = (i + 1) & mask;
    return i;
}

static bool more_room(struct command *c)
{
    size_t room = c->room;
    char **more = array_grow(c->domains, &room, 64, sizeof *more);
    if (more)
        c->domains = more;
    uint32_t *slots = more ? calloc(4 * room, sizeof *slots) : NULL;
    if (!slots)
        return false;
    free(c->slots);
    c->slots = slots;
    c->room = room;
    for (size_t i = 0; i < c->count; i++)
        c->slots[slot_of(c, c->domains[i])] = (uint32_t)i + 1;
    return true;
}

static bool add_domain(struct command *c, const char *text, const char *place, unsigned line)
{
    char name[LIMIT_DOMAIN + 1];
    if (!check_domain_name(text, name)) {
        if (line)
            cli_error("%s:%u: '%.260s' is not a domain name", place, line, text);
        else
            cli_error("'%.260s' is not a domain name", text);
        return false;
    }
    if (c->room && c->slots[slot_of(c, name)]) /* a list may repeat itself */
        return true;
    if (c->count == CHECK_DOMAINS) {
        cli_error("at most %d domains in one run", CHECK_DOMAINS);
        return false;
    }
    if (c->count == c->room && !more_room(c))
        return false;
    c->domains[c->count] = strdup(name);
    if (!c->domains[c->count])
        return false;
    c->slots[slot_of(c, name)] = (uint32_t)++c->count;
    return true;
}

/* A list as editors of all systems write it: a byte order mark, CR LF, blanks around a name. One that names nobody is
 * an error: whoever made it failed, and "all good" would hide that. */
static int add_list(struct command *c)
{
    FILE *f = fopen(c->o.list, "re");
    char line[LINE];
    if (!f) {
        cli_error("%s: %s", c->o.list, strerror(errno));
        return EX_NOINPUT;
    }
    int rc = 0;
    bool any = false;
    for (unsigned n = 1; !rc && fgets(line, sizeof line, f); n++) {
        size_t length = strcspn(line, "\n");
        const bool whole = line[length] == '\n' || feof(f);
        while (length && (line[length - 1] == '\r' || line[length - 1] == ' ' || line[length - 1] == '\t'))
            length--;
        line[length] = '\0';
        char *text = line + (n == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
        text += strspn(text, " \t");
        for (int skipped = whole ? '\n' : 0; *text == '#' && skipped != '\n' && skipped != EOF;)
            skipped = getc(f); /* the rest of a long comment */
        if (*text == '#' || (!*text && whole))
            continue;
        if (!whole)
            cli_error("%s:%u: the line is over %d octets, or holds a NUL; a line is one domain name", c->o.list, n,
                      LINE - 2);
        any = whole && add_domain(c, text, c->o.list, n);
        rc = any ? 0 : EX_DATAERR;
    }
    if (!rc && ferror(f)) {
        cli_error("%s: %s", c->o.list, strerror(errno));
        rc = EX_NOINPUT;
    }
    if (!rc && !any) {
        cli_error("%s: it names no domain; a line is one domain name", c->o.list);
        rc = EX_DATAERR;
    }
    fclose(f);
    return rc;
}

static int add_own(struct command *c)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(c->policy, i)) != NULL; i++)
        for (size_t k = 0; s->kind == POLICY_OWN && k < s->item_count; k++)
            if (domain_is_kept(s->items[k]) && strchr(s->items[k], '.') && !add_domain(c, s->items[k], c->o.policy, 0))
                return EX_DATAERR;
    if (c->count)
        return 0;
    cli_error("the policy has no line \"own domains ...\"");
    return EX_CONFIG;
}

static const char resume_begins[] = "{\"domain\":\"";

/* Marks a domain of a line as done. False: this is no line of ours. */
static bool note_done(struct command *c, const char *line, bool *done)
{
    char name[LIMIT_DOMAIN + 1];
    if (sscanf(line, "{\"domain\":\"%253[^\"]\"", name) != 1)
        return false;
    const uint32_t place = c->room ? c->slots[slot_of(c, name)] : 0;
    if (place)
        done[place - 1] = true;
    return true;
}

/* Reads the lines that are there. NULL, or what is wrong: a file that --resume did not write is not touched. */
static const char *read_done(struct command *c, FILE *f, bool *done)
{
    char *line = NULL;
    size_t size = 0;
    const char *wrong = NULL;
    for (ssize_t n; !wrong && (n = getline(&line, &size, f)) > 0;) {
        const size_t begins = strlen(resume_begins), have = (size_t)n < begins ? (size_t)n : begins;
        const bool half = line[n - 1] != '\n'; /* what wrote it was ended, and the domain is not done */
        if (strncmp(line, resume_begins, have) != 0 || (!half && !note_done(c, line, done)))
            wrong = "not a file that --resume wrote: each line should begin with {\"domain\":";
        else if (half && ftruncate(fileno(f), ftello(f) - n) != 0)
            wrong = strerror(errno);
    }
    free(line);
    return wrong;
}

/* Opens a file of --resume for reading and appending. It must be regular and have one name: others may be able to write
 * to its folder, and a second name would be a file of somebody else. It stays locked until it is
 * closed: another run would take an unfinished line of this run for the end of an aborted one. NULL with errno; EINVAL:
 * it is not such a file; EWOULDBLOCK: another run writes it. */
static FILE *append_to_own(const char *path)
{
    const char *name;
    struct stat st;
    int folder = rootfile_parent(path, &name);
    int fd = folder < 0 ? -1
                        : openat(folder, name,
                                 O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
    int wrong = fd < 0 || fstat(fd, &st) != 0 ? errno : !S_ISREG(st.st_mode) || st.st_nlink != 1 ? EINVAL : 0;
    /* Other errors are ignored: not every file system has locks. */
    if (!wrong && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        wrong = errno;
    FILE *f = wrong ? NULL : fdopen(fd, "a+");
    if (folder >= 0)
        close(folder);
    if (fd >= 0 && !f)
        close(fd);
    if (wrong)
        errno = wrong;
    return f;
}

/* A line of JSON for each domain that is done: those are not asked again. Domains that are not asked for now keep their
 * lines. */
static int open_resume(struct command *c)
{
    size_t kept = 0;
    FILE *f = append_to_own(c->o.resume);
    bool *done = f ? calloc(c->count + 1, sizeof *done) : NULL;
    const char *wrong = done                   ? NULL
                        : errno == EINVAL      ? "not a regular file with one name"
                        : errno == EWOULDBLOCK ? "another run is writing it"
                                               : strerror(errno);
    if (!wrong) {
        rewind(f);
        wrong = read_done(c, f, done);
    }
    if (wrong) {
        cli_error("%s: %s", c->o.resume, wrong);
        free(done);
        if (f)
            fclose(f);
        return EX_CANTCREAT;
    }
    for (size_t i = 0; i < c->count; i++) {
        if (done[i])
            free(c->domains[i]);
        else
            c->domains[kept++] = c->domains[i];
    }
    free(done);
    c->count = kept; /* the slots are no longer right, and no longer needed */
    c->resume = f;
    return 0;
}

static int load_policy(struct command *c)
{
    struct policy_report *report = policy_report_new();
    const char *path = c->o.policy ? c->o.policy : CLI_POLICY_PATH;
    bool needed = c->o.own || c->o.policy || c->o.keep || (c->o.watch && !c->o.state);
    if (needed || access(path, R_OK) == 0)
        c->policy = policy_load(path, report);
    for (size_t i = 0; needed && !c->policy && policy_report_at(report, i); i++) {
        struct buf b = BUF_INIT;
        if (policy_report_at(report, i)->severity == POLICY_ERROR)
            policy_message_print(policy_report_at(report, i), &b);
        fputs(b.p, stderr);
        buf_release(&b);
    }
    policy_report_free(report);
    return needed && !c->policy ? EX_CONFIG : 0;
}

static int find_domains(struct command *c)
{
    for (size_t i = 0; i < c->o.domain_count; i++)
        if (!add_domain(c, c->o.domains[i], NULL, 0))
            return EX_USAGE;
    int rc = load_policy(c);
    if (!rc && c->o.list)
        rc = add_list(c);
    if (!rc && c->o.own)
        rc = add_own(c);
    if (!rc && c->o.resume)
        rc = open_resume(c);
    return rc;
}

/* ---- what is shown ---- */

static void write_file(struct command *c, const char *path, struct buf *text)
{
    if (!cli_flush_to_file(path, text, 0644))
        c->error = EX_CANTCREAT;
}

/* 0 good, 1 warning, 2 critical, 3 unknown, of one report. */
static int check_exit(const struct check_options *o, const struct check_one *one)
{
    const struct check_report *r = &one->report;
    if (one->error)
        return CLI_UNKNOWN;
    if (o->least != CHECK_NONE && r->grade > o->least)
        return CLI_CRITICAL;
    if (r->grade >= CHECK_D || (o->least == CHECK_NONE && r->grade > CHECK_B && r->counts[CHECK_FAIL] > 2))
        return CLI_CRITICAL;
    if (r->counts[CHECK_FAIL])
        return CLI_WARNING;
    return r->least != r->grade ? CLI_UNKNOWN : CLI_OK;
}

/* 3 only if nothing was worse than 0. */
static int worse_exit(int a, int b)
{
    static const int order[] = {[CLI_OK] = 0, [CLI_UNKNOWN] = 1, [CLI_WARNING] = 2, [CLI_CRITICAL] = 3};
    return order[b] > order[a] ? b : a;
}

/* After a line that was not written whole nothing is added: the next run takes half a line for none only at the end. */
static void resume_line(struct command *c, struct check_one *one)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    check_write_json(one, c->o.profile, &j);
    buf_addc(&b, '\n');
    if (b.failed || fwrite(b.p, 1, b.n, c->resume) != b.n || fflush(c->resume) != 0) {
        cli_error("%s: %s", c->o.resume, b.failed ? "out of memory" : strerror(errno));
        c->error = EX_IOERR;
        fclose(c->resume);
        c->resume = NULL;
    }
    buf_release(&b);
}

static void show_files(struct command *c, struct check_one *one)
{
    struct buf b = BUF_INIT;
    if (c->o.html) {
        check_write_html(one, &b);
        write_file(c, c->o.html, &b);
    }
    if (c->o.label) {
        check_write_label(one, &b);
        write_file(c, c->o.label, &b);
    }
    if (c->o.prometheus)
        check_add_metrics(&c->metrics, one);
}

static void show_metrics(struct command *c)
{
    struct buf b = BUF_INIT;
    check_write_metrics(&c->metrics, &b);
    write_file(c, c->o.prometheus, &b);
}

static void domain_show(struct command *c, struct check_one *one)
{
    const struct check_options *o = &c->o;
    if (o->watch)
        watch_show(c->watch, one, &c->out);
    else if (o->nagios)
        check_show_line(one, &c->out);
    else if (o->csv)
        check_write_csv(one, &c->out);
    else if (o->fix)
        check_show_fix(one, &c->out);
    else
        check_show(o, one, &c->out);
    if (!o->csv && !o->fix && !o->nagios && !o->watch && c->count > 1)
        buf_addc(&c->out, '\n');
}

static void flush(struct command *c)
{
    if (c->out.n && fwrite(c->out.p, 1, c->out.n, stdout) != c->out.n)
        c->error = EX_IOERR;
    if (c->out.failed)
        c->error = EX_OSERR;
    buf_cut(&c->out, 0);
}

static void one_done(void *context, struct check_one *one)
{
    struct command *c = context;
    c->worst = worse_exit(c->worst, check_exit(&c->o, one));
    if (c->o.json)
        check_write_json(one, c->o.profile, &c->json);
    else if (one->error)
        cli_error("%s: %s", one->domain, one->error);
    else
        domain_show(c, one);
    if (one->unsaved) {
        cli_error("%s: %s", one->domain, one->unsaved);
        c->error = EX_CANTCREAT;
    } else if (c->resume) { /* what was not saved is asked again */
        resume_line(c, one);
    }
    if (!one->error)
        show_files(c, one);
    flush(c);
}

static int list_tests(const struct check_options *o)
{
    static const struct table_column columns[] = {{"test", "Test"},     {"standard", "Standard"},  {"level", "Level"},
                                                  {"weight", "Points"}, {"sentence", "Asked for"}, {"source", "Source"},
                                                  {NULL, NULL}};
    struct table *t = table_new(columns);
    for (int i = 0; i < CHECK_TESTS; i++) {
        const struct check_test_info *info = check_test_info((enum check_test)i);
        table_text(t, info->name);
        table_text(t, standard_name(info->standard));
        table_text(t, check_level_name(info->level));
        table_number(t, info->weight);
        table_text(t, cli_text(info->sentence));
        table_text(t, info->source);
    }
    bool good = table_print(t, o->json ? TABLE_JSON : o->csv ? TABLE_CSV : TABLE_TEXT, "none");
    table_free(t);
    return good ? EX_OK : EX_IOERR;
}

static int run_all(struct command *c)
{
    struct check_one one;
    if (c->o.watch && !(c->watch = watch_open(c->o.state, c->policy)))
        return EX_CANTCREAT;
    if (c->o.csv)
        check_write_csv_head(&c->out);
    c->json = JSON_INTO(&c->out);
    if (c->o.json)
        json_open_array(&c->json, NULL);
    int rc = 0;
    if (c->o.from) {
        (void)check_read_file(&c->o, c->o.from, &one);
        if (one.error)
            rc = EX_DATAERR;
        one_done(c, &one);
        check_one_free(&one);
    } else if (c->count) {
        rc = check_run(&c->o, c->policy, c->domains, c->count, one_done, c);
    }
    if (c->o.json) {
        json_end(&c->json);
        buf_addc(&c->out, '\n');
    }
    flush(c);
    if (c->o.prometheus && !rc)
        show_metrics(c);
    if (c->watch && watch_close(c->watch) != 0)
        c->error = EX_CANTCREAT;
    c->watch = NULL;
    return rc ? rc : c->error ? c->error : c->worst;
}

int cmd_check(int argc, char **argv)
{
    struct command c = {.out = BUF_INIT};
    for (size_t i = 0; i < CHECK_METRICS; i++)
        c.metrics.of[i] = (struct buf)BUF_INIT;
    int rc = check_args_read(argc, argv, &c.o);
    if (rc != -1)
        return rc;
    if (c.o.tests)
        return list_tests(&c.o);
    if (!c.o.from)
        rc = find_domains(&c);
    else if (c.o.watch && !c.o.state)
        rc = load_policy(&c); /* it names the ledger */
    check_args_settle(&c.o, c.policy);
    if (rc <= 0)
        rc = run_all(&c);
    for (size_t i = 0; i < c.count; i++)
        free(c.domains[i]);
    free(c.domains);
    free(c.slots);
    if (c.resume)
        fclose(c.resume);
    buf_release(&c.out);
    check_metrics_release(&c.metrics);
    policy_unref(c.policy);
    return rc;
}
