// SPDX-License-Identifier: BSD-2-Clause
/*
 * organisation_states.h - what organisations_ask() says of the last month, kept in tables of its own, so that SQL (the
 * views of contrib/grafana) has the report's own figures, at once, and a figure of each day.
 *
 * org_state: of each organisation, the newest only. org_state_count: how many organisations are in each state, by day;
 * list ''  all of them, else those that stood in that list of the policy within the month; standard '' all that is
 * asked, else that one. A day's counts are those of its last ingest and are not changed later.
 */
#ifndef ASSAY_LEDGER_ORGANISATION_STATES_H
#define ASSAY_LEDGER_ORGANISATION_STATES_H

#include "ledger/store.h"
#include "policy/policy.h"

#define ORGANISATION_STATES_DAYS 30 /* that a state is of */

/* Writes both, as of the newest day that has mail; nothing if there is none. Our own domains are left out. On
 * PostgreSQL in one transaction; on SQLite the states in many short ones, so that no other writer waits for long.
 * Statuses as store_run(), or STATUS_NOMEM. */
enum status organisation_states_keep(struct store *s, const struct policy *p) MUST_CHECK;

#endif
