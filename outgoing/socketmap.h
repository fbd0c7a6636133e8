// SPDX-License-Identifier: BSD-2-Clause
/*
 * socketmap.h - the listener of assay-outgoing: Postfix's socketmap protocol (socketmap_table(5)), by which Postfix
 * asks how its own mail must go out.
 *
 * `set postfix.tls-policy-socket` opens it; smtp_tls_policy_maps = socketmap:unix:PATH:assay makes Postfix ask. A
 * request is the netstring "assay KEY"; the reply is the netstring of "OK POLICY", "NOTFOUND ", "TEMP WHY" (Postfix
 * keeps the mail and tries again) or "PERM WHY" (for another map, and a request without a key). The map "assay-sts" is
 * the same with the attributes of MTA-STS, which Postfix 3.10 and later understand and older ones refuse.
 * outgoing/tls_policy.h knows the answers.
 *
 * At most SOCKETMAP_CLIENTS clients are served at once, by a thread each: a slow answer delays nobody else. Further
 * clients wait until another leaves; meanwhile who has asked nothing for SOCKETMAP_CROWDED seconds is disconnected. A
 * client whose request has come in part is not among them: it is served when the request is whole. Who says nothing for
 * SOCKETMAP_IDLE seconds, takes more than SOCKETMAP_PARTIAL for a request that has begun or for a reply, is among more
 * than SOCKETMAP_ROOM whose requests have come in part and has been at it for longest, or sends anything other than a
 * request of at most SOCKETMAP_REQUEST octets, is disconnected; Postfix connects again.
 */
#ifndef ASSAY_OUTGOING_SOCKETMAP_H
#define ASSAY_OUTGOING_SOCKETMAP_H

#include "outgoing/tls_policy.h"

#define SOCKETMAP_NAME "assay"
#define SOCKETMAP_NAME_ATTRIBUTES "assay-sts"
#define SOCKETMAP_CLIENTS 256
#define SOCKETMAP_ROOM 256 /* clients whose requests have come in part */
#define SOCKETMAP_REQUEST 2048
#define SOCKETMAP_IDLE 300   /* seconds that a connection may stay without a request */
#define SOCKETMAP_CROWDED 5  /* ... while others wait for its place */
#define SOCKETMAP_PARTIAL 10 /* seconds that a request may take to arrive, once it has begun, and a reply to be taken */
#define SOCKETMAP_REPLY                                                                                                \
    100000 /* what Postfix takes (socketmap_table(5)); policies of outgoing/tls_policy.h are shorter */

struct socketmap;

/* socket, mode, group and *error as in net/listen.h. NULL on failure. `o` must outlive it. */
struct socketmap *socketmap_open(const char *socket, unsigned mode, const char *group, struct tls_policy *o,
                                 const char **error);

/* Ends all connections, and waits for the answers under way. NULL is allowed; returns NULL. */
struct socketmap *socketmap_close(struct socketmap *m);

#endif
