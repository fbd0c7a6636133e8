// SPDX-License-Identifier: BSD-2-Clause
/*
 * octet_scan.c - looks at many octets of a mail's body in one step.
 *
 * Promises the same results from the scalar and the vector forms. The vector forms compare 16 octets (SSE2) or 32
 * (AVX2) with those one place further on, and get one bit for each octet of interest, without a branch per octet. The
 * program asks the processor at run time which of them it has. Processors other than x86 use the scalar forms.
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
#include <immintrin.h>

#define STEP 16
#define LONG_STEP 32
#define VECTOR __attribute__((target("sse2")))
#define LONG_VECTOR __attribute__((target("avx2")))

static bool have_sse2(void)
{
    return __builtin_cpu_supports("sse2");
}

static bool have_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

VECTOR static inline unsigned where(__m128i octets, char c)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(c)));
}

VECTOR static inline __m128i load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static unsigned flaws_of(bool nul, bool bare_cr, bool bare_lf)
{
    return (nul ? OCTET_SCAN_NUL : 0) | (bare_cr ? OCTET_SCAN_BARE_CR : 0) | (bare_lf ? OCTET_SCAN_BARE_LF : 0);
}

/* Bit k of `before`: the octet before number k is a CR; bit 16 is carried to the next step. */
VECTOR static unsigned flaws_sse2(const char *p, size_t n, bool last_cr)
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
    return flaws_of(nul, bare_cr, bare_lf) | octet_scan_flaws_scalar(p + at, n - at, before);
}

VECTOR static size_t canonical_sse2(const char *p, size_t n, bool relaxed)
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

LONG_VECTOR static inline __m256i is(__m256i octets, char c)
{
    return _mm256_cmpeq_epi8(octets, _mm256_set1_epi8(c));
}

LONG_VECTOR static inline uint32_t bits(__m256i octets)
{
    return (uint32_t)_mm256_movemask_epi8(octets);
}

LONG_VECTOR static inline __m256i load_long(const char *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* As flaws_sse2, with 32 octets a step and bit 32 carried. */
LONG_VECTOR static unsigned flaws_avx2(const char *p, size_t n, bool last_cr)
{
    __m256i nul = _mm256_setzero_si256();
    uint32_t bare_cr = 0, bare_lf = 0, carried = last_cr;
    size_t at = 0;

    for (; at + LONG_STEP <= n; at += LONG_STEP) {
        const __m256i octets = load_long(p + at);
        const uint32_t lf = bits(is(octets, '\n')), cr = bits(is(octets, '\r')), before = cr << 1 | carried;
        nul = _mm256_or_si256(nul, is(octets, '\0'));
        bare_cr |= before & ~lf;
        bare_lf |= lf & ~before;
        carried = cr >> 31;
    }
    return flaws_of(bits(nul), bare_cr, bare_lf) | octet_scan_flaws_scalar(p + at, n - at, carried);
}

LONG_VECTOR static size_t canonical_avx2(const char *p, size_t n, bool relaxed)
{
    size_t at = 0;

    if (n && *p == '\n')
        return 0;
    for (; at + LONG_STEP < n; at += LONG_STEP) { /* one octet more is looked at */
        const __m256i here = load_long(p + at), next = load_long(p + at + 1), lf = is(next, '\n');
        uint64_t stop = (uint64_t)bits(_mm256_andnot_si256(is(here, '\r'), lf)) << 1;
        if (relaxed) {
            const __m256i blank = _mm256_or_si256(is(next, ' '), is(next, '\t'));
            const __m256i ends = _mm256_or_si256(_mm256_or_si256(blank, lf), is(next, '\r'));
            stop |= bits(_mm256_or_si256(is(here, '\t'), _mm256_and_si256(is(here, ' '), ends)));
        }
        if (stop)
            return at + (size_t)__builtin_ctzll(stop);
    }
    return canonical_from(p, at, n, relaxed);
}

const struct octet_scan_form octet_scan_forms[] = {
    {"avx2", have_avx2, flaws_avx2, canonical_avx2},
    {"sse2", have_sse2, flaws_sse2, canonical_sse2},
    {"scalar", NULL, octet_scan_flaws_scalar, octet_scan_canonical_scalar},
    {0},
};

#else

const struct octet_scan_form octet_scan_forms[] = {
    {"scalar", NULL, octet_scan_flaws_scalar, octet_scan_canonical_scalar},
    {0},
};
#endif

/* The first form in the table that this processor has. Asked at each call: this only reads what the C library found out
 * at its start, which costs nothing compared with scanning a chunk of octets. */
static const struct octet_scan_form *form(void)
{
    const struct octet_scan_form *f = octet_scan_forms;
    while (f->is_here && !f->is_here())
        f++;
    return f;
}

unsigned octet_scan_flaws(const char *p, size_t n, bool last_cr)
{
    return form()->flaws(p, n, last_cr);
}

size_t octet_scan_canonical(const char *p, size_t n, bool relaxed)
{
    return form()->canonical(p, n, relaxed);
}
