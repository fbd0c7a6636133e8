// SPDX-License-Identifier: BSD-2-Clause
/*
 * postfix.c - what the files on Postfix share: a question to postconf, and the list of edits that it will be told.
 *
 * Promises that postconf works on the copy in p->dir, and that edits beyond POSTFIX_MAX_EDITS are refused.
 */
#include "cli/harden/harden_postfix.h"
#include <string.h>

const char *postfix_ask(struct postfix *p, const char *option, const char *name)
{
    const char *argv[] = {"postconf", "-c", p->dir, option, name, NULL};
    int code;
    const char *out = harden_run(p->h, argv, &code);
    while (out && strncmp(out, "postconf: warning:", 18) == 0) {
        const char *next = strchr(out, '\n');
        out = next ? next + 1 : "";
    }
    return out && code == 0 ? out : NULL;
}

static void add_edit(struct postfix *p, const char **edits, size_t *count, const char *name, const char *value)
{
    const char *e = arena_printf(p->h->arena, "%s=%s", name, value);
    if (e && *count < POSTFIX_MAX_EDITS)
        edits[(*count)++] = e;
    else
        harden_refuse(p->h, "%s: more than %d settings of one file would change", name, POSTFIX_MAX_EDITS);
}

void postfix_edit(struct postfix *p, const char *name, const char *value)
{
    add_edit(p, p->edits, &p->count, name, value);
}

void postfix_edit_master(struct postfix *p, const char *name, const char *value)
{
    add_edit(p, p->master, &p->master_count, name, value);
}
