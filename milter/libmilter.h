// SPDX-License-Identifier: BSD-2-Clause
/*
 * libmilter.h - hands what libmilter tells to callbacks.c, and its answers to libmilter.
 */
#ifndef ASSAY_MILTER_LIBMILTER_H
#define ASSAY_MILTER_LIBMILTER_H

struct smfiDesc;

/* Fills in the description of this filter for smfi_register(). */
void libmilter_describe(struct smfiDesc *out);

#endif
