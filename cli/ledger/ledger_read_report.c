// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_read_report.c - `assay ledger read-report FILE...`: reports that others sent about our domains, into the
 * ledger.
 *
 * Promises that each file is taken wholly or not at all, a repeat is named as such and changes nothing, and a bad file
 * stops none of the others. On failure of any: EX_DATAERR (EX_NOINPUT where a file cannot be read), after all were
 * tried.
 */
#include "base/arena.h"
#include "cli/ledger/ledger.h"
#include "ledger/timestamp.h"
#include "feedback/report_in.h"
#include <errno.h>
#include <stdlib.h>

#define ARENA_BOUND ((size_t)1 << 30)

static const char usage[] = "Usage: assay ledger read-report FILE...\n"
                            "\n"
                            "Takes DMARC aggregate reports (XML; RFC 9990 and RFC 7489) and SMTP TLS reports (JSON; "
                            "RFC 8460) into the ledger. A file may be\n"
                            "packed (gzip, zip) or be the whole mail that brought it; '-' is standard input.\n"
                            "  --json, --csv     for programs\n"
                            "  --store STORE     this ledger instead of the policy's\n"
                            "  -P, --policy FILE\n";

static bool read_file(const char *path, struct buf *out)
{
    char space[65536];
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    size_t n;
    if (!f)
        return false;
    while ((n = fread(space, 1, sizeof space, f)) > 0 && out->n <= REPORT_IN_FILE)
        buf_add(out, space, n);
    bool ok = !ferror(f);
    if (f != stdin)
        fclose(f);
    return ok;
}

static enum status take_one(struct store *s, struct arena *a, const char *path, struct table *t, char *why)
{
    struct buf file = BUF_INIT, text = {.p = buf_empty, .bound = REPORT_IN_TEXT + 65536};
    struct report_in r;
    bool fresh = false;
    errno = 0;
    enum status st = read_file(path, &file) ? STATUS_OK : STATUS_MISSING;
    if (st != STATUS_OK)
        snprintf(why, 200, "%s", strerror(errno));
    if (st == STATUS_OK)
        st = report_in_unpack(buf_slice(&file), &text, why);
    if (st == STATUS_OK)
        st = report_in_parse(a, buf_slice(&text), &r, why);
    if (st == STATUS_OK && (st = report_in_store(s, &r, path, &fresh)) != STATUS_OK)
        snprintf(why, 200, "%s", store_error(s));
    if (st == STATUS_OK) {
        int64_t count = 0;
        for (size_t i = 0; i < r.row_count; i++)
            count += r.rows[i].count;
        table_text(t, path);
        table_text(t, r.kind == REPORT_IN_DMARC ? "dmarc" : "tls");
        table_text(t, r.org);
        table_text(t, r.domain);
        table_moment(t, r.begin * TIMESTAMP_SECOND);
        table_number(t, (int64_t)r.row_count);
        table_number(t, count);
        table_text(t, fresh ? "taken" : "was there");
    }
    buf_release(&file);
    buf_release(&text);
    return st;
}

int ledger_read_report(int argc, char **argv)
{
    static const struct table_column columns[] = {{"file", "File"},    {"kind", "Kind"},    {"org", "From"},
                                                  {"domain", "About"}, {"begin", "Begins"}, {"rows", "Rows"},
                                                  {"count", "Count"},  {"state", ""},       {NULL, NULL}};
    struct ledger_args a;
    struct ledger_config c;
    const struct policy *p;
    int rc = ledger_args_read(&a, argc, argv, LEDGER_ASK, 1, 100000, usage);
    if (rc >= 0)
        return rc;
    struct store *s = ledger_store(&a, STORE_WRITE, &c, &p, &rc);
    if (!s)
        return rc;
    struct table *t = table_new(columns);
    int worst = EX_OK;
    for (int i = 0; i < a.word_count; i++) {
        char why[STORE_ERROR] = "";
        struct arena *arena = arena_new(ARENA_BOUND);
        enum status st = arena ? take_one(s, arena, a.words[i], t, why) : STATUS_NOMEM;
        if (st != STATUS_OK) {
            cli_error("%s: %s", a.words[i], why[0] ? why : status_text(st));
            worst = st == STATUS_MISSING ? EX_NOINPUT : st == STATUS_AGAIN ? EX_TEMPFAIL : EX_DATAERR;
        }
        arena_free(arena);
    }
    bool ok = table_rows(t) == 0 || table_print(t, a.form, "");
    table_free(t);
    rc = ledger_end(s, p, STATUS_OK);
    return worst != EX_OK ? worst : ok ? rc : EX_IOERR;
}
