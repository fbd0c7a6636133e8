// SPDX-License-Identifier: BSD-2-Clause
/*
 * action.c - the one caller of libmilter's functions that change a message or answer its sender.
 *
 * Order: forged fields are removed from the highest index down, per name, because each removal shifts the numbers of
 * those below it (CVE-2022-48521 came from the other order). Then our fields are inserted at the top, last one first,
 * so that they end up in the right order (RFC 8601 section 5: the newest is the topmost). Field values begin with a
 * blank: with SMFIP_HDR_LEADSPC the MTA adds none. Failure: if libmilter or the MTA refuses a call, the mail is
 * answered with a temporary failure, because it must not be passed on without our fields.
 */
#include "milter/action.h"
#include "milter/log.h"
#include <libmilter/mfapi.h>

#define PERCENT_LINE (2 * REPLY_LINE_MAX + 1)

static int cannot(const char *what)
{
    log_complain(LOG_ACTION, "the MTA refused to %s; the mail is deferred", what);
    return SMFIS_TEMPFAIL;
}

static bool remove_forged(SMFICTX *ctx, const struct judge *j)
{
    char none[1] = "", name[64];
    const char *which;
    unsigned index;

    for (size_t at = 0; stamp_next_forged(j, &at, &which, &index);) {
        snprintf(name, sizeof name, "%s", which);
        if (smfi_chgheader(ctx, name, (int)index, none) != MI_SUCCESS)
            return false;
    }
    return true;
}

static bool insert(SMFICTX *ctx, struct arena *a, const struct stamp *stamp)
{
    for (size_t i = stamp->count; i-- > 0;) {
        char *name = arena_strdup(a, stamp->fields[i].name);
        char *value = arena_printf(a, " %s", stamp->fields[i].value);
        if (!name || !value || smfi_insheader(ctx, 0, name, value) != MI_SUCCESS)
            return false;
    }
    return true;
}

int action_pass(SMFICTX *ctx, struct judge *j, enum policy_action action, const struct stamp *stamp)
{
    if (!remove_forged(ctx, j))
        return cannot("remove a forged header field");
    if (!insert(ctx, judge_arena(j), stamp))
        return cannot("add header fields");
    if (action == POLICY_HOLD) {
        char reason[] = "assay-milter: held by policy, see Assay-Verdict";
        if (smfi_quarantine(ctx, reason) != MI_SUCCESS)
            return cannot("hold a mail");
    }
    return SMFIS_ACCEPT;
}

/* libmilter treats the text of a reply as a printf format, so each percent sign is doubled. */
static char *double_percent(const char *text, char out[PERCENT_LINE])
{
    size_t n = 0;

    for (; *text && n + 2 < PERCENT_LINE; text++) {
        if (*text == '%')
            out[n++] = '%';
        out[n++] = *text;
    }
    out[n] = 0;
    return out;
}

int action_refuse(SMFICTX *ctx, const struct reply *r)
{
    char lines[REPLY_LINES][PERCENT_LINE];
    char *line[REPLY_LINES] = {NULL};
    int rc;

    for (size_t i = 0; i < r->count; i++)
        line[i] = double_percent(r->lines[i], lines[i]);
    rc = smfi_setmlreply(ctx, r->code, r->enhanced, line[0], line[1], line[2], NULL);
    if (rc != MI_SUCCESS)
        log_complain(LOG_ACTION, "libmilter refused the reply %s %s; the MTA's own text is used", r->code, r->enhanced);
    return r->code[0] == '5' ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}
