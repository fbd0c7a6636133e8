// SPDX-License-Identifier: BSD-2-Clause
/*
 * forged.c - notes which header fields claim to be ours.
 *
 * Promises: every field of the message is counted, so that the numbers are those by which the MTA finds them. Failure:
 * STATUS_NOMEM; the mail must then not go on.
 */
#include "judge/forged.h"
#include "standards/message/authres.h"
#include "standards/message/header.h"

bool forged_claims_us(struct slice name, struct slice value, const char *authserv_id)
{
    const struct header_field field = {.name = name, .value = value};

    return header_is(&field, "Assay-Verdict") ||
           (header_is(&field, "Authentication-Results") && authres_is_forged(value, authserv_id));
}

static enum status add(struct forged_list *list, struct arena *a, struct forged_field field)
{
    if (list->count >= FORGED_MAX) {
        list->too_many = true;
        return STATUS_OK;
    }
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 8;
        struct forged_field *more = ARENA_ARRAY(a, struct forged_field, room);
        if (!more)
            return STATUS_NOMEM;
        if (list->count)
            memcpy(more, list->fields, list->count * sizeof *more);
        list->fields = more;
        list->room = room;
    }
    list->fields[list->count++] = field;
    return STATUS_OK;
}

enum status forged_note(struct forged_list *list, struct arena *a, const char *authserv_id, struct slice name,
                        struct slice value)
{
    const struct header_field field = {.name = name, .value = value};
    const bool verdict = header_is(&field, "Assay-Verdict");

    if (header_is(&field, "Received"))
        list->trace = true;
    if (verdict)
        list->verdicts++;
    else if (header_is(&field, "Authentication-Results"))
        list->results++;
    if (!forged_claims_us(name, value, authserv_id))
        return STATUS_OK;
    return add(list, a,
               (struct forged_field){
                   .index = verdict ? list->verdicts : list->results, .verdict = verdict, .above_trace = !list->trace});
}
