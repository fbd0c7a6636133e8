-- SPDX-License-Identifier: BSD-2-Clause
--
-- organisations.sql - which organisations meet all that the policy asks, as views for Grafana and other tools. Load it into the ledger once:
--     sqlite3 /var/lib/assay/ledger.db <organisations.sql        psql DATABASE -f organisations.sql
-- The same on SQLite and PostgreSQL. The time is the last 30 days up to the newest day of the ledger. The rules are those of assay report
-- (assay-report(1)), and a test holds that both say the same; our own domains are not taken out here, since the ledger does not know them.
--
--   assay_organisation        org, mails (not forged), met, explained, untested, stopped, state: meets, explained, misses, untested, not-asked
--   assay_organisation_state  how many organisations are in each state
--   assay_group_state         the same for each list of the policy
DROP VIEW IF EXISTS assay_group_state;
DROP VIEW IF EXISTS assay_organisation_state;
DROP VIEW IF EXISTS assay_organisation;

CREATE VIEW assay_organisation AS
WITH span AS (
    SELECT max(day) AS until_day, max(day) - 29 AS since_day, max(day) - 90 AS before_day, (max(day) - 89) * 86400000000 AS back FROM org_day
), sums AS (
    SELECT d.org AS org, sum(d.mails) AS mails, sum(d.met) AS met, sum(d.explained) AS explained, sum(d.untested) AS untested,
        sum(CASE WHEN d.asked = '' THEN d.mails ELSE 0 END) AS not_asked
    FROM org_day d, span WHERE d.day >= span.since_day AND d.day <= span.until_day GROUP BY d.org
), places AS (
    SELECT f.org AS org, f.net AS net, sum(f.count) AS n, sum(f.strict) AS strict
    FROM org_failed_day f, span WHERE f.day >= span.since_day AND f.day <= span.until_day AND f.standard = ''
    GROUP BY f.org, f.net
), steady AS (
    SELECT f.org AS org, f.net AS net FROM org_failed_day f, span
    WHERE f.day > span.before_day AND f.day <= span.until_day AND f.standard IN ('', 'signed')
    GROUP BY f.org, f.net HAVING count(DISTINCT f.day) >= 3
), passes AS (
    SELECT s.org AS org, sum(s.passed) AS passed FROM org_source s, span WHERE s.last_seen >= span.back GROUP BY s.org
), forged AS (
    SELECT p.org AS org, sum(CASE WHEN x.passed >= 20 THEN p.n ELSE p.strict END) AS n
    FROM places p LEFT JOIN passes x ON x.org = p.org
    WHERE NOT EXISTS (SELECT 1 FROM org_source o, span WHERE o.org = p.org AND o.net = p.net AND o.last_seen >= span.back)
        AND NOT EXISTS (SELECT 1 FROM steady WHERE steady.org = p.org AND steady.net = p.net)
    GROUP BY p.org
), told AS (
    SELECT s.org AS org, s.mails - COALESCE(f.n, 0) AS mails, s.met AS met, s.explained AS explained, s.untested AS untested,
        COALESCE(f.n, 0) AS stopped,
        CASE WHEN s.met + s.explained + s.untested + s.not_asked <= s.mails - COALESCE(f.n, 0) THEN s.not_asked
            WHEN s.not_asked > s.met + s.explained + s.untested + s.not_asked - s.mails + COALESCE(f.n, 0)
            THEN s.mails - COALESCE(f.n, 0) - s.met - s.explained - s.untested ELSE 0 END AS not_asked
    FROM sums s LEFT JOIN forged f ON f.org = s.org
)
SELECT org, mails, met, explained, untested, stopped,
    CASE WHEN mails - untested - not_asked <= 0 THEN CASE WHEN untested > 0 THEN 'untested' ELSE 'not-asked' END
        WHEN met * 100 >= (mails - untested - not_asked) * 95 THEN 'meets'
        WHEN (met + explained) * 100 >= (mails - untested - not_asked) * 95 THEN 'explained'
        ELSE 'misses' END AS state
FROM told WHERE mails >= 5;

CREATE VIEW assay_organisation_state AS SELECT state, count(*) AS organisations FROM assay_organisation GROUP BY state;

CREATE VIEW assay_group_state AS
SELECT g.name AS list, o.state AS state, count(DISTINCT o.org) AS organisations
FROM org_group_day g JOIN assay_organisation o ON o.org = g.org
WHERE g.day >= (SELECT max(day) - 29 FROM org_day) GROUP BY g.name, o.state;
