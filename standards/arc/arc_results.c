// SPDX-License-Identifier: BSD-2-Clause
/*
 * arc_results.c - reads the results in an ARC-Authentication-Results through the one parser of RFC 8601 (authres.h).
 *
 * Several results of one method: the best counts (pass, then the first), as a receiver of the original would have
 * counted it, and what is said with it is said of it alone: a mail with two authors has a dmarc for each. Results that
 * RFC 8601 does not define are none. All of this is a claim; arc_check.c says whose, the
 * policy says whether to trust it. Failure: an unreadable field has no results; the arena remembers if memory ran out.
 */
#include "standards/arc/arc_results.h"
#include "base/domain.h"
#include "standards/message/authres.h"

/* *of (may be NULL): the result that is the best; NULL if there is none. */
static enum result best_of(const struct authres *a, const char *method, const struct authres_result **of)
{
    enum result best = RESULT_NONE;
    const struct authres_result *found = NULL;
    for (const struct authres_result *r = NULL; (r = authres_find(a, method, r));) {
        enum result one = result_from_name(r->result);
        if (one == RESULT_COUNT || one == RESULT_UNTESTED)
            continue;
        if (best == RESULT_NONE || (one == RESULT_PASS && best != RESULT_PASS)) {
            best = one;
            found = r;
        }
    }
    if (of)
        *of = found;
    return best;
}

/* The From domain that a dmarc result is about; NULL: it does not say; empty: what it says is no domain name. */
static const char *from_of(struct arena *arena, const struct authres_result *dmarc)
{
    char name[LIMIT_DOMAIN + 1];
    struct slice from = dmarc ? authres_get(dmarc, "header", "from") : SLICE_NULL;
    if (!from.n)
        return NULL;
    return domain_from_text(from, name) == STATUS_OK ? arena_strdup(arena, name) : "";
}

static const char *printable(struct arena *arena, struct slice s)
{
    char *copy = arena_copy(arena, s.p, s.n);
    for (size_t i = 0; copy && i < s.n; i++)
        if (copy[i] < 0x20 || copy[i] > 0x7e)
            copy[i] = '?';
    return copy;
}

void arc_results_read(struct arena *arena, struct arc_set *set)
{
    struct authres a;
    const struct authres_result *dmarc;
    if (!set->aar.n || authres_parse_lenient(arena, set->aar, &a) != STATUS_OK)
        return;
    set->authserv = printable(arena, a.id);
    set->spf = best_of(&a, "spf", NULL);
    set->dkim = best_of(&a, "dkim", NULL);
    set->dmarc = best_of(&a, "dmarc", &dmarc);
    set->arc = best_of(&a, "arc", NULL);
    set->dmarc_from = from_of(arena, dmarc);
}
