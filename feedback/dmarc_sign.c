// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_sign.c - report mails signed by libopendkim (RFC 6376, RFC 8301).
 *
 * Promises a signature over every field of the mail's header and its whole body, made over the CRLF form in which it
 * will travel, and that the key never leaves this file but into the library. A key file that others than its owner and
 * group may read is refused. On failure out is as it was and the report is to be tried again.
 */
#include "feedback/dmarc_sign.h"
#include <errno.h>
#include <fcntl.h>
#include <opendkim/dkim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status complain(char *why, enum status st, const char *what, const char *text)
{
    snprintf(why, 200, "DKIM: %.120s: %.70s", what, text);
    return st;
}

static enum status read_key(const char *path, char *key, char *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return complain(why, STATUS_DENIED, path, strerror(errno));
    ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, key, DMARC_SIGN_KEY) : -1;
    close(fd);
    if (n < 0)
        return complain(why, STATUS_DENIED, path, "cannot be read");
    if (st.st_mode & 0007)
        return complain(why, STATUS_DENIED, path, "is open to everybody: chmod o= it");
    if (n == 0 || n == DMARC_SIGN_KEY)
        return complain(why, STATUS_INVALID, path, "is no private key");
    key[n] = '\0';
    return STATUS_OK;
}

static void with_crlf(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n')
            buf_addc(out, '\r');
        buf_addc(out, text.p[i]);
    }
}

/* Hands the header over field by field; *body is set behind it. */
static DKIM_STAT give_header(DKIM *d, struct slice mail, struct slice *body)
{
    DKIM_STAT st = DKIM_STAT_OK;
    while (st == DKIM_STAT_OK && mail.n >= 2 && memcmp(mail.p, "\r\n", 2) != 0) {
        size_t n = 0;
        do {
            const char *end = memmem(mail.p + n, mail.n - n, "\r\n", 2);
            n = end ? (size_t)(end - mail.p) + 2 : mail.n;
        } while (n < mail.n && (mail.p[n] == ' ' || mail.p[n] == '\t'));
        st = dkim_header(d, (u_char *)(size_t)mail.p, n - 2);
        mail = slice_from(mail, n);
    }
    *body = slice_from(mail, 2);
    return st == DKIM_STAT_OK ? dkim_eoh(d) : st;
}

static DKIM_STAT sign(DKIM *d, struct slice mail, unsigned char **field, size_t *n)
{
    struct slice body;
    DKIM_STAT st = give_header(d, mail, &body);
    if (st == DKIM_STAT_OK)
        st = dkim_body(d, (u_char *)(size_t)body.p, body.n);
    if (st == DKIM_STAT_OK)
        st = dkim_eom(d, NULL);
    return st == DKIM_STAT_OK ? dkim_getsighdr_d(d, sizeof "DKIM-Signature: " - 1, field, n) : st;
}

enum status dmarc_sign(struct slice mail, const char *domain, const char *selector, const char *key_file,
                       struct buf *out, char *why)
{
    char key[DMARC_SIGN_KEY];
    enum status result = read_key(key_file, key, why);
    if (result != STATUS_OK)
        return result;
    struct buf text = BUF_INIT;
    with_crlf(mail, &text);
    DKIM_STAT st = DKIM_STAT_NORESOURCE;
    unsigned char *field = NULL;
    size_t n = 0;
    DKIM_LIB *lib = text.failed ? NULL : dkim_init(NULL, NULL);
    DKIM *d = lib ? dkim_sign(lib, (const unsigned char *)"report", NULL, (dkim_sigkey_t)key,
                              (const unsigned char *)selector, (const unsigned char *)domain, DKIM_CANON_RELAXED,
                              DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1, &st)
                  : NULL;
    if (d)
        st = sign(d, buf_slice(&text), &field, &n);
    if (d && st == DKIM_STAT_OK && field) {
        buf_adds(out, "DKIM-Signature: ");
        for (size_t i = 0; i < n; i++)
            if (field[i] != '\r')
                buf_addc(out, (char)field[i]);
        buf_addc(out, '\n');
        buf_addslice(out, mail);
        result = out->failed ? STATUS_NOMEM : STATUS_OK;
    } else {
        const char *error = d ? dkim_geterror(d) : NULL;
        result = complain(why, STATUS_INVALID, key_file, error ? error : dkim_getresultstr(st));
    }
    if (d)
        dkim_free(d);
    if (lib)
        dkim_close(lib);
    buf_release(&text);
    explicit_bzero(key, sizeof key);
    return result;
}
