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
#include "policy/setting_types.h"
#include "base/words.h"
#include <stdio.h>
#include <stdlib.h>

struct setting {
    const char *name;
    enum setting_type type;
    const char *preset;
    int64_t minimum, maximum; /* minimum below 0: 0, or at least as much (OR_0); of a text: it may be empty (OR_NONE) */
    const char *words;
    const char *help;
};

#define OR_0(n) (-(n))
#define OR_NONE (-1)

/* The table's fifth column is a number, or the words of a WORD. */
#define AS_WORDS(m) _Generic((m), char *: (m), const char *: (m), default: NULL)
#define AS_NUMBER(m) _Generic((m), char *: 0, const char *: 0, default: (m))
#define SETTING(id, name, type, preset, minimum, maximum, help)                                                        \
    {name, TYPE_##type, preset, minimum, AS_NUMBER(maximum), AS_WORDS(maximum), help},
static const struct setting table[] = {
#include "policy/settings.def"
};
#undef SETTING
#undef OR_0
#undef OR_NONE

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

static bool number_by_type(enum setting_type type, struct slice v, int64_t *out)
{
    static const int64_t seconds[] = {1, 60, 3600, 86400, 604800},
                         octets[] = {1024, 1024, 1048576, 1048576, 1073741824, 1073741824};
    switch (type) {
    case TYPE_NUMBER:
        return setting_number(v, "", seconds, out);
    case TYPE_SECONDS:
        return setting_number(v, "smhdw", seconds, out);
    case TYPE_BYTES:
        return setting_number(v, "kKmMgG", octets, out);
    default:
        *out = slice_eq(v, SLICE_LIT("yes")) || slice_eq(v, SLICE_LIT("on"));
        return *out || slice_eq(v, SLICE_LIT("no")) || slice_eq(v, SLICE_LIT("off"));
    }
}

static enum status check_number(const struct setting *s, struct slice v, int64_t *out, char why[256])
{
    static const char *const forms[] = {[TYPE_NUMBER] = "a number",
                                        [TYPE_SECONDS] = "a time: 12s, 5m, 4h, 2d",
                                        [TYPE_BYTES] = "a size: 10k, 5M, 1G",
                                        [TYPE_SWITCH] = "yes or no"};
    if (!number_by_type(s->type, v, out)) {
        snprintf(why, 256, "%s takes %s", s->name, forms[s->type]);
        return STATUS_INVALID;
    }
    const int64_t least = llabs(s->minimum);
    if ((least || s->maximum) && (*out < least || *out > s->maximum) && (*out != 0 || s->minimum >= 0)) {
        const char *unit = s->type == TYPE_SECONDS ? " seconds" : s->type == TYPE_BYTES ? " octets" : "";
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

/* A text of the types in setting_types.h. */
static enum status check_text(const struct setting *s, struct slice v, char why[256])
{
    const bool may_be_empty = !*s->preset || s->minimum < 0;
    const char *wants = !v.n && may_be_empty ? NULL : setting_type_wants(s->type, v);
    if (v.n > POLICY_TEXT_MAX) { /* words with commas between them; a string ends there by itself */
        snprintf(why, 256, "%s takes at most %u octets", s->name, POLICY_TEXT_MAX);
        return STATUS_INVALID;
    }
    if (!wants)
        return STATUS_OK;
    snprintf(why, 256, "%s takes %s", s->name, wants);
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

static bool is_number(const struct setting *s)
{
    return s->type == TYPE_NUMBER || s->type == TYPE_SECONDS || s->type == TYPE_BYTES || s->type == TYPE_SWITCH;
}

static enum status check_value(const struct setting *s, struct slice v, int64_t *number, char why[256])
{
    return is_number(s)           ? check_number(s, v, number, why)
           : s->type == TYPE_WORD ? check_word(s, v, why)
                                  : check_text(s, v, why);
}

bool policy_setting_takes(enum setting_id id, struct slice value)
{
    int64_t number;
    char why[256];
    return check_value(&table[id], value, &number, why) == STATUS_OK;
}

enum status setting_store(struct policy *p, size_t i, struct slice v, uint32_t item, char why[256])
{
    const struct setting *s = &table[i];
    struct setting_value *to = &p->settings[i];
    int64_t number = 0;
    *why = '\0';
    enum status st = s->type != TYPE_NAMES ? check_value(s, v, &number, why)
                     : v.n                 ? store_name(p, s, to, v, why)
                                           : STATUS_OK;
    if (st != STATUS_OK)
        return st;
    if (s->type != TYPE_NAMES) {
        const char *text = setting_type_kept(p->arena, s->type, v);
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
    if (i >= COUNT)
        return false;
    const struct setting *s = &table[i];
    *out = (struct policy_setting){.name = s->name,
                                   .type = setting_type_name(s->type),
                                   .preset = s->preset,
                                   .help = s->help,
                                   .words = s->words,
                                   .minimum = is_number(s) ? llabs(s->minimum) : 0,
                                   .or_0 = is_number(s) && s->minimum < 0,
                                   .maximum = s->maximum};
    out->value = p ? p->settings[i].text : s->preset;
    out->set = p && policy_set_is_given(p, (enum setting_id)i);
    return true;
}
