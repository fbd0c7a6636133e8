// SPDX-License-Identifier: BSD-2-Clause
/*
 * libmilter.h - passes what libmilter reports to callbacks.c, and the answers of callbacks.c to libmilter.
 *
 * Threads: libmilter_describe() is called once, at start. libmilter then calls the callbacks from a thread for each
 * connection.
 */
#ifndef ASSAY_MILTER_LIBMILTER_H
#define ASSAY_MILTER_LIBMILTER_H

struct smfiDesc;

/* Fills in the description of this filter for smfi_register(). */
void libmilter_describe(struct smfiDesc *out);

#endif
