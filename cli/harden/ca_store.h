// SPDX-License-Identifier: BSD-2-Clause
/*
 * ca_store.h - the distribution's list of certificate authorities, and whether one that is set can be used.
 */
#ifndef ASSAY_CLI_HARDEN_CA_STORE_H
#define ASSAY_CLI_HARDEN_CA_STORE_H

#include <stdbool.h>

/* The file's path, static: the first of the usual files that OpenSSL loads and by which it verifies one of the file's
 * certificates. NULL: there is none. */
const char *ca_store_find(void);

/* OpenSSL loads the file and verifies, by it, one of its certificates. */
bool ca_store_is_good(const char *file);

/* The folder has a certificate under a name that OpenSSL looks for (c_rehash(1): 01234567.0). */
bool ca_store_folder_has_some(const char *folder);

#endif
