// SPDX-License-Identifier: BSD-2-Clause
/*
 * https.c - https.h by libcurl.
 *
 * The addresses are put into libcurl's own name cache (CURLOPT_RESOLVE), and every socket it opens is compared with
 * them once more before it is made, so that no feature of the library, now or later, connects elsewhere. Environment
 * variables that name proxies are not heeded. The body is bounded while it comes in; nothing is decompressed. On
 * failure the body is empty and `why` says what failed, in the library's words made visible. Sources: RFC 8461 3.3, RFC
 * 9110 15.3.1, RFC 2046 4.1.3.
 */
#include "net/https.h"
#include "base/clock.h"
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_SECONDS 3600

static bool is_begun;

bool https_begin(void)
{
    is_begun = is_begun || curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return is_begun;
}

static size_t body_receive(char *p, size_t size, size_t count, void *context)
{
    struct buf *body = context;

    if (count > HTTPS_BODY || body->n + count > HTTPS_BODY)
        return 0;
    buf_add(body, p, count);
    return body->failed ? 0 : count;
}

/* Where sockets may lead, and whether one could not be made for want of something of ours: files, buffers. */
struct sockets {
    const struct https_request *request;
    bool wanting;
};

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct sockets *s = context;
    struct ip to = ip_from_sockaddr(&a->addr);

    for (size_t i = 0; to.family && i < s->request->address_count; i++) {
        if (!ip_eq(&to, &s->request->addresses[i]))
            continue;
        int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
        s->wanting |= fd < 0 && errno != EAFNOSUPPORT;
        return fd;
    }
    return CURL_SOCKET_BAD;
}

/* "HOST:PORT:ADDRESS,ADDRESS" */
static struct curl_slist *name_entry(const struct https_request *r, unsigned port)
{
    struct buf b = BUF_INIT;
    struct curl_slist *list = NULL;
    char text[IP_TEXT];

    buf_printf(&b, "%s:%u:", r->host, port);
    for (size_t i = 0; i < r->address_count && i < HTTPS_ADDRESSES; i++)
        buf_printf(&b, r->addresses[i].family == 6 ? "%s[%s]" : "%s%s", i ? "," : "", ip_text(&r->addresses[i], text));
    if (!b.failed)
        list = curl_slist_append(NULL, b.p);
    buf_release(&b);
    return list;
}

/* OpenSSL accepts an empty file or folder as a store of certificates, so we look whether it contains any. */
static bool system_has_any(void)
{
    const char *file = getenv(X509_get_default_cert_file_env()), *folder = getenv(X509_get_default_cert_dir_env());
    struct stat st;
    if (stat(file ? file : X509_get_default_cert_file(), &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        return true;
    DIR *d = opendir(folder ? folder : X509_get_default_cert_dir());
    bool any = false;
    for (const struct dirent *e; d && !any && (e = readdir(d)) != NULL;)
        any = e->d_name[0] != '.';
    if (d)
        closedir(d);
    return any;
}

/* The authorities' certificates: those of the file, or the system's. Reading them costs more than a fetch, so all
 * threads share the system's, which are read again after STORE_SECONDS. NULL: there are none. The caller frees it. */
static X509_STORE *trusted(const char *ca_file)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static X509_STORE *kept;
    static int64_t since;
    X509_STORE *store = NULL;

    if (ca_file) {
        store = X509_STORE_new();
        if (store && X509_STORE_load_file(store, ca_file) == 1)
            return store;
        X509_STORE_free(store);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    if (!kept || clock_mono_ms() - since > STORE_SECONDS * 1000) {
        store = X509_STORE_new();
        if (store && system_has_any() && X509_STORE_set_default_paths(store) == 1) {
            X509_STORE_free(kept);
            kept = store;
            since = clock_mono_ms();
        } else {
            X509_STORE_free(store);
        }
    }
    store = kept && X509_STORE_up_ref(kept) ? kept : NULL;
    pthread_mutex_unlock(&lock);
    return store;
}

bool https_has_authorities(const char *ca_file)
{
    X509_STORE *store = trusted(ca_file);
    const bool any = store != NULL;
    X509_STORE_free(store);
    return any;
}

/* RFC 8461 3.3: the host's name must be a DNS-ID of the certificate. OpenSSL and libcurl would else take a Common Name
 * if there is no DNS name. */
static CURLcode set_up_tls(CURL *c, void *ssl_ctx, void *context)
{
    const struct https_request *r = context;
    X509_VERIFY_PARAM *p = SSL_CTX_get0_param(ssl_ctx);
    X509_STORE *store = trusted(r->ca_file);

    if (!store)
        return CURLE_SSL_CACERT_BADFILE;
    SSL_CTX_set_cert_store(ssl_ctx, store); /* which frees it */
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(p, r->host, 0) == 1 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static bool set_up(CURL *c, struct sockets *sockets, struct curl_slist *names, const char *url, struct buf *body)
{
    const struct https_request *r = sockets->request;
    long total = r->total_ms ? (long)r->total_ms : HTTPS_TOTAL_MS;
    CURLcode rc = CURLE_OK;
#define SET(option, value) rc = rc ? rc : curl_easy_setopt(c, option, value)
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_RESOLVE, names);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, (void *)sockets);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_CTX_FUNCTION, set_up_tls);
    SET(CURLOPT_SSL_CTX_DATA, (void *)r);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_TIMEOUT_MS, total);
    SET(CURLOPT_CONNECTTIMEOUT_MS, total);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_USERAGENT, "assay/" ASSAY_VERSION);
    SET(CURLOPT_WRITEFUNCTION, body_receive);
    SET(CURLOPT_WRITEDATA, (void *)body);
    SET(CURLOPT_CAINFO, NULL); /* set_up_tls knows better */
    SET(CURLOPT_CAPATH, NULL);
#undef SET
    return rc == CURLE_OK;
}

static enum https_outcome outcome_of(CURLcode rc)
{
    switch (rc) {
    case CURLE_OK:
        return HTTPS_DONE;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTPS_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return HTTPS_CERTIFICATE;
    case CURLE_WRITE_ERROR:
        return HTTPS_TOO_LONG;     /* take() refused: nothing else does */
    case CURLE_SSL_CACERT_BADFILE: /* the authorities' certificates are ours to have */
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return HTTPS_INTERNAL;
    default:
        return HTTPS_UNREACHABLE;
    }
}

/* "text/plain", alone or with parameters, in any case. */
static bool is_text(const char *type)
{
    static const char want[] = "text/plain";

    if (!type || strncasecmp(type, want, sizeof want - 1) != 0)
        return false;
    type += sizeof want - 1;
    return *type == '\0' || *type == ';' || *type == ' ' || *type == '\t';
}

static enum https_outcome look_at_answer(CURL *c, char why[HTTPS_WHY])
{
    const char *type = NULL;
    long status = 0;

    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
    if (status != 200) {
        snprintf(why, HTTPS_WHY, "the server says %ld, not 200", status);
        return HTTPS_STATUS;
    }
    if (!is_text(type)) {
        snprintf(why, HTTPS_WHY, "its type is %.60s, not text/plain", type ? type : "not said");
        return HTTPS_TYPE;
    }
    return HTTPS_DONE;
}

/* Tells whether TLS failed because the connection was lost. Then nothing is known about the certificate. */
static bool is_lost(CURL *c, CURLcode rc, const char *words)
{
    long number = 0;
    curl_easy_getinfo(c, CURLINFO_OS_ERRNO, &number);
    return rc == CURLE_SSL_CONNECT_ERROR && (number == ECONNRESET || number == EPIPE ||
                                             strstr(words, "unexpected eof") || strstr(words, "SSL_ERROR_SYSCALL"));
}

static enum https_outcome transfer_run(CURL *c, struct buf *body, char why[HTTPS_WHY])
{
    char words[CURL_ERROR_SIZE] = "";

    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, words);
    CURLcode rc = curl_easy_perform(c);
    enum https_outcome o = outcome_of(rc), answer = look_at_answer(c, why);
    if (is_lost(c, rc, words))
        o = HTTPS_UNREACHABLE;
    if (o == HTTPS_DONE || (o == HTTPS_TOO_LONG && !body->failed && answer != HTTPS_DONE))
        o = answer; /* the HTTP error matters more than the length of its page */
    else if (o == HTTPS_TOO_LONG)
        snprintf(why, HTTPS_WHY, "%s", body->failed ? "out of memory" : "it is longer than 64 KiB");
    else
        snprintf(why, HTTPS_WHY, "%.200s", words[0] ? words : curl_easy_strerror(rc));
    for (char *p = why; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    return o;
}

enum https_outcome https_get(const struct https_request *r, struct buf *body, char why[HTTPS_WHY])
{
    unsigned port = r->port ? r->port : 443;
    struct curl_slist *names = NULL;
    struct sockets sockets = {.request = r};
    struct buf url = BUF_INIT;
    enum https_outcome o = HTTPS_INTERNAL;
    CURL *c = is_begun ? curl_easy_init() : NULL;

    buf_reset(body);
    why[0] = '\0';
    if (r->address_count == 0) {
        snprintf(why, HTTPS_WHY, "there is no address to ask");
        o = HTTPS_UNREACHABLE;
    } else if (c && (names = name_entry(r, port)) != NULL) {
        buf_printf(&url, "https://%s:%u%s", r->host, port, r->path);
        if (!url.failed && set_up(c, &sockets, names, url.p, body))
            o = transfer_run(c, body, why);
    }
    if (o == HTTPS_UNREACHABLE && sockets.wanting) {
        snprintf(why, HTTPS_WHY, "no socket could be made: out of files or buffers");
        o = HTTPS_INTERNAL;
    }
    if (o == HTTPS_INTERNAL && !why[0])
        snprintf(why, HTTPS_WHY, "out of memory, or libcurl cannot be used");
    if (o != HTTPS_DONE)
        buf_reset(body);
    curl_easy_cleanup(c);
    curl_slist_free_all(names);
    buf_release(&url);
    return o;
}
