// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_sigfield.h - parses one signature field: DKIM-Signature (RFC 6376 3.5), ARC-Message-Signature and ARC-Seal (RFC
 * 8617 4.1).
 *
 * Internal to dkim_* and arc_*. Results live in the arena or point into the field's octets. Pure except the arena.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_SIGFIELD_H
#define ASSAY_STANDARDS_DKIM_DKIM_SIGFIELD_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/standard.h"
#include "standards/dkim/dkim_tags.h"
#include <time.h>

enum dkim_sigfield_kind { SIGFIELD_DKIM, SIGFIELD_ARC_MESSAGE, SIGFIELD_ARC_SEAL };

enum dkim_algorithm { ALGORITHM_OTHER, ALGORITHM_RSA_SHA1, ALGORITHM_RSA_SHA256, ALGORITHM_ED25519_SHA256 };

/* An RSA signature is as long as its key (8192 bits at most). */
#define SIGFIELD_SIGNATURE_MAX 1024

struct dkim_sigfield {
    enum dkim_sigfield_kind kind;
    /* RESULT_PASS: read and usable so far; else the result this field gets (and `reason` says why) */
    enum result problem;
    const char *reason;
    enum dkim_algorithm algorithm;
    bool relaxed_header, relaxed_body;
    bool canonicalization_given; /* c= is there */
    const char *domain;          /* d=, s=: canonical names; NULL if there is none */
    const char *selector;
    const char *identity; /* i= of DKIM, decoded; NULL if there is none */
    const char *identity_domain;
    struct slice names; /* h=; p NULL if there is none */
    size_t from_names;  /* how often h= has From */
    const uint8_t *signature;
    size_t signature_size;
    uint8_t body_hash[32];
    bool limited; /* l= is there */
    uint64_t limit;
    time_t signed_at, expires; /* 0: none */
    unsigned instance;         /* i= of ARC, 1 to 50; 0: none */
    enum result cv;            /* of a seal: none, fail, pass */
    struct slice value;        /* the field's whole value */
    struct slice b_raw;        /* the part of it that counts as empty when the field itself is hashed (RFC 6376 3.7) */
    struct slice b_text;       /* b= as written */
};

/* Reads a field's value. Never fails: `problem` says what is wrong. As much as possible is filled in even then, so that
 * a report can name the signature. `now` is for x= and t=. */
void dkim_sigfield_read(struct arena *arena, enum dkim_sigfield_kind kind, struct slice value, time_t now,
                        struct dkim_sigfield *out);

/* "rsa-sha256", ...; "" for ALGORITHM_OTHER. */
const char *dkim_algorithm_name(enum dkim_algorithm a);

#endif
