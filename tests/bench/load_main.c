// SPDX-License-Identifier: BSD-2-Clause
/*
 * load_main.c - milter_load: sends a corpus to filters as an MTA does, and says how fast they were and what they did.
 *
 *     milter_load -m ADDRESS [-m ADDRESS...] [-c CONNECTIONS] [-n MAILS] [-w OCTETS] MANIFEST
 *                                     one JSON object with figures. -w: so many octets in one write (Postfix: 4,096
 *                                     to a unix socket)
 *     milter_load -m ADDRESS [-m ADDRESS...] -e MANIFEST                              each mail once, a JSON line each
 *     milter_load -m ADDRESS -H CONNECTIONS [-b] MANIFEST                             opens them (-b: up to the body of
 *                                     the first mail), says so, and holds them until its standard input ends
 *     milter_load -f PASSES MANIFEST                                                  the floor: see load_floor.h
 *
 * Several -m: filters that see a mail one after the other, as in Postfix's smtpd_milters. Each mail has connections of
 * its own. The time of a mail is that from the first connect to the last answer. Exit code: 0 all mails were answered;
 * 1 some connections broke; 2 usage, or the corpus cannot be read.
 */
#include "tests/bench/load_corpus.h"
#include "tests/bench/load_floor.h"
#include "tests/bench/load_session.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MOST 20000
#define STACK 262144
#define ANSWER_SECONDS 60

static struct {
    const char *addresses[FILTERS];
    size_t filters;
    struct corpus corpus;
    size_t mails, connections, write_most;
} job;

static atomic_size_t next_mail;

struct worker {
    pthread_t thread;
    struct session session;
    float *ms;
    size_t count;
    size_t outcomes[OUTCOMES], inserted;
    uint64_t octets;
    char error[200];
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void session_prepare(struct session *s)
{
    *s = (struct session){.addresses = job.addresses,
                          .filter_count = job.filters,
                          .seconds = ANSWER_SECONDS,
                          .write_most = job.write_most};
}

static void *work(void *context)
{
    struct worker *w = context;
    size_t i;
    while ((i = atomic_fetch_add(&next_mail, 1)) < job.mails) {
        const struct mail *m = &job.corpus.mails[i % job.corpus.count];
        w->session.serial = (unsigned)i;
        const double began = seconds();
        const enum outcome outcome = session_mail(&w->session, m);
        if (w->count % 1024 == 0)
            w->ms = need(w->ms, (w->count + 1024) * sizeof *w->ms);
        w->ms[w->count++] = (float)((seconds() - began) * 1000);
        if (outcome == BROKEN && !*w->error)
            memcpy(w->error, w->session.error, sizeof w->error);
        w->outcomes[outcome]++;
        w->inserted += w->session.inserted;
        w->octets += m->size;
        session_close(&w->session);
    }
    return NULL;
}

static int float_compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print_text(const char *text)
{
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            printf("\\%c", *p);
        else if (*p < 32 || *p > 126)
            printf("\\u%04x", *p);
        else
            putchar(*p);
    }
    putchar('"');
}

static int load_report(struct worker *workers, double took)
{
    size_t outcomes[OUTCOMES] = {0}, n = 0, inserted = 0;
    uint64_t octets = 0;
    const char *error = "";
    float *all = need(NULL, job.mails * sizeof *all);
    for (size_t i = 0; i < job.connections; i++) {
        memcpy(all + n, workers[i].ms, workers[i].count * sizeof *all);
        n += workers[i].count;
        inserted += workers[i].inserted;
        octets += workers[i].octets;
        for (int k = 0; k < OUTCOMES; k++)
            outcomes[k] += workers[i].outcomes[k];
        error = *error ? error : workers[i].error;
    }
    qsort(all, n, sizeof *all, float_compare);
    printf("{\"mails\":%zu,\"connections\":%zu,\"seconds\":%.4f,\"rate\":%.1f,\"octets\":%llu,\"fields\":%zu", n,
           job.connections, took, (double)n / took, (unsigned long long)octets, inserted);
    printf(",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"most_ms\":%.3f,\"outcomes\":{", (double)all[n / 2],
           (double)all[n - 1 - n / 100], (double)all[n - 1]);
    for (int k = 0; k < OUTCOMES; k++)
        printf("%s\"%s\":%zu", k ? "," : "", outcome_name[k], outcomes[k]);
    printf("},\"error\":");
    print_text(error);
    printf("}\n");
    return outcomes[BROKEN] ? 1 : 0;
}

static int run_load(void)
{
    struct worker *workers = need(NULL, job.connections * sizeof *workers);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    memset(workers, 0, job.connections * sizeof *workers);
    const double began = seconds();
    for (size_t i = 0; i < job.connections; i++) {
        session_prepare(&workers[i].session);
        if (pthread_create(&workers[i].thread, &attributes, work, &workers[i]) != 0)
            fail("cannot start thread %zu", i + 1);
    }
    for (size_t i = 0; i < job.connections; i++)
        pthread_join(workers[i].thread, NULL);
    return load_report(workers, seconds() - began);
}

/* Each mail once: its outcome, the reply, and the header's Authentication-Results as they are at the end. */
static int run_each(void)
{
    struct session s;
    int rc = 0;
    session_prepare(&s);
    for (size_t i = 0; i < job.corpus.count; i++) {
        const enum outcome outcome = session_mail(&s, &job.corpus.mails[i]);
        printf("{\"id\":");
        print_text(job.corpus.mails[i].id);
        printf(",\"action\":\"%s\",\"reply\":", outcome_name[outcome]);
        print_text(outcome == BROKEN ? s.error : s.reply);
        printf(",\"results\":[");
        const char *separator = "";
        for (size_t k = 0; k < s.field_count; k++) {
            if (strcasecmp(s.fields[k].name, "Authentication-Results") != 0)
                continue;
            fputs(separator, stdout);
            print_text(s.fields[k].value);
            separator = ",";
        }
        printf("]}\n");
        rc |= outcome == BROKEN;
        session_close(&s);
    }
    return rc;
}

static int run_hold(bool with_body)
{
    struct session *held = need(NULL, job.connections * sizeof *held);
    char octet;
    for (size_t i = 0; i < job.connections; i++) {
        session_prepare(&held[i]);
        if (!session_open_only(&held[i], &job.corpus.mails[0], with_body))
            fail("connection %zu: %s", i + 1, held[i].error);
    }
    printf("{\"held\":%zu}\n", job.connections);
    fflush(stdout);
    while (read(STDIN_FILENO, &octet, 1) > 0)
        continue;
    for (size_t i = 0; i < job.connections; i++)
        session_close(&held[i]);
    return 0;
}

static size_t option_number(const char *text, size_t most, char option)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || end == text || n < 1 || n > most)
        fail("-%c takes a number from 1 to %zu, not '%s'", option, most, text);
    return n;
}

static _Noreturn void usage(void)
{
    fputs("usage: milter_load -m ADDRESS [-m ADDRESS...] [-c CONNECTIONS] [-n MAILS] [-w OCTETS] [-e] MANIFEST\n"
          "       milter_load -m ADDRESS -H CONNECTIONS [-b] MANIFEST\n"
          "       milter_load -f PASSES MANIFEST\n",
          stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    size_t hold = 0, floor = 0;
    bool each = false, with_body = false;
    int option;
    job.connections = 1;
    while ((option = getopt(argc, argv, "m:c:n:eH:bf:w:")) != -1) {
        if (option == 'm' && job.filters < FILTERS)
            job.addresses[job.filters++] = optarg;
        else if (option == 'c')
            job.connections = option_number(optarg, CONNECTIONS_MOST, 'c');
        else if (option == 'n')
            job.mails = option_number(optarg, 100000000, 'n');
        else if (option == 'H')
            hold = option_number(optarg, CONNECTIONS_MOST, 'H');
        else if (option == 'f')
            floor = option_number(optarg, 1000, 'f');
        else if (option == 'w')
            job.write_most = option_number(optarg, 1 << 30, 'w');
        else if (option == 'e')
            each = true;
        else if (option == 'b')
            with_body = true;
        else
            usage();
    }
    if (optind != argc - 1 || (!floor && !job.filters))
        usage();
    const struct rlimit files = {.rlim_cur = CONNECTIONS_MOST + 1000, .rlim_max = CONNECTIONS_MOST + 1000};
    (void)setrlimit(RLIMIT_NOFILE, &files); /* fewer are enough for few connections */
    signal(SIGPIPE, SIG_IGN);
    job.corpus = corpus_read(argv[optind]);
    if (floor)
        return floor_measure(&job.corpus, (unsigned)floor);
    if (!job.mails)
        job.mails = job.corpus.count;
    if (hold)
        job.connections = hold;
    if (job.connections > job.mails && !hold)
        job.connections = job.mails;
    return hold ? run_hold(with_body) : each ? run_each() : run_load();
}
