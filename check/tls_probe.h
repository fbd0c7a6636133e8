// SPDX-License-Identifier: BSD-2-Clause
/*
 * tls_probe.h - finds out which TLS a mail host accepts, by handshakes that are started but not finished, each with its
 * own offer.
 *
 * At most TLS_PROBE_CONNECTIONS connections to one address, one after the other. Which ciphers a host accepts is found
 * by leaving out what it chose and asking again. Nothing is sent but EHLO, STARTTLS and a ClientHello. Blocks.
 *
 * Threads: any; one call is one address.
 */
#ifndef ASSAY_CHECK_TLS_PROBE_H
#define ASSAY_CHECK_TLS_PROBE_H

#include "check/gate.h"
#include "check/hello.h"
#include "net/starttls.h"

#define TLS_PROBE_CONNECTIONS 24
#define TLS_PROBE_LEAST 14 /* as many as ask each question but "anonymous" once */
#define TLS_PROBE_TRIES 4  /* rounds of leaving out what was chosen, for each list of ciphers */

struct tls_probe {
    const char *name;    /* "tls13", "tls12", "tls11", "tls10", "ssl3", "pq", "broken", "old", "phase-out", "order",
                            "good", "sha1", "weak-group", "dhe", "anonymous" */
    const char *outcome; /* "accepted", "refused", or why nothing is known; never NULL */
    struct hello_answer answer;
};

/* Fills out with what was found; how many. request: as for starttls_run; only its address, port, source, server_name,
 * ehlo and total_ms (for one connection) are used. most: connections, from TLS_PROBE_LEAST to TLS_PROBE_CONNECTIONS;
 * with few of them, not every accepted cipher is found, but at least one. "anonymous" is asked last, if a connection is
 * left. */
size_t tls_probe_run(struct arena *arena, struct gate *gate, const struct starttls_request *request, size_t most,
                     struct tls_probe out[TLS_PROBE_CONNECTIONS]);

#endif
