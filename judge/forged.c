// SPDX-License-Identifier: BSD-2-Clause
/*
 * forged.c - notes which header fields claim to be ours.
 *
 * Promises: every field of our names is counted, so that the numbers are those by which the MTA finds them; the number
 * of a field of another name, which hides one of ours, is that of the list of fields. If that list is not complete,
 * such a field cannot be removed, and the mail counts as having too many. Failure: STATUS_NOMEM; the mail must then not
 * go on.
 */
#include "judge/forged.h"
#include "base/array.h"
#include "standards/message/authres.h"
#include "standards/message/header.h"

static const char verdict_name[] = "Assay-Verdict", results_name[] = "Authentication-Results";

static bool is_ours(struct slice name, struct slice value, const char *authserv_id)
{
    const struct header_field field = {.name = name, .value = value};

    return header_is(&field, verdict_name) ||
           (header_is(&field, results_name) && authres_is_forged(value, authserv_id));
}

/* Tells whether a reader that takes a CR or LF alone for a line's end finds a field of ours in this value. */
static bool hides_ours(struct slice value, const char *authserv_id)
{
    static const char *const names[] = {verdict_name, results_name};
    struct slice inner;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t at = 0; header_within(value, names[i], &at, &inner);)
            if (is_ours(slice_str(names[i]), inner, authserv_id))
                return true;
    return false;
}

bool forged_claims_us(struct slice name, struct slice value, const char *authserv_id)
{
    return is_ours(name, value, authserv_id) || hides_ours(value, authserv_id);
}

static enum status field_add(struct forged_list *list, struct arena *a, struct forged_field field)
{
    if (list->count >= FORGED_MAX) {
        list->too_many = true;
        return STATUS_OK;
    }
    if (list->count == list->room) {
        struct forged_field *more = array_grow_in(a, list->fields, &list->room, 8, sizeof *more);
        if (!more)
            return STATUS_NOMEM;
        list->fields = more;
    }
    list->fields[list->count++] = field;
    return STATUS_OK;
}

/* A field of another name that hides one of ours. kept: NULL if its number is not known. */
static enum status add_hiding(struct forged_list *list, struct arena *a, struct slice name,
                              const struct header_field *kept)
{
    const struct slice plain = slice_trim(name);

    list->too_many |= !kept;
    if (!kept)
        return STATUS_OK;
    const char *text = arena_copy(a, plain.p, plain.n);
    return text ? field_add(list, a, (struct forged_field){text, kept->index, !list->trace}) : STATUS_NOMEM;
}

enum status forged_note(struct forged_list *list, struct arena *a, const char *authserv_id, struct slice name,
                        struct slice value, const struct header_field *kept, bool over_limit)
{
    const struct header_field field = {.name = name, .value = value};
    const bool verdict = header_is(&field, verdict_name), results = header_is(&field, results_name);

    list->trace |= header_is(&field, "Received");
    list->verdicts += verdict;
    list->results += results;
    if (verdict || results) {
        if (forged_claims_us(name, value, authserv_id))
            return field_add(list, a,
                             (struct forged_field){verdict ? verdict_name : results_name,
                                                   verdict ? list->verdicts : list->results, !list->trace});
    } else if ((!kept || (kept->flaws & (HEADER_BARE_CR | HEADER_BARE_LF))) && hides_ours(value, authserv_id)) {
        return add_hiding(list, a, name, over_limit ? NULL : kept);
    }
    return STATUS_OK;
}
