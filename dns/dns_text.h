// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_text.h - records in the text of zone files (RFC 1035 section 5.1; RFC 3597 section 5 for types without a form of
 * their own), both ways.
 *
 * Used by the replay source and its writer. All functions are pure and may be called from any thread.
 */
#ifndef ASSAY_DNS_DNS_TEXT_H
#define ASSAY_DNS_DNS_TEXT_H

#include "base/buf.h"
#include "dns/dns.h"
#include "base/status.h"

#define DNS_TOKENS 1024 /* words on one line; a TXT rdata of 65,535 octets holds at most 257 full strings */

struct dns_token {
    struct slice text; /* as written, escapes still in it, without the quotes */
    bool quoted;
};

/* Splits a line into words and quoted strings, up to a comment (# or ; at the start of a word). Returns their number;
 * SIZE_MAX with *why set: a quote that is not closed, or more than DNS_TOKENS. */
size_t dns_tokens(struct slice line, struct dns_token out[DNS_TOKENS], const char **why);

/* "MX", "TYPE99", any case. False: no type. */
bool dns_type_from_text(struct slice text, enum dns_type *out);

/* Undoes the escapes of a word into octets. STATUS_INVALID: a bad escape. */
enum status dns_text_octets(struct slice text, struct buf *out) MUST_CHECK;

/* The rdata in wire form, added to out; STATUS_INVALID with *why set to words for an error. */
enum status dns_rdata_parse(enum dns_type type, const struct dns_token *tokens, size_t count, struct buf *out,
                            const char **why) MUST_CHECK;

/* The rdata in text, added to out, in its type's own form where it is well-formed, else as \# LENGTH HEX. */
void dns_rdata_print(enum dns_type type, struct slice rdata, struct buf *out);

/* A quoted string: \DDD for what is not printable ASCII, quote and backslash escaped. */
void dns_string_print(struct slice octets, struct buf *out);

#endif
