// SPDX-License-Identifier: BSD-2-Clause
/*
 * sendmail_cf.c - reads the lines of a sendmail.cf that decide about filters (Sendmail Operations Guide, 5.11 and 5.6).
 *
 * Promises to read as Sendmail does: a line that begins with a blank continues the one before; of an option that is set
 * twice the last counts; DaemonPortOptions may have InputMailFilters of its own, which replaces the general list.
 */
#include "cli/harden/sendmail_cf.h"
#include <string.h>

#define OURS "assay"
#define NAME_LEAST 6 /* octets of the shortest name of an option that could be one of the two */

/* The next whole line, continuations joined. NULL: the end. */
static const char *next_line(struct arena *a, struct slice cf, size_t *at)
{
    const char *line = NULL;
    while (*at < cf.n) {
        struct slice rest = slice_from(cf, *at);
        const char *nl = memchr(rest.p, '\n', rest.n);
        size_t n = nl ? (size_t)(nl - rest.p) : rest.n;
        if (line && !(n && (rest.p[0] == ' ' || rest.p[0] == '\t')))
            break;
        line = arena_printf(a, "%s%.*s", line ? line : "", (int)n, rest.p);
        *at += n + 1;
        if (!line)
            break;
    }
    return line;
}

/* The value of a field in "Xname, S=.., F=.." or in port options, where Sendmail looks at its name's first letter alone
 * ("Socket=", "I="); NULL: there is none. */
static const char *part(struct arena *a, const char *text, char letter)
{
    for (const char *at = text; *at; at += *at != '\0') {
        at += strspn(at, ", \t");
        size_t len = strcspn(at, ",");
        const char *equals = memchr(at, '=', len);
        struct slice name = slice_trim(slice_of(at, equals ? (size_t)(equals - at) : 0));
        if (equals && name.n && name.p[0] == letter) {
            struct slice value = slice_trim(slice_of(equals + 1, len - (size_t)(equals + 1 - at)));
            return arena_copy(a, value.n ? value.p : "", value.n);
        }
        at += len;
    }
    return NULL;
}

/* The value of "O NAME = VALUE" if it sets this option, whose name may be cut short; NULL: it does not. */
static const char *value_of(const char *line, const char *option)
{
    const char *equals = line[0] == 'O' && (line[1] == ' ' || line[1] == '\t') ? strchr(line, '=') : NULL;
    struct slice name = equals ? slice_trim(slice_of(line + 1, (size_t)(equals - line - 1))) : SLICE_NULL;

    if (name.n < NAME_LEAST || name.n > strlen(option) || !slice_eq_nocase(name, slice_of(option, name.n)))
        return NULL;
    return equals + 1;
}

/* Where in a list of filters ours stands, from 0; -1: it is not there. */
static int place_in(const char *list)
{
    int i = 0;
    for (const char *at = list + strspn(list, ",; \t"); *at; at += strspn(at, ",; \t"), i++) {
        size_t n = strcspn(at, ",; \t");
        if (slice_eq_nocase(slice_of(at, n), slice_str(OURS)))
            return i;
        at += n;
    }
    return -1;
}

/* "unix:/x", "local:/x" and "/x" are one socket. */
static const char *bare(const char *socket)
{
    return strncmp(socket, "unix:", 5) == 0 ? socket + 5 : strncmp(socket, "local:", 6) == 0 ? socket + 6 : socket;
}

/* The filter itself, as "assay, S=.., F=T, ..". */
static const char *judge_filter(struct arena *a, const char *x, const char *socket)
{
    const char *where = part(a, x, 'S'), *flags = part(a, x, 'F');
    if (!where || !*where)
        return "the filter assay has no socket (S=)";
    if (socket && strcmp(bare(where), bare(socket)) != 0)
        return arena_printf(a, "the filter assay is asked at %s, and assay-milter listens at %s", where, socket);
    if (!flags || !strchr(flags, 'T'))
        return arena_printf(a, "the filter assay has %s%s: while assay-milter is away, mail comes in unjudged (F=T)",
                            flags ? "F=" : "no F", flags ? flags : "");
    return NULL;
}

static const char *judge_list(struct arena *a, const char *where, const char *list)
{
    int place = place_in(list);
    if (place < 0)
        return arena_printf(a, "%s is \"%s\": assay is not asked", where, list);
    if (place > 0)
        return arena_printf(a, "%s is \"%s\": assay must be first, to see the mail as it came", where, list);
    return NULL;
}

struct sendmail_verdict sendmail_cf_judge(struct arena *a, struct slice cf, const char *socket)
{
    struct sendmail_verdict v = {.defined = false};
    const char *x = NULL, *list = "", *listener = NULL, *line;
    for (size_t at = 0; (line = next_line(a, cf, &at)) != NULL;) {
        const char *general = value_of(line, "InputMailFilters"), *port = value_of(line, "DaemonPortOptions");
        if (line[0] == 'X' && strncmp(line + 1, OURS, strlen(OURS)) == 0 &&
            strchr(", \t", line[1 + strlen(OURS)]) != NULL)
            x = line + 1 + strlen(OURS);
        else if (general)
            list = general;
        else if (port) {
            const char *own = part(a, port, 'I'), *name = part(a, port, 'N');
            const char *where = own ? arena_printf(a, "InputMailFilters of listener %s", name ? name : port) : NULL;
            if (where && !listener)
                listener = judge_list(a, where, own);
        }
    }
    v.defined = x != NULL;
    v.trouble = x ? judge_filter(a, x, socket) : "no filter assay is defined";
    if (!v.trouble)
        v.trouble = judge_list(a, "InputMailFilters", list);
    if (!v.trouble)
        v.trouble = listener;
    return v;
}
