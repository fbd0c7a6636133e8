// SPDX-License-Identifier: BSD-2-Clause
/*
 * fleet.c - makes and checks the proofs between hosts of our fleet.
 *
 * Promises: proofs are compared in constant time; a field that does not have exactly the form that fleet_prove() makes
 * is not proved. Line ends do not count, because one MTA hands over CRLF and another LF. Failure: without a key or
 * memory nothing is proved.
 */
#include "judge/fleet.h"
#include "base/buf.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

static const char mark[] = "; proof=";

static bool wrong(const char **why, const char *text)
{
    *why = text;
    return false;
}

static bool is_fit(int fd, const char **why)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return wrong(why, "it is not a regular file");
    if (st.st_uid != 0)
        return wrong(why, "it is not owned by root");
    if (st.st_mode & (S_IWGRP | S_IRWXO))
        return wrong(why, "users other than root can change it, or everybody can read it: chmod 0640");
    if ((st.st_mode & S_IRGRP) && st.st_gid != 0 && st.st_gid != getegid())
        return wrong(why, "a group that is not this program's can read it: chgrp assay");
    if (st.st_size < FLEET_KEY_MIN || st.st_size > FLEET_KEY_MAX)
        return wrong(why, "a key must have 32 to 4096 octets");
    return true;
}

bool fleet_key_read(const char *path, struct fleet_key *out, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = 0;
    bool ok;

    out->n = 0;
    if (fd < 0)
        return wrong(why, errno == ELOOP ? "it is a symbolic link" : "it cannot be opened");
    ok = is_fit(fd, why);
    while (ok && out->n < sizeof out->octets && (n = read(fd, out->octets + out->n, sizeof out->octets - out->n)) > 0)
        out->n += (size_t)n;
    close(fd);
    if (ok && (n < 0 || out->n < FLEET_KEY_MIN))
        return wrong(why, "it cannot be read");
    return ok;
}

/* Tells whether the octet is the CR of a line's end. */
static bool ends_line(struct slice part, size_t i)
{
    return part.p[i] == '\r' && i + 1 < part.n && part.p[i + 1] == '\n';
}

/* Hashes one part, without the CR of its line ends, preceded by its length, so that two messages never hash the same
 * octets. */
static void part_add(struct buf *b, struct slice part)
{
    uint64_t n = 0;

    for (size_t i = 0; i < part.n; i++)
        n += !ends_line(part, i);
    for (int i = 56; i >= 0; i -= 8)
        buf_addc(b, (char)(n >> i));
    for (size_t i = 0; i < part.n; i++)
        if (!ends_line(part, i))
            buf_addc(b, part.p[i]);
}

static void add_fields(struct buf *b, const struct header_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!header_is(&list->fields[i], name))
            continue;
        part_add(b, slice_str(name));
        part_add(b, slice_trim(list->fields[i].value));
    }
}

enum status fleet_prove(const struct fleet_key *key, struct slice text, const struct judge_mail *m,
                        const uint8_t body_hash[32], char out[FLEET_PROOF_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct buf b = BUF_INIT;
    bool ok;

    part_add(&b, slice_trim(text));
    part_add(&b, slice_str(m->mail_from_text ? m->mail_from_text : ""));
    add_fields(&b, &m->headers, "From");
    add_fields(&b, &m->headers, "Message-ID");
    buf_add(&b, body_hash, 32);
    ok = !b.failed && HMAC(EVP_sha256(), key->octets, (int)key->n, (const unsigned char *)b.p, b.n, digest, &n) &&
         n == 32;
    buf_release(&b);
    for (unsigned i = 0; ok && i < n; i++)
        snprintf(out + i * 2, 3, "%02x", digest[i]);
    return ok ? STATUS_OK : STATUS_NOMEM;
}

/* The number after the last "; time=" of the text; 0: none. */
static int64_t time_of(struct slice text)
{
    static const char name[] = "; time=";
    int64_t n = 0;
    size_t at = text.n;

    for (size_t i = 0; i + sizeof name - 1 <= text.n; i++)
        if (memcmp(text.p + i, name, sizeof name - 1) == 0)
            at = i + sizeof name - 1;
    for (size_t i = at; i < text.n && i < at + 15; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        n = n * 10 + (text.p[i] - '0');
    }
    return n;
}

const char *fleet_doubt(const struct fleet_key *key, struct slice value, const struct judge_mail *m,
                        const uint8_t body_hash[32], time_t at)
{
    char wanted[FLEET_PROOF_TEXT];
    struct slice text;
    int64_t when;

    value = slice_trim(value);
    if (key->n < FLEET_KEY_MIN)
        return "there is no key";
    if (value.n < sizeof mark - 1 + 64 ||
        memcmp(value.p + value.n - 64 - (sizeof mark - 1), mark, sizeof mark - 1) != 0)
        return "it has no proof";
    text = slice_of(value.p, value.n - 64 - (sizeof mark - 1));
    if (fleet_prove(key, text, m, body_hash, wanted) != STATUS_OK)
        return "memory ran out";
    if (CRYPTO_memcmp(wanted, value.p + value.n - 64, 64) != 0)
        return "its proof is by another key, or the sender, From, Message-ID or the body is not what was judged";
    when = time_of(text);
    if (when > (int64_t)at + FLEET_DRIFT)
        return "its time is in the future: compare the clocks of both hosts";
    if (when < (int64_t)at - FLEET_SECONDS)
        return "its proof is older than five days";
    return NULL;
}
