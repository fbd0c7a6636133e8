// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_smtp.c - dmarc_smtp.h by libcurl.
 *
 * Promises that a password is never sent over a connection that is not TLS with a checked certificate (a setting that
 * would do so is refused before anything is read), that it stands in no message and is wiped after use, that no other
 * scheme than SMTP is spoken and no proxy of the environment asked, and that a call ends within its time. A mail whose
 * last octets were sent but whose answer never came may be there twice: the caller sends it again under the same
 * Message-ID. On failure nothing is kept.
 */
#include "feedback/dmarc_smtp.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "net/https.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_SECONDS 30L

struct login {
    char text[DMARC_SMTP_LOGIN + 1];
    const char *user, *password;
};

struct talk {
    struct slice rest; /* of the mail, in CRLF form */
    char answer[160];  /* the last line with which the server refused something; "": none */
    enum stage { OPENING, RECIPIENT, CONTENT } stage;
    bool (*stop)(void);
    int64_t stopped_ms; /* when stop was seen to be true; 0: it was not */
};

static bool is_smtps(const char *url)
{
    return strncmp(url, "smtps://", 8) == 0;
}

bool dmarc_smtp_is_usable(const struct dmarc_smtp *s, const char **why)
{
    bool plain = strncmp(s->url, "smtp://", 7) == 0;
    const char *host = plain ? s->url + 7 : is_smtps(s->url) ? s->url + 8 : "";
    *why = !host[0] || host[0] == ':' || strpbrk(host, "/?# \t") ? "`set report.smtp` is not smtp://HOST[:PORT] or "
                                                                   "smtps://HOST[:PORT]"
           : strchr(host, '@') ? "`set report.smtp` names a user: user and password belong into the file of "
                                 "report.smtp-login"
           : s->opportunistic && s->login[0] ? "`set report.smtp-login` needs `set report.smtp-tls required`: a "
                                               "password is sent only to a server whose certificate is checked"
                                             : NULL;
    return !*why;
}

static enum status refuse_login(const char *path, const char *what, char *why)
{
    snprintf(why, 200, "%.100s: %.90s", path, what);
    return STATUS_DENIED;
}

/* Cuts the line off text; NULL if there is none. */
static char *cut_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    if (!*line)
        return NULL;
    *text = end ? end + 1 : line + strlen(line);
    line[strcspn(line, "\r\n")] = '\0';
    return *line ? line : NULL;
}

static enum status read_login(const char *path, struct login *l, char *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return refuse_login(path, strerror(errno), why);
    ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, l->text, sizeof l->text) : -1;
    close(fd);
    if (n < 0)
        return refuse_login(path, "cannot be read", why);
    if (st.st_mode & 0007)
        return refuse_login(path, "is open to everybody: chmod o= it", why);
    if ((size_t)n == sizeof l->text)
        return refuse_login(path, "is too long: one line with the user, one with the password", why);
    l->text[n] = '\0';
    bool whole = strlen(l->text) == (size_t)n; /* no NUL in it */
    char *rest = l->text;
    l->user = cut_line(&rest);
    l->password = l->user ? cut_line(&rest) : NULL;
    if (!l->password || *rest || !whole)
        return refuse_login(path, "must have two lines: the user, the password", why);
    return STATUS_OK;
}

static size_t talk_read_mail(char *into, size_t size, size_t count, void *context)
{
    struct talk *t = context;
    size_t n = size * count < t->rest.n ? size * count : t->rest.n;
    if (n)
        memcpy(into, t->rest.p, n);
    t->rest = slice_from(t->rest, n);
    return n;
}

static size_t talk_hear(char *line, size_t size, size_t count, void *context)
{
    struct talk *t = context;
    if (size * count == 0 || (line[0] != '4' && line[0] != '5'))
        return size * count;
    snprintf(t->answer, sizeof t->answer, "%.*s", (int)(size * count < 159 ? size * count : 159), line);
    t->answer[strcspn(t->answer, "\r\n")] = '\0';
    return size * count;
}

/* Which command the server's answer is to. */
static int talk_trace(CURL *c, curl_infotype type, char *text, size_t n, void *context)
{
    struct talk *t = context;
    (void)c;
    if (type == CURLINFO_HEADER_OUT && n >= 5 && strncasecmp(text, "RCPT ", 5) == 0)
        t->stage = RECIPIENT;
    else if (type == CURLINFO_HEADER_OUT && n >= 4 && strncasecmp(text, "DATA", 4) == 0)
        t->stage = CONTENT;
    return 0;
}

/* Whose fault it is that the mail was not taken. What the server says before RCPT is about us: the connection, TLS, the
 * login, our sender. So is a refusal to relay (RFC 3463 X.7), and one that does not say what is wrong with the
 * address. */
static enum status blame(const struct talk *t)
{
    const char *a = t->answer;
    if (t->stage == OPENING || strlen(a) < 3)
        return STATUS_AGAIN;
    if (t->stage == CONTENT || a[0] == '4')
        return STATUS_LIMIT;
    const char *code = strlen(a) > 6 && a[4] == '5' && a[5] == '.' ? a + 6 : NULL;
    if (code)
        return *code == '1' || *code == '2' || *code == '4' ? STATUS_MISSING : STATUS_AGAIN;
    return memcmp(a, "550", 3) == 0 || memcmp(a, "551", 3) == 0 || memcmp(a, "553", 3) == 0 ? STATUS_MISSING
                                                                                            : STATUS_AGAIN;
}

/* Called by libcurl once a second at least: not 0 ends the conversation. */
static int talk_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct talk *t = context;
    (void)a, (void)b, (void)c, (void)d;
    if (!t->stop || !t->stop())
        return 0;
    if (!t->stopped_ms)
        t->stopped_ms = clock_mono_ms();
    return clock_mono_ms() - t->stopped_ms >= DMARC_SMTP_STOP_MS;
}

static CURLcode set_up(CURL *c, const struct dmarc_smtp *s, const struct login *l, struct curl_slist *to,
                       struct talk *talk, unsigned seconds)
{
    CURLcode rc = CURLE_OK;
    bool checked = !s->opportunistic || is_smtps(s->url);
#define SET(option, value) rc = rc ? rc : curl_easy_setopt(c, option, value)
    SET(CURLOPT_URL, s->url);
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT, (long)seconds);
    SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    SET(CURLOPT_USE_SSL, checked ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, checked ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, checked ? 2L : 0L);
    if (s->ca_file[0])
        SET(CURLOPT_CAINFO, s->ca_file);
    if (l) {
        SET(CURLOPT_USERNAME, l->user);
        SET(CURLOPT_PASSWORD, l->password);
    }
    SET(CURLOPT_MAIL_FROM, ""); /* <> */
    SET(CURLOPT_MAIL_RCPT, to);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, talk_read_mail);
    SET(CURLOPT_READDATA, talk);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)talk->rest.n);
    SET(CURLOPT_HEADERFUNCTION, talk_hear);
    SET(CURLOPT_HEADERDATA, talk);
    SET(CURLOPT_VERBOSE, 1L);
    SET(CURLOPT_DEBUGFUNCTION, talk_trace);
    SET(CURLOPT_DEBUGDATA, talk);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, talk_progress);
    SET(CURLOPT_XFERINFODATA, talk);
#undef SET
    return rc;
}

static enum status converse(CURL *c, const struct dmarc_smtp *s, const struct login *l, struct curl_slist *to,
                            struct talk *talk, unsigned seconds, char *why)
{
    char words[CURL_ERROR_SIZE] = "";
    CURLcode rc = set_up(c, s, l, to, talk, seconds);
    if (rc == CURLE_OK) {
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, words);
        rc = curl_easy_perform(c);
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
    }
    if (rc == CURLE_OK)
        return STATUS_OK;
    struct buf b = BUF_INIT;
    buf_printf(&b, "%.60s: ", s->url);
    utf8_add_visible(&b, slice_str(words[0] ? words : curl_easy_strerror(rc)));
    if (talk->answer[0]) {
        buf_adds(&b, ": ");
        utf8_add_visible(&b, slice_str(talk->answer));
    }
    snprintf(why, 200, "%s", b.failed ? "out of memory" : b.p);
    buf_release(&b);
    return rc == CURLE_ABORTED_BY_CALLBACK ? STATUS_AGAIN : blame(talk);
}

static void with_crlf(struct slice mail, struct buf *out)
{
    for (size_t i = 0; i < mail.n; i++) {
        if (mail.p[i] == '\n' && (i == 0 || mail.p[i - 1] != '\r'))
            buf_addc(out, '\r');
        buf_addc(out, mail.p[i]);
    }
}

enum status dmarc_smtp(const struct dmarc_smtp *s, const char *to, struct slice mail, unsigned seconds,
                       bool (*stop)(void), char *why)
{
    struct login l = {.user = NULL};
    struct buf text = BUF_INIT;
    const char *unusable;
    why[0] = '\0';
    if (!dmarc_smtp_is_usable(s, &unusable)) {
        snprintf(why, 200, "%s", unusable);
        return STATUS_INVALID;
    }
    enum status st = s->login[0] ? read_login(s->login, &l, why) : STATUS_OK;
    if (st == STATUS_OK) {
        with_crlf(mail, &text);
        struct talk talk = {.rest = buf_slice(&text), .stop = stop};
        CURL *c = https_begin() ? curl_easy_init() : NULL;
        struct curl_slist *rcpt = curl_slist_append(NULL, to);
        st = STATUS_NOMEM;
        snprintf(why, 200, "out of memory, or libcurl cannot be used");
        if (c && rcpt && !text.failed) {
            why[0] = '\0';
            st = converse(c, s, s->login[0] ? &l : NULL, rcpt, &talk, seconds, why);
        }
        curl_easy_cleanup(c);
        curl_slist_free_all(rcpt);
    }
    explicit_bzero(&l, sizeof l);
    buf_release(&text);
    return st;
}
