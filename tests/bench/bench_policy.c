// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_policy.c - a policy with a list of names: seconds to load it, octets a name beyond the text, nanoseconds a
 * question.
 *
 *     build/bench/bench_policy [NAMES]      default and most: 1,000,000
 *
 * Prints figures (of processor time) with the aim of each, and judges nothing. Questions are asked of names picked at
 * random from the list, of names below them, and of names that are not in it, so that caches help as little as they do
 * on a mail server.
 */
#include "base/clock.h"
#include "policy/policy.h"
#include "tests/bench/figure.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NAMES_MOST 1000000u
#define QUESTIONS 2000000u

static uint32_t name_count = NAMES_MOST;

static uint64_t state = 88172645463325252u;

static uint32_t random_draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static void name_of(uint32_t i, char out[64])
{
    static const char *const tops[] = {"example", "test", "nl", "de", "co.uk"};
    uint32_t h = i * 2654435761u;
    snprintf(out, 64, "%s%x.%s", i & 1 ? "mail-" : "company", h, tops[i % 5]);
}

static bool write_list(const char *path)
{
    FILE *f = fopen(path, "w");
    char name[64];
    if (!f)
        return false;
    for (uint32_t i = 0; i < name_count; i++) {
        name_of(i, name);
        fprintf(f, "%s\n", name);
    }
    return fclose(f) == 0;
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void ask_many(const struct policy *p, const char *what, unsigned kind)
{
    static char names[65536][80];
    struct policy_answer a;
    uint64_t required = 0;
    for (uint32_t i = 0; i < 65536; i++) {
        char name[64];
        name_of(random_draw() % name_count, name);
        snprintf(names[i], sizeof names[i], "%s%s", kind == 1 ? "mx1.relay." : kind == 2 ? "un" : "", name);
    }
    int64_t start = now_us();
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        struct policy_question q = {.standard = STANDARD_DMARC,
                                    .who = names[i & 65535],
                                    .rcpt = "someone@payroll.example.org",
                                    .at = 1795176000};
        policy_ask(p, &q, &a);
        required += a.level == POLICY_REQUIRE;
    }
    double ns = (double)(now_us() - start) * 1000.0 / QUESTIONS;
    printf("  %-44s %7.0f ns   (our goal: at most 500; %.2f of it; %.0f%% required)\n", what, ns, ns / 500,
           100.0 * (double)required / QUESTIONS);
    figure("policy", what, ns, "ns", FIGURE_LESS, 500);
}

#define CUSTOMERS 100000u

/* A hosting provider: each customer asks something for its own recipients. */
static void customers(void)
{
    struct buf text = BUF_INIT;
    struct policy_answer a;
    static char rcpts[4096][48];
    uint64_t required = 0;
    buf_adds(&text, "follow dmarc of everyone\n");
    for (uint32_t i = 0; i < CUSTOMERS; i++)
        buf_printf(&text, "require dmarc of partner%u.example writing to c%u.example\n", i % 977, i);
    int64_t start = now_us();
    struct policy *p = policy_load_text(buf_slice(&text), "customers", NULL);
    printf("policy: %u customers with a statement each\n  %-44s %7.2f s\n", CUSTOMERS, "load",
           (double)(now_us() - start) / 1e6);
    buf_release(&text);
    for (uint32_t i = 0; i < 4096; i++)
        snprintf(rcpts[i], sizeof rcpts[i], "someone+tag@c%u.example", random_draw() % CUSTOMERS);
    start = now_us();
    for (uint32_t i = 0; p && i < QUESTIONS; i++) {
        struct policy_question q = {
            .standard = STANDARD_DMARC, .who = "partner7.example", .rcpt = rcpts[i & 4095], .at = 1795176000};
        policy_ask(p, &q, &a);
        required += a.level == POLICY_REQUIRE;
    }
    double ns = (double)(now_us() - start) * 1000.0 / QUESTIONS;
    printf("  %-44s %7.0f ns   (our goal: at most 500; %.2f of it; %.1f%% required)\n",
           "question, a recipient of theirs", ns, ns / 500, 100.0 * (double)required / QUESTIONS);
    figure("policy", "question, a recipient of one of 100,000 customers", ns, "ns", FIGURE_LESS, 500);
    policy_unref(p);
}

static void ask_names(const struct policy *p)
{
    struct policy_answer a;
    int64_t start = now_us();
    uint64_t required = 0;
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        struct policy_question q = {.names = true,
                                    .standard = STANDARD_DNSSEC,
                                    .who = i & 1 ? "www.bank.example" : "cdn.shop.example.net",
                                    .at = 1795176000};
        policy_ask(p, &q, &a);
        required += a.level == POLICY_REQUIRE;
    }
    double ns = (double)(now_us() - start) * 1000.0 / QUESTIONS;
    printf("  %-44s %7.0f ns   (our goal: at most 500; %.2f of it; %.0f%% required)\n",
           "question, the resolver's of each query", ns, ns / 500, 100.0 * (double)required / QUESTIONS);
    figure("policy", "question, the resolver's of each query", ns, "ns", FIGURE_LESS, 500);
}

static bool bench_run(const char *folder)
{
    char list[256], path[256], text[1024];
    snprintf(list, sizeof list, "%s/million.list", folder);
    snprintf(path, sizeof path, "%s/policy", folder);
    snprintf(
        text, sizeof text,
        "record spf, dkim, arc, tls, rdns of everyone\nfollow dmarc of everyone\nlist million in \"million.list\"\n"
        "require dmarc, dnssec of list million otherwise quarantine\nrequire dane of bank.example otherwise reject\n"
        "require dmarc of everyone writing to pay.example.org otherwise reject\n"
        "follow dnssec of every name\nrequire dnssec of names in bank.example\n");
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0 || !write_list(list)) {
        fprintf(stderr, "bench_policy: cannot write in %s\n", folder);
        unlink(list);
        unlink(path);
        return false;
    }
    int64_t start = now_us();
    struct policy *p = policy_load(path, NULL);
    double seconds = (double)(now_us() - start) / 1e6;
    if (p) {
        size_t names_text, octets = policy_memory(p, &names_text);
        printf("policy: a list of %u names\n", name_count);
        printf("  %-44s %7.2f s    (our goal: at most 1; %.2f of it)\n", "load", seconds, seconds);
        printf("  %-44s %7.1f      (our goal: at most 64; %.2f of it)\n", "octets a name beyond its text",
               (double)octets / name_count, (double)octets / name_count / 64);
        figure("policy", "load", seconds, "s", FIGURE_LESS, 1);
        figure("policy", "memory of a name beyond its text", (double)octets / name_count, "octets", FIGURE_LESS, 64);
        ask_many(p, "question, in the list", 0);
        ask_many(p, "question, two labels below one in it", 1);
        ask_many(p, "question, not in it", 2);
        ask_names(p);
    }
    policy_unref(p);
    unlink(list);
    unlink(path);
    return p != NULL;
}

int main(int argc, char **argv)
{
    char folder[200];
    if (argc > 1)
        name_count = (uint32_t)strtoul(argv[1], NULL, 10);
    if (name_count < 1 || name_count > NAMES_MOST) {
        fprintf(stderr, "bench_policy: a number of names from 1 to %u was expected, not '%s'\n", NAMES_MOST, argv[1]);
        return 64;
    }
    if (!figure_folder(folder, sizeof folder)) {
        fprintf(stderr, "bench_policy: no temporary folder\n");
        return 1;
    }
    const bool done = bench_run(folder);
    if (done && name_count == NAMES_MOST)
        customers();
    rmdir(folder);
    return done ? 0 : 1;
}
