// SPDX-License-Identifier: BSD-2-Clause
/*
 * migrate.h - from opendmarc, opendkim and postfix-policyd-spf-python to a policy: what is read, and what is written.
 *
 * migrate_read() reads the three configurations and the files they name; migrate_write() turns them into the policy's
 * text and says of every option what became of it. Both touch nothing: changes go into the set of `struct harden`, and
 * everything that is not understood is reported with harden_refuse() at once. migrate.def lists each option and what
 * becomes of it.
 *
 * Memory: the arena of `struct harden`. Threads: one.
 */
#ifndef ASSAY_CLI_HARDEN_MIGRATE_H
#define ASSAY_CLI_HARDEN_MIGRATE_H

#include "base/buf.h"
#include "base/ip.h"
#include "cli/harden/harden.h"

enum migrate_program { MIGRATE_OPENDMARC, MIGRATE_OPENDKIM, MIGRATE_POLICYD, MIGRATE_PROGRAMS };
enum migrate_class { MIGRATE_BECOMES, MIGRATE_NOTHING, MIGRATE_CANNOT, MIGRATE_SIGNS };

#define MIGRATE_MAX_VALUES 1024   /* options set, in all files */
#define MIGRATE_MAX_LINE 4096     /* octets of one line */
#define MIGRATE_MAX_INCLUDES 5    /* levels of Include, as opendkim has it */
#define MIGRATE_MAX_ENTRIES 20000 /* hosts or domains of one option */

struct migrate_option {
    enum migrate_program program;
    const char *name;
    enum migrate_class class;
    const char *initial, *words;
};

struct migrate_value {
    const struct migrate_option *option;
    const char *file, *text;
    unsigned line;
    bool beaten; /* set again further down */
};

/* Where the configurations lie; NULL: Debian's place, and none is not an error. */
struct migrate_paths {
    const char *of[MIGRATE_PROGRAMS];
};

struct migrate {
    struct harden *h;
    bool found[MIGRATE_PROGRAMS];
    struct migrate_value *values;
    size_t count;
    bool signs; /* opendkim has keys to sign with, and the mode for it */
};

/* What an option names: networks, and names (domains or hosts, as typed). Arrays in the arena. */
struct migrate_set {
    struct ip_net *nets;
    const char **names;
    size_t net_count, name_count, net_room, name_room;
};

const char *migrate_program_name(enum migrate_program p);

/* false: refused. */
bool migrate_read(struct migrate *m, const struct migrate_paths *paths);

/* The value in force as written, or NULL if it is not set. migrate_text: else its initial value. */
const struct migrate_value *migrate_value(const struct migrate *m, enum migrate_program p, const char *name);
const char *migrate_text(const struct migrate *m, enum migrate_program p, const char *name);

/* A switch, as the program itself reads it. A value that is neither is refused. */
bool migrate_switch(const struct migrate *m, enum migrate_program p, const char *name);

/* The entries of an option's value, or of the file it names. false: refused. v NULL: empty. */
bool migrate_entries(struct migrate *m, const struct migrate_value *v, struct migrate_set *set);

/* The path of the file that holds the entries, where the value says so; else NULL. */
const char *migrate_named_file(const struct migrate_value *v);

/* The policy in `text`, and on the terminal what became of each option. false: refused. */
bool migrate_write(struct migrate *m, struct buf *text);

/* All of it: reads, writes, proposes the policy (h->policy is then that one), and says what Postfix must lose. */
bool migrate(struct harden *h, const struct migrate_paths *paths, bool anew);

#endif
