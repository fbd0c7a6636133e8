// SPDX-License-Identifier: BSD-2-Clause
/*
 * action.c - changes a message, or answers its sender, as decided.
 *
 * Order: forged fields are removed from the highest index down, per name, because each removal shifts the numbers of
 * those below it (CVE-2022-48521 came from the other order). Then our fields are inserted at the top, last one first,
 * so that they end up in the right order (RFC 8601 section 5: the newest is the topmost). Field values begin with a
 * blank: with SMFIP_HDR_LEADSPC the MTA adds none. Failure: if the MTA does not allow a change, the mail is
 * answered with a temporary failure, because it must not be passed on without our fields.
 */
#include "milter/action.h"
#include "milter/log.h"

static enum mta_answer cannot(const char *what)
{
    log_complain(LOG_ACTION, "the MTA refused to %s; the mail is deferred", what);
    return MTA_TEMPFAIL;
}

static bool remove_forged(struct mta *mta, const struct judge *j)
{
    const char *name;
    unsigned index;

    for (size_t at = 0; stamp_next_forged(j, &at, &name, &index);)
        if (!mta->ops->change_header(mta, name, index, ""))
            return false;
    return true;
}

/* What the sender wrote under the name of the quarantine mark ("X-Spam-Flag: NO"). */
static bool remove_marks(struct mta *mta, const struct stamp *stamp)
{
    for (unsigned n = stamp->marks; n; n--)
        if (!mta->ops->change_header(mta, stamp->mark, n, ""))
            return false;
    return true;
}

static bool insert(struct mta *mta, struct arena *a, const struct stamp *stamp)
{
    for (size_t i = stamp->count; i-- > 0;) {
        const size_t n = strlen(stamp->fields[i].value);
        char *value = arena_alloc(a, n + 2);
        if (!value)
            return false;
        value[0] = ' ';
        memcpy(value + 1, stamp->fields[i].value, n + 1);
        if (!mta->ops->insert_header(mta, stamp->fields[i].name, value))
            return false;
    }
    return true;
}

enum mta_answer action_pass(struct mta *mta, struct judge *j, enum policy_action action, const struct stamp *stamp)
{
    if (!remove_forged(mta, j) || !remove_marks(mta, stamp))
        return cannot("remove a forged header field");
    if (!insert(mta, judge_arena(j), stamp))
        return cannot("add header fields");
    if (action == POLICY_HOLD && !mta->ops->quarantine(mta, "assay-milter: held by policy, see Assay-Verdict"))
        return cannot("hold a mail");
    return MTA_ACCEPT;
}

enum mta_answer action_refuse(struct mta *mta, const struct reply *r)
{
    if (!mta->ops->reply(mta, r->code, r->enhanced, r->lines, r->count))
        log_complain(LOG_ACTION, "the reply %s %s cannot be sent; the MTA's own text is used", r->code, r->enhanced);
    return r->code[0] == '5' ? MTA_REJECT : MTA_TEMPFAIL;
}
