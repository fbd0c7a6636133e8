// SPDX-License-Identifier: BSD-2-Clause
/*
 * setting_types.h - the types of settings whose values are texts: a path, a socket, a mail address, a user, ...
 *
 * Pure: whether a file, user or host exists is not looked at, since a policy may be checked on another host than the
 * one that runs by it. Any thread.
 */
#ifndef ASSAY_POLICY_SETTING_TYPES_H
#define ASSAY_POLICY_SETTING_TYPES_H

#include "base/arena.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The types of settings.def. */
enum setting_type {
    TYPE_WORD,
    TYPE_NUMBER,
    TYPE_SECONDS,
    TYPE_BYTES,
    TYPE_SWITCH,
    TYPE_NAMES,
    /* Those above are read by settings.c, those below by setting_types.c. */
    TYPE_PROSE,
    TYPE_REPLY,
    TYPE_FILE,
    TYPE_FOLDER,
    TYPE_FOLDERS,
    TYPE_COMMAND,
    TYPE_SERVERS,
    TYPE_IP,
    TYPE_SOCKET,
    TYPE_INET,
    TYPE_STORE,
    TYPE_MODE,
    TYPE_FIELD,
    TYPE_NAME,
    TYPE_DOMAIN,
    TYPE_SELECTOR,
    TYPE_DNS_NAME,
    TYPE_MAILBOX,
    TYPE_USER,
    TYPE_USERS,
    TYPE_GROUP,
    TYPE_SMTP_URL,
    TYPE_ORIGIN,
    TYPE_COUNT
};

/* The type as people read it: "mail address". */
const char *setting_type_name(enum setting_type type);

/* NULL: the value is of the type, as are all values of settings.c's types; else what the type takes, for "NAME takes
 * ...". An empty value is of no type: whether a setting may be empty, settings.def says. */
const char *setting_type_wants(enum setting_type type, struct slice value);

/* The value in the one form that the programs read: a socket's path as unix:/PATH with single slashes, a name in ASCII,
 * zones with one blank between them. In the arena; NULL without memory. */
const char *setting_type_kept(struct arena *a, enum setting_type type, struct slice value);

/* Digits and perhaps a unit of the letters in `units`, each worth `factors`; false: it is none. */
bool setting_number(struct slice v, const char *units, const int64_t *factors, int64_t *out);

#endif
