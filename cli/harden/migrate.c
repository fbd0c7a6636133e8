// SPDX-License-Identifier: BSD-2-Clause
/*
 * migrate.c - `assay harden --from-opendmarc`: the old configuration becomes the policy, and Postfix stops asking the
 * old filters.
 *
 * A policy that was carried over already stays as it is, because somebody may have edited it. A policy with the
 * administrator's own statements is refused. Only the policy of a fresh installation is replaced without asking, or any
 * with --force. The new policy is parsed before it is proposed: one that does not load is an error of this program, and
 * changes nothing.
 *
 * opendkim is removed if it only verifies. If it signs it stays, after assay-milter, and the administrator is told how
 * to stop it from verifying, because its file also belongs to the signer.
 */
#include "cli/harden/migrate.h"
#include "cli/cli.h"

#define FRESH "/usr/share/assay/policies/first-day.policy"
#define MARK "# What opendmarc, opendkim and postfix-policyd-spf-python asked (assay harden --from-opendmarc"

/* Tells whether the policy that is there may give way to the new one; *keep: it is the new one already. */
static bool may_replace(struct harden *h, bool anew, bool *keep)
{
    struct slice now, fresh;
    bool exists, there;
    const char *path = arena_printf(h->arena, "%s" FRESH, h->root);
    *keep = false;
    if (!path || !harden_read(h, h->policy_path, &now, &exists) || !harden_read(h, path, &fresh, &there))
        return false;
    *keep = exists && !anew && slice_begins(now, MARK);
    if (*keep) {
        harden_note(h, "%s was carried over earlier, and stays as it is; --force creates it again", h->policy_path);
        return true;
    }
    if (!exists || anew || slice_trim(now).n == 0 || (there && slice_eq(now, fresh)))
        return true;
    harden_refuse(h,
                  "%s has statements of its own\nwrite the new one elsewhere with --policy FILE and join the two, or "
                  "--force to replace it",
                  h->policy_path);
    return false;
}

/* Tells whether opendkim signs: the mode for it, and keys. */
static bool signs(const struct migrate *m)
{
    return strchr(migrate_text(m, MIGRATE_OPENDKIM, "Mode"), 's') &&
           (migrate_value(m, MIGRATE_OPENDKIM, "KeyFile") || migrate_value(m, MIGRATE_OPENDKIM, "KeyTable"));
}

static void filter_drop(struct migrate *m, enum migrate_program p)
{
    const struct migrate_value *socket = migrate_value(m, p, "Socket");
    if (socket)
        m->h->drop[m->h->drop_count++] = socket->text;
    else
        harden_note(m->h, "%s: its configuration names no Socket, so nothing is taken out of smtpd_milters for it",
                    migrate_program_name(p));
}

static void say_what_goes(struct migrate *m)
{
    const char *mode = migrate_text(m, MIGRATE_OPENDKIM, "Mode");
    const struct migrate_value *v = migrate_value(m, MIGRATE_OPENDKIM, "Mode");
    m->h->drop_policyd = m->found[MIGRATE_POLICYD];
    if (m->found[MIGRATE_OPENDMARC])
        filter_drop(m, MIGRATE_OPENDMARC);
    if (!m->found[MIGRATE_OPENDKIM])
        return;
    if (!m->signs)
        filter_drop(m, MIGRATE_OPENDKIM);
    else if (strchr(mode, 'v') && v)
        harden_note(
            m->h,
            "opendkim signs and stays in smtpd_milters; it verifies too: write 'Mode s' in %s:%u, then systemctl "
            "restart opendkim",
            v->file, v->line);
    else if (strchr(mode, 'v'))
        harden_note(
            m->h,
            "opendkim signs and stays in smtpd_milters; it verifies too, since Mode is not set: add 'Mode s' to its "
            "configuration, then systemctl restart opendkim");
}

static bool policy_loads(struct harden *h, struct slice text)
{
    struct policy_report *report = policy_report_new();
    struct policy *p = report ? policy_load_text(text, h->policy_path, report) : NULL;
    for (size_t i = 0; report && policy_report_at(report, i); i++) {
        const struct policy_message *msg = policy_report_at(report, i);
        if (msg->severity == POLICY_ERROR)
            harden_refuse(h, "the policy carried over does not load: line %u: %s%s%s", msg->line, msg->text,
                          msg->source ? ": " : "", msg->source ? msg->source : "");
    }
    if (p) {
        policy_unref(h->policy);
        h->policy = p;
    } else if (!h->refused) {
        harden_refuse(h, "the policy carried over does not load");
    }
    policy_report_free(report);
    return p != NULL;
}

bool migrate(struct harden *h, const struct migrate_paths *paths, bool anew)
{
    struct migrate m = {.h = h};
    struct buf text = BUF_INIT;
    struct slice now;
    bool keep = false, exists;
    bool ok = migrate_read(&m, paths);
    m.signs = ok && signs(&m);
    ok = ok && migrate_write(&m, &text) && may_replace(h, anew, &keep);
    if (ok && keep)
        ok = harden_read(h, h->policy_path, &now, &exists) && policy_loads(h, now);
    else if (ok)
        ok = policy_loads(h, buf_slice(&text)) &&
             harden_write(h, h->policy_path, arena_slice(h->arena, buf_slice(&text)), 0644);
    if (ok && !keep)
        harden_reload_by(h, "systemctl restart assay-milter");
    if (ok)
        say_what_goes(&m);
    buf_release(&text);
    return ok;
}
