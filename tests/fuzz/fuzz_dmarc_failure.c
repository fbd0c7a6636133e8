// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_dmarc_failure.c - a journal's record made into a failure report: whatever is in it, no value may end its field.
 */
#include "base/buf.h"
#include "feedback/dmarc_failure.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The mail's lines begin with a field that is written here, a blank (a continuation), or are of the words for people.
 */
static void look_at_lines(const char *p)
{
    const char *line = strstr(p, "\nFeedback-Type:"),
               *end = strstr(p, "\n\n--assay-dmarc-failure\nContent-Type: text/rfc822");
    if (!line || !end)
        abort();
    for (line++; line && line < end; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (*line != ' ' && !strstr("Feedback-Type User-Agent Version Auth-Failure Identity-Alignment Delivery-Result "
                                    "Arrival-Date Source-IP Reported-Domain Original-Mail-From Authentication-Results "
                                    "DKIM-Domain DKIM-Identity DKIM-Selector SPF-DNS",
                                    (char[]){line[0], line[1], line[2], '\0'}))
            abort();
    for (; *p; p++)
        if ((unsigned char)*p > 0x7e || ((unsigned char)*p < 0x20 && *p != '\n'))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record r;
    char why[200];
    struct buf mail = BUF_INIT;
    if (record_parse(slice_of((const char *)data, size), &r, why) != STATUS_OK)
        return 0;
    if (dmarc_failure_asked(&r) &&
        dmarc_failure_mail(&r, "a@example.org", "c@example.org", "b@example.net", "failure.1.2", &mail) == STATUS_OK)
        look_at_lines(mail.p);
    buf_release(&mail);
    record_free(&r);
    return 0;
}
