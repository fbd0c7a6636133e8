// SPDX-License-Identifier: BSD-2-Clause
/*
 * day.h - what an option answers that takes a date.
 *
 * Threads: one.
 */
#ifndef ASSAY_CLI_DAY_H
#define ASSAY_CLI_DAY_H

/* What is wanted instead of `value`, as OPTIONS_TAKE's functions say it: "a day: February 2026 has 28 days" where it
 * begins like 2026-02-30, which is no day; else `form`, which says how dates are written. Valid until the next call. */
const char *cli_day_wanted(const char *value, const char *form);

#endif
