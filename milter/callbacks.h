// SPDX-License-Identifier: BSD-2-Clause
/*
 * callbacks.h - what is done at each step of an SMTP session, the same for both protocol engines (mta.h). Nothing is
 * judged or decided here. One thread at a time for one session.
 */
#ifndef ASSAY_MILTER_CALLBACKS_H
#define ASSAY_MILTER_CALLBACKS_H

#include "milter/mta.h"

extern const struct mta_callbacks callbacks;

#endif
