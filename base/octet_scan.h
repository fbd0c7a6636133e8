// SPDX-License-Identifier: BSD-2-Clause
/*
 * octet_scan.h - looks at many octets of a mail's body in one step (vector instructions where the processor has them).
 *
 * Every function has a scalar reference beside it, named ..._scalar, with the same results for the same octets; it is
 * used where there is no vector form, and for what is left of a chunk. The choice is made at run time. Pure functions:
 * they read p[0] to p[n - 1] only, keep nothing and cannot fail. Any thread.
 */
#ifndef ASSAY_BASE_OCTET_SCAN_H
#define ASSAY_BASE_OCTET_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum octet_scan_flaw {
    OCTET_SCAN_NUL = 1,
    OCTET_SCAN_BARE_CR = 2, /* a CR that is followed by something else than LF; not one at the end: its LF may come */
    OCTET_SCAN_BARE_LF = 4, /* an LF without CR before it */
};

/* What the octets hold: OCTET_SCAN_... in one number. last_cr: the octet before p[0] is a CR. */
unsigned octet_scan_flaws(const char *p, size_t n, bool last_cr);
unsigned octet_scan_flaws_scalar(const char *p, size_t n, bool last_cr);

/* How many octets from p[0] on are in DKIM's canonical form already (RFC 6376 3.4.3, 3.4.4): up to the first LF without
 * CR before it; in relaxed form also up to the first tab, and up to the first space that is followed by white space,
 * CR, LF or nothing. CR and LF at the end of them may still be empty lines at the body's end. An LF at p[0] counts as
 * one without CR. */
size_t octet_scan_canonical(const char *p, size_t n, bool relaxed);
size_t octet_scan_canonical_scalar(const char *p, size_t n, bool relaxed);

/* All forms, the best first, the scalar one last, then one without a name: for tests and fuzzing. is_here: whether this
 * processor has it; NULL: every one has. */
struct octet_scan_form {
    const char *name;
    bool (*is_here)(void);
    unsigned (*flaws)(const char *p, size_t n, bool last_cr);
    size_t (*canonical)(const char *p, size_t n, bool relaxed);
};
extern const struct octet_scan_form octet_scan_forms[];

#endif
