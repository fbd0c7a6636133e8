// SPDX-License-Identifier: BSD-2-Clause
/*
 * facts.h - everything that was asked about one domain, and every answer, without a judgement.
 *
 * Facts are text, line by line, and the tests read nothing else: a check that runs now writes its facts, reads them
 * back, and judges what it read. So a file judged again years later gives the same result. What could not be asked is a
 * fact with its cause.
 *
 * A line is a kind and fields NAME=VALUE; a value is bare (printable ASCII without blank, quote or backslash) or
 * quoted, with \xHH for all else. Lines of kind "dns" are followed by a line of assay-dns(5) instead.
 *
 * A file is hostile when it is read: at most FACTS_OCTETS, FACTS_LINE a line, and as many entries of each kind as the
 * constants say. A value that cannot be read, an unknown kind or field, and anything said twice make the whole file
 * invalid: a report about a part of it would look like one about the domain. Reading is pure; a struct facts is one
 * arena's and belongs to one thread at a time.
 */
#ifndef ASSAY_CHECK_FACTS_H
#define ASSAY_CHECK_FACTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/ip.h"
#include "base/status.h"
#include "check/hello.h"
#include "dns/dns.h"
#include "net/starttls.h"
#include <time.h>

#define FACTS_VERSION 1
#define FACTS_OCTETS (4u * 1024 * 1024)
#define FACTS_LINE (256u * 1024)
#define FACTS_SERVERS 256  /* answers of name servers */
#define FACTS_TCP 32       /* addresses of name servers that were asked over TCP */
#define FACTS_SMTP 64      /* addresses of mail hosts */
#define FACTS_TLS 1600     /* handshakes begun */
#define FACTS_CHAIN 10     /* certificates of one host */
#define FACTS_SELECTORS 64 /* DKIM selectors */
#define FACTS_WEB 4
#define FACTS_RPKI 128   /* addresses of mail hosts and name servers looked up in the RPKI */
#define FACTS_SENDERS 32 /* addresses that send mail of the domain */
#define FACTS_MX 10      /* mail hosts looked at, the most preferred first */

/* Why an address was not asked that nobody on the internet can reach. */
#define FACTS_NOT_PUBLIC "not an address of the public internet"

/* Tells whether something of ours was there to ask with. */
enum facts_here { FACTS_YES, FACTS_NO, FACTS_NOT_TRIED };

/* The own answer of a name server of the domain (dns/direct.h). */
struct facts_server {
    const char *host;
    struct ip address;
    const char *question; /* "SOA", ... of the domain; "TLSA" of its first mail host; else with the name: "TXT NAME" */
    const char *outcome;  /* "answered", "timeout", ...; "skipped": not asked, `why` says so */
    const char *why;      /* "" if there is nothing to say */
    unsigned rcode;
    bool authoritative, tcp;
    uint32_t serial;    /* of a SOA */
    time_t signed_to;   /* the earliest end of a signature in the answer; 0: none */
    time_t signed_from; /* when that signature began; 0: not known */
    const char *digest; /* of the records, in an order of our own: equal answers have equal digests */
};

/* Whether an address of a name server answers over TCP. */
struct facts_tcp {
    const char *host;
    struct ip address;
    const char *outcome, *why; /* as of facts_server */
};

/* What a name server of the parent zone says of the zone that holds the domain. */
struct facts_parent {
    const char *host;
    struct ip address;
    const char *outcome, *why; /* as of facts_server */
    const char *names;         /* whom it names as the zone's name servers, with blanks between them; "": nobody */
};

struct facts_smtp {
    const char *host;
    struct ip address;
    const char *outcome; /* starttls_outcome_name, or "not asked" */
    const char *reason, *banner, *ehlo;
    bool connected;               /* it took the connection */
    const char *version, *cipher; /* of OpenSSL's handshake */
    const char *dane;             /* "match", "none" (no usable record), or why nothing matched */
    int usage;                    /* of the record that matched; -1 */
    const char *trust;            /* "ok": this computer trusts the issuer; "": it has no authorities; else: why not */
    size_t cert_count;
    struct slice certs[FACTS_CHAIN]; /* DER, the host's own first */
};

struct facts_tls {
    const char *host;
    struct ip address;
    const char *probe;   /* tls_probe.h */
    const char *outcome; /* "accepted", "refused", or why nothing is known */
    struct hello_answer answer;
};

struct facts_web {
    const char *host, *path, *outcome, *why;
    struct slice body;
};

/* An address, and what the RPKI and the routing table say of it (rtr.h, origin.h: the form of both lists). */
struct facts_rpki {
    const char *host;
    bool name_server; /* else a mail host */
    struct ip address;
    const char *roas, *origins; /* "": none */
    const char *why;            /* it could not be looked up: why; "" */
};

struct facts_selector {
    const char *name, *source; /* "option", "ledger" */
};

/* An address that sends mail of the domain. mails: how many of the domain were seen from it (0: none, it was named);
 * aligned: how many of them passed DMARC by DKIM or SPF. */
struct facts_sender {
    struct ip address;
    const char *source; /* "option", "ledger" */
    int64_t mails, aligned;
};

struct facts {
    struct arena *arena;
    const char *domain, *program;
    unsigned table; /* of the grades: check/grade.h */
    time_t at;
    bool here; /* what this computer had to ask with was said */
    enum facts_here ipv4, ipv6;
    const char *canary; /* "" : our own DNS is in order; else what is wrong with it */
    const char *rtr;    /* "": an RTR cache was asked; else why not */
    struct buf dns;     /* lines of assay-dns(5), each with the number that it has in the file */
    unsigned line;      /* that is read */
    unsigned dns_lines; /* in dns */
    bool chain_open;    /* the line before is a mail host's, or a certificate of its chain */
    size_t tcp_count, server_count, smtp_count, tls_count, web_count, rpki_count, selector_count, sender_count;
    bool seen;
    int64_t seen_tls, seen_clear; /* mails of the domain that came here with TLS and without */
    struct facts_parent parent;   /* host NULL: none was asked */
    struct facts_server servers[FACTS_SERVERS];
    struct facts_tcp tcp[FACTS_TCP];
    struct facts_smtp smtp[FACTS_SMTP];
    struct facts_tls tls[FACTS_TLS];
    struct facts_web web[FACTS_WEB];
    struct facts_rpki rpki[FACTS_RPKI];
    struct facts_selector selectors[FACTS_SELECTORS];
    struct facts_sender senders[FACTS_SENDERS];
};

/* Reads. NULL: *error is one line with the place and what would be right (in the arena). The facts live in the arena,
 * except `dns`, which facts_free frees. */
struct facts *facts_read(struct arena *arena, struct slice text, const char **error) MUST_CHECK;
void facts_free(struct facts *f); /* NULL is allowed */

/* ---- writing ---- */

void facts_begin_line(struct buf *b, const char *kind);
void facts_text(struct buf *b, const char *name, struct slice value);
void facts_str(struct buf *b, const char *name, const char *value); /* NULL: nothing is written */
void facts_number(struct buf *b, const char *name, int64_t value);
void facts_ip(struct buf *b, const char *name, const struct ip *a);
void facts_end_line(struct buf *b);

#endif
