// SPDX-License-Identifier: BSD-2-Clause
/*
 * chain.h - tells whether this module has its place among the modules of Unbound's module-config (assay-unbound(8),
 * "Order of modules").
 */
#ifndef ASSAY_RESOLVER_MODULE_CHAIN_H
#define ASSAY_RESOLVER_MODULE_CHAIN_H

#define CHAIN_WORDS 16 /* of a module-config that are read: Unbound takes 16 (MAX_MODULE) */
#define CHAIN_TEXT 512
#define CHAIN_SAID 1600 /* what chain_say() writes, of a module-config of CHAIN_TEXT octets */

enum chain_fault {
    CHAIN_GOOD,
    CHAIN_NO_VALIDATOR, /* nothing is validated before this module sees it */
    CHAIN_DNS64_BEHIND, /* dns64 asks behind this module: what it asks for is stored before it is judged */
    CHAIN_CACHE_BEFORE, /* a cache of its own answers before this module sees the question */
};

struct chain {
    enum chain_fault fault; /* the first of them */
    const char *module;     /* the module in the wrong place: a word of the table, or NULL */
    char right[CHAIN_TEXT]; /* module-config with the same modules in the right order; "" if none can be proposed */
};

/* modules: module-config as it is ("dynlib validator iterator"). */
void chain_look(const char *modules, struct chain *out);

/* What is wrong, and what to write instead, on one line; "" if nothing is wrong. */
void chain_say(const struct chain *c, const char *modules, char *out, unsigned size);

#endif
