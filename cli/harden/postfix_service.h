// SPDX-License-Identifier: BSD-2-Clause
/*
 * postfix_service.h - the services of master.cf, and the settings that each of them really uses: main.cf's, with those
 * of its own line (-o) in their place, also where another value names them ($name). Postfix's postconf computes them.
 */
#ifndef ASSAY_CLI_HARDEN_POSTFIX_SERVICE_H
#define ASSAY_CLI_HARDEN_POSTFIX_SERVICE_H

#include "cli/harden/harden_postfix.h"

#define POSTFIX_SERVICES 64 /* of one program; what is beyond them is not looked at */
#define POSTFIX_OPTIONS 64  /* -o of one service */
#define POSTFIX_VALUES 24   /* settings asked at once */

struct postfix_service {
    const char *name; /* "submission/inet", as postconf -P has it */
    bool caged;       /* runs in the chroot */
    const char *options[POSTFIX_OPTIONS];
    size_t option_count;
};

struct postfix_value {
    const char *name, *text; /* text: "" if it is set to nothing, NULL if Postfix does not know it */
};

/* Where the Postfix of this host has its configuration, only to be asked. false: there is no Postfix, or it cannot
 * say. */
bool postfix_find(struct postfix *p, struct harden *h);

/* The services that run a program ("smtpd"), in master.cf's order. */
size_t postfix_services(struct postfix *p, const char *program, struct postfix_service out[POSTFIX_SERVICES]);

/* Fills in the texts: those of this service, or (NULL) of main.cf. false: postconf does not answer. */
bool postfix_values(struct postfix *p, const struct postfix_service *service, struct postfix_value *v, size_t count);

/* The text of one of them; "" if it has none. */
const char *postfix_value(const struct postfix_value *v, size_t count, const char *name);

/* Tells whether both have the same texts, in the same order of names. */
bool postfix_values_are_same(const struct postfix_value *a, const struct postfix_value *b, size_t count);

/* Tells whether an address, or the name of a service that begins with one ("127.0.0.1:10025/inet"), is loopback's: only
 * this host reaches it. */
bool postfix_is_loopback(const char *host);

/* Tells whether a service takes mail from other hosts: it listens at port 25, or gets connections from postscreen. On a
 * loopback address only if no other of `all` does: a proxy hands them on. */
bool postfix_service_is_public(const struct postfix_service *s, const struct postfix_service *all, size_t count);

#endif
