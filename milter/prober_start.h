// SPDX-License-Identifier: BSD-2-Clause
/*
 * prober_start.h - assay-milter's prober (judge/prober.h): whether there is one, and where it may connect.
 */
#ifndef ASSAY_MILTER_PROBER_START_H
#define ASSAY_MILTER_PROBER_START_H

#include "milter/daemon.h"

/* A prober where `set dane.probe` names anybody; NULL where not, or when out of threads. The settings are those of
 * the start: a change of dane.probe's names is heeded at a reload, its first name and the other settings at a
 * restart. */
struct prober *prober_start(struct daemon *d);

#endif
