-- SPDX-License-Identifier: BSD-2-Clause
--
-- organisations.sql - which organisations meet all that the policy asks, as views for Grafana and other tools. Load it into the ledger once:
--     sqlite3 /var/lib/assay/ledger.db <organisations.sql        psql DATABASE -f organisations.sql
-- The same on SQLite and PostgreSQL. assay-ledger writes what they show as it takes findings in (at most ten minutes later): the figures of
-- assay report (assay-report(1)) for the 30 days up to the newest day that has mail; a test holds that both say the same. Our own domains
-- are left out. Each view answers within 100 ms on ten million findings (tests/bench/bench_report.py).
--
--   assay_organisation        org, mails (not forged), met, explained, untested, stopped, state: meets, explained, misses, untested, not-asked
--   assay_organisation_state  how many organisations are in each state
--   assay_standard_state      the same for each standard, of the organisations of which it is asked
--   assay_group_state         the same for each list of the policy, of all that is asked
--   assay_share_day           by day, list ('' all organisations) and standard ('' all that is asked): how many organisations say anything
--                             (told: meets, explained and misses) and how many of them meet it, in the 30 days up to that day
--   assay_coverage            hours of those 30 days, and how many of them have findings. Below 80 % say so beside every share.
DROP VIEW IF EXISTS assay_group_state;
DROP VIEW IF EXISTS assay_organisation_state;
DROP VIEW IF EXISTS assay_organisation;
DROP VIEW IF EXISTS assay_standard_state;
DROP VIEW IF EXISTS assay_share_day;
DROP VIEW IF EXISTS assay_coverage;

CREATE VIEW assay_organisation AS SELECT org, mails, met, explained, untested, stopped, state FROM org_state;

CREATE VIEW assay_organisation_state AS
SELECT state, organisations FROM org_state_count
WHERE day = (SELECT max(day) FROM org_state_count) AND list = '' AND standard = '';

CREATE VIEW assay_standard_state AS
SELECT standard, state, organisations FROM org_state_count
WHERE day = (SELECT max(day) FROM org_state_count) AND list = '' AND standard <> '';

CREATE VIEW assay_group_state AS
SELECT list, state, organisations FROM org_state_count
WHERE day = (SELECT max(day) FROM org_state_count) AND list <> '' AND standard = '';

CREATE VIEW assay_share_day AS
SELECT day, list, standard, sum(organisations) AS told, sum(CASE WHEN state = 'meets' THEN organisations ELSE 0 END) AS meets
FROM org_state_count WHERE state IN ('meets', 'explained', 'misses') GROUP BY day, list, standard;

CREATE VIEW assay_coverage AS
SELECT 720 AS hours, count(DISTINCT hour) AS hours_seen FROM standard_hour
WHERE hour >= ((SELECT max(day) FROM org_state_count) - 29) * 24 AND hour < ((SELECT max(day) FROM org_state_count) + 1) * 24;
