// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_compat.h - what differs between the Unbound versions this module is built against. Included by unbound_*.c
 * only, after config.h.
 *
 * Built and tested: 1.17.1 (Debian 12), 1.22.0 (Debian 13), 1.26.1.
 */
#ifndef ASSAY_RESOLVER_MODULE_UNBOUND_COMPAT_H
#define ASSAY_RESOLVER_MODULE_UNBOUND_COMPAT_H

/* Given by the Makefile, from config.h: 1.17.1 is 1017. (Unbound's own version macros are defined only in its installed
 * header.) */
#ifndef ASSAY_UNBOUND
#error "ASSAY_UNBOUND: build with this room's Makefile"
#endif
#define UNBOUND_AT_LEAST(major, minor) (ASSAY_UNBOUND >= (major) * 1000 + (minor))

/* 1.23: dns_cache_store is told whether the look-up is the validator's own. */
#if UNBOUND_AT_LEAST(1, 23)
#define COMPAT_CACHE_STORE(env, qinfo, rep, leeway, flags, start)                                                      \
    dns_cache_store(env, qinfo, rep, 0, leeway, 0, NULL, flags, start, 0)
#else
#define COMPAT_CACHE_STORE(env, qinfo, rep, leeway, flags, start)                                                      \
    dns_cache_store(env, qinfo, rep, 0, leeway, 0, NULL, flags, start)
#endif

/* 1.20: the text of a bogus answer is made in a region instead of on the heap. */
#if UNBOUND_AT_LEAST(1, 20)
#define COMPAT_BOGUS_TEXT(qstate) errinf_to_str_bogus(qstate, NULL)
#else
#define COMPAT_BOGUS_TEXT(qstate) errinf_to_str_bogus(qstate)
#endif

/* 1.22: after a failure an expired answer is served for a while without trying again. */
#if UNBOUND_AT_LEAST(1, 22)
#define COMPAT_SERVE_NOREC(rep, until) ((rep)->serve_expired_norec_ttl = (until))
#else
#define COMPAT_SERVE_NOREC(rep, until) ((void)(until))
#endif

/* 1.22: RPZ leaves a mark in the query; before, only on the records it made. */
#if UNBOUND_AT_LEAST(1, 22)
#define COMPAT_RPZ_APPLIED(qstate) ((qstate)->rpz_applied)
#else
#define COMPAT_RPZ_APPLIED(qstate) 0
#endif

/* 1.26: the iterator says that forward-no-cache or stub-no-cache holds; before, it is seen by no_cache_lookup, which
 * the iterator sets with it. */
#if UNBOUND_AT_LEAST(1, 26)
#define COMPAT_NO_CACHE(qstate) ((qstate)->fwd_stub_no_cache || (qstate)->no_cache_lookup)
#else
#define COMPAT_NO_CACHE(qstate) ((qstate)->no_cache_lookup)
#endif

/* 1.25: a query that asks another question says for which client it does. */
#if UNBOUND_AT_LEAST(1, 25)
#define COMPAT_ATTACH_SUB(q, ask, sub) ((q)->env->attach_sub(q, ask, (q)->client_info, BIT_RD, 0, 0, sub))
#else
#define COMPAT_ATTACH_SUB(q, ask, sub) ((q)->env->attach_sub(q, ask, BIT_RD, 0, 0, sub))
#endif

#endif
