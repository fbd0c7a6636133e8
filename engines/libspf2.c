// SPDX-License-Identifier: BSD-2-Clause
/*
 * libspf2.c - an SPF check by libspf2, for sites that must agree with its other users, and for comparison in tests.
 * With libspf2_lookup.c it makes the module assay-engine-libspf2.so.
 *
 * The library is restricted. In the version that Debian ships, it aborts the program on an error, counts its limits for
 * each include, has no limit on void look-ups, takes a failing server for "no match" in places, and reads some
 * malformed records beyond their end. So:
 *   - it sees DNS only through libspf2_lookup.c, which has its own budget, deadline and trace, applies the limits to
 *     the whole check (RFC 7208 4.6.4), and passes on only TXT records that our own parser found well-formed; if a
 *     limit was reached or a look-up failed, the result is decided here, whatever the library says;
 *   - its error handler is replaced by one that leaves the check by longjmp (its allocations then leak; the message is
 *     still judged);
 *   - it is given a server object of its own for each check, so that nothing is shared between threads.
 * What it cannot express (a loopback client, which it passes without a look-up; NUL in a local part) goes to our own
 * evaluator.
 *
 * Results are those of spf.h; the explanation is never asked for. On failure: temperror with a reason.
 */
#include "engines/engines.h"

#ifdef ASSAY_HAVE_LIBSPF2
#include "engines/libspf2.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>

static _Thread_local jmp_buf way_out;
static _Thread_local bool has_way_out;

static void on_error(const char *file, int line, const char *words) __attribute__((noreturn));
static void on_error(const char *file, int line, const char *words)
{
    if (has_way_out)
        longjmp(way_out, 1);
    pthread_exit(NULL); /* the library was called by somebody else; the handler may not return */
}

static void say_nothing(const char *file, int line, const char *words)
{
}

static void replace_handlers(void)
{
    SPF_error_handler = on_error;
    SPF_warning_handler = say_nothing;
    SPF_info_handler = say_nothing;
    SPF_debug_handler = say_nothing;
}

static enum result result_of(SPF_errcode_t code, SPF_result_t result)
{
    switch (result) {
    case SPF_RESULT_PASS:
        return RESULT_PASS;
    case SPF_RESULT_FAIL:
        return RESULT_FAIL;
    case SPF_RESULT_SOFTFAIL:
        return RESULT_SOFTFAIL;
    case SPF_RESULT_NEUTRAL:
        return RESULT_NEUTRAL;
    case SPF_RESULT_NONE:
        return RESULT_NONE;
    case SPF_RESULT_TEMPERROR:
        return RESULT_TEMPERROR;
    case SPF_RESULT_PERMERROR:
        return RESULT_PERMERROR;
    default:
        return code == SPF_E_DNS_ERROR || code == SPF_E_NO_MEMORY ? RESULT_TEMPERROR : RESULT_PERMERROR;
    }
}

static bool set_request(SPF_request_t *req, const struct spf_lib *l, const char *from)
{
    char client[IP_TEXT];
    ip_text(&l->in->client, client);
    int bad = l->in->client.family == 6 ? SPF_request_set_ipv6_str(req, client) : SPF_request_set_ipv4_str(req, client);
    if (!bad && l->in->helo)
        SPF_request_set_helo_dom(req, l->in->helo);
    if (!bad)
        SPF_request_set_env_from(req, from);
    return !bad;
}

/* The library's answer. Volatile: written between setjmp and longjmp. */
static enum result ask_library(struct spf_lib *l, const char *from)
{
    SPF_server_t *volatile server = NULL;
    SPF_request_t *volatile req = NULL;
    SPF_response_t *volatile kept = NULL;
    volatile enum result result = RESULT_TEMPERROR;
    if (setjmp(way_out) == 0) {
        has_way_out = true;
        server = SPF_server_new_dns(&l->layer, 0);
        req = server ? SPF_request_new(server) : NULL;
        if (req && set_request(req, l, from)) {
            SPF_response_t *resp = NULL;
            SPF_server_set_rec_dom(server, l->in->receiver ? l->in->receiver : "unknown");
            SPF_errcode_t code = SPF_request_query_mailfrom(req, &resp);
            kept = resp;
            result = result_of(code, resp ? SPF_response_result(resp) : SPF_RESULT_INVALID);
        }
        if (kept)
            SPF_response_free(kept);
        if (req)
            SPF_request_free(req);
        if (server)
            SPF_server_free(server);
    } else {
        result = RESULT_TEMPERROR;
        l->reason = "libspf2 gave up on an error of its own";
    }
    has_way_out = false;
    return result;
}

/* The results of the look-ups override the library's result. */
static void decide_result(struct spf_lib *l, enum result library, struct spf_finding *out)
{
    out->result = l->failed ? RESULT_TEMPERROR : l->malformed || l->over_limit ? RESULT_PERMERROR : library;
    const char *words =
        l->reason && (out->result == RESULT_TEMPERROR || out->result == RESULT_PERMERROR) ? l->reason : NULL;
    out->reason = words ? words : arena_printf(l->arena, "libspf2: %s for %s", result_name(out->result), out->domain);
    if (!out->reason)
        out->reason = "out of memory";
    out->security = l->any_answer ? l->security : DNS_UNKNOWN;
    out->terms = l->terms > LIMIT_SPF_TERMS ? LIMIT_SPF_TERMS + 1 : l->terms;
    out->voids = l->voids > LIMIT_SPF_VOID ? LIMIT_SPF_VOID + 1 : l->voids;
    out->records = l->records;
    out->record_count = l->record_count;
    out->authorised_v4 = spf_ranges_count(l->arena, l->ranges.v4);
    out->authorised_v6 = spf_ranges_count(l->arena, l->ranges.v6);
    out->plus_all = l->plus_all;
    out->sends_nothing = l->sends_nothing;
}

static enum status spf_check_libspf2(struct dns_scope *scope, struct arena *arena, const struct spf_input *in,
                                     enum spf_identity identity, struct spf_finding *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct slice local;
    *out = (struct spf_finding){.result = RESULT_NONE, .identity = identity};
    out->domain = spf_identity_domain(arena, in, identity, &local, &out->reason);
    if (!out->domain)
        return arena_failed(arena) ? STATUS_NOMEM : STATUS_OK;
    if (ip_is_loopback(&in->client) || memchr(local.p, '\0', local.n))
        return spf_check(scope, arena, in, identity, out);

    pthread_once(&once, replace_handlers);
    struct spf_lib *l = ARENA_NEW(arena, struct spf_lib);
    char *from = arena_printf(arena, "%.*s@%s", SLICE_ARG(local), out->domain);
    if (l && from) {
        spf_lib_begin(l, scope, arena, in, out->domain, local);
        decide_result(l, ask_library(l, from), out);
    }
    if (!arena_failed(arena))
        return STATUS_OK;
    out->result = RESULT_TEMPERROR;
    out->reason = "out of memory";
    return STATUS_NOMEM;
}

const struct spf_engine assay_spf_engine ENGINE_EXPORT = {SPF_ENGINE_STAMP, spf_check_libspf2};

#else

const struct spf_engine assay_spf_engine ENGINE_EXPORT = {SPF_ENGINE_STAMP, NULL};

#endif
