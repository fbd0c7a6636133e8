// SPDX-License-Identifier: BSD-2-Clause
/*
 * octet_scan.c - looks at many octets of a mail's body in one step.
 *
 * Promises the same results from the scalar and the vector forms. The vector forms compare 16 octets with those one
 * place further on, and get one bit for each octet of interest; there is no branch for an octet. They are for SSE2,
 * which every x86-64 processor has; on 32-bit x86 the processor is asked at the first call. Other processors use the
 * scalar forms.
 */
#include "base/octet_scan.h"

unsigned octet_scan_flaws_scalar(const char *p, size_t n, bool last_cr)
{
    unsigned found = 0;

    for (size_t i = 0; i < n; i++) {
        if (last_cr && p[i] != '\n')
            found |= OCTET_SCAN_BARE_CR;
        if (p[i] == '\n' && !last_cr)
            found |= OCTET_SCAN_BARE_LF;
        if (p[i] == '\0')
            found |= OCTET_SCAN_NUL;
        last_cr = p[i] == '\r';
    }
    return found;
}

static bool ends_a_word(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Octets from `at` on. */
static size_t canonical_from(const char *p, size_t at, size_t n, bool relaxed)
{
    for (; at < n; at++) {
        if (p[at] == '\n' && (at == 0 || p[at - 1] != '\r'))
            return at;
        if (relaxed && (p[at] == '\t' || (p[at] == ' ' && (at + 1 == n || ends_a_word(p[at + 1])))))
            return at;
    }
    return n;
}

size_t octet_scan_canonical_scalar(const char *p, size_t n, bool relaxed)
{
    return canonical_from(p, 0, n, relaxed);
}

#if defined __x86_64__ || defined __i386__
#include <emmintrin.h>

#define STEP 16
#define VECTOR __attribute__((target("sse2")))

static bool have_vectors(void)
{
#ifdef __x86_64__
    return true;
#else
    return __builtin_cpu_supports("sse2");
#endif
}

VECTOR static inline unsigned where(__m128i octets, char c)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(c)));
}

VECTOR static inline __m128i load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Bit k of `before`: the octet before number k is a CR; bit 16 is carried to the next step. */
VECTOR static unsigned flaws_vector(const char *p, size_t n, bool last_cr)
{
    unsigned nul = 0, bare_cr = 0, bare_lf = 0, before = last_cr;
    size_t at = 0;

    for (; at + STEP <= n; at += STEP) {
        const __m128i octets = load(p + at);
        const unsigned lf = where(octets, '\n');
        before |= where(octets, '\r') << 1;
        nul |= where(octets, '\0');
        bare_cr |= before & 0xffff & ~lf;
        bare_lf |= lf & ~before;
        before >>= STEP;
    }
    return (nul ? OCTET_SCAN_NUL : 0) | (bare_cr ? OCTET_SCAN_BARE_CR : 0) | (bare_lf ? OCTET_SCAN_BARE_LF : 0) |
           octet_scan_flaws_scalar(p + at, n - at, before);
}

VECTOR static size_t canonical_vector(const char *p, size_t n, bool relaxed)
{
    size_t at = 0;

    if (n && *p == '\n')
        return 0;
    for (; at + STEP < n; at += STEP) { /* one octet more is looked at */
        const __m128i here = load(p + at), next = load(p + at + 1);
        unsigned stop = (where(next, '\n') & ~where(here, '\r')) << 1;
        if (relaxed)
            stop |= where(here, '\t') |
                    (where(here, ' ') & (where(next, ' ') | where(next, '\t') | where(next, '\r') | where(next, '\n')));
        if (stop)
            return at + (size_t)__builtin_ctz(stop);
    }
    return canonical_from(p, at, n, relaxed);
}

#else

static bool have_vectors(void)
{
    return false;
}

#define flaws_vector octet_scan_flaws_scalar
#define canonical_vector octet_scan_canonical_scalar
#endif

unsigned octet_scan_flaws(const char *p, size_t n, bool last_cr)
{
    return have_vectors() ? flaws_vector(p, n, last_cr) : octet_scan_flaws_scalar(p, n, last_cr);
}

size_t octet_scan_canonical(const char *p, size_t n, bool relaxed)
{
    return have_vectors() ? canonical_vector(p, n, relaxed) : octet_scan_canonical_scalar(p, n, relaxed);
}
