// SPDX-License-Identifier: BSD-2-Clause
/*
 * ca_store.c - finds the distribution's list of certificate authorities, and tries it.
 *
 * Promises that a file is named only if OpenSSL loads it and verifies, by it, a certificate that is valid today. A file
 * and not a folder: Postfix reads it before it enters its chroot.
 */
#include "cli/harden/ca_store.h"
#include <dirent.h>
#include <fcntl.h>
#include <openssl/x509_vfy.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Verifies the store's own certificates one by one, until one is good. */
static bool verifies(X509_STORE *store)
{
    STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(store);
    bool good = false;
    for (int i = 0; !good && i < sk_X509_OBJECT_num(all); i++) {
        X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        X509_STORE_CTX *context = certificate ? X509_STORE_CTX_new() : NULL;
        good = context && X509_STORE_CTX_init(context, store, certificate, NULL) == 1 && X509_verify_cert(context) == 1;
        X509_STORE_CTX_free(context);
    }
    return good;
}

bool ca_store_is_good(const char *file)
{
    X509_STORE *store = X509_STORE_new();
    const bool good = store && X509_STORE_load_file(store, file) == 1 && verifies(store);

    X509_STORE_free(store);
    return good;
}

bool ca_store_folder_has_some(const char *folder)
{
    DIR *all = opendir(folder);
    bool found = false;

    for (const struct dirent *e; all && !found && (e = readdir(all)) != NULL;)
        found = strspn(e->d_name, "0123456789abcdef") == 8 && e->d_name[8] == '.' && e->d_name[9] &&
                strspn(e->d_name + 9, "0123456789") == strlen(e->d_name + 9) &&
                faccessat(dirfd(all), e->d_name, R_OK, 0) == 0;
    if (all)
        closedir(all);
    return found;
}

const char *ca_store_find(void)
{
    static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Alpine, Arch */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
        "/etc/ssl/ca-bundle.pem",             /* SUSE */
        "/etc/ssl/cert.pem",                  /* BSD */
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (ca_store_is_good(places[i]))
            return places[i];
    return NULL;
}
