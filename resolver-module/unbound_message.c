// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_message.c - what unbound_message.h says, on Unbound's struct reply_info.
 *
 * Promises: the message is whole at every return; counts and array agree. Record sets are shared with the message they
 * came from: both lie in the query's region. On failure (no memory) the message stays as it was; if that could give out
 * refused data there is no message, which Unbound answers as SERVFAIL.
 */
#include "resolver-module/unbound_message.h"
#include "services/cache/dns.h"
#include "services/localzone.h"
#include "util/net_help.h"
#include "util/regional.h"

static struct reply_info *new_rep(struct module_qstate *q, size_t an, size_t ns)
{
    const struct reply_info *old = q->return_msg->rep;
    struct reply_info *rep = regional_alloc(q->region, sizeof *rep);
    if (!rep)
        return NULL;
    *rep = *old;
    rep->an_numrrsets = an;
    rep->ns_numrrsets = ns;
    rep->ar_numrrsets = 0;
    rep->rrset_count = an + ns;
    rep->rrsets = regional_alloc(q->region, (an + ns + 1) * sizeof *rep->rrsets);
    return rep->rrsets ? rep : NULL;
}

static void have_none(struct module_qstate *q)
{
    q->return_rcode = LDNS_RCODE_SERVFAIL;
    q->return_msg = NULL;
}

void message_empty(struct module_qstate *q)
{
    if (q->return_msg->rep->rrset_count && !message_cut(q, 0))
        have_none(q);
}

void message_thin(struct module_qstate *q, bool (*may)(void *arg, const struct ub_packed_rrset_key *k), void *arg)
{
    struct reply_info *old = q->return_msg->rep;
    size_t beside = old->an_numrrsets, left_out = 0;
    for (size_t i = beside; i < old->rrset_count; i++) {
        bool ns = i < beside + old->ns_numrrsets;
        if ((!ns || ntohs(old->rrsets[i]->rk.type) == LDNS_RR_TYPE_NS) && !may(arg, old->rrsets[i]))
            left_out++;
    }
    if (!left_out)
        return;
    struct reply_info *rep = new_rep(q, old->an_numrrsets, old->ns_numrrsets + old->ar_numrrsets);
    if (!rep) {
        have_none(q);
        return;
    }
    rep->ns_numrrsets = rep->rrset_count = 0;
    for (size_t i = 0; i < old->rrset_count; i++) {
        bool an = i < beside, ns = !an && i < beside + old->ns_numrrsets;
        bool asked = !an && (!ns || ntohs(old->rrsets[i]->rk.type) == LDNS_RR_TYPE_NS);
        if (asked && !may(arg, old->rrsets[i]))
            continue;
        rep->rrsets[rep->rrset_count++] = old->rrsets[i];
        rep->ns_numrrsets += ns;
        rep->ar_numrrsets += !an && !ns;
    }
    q->return_msg->rep = rep;
}

bool message_cut(struct module_qstate *q, size_t keep)
{
    const struct reply_info *old = q->return_msg->rep;
    size_t n = keep < old->an_numrrsets ? keep : old->an_numrrsets;
    struct reply_info *rep = new_rep(q, n, 0);
    if (!rep)
        return false;
    for (size_t i = 0; i < n; i++)
        rep->rrsets[i] = old->rrsets[i];
    q->return_msg->rep = rep;
    return true;
}

/* The validator does not mark every record set that it proved to be unsigned; here it does not matter how that was
 * proved. */
static void rrset_set_security(struct ub_packed_rrset_key *k, enum sec_status whole)
{
    struct packed_rrset_data *d = k->entry.data;
    if (whole > sec_status_bogus && d->security == sec_status_unchecked)
        d->security = whole == sec_status_secure ? sec_status_secure : sec_status_insecure;
}

bool message_join(struct module_qstate *q, const struct reply_info *tail)
{
    const struct reply_info *old = q->return_msg->rep;
    size_t head = old->an_numrrsets, n = tail->an_numrrsets + tail->ns_numrrsets;
    struct reply_info *rep = new_rep(q, head + tail->an_numrrsets, tail->ns_numrrsets);
    if (!rep)
        return false;
    for (size_t i = 0; i < head; i++)
        rep->rrsets[i] = old->rrsets[i];
    for (size_t i = 0; i < n; i++) {
        rep->rrsets[head + i] = tail->rrsets[i];
        rrset_set_security(tail->rrsets[i], tail->security);
    }
    FLAGS_SET_RCODE(rep->flags, FLAGS_GET_RCODE(tail->flags));
    if (tail->ttl < rep->ttl) {
        rep->ttl = tail->ttl;
        rep->prefetch_ttl = PREFETCH_TTL_CALC(rep->ttl);
        rep->serve_expired_ttl = tail->serve_expired_ttl;
    }
    if (tail->security <= sec_status_bogus)
        rep->reason_bogus = tail->reason_bogus;
    rep->security = sec_status_bogus;
    q->return_msg->rep = rep;
    return true;
}

static void set_mark(struct ub_packed_rrset_key *k, bool on)
{
    k->rk.flags = on ? k->rk.flags | MESSAGE_SUSPENDED : k->rk.flags & ~MESSAGE_SUSPENDED;
    k->entry.hash = rrset_key_hash(&k->rk);
}

void message_suspend(struct module_qstate *q)
{
    struct reply_info *old = q->return_msg->rep, *rep = new_rep(q, old->an_numrrsets, old->ns_numrrsets);
    size_t marked = 0;
    if (!rep) {
        have_none(q);
        return;
    }
    rep->ns_numrrsets = rep->rrset_count = 0;
    for (size_t i = 0; i < old->an_numrrsets + old->ns_numrrsets; i++) {
        struct ub_packed_rrset_key *k = old->rrsets[i];
        struct packed_rrset_data *d = k->entry.data;
        if (i >= old->an_numrrsets && ntohs(k->rk.type) == LDNS_RR_TYPE_NS)
            continue;
        if (d->security <= sec_status_bogus) {
            d->security = sec_status_bogus;
            set_mark(k, true);
            marked++;
        }
        rep->rrsets[rep->rrset_count++] = k;
        rep->ns_numrrsets += i >= old->an_numrrsets;
    }
    for (size_t i = 0; !marked && i < rep->rrset_count; i++) /* a proof that is missing, not broken */
        set_mark(rep->rrsets[i], true);
    rep->security = sec_status_insecure;
    rep->reason_bogus = LDNS_EDE_NONE;
    q->return_msg->rep = rep;
}

void message_unmark(struct module_qstate *q)
{
    struct reply_info *rep = q->return_msg->rep;
    for (size_t i = 0; i < rep->rrset_count; i++) {
        if (!(rep->rrsets[i]->rk.flags & MESSAGE_SUSPENDED))
            continue;
        set_mark(rep->rrsets[i], false);
        rep->security = sec_status_bogus;
    }
}

const struct ub_packed_rrset_key *message_marked(const struct reply_info *rep)
{
    for (size_t i = 0; i < rep->an_numrrsets + rep->ns_numrrsets; i++)
        if (rep->rrsets[i]->rk.flags & MESSAGE_SUSPENDED)
            return rep->rrsets[i];
    return NULL;
}

static bool is_delegation(const struct reply_info *rep)
{
    for (size_t i = 0; i < rep->ns_numrrsets; i++)
        if (ntohs(rep->rrsets[rep->an_numrrsets + i]->rk.type) == LDNS_RR_TYPE_SOA)
            return false;
    return rep->an_numrrsets == 0 && rep->ns_numrrsets > 0;
}

bool message_unjudged(const struct reply_info *rep)
{
    return (rep->security <= sec_status_bogus || rep->security == sec_status_secure_sentinel_fail) &&
           !is_delegation(rep);
}

/* One record longer than any DNS message (RFC 1035 4.2.2: 65535 octets). */
#define TOO_LONG 65536
static uint8_t too_long[TOO_LONG];

struct long_alias {
    struct local_rrset alias;
    struct ub_packed_rrset_key key;
    struct packed_rrset_data data;
    size_t length;
    time_t ttl;
    uint8_t *rdata;
};

/* Unbound encodes a local alias before the answer. This one fits into no message, so it stops there, with TC set. */
static void put_long_alias(struct query_info *qinfo, struct regional *region)
{
    struct long_alias *l = regional_alloc_zero(region, sizeof *l);
    if (!l)
        return;
    const struct local_rrset *before = qinfo->local_alias;
    l->rdata = too_long;
    l->length = sizeof too_long;
    l->data.count = 1;
    l->data.rr_len = &l->length;
    l->data.rr_ttl = &l->ttl;
    l->data.rr_data = &l->rdata;
    l->key.entry.key = &l->key;
    l->key.entry.data = &l->data;
    l->key.rk.dname = before ? before->rrset->rk.dname : qinfo->qname;
    l->key.rk.dname_len = before ? before->rrset->rk.dname_len : qinfo->qname_len;
    l->key.rk.type = htons(LDNS_RR_TYPE_TXT);
    l->key.rk.rrset_class = htons(qinfo->qclass);
    l->alias.rrset = &l->key;
    qinfo->local_alias = &l->alias;
}

void message_keep_from(struct query_info *qinfo, const struct module_qstate *q, struct reply_info *rep,
                       struct regional *region)
{
    if (!q) {
        put_long_alias(qinfo, region);
        return;
    }
    rep->an_numrrsets = rep->ns_numrrsets = rep->ar_numrrsets = rep->rrset_count = 0;
    FLAGS_SET_RCODE(rep->flags, LDNS_RCODE_SERVFAIL);
}
