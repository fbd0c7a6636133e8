// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_checker.h - the state of a DKIM checker, for the files that use it: dkim_check.c, a second engine
 * (dkim_engine.h), and arc_check.c, which shares the body's hashes and the index of the fields. Not for other rooms.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_CHECKER_H
#define ASSAY_STANDARDS_DKIM_DKIM_CHECKER_H

#include "standards/dkim/dkim_bodyhash.h"
#include "standards/dkim/dkim_check.h"
#include "standards/dkim/dkim_fields.h"
#include "standards/dkim/dkim_proof.h"
#include "standards/dkim/dkim_sigfield.h"

/* One signature of the message. */
struct dkim_one {
    struct dkim_sigfield field;
    size_t place;  /* of its field in the header list */
    unsigned nth;  /* which DKIM-Signature field from the top, from 1 */
    unsigned rank; /* 0: d= is From's domain; up to 4: nothing in common */
    bool tried;
    int body;                /* number of its body hash */
    size_t b_length;         /* characters of b= that make it unique */
    struct dkim_proof proof; /* kept for the next run, unless its key is not there yet */
    bool proved;
};

struct dkim_checker {
    struct dns_scope *dns;
    struct arena *arena;
    const struct header_list *headers;
    time_t now;
    struct dkim_fields *index;
    struct dkim_bodyhash *bodies;
    const struct dkim_engine *engine; /* of library */
    struct dkim_library *library;     /* NULL: hashes are verified by ourselves */
    bool library_ended;
    size_t fields;      /* DKIM-Signature fields in the message */
    size_t from_fields; /* From fields that some reader may see */
    bool ignore_testing;
    struct dkim_one *one;
    struct dkim_signature *out;
    size_t count; /* of one and out */
};

#endif
