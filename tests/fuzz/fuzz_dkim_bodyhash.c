// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_dkim_bodyhash.c - a body cut anywhere gives the hashes that a second, plain implementation gives for it whole.
 * The first four octets choose the cuts and the l=. The
 * vector forms of octet_scan find in every chunk what their scalar references find.
 */
#include "base/buf.h"
#include "base/octet_scan.h"
#include "standards/dkim/dkim_bodyhash.h"
#include <openssl/evp.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 6376 3.4.3 and 3.4.4, line by line. */
static void plain(struct slice body, bool relaxed, struct buf *out)
{
    for (size_t i = 0; i < body.n;) {
        const char *lf = memchr(body.p + i, '\n', body.n - i);
        size_t end = lf ? (size_t)(lf - body.p) : body.n, from = i;
        i = lf ? end + 1 : end;
        if (lf && end > from && body.p[end - 1] == '\r')
            end--;
        size_t line = out->n;
        for (size_t k = from; k < end; k++) {
            char c = body.p[k];
            if (!relaxed)
                buf_addc(out, c);
            else if (c != ' ' && c != '\t')
                buf_addc(out, c);
            else if (out->n == line || out->p[out->n - 1] != ' ')
                buf_addc(out, ' ');
        }
        if (relaxed && out->n > line && out->p[out->n - 1] == ' ')
            buf_cut(out, out->n - 1);
        buf_adds(out, "\r\n");
    }
    while (out->n >= 4 && memcmp(out->p + out->n - 4, "\r\n\r\n", 4) == 0)
        buf_cut(out, out->n - 2);
    if (relaxed && out->n == 2)
        buf_cut(out, 0);
    if (!relaxed && !out->n)
        buf_adds(out, "\r\n");
}

static void hash_compare(const struct dkim_bodyhash *b, int number, struct slice body, bool relaxed, bool limited,
                         size_t limit)
{
    struct buf text = BUF_INIT;
    uint8_t got[32], want[32];
    uint64_t total = 0;
    plain(body, relaxed, &text);
    enum status s = dkim_bodyhash_get(b, number, got, &total);
    if (total != text.n || s != (limited && limit > text.n ? STATUS_INVALID : STATUS_OK))
        abort();
    size_t n = limited ? limit : text.n;
    if (s == STATUS_OK &&
        (EVP_Digest(text.p, n, want, NULL, EVP_sha256(), NULL) != 1 || memcmp(got, want, sizeof want) != 0))
        abort();
    buf_release(&text);
}

static void same_scans(const char *p, size_t n)
{
    for (const struct octet_scan_form *f = octet_scan_forms; f->name; f++)
        for (int yes = 0; yes < 2 && (!f->is_here || f->is_here()); yes++)
            if (f->flaws(p, n, yes) != octet_scan_flaws_scalar(p, n, yes) ||
                f->canonical(p, n, yes) != octet_scan_canonical_scalar(p, n, yes))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    size_t step = data[0] < 128 ? data[0] % 17u + 1 : (data[0] - 127u) * 64, wave = data[1] % 5u,
           limit = data[2] | (size_t)data[3] << 8;
    struct slice body = slice_of((const char *)data + 4, size - 4);
    struct arena *arena = arena_new(1 << 20);
    struct dkim_bodyhash *b = dkim_bodyhash_new(arena);
    int numbers[6];
    for (int relaxed = 0; relaxed < 2; relaxed++) {
        numbers[relaxed * 3] = dkim_bodyhash_want(b, relaxed, false, 0);
        numbers[relaxed * 3 + 1] = dkim_bodyhash_want(b, relaxed, true, limit);
        numbers[relaxed * 3 + 2] = dkim_bodyhash_want(b, relaxed, true, limit / 3);
    }
    for (size_t at = 0, n; at < body.n; at += n) {
        n = step + at % (wave + 1);
        if (n > body.n - at)
            n = body.n - at;
        char *piece = malloc(n);
        if (!piece)
            abort();
        memcpy(piece, body.p + at, n);
        same_scans(piece, n);
        dkim_bodyhash_add(b, slice_of(piece, n));
        free(piece);
    }
    dkim_bodyhash_end(b);
    for (int relaxed = 0; relaxed < 2; relaxed++) {
        hash_compare(b, numbers[relaxed * 3], body, relaxed, false, 0);
        hash_compare(b, numbers[relaxed * 3 + 1], body, relaxed, true, limit);
        hash_compare(b, numbers[relaxed * 3 + 2], body, relaxed, true, limit / 3);
    }
    dkim_bodyhash_free(b);
    arena_free(arena);
    return 0;
}
