// SPDX-License-Identifier: BSD-2-Clause
/*
 * inet_name.h - reads the name of an inet socket as policies and command lines write it.
 *
 * Threads: any; nothing is shared.
 */
#ifndef ASSAY_BASE_INET_NAME_H
#define ASSAY_BASE_INET_NAME_H

#include <stdbool.h>

struct inet_name {
    int family;     /* AF_INET or AF_INET6 */
    char port[6];   /* 1 to 65535, without leading zeros */
    char host[256]; /* a host name, or an address without brackets; "" if none is given */
};

/* Reads "inet:PORT", "inet:PORT@HOST", "inet6:PORT" or "inet6:PORT@HOST". HOST may be an address in brackets, as
 * Sendmail writes it ("[192.0.2.1]", "[::1]", "[IPv6:::1]"). An IPv6 address sets family to AF_INET6 after "inet:" too.
 * Returns false if name has any other form; *out is then undefined. */
bool inet_name_read(const char *name, struct inet_name *out);

#endif
