// SPDX-License-Identifier: BSD-2-Clause
/*
 * questions.h - the queries whose exact wording matters for their speed, for the command and for the bench.
 *
 * subject_day has a row for each domain, standard and day. Two partial indexes (store_schema.c) make the domains that
 * did not pass, and of dnssec each state, a range to read; a query uses them only if it contains their condition
 * literally. Columns that are not in the index (first and last seen) are looked up only for the rows shown, not for
 * those counted.
 */
#ifndef ASSAY_LEDGER_QUESTIONS_H
#define ASSAY_LEDGER_QUESTIONS_H

/* $1 standard, $2 result or DNSSEC state, $3 and $4 first and last day, $5 rows: subject, scope, result, security,
 * count, first, last. */
#define QUESTION_TOP(condition)                                                                                        \
    "WITH x AS (SELECT subject, scope, result, security, sum(count) AS n FROM subject_day WHERE standard = $1 "        \
    "AND " condition                                                                                                   \
    " AND day >= $3 AND day <= $4 GROUP BY subject, scope, result, security ORDER BY sum(count) DESC, "                \
    "subject, scope, result, security LIMIT $5) SELECT x.subject, x.scope, x.result, x.security, x.n, (SELECT "        \
    "min(s.first_seen) FROM "                                                                                          \
    "subject_day s WHERE s.subject = x.subject AND s.scope = x.scope AND s.standard = $1 AND s.result = x.result AND " \
    "s.security = x.security AND s.day >= $3 AND s.day <= $4), (SELECT max(s.last_seen) FROM subject_day s WHERE "     \
    "s.subject = x.subject AND s.scope = x.scope AND s.standard = $1 AND s.result = x.result AND s.security = "        \
    "x.security AND s.day >= $3 AND s.day <= $4) FROM x ORDER BY x.n DESC, x.subject, x.scope, x.result, x.security"

#define QUESTION_TOP_NOT_PASSED QUESTION_TOP("result = $2 AND result <> 'pass'")
#define QUESTION_TOP_PASSED QUESTION_TOP("result = $2")
#define QUESTION_TOP_DNSSEC QUESTION_TOP("security = $2 AND standard = 'dnssec'")
#define QUESTION_TOP_SECURITY QUESTION_TOP("security = $2")

/* $1 and $2 first and last day: mails that failed DMARC, and of which the policy asked nothing, nor excused any. */
#define QUESTION_ONLY_RECORDED                                                                                         \
    "SELECT (SELECT COALESCE(sum(count), 0) FROM standard_day WHERE scope = 'mail' AND standard = 'dmarc' AND "        \
    "result IN ('fail', 'permerror') AND day >= $1 AND day <= $2) - (SELECT COALESCE(sum(count), 0) FROM "             \
    "outcome_day WHERE standard = 'dmarc' AND result IN ('fail', 'permerror') AND day >= $1 AND day <= $2)"

#endif
