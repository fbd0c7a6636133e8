// SPDX-License-Identifier: BSD-2-Clause
/*
 * callbacks.h - what is done at each step of an SMTP session, the same for both protocol engines (mta.h). Nothing is
 * judged or decided here.
 *
 * `s` may be NULL where callbacks_connect() made no session, because memory ran out or the listener is not judged: then
 * the answer is a temporary failure. One thread at a time for one session.
 */
#ifndef ASSAY_MILTER_CALLBACKS_H
#define ASSAY_MILTER_CALLBACKS_H

#include "milter/mta.h"
#include "milter/session.h"

struct sockaddr;

/* The macros that we ask for, by the stage at which the MTA sends them (SMFIM_...). */
struct callbacks_macros {
    unsigned stage;
    const char *names;
};
extern const struct callbacks_macros callbacks_macros[];
extern const size_t callbacks_macro_stages;

/* What the MTA offers (SMFIF_..., SMFIP_...) and what of it we use. false: no mail could be judged over this
 * connection, which is logged. */
bool callbacks_negotiate(unsigned long actions, unsigned long steps, unsigned long *use_actions,
                         unsigned long *use_steps);

/* address: NULL if the MTA knows none. *out: the new session, or NULL if the answer is not MTA_CONTINUE. */
enum mta_answer callbacks_connect(struct mta *mta, const char *host, const struct sockaddr *address,
                                  struct session **out);
enum mta_answer callbacks_helo(struct session *s, const char *helo);

/* args: the path and its ESMTP parameters, NULL behind the last. */
enum mta_answer callbacks_mail(struct mta *mta, struct session *s, const char *const *args);
enum mta_answer callbacks_rcpt(struct mta *mta, struct session *s, const char *const *args);
void callbacks_header(struct session *s, const char *name, const char *value);
enum mta_answer callbacks_header_end(struct session *s);
enum mta_answer callbacks_body(struct session *s, struct slice piece);
enum mta_answer callbacks_end(struct mta *mta, struct session *s);
void callbacks_abort(struct session *s);

#endif
