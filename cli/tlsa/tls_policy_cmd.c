// SPDX-License-Identifier: BSD-2-Clause
/*
 * tls_policy_cmd.c - `assay tls-policy DOMAIN [--fetch]`: what Postfix would be told about mail to a domain, and why.
 *
 * Goes the way of assay-outgoing (outgoing/tls_policy.h) in this process: the same look-ups, the policies that the
 * service remembers, read and never written, and a fetch only if --fetch asks for one. Exit code 0 for an answer, also
 * "not found"; 3 if Postfix would be told to try later; sysexits for a wrong command line or files that cannot be read.
 */
#include "base/json.h"
#include "base/options.h"
#include "cli/cli.h"
#include "cli/verify/verify.h"
#include "net/https.h"
#include "outgoing/tls_policy.h"
#include "policy/policy_settings.h"
#include <stdlib.h>

#define CACHE ASSAY_STATEDIR "-outgoing/mta-sts"
#define STEPS 64

struct options {
    const char *policy, *cache, *dns;
    bool fetch, attributes, json;
};

#define OPTIONS_OF struct options
static const struct option_row rows[] = {
    OPTIONS_FLAG(0, "fetch", fetch, "fetch the domain's MTA-STS policy if it is not remembered"),
    OPTIONS_FLAG(0, "attributes", attributes, "the answer of the map assay-sts, for Postfix 3.10 and later"),
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy file, for its DNS settings"),
    OPTIONS_TEXT(0, "cache", "FILE", cache, "where policies are remembered (default " CACHE ")"),
    OPTIONS_TEXT(0, "dns", "FILE", dns, "saved answers instead of DNS"),
    OPTIONS_FLAG(0, "json", json, "one JSON object for programs"),
};

struct steps {
    char *words[STEPS];
    size_t count;
};

static void keep_step(void *context, const char *words)
{
    struct steps *s = context;

    if (s->count < STEPS && (s->words[s->count] = strdup(words)) != NULL)
        s->count++;
}

static const char *const results[] = {"found", "not-found", "try-later"};

static void print_text(const char *domain, enum tls_policy_answer answer, const char *text, const struct steps *s)
{
    for (size_t i = 0; i < s->count; i++) {
        cli_put_visible(stdout, s->words[i]);
        putchar('\n');
    }
    fputs("Postfix is told: ", stdout);
    cli_put_visible(stdout, answer == TLS_POLICY_FOUND ? text : answer == TLS_POLICY_LATER ? "try later" : "not found");
    putchar('\n');
    if (answer == TLS_POLICY_LATER) {
        fputs("because ", stdout);
        cli_put_visible(stdout, text);
        putchar('\n');
    }
    if (answer == TLS_POLICY_NOT_FOUND)
        printf("(what main.cf says for every domain holds for %s)\n", domain);
}

static bool print_json(const char *domain, enum tls_policy_answer answer, const char *text, const struct steps *s)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);

    json_open(&j);
    json_str(&j, "domain", domain);
    json_str(&j, "result", results[answer]);
    json_opt(&j, "policy", answer == TLS_POLICY_FOUND ? text : NULL);
    json_opt(&j, "why", answer == TLS_POLICY_LATER ? text : NULL);
    json_open_array(&j, "steps");
    for (size_t i = 0; i < s->count; i++)
        json_str(&j, NULL, s->words[i]);
    json_end(&j);
    json_end(&j);
    buf_addc(&b, '\n');
    return cli_flush(&b);
}

static int domain_ask(const struct options *o, const char *domain, struct dns *dns)
{
    struct tls_policy_config c = {
        .dns = dns, .file = o->cache ? o->cache : CACHE, .read_only = true, .no_fetch = !o->fetch};
    struct steps steps = {.count = 0};
    struct buf text = BUF_INIT;
    struct tls_policy_question q = {.key = domain, .attributes = o->attributes, .step = keep_step, .context = &steps};
    struct tls_policy *t = !o->fetch || https_begin() ? tls_policy_new(&c) : NULL;

    if (!t) {
        cli_error("out of memory, or libcurl cannot be used");
        return EX_OSERR;
    }
    enum tls_policy_answer answer = tls_policy_ask(t, &q, &text);
    tls_policy_free(t);
    int rc = answer == TLS_POLICY_LATER ? CLI_UNKNOWN : CLI_OK;
    if (!o->json)
        print_text(domain, answer, text.n ? text.p : "", &steps);
    else if (!print_json(domain, answer, text.n ? text.p : "", &steps))
        rc = EX_IOERR;
    for (size_t i = 0; i < steps.count; i++)
        free(steps.words[i]);
    buf_release(&text);
    return rc;
}

int cmd_tls_policy(int argc, char **argv)
{
    static const struct options_spec spec = {
        .synopsis = "DOMAIN [--fetch]",
        .text = "Shows what Postfix would be told about mail to a domain, by DANE and MTA-STS, and each step to it.",
        .rows = rows,
        .row_count = sizeof rows / sizeof *rows,
        .needs = "a domain",
        .least = 1,
        .most = 1,
    };
    struct options o = {.policy = CLI_POLICY_PATH};
    int operands, rc = options_start(&spec, "assay tls-policy", argc, argv, &o, &operands, stdout, stderr);

    if (rc >= 0)
        return rc;
    struct policy_report *r = policy_report_new();
    const struct policy *p = r ? policy_load(o.policy, r) : NULL;
    if (!p && !o.dns)
        cli_error("%s cannot be used (assay policy check says why)", o.policy);
    struct dns *dns = p || o.dns ? verify_dns(o.dns, p) : NULL;
    rc = dns ? domain_ask(&o, argv[1], dns) : p || o.dns ? EX_NOINPUT : EX_CONFIG;
    dns_close(dns);
    policy_unref(p);
    policy_report_free(r);
    return rc;
}
