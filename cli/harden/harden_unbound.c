// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_unbound.c - Unbound: the settings that the module needs, and its place among the host's own modules.
 *
 * Only if the module is installed: an unbound.conf that names it, with an Unbound that cannot load it, would stop DNS.
 * The settings are the file of the package, copied as it is. What is in force is read (all files, in Unbound's order),
 * module-config is composed with what the host has (unbound_chain.c) and written to unbound-modules beside the policy,
 * and the result is tried by unbound-checkconf and by a start beside. Settings that would keep the module from being
 * loaded, or Unbound from starting, are refused with file and line.
 */
#include "cli/harden/harden.h"
#include "cli/harden/unbound_chain.h"
#include "cli/harden/unbound_trial.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODULE_CONF "/usr/share/assay/unbound.conf"
#define CONF "/etc/unbound/unbound.conf"
#define TARGET "/etc/unbound/unbound.conf.d/assay.conf"
#define MODULE "/usr/lib/assay/assay-unbound.so"
#define MODULES_FILE "unbound-modules" /* beside the policy; read by assay-unbound-prepare */
#define OUR_UNBOUND "/usr/lib/assay/unbound/"
#define DEFAULT_CHAIN "dynlib validator iterator"

/* The first of these programs that there is. */
static const char *program(struct harden *h, const char *name)
{
    static const char *const places[] = {OUR_UNBOUND, "/usr/sbin/", "/usr/local/sbin/"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *path = arena_printf(h->arena, "%s%s%s", h->root, places[i], name);
        if (path && access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

/* The modules that this Unbound is built with, as it says itself. */
static const char *linked_modules(struct harden *h, const char *unbound)
{
    const char *argv[] = {unbound, "-V", NULL};
    const char *out = harden_run(h, argv, NULL), *at = out ? strstr(out, "Linked modules: ") : NULL;
    at = at ? at + strlen("Linked modules: ") : NULL;
    return at ? arena_copy(h->arena, at, strcspn(at, "\n")) : NULL;
}

/* Ours must be the last module-config that Unbound reads, and what keeps it from its files must not be set. */
static bool is_in_force(struct harden *h, const struct unbound_conf *c, const char *to)
{
    const struct unbound_statement *other = NULL, *ours = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const struct unbound_statement *s = &c->at[i];
        if (!s->values)
            continue;
        const char *value = unbound_bare(h->arena, s->values);
        if (strcmp(s->name, "module-config") == 0 && strcmp(s->file, UNBOUND_OURS) == 0) {
            ours = s;
            other = NULL;
        } else if (strcmp(s->name, "module-config") == 0) {
            other = s;
        } else if (strcmp(s->name, "dynlib-file") == 0) {
            harden_refuse(
                h,
                "%s:%u: dynlib-file: %s: Unbound gives 'dynlib' the files in the order it reads them, and with "
                "another module than ours beside it that order is not known to be right\nremove that line "
                "(ours is named at each start), then run this again",
                s->file, s->line, s->values);
            return false;
        } else if (strcmp(s->name, "chroot") == 0 && value && *value) {
            harden_refuse(h,
                          "%s:%u: chroot: %s keeps Unbound from the module, the policy and the state folder\nset it to "
                          "\"\", then run this again",
                          s->file, s->line, s->values);
            return false;
        }
    }
    if (!ours)
        harden_refuse(h,
                      "Unbound does not read %s: no include in unbound.conf names that folder\nadd to unbound.conf, at "
                      "its end:  include-toplevel: \"%.*s/*.conf\"",
                      to, (int)(strrchr(to, '/') - to), to);
    else if (other)
        harden_refuse(h,
                      "%s:%u: module-config: %s stands behind %s, and would take the module out again\nremove that "
                      "line: its modules are written to unbound-modules beside the policy; then run this again",
                      other->file, other->line, other->values, to);
    return ours && !other;
}

/* What the file says now; "" if there is none. */
static const char *kept_chain(struct harden *h, const char *path)
{
    struct slice text;
    bool exists;
    if (!harden_read(h, path, &text, &exists) || !exists)
        return "";
    text = slice_trim(text);
    return text.n && !memchr(text.p, '\n', text.n) ? arena_copy(h->arena, text.p, text.n) : "";
}

/* The host's own module-config; NULL: it has none. */
static const struct unbound_statement *hosts_own(const struct unbound_conf *c)
{
    const struct unbound_statement *found = NULL;
    for (size_t i = 0; i < c->count; i++)
        if (c->at[i].values && strcmp(c->at[i].name, "module-config") == 0 && strcmp(c->at[i].file, UNBOUND_OURS) != 0)
            found = &c->at[i];
    return found;
}

/* The chain that will run; NULL: refused. */
static const char *compose(struct harden *h, struct unbound_trial *t, const struct unbound_conf *c, const char *file)
{
    const char *said = NULL, *why = NULL, *linked = linked_modules(h, t->unbound),
               *now = unbound_trial_ask(t, c, "module-config", &said), *kept = kept_chain(h, file);
    if (!now) {
        harden_refuse(h, "Unbound's configuration is not in order, and nothing is changed until it is: %s", said);
        return NULL;
    }
    if (!linked || !strstr(linked, "dynlib")) {
        harden_refuse(h, "%s cannot load modules (it has: %s)\ninstall assay-unbound, which brings one that can",
                      t->unbound, linked ? linked : "it does not say");
        return NULL;
    }
    const struct unbound_statement *said_by = hosts_own(c);
    bool subnets = false;
    for (size_t i = 0; i < c->count; i++)
        subnets |= strcmp(c->at[i].name, "send-client-subnet") == 0 || strcmp(c->at[i].name, "client-subnet-zone") == 0;
    if (!said_by && !subnets) /* a build's own default may name subnetcache, which does nothing then */
        now = "validator iterator";
    const char *both = kept ? arena_printf(h->arena, "%s %s", now, kept) : now;
    const char *chain = both ? unbound_chain(h->arena, both, linked, &why) : NULL;
    if (!chain) {
        harden_refuse(h, "%s:%u: module-config: %s: %s", said_by ? said_by->file : file, said_by ? said_by->line : 1,
                      said_by ? said_by->values
                      : both  ? both
                              : now,
                      why ? why : "out of memory");
    }
    return chain;
}

/* Tells whether AppArmor confines this program to folders that a trial cannot use: a profile in force that is called
 * after its path, or (Debian's) after its name. That of our own Unbound lets it use them. */
static bool is_confined(struct harden *h, const char *unbound)
{
    const char *list = arena_printf(h->arena, "%s/sys/kernel/security/apparmor/profiles", h->root);
    const char *path = unbound + strlen(h->root), *name = strrchr(path, '/');
    FILE *f = !list || !name || strncmp(path, OUR_UNBOUND, strlen(OUR_UNBOUND)) == 0 ? NULL : fopen(list, "re");
    char line[512];
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) {
        char *mode = strstr(line, " (enforce)");
        if (mode)
            *mode = '\0';
        found = mode && (strcmp(line, path) == 0 || strcmp(line, name + 1) == 0);
    }
    if (f)
        fclose(f);
    return found;
}

static bool is_untested(struct harden *h, const struct unbound_trial *t)
{
    if (h->untested)
        harden_note(h, "Unbound's settings were tried by unbound-checkconf alone: a start beside is forbidden");
    else
        harden_refuse(h,
                      "AppArmor, or another guard of this system, forbids a trial start of %s: only unbound-checkconf "
                      "was possible, and finds nothing wrong\n--yes-untested does it all the same",
                      t->unbound);
    return h->untested;
}

static bool try_it(struct harden *h, struct unbound_trial *t, const struct unbound_conf *c, const char *chain)
{
    const char *said = NULL;
    enum unbound_trial_result result =
        unbound_trial_check(t, c, chain, &said) ? UNBOUND_TRIAL_FORBIDDEN : UNBOUND_TRIAL_FAILED;
    if (result == UNBOUND_TRIAL_FORBIDDEN && !is_confined(h, t->unbound))
        result = unbound_trial_start(t, &said);
    if (result == UNBOUND_TRIAL_GOOD)
        return true;
    if (result == UNBOUND_TRIAL_FORBIDDEN)
        return is_untested(h, t);
    const struct unbound_statement *own = hosts_own(c);
    const char *where =
        own ? arena_printf(h->arena, "%s:%u: module-config: %s: ", own->file, own->line, own->values) : "";
    harden_refuse(h, "%sUnbound was tried beside with module-config \"%s\", and does not start: %s", where ? where : "",
                  chain, said ? said : "no reason known");
    return false;
}

static void fit_in(struct harden *h, const char *conf, const char *to)
{
    const char *slash = strrchr(h->policy_path, '/');
    const char *file =
        arena_printf(h->arena, "%.*s" MODULES_FILE, slash ? (int)(slash - h->policy_path) + 1 : 0, h->policy_path);
    struct unbound_trial t = {.h = h,
                              .unbound = program(h, "unbound"),
                              .checkconf = program(h, "unbound-checkconf"),
                              .module = arena_printf(h->arena, "%s" MODULE, h->root),
                              .ours = to};
    struct unbound_conf c;
    if (!t.unbound || !t.checkconf) {
        harden_refuse(h,
                      "Unbound's programs are missing (unbound, unbound-checkconf): its configuration cannot be tried");
        return;
    }
    if (!file || !t.module || !unbound_conf_read(h, conf, to, &c) || !is_in_force(h, &c, to) ||
        !unbound_trial_begin(&t))
        return;
    const char *chain = compose(h, &t, &c, file);
    if (chain && try_it(h, &t, &c, chain) && (strcmp(chain, DEFAULT_CHAIN) != 0 || access(file, F_OK) == 0)) {
        const char *text = arena_printf(h->arena, "%s\n", chain);
        if (text && harden_write(h, file, slice_str(text), 0644))
            harden_note(h, "Unbound's modules: %s (%s)", chain, file);
    }
    unbound_trial_end(&t);
}

/* The package's Unbound takes the place of the distribution's when the service starts next (assay-unbound-prepare). */
static void say_whose_unbound(struct harden *h)
{
    const char *ours = arena_printf(h->arena, "%s" OUR_UNBOUND "unbound", h->root);
    if (ours && access(ours, X_OK) == 0)
        harden_reason(h, "unbound",
                      "from its next start this host's resolver is Assay's build of Unbound, made from the "
                      "distribution's source (" OUR_UNBOUND "unbound): the distribution's cannot load the module");
}

void harden_unbound(struct harden *h)
{
    struct slice text, now;
    bool exists, there;
    const char *from = arena_printf(h->arena, "%s" MODULE_CONF, h->root),
               *conf = arena_printf(h->arena, "%s" CONF, h->root), *to = arena_printf(h->arena, "%s" TARGET, h->root);
    if (!from || !to || !conf || !harden_read(h, from, &text, &exists))
        return;
    if (!exists) {
        harden_note(h, "Unbound: the module is not installed here (package assay-unbound), and Unbound's settings stay "
                       "as they are");
        return;
    }
    size_t before = edit_count(h->set);
    if (!harden_read(h, to, &now, &there) || !harden_write(h, to, text, 0644))
        return;
    if (access(conf, F_OK) == 0)
        fit_in(h, conf, to);
    else
        harden_note(h, "%s is not there: Unbound reads none of these settings until it includes %s", conf, to);
    if (edit_count(h->set) > before) {
        say_whose_unbound(h);
        harden_reason(h, to, "the resolver asks the module about each answer; its settings and why stand in the file");
        harden_reload_by(h, "systemctl restart unbound");
    }
}
