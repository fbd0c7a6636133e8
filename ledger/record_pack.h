// SPDX-License-Identifier: BSD-2-Clause
/*
 * record_pack.h - how the text of a journal's record is stored in a column: compressed.
 *
 * A stored text is either the record as it stands (an object of JSON), or '1' and the base64 of its raw deflate
 * stream (RFC 1951), made with a dictionary of the words that records consist of. Text, not octets: both databases
 * store and compare it in the same way.
 *
 * Threads: a packer belongs to one thread at a time.
 */
#ifndef ASSAY_LEDGER_RECORD_PACK_H
#define ASSAY_LEDGER_RECORD_PACK_H

#include "base/buf.h"
#include "base/status.h"

/* A record is never longer than this (INGEST_LINE_KEPT): more is not unpacked. */
#define RECORD_PACK_MAX 65536

struct record_packer;

struct record_packer *record_packer_new(void); /* NULL: out of memory */
struct record_packer *record_packer_free(struct record_packer *p);

/* The stored form of a record. Good until the next call. Where memory runs out, or the text is longer than
 * RECORD_PACK_MAX, the text itself. */
const char *record_pack(struct record_packer *p, const char *text);

/* The record of a stored form. Good until the next call. NULL: damaged, or made by a newer version. */
const char *record_unpack(struct record_packer *p, const char *stored);

#endif
