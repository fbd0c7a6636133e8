// SPDX-License-Identifier: BSD-2-Clause
/*
 * opendkim.c - libopendkim behind dkim_engine.h, with what it needs to be safe: the module assay-engine-opendkim.so.
 *
 * It never sees a signature that dkim_sigfield.c did not accept: an unknown q= makes it abort, rsa-sha1 it would
 * verify. Its resolver is replaced: keys come from the message's own scope, asked for long before, so a query is
 * answered at once; the answer it gets is a packet built here of one question and one TXT record, never a chain with
 * CNAME or DNAME, which it cannot read. No data and no name are not asked for by it at all: any answer but one usable
 * record is DKIM_DNS_ERROR, which fails that signature only, and dkim_check.c then decides from the scope's answer
 * itself. A record over RECORD_MAX would be cut in silence (its buffer has 1024 octets): such a key is verified by
 * ourselves.
 *
 * The library's DNS service handle belongs to the library, not to a message; the scope in use is therefore a thread's
 * own variable, set around dkim_eom, which is the only call that asks. One DKIM_LIB serves all threads (its manual says
 * so); a DKIM handle belongs to one.
 *
 * Line ends are made CRLF before it sees them. On failure of any kind the message is verified by dkim_check.c itself.
 */
#include "engines/engines.h"
#include "dns/dns.h"
#include "standards/dkim/dkim_checker.h"
#include "standards/dkim/dkim_keyrec.h"
#include "standards/message/header.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>
#include <opendkim/dkim.h>

#define RECORD_MAX 1000
#define PACKET_MAX 2048

struct dkim_library {
    const struct dkim_checker *checker;
    DKIM *dkim;
    DKIM_SIGINFO **found;
    int found_count;
    bool failed;
    bool cr; /* the last octet of the body so far was CR */
};

static DKIM_LIB *library;
static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static _Thread_local struct dns_scope *scope_in_use;

static uint8_t *put16(uint8_t *to, unsigned v)
{
    *to++ = (uint8_t)(v >> 8);
    *to++ = (uint8_t)v;
    return to;
}

/* A name in wire form (RFC 1035 3.1); NULL: too long. Names here are canonical: no escapes. */
static uint8_t *put_name(uint8_t *to, const char *name)
{
    for (const char *label = name; *label;) {
        size_t n = strcspn(label, ".");
        if (n > LIMIT_LABEL)
            return NULL;
        *to++ = (uint8_t)n;
        memcpy(to, label, n);
        to += n;
        label += n + (label[n] == '.');
    }
    *to++ = 0;
    return to;
}

/* One question, one TXT record. 0: does not fit. */
static size_t build_packet(const char *name, struct slice rdata, uint8_t *packet, size_t size)
{
    uint8_t head[LIMIT_DOMAIN + 64], *to = head;
    if (strlen(name) > LIMIT_DOMAIN)
        return 0;
    to = put16(to, 0);
    to = put16(to, 0x8180); /* a response, recursion done */
    to = put16(to, 1);
    to = put16(to, 1);
    to = put16(to, 0);
    to = put16(to, 0);
    to = put_name(to, name);
    if (!to)
        return 0;
    to = put16(to, DNS_TXT);
    to = put16(to, 1);
    to = put16(to, 0xc00c); /* the question's name */
    to = put16(to, DNS_TXT);
    to = put16(to, 1);
    to = put16(to, 0);
    to = put16(to, 300);
    to = put16(to, (unsigned)rdata.n);
    size_t n = (size_t)(to - head);
    if (n + rdata.n > size)
        return 0;
    memcpy(packet, head, n);
    memcpy(packet + n, rdata.p, rdata.n);
    return n + rdata.n;
}

struct query {
    size_t n; /* 0: no usable answer */
};

static int query_start(void *service, int type, unsigned char *name, unsigned char *buffer, size_t size, void **handle)
{
    (void)service;
    struct query *q = calloc(1, sizeof *q);
    if (!q)
        return DKIM_DNS_ERROR;
    *handle = q;
    if (type != DNS_TXT || !scope_in_use)
        return DKIM_DNS_SUCCESS;
    const struct dns_answer *a = dns_get(scope_in_use, (const char *)name, DNS_TXT);
    if (a->state == DNS_FOUND && a->count == 1 && a->rdata[0].n <= RECORD_MAX)
        q->n = build_packet((const char *)name, a->rdata[0], buffer, size < PACKET_MAX ? size : PACKET_MAX);
    return DKIM_DNS_SUCCESS;
}

static int query_wait(void *service, void *handle, struct timeval *timeout, size_t *n, int *error, int *dnssec)
{
    const struct query *q = handle;
    (void)service, (void)timeout;
    if (error)
        *error = q->n ? 0 : -1;
    if (dnssec)
        *dnssec = DKIM_DNSSEC_UNKNOWN; /* the finding has the answer's own state */
    *n = q->n;
    return q->n ? DKIM_DNS_SUCCESS : DKIM_DNS_ERROR;
}

/* Called after every query. */
static int query_cancel(void *service, void *handle)
{
    (void)service;
    free(handle);
    return DKIM_DNS_SUCCESS;
}

/* The library takes NULL for "not opened yet", and would open it again from any thread. */
static int service_init(void **service)
{
    static char opened;
    *service = &opened;
    return 0;
}

static void service_close(void *service)
{
    (void)service;
}

static void open_library(void)
{
    unsigned flags = DKIM_LIBFLAGS_DELAYSIGPROC | DKIM_LIBFLAGS_BADSIGHANDLES;
    unsigned bits = 0;
    DKIM_LIB *lib = dkim_init(NULL, NULL);
    if (!lib)
        return;
    dkim_dns_set_init(lib, service_init);
    dkim_dns_set_close(lib, service_close);
    dkim_dns_set_query_start(lib, query_start);
    dkim_dns_set_query_waitreply(lib, query_wait);
    dkim_dns_set_query_cancel(lib, query_cancel);
    /* Times and key sizes are judged by dkim_sigfield.c and dkim_proof.c. */
    if (dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags) != DKIM_STAT_OK ||
        dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits, sizeof bits) != DKIM_STAT_OK ||
        dkim_dns_init(lib) != 0) {
        dkim_close(lib);
        return;
    }
    library = lib;
}

/* One field, folds as CRLF. False: the library does not take it. */
static bool feed_field(DKIM *dkim, struct arena *arena, const struct header_field *f)
{
    char *text = arena_alloc(arena, f->name.n + 1 + f->value.n * 2);
    size_t n = 0;
    if (!text || (f->flaws & (HEADER_NUL | HEADER_BAD_NAME)))
        return false;
    memcpy(text, f->name.p, f->name.n);
    n = f->name.n;
    text[n++] = ':';
    for (size_t i = 0; i < f->value.n; i++) {
        if (f->value.p[i] == '\n' && text[n - 1] != '\r')
            text[n++] = '\r';
        text[n++] = f->value.p[i];
    }
    return dkim_header(dkim, (unsigned char *)text, n) == DKIM_STAT_OK;
}

static bool is_tried(const struct dkim_checker *c, size_t place)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->one[i].place == place)
            return c->one[i].tried;
    return false;
}

/* All fields, without the signatures that are not to be verified. */
static bool feed_header(DKIM *dkim, const struct dkim_checker *c)
{
    for (size_t i = 0; i < c->headers->count; i++) {
        const struct header_field *f = &c->headers->fields[i];
        if (header_is(f, "DKIM-Signature") && !is_tried(c, i))
            continue;
        if (!feed_field(dkim, c->arena, f))
            return false;
    }
    return dkim_eoh(dkim) == DKIM_STAT_OK;
}

static struct dkim_library *library_release(struct dkim_library *l)
{
    if (l && l->dkim)
        dkim_free(l->dkim);
    return NULL;
}

static struct dkim_library *library_begin(const struct dkim_checker *c)
{
    DKIM_STAT status;
    pthread_once(&library_once, open_library);
    struct dkim_library *l = library ? ARENA_NEW(c->arena, struct dkim_library) : NULL;
    if (!l)
        return NULL;
    l->checker = c;
    l->dkim = dkim_verify(library, (const unsigned char *)"assay", NULL, &status);
    if (!l->dkim || !feed_header(l->dkim, c))
        return library_release(l);
    return l;
}

static void feed_body(struct dkim_library *l, const char *p, size_t n)
{
    if (n && !l->failed)
        l->failed = dkim_body(l->dkim, (unsigned char *)(uintptr_t)p, n) != DKIM_STAT_OK;
}

static void take_body(struct dkim_library *l, struct slice chunk)
{
    const char *p = chunk.p, *end = p + chunk.n;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf) {
            feed_body(l, p, (size_t)(end - p));
            break;
        }
        bool has_cr = lf > p ? lf[-1] == '\r' : l->cr;
        feed_body(l, p, (size_t)(lf - p));
        feed_body(l, has_cr ? "\n" : "\r\n", has_cr ? 1 : 2);
        l->cr = false;
        p = lf + 1;
    }
    if (chunk.n)
        l->cr = end[-1] == '\r';
}

static void end_of_body(struct dkim_library *l)
{
    bool testing = false;
    if (l->failed)
        return;
    scope_in_use = l->checker->dns;
    (void)dkim_eom(l->dkim, &testing); /* its one status for all signatures says nothing about each */
    scope_in_use = NULL;
    if (dkim_getsiglist(l->dkim, &l->found, &l->found_count) != DKIM_STAT_OK)
        l->failed = true;
}

static bool verdict(const struct dkim_library *l, size_t one, bool *header_verifies, bool *body_verifies)
{
    int nth = 0;
    if (l->failed || !l->checker->one[one].tried)
        return false;
    for (size_t i = 0; i < one; i++)
        nth += l->checker->one[i].tried;
    if (nth >= l->found_count)
        return false;
    DKIM_SIGINFO *s = l->found[nth];
    unsigned flags = dkim_sig_getflags(s);
    int error = dkim_sig_geterror(s), body = dkim_sig_getbh(s);
    bool passed = (flags & DKIM_SIGFLAG_PASSED) != 0;
    /* Where the header fails it does not look at the body. */
    if (!(flags & DKIM_SIGFLAG_PROCESSED) || (passed ? body == DKIM_SIGBH_UNTESTED : error != DKIM_SIGERROR_BADSIG))
        return false;
    *header_verifies = passed;
    *body_verifies = body == DKIM_SIGBH_MATCH;
    return true;
}

const struct dkim_engine assay_dkim_engine ENGINE_EXPORT = {DKIM_ENGINE_STAMP, library_begin, take_body,
                                                            end_of_body,       verdict,       library_release};
