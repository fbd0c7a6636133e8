// SPDX-License-Identifier: BSD-2-Clause
/*
 * libspf2_lookup.c - libspf2's view of DNS: routes every look-up of one check through our scope.
 *
 * Decides for each how it counts by RFC 7208 4.6.4: the first TXT is the record itself, a later one an include or
 * redirect (a term), unless an exp= named it; an address of a host that mx or ptr brought up is part of that term;
 * anything else is a term of its own. Beyond a limit the library is told "no data" and the check is marked. A failing
 * look-up is TRY_AGAIN and marks the check, except those of ptr (5.5). Of TXT it sees only records that
 * spf_record_parse found right.
 *
 * All memory handed to the library is made by its own functions, which it frees. Without memory: its own error path,
 * which we caught.
 */
#ifdef ASSAY_HAVE_LIBSPF2
#include "engines/libspf2.h"
#include "standards/spf/spf_record.h"

/* The place of name among names, or count. */
static size_t place_of(const char *const *names, size_t count, const char *name)
{
    size_t n = strlen(name), i = 0;
    if (n && name[n - 1] == '.')
        n--;
    while (i < count && !slice_eq_nocase(slice_str(names[i]), slice_of(name, n)))
        i++;
    return i;
}

static bool is_explanation(const struct spf_lib *l, const char *name)
{
    return place_of(l->explanations, l->explanation_count, name) < l->explanation_count;
}

/* Tells whether mx or ptr brought the name up; once for each time that they did. */
static bool take_host(struct spf_lib *l, const char *name)
{
    size_t i = place_of(l->hosts, l->host_count, name);
    if (i == l->host_count)
        return false;
    l->hosts[i] = l->hosts[--l->host_count];
    return true;
}

static void name_remember(const char **names, size_t *count, const char *name)
{
    if (name && *count < SPF_LIB_NAMES)
        names[(*count)++] = name;
}

static void mark(const char **reason, bool *flag, const char *words)
{
    if (!*reason)
        *reason = words;
    *flag = true;
}

/* Counts a look-up as a term; false: beyond the limit. */
static bool count_term(struct spf_lib *l)
{
    if (++l->terms <= LIMIT_SPF_TERMS)
        return true;
    mark(&l->reason, &l->over_limit, "more than 10 terms that look up (RFC 7208 4.6.4)");
    return false;
}

static const struct dns_answer *lookup_get(struct spf_lib *l, const char *name, enum dns_type type)
{
    const struct dns_answer *a = dns_get(l->scope, name, type);
    if (a->state == DNS_BADNAME)
        return a;
    if (!l->any_answer || a->state == DNS_BOGUS || (l->security != DNS_BROKEN && a->security < l->security))
        l->security = a->security;
    l->any_answer = true;
    return a;
}

static int herrno_of(const struct dns_answer *a)
{
    switch (a->state) {
    case DNS_FOUND:
        return NETDB_SUCCESS;
    case DNS_NODATA:
        return NO_DATA;
    case DNS_NXDOMAIN:
    case DNS_BADNAME:
        return HOST_NOT_FOUND;
    default:
        return TRY_AGAIN;
    }
}

static void add_text(SPF_dns_rr_t *rr, struct slice text)
{
    int i = rr->num_rr;
    if (SPF_dns_rr_buf_realloc(rr, i, text.n + 1) != SPF_E_SUCCESS)
        return;
    memcpy(rr->rr[i]->txt, text.p, text.n);
    rr->rr[i]->txt[text.n] = '\0';
    rr->num_rr++;
}

static void add_hosts(struct spf_lib *l, const struct dns_answer *a, SPF_dns_rr_t *rr)
{
    for (size_t i = 0; i < a->count; i++) {
        const char *host = dns_host_text(l->scope, a, i, NULL);
        if (!host || strcmp(host, ".") == 0)
            continue;
        name_remember(l->hosts, &l->host_count, host);
        add_text(rr, slice_str(host));
    }
}

static void add_addresses(const struct dns_answer *a, SPF_dns_rr_t *rr)
{
    struct ip ip;
    for (size_t i = 0; i < a->count; i++) {
        if (!dns_address(a, i, &ip) ||
            SPF_dns_rr_buf_realloc(rr, rr->num_rr, sizeof(SPF_dns_rr_data_t)) != SPF_E_SUCCESS)
            continue;
        memcpy(ip.family == 4 ? (void *)&rr->rr[rr->num_rr]->a : (void *)&rr->rr[rr->num_rr]->aaaa, ip.octets,
               ip.family == 4 ? 4 : 16);
        rr->num_rr++;
    }
}

/* The record goes to the library, its exp= target into our memory. */
static void add_record(struct spf_lib *l, const char *domain, struct slice text, enum dns_security security,
                       SPF_dns_rr_t *rr)
{
    struct spf_record record;
    struct buf target = BUF_INIT;
    const char *why = "out of memory";
    if (l->record_count < LIMIT_SPF_TERMS + 1)
        l->records[l->record_count++] = (struct spf_consulted){arena_strdup(l->arena, domain), text, security};
    if (spf_record_parse(l->arena, text, &record, &why) != STATUS_OK) {
        mark(&l->reason, &l->malformed, why);
        return;
    }
    l->sends_nothing = l->record_count == 1 && spf_record_sends_nothing(&record);
    spf_ranges_add_record(l->arena, &l->ranges, &record, &l->plus_all);
    l->values.domain = domain;
    if (record.exp.n && spf_macro_domain(record.exp, &l->values, &target) == STATUS_OK)
        name_remember(l->explanations, &l->explanation_count, arena_copy(l->arena, target.p, target.n));
    buf_release(&target);
    add_text(rr, text);
}

static void add_records(struct spf_lib *l, const struct dns_answer *a, SPF_dns_rr_t *rr)
{
    for (size_t i = 0; i < a->count; i++) {
        struct slice text = dns_txt(l->scope, a, i);
        if (spf_record_is(text))
            add_record(l, a->name, text, a->security, rr);
    }
}

/* Tells whether the look-up may be made; terms are counted here. */
static bool is_allowed(struct spf_lib *l, const char *domain, ns_type type, bool part)
{
    if (type == ns_t_txt) {
        bool first = !l->first_done;
        l->first_done = true;
        return first || (!is_explanation(l, domain) && count_term(l));
    }
    return part || ((type == ns_t_a || type == ns_t_aaaa || type == ns_t_mx || type == ns_t_ptr) && count_term(l));
}

static void lookup_judge(struct spf_lib *l, const struct dns_answer *a, bool part_of_term)
{
    if (a->type == DNS_PTR && herrno_of(a) == TRY_AGAIN)
        return;
    if (a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS)
        mark(&l->reason, &l->failed, a->why ? a->why : "a look-up failed");
    else if (a->type == DNS_MX && a->count > LIMIT_SPF_MX)
        mark(&l->reason, &l->over_limit, "an mx has more than 10 hosts (RFC 7208 4.6.4)");
    else if (!part_of_term && (a->state == DNS_NODATA || a->state == DNS_NXDOMAIN) && ++l->voids > LIMIT_SPF_VOID)
        mark(&l->reason, &l->over_limit, "more than 2 terms whose look-up finds nothing (RFC 7208 4.6.4)");
}

static SPF_dns_rr_t *lookup(SPF_dns_server_t *layer, const char *domain, ns_type type, int should_cache)
{
    struct spf_lib *l = layer->hook;
    bool part = type == ns_t_txt ? !l->first_done : (type == ns_t_a || type == ns_t_aaaa) && take_host(l, domain);
    if (l->over_limit || l->malformed || l->failed || !is_allowed(l, domain, type, part))
        return SPF_dns_rr_new_init(layer, domain, type, 0, NO_DATA);
    const struct dns_answer *a = lookup_get(l, domain, (enum dns_type)type);
    lookup_judge(l, a, part);
    SPF_dns_rr_t *rr = SPF_dns_rr_new_init(layer, domain, type, (int)a->ttl, herrno_of(a));
    if (!rr)
        return NULL;
    if (type == ns_t_txt)
        add_records(l, a, rr);
    else if (type == ns_t_mx || type == ns_t_ptr)
        add_hosts(l, a, rr);
    else
        add_addresses(a, rr);
    if (a->state == DNS_FOUND && rr->num_rr == 0)
        rr->herrno = NO_DATA;
    return rr;
}

void spf_lib_begin(struct spf_lib *l, struct dns_scope *scope, struct arena *arena, const struct spf_input *in,
                   const char *domain, struct slice local)
{
    l->scope = scope;
    l->arena = arena;
    l->in = in;
    l->layer = (SPF_dns_server_t){.lookup = lookup, .name = "assay", .hook = l};
    l->values = (struct spf_macro_values){.local = local,
                                          .sender_domain = domain,
                                          .domain = domain,
                                          .helo = in->helo,
                                          .receiver = in->receiver,
                                          .client = in->client};
}

#endif
