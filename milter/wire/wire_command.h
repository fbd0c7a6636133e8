// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_command.h - reads what an MTA sends over the milter protocol, versions 2 to 6. Pure functions over octets: no
 * socket, no memory of their own. What they return points into the octets they were given.
 *
 * A packet is a length of four octets, most significant first, that counts the octets after it; a command letter; and
 * the command's data (libmilter's mfdef.h is the only specification there is). Every reader below accepts only what it
 * wholly understands: an MTA that sends something else is not one, and the connection must be closed.
 */
#ifndef ASSAY_MILTER_WIRE_WIRE_COMMAND_H
#define ASSAY_MILTER_WIRE_WIRE_COMMAND_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

#define WIRE_VERSION_MIN 2u /* Sendmail 8.11; version 1 cannot change header fields */
#define WIRE_VERSION_MAX 6u /* Sendmail 8.14, Postfix 2.6 */

/* The largest length a packet may have: its letter and its data. 65,535 octets of data were the protocol's only size
 * until SMFIP_MDS_256K and SMFIP_MDS_1M, which we do not ask for; a header field may be longer all the same
 * (wire_connection.c). Above it the packet is an error, before any memory is taken for it. */
#define WIRE_DATA_64K 65535u
#define WIRE_DATA_256K (256u * 1024 - 1)
#define WIRE_DATA_1M (1024u * 1024 - 1)

enum wire_letter {
    WIRE_ABORT = 'A',
    WIRE_BODY = 'B',
    WIRE_CONNECT = 'C',
    WIRE_MACRO = 'D',
    WIRE_END = 'E', /* end of the body; may hold its last chunk */
    WIRE_HELO = 'H',
    WIRE_QUIT_NC = 'K', /* the connection stays for another SMTP client */
    WIRE_HEADER = 'L',
    WIRE_MAIL = 'M',
    WIRE_HEADER_END = 'N',
    WIRE_NEGOTIATE = 'O',
    WIRE_QUIT = 'Q',
    WIRE_RCPT = 'R',
    WIRE_DATA = 'T',
    WIRE_UNKNOWN = 'U',
};

struct wire_command {
    char letter; /* not checked here: one that is not in enum wire_letter must close the connection */
    struct slice data;
};

/* Reads the first packet of `in`; `most` is the largest data (WIRE_DATA_...). Returns how many octets it has; 0 if it
 * is not complete yet; -1 if it never will be one (length 0, or more than `most` of data). Decided by the first four
 * octets, so that a wrong length is noticed before its data is waited for. */
long wire_command_first(struct slice in, uint32_t most, struct wire_command *out);

/* What each side can do. Versions before 6 have no symbol lists, and versions before 3 no quarantine. */
struct wire_options {
    uint32_t version;
    uint32_t actions;  /* SMFIF_... */
    uint32_t protocol; /* SMFIP_... */
};

/* The readers return false if the data is not what the command must have. */
bool wire_read_options(struct slice data, struct wire_options *out);

struct wire_connect {
    const char *host; /* NUL-terminated, in the data */
    char family;      /* '4', '6', 'L' (unix), 'U' (unknown): then address is NULL and port 0 */
    uint16_t port;    /* in the host's byte order */
    const char *address;
};
bool wire_read_connect(struct slice data, struct wire_connect *out);

/* One text that fills the data up to its NUL (HELO, an unknown command). */
bool wire_read_text(struct slice data, const char **out);

/* The next of the texts in *rest, each ended by NUL; cuts it off. NULL: there is no more. Only for data that
 * wire_are_texts() accepted (MAIL and RCPT: the path and its ESMTP parameters, at least one text). */
bool wire_are_texts(struct slice data);
const char *wire_next_text(struct slice *rest);

bool wire_read_header(struct slice data, const char **name, const char **value);

/* Macros for a command: its letter, then names and values in turn. An MTA may send none. *pairs: what
 * wire_next_text() reads, an even number of texts. */
bool wire_read_macros(struct slice data, char *letter, struct slice *pairs);

#endif
