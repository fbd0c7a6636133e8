// SPDX-License-Identifier: BSD-2-Clause
/*
 * sts_answer.c - writes the answers of sts_answer.h.
 *
 * Promises text that Postfix parses as intended: names and patterns are host names by their grammar (sts_pattern,
 * domain_is_host), so nothing needs quoting. The attributes are those of Postfix 3.10's TLSRPT_README; an older Postfix
 * refuses an answer that has them. Out of memory shows in the buffer.
 */
#include "outgoing/sts_answer.h"
#include "base/domain.h"
#include "base/limits.h"
#include "standards/sts/sts.h"
#include <stdio.h>
#include <string.h>

/* The pattern at *at, copied; *at moves behind it. False: there are no more. */
static bool next_pattern(const char **at, char out[LIMIT_DOMAIN + 3])
{
    size_t n = strcspn(*at, " ");

    if (!n || n >= LIMIT_DOMAIN + 3)
        return false;
    memcpy(out, *at, n);
    out[n] = '\0';
    *at += n + ((*at)[n] == ' ');
    return true;
}

bool sts_answer_matches(const char *patterns, const char *host)
{
    char pattern[LIMIT_DOMAIN + 3];

    while (next_pattern(&patterns, pattern))
        if (sts_mx_matches(pattern, host))
            return true;
    return false;
}

static bool is_repeated(const struct sts_answer *a, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(a->hosts[k], a->hosts[i]) == 0)
            return true;
    return false;
}

/* Braces protect blanks (TLSRPT_README). */
static void add_attributes(const struct sts_answer *a, struct buf *out)
{
    char pattern[LIMIT_DOMAIN + 3];
    const char *at = a->patterns;

    buf_printf(out, " policy_type=sts policy_domain=%s policy_ttl=%lld", a->domain, (long long)a->max_age);
    buf_adds(out, " { policy_string = version: STSv1 } { policy_string = mode: enforce }");
    while (next_pattern(&at, pattern))
        buf_printf(out, " { policy_string = mx: %s }", pattern);
    buf_printf(out, " { policy_string = max_age: %lld }", (long long)a->max_age);
    at = a->patterns;
    while (next_pattern(&at, pattern))
        buf_printf(out, " mx_host_pattern=%s", pattern);
}

bool sts_answer_print(const struct sts_answer *a, struct buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < a->host_count; i++) {
        if (is_repeated(a, i) || !domain_is_host(a->hosts[i]) || !sts_answer_matches(a->patterns, a->hosts[i]))
            continue;
        buf_printf(out, "%s%s", n++ ? ":" : "secure match=", a->hosts[i]);
    }
    if (!n)
        return false;
    buf_adds(out, " servername=hostname");
    if (a->attributes)
        add_attributes(a, out);
    return true;
}

void sts_answer_print_patterns(const struct sts_answer *a, struct buf *out)
{
    char pattern[LIMIT_DOMAIN + 3];
    const char *at = a->patterns, *before = "secure match=";

    for (; next_pattern(&at, pattern); before = ":")
        buf_printf(out, "%s%s", before, pattern[0] == '*' ? pattern + 1 : pattern); /* Postfix: a leading dot */
    buf_adds(out, " servername=hostname");
    if (a->attributes)
        add_attributes(a, out);
}

void sts_answer_print_failure(const struct sts_answer *a, struct buf *out)
{
    buf_adds(out, "secure match=hostname servername=hostname");
    add_attributes(a, out);
    buf_adds(out, " policy_failure=validation-failure");
}
