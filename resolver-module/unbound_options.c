// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_options.c - the options of Unbound's configuration that the policy depends on.
 *
 * Promises: an option that the policy needs is forced while a statement requires DNSSEC of names, put right when
 * somebody changes it meanwhile, and released after; a module-config in which answers would bypass this module is
 * refused with a reason.
 */
#include "resolver-module/unbound_module.h"
#include "util/log.h"

#include "base/clock.h"
#include "policy/policy_settings.h"
#include "resolver-module/chain.h"
#include <string.h>

#define SAY_FORCED_MS 60000

/* Forces the option, or restores it. An operator's change of a forced option is undone and logged once a minute; the
 * changed value is what is restored later. */
static void force(struct forced *f, bool wanted)
{
    int now = *f->value;
    if (!wanted) {
        if (f->on && now == f->want)
            *f->value = f->stood;
        f->on = false;
        return;
    }
    if (f->on && now == f->want)
        return;
    bool again = f->on;
    f->stood = now;
    f->on = true;
    if (now == f->want)
        return;
    *f->value = f->want;
    int64_t ms = clock_mono_ms(), said = atomic_load(&f->said_ms);
    if (again && said && ms - said < SAY_FORCED_MS)
        return;
    if (again)
        atomic_store(&f->said_ms, ms);
    log_info("assay: %s is now %s: the policy requires DNSSEC of names%s", f->name, f->want ? "yes" : "no",
             again ? " (it was changed meanwhile)" : "");
}

void unbound_options_force(struct assay *s)
{
    bool can_refuse = watch_can_refuse(s->watch);
    if (atomic_flag_test_and_set(&s->forcing)) /* another worker does it */
        return;
    force(&s->ignore_cd, can_refuse && !watch_honours_cd(s->watch));
    force(&s->referral_path, can_refuse);
    atomic_flag_clear(&s->forcing);
}

void unbound_options_init(struct assay *s, struct config_file *cfg)
{
    s->ignore_cd = (struct forced){.name = "ignore-cd-flag", .value = &cfg->ignore_cd, .want = 1};
    s->referral_path = (struct forced){.name = "harden-referral-path", .value = &cfg->harden_referral_path, .want = 0};
    atomic_flag_clear(&s->forcing);
}

void unbound_options_warn(struct assay *s, const struct module_env *env)
{
    const struct policy *p = watch_can_suspend(s->watch) ? watch_policy(s->watch) : NULL;
    int64_t settle = p ? policy_set_number(p, SETTING_RESOLVER_SUSPENSION_SETTLES) * 1000 : 0;
    if (p && settle < unbound_judge_settle_ms(env, p))
        log_warn("assay: resolver.suspension-settles is taken as %d s: a bogus answer is not judged again for %d s "
                 "(val-bogus-ttl), and twice that is the least",
                 (int)(unbound_judge_settle_ms(env, p) / 1000), (int)env->cfg->bogus_ttl);
    policy_unref(p);
}

/* False: the module cannot work with this value, and must refuse to start. */
bool unbound_options_check(const struct config_file *cfg)
{
    const char *modules = cfg->module_conf ? cfg->module_conf : "";
    char wrong[CHAIN_SAID];
    struct chain chain;
    chain_look(modules, &chain);
    chain_say(&chain, modules, wrong, sizeof wrong);
    if (chain.fault == CHAIN_NO_VALIDATOR) {
        log_err("assay: the resolver does not start so: %s", wrong);
        return false;
    }
    if (chain.fault != CHAIN_GOOD)
        log_err("assay: %s", wrong);
    if (strstr(modules, "cachedb"))
        log_warn("assay: module-config \"%s\": while the policy requires DNSSEC of names, cachedb is asked but given "
                 "nothing new to keep",
                 modules);
    if (cfg->val_permissive_mode)
        log_warn("assay: val-permissive-mode is on: bogus answers are let through, whatever the policy follows; "
                 "required names are still refused");
    return true;
}

/* The validator keeps its reasons only if they are to be logged (val-log-level 2); here they are kept without being
 * logged. */
void unbound_options_ask_for_reasons(struct config_file *cfg)
{
    if (cfg->val_log_level == 0 && !cfg->log_servfail && !cfg->ede) {
        cfg->val_log_level = 2;
        cfg->val_log_squelch = 1;
    }
}
