// SPDX-License-Identifier: BSD-2-Clause
/*
 * ca_store.h - the distribution's list of certificate authorities.
 */
#ifndef ASSAY_CLI_HARDEN_CA_STORE_H
#define ASSAY_CLI_HARDEN_CA_STORE_H

/* The file's path, static: the first of the usual places that OpenSSL loads and that verifies a certificate of its own.
 * NULL: there is none. */
const char *ca_store_find(void);

#endif
