// SPDX-License-Identifier: BSD-2-Clause
/*
 * model.h - the internal structure of a policy, for policy/ only.
 *
 * Everything hangs on one struct policy: statements in the order read (an included file's stand where its `include`
 * stands, so "the later line" is the higher number), lists, the texts read, and the index that policy_ask walks. The
 * loader fills it, the index is built once, and from then on nothing changes.
 */
#ifndef ASSAY_POLICY_MODEL_H
#define ASSAY_POLICY_MODEL_H

#include "base/arena.h"
#include "policy/keyset.h"
#include "policy/limits.h"
#include "policy/map.h"
#include "policy/policy.h"
#include "policy/report.h"
#include <stdatomic.h>
#include <sys/types.h>

/* What a query can be about: the mail standards by their number, then what is not a mail standard. */
enum slot {
    SLOT_OWN_FROM = STANDARD_MAIL_COUNT,
    SLOT_NAMES,
    SLOT_TRUST,
    SLOT_SUSPEND,
    SLOT_COUNT,
};
#define SLOT_BIT(s) (UINT32_C(1) << (s))

/* One file of the policy language, as read. */
struct unit {
    const char *path;
    const char *shown; /* in messages */
    struct slice text; /* heap, kept for messages and the snapshot */
    unsigned number;   /* 0: the main file; I1, I2, ... the included ones */
    bool earlier;      /* a customer's file with errors, as it was before */
    bool tighten;      /* may only ask more, of what `whom` receives */
    struct policy_party whom;
    uid_t owner;             /* of a tightening file */
    const struct unit *from; /* the including one, or NULL */
    unsigned depth;
};

struct item {
    struct policy_statement s;
    const struct unit *unit;
    struct slice line, word; /* for messages: the first line, and the first word in it */
    struct slice whom_word, who_word;
    uint32_t slots;
    struct list *who_list, *whom_list, *via_list;
    uint32_t whom_id;
    uint32_t next;      /* the next one with the same WHO and WHOM: item number + 1, or 0 */
    uint32_t next_list; /* first ones only: the next list under the same WHOM */
};

struct list {
    const char *name;
    const char *path;
    const struct unit *scope; /* NULL: everybody's; else the tightening file that has it for itself */
    uint32_t item;            /* that defines it */
    bool used;
    struct keyset keys;
    bool has_address;
};

/* One recipient or group of them that statements speak of, and what is said of it. */
struct whom {
    struct policy_party party; /* NONE: statements without `writing to` */
    struct list *list;
    uint32_t everyone;     /* chain of items: number + 1 */
    uint32_t lists;        /* chain of the first items of each list */
    uint32_t label_counts; /* as in a keyset */
    uint64_t prefix4, prefix6[3];
};

struct index_slot {
    uint32_t head; /* item or whom number + 1; 0: free */
    uint32_t hash;
};

struct index {
    struct whom *whoms; /* [0]: NONE */
    size_t whom_count;
    uint32_t whom_label_counts;
    bool whom_addresses, lists_have_addresses;
    uint32_t slots;        /* SLOT_BITs of all that the statements are about */
    uint32_t acting_slots; /* ... in a statement with follow or require */
    uint32_t named_slots;  /* ... in a statement about senders by domain or list: if none, domains need not be hashed */
    struct index_slot *whom_slots, *who_slots;
    size_t whom_slot_count, who_slot_count;
    uint32_t *whom_lists; /* numbers of whoms that are lists */
    size_t whom_list_count;
    size_t octets;
};

struct setting_value {
    const char *text;
    int64_t number;
    uint32_t item; /* number + 1; 0: the default */
    struct keyset names;
    struct list **lists;
    size_t list_count;
};

struct own {
    struct keyset domains, networks, relays;
    uint16_t ports[32];
    size_t port_count;
    bool auth, said;
    uint32_t listeners[POLICY_LISTENERS_MAX]; /* item numbers of `listener` statements */
    size_t listener_count;
};

/* A folder that was included: what it held. */
struct folder {
    const char *path;
    struct slice names; /* each ended by NUL */
    struct folder *next;
};

struct policy {
    _Atomic unsigned refs;
    struct arena *arena;
    uint64_t seed;
    struct item *items;
    size_t item_count, item_size;
    struct unit **units;
    size_t unit_count, unit_size;
    struct list **lists;
    size_t list_count, list_size;
    struct map list_names; /* scope number, name -> list number */
    struct own own;
    struct setting_value *settings;
    struct index index;
    const char *title, *owner;
    time_t loaded_at;
    char hash[9];
    const char *mta_socket, *mta_tls_policy_socket; /* what `assay harden` told the MTA; NULL: nothing */
    struct folder *folders;
    struct folder *left_out; /* customers' files with errors of which nothing is in force: their paths */
};

/* ---- index.c ---- */
enum status index_build(struct policy *p) MUST_CHECK;
void index_release(struct policy *p);
/* ---- settings.c ---- */
size_t setting_count(void);
size_t setting_find(struct slice name); /* setting_count() when there is none */
const char *setting_nearest(struct slice name);
enum status settings_init(struct policy *p) MUST_CHECK;
void settings_release(struct policy *p);
/* Checks a value and keeps it. On STATUS_INVALID `why` says what would be right. */
enum status setting_store(struct policy *p, size_t i, struct slice value, uint32_t item, char why[256]) MUST_CHECK;

/* ---- parts.c: small readers of words ---- */
bool part_standard_takes(enum standard s, enum policy_level l, bool *acts_on_nothing);
uint32_t part_slots(const struct policy_statement *s);

/* ---- canonical.c, quote.c ---- */
void canonical_statement(const struct policy_statement *s, struct buf *out);
void canonical_quote(struct buf *out, const char *text);

/* ---- listener.c ---- */
void listener_canonical(const struct policy_statement *s, struct buf *out);
bool listener_any_enforces(const struct policy *p);

/* ---- lint.c ---- */
void lint(struct policy *p, struct policy_report *r, time_t now);

/* ---- policy.c ---- */
struct policy *policy_new(void); /* empty; NULL without memory */
void policy_release(struct policy *p);

/* ---- loader.c (the loader's own header is load.h) ---- */
struct item *policy_item_add(struct policy *p);
void item_place(const struct item *it, struct place *out);

/* The same for another word of the statement, which may stand on a line of its own further down. */
void item_place_word(const struct item *it, struct slice word, struct place *out);

#endif
