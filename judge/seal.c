// SPDX-License-Identifier: BSD-2-Clause
/*
 * seal.c - decides which mail is sealed, and with which key.
 *
 * Only judged mail is sealed: mail from own networks and submission has no findings to pass on. The key is read when
 * needed and cached (dkim_privkey.h), so that a new key needs no reload. If sealing fails, the report says why, and the
 * mail is passed on.
 */
#include "judge/seal.h"
#include "judge/checks.h"
#include "base/domain.h"
#include "standards/arc/arc_seal.h"
#include "policy/policy_settings.h"

static bool is_wanted(const struct judge *j)
{
    if (policy_set_is(j->policy, SETTING_ARC_SEAL, "all"))
        return true;
    if (!policy_set_is(j->policy, SETTING_ARC_SEAL, "relayed"))
        return false;
    for (size_t i = 0; i < j->mail.rcpt_count; i++) {
        const char *domain = j->mail.rcpts[i].domain;
        if (domain && !policy_is_own_domain(j->policy, domain))
            return true;
    }
    return false;
}

void seal_prepare(struct judge *j)
{
    j->sealing = j->arc && is_wanted(j) && arc_seal_prepare(j->arc) == STATUS_OK;
}

/* The setting as a canonical name; NULL: it is not a domain name. */
static const char *name_of(struct judge *j, enum setting_id id)
{
    char name[LIMIT_DOMAIN + 1];
    if (domain_from_text(slice_str(policy_set_text(j->policy, id)), name) != STATUS_OK) {
        j->report.seal_problem = arena_printf(j->arena, "%s is not a domain name", policy_setting_name(id));
        return NULL;
    }
    return arena_strdup(j->arena, name);
}

static bool seal_make(struct judge *j, const char *results, struct arc_seal_set *set)
{
    const char *error = NULL;
    struct arc_seal_request r = {.results = slice_str(results), .at = j->mail.at};
    r.domain = name_of(j, SETTING_ARC_SEAL_DOMAIN);
    r.selector = r.domain ? name_of(j, SETTING_ARC_SEAL_SELECTOR) : NULL;
    if (!r.selector)
        return false;
    const char *path = policy_set_text(j->policy, SETTING_ARC_SEAL_KEY);
    struct dkim_privkey *key = dkim_privkey_kept(path, &error);
    if (!key) {
        j->report.seal_problem = arena_printf(j->arena, "%s: %s", path, error ? error : "cannot be used");
        return false;
    }
    r.key = key;
    enum status s = arc_seal_make(j->arc, &j->report.arc, &r, set);
    if (s == STATUS_NOMEM)
        j->report.seal_problem = "out of memory";
    dkim_privkey_free(key);
    return s == STATUS_OK;
}

void seal_stamp(struct judge *j, const char *results, struct stamp *stamp)
{
    struct arc_seal_set set;
    if (!j->sealing || stamp->count + 3 > STAMP_FIELDS || !seal_make(j, results, &set))
        return;
    for (size_t i = stamp->count; i-- > 0;)
        stamp->fields[i + 3] = stamp->fields[i];
    stamp->fields[0] = (struct stamp_field){"ARC-Seal", set.seal};
    stamp->fields[1] = (struct stamp_field){"ARC-Message-Signature", set.message};
    stamp->fields[2] = (struct stamp_field){"ARC-Authentication-Results", set.aar};
    stamp->count += 3;
}
