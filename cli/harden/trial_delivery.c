// SPDX-License-Identifier: BSD-2-Clause
/*
 * trial_delivery.c - the Postfix and the mail host of trial_delivery.h.
 *
 * The mail host is a child process: it ends with 0 once it took a mail over TLS, and by alarm(2) in any case. If we
 * should die, Postfix's master ends by its own option -e, and the next trial removes the folder. The mail is sent to an
 * address literal, so that Postfix looks up no name; so the check of MX names against the policy's mx, which Postfix
 * makes of the literal too, is switched off, and the certificate is compared with the answer's names.
 */
#include "cli/harden/trial_delivery.h"
#include "base/clock.h"
#include "cli/harden/scratch.h"
#include "outgoing/tls_policy.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define LINE 1024 /* octets of an SMTP line (RFC 5321 4.5.3.1) and more */

struct trial {
    struct postfix *p;
    struct scratch scratch;
    const char *dir; /* its path */
    int listener;
    unsigned port;
    X509 *certificate;
    EVP_PKEY *key;
    pid_t host, master;
};

/* ---- the mail host ---- */

struct peer {
    int fd;
    SSL *ssl;
};

static bool peer_say(struct peer *s, const char *text)
{
    const int n = (int)strlen(text);
    return (s->ssl ? SSL_write(s->ssl, text, n) : (int)send(s->fd, text, (size_t)n, MSG_NOSIGNAL)) == n;
}

static bool peer_hear(struct peer *s, char line[LINE])
{
    for (size_t n = 0; n + 1 < LINE; n++) {
        if ((s->ssl ? SSL_read(s->ssl, line + n, 1) : (int)recv(s->fd, line + n, 1, 0)) != 1)
            return false;
        line[n + 1] = '\0';
        if (line[n] == '\n')
            return true;
    }
    return false;
}

/* Tells whether the text of a mail came, to its last line. */
static bool hear_mail(struct peer *s)
{
    char line[LINE];

    while (peer_hear(s, line))
        if (strcmp(line, ".\r\n") == 0)
            return peer_say(s, "250 2.0.0 taken\r\n");
    return false;
}

static bool begin_tls(struct peer *s, SSL_CTX *ctx)
{
    return !s->ssl && peer_say(s, "220 2.0.0 go ahead\r\n") && (s->ssl = SSL_new(ctx)) != NULL &&
           SSL_set_fd(s->ssl, s->fd) == 1 && SSL_accept(s->ssl) == 1;
}

/* One session; true: a mail came over TLS. */
static bool peer_serve(struct peer *s, SSL_CTX *ctx)
{
    char line[LINE];
    bool taken = false;

    peer_say(s, "220 " TLS_POLICY_TEST_HOST " ESMTP\r\n");
    while (peer_hear(s, line)) {
        bool good;
        if (strncasecmp(line, "EHLO", 4) == 0)
            good = peer_say(s, s->ssl ? "250 " TLS_POLICY_TEST_HOST "\r\n"
                                      : "250-" TLS_POLICY_TEST_HOST "\r\n250 STARTTLS\r\n");
        else if (strncasecmp(line, "STARTTLS", 8) == 0)
            good = begin_tls(s, ctx);
        else if (strncasecmp(line, "DATA", 4) == 0)
            good = peer_say(s, "354 go ahead\r\n") && hear_mail(s) && (taken = s->ssl != NULL);
        else
            good = peer_say(s, strncasecmp(line, "QUIT", 4) == 0 ? "221 2.0.0 bye\r\n" : "250 2.0.0 fine\r\n");
        if (!good || strncasecmp(line, "QUIT", 4) == 0)
            break;
    }
    return taken;
}

/* The child: ends when it took a mail. */
static void host_main(const struct trial *t)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    bool taken = false;

    alarm(TRIAL_DELIVERY_SECONDS + 5);
    signal(SIGPIPE, SIG_IGN);
    if (!ctx || SSL_CTX_use_certificate(ctx, t->certificate) != 1 || SSL_CTX_use_PrivateKey(ctx, t->key) != 1)
        _exit(EX_SOFTWARE);
    while (!taken) {
        struct peer s = {.fd = accept(t->listener, NULL, NULL)};
        if (s.fd < 0)
            _exit(EX_OSERR);
        taken = peer_serve(&s, ctx);
        SSL_free(s.ssl);
        close(s.fd);
    }
    _exit(0);
}

static bool make_certificate(struct trial *t)
{
    X509 *x = X509_new();
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:" TLS_POLICY_TEST_HOST); /* its own authority */
    bool good = x && names && (t->key = EVP_EC_gen("P-256")) != NULL && X509_set_version(x, 2) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 && X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
                X509_gmtime_adj(X509_getm_notAfter(x), 86400) && X509_set_pubkey(x, t->key) == 1 &&
                X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                           (const unsigned char *)TLS_POLICY_TEST_HOST, -1, -1, 0) == 1 &&
                X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 && X509_add_ext(x, names, -1) == 1 &&
                X509_sign(x, t->key, EVP_sha256()) > 0;
    X509_EXTENSION_free(names);
    t->certificate = x;
    return good;
}

static bool start_host(struct trial *t)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof sin;

    t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (t->listener < 0 || bind(t->listener, (struct sockaddr *)&sin, size) != 0 || listen(t->listener, 8) != 0 ||
        getsockname(t->listener, (struct sockaddr *)&sin, &size) != 0 || !make_certificate(t))
        return false;
    t->port = ntohs(sin.sin_port);
    t->host = fork();
    if (t->host == 0)
        host_main(t);
    return t->host > 0;
}

/* ---- the Postfix ---- */

static FILE *create(const struct trial *t, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", t->dir, name);
    return fopen(path, "we");
}

static bool write_main(struct trial *t)
{
    static const char *const where[] = {"mail_owner",      "setgid_group",   "daemon_directory", "command_directory",
                                        "shlib_directory", "meta_directory", "sendmail_path",    "compatibility_level"};
    FILE *f = create(t, "main.cf");

    if (!f)
        return false;
    for (size_t i = 0; i < sizeof where / sizeof *where; i++)
        fprintf(f, "%s = %.*s\n", where[i], (int)strcspn(postfix_get(t->p, where[i]), "\n"),
                postfix_get(t->p, where[i]));
    fprintf(f,
            "queue_directory = %s/queue\ndata_directory = %s/data\nmaillog_file = %s/log\nmaillog_file_prefixes = %s\n"
            "smtp_tls_CAfile = %s/ca.pem\nsmtp_tls_policy_maps = texthash:%s/answer\n",
            t->dir, t->dir, t->dir, t->dir, t->dir, t->dir);
    fprintf(f, "default_transport = smtp:[127.0.0.1]:%u\nrelay_transport = $default_transport\n", t->port);
    fputs("myhostname = " TLS_POLICY_TEST_HOST "\nmyorigin = $myhostname\nmydestination =\nmynetworks = 127.0.0.0/8\n"
          "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nalias_maps =\nalias_database =\nnotify_classes =\n"
          "local_recipient_maps =\nsmtp_host_lookup = native\nsmtp_dns_support_level = disabled\n"
          "smtp_tls_security_level = may\nsmtp_tls_enforce_sts_mx_patterns = no\nqueue_run_delay = 300s\n"
          "import_environment = MAIL_CONFIG TZ LANG=C\n",
          f);
    return fclose(f) == 0;
}

static bool write_files(struct trial *t, const char *answer)
{
    static const char services[] =
        "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n"
        "rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n"
        "trace unix - - n - 0 bounce\nproxymap unix - - n - - proxymap\nsmtp unix - - n - - smtp\n"
        "error unix - - n - - error\nretry unix - - n - - error\nscache unix - - n - 1 scache\n"
        "tlsmgr unix - - n 1000? 1 tlsmgr\npostlog unix-dgram n - n - 1 postlogd\n";
    FILE *f = create(t, "answer");
    bool good = f != NULL;

    if (f) {
        fprintf(f, "[127.0.0.1]:%u %s\n", t->port, answer);
        good = fclose(f) == 0;
    }
    if (good && (f = create(t, "ca.pem")) != NULL)
        good = PEM_write_X509(f, t->certificate) == 1 && fclose(f) == 0;
    if (good && (f = create(t, "master.cf")) != NULL)
        good = fputs(services, f) != EOF && fclose(f) == 0;
    if (!good || !f || !write_main(t))
        return false;
    for (size_t i = 0; i < 2; i++) { /* Postfix's programs wait for a moment before they read a file this fresh */
        char path[128];
        snprintf(path, sizeof path, "%s/%s", t->dir, i ? "main.cf" : "master.cf");
        utimensat(AT_FDCWD, path,
                  (const struct timespec[2]){{.tv_sec = clock_wall() - 60}, {.tv_sec = clock_wall() - 60}}, 0);
    }
    return true;
}

/* A process with that standard input, and nothing to say. */
static pid_t start_program(const char *const *argv, int in)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    int nothing = open("/dev/null", O_RDWR);
    setsid();
    dup2(in >= 0 ? in : nothing, 0);
    dup2(nothing, 1);
    dup2(nothing, 2);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* The folders that `postfix check` fills; it does not make them. */
static bool make_folders(const struct trial *t)
{
    const struct passwd *owner = getpwnam(postfix_get(t->p, "mail_owner"));
    char path[128];

    snprintf(path, sizeof path, "%s/queue", t->dir);
    if (!owner || mkdir(path, 0755) != 0)
        return false;
    snprintf(path, sizeof path, "%s/data", t->dir);
    return mkdir(path, 0755) == 0 && chown(path, owner->pw_uid, (gid_t)-1) == 0;
}

static bool start_postfix(struct trial *t)
{
    struct arena *a = t->p->h->arena;
    const char *master = arena_printf(a, "%s/master", postfix_get(t->p, "daemon_directory"));
    int code = -1;

    harden_run(t->p->h, (const char *const[]){"postfix", "-c", t->dir, "check", NULL}, &code);
    if (code != 0 || !master)
        return false;
    t->master = start_program((const char *const[]){master, "-c", t->dir, "-d", "-e", "30", NULL}, -1);
    return t->master > 0;
}

static bool send_mail(struct trial *t)
{
    static const char text[] = "Subject: a trial of assay harden\n\nThis mail stays on this computer.\n";
    int in[2], status = -1;

    if (pipe2(in, O_CLOEXEC) != 0)
        return false;
    pid_t pid = start_program((const char *const[]){postfix_get(t->p, "sendmail_path"), "-C", t->dir, "-f", "",
                                                    "trial@" TLS_POLICY_TEST_DOMAIN, NULL},
                              in[0]);
    bool good = write(in[1], text, sizeof text - 1) == sizeof text - 1;
    close(in[0]);
    close(in[1]);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && good;
}

/* ---- the result ---- */

/* Why the mail was not sent: the first warning of smtp(8), which is the nearest to the cause, else the words behind its
 * status. NULL: Postfix has not said yet. */
static const char *reason(const struct trial *t)
{
    char path[128], line[2048];
    const char *warning = NULL, *ended = NULL;

    snprintf(path, sizeof path, "%s/log", t->dir);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, "/smtp[") ? strstr(line, "warning: ") : NULL, *status = strstr(line, "status=");
        line[strcspn(line, "\n")] = '\0';
        if (at && !warning)
            warning = arena_strdup(t->p->h->arena, at + 9);
        if (status && strncmp(status, "status=sent", 11) != 0)
            ended = arena_strdup(t->p->h->arena, status);
    }
    if (f)
        fclose(f);
    return ended && warning ? warning : ended;
}

static const char *wait_for_mail(struct trial *t)
{
    const int64_t until = clock_mono_ms() + TRIAL_DELIVERY_SECONDS * 1000;
    const char *why = NULL;
    int status = -1;

    while (!why && clock_mono_ms() < until) {
        if (waitpid(t->host, &status, WNOHANG) == t->host) {
            t->host = 0;
            return status == 0 ? NULL : "the mail host of the trial failed";
        }
        why = reason(t);
        usleep(50000);
    }
    return why ? why : "the mail did not arrive in time";
}

static void end_trial(struct trial *t)
{
    if (t->master > 0) {
        kill(t->master, SIGTERM); /* ends its own children */
        for (int i = 0; i < 100 && waitpid(t->master, NULL, WNOHANG) == 0; i++)
            usleep(50000);
        kill(-t->master, SIGKILL);
    }
    if (t->host > 0) {
        kill(t->host, SIGKILL);
        waitpid(t->host, NULL, 0);
    }
    if (t->listener >= 0)
        close(t->listener);
    X509_free(t->certificate);
    EVP_PKEY_free(t->key);
    scratch_close(&t->scratch);
}

const char *trial_delivery(struct postfix *p, const char *answer)
{
    struct trial t = {.p = p, .listener = -1};
    const char *why = "a Postfix of its own could not be started for it";

    if (geteuid() != 0)
        return "only root can try it";
    t.dir = t.scratch.path;
    if (scratch_open(&t.scratch, "/tmp", "delivery") && chmod(t.dir, 0755) == 0 && start_host(&t) &&
        write_files(&t, answer) && make_folders(&t) && start_postfix(&t) && send_mail(&t))
        why = wait_for_mail(&t);
    end_trial(&t);
    return why;
}
