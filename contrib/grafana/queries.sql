-- SPDX-License-Identifier: BSD-2-Clause
-- Questions to the ledger, for SQLite and PostgreSQL alike. The tables are described in assay-ledger(8): days count from 1970-01-01 (UTC),
-- times are microseconds since then.

-- Which share of the mail met each standard, by day, the last 30 days there are.
SELECT day, standard, sum(count) AS mails,
       sum(CASE WHEN result = 'pass' THEN count ELSE 0 END) * 100 / sum(count) AS pass_percent
FROM standard_day
WHERE scope = 'mail' AND day > (SELECT max(day) FROM standard_day) - 30
GROUP BY day, standard ORDER BY day, standard;

-- Domains that fail DMARC most, and how much of their mail does.
SELECT subject, sum(CASE WHEN result = 'fail' THEN count ELSE 0 END) AS failed, sum(count) AS mails
FROM subject_day WHERE standard = 'dmarc' AND scope = 'mail'
GROUP BY subject HAVING sum(CASE WHEN result = 'fail' THEN count ELSE 0 END) > 0
ORDER BY failed DESC LIMIT 20;

-- Who would be hit if `require dmarc` took the place of `follow dmarc`: no pass, and not refused today.
SELECT subject, result, sum(count) AS mails
FROM subject_day WHERE standard = 'dmarc' AND scope = 'mail' AND result <> 'pass'
GROUP BY subject, result ORDER BY mails DESC LIMIT 50;

-- Exemptions and trusts, and how often each was used.
SELECT exemption, trust, standard, count(DISTINCT subject) AS domains, sum(count) AS mails
FROM outcome_day WHERE exemption <> '' OR trust <> ''
GROUP BY exemption, trust, standard ORDER BY mails DESC;

-- Exemptions that ended and would still be needed.
SELECT expired, standard, subject, sum(count) AS mails
FROM outcome_day WHERE expired <> ''
GROUP BY expired, standard, subject ORDER BY mails DESC;

-- DKIM keys of less than 2048 bits that still sign.
SELECT domain, selector, algorithm, bits, sum(count) AS signatures
FROM selector WHERE bits > 0 AND bits < 2048 AND algorithm LIKE 'rsa%'
GROUP BY domain, selector, algorithm, bits ORDER BY signatures DESC LIMIT 50;

-- Unsigned zones that the resolver was asked for most.
SELECT name, count, reason FROM zone WHERE state = 'insecure' ORDER BY count DESC LIMIT 50;

-- Zones that were bogus, and why.
SELECT name, count, reason FROM zone WHERE state = 'bogus' ORDER BY last_seen DESC LIMIT 50;

-- DMARC reports that did not go out.
SELECT day, domain, destination, state, reason, tries FROM report_out WHERE state <> 'sent' ORDER BY day DESC, domain;

-- What others report about us: sources that failed both ways.
SELECT w.domain, w.source, w.header_from, sum(w.count) AS mails, max(w.detail) AS detail
FROM report_in_row w WHERE w.kind = 'dmarc' AND w.dkim <> 'pass' AND w.spf <> 'pass'
GROUP BY w.domain, w.source, w.header_from ORDER BY mails DESC LIMIT 50;

-- TLS failures that others had when they sent to us.
SELECT w.header_from, w.result, w.detail, sum(w.count) AS sessions
FROM report_in_row w WHERE w.kind = 'tls' AND w.result <> 'pass'
GROUP BY w.header_from, w.result, w.detail ORDER BY sessions DESC;

-- Hosts that lost findings, or that have been silent longest.
SELECT name, dropped, lost, last_seen FROM host ORDER BY lost + dropped DESC, last_seen;
