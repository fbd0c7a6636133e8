// SPDX-License-Identifier: BSD-2-Clause
/*
 * prober_start.h - starts assay-milter's prober (judge/prober.h), if the policy wants one, and says where it may
 * connect.
 */
#ifndef ASSAY_MILTER_PROBER_START_H
#define ASSAY_MILTER_PROBER_START_H

#include "milter/daemon.h"

/* Starts a prober if `set dane.probe` names anybody; NULL if not, or when out of threads. After that, a reload follows
 * changes to the list of names; the other settings, and a first name where there was none, need a restart. */
struct prober *prober_start(struct daemon *d);

#endif
