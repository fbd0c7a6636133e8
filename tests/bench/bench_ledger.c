// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_ledger.c - findings written and ingested per second, and the time that queries take on the result.
 *
 *     build/bench/bench_ledger [FINDINGS [STORE]]      default 400000, a temporary SQLite file; STORE: a file or
 * postgresql://...
 *
 * Mails of 8 findings each, of 50,000 sender domains as often as Zipf's law has it (one mail in twelve of the first),
 * over 30 days. Prints figures and their ratio to our own goals: at least 50,000 findings a second, at most 100 ms a
 * question.
 */
#include "base/clock.h"
#include "journal/journal.h"
#include "ledger/timestamp.h"
#include "ledger/questions.h"
#include "ledger/ingest.h"
#include "ledger/most_seen.h"
#include "tests/bench/figure.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOMAINS 50000
#define FINDINGS 8
#define DAYS 30

static double cumulated[DOMAINS];
static uint64_t state = 88172645463325252u;

static uint64_t chance(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static unsigned domain_draw(void)
{
    double x = (double)(chance() >> 11) / (double)((uint64_t)1 << 53) * cumulated[DOMAINS - 1];
    unsigned low = 0, high = DOMAINS - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (cumulated[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void finding(struct json *j, const char *standard, const char *subject, const char *result, const char *security)
{
    json_open(j);
    json_str(j, "standard", standard);
    json_str(j, "subject", subject);
    json_str(j, "result", result);
    json_str(j, "security", security);
}

static void verdict(struct json *j, const char *d, bool pass)
{
    json_open_in(j, "verdict");
    json_str(j, "action", pass ? "deliver" : "quarantine");
    json_str(j, "would", pass ? "deliver" : "quarantine");
    json_str(j, "statement", "L5");
    json_end(j);
    json_open_array(j, "lines");
    finding(j, "dmarc", d, pass ? "pass" : "fail", "insecure");
    json_str(j, "level", "follow");
    json_str(j, "action", pass ? "deliver" : "quarantine");
    json_str(j, "statement", "L5");
    json_end(j);
    json_end(j);
}

static void findings(struct json *j, const char *d, const char *client, bool pass, const char *security)
{
    const char *result = pass ? "pass" : "fail";
    json_open_array(j, "findings");
    static const char *const plain[] = {"spf", "arc", "tls", "dnssec", "message-format", "rdns"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        finding(j, plain[i], i == 5 ? client : d, i == 0 ? result : "pass", security);
        json_end(j);
    }
    finding(j, "dkim", d, result, "insecure");
    json_str(j, "selector", "s1");
    json_str(j, "algorithm", "rsa-sha256");
    json_int(j, "bits", 2048);
    json_bool(j, "aligned", true);
    json_end(j);
    finding(j, "dmarc", d, result, "insecure");
    json_str(j, "record", d);
    json_str(j, "p", "quarantine");
    json_str(j, "applied", "quarantine");
    json_str(j, "rua", "mailto:d@example.org");
    json_bool(j, "spf_aligned", pass);
    json_bool(j, "dkim_aligned", pass);
    json_end(j);
    json_end(j);
}

static void mail_record(struct buf *b, unsigned n, unsigned mails, int64_t first)
{
    struct json j = JSON_INTO(b);
    char d[64], t[40], client[32], id[32], second[CLOCK_TEXT];
    unsigned k = domain_draw();
    bool pass = chance() % 10 != 0;
    snprintf(d, sizeof d, "sender-%u.example", k);
    snprintf(client, sizeof client, "192.0.%u.%u", k % 250, (unsigned)(chance() % 4 + 1));
    snprintf(id, sizeof id, "4B%08X", n);
    clock_utc_text((time_t)(first + (int64_t)n * DAYS * 86400 / mails), second);
    snprintf(t, sizeof t, "%.19s.%06uZ", second, n % 1000000);
    json_open(&j);
    json_int(&j, "v", 1);
    json_str(&j, "t", t);
    json_str(&j, "host", "mx1.example.org");
    json_str(&j, "kind", "mail");
    json_str(&j, "id", id);
    json_str(&j, "message_id", id);
    json_str(&j, "source", "internet");
    json_str(&j, "client", client);
    json_str(&j, "helo", d);
    json_str(&j, "mail_from", d);
    json_str(&j, "from", d);
    json_int(&j, "rcpts", 1);
    json_str(&j, "policy", "1a2b3c4d");
    verdict(&j, d, pass);
    findings(&j, d, client, pass, k % 3 ? "insecure" : "secure");
    json_end(&j);
}

static double seconds_since(int64_t from)
{
    return (double)(clock_mono_ms() - from) / 1000 + 1e-9;
}

/* The larger, in ms: on a busy machine the wall clock tells more of others than of us. */
static double worst_processor_time(double worst, clock_t began)
{
    double ms = (double)(clock() - began) * 1e3 / CLOCKS_PER_SEC;
    return ms > worst ? ms : worst;
}

static void question_keep(const char *name, double worst, double cpu)
{
    char what[96];
    snprintf(what, sizeof what, "question %s: the longest of 5", name);
    figure("ledger", what, worst, "ms", FIGURE_LESS, 100);
    snprintf(what, sizeof what, "question %s: the most of 5, processor time", name);
    figure("ledger", what, cpu, "ms", FIGURE_LESS, 0);
}

static void store_time(struct store *s, const char *name, const char *sql, const char *types, const char *text,
                       int64_t a)
{
    double best = 1e9, worst = 0, cpu = 0;
    unsigned rows = 0;
    for (int i = 0; i < 5; i++) {
        struct timespec from, to;
        clock_t began = clock();
        clock_gettime(CLOCK_MONOTONIC, &from);
        struct store_rows *r;
        if (strcmp(types, "ttiii") == 0)
            r = store_ask(s, sql, types, text, strcmp(text, "dnssec") == 0 ? "insecure" : "fail", a, (int64_t)1000000,
                          (int64_t)30);
        else if (strcmp(types, "ti") == 0)
            r = store_ask(s, sql, types, text, a);
        else if (strcmp(types, "t") == 0)
            r = store_ask(s, sql, types, text);
        else
            r = store_ask(s, sql, types, a);
        for (rows = 0; store_next(r);)
            rows++;
        if (store_done(r) != STATUS_OK)
            printf("%s: %s\n", name, store_error(s));
        clock_gettime(CLOCK_MONOTONIC, &to);
        double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        best = ms < best ? ms : best;
        worst = ms > worst ? ms : worst;
        cpu = worst_processor_time(cpu, began);
    }
    printf("ledger question %-12s %8.2f ms (first or worst %.2f, %.2f of processor time), %u rows: %.2f of 100 ms, "
           "our goal\n",
           name, best, worst, cpu, rows, worst / 100);
    question_keep(name, worst, cpu);
}

/* As assay ledger top asks, over all days. */
static void ask_top(struct store *s, const char *name, const char *standard, const char *result)
{
    double worst = 0, cpu = 0;
    unsigned rows = 0;
    bool by_lists = false;
    for (int i = 0; i < 5; i++) {
        struct timespec from, to;
        clock_t began = clock();
        clock_gettime(CLOCK_MONOTONIC, &from);
        struct store_rows *r = most_seen_ask(s, standard, result, true, 0, 1000000, 30, &by_lists);
        for (rows = 0; store_next(r);)
            rows++;
        if (store_done(r) != STATUS_OK)
            printf("%s: %s\n", name, store_error(s));
        clock_gettime(CLOCK_MONOTONIC, &to);
        double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        worst = ms > worst ? ms : worst;
        cpu = worst_processor_time(cpu, began);
    }
    printf("ledger question %-24s worst of 5 %8.2f ms, %.2f of processor time, %u rows, %s: %.2f of 100 ms, our "
           "goal\n",
           name, worst, cpu, rows, by_lists ? "by lists" : "all added up", worst / 100);
    question_keep(name, worst, cpu);
}

static void questions(struct store *s, int64_t first)
{
    int64_t week = first / 86400 + DAYS - 7;
    store_time(
        s, "domain",
        "SELECT scope, standard, result, security, sum(count), min(first_seen), max(last_seen) FROM subject_day WHERE "
        "subject = $1 AND day >= $2 "
        "GROUP BY scope, standard, result, security",
        "ti", "sender-0.example", 0);
    store_time(
        s, "standards",
        "SELECT day, standard, result, sum(count) FROM standard_day WHERE scope = 'mail' AND day >= $1 GROUP BY day, "
        "standard, result",
        "i", NULL, 0);
    store_time(s, "top (week)", QUESTION_TOP_NOT_PASSED, "ttiii", "dmarc", week);
    store_time(s, "top (all)", QUESTION_TOP_NOT_PASSED, "ttiii", "dmarc", 0);
    for (int i = 0; i < 2; i++) /* as assay-ledger does each hour, at most 24 days at once; the last day is open */
        if (most_seen_keep(s, first / 86400 + DAYS - 1, NULL) != STATUS_OK)
            fprintf(stderr, "%s\n", store_error(s));
    ask_top(s, "top --state pass", "dmarc", "pass");
    ask_top(s, "top --standard tls", "tls", "pass");
    store_time(s, "unsigned", QUESTION_TOP_DNSSEC, "ttiii", "dnssec", week);
    store_time(
        s, "unexplained",
        "SELECT standard, subject, sum(count) FROM outcome_day WHERE day >= $1 AND action <> 'deliver' AND exemption = "
        "'' GROUP BY "
        "standard, subject ORDER BY sum(count) DESC LIMIT 30",
        "i", NULL, week);
    store_time(
        s, "refused",
        "SELECT t, from_domain, record FROM mail WHERE t >= $1 AND would <> 'deliver' AND would <> 'tag' ORDER BY t "
        "DESC LIMIT 30",
        "i", NULL, 0);
    store_time(s, "why", "SELECT record FROM mail WHERE queue_id = $1", "t", "4B00000007", 0);
    store_time(s, "selectors", "SELECT selector, bits, count FROM selector WHERE domain = $1", "t", "sender-7.example",
               0);
}

static bool write_all(struct journal *j, unsigned mails, int64_t first)
{
    struct buf b = BUF_INIT;
    size_t octets = 0;
    int64_t spent = 0;
    for (unsigned i = 0; i < mails; i++) {
        buf_reset(&b);
        mail_record(&b, i, mails, first);
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        if (journal_write(j, buf_slice(&b), JOURNAL_WAIT) != STATUS_OK) {
            fprintf(stderr, "bench_ledger: record %u of %u cannot be written\n", i + 1, mails);
            buf_release(&b);
            return false;
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        spent += (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
        octets += b.n;
    }
    double s = (double)spent / 1e9;
    printf("ledger write %u records of %zu octets: %.0f a second, %.1f us each\n", mails, octets / mails, mails / s,
           s / mails * 1e6);
    buf_release(&b);
    return true;
}

static int bench_run(const char *dir, const char *store, unsigned mails)
{
    char journal[256], db[256], why[STORE_ERROR];
    snprintf(journal, sizeof journal, "%s/j", dir);
    snprintf(db, sizeof db, "%s/db", dir);
    for (int i = 0; i < DOMAINS; i++)
        cumulated[i] = (i ? cumulated[i - 1] : 0) + 1.0 / (i + 1);
    const char *error = NULL;
    struct journal *j =
        journal_open(journal, "bench", &(struct journal_options){.folder_bytes = (uint64_t)1 << 40}, &error);
    struct store *s = store_open(store ? store : db, STORE_WRITE, NULL, why);
    if (!j || !s) {
        fprintf(stderr, "bench_ledger: %s\n", j ? why : error);
        return 1;
    }
    int64_t now = clock_wall() / 86400 * 86400 - DAYS * 86400;
    const bool written = write_all(j, mails, now);
    journal_close(j);
    if (!written) {
        store_close(s);
        return 1;
    }
    struct ingest_report r = {0};
    int64_t from = clock_mono_ms();
    clock_t cpu = clock();
    enum status st = ingest_folder(s, NULL, journal, NULL, &r);
    double took = seconds_since(from);
    double cpu_seconds = (double)(clock() - cpu) / CLOCKS_PER_SEC;
    double rate = (double)r.records * FINDINGS / took;
    printf("ledger take %s: %" PRIu64 " findings in %.1f s: %.0f a second, %.2f of 50000, our goal%s\n",
           store_is_shared(s) ? "PostgreSQL" : "SQLite", r.records * FINDINGS, took, rate, rate / 50000,
           st == STATUS_OK ? "" : " (FAILED)");
    figure("ledger", "ingested", rate, "findings/s", FIGURE_MORE, 50000);
    printf("ledger take: %.2f s of processor time, %.0f findings a second of it, %.2f of 50000, our goal\n",
           cpu_seconds, (double)r.records * FINDINGS / cpu_seconds, (double)r.records * FINDINGS / cpu_seconds / 50000);
    figure("ledger", "ingested for each second of processor time", (double)r.records * FINDINGS / cpu_seconds,
           "findings/s", FIGURE_MORE, 50000);
    if (r.records != mails) {
        fprintf(stderr, "bench_ledger: %" PRIu64 " of %u records were taken in: no store of that size\n", r.records,
                mails);
        store_close(s);
        return 1;
    }
    if (store_vacuum(s) != STATUS_OK) /* as assay-ledger does each hour */
        fprintf(stderr, "bench_ledger: %s\n", store_error(s));
    questions(s, now);
    store_close(s);
    return st == STATUS_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    char dir[200], command[256], *end = NULL;
    const unsigned long count = argc > 1 ? strtoul(argv[1], &end, 10) : 400000;
    if ((end && *end) || count < FINDINGS || count > UINT32_MAX) {
        fprintf(stderr, "bench_ledger: a number of findings, %d or more, was expected, not '%s'\n", FINDINGS, argv[1]);
        return 64;
    }
    if (!figure_folder(dir, sizeof dir)) {
        fprintf(stderr, "bench_ledger: no temporary folder\n");
        return 1;
    }
    const int rc = bench_run(dir, argc > 2 ? argv[2] : NULL, (unsigned)count / FINDINGS);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 ? rc : 1;
}
