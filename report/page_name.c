// SPDX-License-Identifier: BSD-2-Clause
/*
 * page_name.c - the file's name of an organisation's page (write.h): a hash, so that no sender chooses names of files.
 */
#include "report/write.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

const char *site_page_of(const char *organisation, char out[SITE_NAME])
{
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;
    size_t at = 2;
    EVP_Digest(organisation, strlen(organisation), hash, &n, EVP_sha256(), NULL);
    memcpy(out, "c-", 2);
    for (unsigned i = 0; i < 8; i++, at += 2)
        snprintf(out + at, SITE_NAME - at, "%02x", hash[i]);
    snprintf(out + at, SITE_NAME - at, ".html");
    return out;
}
