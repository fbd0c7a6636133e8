// SPDX-License-Identifier: BSD-2-Clause
/*
 * tlsa.c - `assay tlsa CERT|HOST`: the TLSA records to publish, and the plan for a renewal.
 *
 * For a file, what that certificate needs; for a host name, what it serves on port 25 now, on each of its addresses and
 * for each kind of key. 3 1 1 comes first: it holds through every renewal that keeps the key (RFC 7671 5.1); 2 1 1 is
 * added with --issuer. With --next the steps of a roll-over are dated: both records out, two TTLs of waiting (RFC 7671
 * 8.1), then the switch, then the old record away.
 *
 * Fails with EX_NOINPUT, EX_DATAERR or EX_UNAVAILABLE and one line that names the file or host; CLI_WARNING when the
 * plan cannot be kept in time.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "base/json.h"
#include "net/starttls.h"
#include "cli/tlsa/certificate.h"
#include "cli/cli.h"
#include "cli/tlsa/tlsa_check.h"
#include <netdb.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_TTL 3600
#define MAX_ADDRESSES 16

struct options {
    const char *subject, *name, *issuer, *next;
    int64_t port, ttl;
    bool json, check;
    const char *anchor, *forward, *dns;
};

#define MAX_SERVED (2 * MAX_ADDRESSES) /* different certificates of one host, or of one file */

struct plan {
    struct tlsa_served now[MAX_SERVED], next[CERTIFICATE_CHAINS];
    size_t now_count, next_count;
    struct certificate issuer;
    bool have_issuer;
    const char *host, *owner; /* mx.example.org, _25._tcp.mx.example.org */
};

#define PORT_MOST 65535
#define TTL_MOST 604800 /* a week: longer than any roll-over should have to wait */
#define OPTIONS_OF struct options
static const struct option_row rows[] = {
    OPTIONS_TEXT(0, "name", "HOST", name, "the host the records are for (default: the certificate's first name)"),
    OPTIONS_NUMBER(0, "port", "N", port, 1, PORT_MOST, "its port (default 25)"),
    OPTIONS_TEXT(0, "issuer", "FILE", issuer, "the issuing CA's certificate: adds a 2 1 1 record"),
    OPTIONS_TEXT(0, "next", "FILE", next,
                 "the certificate that comes next: prints the steps of the roll-over with dates"),
    OPTIONS_NUMBER(0, "ttl", "SECONDS", ttl, 1, TTL_MOST, "the records' time to live (default 3600)"),
    OPTIONS_FLAG(0, "check", check, "are these records in DNS, signed? Prints only what is missing"),
    OPTIONS_TEXT(0, "anchor", "FILE", anchor,
                 "with --check: the DNSSEC trust anchor (default " ASSAY_STATEDIR "/root.key)"),
    OPTIONS_TEXT(0, "forward", "ADDRESS", forward, "with --check: the resolver to ask (default: from the root)"),
    OPTIONS_TEXT(0, "dns", "FILE", dns, "with --check: saved answers instead of DNS"),
    OPTIONS_FLAG(0, "json", json, "for programs"),
};

static const struct options_spec command_line = {
    .synopsis = "[OPTION...] CERTIFICATE-FILE|HOST",
    .text = "Prints the TLSA records a mail host must publish (RFC 6698, RFC 7672).",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .needs = "a certificate file or host name",
    .least = 1,
    .most = 1,
};

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
    int n;
    *o = (struct options){.ttl = DEFAULT_TTL, .port = 25};
    int rc = cli_options(&command_line, argc, argv, o, &n);
    o->subject = argv[1];
    return rc;
}

static int read_file(struct arena *a, const char *path, struct certificate *out)
{
    const char *why = NULL;
    enum status s = certificate_read(a, path, out, &why);
    if (s == STATUS_OK)
        return -1;
    cli_error("%s: %s", path, why ? why : status_text(s));
    return s == STATUS_MISSING ? EX_NOINPUT : s == STATUS_DENIED ? EX_NOPERM : EX_DATAERR;
}

/* Every certificate of a file that a server may have with a key of its own: smtpd_tls_chain_files has several. */
static int read_served(struct arena *a, const char *path, struct tlsa_served *out, size_t *count)
{
    struct certificate_chain chains[CERTIFICATE_CHAINS];
    const char *why = NULL;
    size_t n;
    int rc = read_file(a, path, &out[0].certificate);

    if (rc != -1)
        return rc;
    if (certificate_read_chains(a, path, chains, &n) != STATUS_OK) {
        cli_error("%s: its certificates cannot be read", path);
        return EX_DATAERR;
    }
    for (*count = 0; *count < n; ++*count) {
        out[*count].chain = chains[*count];
        if (certificate_from_der(a, chains[*count].der[0], &out[*count].certificate, &why) != STATUS_OK) {
            cli_error("%s: %s", path, why);
            return EX_DATAERR;
        }
    }
    return -1;
}

static void keep_served(struct plan *p, const struct certificate *c, const struct starttls_result *r)
{
    for (size_t i = 0; i < p->now_count; i++)
        if (strcmp(c->whole_sha256, p->now[i].certificate.whole_sha256) == 0)
            return;
    if (p->now_count == MAX_SERVED)
        return;
    struct tlsa_served *s = &p->now[p->now_count++];
    *s = (struct tlsa_served){.certificate = *c};
    for (size_t i = 0; i < r->chain_count && i < CERTIFICATE_CHAIN; i++)
        s->chain.der[s->chain.count++] = r->chain[i];
}

/* What one address serves, to a client that prefers ECDSA and to one that knows only RSA, or the reverse. False after a
 * message. */
static bool read_address(struct arena *a, const struct options *o, const char *host, const struct ip *address,
                         struct plan *p)
{
    char text[IP_TEXT];
    struct starttls_result r;
    struct certificate c;
    const char *why = NULL;
    struct starttls_request q = {.address = *address, .port = (unsigned)o->port, .server_name = host};
    starttls_run(a, &q, &r);
    if (r.outcome != STARTTLS_DONE || r.chain_count == 0) {
        cli_error("%s at %s: %s (%s)", host, ip_text(address, text), starttls_outcome_name(r.outcome), r.reason);
        return false;
    }
    if (certificate_from_der(a, r.chain[0], &c, &why) != STATUS_OK) {
        cli_error("%s at %s: %s", host, ip_text(address, text), why);
        return false;
    }
    keep_served(p, &c, &r);
    q.keys = r.rsa_key ? STARTTLS_KEYS_ECDSA : STARTTLS_KEYS_RSA;
    starttls_run(a, &q, &r);
    if (r.outcome == STARTTLS_DONE && r.chain_count && certificate_from_der(a, r.chain[0], &c, &why) == STATUS_OK)
        keep_served(p, &c, &r);
    return true;
}

/* The certificates that a host serves, on all its addresses. */
static int read_host(struct arena *a, const struct options *o, const char *host, struct plan *p)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int rc = getaddrinfo(host, NULL, &hints, &list), code = -1;
    size_t seen = 0;
    if (rc != 0) {
        cli_error("%s: no such file, and as a host name: %s", host, gai_strerror(rc));
        return EX_NOHOST;
    }
    for (struct addrinfo *i = list; i && seen < MAX_ADDRESSES; i = i->ai_next) {
        struct ip address = ip_from_sockaddr(i->ai_addr);
        if (read_address(a, o, host, &address, p))
            seen++;
        else
            code = EX_UNAVAILABLE;
    }
    freeaddrinfo(list);
    return seen ? code : EX_UNAVAILABLE;
}

static const struct certificate *now_of(const struct plan *p)
{
    return &p->now[0].certificate;
}

static const struct certificate *next_of(const struct plan *p)
{
    return &p->next[0].certificate;
}

/* Tells whether one of the first n of a list has this key. */
static bool has_key(const struct tlsa_served *list, size_t n, const struct certificate *c)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].certificate.spki_sha256, c->spki_sha256) == 0)
            return true;
    return false;
}

static int gather(struct arena *a, const struct options *o, struct plan *p)
{
    char kept[LIMIT_DOMAIN + 1];
    const char *name = o->name;
    bool is_file = access(o->subject, F_OK) == 0 || strchr(o->subject, '/');
    if (!is_file && domain_from_text(slice_str(o->subject), kept) != STATUS_OK) {
        cli_error("%s: neither a file nor a host name", o->subject);
        return EX_NOINPUT;
    }
    int rc = is_file ? read_served(a, o->subject, p->now, &p->now_count) : read_host(a, o, arena_strdup(a, kept), p);
    if (rc != -1)
        return rc;
    if (o->issuer && (rc = read_file(a, o->issuer, &p->issuer)) != -1)
        return rc;
    if (o->next && (rc = read_served(a, o->next, p->next, &p->next_count)) != -1)
        return rc;
    if (o->issuer && !certificate_is_issued_by(p->now[0].certificate.whole, p->issuer.whole)) {
        cli_error("--issuer %s: it did not issue %s: the certificate that signed it is wanted (often the second one of "
                  "fullchain.pem)",
                  o->issuer, o->subject);
        return EX_DATAERR;
    }
    p->have_issuer = o->issuer != NULL;
    if (!name)
        name = !is_file ? o->subject : now_of(p)->name_count ? now_of(p)->names[0] : NULL;
    if (!name || name[0] == '*' || domain_from_text(slice_str(name), kept) != STATUS_OK) {
        cli_error("%s: %s; say for which host with --name", o->subject,
                  name ? "its name does not stand for one host" : "the certificate bears no DNS name");
        return EX_DATAERR;
    }
    p->host = arena_strdup(a, kept);
    p->owner = arena_printf(a, "_%u._tcp.%s", (unsigned)o->port, kept);
    return p->host && p->owner ? -1 : EX_OSERR;
}

static void record_print(const struct options *o, const struct plan *p, const char *prefix, int usage, const char *hex)
{
    printf("%s%s. %" PRId64 " IN TLSA %d 1 1 %s\n", prefix, p->owner, o->ttl, usage, hex);
}

static void print_records(const struct options *o, const struct plan *p)
{
    char until[CLOCK_TEXT];
    for (size_t i = 0; i < p->now_count; i++) {
        const struct certificate *c = &p->now[i].certificate;
        if (has_key(p->now, i, c))
            continue;
        printf("; %s%s, valid until %s\n", i ? "with another key: " : "", c->subject,
               clock_utc_text(c->not_after, until));
        record_print(o, p, "", 3, c->spki_sha256);
    }
    if (p->have_issuer) {
        printf("; its issuer %s: only useful while the whole chain is served\n", p->issuer.subject);
        record_print(o, p, "", 2, p->issuer.spki_sha256);
    }
}

/* Tells whether a key comes that is not served now. */
static bool key_changes(const struct plan *p)
{
    for (size_t i = 0; i < p->next_count; i++)
        if (!has_key(p->now, p->now_count, &p->next[i].certificate))
            return true;
    return false;
}

/* The 3 1 1 records of a list, each key once; but those of keys in another list. */
static void keys_of(const struct options *o, const struct plan *p, const struct tlsa_served *list, size_t n,
                    const struct tlsa_served *but, size_t but_count)
{
    for (size_t i = 0; i < n; i++)
        if (!has_key(list, i, &list[i].certificate) && !has_key(but, but_count, &list[i].certificate))
            record_print(o, p, "     ", 3, list[i].certificate.spki_sha256);
}

/* The earliest day of the switch: when every cache has the new record, for which two TTLs are to be waited. */
static time_t earliest_switch(const struct options *o, const struct plan *p)
{
    time_t t = clock_wall() + 2 * o->ttl;
    return t > next_of(p)->not_before ? t : next_of(p)->not_before;
}

/* A usage 2 record stays through the roll-over. */
static void issuer_record(const struct options *o, const struct plan *p, const char *prefix)
{
    if (p->have_issuer)
        record_print(o, p, prefix, 2, p->issuer.spki_sha256);
}

static int print_plan(const struct options *o, const struct plan *p)
{
    char t[CLOCK_TEXT];
    time_t from = earliest_switch(o, p);
    if (!key_changes(p)) {
        puts(
            "\nThe next certificate keeps the key: the 3 1 1 record above stays right, and nothing has to be changed.");
        return CLI_OK;
    }
    printf("\nRoll-over to %s:\n", next_of(p)->subject);
    puts("1. now: publish both records, and let every name server have them");
    keys_of(o, p, p->now, p->now_count, NULL, 0);
    keys_of(o, p, p->next, p->next_count, p->now, p->now_count);
    issuer_record(o, p, "     ");
    printf("2. not before %s (two times the TTL): switch the mail host to the new certificate\n",
           clock_utc_text(from, t));
    printf("   (the old one expires on %s; DANE with usage 3 does not look at that, other senders may)\n",
           clock_utc_text(now_of(p)->not_after, t));
    puts("3. after the switch has been seen to work on every address: take the old record out");
    keys_of(o, p, p->next, p->next_count, NULL, 0);
    if (p->next_count == 1 && p->now_count > 1) /* what stays beside it */
        keys_of(o, p, p->now + 1, p->now_count - 1, p->next, p->next_count);
    issuer_record(o, p, "     ");
    if (from < now_of(p)->not_after)
        return CLI_OK;
    puts("The old certificate ends before the new record can be everywhere: publish at once, and serve the old one "
         "until "
         "then.\nA 3 1 1 record holds beyond the end of its certificate (RFC 7671 5.1); senders that check dates, as "
         "MTA-STS asks, defer\nmeanwhile.");
    return CLI_WARNING;
}

static void json_record(struct json *j, const struct plan *p, const char *for_what, int usage, const char *hex)
{
    json_open(j);
    json_str(j, "for", for_what);
    json_str(j, "name", p->owner);
    json_int(j, "usage", usage);
    json_int(j, "selector", 1);
    json_int(j, "matching", 1);
    json_str(j, "data", hex);
    json_end(j);
}

static int print_json(const struct options *o, const struct plan *p)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    char t[CLOCK_TEXT];
    const bool change = key_changes(p);
    json_open(&j);
    json_str(&j, "subject", now_of(p)->subject);
    json_str(&j, "not_after", clock_utc_text(now_of(p)->not_after, t));
    json_int(&j, "ttl", o->ttl);
    json_open_array(&j, "records");
    json_record(&j, p, "certificate", 3, now_of(p)->spki_sha256);
    if (p->have_issuer)
        json_record(&j, p, "issuer", 2, p->issuer.spki_sha256);
    for (size_t i = 1; i < p->now_count; i++)
        if (!has_key(p->now, i, &p->now[i].certificate))
            json_record(&j, p, "other", 3, p->now[i].certificate.spki_sha256);
    for (size_t i = 0; i < p->next_count; i++)
        if (!has_key(p->next, i, &p->next[i].certificate) && !has_key(p->now, p->now_count, &p->next[i].certificate))
            json_record(&j, p, "next", 3, p->next[i].certificate.spki_sha256);
    json_end(&j);
    if (p->next_count) {
        json_bool(&j, "key_changes", change);
        json_str(&j, "switch_not_before", clock_utc_text(change ? earliest_switch(o, p) : next_of(p)->not_before, t));
        json_str(&j, "switch_not_after", clock_utc_text(now_of(p)->not_after, t));
    }
    json_end(&j);
    buf_addc(&b, '\n');
    if (!cli_flush(&b))
        return EX_IOERR;
    return change && earliest_switch(o, p) >= now_of(p)->not_after ? CLI_WARNING : CLI_OK;
}

int cmd_tlsa(int argc, char **argv)
{
    struct options o;
    struct plan p = {0};
    int rc = read_options(argc, argv, &o);
    if (rc != -1)
        return rc;
    struct arena *a = arena_new(32 * 1024 * 1024);
    if (!a) {
        cli_error("out of memory");
        return EX_OSERR;
    }
    rc = gather(a, &o, &p);
    if (rc == -1 && o.check) {
        struct tlsa_question q = {.host = p.host,
                                  .port = o.port,
                                  .now = p.now,
                                  .now_count = p.now_count,
                                  .next = p.next,
                                  .next_count = p.next_count};
        rc = tlsa_check(a, &q, &(struct tlsa_source){o.anchor, o.forward, o.dns});
    } else if (rc == -1 && o.json) {
        rc = print_json(&o, &p);
    } else if (rc == -1) {
        print_records(&o, &p);
        rc = p.next_count ? print_plan(&o, &p) : CLI_OK;
    }
    arena_free(a);
    return rc;
}
