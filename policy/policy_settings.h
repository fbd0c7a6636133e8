// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_settings.h - the settings of a policy: every `set NAME VALUE` of settings.def, by its number.
 *
 * A policy has a value for each setting, of its type and within its range: its own, or the default. Pure; any thread;
 * texts live as long as the policy.
 */
#ifndef ASSAY_POLICY_POLICY_SETTINGS_H
#define ASSAY_POLICY_POLICY_SETTINGS_H

#include "policy/policy.h"

/* SETTING_MODE, SETTING_MILTER_SOCKET, ...: one for each line of settings.def, in its order. */
enum setting_id {
#define SETTING(id, name, type, preset, minimum, maximum, help) SETTING_##id,
#include "policy/settings.def"
#undef SETTING
    SETTING_COUNT
};

/* "dns.forward": as it is written in a policy. */
const char *policy_setting_name(enum setting_id id);

/* The value as text, as it was written; NAMES separated by commas. */
const char *policy_set_text(const struct policy *p, enum setting_id id);

/* NUMBER; SECONDS in seconds; BYTES in octets; SWITCH 0 or 1; of other types 0. */
int64_t policy_set_number(const struct policy *p, enum setting_id id);

/* Tells whether the policy itself sets it: else its value is the default. */
bool policy_set_is_given(const struct policy *p, enum setting_id id);

/* Tells whether the text is this word. */
bool policy_set_is(const struct policy *p, enum setting_id id, const char *word);

/* Tells whether a NAMES setting holds this canonical domain name, by itself, by a name above it, or by a list. */
bool policy_set_has(const struct policy *p, enum setting_id id, const char *domain);

/* The table of settings, for help, manual and completion; i from 0, NULL at the end. `value` is the policy's, as text
 * (p NULL: the default). */
struct policy_setting {
    const char *name, *type, *value, *preset, *help;
    const char *words;        /* of WORD: "enforce|dry-run"; else NULL */
    int64_t minimum, maximum; /* both 0: no range */
    bool or_0;                /* or 0, below the range */
    bool set;                 /* the policy sets it */
};
bool policy_setting_at(const struct policy *p, size_t i, struct policy_setting *out);

/* Tells whether a setting of one word, path, address, socket, field or name takes this value. */
bool policy_setting_takes(enum setting_id id, struct slice value);

/* The unix socket of the milter that `assay harden` configured in the MTA (mta_socket.h): the default of milter.socket.
 * NULL: none. If the policy sets another, assay-milter listens on both. */
const char *policy_mta_socket(const struct policy *p);

/* The same of postfix.tls-policy-socket and assay-outgoing. */
const char *policy_mta_tls_policy_socket(const struct policy *p);

#endif
