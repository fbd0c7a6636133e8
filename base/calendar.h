// SPDX-License-Identifier: BSD-2-Clause
/*
 * calendar.h - says why a date that is written in the right form names no day.
 *
 * Pure; any thread.
 */
#ifndef ASSAY_BASE_CALENDAR_H
#define ASSAY_BASE_CALENDAR_H

#include "base/slice.h"

#define CALENDAR_FAULT 64

/* NULL: `day` is not written like 2027-03-31 (RFC 3339 full-date), or there is such a day. Else out, with the reason:
 * "February 2026 has 28 days", "months are numbered from 01 to 12". */
const char *calendar_fault(struct slice day, char out[CALENDAR_FAULT]);

#endif
