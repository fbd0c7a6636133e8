// SPDX-License-Identifier: BSD-2-Clause
/*
 * settings.c - the table of settings.def, and one policy's values.
 *
 * Promises that every setting always has a value of its type within its range: the default until a `set` changes it. A
 * bad value changes nothing, and the caller gets a text that says what would be right. Numbers with units are stored in
 * seconds and octets. NAMES of several lines are combined; of all other settings the last line counts.
 */
#include "base/domain.h"
#include "policy/model.h"
#include "policy/policy_settings.h"
#include "base/words.h"
#include <stdio.h>
#include <stdlib.h>

enum setting_type {
    WORD,
    TEXT,
    PATH,
    NUMBER,
    SECONDS,
    BYTES,
    SWITCH,
    NAMES,
    ADDRESS,
    SOCKET,
    STORE,
    MODE,
    FIELD,
    NAME
};

struct setting {
    const char *name;
    enum setting_type type;
    const char *preset;
    int64_t minimum, maximum; /* minimum below 0: 0, or at least as much (OR_0) */
    const char *words;
    const char *help;
};

/* Tells whether a text is of a setting's type; `why` then says what it takes. */
typedef enum status check_text(const struct setting *s, struct slice v, char why[256]);

#define OR_0(n) (-(n))

/* The table's fifth column is a number, or the words of a WORD. */
#define AS_WORDS(m) _Generic((m), char *: (m), const char *: (m), default: NULL)
#define AS_NUMBER(m) _Generic((m), char *: 0, const char *: 0, default: (m))
#define SETTING(id, name, type, preset, minimum, maximum, help)                                                        \
    {name, type, preset, minimum, AS_NUMBER(maximum), AS_WORDS(maximum), help},
static const struct setting table[] = {
#include "policy/settings.def"
};
#undef SETTING
#undef OR_0

#define COUNT SETTING_COUNT

size_t setting_count(void)
{
    return COUNT;
}

size_t setting_find(struct slice name)
{
    size_t i = 0;
    while (i < COUNT && !slice_eq(slice_str(table[i].name), name))
        i++;
    return i;
}

const char *setting_nearest(struct slice name)
{
    const char *names[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        names[i] = table[i].name;
    return words_nearest(name, names, COUNT);
}

/* Digits and perhaps a unit of the letters in `units`, each `factors` times the one before it. false when it is none.
 */
static bool number_of(struct slice v, const char *units, const int64_t *factors, int64_t *out)
{
    int64_t n = 0;
    size_t i = 0;
    for (; i < v.n && v.p[i] >= '0' && v.p[i] <= '9'; i++) {
        if (n > INT64_MAX / 10 - 9)
            return false;
        n = n * 10 + (v.p[i] - '0');
    }
    if (i == 0 || v.n - i > 1)
        return false;
    if (i < v.n) {
        const char *unit = strchr(units, v.p[i]);
        if (!unit || n > INT64_MAX / factors[unit - units])
            return false;
        n *= factors[unit - units];
    }
    *out = n;
    return true;
}

static bool number_by_type(enum setting_type type, struct slice v, int64_t *out)
{
    static const int64_t seconds[] = {1, 60, 3600, 86400, 604800},
                         octets[] = {1024, 1024, 1048576, 1048576, 1073741824, 1073741824};
    switch (type) {
    case NUMBER:
        return number_of(v, "", seconds, out);
    case SECONDS:
        return number_of(v, "smhdw", seconds, out);
    case BYTES:
        return number_of(v, "kKmMgG", octets, out);
    default:
        *out = slice_eq(v, SLICE_LIT("yes")) || slice_eq(v, SLICE_LIT("on"));
        return *out || slice_eq(v, SLICE_LIT("no")) || slice_eq(v, SLICE_LIT("off"));
    }
}

static enum status check_number(const struct setting *s, struct slice v, int64_t *out, char why[256])
{
    static const char *const forms[] = {[NUMBER] = "a number",
                                        [SECONDS] = "a time: 12s, 5m, 4h, 2d",
                                        [BYTES] = "a size: 10k, 5M, 1G",
                                        [SWITCH] = "yes or no"};
    if (!number_by_type(s->type, v, out)) {
        snprintf(why, 256, "%s takes %s", s->name, forms[s->type]);
        return STATUS_INVALID;
    }
    const int64_t least = llabs(s->minimum);
    if ((least || s->maximum) && (*out < least || *out > s->maximum) && (*out != 0 || s->minimum >= 0)) {
        const char *unit = s->type == SECONDS ? " seconds" : s->type == BYTES ? " octets" : "";
        snprintf(why, 256, "%s takes %s%lld to %lld%s", s->name, s->minimum < 0 ? "0, or " : "", (long long)least,
                 (long long)s->maximum, unit);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status check_word(const struct setting *s, struct slice v, char why[256])
{
    const char *p = s->words;
    while (p && *p) {
        size_t n = strcspn(p, "|");
        if (slice_eq(v, slice_of(p, n)))
            return STATUS_OK;
        p += n + (p[n] == '|');
    }
    snprintf(why, 256, "%s takes one of %s", s->name, s->words ? s->words : "");
    return STATUS_INVALID;
}

/* An address of a server: ip, ip@port, host, host@port, several with commas; the details are the user's of the setting.
 */
static enum status check_address(const struct setting *s, struct slice v, char why[256])
{
    while (v.n) {
        const char *comma = memchr(v.p, ',', v.n);
        struct slice one = slice_trim(comma ? slice_of(v.p, (size_t)(comma - v.p)) : v), host = one;
        const char *at = one.n ? memchr(one.p, '@', one.n) : NULL;
        int64_t port = 1, none = 1;
        char name[LIMIT_DOMAIN + 1];
        struct ip ip;
        if (at) {
            host = slice_of(one.p, (size_t)(at - one.p));
            if (!number_of(slice_from(one, host.n + 1), "", &none, &port))
                port = 0;
        }
        if (port < 1 || port > 65535 ||
            (ip_from_text(host, &ip) != STATUS_OK && domain_from_text(host, name) != STATUS_OK)) {
            snprintf(why, 256, "%s takes addresses: 192.0.2.1, 192.0.2.1@5353, 2001:db8::1", s->name);
            return STATUS_INVALID;
        }
        v = comma ? slice_from(v, (size_t)(comma - v.p) + 1) : SLICE_NULL;
    }
    return STATUS_OK;
}

static enum status check_path(const struct setting *s, struct slice v, char why[256])
{
    if (v.n == 0 || v.p[0] == '/')
        return STATUS_OK;
    snprintf(why, 256, "%s takes a path that begins with /", s->name);
    return STATUS_INVALID;
}

static bool begins(struct slice v, const char *with)
{
    size_t n = strlen(with);
    return v.n >= n && memcmp(v.p, with, n) == 0;
}

/* A host name or an address, perhaps in brackets: whether there is such a one shows when the socket is opened. */
static bool is_host(struct slice host)
{
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] <= ' ' || host.p[i] == '@' || (unsigned char)host.p[i] >= 0x7f)
            return false;
    return host.n > 0 && host.n < 256;
}

/* unix:/PATH (local:/PATH), inet:PORT, inet:PORT@HOST, inet6:PORT@HOST; empty: none. */
static enum status check_socket(const struct setting *s, struct slice v, char why[256])
{
    int64_t port = 0, one = 1;
    if (v.n == 0 || begins(v, "unix:/") || begins(v, "local:/"))
        return STATUS_OK;
    if (begins(v, "inet:") || begins(v, "inet6:")) {
        struct slice number = slice_from(v, (size_t)((const char *)memchr(v.p, ':', v.n) - v.p) + 1), host = number;
        const char *at = memchr(number.p, '@', number.n);
        number.n = at ? (size_t)(at - number.p) : number.n;
        host = slice_from(host, at ? number.n + 1 : number.n);
        if (number_of(number, "", &one, &port) && port >= 1 && port <= 65535 && (!at || is_host(host)))
            return STATUS_OK;
    }
    snprintf(why, 256, "%s takes unix:/PATH or inet:PORT@HOST", s->name);
    return STATUS_INVALID;
}

static enum status check_store(const struct setting *s, struct slice v, char why[256])
{
    if (begins(v, "/") || begins(v, "postgresql://") || begins(v, "postgres://"))
        return STATUS_OK;
    snprintf(why, 256, "%s takes a file's path that begins with / (SQLite), or postgresql://USER@HOST/DATABASE",
             s->name);
    return STATUS_INVALID;
}

/* Permissions in octal, of at most 0777. */
static enum status check_mode(const struct setting *s, struct slice v, char why[256])
{
    bool octal = v.n >= 3 && v.n <= 4 && (v.n == 3 || v.p[0] == '0');
    for (size_t i = 0; octal && i < v.n; i++)
        octal = v.p[i] >= '0' && v.p[i] <= '7';
    if (octal)
        return STATUS_OK;
    snprintf(why, 256, "%s takes permissions as three octal digits: 0660", s->name);
    return STATUS_INVALID;
}

/* Fields that say who wrote a message, how it came and how it is read (RFC 5322 3.6, RFC 2045 3, RFC 8601), and what
 * begins like one of them: a second one would change what readers see. */
static bool is_taken_name(struct slice name)
{
    static const char *const names[] = {"From",         "Sender",       "Reply-To",       "To",
                                        "Cc",           "Bcc",          "Date",           "Message-ID",
                                        "In-Reply-To",  "References",   "Subject",        "Received",
                                        "Return-Path",  "MIME-Version", "DKIM-Signature", "Authentication-Results",
                                        "Assay-Verdict"};
    static const char *const beginnings[] = {"ARC-", "Content-", "Resent-"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq_nocase(name, slice_str(names[i])))
            return true;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (name.n > strlen(beginnings[i]) && strncasecmp(name.p, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* "NAME: VALUE", both of visible ASCII (RFC 5322 2.2); empty: none. */
static enum status check_field(const struct setting *s, struct slice v, char why[256])
{
    const char *colon = v.n ? memchr(v.p, ':', v.n) : NULL;
    const size_t name = colon ? (size_t)(colon - v.p) : 0;
    bool good = v.n == 0 || (name && slice_trim(slice_from(v, name + 1)).n);
    for (size_t i = 0; good && i < v.n; i++)
        good = v.p[i] > (i < name ? ' ' : ' ' - 1) && v.p[i] < 0x7f;
    if (good && !is_taken_name(slice_of(v.p, name)))
        return STATUS_OK;
    snprintf(why, 256, "%s takes a header field%s: X-Spam-Flag: YES", s->name,
             good ? " of its own, not one that says who wrote a message or how it came" : "");
    return STATUS_INVALID;
}

static bool is_ascii(struct slice v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] > 127)
            return false;
    return true;
}

/* A domain name, perhaps in Unicode, or another word that needs no quotes in a header field (RFC 2045 5.1); a slash and
 * a job may follow. Empty: none. */
static enum status check_name(const struct setting *s, struct slice v, char why[256])
{
    char domain[LIMIT_DOMAIN + 1];
    bool good = is_ascii(v) || domain_from_text(v, domain) == STATUS_OK;
    for (size_t i = 0; good && i < v.n; i++)
        good = (unsigned char)v.p[i] > ' ' && v.p[i] != 0x7f && !strchr("()<>@,;:\\\"[]?=", v.p[i]);
    if (good)
        return STATUS_OK;
    snprintf(why, 256, "%s takes a name without blanks: mx.example.org", s->name);
    return STATUS_INVALID;
}

static enum status add_name(struct setting_value *to, struct slice name)
{
    char domain[LIMIT_DOMAIN + 1];
    bool added;
    enum status s = domain_from_text(name, domain);
    return s == STATUS_OK ? keyset_add_domain(&to->names, domain, &added) : s;
}

/* One name, or `list NAME`, which was found before: its number comes behind a NUL-free marker the parser wrote ("list
 * NAME"). */
static enum status store_name(struct policy *p, const struct setting *s, struct setting_value *to, struct slice v,
                              char why[256])
{
    if (v.n > 5 && memcmp(v.p, "list ", 5) == 0) {
        struct list **more = ARENA_ARRAY(p->arena, struct list *, to->list_count + 1);
        char *key = arena_printf(p->arena, "0 %.*s", SLICE_ARG(slice_from(v, 5)));
        uint64_t *number = key ? map_get(&p->list_names, slice_str(key)) : NULL;
        if (!more || !number)
            return more && key ? STATUS_MISSING : STATUS_NOMEM;
        if (to->list_count)
            memcpy(more, to->lists, to->list_count * sizeof *more);
        more[to->list_count++] = p->lists[*number];
        p->lists[*number]->used = true;
        to->lists = more;
    } else {
        enum status st = add_name(to, v);
        if (st != STATUS_OK) {
            snprintf(why, 256, "%s takes domain names, or list NAME", s->name);
            return st == STATUS_NOMEM ? st : STATUS_INVALID;
        }
    }
    const char *text = to->text && *to->text ? arena_printf(p->arena, "%s, %.*s", to->text, SLICE_ARG(v))
                                             : arena_copy(p->arena, v.p, v.n);
    if (!text)
        return STATUS_NOMEM;
    to->text = text;
    return STATUS_OK;
}

static check_text *const checks[] = {
    [WORD] = check_word,   [PATH] = check_path, [ADDRESS] = check_address, [SOCKET] = check_socket,
    [STORE] = check_store, [MODE] = check_mode, [FIELD] = check_field,     [NAME] = check_name};

bool policy_setting_takes(enum setting_id id, struct slice value)
{
    const struct setting *s = &table[id];
    char why[256];
    return s->type >= sizeof checks / sizeof *checks || !checks[s->type] || checks[s->type](s, value, why) == STATUS_OK;
}

enum status setting_store(struct policy *p, size_t i, struct slice v, uint32_t item, char why[256])
{
    const struct setting *s = &table[i];
    struct setting_value *to = &p->settings[i];
    enum status st = STATUS_OK;
    char domain[LIMIT_DOMAIN + 1];
    int64_t number = 0;
    *why = '\0';
    if (s->type == NUMBER || s->type == SECONDS || s->type == BYTES || s->type == SWITCH)
        st = check_number(s, v, &number, why);
    else if (s->type < sizeof checks / sizeof *checks && checks[s->type])
        st = checks[s->type](s, v, why);
    else if (s->type == NAMES && v.n)
        st = store_name(p, s, to, v, why);
    if (st != STATUS_OK)
        return st;
    if (s->type != NAMES) {
        if (s->type == NAME && !is_ascii(v) && domain_from_text(v, domain) == STATUS_OK)
            v = slice_str(domain);
        const char *text = arena_copy(p->arena, v.p, v.n);
        if (!text)
            return STATUS_NOMEM;
        to->text = text;
    }
    to->number = number;
    to->item = item;
    return STATUS_OK;
}

enum status settings_init(struct policy *p)
{
    char why[256];
    p->settings = ARENA_ARRAY(p->arena, struct setting_value, COUNT);
    if (!p->settings)
        return STATUS_NOMEM;
    for (size_t i = 0; i < COUNT; i++) {
        keyset_init(&p->settings[i].names, p->seed);
        p->settings[i].text = "";
        enum status s = setting_store(p, i, slice_str(table[i].preset), 0, why);
        if (s == STATUS_NOMEM)
            return s;
    }
    return STATUS_OK;
}

void settings_release(struct policy *p)
{
    for (size_t i = 0; p->settings && i < COUNT; i++)
        keyset_release(&p->settings[i].names);
}

const char *policy_setting_name(enum setting_id id)
{
    return table[id].name;
}

const char *policy_set_text(const struct policy *p, enum setting_id id)
{
    return p->settings[id].text;
}

int64_t policy_set_number(const struct policy *p, enum setting_id id)
{
    return p->settings[id].number;
}

bool policy_set_is_given(const struct policy *p, enum setting_id id)
{
    return p->settings[id].item;
}

bool policy_set_is(const struct policy *p, enum setting_id id, const char *word)
{
    return strcmp(policy_set_text(p, id), word) == 0;
}

bool policy_set_has(const struct policy *p, enum setting_id id, const char *domain)
{
    const struct setting_value *v = &p->settings[id];
    if (!domain || (!v->names.count && !v->list_count))
        return false;
    struct keyset_name n;
    keyset_name(p->seed, domain, &n);
    if (keyset_longest(&v->names, &n))
        return true;
    for (size_t i = 0; i < v->list_count; i++)
        if (keyset_longest(&v->lists[i]->keys, &n))
            return true;
    return false;
}

bool policy_setting_at(const struct policy *p, size_t i, struct policy_setting *out)
{
    static const char *const types[] = {
        [WORD] = "word",   [TEXT] = "text",        [PATH] = "path",          [NUMBER] = "number",   [SECONDS] = "time",
        [BYTES] = "size",  [SWITCH] = "yes|no",    [NAMES] = "names",        [ADDRESS] = "address", [SOCKET] = "socket",
        [STORE] = "store", [MODE] = "permissions", [FIELD] = "header field", [NAME] = "name"};
    if (i >= COUNT)
        return false;
    const struct setting *s = &table[i];
    *out = (struct policy_setting){.name = s->name,
                                   .type = types[s->type],
                                   .preset = s->preset,
                                   .help = s->help,
                                   .words = s->words,
                                   .minimum = llabs(s->minimum),
                                   .or_0 = s->minimum < 0,
                                   .maximum = s->maximum};
    out->value = p ? p->settings[i].text : s->preset;
    out->set = p && policy_set_is_given(p, (enum setting_id)i);
    return true;
}
