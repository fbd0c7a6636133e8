// SPDX-License-Identifier: BSD-2-Clause
/*
 * ca_store.h - the distribution's list of certificate authorities.
 */
#ifndef ASSAY_CLI_HARDEN_CA_STORE_H
#define ASSAY_CLI_HARDEN_CA_STORE_H

/* The file's path, static: the first of the usual files that OpenSSL loads and by which it verifies one of the file's
 * certificates. NULL: there is none. */
const char *ca_store_find(void);

#endif
