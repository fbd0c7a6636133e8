// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_show.c - `assay policy show [--defaults | --setting NAME] [FILE]`: the policy in canonical form.
 *
 * One statement a line, in the order of the file, in one spelling; read back it is the same policy, except a database's
 * password, which is shown as asterisks. Included files stay includes, by their full path. --defaults shows every
 * setting there is, as `set` lines with the value in force, and in a comment what it is for and takes.
 */
#include "cli/policy/policy_cmd.h"
#include "policy/policy_settings.h"
#include "base/secret.h"

static void put_setting(const struct policy_setting *s, struct buf *out)
{
    buf_printf(out, "# %s", s->help);
    if (s->words)
        buf_printf(out, " (%s)", s->words);
    else if (s->minimum || s->maximum)
        buf_printf(out, " (%s, %s%lld to %lld%s)", s->type, s->or_0 ? "0, or " : "", (long long)s->minimum,
                   (long long)s->maximum,
                   strcmp(s->type, "time") == 0   ? " seconds"
                   : strcmp(s->type, "size") == 0 ? " octets"
                                                  : "");
    else
        buf_printf(out, " (%s)", s->type);
    buf_adds(out, "\n");
    bool plain = *s->value && !strpbrk(s->value, " \t,\"#\\");
    bool names = strcmp(s->type, "names") == 0;
    if (names && !*s->value)
        buf_printf(out, "# set %s\n", s->name);
    else {
        const char *quote = plain || names ? "" : "\"";
        buf_printf(out, "set %s %s", s->name, quote);
        secret_add(out, slice_str(s->value));
        buf_printf(out, "%s\n", quote);
    }
}

/* All of them, or the one of that name. false: there is none. */
static bool put_settings(const struct policy *p, const char *only, struct buf *out)
{
    struct policy_setting s;
    bool found = false;
    for (size_t i = 0; policy_setting_at(p, i, &s); i++) {
        if (only && strcmp(only, s.name) != 0)
            continue;
        put_setting(&s, out);
        found = true;
    }
    return found;
}

static bool in_main_file(const struct policy_statement *s)
{
    return s->id[0] == 'L';
}

int policy_cmd_show(int argc, char **argv)
{
    static const struct policy_usage usage = {
        "[--defaults | --setting NAME] [FILE]",
        "Prints the policy in canonical form: one statement a line. --defaults prints every setting with its value "
        "instead; with a policy that can be read its values, else the defaults. --setting prints one of them."};
    struct policy_args a;
    struct buf b = BUF_INIT;
    int rc = policy_args_read(&a, &usage, argc, argv, POLICY_ARG_DEFAULTS | POLICY_ARG_FILE);
    if (rc >= 0)
        return rc;
    /* Settings have defaults: they can be told of if no policy was named and none can be read. */
    bool without = a.defaults && strcmp(a.file, CLI_POLICY_PATH) == 0;
    struct policy *p = without ? policy_load(a.file, NULL) : cli_load_policy(a.file, &rc);
    if (!p && !without)
        return rc;
    const struct policy_statement *s;
    if (a.defaults && !put_settings(p, a.setting, &b)) {
        cli_error("there is no setting '%s'; `assay policy show --defaults` lists them all", a.setting);
        policy_unref(p);
        return EX_USAGE;
    }
    for (size_t i = 0; !a.defaults && (s = policy_statement_at(p, i)); i++)
        if (in_main_file(s)) {
            secret_add(&b, slice_str(s->text));
            buf_addc(&b, '\n');
        }
    bool ok = cli_flush(&b);
    policy_unref(p);
    return ok ? EX_OK : EX_SOFTWARE;
}
