// SPDX-License-Identifier: BSD-2-Clause
/*
 * libspf2.h - between libspf2.c (one check) and libspf2_lookup.c (what the library sees of DNS). Only where libspf2 is
 * installed.
 */
#ifndef ASSAY_ENGINES_LIBSPF2_H
#define ASSAY_ENGINES_LIBSPF2_H

#include "standards/spf/spf_macro.h"
#include "standards/spf/spf_range.h"
#include "standards/spf/spf.h"
#include <netdb.h>
#include <netinet/in.h>
#include <sys/types.h>
#include <arpa/nameser.h>
#include <spf2/spf.h>

#define SPF_LIB_NAMES 256 /* names remembered: hosts of mx and ptr, explanations */

struct spf_lib {
    SPF_dns_server_t layer; /* hook points here */
    struct dns_scope *scope;
    struct arena *arena;
    const struct spf_input *in;
    struct spf_macro_values values;
    unsigned terms, voids;
    bool first_done; /* the record of the domain itself was asked for */
    bool over_limit; /* permerror */
    bool malformed;  /* permerror: a record that our parser refuses */
    bool failed;     /* temperror */
    bool any_answer;
    enum dns_security security;
    const char *reason;
    const char *hosts[SPF_LIB_NAMES]; /* of mx and ptr answers: their addresses are no terms */
    size_t host_count;
    const char *explanations[SPF_LIB_NAMES]; /* targets of exp=: no terms, never asked for */
    size_t explanation_count;
    struct spf_consulted records[LIMIT_SPF_TERMS + 1];
    size_t record_count;
    struct spf_ranges ranges; /* of all records seen, also of includes that do not pass */
    bool plus_all;
    bool sends_nothing;
};

void spf_lib_begin(struct spf_lib *l, struct dns_scope *scope, struct arena *arena, const struct spf_input *in,
                   const char *domain, struct slice local);

#endif
