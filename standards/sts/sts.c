// SPDX-License-Identifier: BSD-2-Clause
/*
 * sts.c - the grammar of MTA-STS: the TXT record (RFC 8461 3.1), the policy file (3.2), matching of mail hosts (4.1).
 *
 * One small function for each rule of the grammar. What is not wholly by the grammar is not a record and no policy: a
 * half-read policy could ask for less than its owner meant. Four deviations from the grammar are accepted: empty lines
 * in a policy (files often end with one), a policy of mode none without mx (section 8.3 needs none), blanks before a
 * record's first semicolon (the grammar allows what the text of 3.1 does not), and mx that are addresses (left out). A
 * max_age above the maximum counts as the maximum: the longest promise there can be, rather than none. Octets from
 * outside are looked at by index and length only; nothing is kept but what lies in the caller's arena.
 */
#include "standards/sts/sts.h"
#include "base/domain.h"
#include "base/ip.h"
#include <ctype.h>
#include <stdio.h>

#define STS_MX_LINE 4  /* octets of the shortest mx line, "mx:a" */
#define NAME_OCTETS 32 /* of a field's name (3.1, 3.2) */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice without_blanks(struct slice s)
{
    while (s.n && is_blank(s.p[0]))
        s = slice_from(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The octets before the first `c`; *rest: what follows it, its p NULL if there is none. */
static struct slice cut_at(struct slice s, char c, struct slice *rest)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    *rest = at ? slice_from(s, (size_t)(at - s.p) + 1) : SLICE_NULL;
    return at ? slice_of(s.p, (size_t)(at - s.p)) : s;
}

/* sts-ext-name and sts-policy-ext-name. */
static bool is_field_name(struct slice s)
{
    if (!s.n || s.n > NAME_OCTETS || !is_alnum(s.p[0]))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-' && s.p[i] != '.')
            return false;
    return true;
}

/* ---- the record ---- */

bool sts_is_record(struct slice txt)
{
    struct slice rest;

    if (txt.n < 8 || memcmp(txt.p, "v=STSv1", 7) != 0)
        return false;
    rest = without_blanks(slice_from(txt, 7));
    return rest.n && rest.p[0] == ';';
}

/* sts-id, without its name. */
static bool is_id(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]))
            return false;
    return s.n && s.n <= STS_ID;
}

/* sts-ext-value. */
static bool is_record_value(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] > 0x7e || s.p[i] == '=' || s.p[i] == ';')
            return false;
    return s.n > 0;
}

bool sts_is_extension(struct slice field)
{
    struct slice value, name = cut_at(field, '=', &value);

    return value.p && is_field_name(name) && is_record_value(value);
}

static bool take_record_field(struct slice field, struct slice *id)
{
    struct slice value, name = cut_at(field, '=', &value);

    if (!value.p)
        return false;
    if (!slice_eq(name, SLICE_LIT("id")))
        return sts_is_extension(field);
    if (id->n)
        return is_record_value(value);
    *id = value;
    return is_id(value);
}

enum status sts_record_id(struct slice txt, char out[STS_ID + 1])
{
    struct slice rest, id = SLICE_NULL;

    if (txt.n > STS_RECORD)
        return STATUS_LIMIT;
    if (!sts_is_record(txt))
        return STATUS_INVALID;
    cut_at(txt, ';', &rest);
    while (rest.p) {
        struct slice field = without_blanks(cut_at(rest, ';', &rest));
        if (!field.n && !rest.p)
            break; /* the last delimiter may follow the last field */
        if (!take_record_field(field, &id))
            return STATUS_INVALID;
    }
    if (!id.n)
        return STATUS_INVALID;
    memcpy(out, id.p, id.n);
    out[id.n] = '\0';
    return STATUS_OK;
}

/* ---- the policy ---- */

enum status sts_pattern(struct slice text, char out[LIMIT_DOMAIN + 3])
{
    bool any = text.n > 2 && text.p[0] == '*' && text.p[1] == '.';
    struct slice name = any ? slice_from(text, 2) : text;
    char kept[LIMIT_DOMAIN + 1];

    for (size_t i = 0; i < name.n; i++)
        if (!is_alnum(name.p[i]) && name.p[i] != '-' && name.p[i] != '.')
            return STATUS_INVALID;
    if (!name.n || name.p[name.n - 1] == '.' || domain_from_text(name, kept) != STATUS_OK || !domain_is_host(kept))
        return STATUS_INVALID;
    snprintf(out, LIMIT_DOMAIN + 3, "%s%s", any ? "*." : "", kept);
    return STATUS_OK;
}

struct reading {
    struct arena *arena;
    struct sts_policy *policy;
    const char **mx;
    bool version, mode, max_age;
    const char *why;
};

static enum status wrong(struct reading *r, const char *why)
{
    r->why = why;
    return STATUS_INVALID;
}

static enum status take_version(struct reading *r, struct slice value)
{
    r->version = true;
    return slice_eq(value, SLICE_LIT("STSv1")) ? STATUS_OK : wrong(r, "its version is not STSv1");
}

static enum status take_mode(struct reading *r, struct slice value)
{
    r->mode = true;
    for (enum sts_mode m = STS_NONE; m <= STS_ENFORCE; m++)
        if (slice_eq(value, slice_str(sts_mode_name(m)))) {
            r->policy->mode = m;
            return STATUS_OK;
        }
    return wrong(r, "its mode is none of enforce, testing, none");
}

static enum status take_max_age(struct reading *r, struct slice value)
{
    uint64_t n = 0;

    r->max_age = true;
    if (!value.n || value.n > 10)
        return wrong(r, "its max_age is not a number of 1 to 10 digits");
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return wrong(r, "its max_age is not a number of 1 to 10 digits");
        n = n * 10 + (uint64_t)(value.p[i] - '0');
    }
    r->policy->long_age = n > STS_MAX_AGE;
    r->policy->max_age = n > STS_MAX_AGE ? STS_MAX_AGE : (uint32_t)n;
    return STATUS_OK;
}

/* An mx that is an address, in any spelling, also behind a wildcard: no mail host has such a name, so the line matches
 * nothing and is left out. The rest of the policy holds. */
static bool is_address(struct slice value)
{
    struct ip ip;

    if (value.n > 2 && value.p[0] == '*' && value.p[1] == '.')
        value = slice_from(value, 2);
    if (value.n && value.p[value.n - 1] == '.')
        value.n--;
    if (ip_from_text(value, &ip) == STATUS_OK || (value.n && value.p[0] == '['))
        return true;
    /* A last label of digits, or "0x" and hex digits: what inet_aton(3) reads (octal, hexadecimal, short forms). */
    size_t start = value.n;
    while (start && value.p[start - 1] != '.')
        start--;
    struct slice last = slice_from(value, start);
    bool hex = last.n > 2 && last.p[0] == '0' && (last.p[1] == 'x' || last.p[1] == 'X');
    for (size_t i = hex ? 2 : 0; i < last.n; i++)
        if (hex ? !isxdigit((unsigned char)last.p[i]) : !isdigit((unsigned char)last.p[i]))
            return false;
    return last.n > 0;
}

static enum status take_mx(struct reading *r, struct slice value)
{
    char pattern[LIMIT_DOMAIN + 3];

    if (is_address(value))
        return STATUS_OK;
    if (sts_pattern(value, pattern) != STATUS_OK)
        return wrong(r, "an mx of it is no host name");
    r->mx[r->policy->mx_count] = arena_strdup(r->arena, pattern);
    return r->mx[r->policy->mx_count++] ? STATUS_OK : STATUS_NOMEM;
}

/* sts-policy-ext-value: visible octets and blanks between them, UTF-8 included. */
static bool is_policy_value(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

static enum status take_line(struct reading *r, struct slice line)
{
    struct slice value, name = cut_at(line, ':', &value);

    if (!value.p || !is_field_name(name))
        return wrong(r, "a line of it is not NAME: VALUE");
    value = without_blanks(value);
    /* Of these the first counts, and the others are ignored, whatever they say (3.2). */
    if (slice_eq(name, SLICE_LIT("version")))
        return r->version ? STATUS_OK : take_version(r, value);
    if (slice_eq(name, SLICE_LIT("mode")))
        return r->mode ? STATUS_OK : take_mode(r, value);
    if (slice_eq(name, SLICE_LIT("max_age")))
        return r->max_age ? STATUS_OK : take_max_age(r, value);
    if (slice_eq(name, SLICE_LIT("mx")))
        return take_mx(r, value);
    return is_policy_value(value) ? STATUS_OK : wrong(r, "a field of it has no value, or control characters");
}

static enum status is_whole(struct reading *r)
{
    if (!r->version)
        return wrong(r, "it has no version");
    if (!r->mode)
        return wrong(r, "it has no mode");
    if (!r->max_age)
        return wrong(r, "it has no max_age");
    if (!r->policy->mx_count && r->policy->mode != STS_NONE)
        return wrong(r, "it has no mx that names a host");
    return STATUS_OK;
}

enum status sts_policy_read(struct arena *arena, struct slice file, struct sts_policy *out, const char **why)
{
    struct reading r = {.arena = arena, .policy = out, .why = "out of memory"};
    enum status s = STATUS_OK;
    struct slice rest = file;

    *out = (struct sts_policy){.mode = STS_NONE};
    *why = "it is longer than 64 KiB";
    if (file.n > STS_FILE)
        return STATUS_LIMIT;
    out->mx = r.mx = ARENA_ARRAY(arena, const char *, file.n / STS_MX_LINE + 1);
    if (!r.mx)
        s = STATUS_NOMEM;
    while (s == STATUS_OK && rest.p && rest.n) {
        struct slice line = cut_at(rest, '\n', &rest);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n)
            s = take_line(&r, line);
    }
    if (s == STATUS_OK)
        s = is_whole(&r);
    *why = s == STATUS_OK ? NULL : r.why;
    return s;
}

bool sts_mx_matches(const char *pattern, const char *host)
{
    const char *parent;

    if (strncmp(pattern, "*.", 2) != 0)
        return strcmp(pattern, host) == 0;
    parent = domain_parent(host);
    return parent && strcmp(pattern + 2, parent) == 0;
}

const char *sts_mode_name(enum sts_mode m)
{
    return m == STS_ENFORCE ? "enforce" : m == STS_TESTING ? "testing" : "none";
}
