// SPDX-License-Identifier: BSD-2-Clause
/*
 * callbacks.h - what libmilter calls. See callbacks.c.
 */
#ifndef ASSAY_MILTER_CALLBACKS_H
#define ASSAY_MILTER_CALLBACKS_H

struct smfiDesc;

/* Fills in our callbacks and the protocol flags. */
void callbacks_describe(struct smfiDesc *out);

#endif
