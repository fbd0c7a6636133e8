// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_anchor.c - reads a trust anchor file far enough to know that it is one (RFC 4034 sections 2 and 5; RFC 5011; the
 * file form that unbound-anchor and BIND tools write: zone file lines, one record a line, comments behind ';').
 *
 * Says what is wrong in one line: missing, unreadable, empty, without a DS or DNSKEY record. Whether a key is the right
 * one only validation shows. A copy is written under a temporary name and renamed, so that no reader ever sees half of
 * it.
 */
#include "base/rootfile.h"
#include "dns/dns_anchor.h"
#include "base/base64.h"
#include "base/buf.h"
#include "dns/dns_text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status anchor_complain(char **error, enum status s, const char *fmt, ...) PRINTF_LIKE(3, 4);
static enum status anchor_complain(char **error, enum status s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(error, fmt, ap) < 0)
        *error = NULL;
    va_end(ap);
    return s;
}

static enum status status_of(int e)
{
    return e == ENOENT || e == ENOTDIR ? STATUS_MISSING : e == EACCES || e == EPERM ? STATUS_DENIED : STATUS_AGAIN;
}

static enum status read_file(const char *path, struct buf *out, char **error)
{
    char chunk[4096];
    size_t n;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO would be waited for */
    bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    FILE *f = regular ? fdopen(fd, "r") : NULL;
    int e = errno;
    if (!f && fd >= 0)
        close(fd);
    if (fd >= 0 && !regular)
        return anchor_complain(error, STATUS_DENIED, "trust anchor %s: cannot be read: it is not a regular file", path);
    if (!f)
        return anchor_complain(error, status_of(e), "trust anchor %s: cannot be read: %s", path, strerror(e));
    errno = 0;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && out->n <= LIMIT_ANCHOR_BYTES)
        buf_add(out, chunk, n);
    e = ferror(f) ? errno : 0;
    fclose(f);
    if (e)
        return anchor_complain(error, status_of(e), "trust anchor %s: cannot be read: %s", path, strerror(e));
    if (out->n > LIMIT_ANCHOR_BYTES || out->failed)
        return anchor_complain(error, STATUS_LIMIT, "trust anchor %s: too long for a list of keys", path);
    return STATUS_OK;
}

/* The owner of a DS or DNSKEY record on this line; SLICE_NULL: there is none. */
static struct slice owner_of_key(struct slice line, struct dns_token *t)
{
    const char *why;
    size_t n = dns_tokens(line, t, &why);
    for (size_t i = 1; n != SIZE_MAX && i < 4 && i + 4 < n; i++)
        if (slice_eq_nocase(t[i].text, SLICE_LIT("DS")) || slice_eq_nocase(t[i].text, SLICE_LIT("DNSKEY")))
            return t[0].text;
    return SLICE_NULL;
}

/* Number of keys; *several is whether they belong to more than one zone. */
static size_t count_keys(struct slice text, struct dns_token *t, bool *several)
{
    struct slice zone = SLICE_NULL;
    size_t keys = 0;
    while (text.n) {
        const char *newline = memchr(text.p, '\n', text.n);
        struct slice line = slice_of(text.p, newline ? (size_t)(newline - text.p) : text.n);
        text = slice_from(text, line.n + 1);
        struct slice owner = owner_of_key(line, t);
        if (owner.n == 0)
            continue;
        if (keys++ && !slice_eq_nocase(owner, zone))
            *several = true;
        zone = owner;
    }
    return keys;
}

/* ---- key tags ---- */

uint16_t dns_key_tag(struct slice rdata)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < rdata.n; i++)
        sum += i & 1 ? (unsigned char)rdata.p[i] : (uint32_t)(unsigned char)rdata.p[i] << 8;
    return (uint16_t)(sum + (sum >> 16));
}

/* A decimal number of at most `most`, or -1. */
static long small_number(struct slice text, long most)
{
    long n = text.n ? 0 : -1;
    for (size_t i = 0; i < text.n && n >= 0; i++)
        n = text.p[i] >= '0' && text.p[i] <= '9' && n * 10 + text.p[i] - '0' <= most ? n * 10 + text.p[i] - '0' : -1;
    return n;
}

/* The tag of the key on a line of so many words; -1: it is not a key of the root. */
static long tag_on(const struct dns_token *t, size_t n)
{
    size_t at = 1;
    while (at < 4 && at < n && !slice_eq_nocase(t[at].text, SLICE_LIT("DS")) &&
           !slice_eq_nocase(t[at].text, SLICE_LIT("DNSKEY")))
        at++;
    if (at >= 4 || at + 4 >= n || !slice_eq(t[0].text, SLICE_LIT(".")))
        return -1;
    long first = small_number(t[at + 1].text, 65535);
    if (slice_eq_nocase(t[at].text, SLICE_LIT("DS")))
        return first;
    long protocol = small_number(t[at + 2].text, 255), algorithm = small_number(t[at + 3].text, 255);
    const unsigned char head[4] = {(unsigned char)(first >> 8), (unsigned char)first, (unsigned char)protocol,
                                   (unsigned char)algorithm};
    struct buf rdata = BUF_INIT;
    buf_add(&rdata, head, sizeof head);
    for (size_t i = at + 4; i < n; i++)
        base64_decode(&rdata, t[i].text);
    long tag = first < 0 || protocol < 0 || algorithm < 0 || rdata.failed ? -1 : dns_key_tag(buf_slice(&rdata));
    buf_release(&rdata);
    return tag;
}

size_t dns_anchor_tags(const char *path, uint16_t *tags, size_t most)
{
    struct buf text = BUF_INIT;
    char *error = NULL;
    const char *why;
    size_t count = 0;
    struct dns_token *t = calloc(DNS_TOKENS, sizeof *t);
    struct slice rest = SLICE_NULL;
    if (t && read_file(path, &text, &error) == STATUS_OK)
        rest = buf_slice(&text);
    while (rest.n && count < most) {
        const char *newline = memchr(rest.p, '\n', rest.n);
        struct slice line = slice_of(rest.p, newline ? (size_t)(newline - rest.p) : rest.n);
        rest = slice_from(rest, line.n + 1);
        size_t n = dns_tokens(line, t, &why);
        long tag = n == SIZE_MAX ? -1 : tag_on(t, n);
        if (tag >= 0)
            tags[count++] = (uint16_t)tag;
    }
    buf_release(&text);
    free(error);
    free(t);
    return count;
}

/* As root only in a folder that root owns, because libunbound creates its temporary files there by name. */
static bool folder_is_writable(const char *path)
{
    struct stat st;
    char *folder = strdup(path);
    if (!folder)
        return false;
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder ? 1 : 0] = '\0';
    bool yes = access(slash ? folder : ".", W_OK) == 0 && stat(slash ? folder : ".", &st) == 0 &&
               (geteuid() != 0 || st.st_uid == 0);
    free(folder);
    return yes;
}

enum status dns_anchor_check(const char *path, enum anchor_use *use, char **error)
{
    struct buf text = BUF_INIT;
    bool several = false;
    struct dns_token *t = calloc(DNS_TOKENS, sizeof *t);
    enum status s = t ? read_file(path, &text, error) : anchor_complain(error, STATUS_NOMEM, "out of memory");
    if (s == STATUS_OK && slice_trim(buf_slice(&text)).n == 0)
        s = anchor_complain(error, STATUS_INVALID, "trust anchor %s: the file is empty", path);
    else if (s == STATUS_OK && count_keys(buf_slice(&text), t, &several) == 0)
        s = anchor_complain(error, STATUS_INVALID,
                            "trust anchor %s: holds no DS or DNSKEY record; without one nothing can be validated",
                            path);
    else if (s == STATUS_OK)
        *use = !several && access(path, W_OK) == 0 && folder_is_writable(path) ? ANCHOR_RFC5011 : ANCHOR_STATIC;
    buf_release(&text);
    free(t);
    return s;
}

static enum status write_beside(const char *path, struct slice text, char **error)
{
    const struct rootfile_rights rights = {.mode = 0644, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    if (rootfile_write(path, text, &rights) == STATUS_OK)
        return STATUS_OK;
    return anchor_complain(error, status_of(errno), "trust anchor %s: cannot be written: %s", path, strerror(errno));
}

enum status dns_anchor_seed(const char *path, const char *seed, char **error)
{
    struct buf text = BUF_INIT;
    if (access(path, F_OK) == 0)
        return STATUS_OK;
    enum status s = read_file(seed, &text, error);
    if (s == STATUS_OK)
        s = write_beside(path, buf_slice(&text), error);
    buf_release(&text);
    return s;
}
