// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_crash.c - no test itself: the writer and the reader of journals that tests/system/ledger kills, or takes the
 * disk or the database from (crash.py, trouble.py, failover.py), to see that nothing is lost and nothing doubled.
 *
 *   ledger_crash write FOLDER PREFIX [MICROSECONDS]
 *       writes records without end, with a pause of so many microseconds (500) after every 16; after each that was
 *       acknowledged, its id as a line on stdout
 *
 *   ledger_crash take FOLDER STORE
 *       ingests without end
 *
 *   ledger_crash drain FOLDER STORE
 *       ingests until nothing is left, and prints what it ingested
 */
#include "ledger/inbox.h"
#include "journal/journal.h"
#include "ledger/ingest.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void signal_end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static int writer(const char *dir, const char *prefix, useconds_t pause)
{
    const char *error = "";
    struct journal *j = journal_open(
        dir, "milter", &(struct journal_options){.host = prefix, .segment_bytes = 16384, .segment_seconds = 1}, &error);
    if (!j) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    for (unsigned long i = 0; !ended; i++) {
        struct buf b = BUF_INIT;
        struct json out = JSON_INTO(&b);
        char id[64], line[80];
        snprintf(id, sizeof id, "%s-%d-%lu", prefix, (int)getpid(), i);
        journal_record(j, &out, "mail");
        json_str(&out, "id", id);
        json_str(&out, "source", "internet");
        json_open_array(&out, "findings");
        json_open(&out);
        json_str(&out, "standard", "spf");
        json_str(&out, "subject", i % 3 ? "example.org" : "example.net");
        json_str(&out, "result", "pass");
        json_end(&out);
        json_end(&out);
        json_end(&out);
        int n = snprintf(line, sizeof line, "%s\n", id);
        if (journal_write(j, buf_slice(&b), JOURNAL_WAIT) == STATUS_OK && write(1, line, (size_t)n) != n)
            ended = 1;
        buf_release(&b);
        if (i % 16 == 0)
            usleep(pause);
    }
    journal_close(j);
    return 0;
}

static bool ledger_stop(void)
{
    return ended;
}

static int taker(const char *dir, const char *where, bool drain)
{
    struct ingest_report r = {0};
    for (int idle = 0; !ended && !(drain && idle > 3);) {
        char why[STORE_ERROR];
        enum status st;
        struct store *s = store_open(where, STORE_WRITE, &st, why);
        for (uint64_t before = 1; s && !ended && !(drain && idle > 3); idle = r.records == before ? idle + 1 : 0) {
            before = r.records;
            st = ingest_folder(s, NULL, dir, ledger_stop, &r);
            if (st == STATUS_OK && !store_only_adds(s))
                st = inbox_take(s, NULL, ledger_stop, &r);
            if (st != STATUS_OK && st != STATUS_AGAIN) {
                fprintf(stderr, "%s: %s\n", status_text(st), store_error(s));
                return 1;
            }
            usleep(2000);
        }
        if (!s && st != STATUS_AGAIN) {
            fprintf(stderr, "%s\n", why);
            return 1;
        }
        store_close(s);
        usleep(10000);
    }
    if (drain)
        printf("took %llu, torn %llu, bad %llu, aside %llu %s\n", (unsigned long long)r.records,
               (unsigned long long)r.torn, (unsigned long long)r.bad, (unsigned long long)r.aside, r.first_trouble);
    return r.bad || r.aside ? 1 : 0;
}

int main(int argc, char **argv)
{
    signal(SIGTERM, signal_end);
    if ((argc == 4 || argc == 5) && strcmp(argv[1], "write") == 0)
        return writer(argv[2], argv[3], argc == 5 ? (useconds_t)strtoul(argv[4], NULL, 10) : 500);
    if (argc == 4 && strcmp(argv[1], "take") == 0)
        return taker(argv[2], argv[3], false);
    if (argc == 4 && strcmp(argv[1], "drain") == 0)
        return taker(argv[2], argv[3], true);
    return 64;
}
