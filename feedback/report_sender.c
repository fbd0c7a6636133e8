// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_sender.c - by our own Authentication-Results.
 *
 * Promises that nothing is proved by a field that cannot be read whole, names another host, or says anything but
 * dmarc=pass with one From domain.
 */
#include "feedback/report_sender.h"
#include "base/arena.h"
#include "base/domain.h"
#include "standards/message/authres.h"
#include "standards/message/header.h"
#include <string.h>

#define SEARCHED 100 /* fields of that name: further ones are not looked at */

enum status report_sender_read(struct arena *a, struct slice mail, const char *authserv_id, const char **domain)
{
    struct header_list headers;
    const struct header_field *f;
    *domain = NULL;
    header_list_init(&headers, a);
    enum status st = header_parse_message(&headers, mail, NULL);
    if (st == STATUS_NOMEM)
        return st;
    for (unsigned n = 1; n <= SEARCHED && (f = header_find(&headers, "Authentication-Results", n)) != NULL; n++) {
        struct authres results;
        char from[LIMIT_DOMAIN + 1];
        st = authres_parse(a, f->value, &results);
        if (st == STATUS_NOMEM)
            return st;
        if (st != STATUS_OK || !slice_eq_nocase(results.id, slice_str(authserv_id)))
            continue;
        const struct authres_result *dmarc = authres_find(&results, "dmarc", NULL);
        if (dmarc && slice_eq_nocase(dmarc->result, SLICE_LIT("pass")) && !authres_find(&results, "dmarc", dmarc) &&
            domain_from_text(authres_get(dmarc, "header", "from"), from) == STATUS_OK)
            *domain = arena_strdup(a, from);
        return arena_failed(a) ? STATUS_NOMEM : STATUS_OK;
    }
    return STATUS_OK;
}

static bool same_house(const char *a, const char *b)
{
    const char *shorter = strlen(a) < strlen(b) ? a : b;
    return strchr(shorter, '.') && (domain_is_within(a, b) || domain_is_within(b, a));
}

bool report_sender_speaks_for(const char *domain, const struct report_in *r)
{
    const char *at = r->contact ? strrchr(r->contact, '@') : NULL;
    char name[LIMIT_DOMAIN + 1];
    return domain && domain_from_text(slice_str(at ? at + 1 : r->org), name) == STATUS_OK && same_house(domain, name);
}
