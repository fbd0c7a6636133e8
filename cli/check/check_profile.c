// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_profile.c - a report against a list of requirements that somebody else set (profiles.def).
 *
 * Promises one rule for all: met where the test passes, is an optional note or does not apply; unknown where it could
 * not be tested; else missing.
 */
#include "cli/check/check_cmd.h"
#include "cli/cli.h"

static const struct {
    const char *name, *title;
} profiles[] = {
#define CHECK_PROFILE(name, title) {name, title},
#define CHECK_RULE(name, test)
#define CHECK_RULE_REJECT(name)
#include "cli/check/profiles.def"
#undef CHECK_PROFILE
#undef CHECK_RULE
#undef CHECK_RULE_REJECT
};

static const struct {
    const char *profile;
    enum check_test test;
    bool reject;
} rules[] = {
#define CHECK_PROFILE(name, title)
#define CHECK_RULE(name, test) {name, CHECK_##test, false},
#define CHECK_RULE_REJECT(name) {name, CHECK_DMARC_POLICY, true},
#include "cli/check/profiles.def"
#undef CHECK_PROFILE
#undef CHECK_RULE
#undef CHECK_RULE_REJECT
};

bool check_profile_exists(const char *name)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return true;
    return false;
}

void check_profile_judge(const char *name, const struct check_report *r, struct check_profile_result *out)
{
    *out = (struct check_profile_result){.met = 0};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        enum check_state state = r->results[rules[i].test].state;
        if (strcmp(rules[i].profile, name) != 0)
            continue;
        out->rules++;
        if (state == CHECK_UNTESTED)
            out->unknown++;
        else if (state >= CHECK_ADVICE || (rules[i].reject && !r->rejects))
            out->first_missing[out->missing++] = rules[i].test;
        else
            out->met++;
    }
}

void check_profile_show(const char *name, const struct check_report *r, struct buf *out)
{
    struct check_profile_result p;
    check_profile_judge(name, r, &p);
    buf_printf(out, _("Profile %s: %s: %zu of %zu requirements met"), name,
               p.missing   ? _("not met")
               : p.unknown ? _("not known")
                           : _("met"),
               p.met, p.rules);
    if (p.unknown)
        buf_printf(out, _(", %zu could not be tested"), p.unknown);
    buf_addc(out, '\n');
    for (size_t i = 0; i < p.missing; i++)
        buf_printf(out, "  %s %s\n", _("missing:"), cli_text(check_test_info(p.first_missing[i])->sentence));
}
