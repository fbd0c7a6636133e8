// SPDX-License-Identifier: BSD-2-Clause
/*
 * sendmail_cf.c - reads the lines of a sendmail.cf that decide about filters (Sendmail Operations Guide, 5.11 and 5.6).
 *
 * Promises to read as Sendmail does: a line that begins with a blank continues the one before; of an option that is set
 * twice the last counts; DaemonPortOptions may have InputMailFilters of its own, which replaces the general list. Which
 * filter is ours its socket says, where none is called assay. A filter that is defined twice, or asked and not defined,
 * keeps Sendmail from starting.
 */
#include "cli/harden/sendmail_cf.h"
#include <string.h>

#define OURS "assay"
#define FILTERS 64   /* definitions that are compared with each other */
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
 * ("Socket=", "I="), in port options a small one too; NULL: there is none. letters: those that count. */
static const char *part(struct arena *a, const char *text, const char *letters)
{
    for (const char *at = text; *at; at += *at != '\0') {
        at += strspn(at, ", \t");
        size_t len = strcspn(at, ",");
        const char *equals = memchr(at, '=', len);
        struct slice name = slice_trim(slice_of(at, equals ? (size_t)(equals - at) : 0));
        if (equals && name.n && strchr(letters, name.p[0]) != NULL) {
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

struct filter {
    const char *name, *parts; /* "assay", ", S=.., F=T, .." */
};

struct filters {
    struct filter at[FILTERS];
    size_t count;
    const char *twice; /* the name of one that is defined again */
};

static const struct filter *filter_find(const struct filters *f, struct slice name)
{
    for (size_t i = 0; i < f->count; i++)
        if (slice_eq_nocase(name, slice_str(f->at[i].name)))
            return &f->at[i];
    return NULL;
}

/* "Xname, S=..". */
static void filter_add(struct arena *a, struct filters *f, const char *line)
{
    size_t n = strcspn(line + 1, ", \t\r");
    const char *name = arena_copy(a, line + 1, n);

    if (!name || !n)
        return;
    if (filter_find(f, slice_str(name)))
        f->twice = name;
    else if (f->count < FILTERS)
        f->at[f->count++] = (struct filter){name, line + 1 + n};
}

/* The next name of a list; n 0: there are no more. */
static struct slice next_name(const char **at)
{
    *at += strspn(*at, ",; \t\r");
    struct slice name = slice_of(*at, strcspn(*at, ",; \t\r"));
    *at += name.n;
    return name;
}

/* Where in a list of filters one stands, from 0; -1: it is not there. */
static int place_in(const char *list, const char *filter)
{
    struct slice name;

    for (int i = 0; (name = next_name(&list)).n; i++)
        if (slice_eq_nocase(name, slice_str(filter)))
            return i;
    return -1;
}

/* "unix:/x", "local:/x" and "/x" are one socket. */
static const char *bare(const char *socket)
{
    return strncmp(socket, "unix:", 5) == 0 ? socket + 5 : strncmp(socket, "local:", 6) == 0 ? socket + 6 : socket;
}

/* The filter called assay, or else the one that is asked at our socket; NULL: there is none. */
static const struct filter *our_filter(struct arena *a, const struct filters *f, const char *socket)
{
    const struct filter *ours = filter_find(f, SLICE_LIT(OURS));

    for (size_t i = 0; !ours && socket && i < f->count; i++) {
        const char *where = part(a, f->at[i].parts, "S");
        if (where && strcmp(bare(where), bare(socket)) == 0)
            ours = &f->at[i];
    }
    return ours;
}

/* By T and by 4 the client is told to come again (Operations Guide 5.11); by others, and by none, mail comes in. */
static const char *judge_filter(struct arena *a, const struct filter *f, const char *socket)
{
    const char *where = part(a, f->parts, "S"), *flags = part(a, f->parts, "F");
    if (!where || !*where)
        return arena_printf(a, "the filter %s has no socket (S=)", f->name);
    if (socket && strcmp(bare(where), bare(socket)) != 0)
        return arena_printf(a, "the filter %s is asked at %s, and assay-milter listens at %s", f->name, where, socket);
    if (!flags || !strpbrk(flags, "T4"))
        return arena_printf(a, "the filter %s has %s%s: while assay-milter is away, mail comes in unjudged (F=T)",
                            f->name, flags ? "F=" : "no F", flags ? flags : "");
    return NULL;
}

static const char *judge_list(struct arena *a, const struct filters *f, const struct filter *ours, const char *where,
                              const char *list)
{
    const int place = place_in(list, ours->name);
    const char *at = list;
    struct slice name;

    if (place < 0)
        return arena_printf(a, "%s is \"%s\": %s is not asked", where, list, ours->name);
    if (place > 0)
        return arena_printf(a, "%s is \"%s\": %s must be first, to see the mail as it came", where, list, ours->name);
    while ((name = next_name(&at)).n)
        if (f->count < FILTERS && !filter_find(f, name))
            return arena_printf(a, "%s is \"%s\": %.*s is not defined, and Sendmail does not start", where, list,
                                SLICE_ARG(name));
    return NULL;
}

/* The lists of listeners that have their own; NULL: all are good. */
static const char *judge_listeners(struct arena *a, const struct filters *f, const struct filter *ours, struct slice cf)
{
    const char *line, *trouble = NULL;

    for (size_t at = 0; !trouble && (line = next_line(a, cf, &at)) != NULL;) {
        const char *port = value_of(line, "DaemonPortOptions");
        const char *own = port ? part(a, port, "Ii") : NULL, *name = port ? part(a, port, "Nn") : NULL;
        const char *where = own ? arena_printf(a, "InputMailFilters of listener %s", name ? name : port) : NULL;
        if (where)
            trouble = judge_list(a, f, ours, where, own);
    }
    return trouble;
}

struct sendmail_verdict sendmail_cf_judge(struct arena *a, struct slice cf, const char *socket)
{
    struct filters *f = ARENA_NEW(a, struct filters);
    const char *list = "", *line;

    if (!f)
        return (struct sendmail_verdict){.trouble = "out of memory"};
    for (size_t at = 0; (line = next_line(a, cf, &at)) != NULL;) {
        const char *general = value_of(line, "InputMailFilters");
        if (line[0] == 'X')
            filter_add(a, f, line);
        else if (general)
            list = general;
    }
    const struct filter *ours = our_filter(a, f, socket);
    struct sendmail_verdict v = {.defined = ours != NULL};
    if (f->twice)
        v.trouble = arena_printf(a, "the filter %s is defined twice, and Sendmail does not start", f->twice);
    else
        v.trouble = ours ? judge_filter(a, ours, socket) : "no filter assay is defined";
    if (!v.trouble)
        v.trouble = judge_list(a, f, ours, "InputMailFilters", list);
    if (!v.trouble)
        v.trouble = judge_listeners(a, f, ours, cf);
    return v;
}
