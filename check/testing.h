// SPDX-License-Identifier: BSD-2-Clause
/*
 * testing.h - what the criteria share while a domain is examined. For their files alone (criteria_*.c).
 */
#ifndef ASSAY_CHECK_TESTING_H
#define ASSAY_CHECK_TESTING_H

#include "check/check.h"
#include "dns/dns.h"

#define TESTING_ADDRESSES 4 /* of one mail host of each family; our own limit */

struct mail_host {
    const char *name;
    uint16_t preference;
    const struct dns_answer *v4, *v6;
    struct ip addresses[2 * TESTING_ADDRESSES];
    size_t address_count;
    bool alias;         /* the name is a CNAME */
    bool itself;        /* the name means whoever asks (RFC 6761 6.3): no host of the domain */
    const char *failed; /* its addresses could not be looked up: why; NULL */
};

/* Tells whether an address of it does not validate: whoever validates cannot send there (RFC 7672 2.2.2). */
bool mail_host_is_bogus(const struct mail_host *h);

struct mail_hosts {
    const struct dns_answer *mx;
    bool null_mx;       /* an MX whose name is the root: takes no mail (RFC 7505) */
    bool null_mx_odd;   /* its preference is not 0, as section 3 asks for */
    bool null_mx_mixed; /* beside others, which RFC 7505 section 3 forbids */
    bool implicit;      /* no MX: the domain itself (RFC 5321 5.1) */
    bool unknown;       /* MX could not be looked up */
    bool more;          /* there are hosts, or addresses of one, beyond those that are looked at */
    const char *odd;    /* a name in MX that no host can have; NULL */
    size_t count;
    struct mail_host hosts[FACTS_MX];
};

struct testing {
    struct arena *arena;
    const struct facts *facts;
    struct dns_scope *scope;
    struct check_report *report;
    enum language language;
    struct mail_hosts mail;
    bool signed_zone, gone;
    bool dane, sts_enforced, rejects; /* what A+ asks for; rejects: p=reject */
    bool dane_meant;                  /* a mail host has TLSA records, whether they work or not */
    const char *spf_text;
    const char *live_selector; /* of a key that signatures of the domain can be verified by; NULL: none is known */
};

#define TESTING_NAME_SERVERS 48

struct name_servers {
    const char *names[TESTING_NAME_SERVERS];
    size_t count;
};

/* The name servers of the domain's zone, and of the zones that its mail hosts are in; each name once. */
void name_servers_find(struct dns_scope *scope, const char *domain, const struct mail_hosts *mail,
                       struct name_servers *out);

/* Whether an address has a name that leads back to it (forward-confirmed; RFC 1912 2.1). */
enum testing_confirmed { CONFIRMED, CONFIRMED_NOT, CONFIRMED_UNKNOWN };
enum testing_confirmed testing_confirmed(struct testing *t, const struct ip *a);

/* What was seen of an address of a mail host; NULL: it was not asked. */
const struct facts_smtp *testing_smtp(const struct facts *f, const char *host, const struct ip *address);

/* Tells whether nobody can encrypt to the host: it offers no STARTTLS, or offers it and refuses it, for now or for ever
 * (RFC 3207 section 4: 454). One that ends the conversation (421) says nothing of TLS. */
bool testing_is_clear(const struct facts_smtp *s);

/* Tells whether an answer has an address that somebody on the internet can reach, as far as the facts say. */
bool testing_reachable(const struct facts *f, const struct dns_answer *a);

/* Where the mail of a domain goes, by DNS. */
void mail_hosts_find(struct dns_scope *scope, struct arena *arena, const char *domain, struct mail_hosts *out);

/* The catalogue's form of a text of ours; where `t` is the testing. */
#define T(text) language_text(t->language, LANGUAGE_MARK(text))

/* Notes a result. format and fix are looked up in the catalogue (tests/tree/languages finds them where they are
 * written as literals). A test that is told several times (once a host) keeps the most severe state and the evidence of
 * all that are not better; fix may be NULL. */
void testing_say(struct testing *t, enum check_test test, enum check_state state, const char *fix, const char *format,
                 ...) PRINTF_LIKE(5, 6);

/* What is to be done, put together from a text of ours, which is looked up, and names. Never NULL. */
const char *testing_print(struct testing *t, const char *format, ...) PRINTF_LIKE(2, 3);

/* A word of the facts, such as an outcome: its translation where there is one, made visible. Never NULL. */
const char *testing_word(struct testing *t, const char *word);

/* Not met: FAIL, ADVICE or NOTE, by the test's level. */
enum check_state testing_unmet(enum check_test test);

/* The first tag that stands twice in a list of tag=value pairs, which makes the list invalid (RFC 6376 3.2), made
 * visible; NULL: none does. */
const char *testing_tag_twice(struct testing *t, struct slice list);

/* Hostile text made visible, in the arena, cut at `most` octets. Never NULL. */
const char *testing_shown(struct testing *t, struct slice text, size_t most);

/* What the owner of a name must do whose signatures are not valid. */
extern const char testing_sign_anew[];

/* Tells whether nobody who validates gets this answer (RFC 4035 5.5), though the domain itself validates: a fault of
 * its own, which no other result names. */
bool testing_bogus_alone(const struct testing *t, const struct dns_answer *a);

/* Why a question has no answer that is not in the facts. */
extern const char testing_not_asked[];
bool testing_was_not_asked(const struct dns_answer *a);

/* The zone at or above an unsigned name that its parent declares signed (a DS record that validates), though not in a
 * way that the resolver of whoever asked can validate: an algorithm or a digest that it does not know (RFC 4035 5.2).
 * Such a name is not known to be unsigned. NULL: the name is proved unsigned, or was not asked. */
const char *testing_untestable(struct testing *t, const char *name);

/* Says that of a test. */
void testing_say_untestable(struct testing *t, enum check_test test, const char *zone);

/* Words for an answer that says nothing: "could not be looked up (no answer in time)", "not asked". */
const char *testing_failure(struct testing *t, const struct dns_answer *a);

void criteria_dns(struct testing *t);  /* criteria_dns.c */
void criteria_mail(struct testing *t); /* criteria_mail.c: mail hosts and their addresses */
void criteria_spf(struct testing *t);  /* criteria_spf.c: SPF and what it includes */
/* Tells whether the domain's SPF record is "v=spf1 -all": it says that it sends no mail. */
bool criteria_spf_sends_nothing(struct testing *t);
void criteria_dmarc(struct testing *t);     /* criteria_dmarc.c: DMARC, DKIM, BIMI */
void criteria_tls(struct testing *t);       /* criteria_tls.c */
void criteria_cert(struct testing *t);      /* criteria_cert.c */
void criteria_transport(struct testing *t); /* criteria_transport.c: DANE, MTA-STS, TLS-RPT, CAA */
void criteria_rpki(struct testing *t);      /* criteria_rpki.c */
void criteria_sender(struct testing *t);    /* criteria_sender.c */
void grade_report(struct testing *t);       /* grade.c */

#endif
