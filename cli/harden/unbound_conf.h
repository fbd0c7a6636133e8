// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_conf.h - Unbound's configuration as Unbound reads it: all files in the order of their includes.
 *
 * Reads unbound.conf's syntax (unbound.conf(5)): "clause:" and "name: value ...", free in lines and blanks, values bare
 * or within ' or ", comments from # to the end of a line, include: and include-toplevel: with wildcards. It does not
 * know what a name means. Limits: UNBOUND_STATEMENTS, UNBOUND_DEPTH, EDIT_MAX_FILE octets a file.
 */
#ifndef ASSAY_CLI_HARDEN_UNBOUND_CONF_H
#define ASSAY_CLI_HARDEN_UNBOUND_CONF_H

#include "cli/harden/harden.h"

#define UNBOUND_STATEMENTS 200000
#define UNBOUND_DEPTH 10

struct unbound_statement {
    const char *name;   /* "module-config"; of a clause "server" */
    const char *values; /* as they stand, quotes included; NULL: it begins a clause */
    const char *file;
    unsigned line;
};

struct unbound_conf {
    struct unbound_statement *at;
    size_t count, room;
};

/* The file of a statement module-config that stands for what assay-unbound-prepare writes at each start. */
#define UNBOUND_OURS "/run/assay-unbound/*.conf"

/* Reads all files, as the proposed changes in h->set leave them; the file `to` counts as existing. false: refused. A
 * file that is missing is not an error (Unbound passes over a pattern that matches nothing). */
bool unbound_conf_read(struct harden *h, const char *path, const char *to, struct unbound_conf *out);

/* A value without its quotes. */
const char *unbound_bare(struct arena *a, const char *values);

/* The clause that statement i stands in; "" before the first. */
const char *unbound_clause(const struct unbound_conf *c, size_t i);

#endif
