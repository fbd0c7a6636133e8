// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_dns.c - look-ups a second: libunbound's blocking ub_resolve, our source on its event loop, and the same with
 * the cache in front.
 *
 * All answers are made in the process (a local zone), so that only our own code is measured, not a network. Four
 * threads, scopes of twenty names asked together, as a message asks. Prints figures and ratios; decides nothing.
 */
#include "base/clock.h"
#include "dns/dns_unbound.h"
#include "tests/bench/figure.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unbound.h>
#include <unistd.h>

#define THREADS 4
#define NAMES 20
#define MILLISECONDS 2000

static const char anchor[] = ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";
static const char conf[] =
    "server:\n local-zone: \"bench.\" redirect\n local-data: \"bench. 300 A 192.0.2.1\"\n trust-anchor-signaling: no\n";

struct job {
    pthread_t thread;
    struct dns *dns;
    struct ub_ctx *ctx;
    unsigned number;
    bool fresh; /* names that nobody asked before */
    unsigned long done;
};

static void name_of(const struct job *j, unsigned long n, char out[64])
{
    snprintf(out, 64, "n%lu-%u.bench", j->fresh ? n : n % 200, j->number);
}

static void *by_scope(void *arg)
{
    struct job *j = arg;
    struct arena *arena = arena_new(4 << 20);
    int64_t end = clock_mono_ms() + MILLISECONDS;
    char name[64];
    while (clock_mono_ms() < end) {
        struct dns_scope *s = dns_scope_new(j->dns, arena, NULL);
        for (unsigned i = 0; i < NAMES; i++) {
            name_of(j, j->done + i, name);
            dns_start(s, name, DNS_A);
        }
        for (unsigned i = 0; i < NAMES; i++) {
            name_of(j, j->done + i, name);
            if (dns_get(s, name, DNS_A)->state != DNS_FOUND)
                abort();
        }
        j->done += NAMES;
        dns_scope_free(s);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void *by_ub_resolve(void *arg)
{
    struct job *j = arg;
    int64_t end = clock_mono_ms() + MILLISECONDS;
    char name[64];
    while (clock_mono_ms() < end) {
        struct ub_result *r = NULL;
        name_of(j, j->done++, name);
        if (ub_resolve(j->ctx, name, DNS_A, 1, &r) != 0 || !r->havedata)
            abort();
        ub_resolve_free(r);
    }
    return NULL;
}

static double threads_run(void *(*work)(void *), struct dns *dns, struct ub_ctx *ctx, bool fresh)
{
    struct job job[THREADS];
    unsigned long total = 0;
    int64_t start = clock_mono_ms();
    for (unsigned i = 0; i < THREADS; i++) {
        job[i] = (struct job){.dns = dns, .ctx = ctx, .number = i, .fresh = fresh};
        pthread_create(&job[i].thread, NULL, work, &job[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(job[i].thread, NULL);
        total += job[i].done;
    }
    return (double)total * 1000.0 / (double)(clock_mono_ms() - start);
}

static void file_put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
        fprintf(stderr, "bench_dns: cannot write %s\n", path);
        exit(1);
    }
}

static double run_source(const char *anchor_path, const char *conf_path, bool cache)
{
    char *error = NULL;
    struct dns *dns = dns_unbound_new(
        &(struct dns_unbound_config){
            .anchor = anchor_path, .anchor_fixed = true, .extra = conf_path, .no_cache = !cache},
        &error);
    if (!dns) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    double rate = threads_run(by_scope, dns, NULL, !cache);
    dns_close(dns);
    return rate;
}

int main(void)
{
    char folder[200], anchor_path[256], conf_path[256];
    if (!figure_folder(folder, sizeof folder)) {
        fprintf(stderr, "bench_dns: no temporary folder\n");
        return 1;
    }
    snprintf(anchor_path, sizeof anchor_path, "%s/anchor", folder);
    snprintf(conf_path, sizeof conf_path, "%s/conf", folder);
    file_put(anchor_path, anchor);
    file_put(conf_path, conf);

    struct ub_ctx *ctx = ub_ctx_create();
    if (!ctx || ub_ctx_config(ctx, conf_path) != 0)
        return 1;
    double blocking = threads_run(by_ub_resolve, NULL, ctx, true);
    ub_ctx_delete(ctx);
    double async = run_source(anchor_path, conf_path, false), cached = run_source(anchor_path, conf_path, true);
    printf("dns: ub_resolve, %d threads       %10.0f look-ups/s     1.0\n", THREADS, blocking);
    printf("dns: event loop, new names       %10.0f look-ups/s  %6.1f\n", async, async / blocking);
    printf("dns: event loop, cache in front  %10.0f look-ups/s  %6.1f\n", cached, cached / blocking);
    figure("dns", "event loop, new names", async, "look-ups/s", FIGURE_MORE, 0);
    figure("dns", "event loop, new names, to ub_resolve: look-ups a second", async / blocking, "times", FIGURE_MORE, 0);
    figure("dns", "cache in front", cached, "look-ups/s", FIGURE_MORE, 0);
    figure("dns", "cache in front to ub_resolve: look-ups a second", cached / blocking, "times", FIGURE_MORE, 0);
    unlink(anchor_path);
    unlink(conf_path);
    rmdir(folder);
    return 0;
}
