-- SPDX-License-Identifier: BSD-2-Clause
-- Questions to the ledger, for SQLite and PostgreSQL alike. The tables are described in assay-ledger(8): days count from 1970-01-01 (UTC),
-- times are microseconds since then.

-- Which share of the mail met each standard, by day, the last 30 days there are.
SELECT day, standard, sum(count) AS mails,
       sum(CASE WHEN result = 'pass' THEN count ELSE 0 END) * 100.0 / sum(count) AS pass_percent
FROM standard_day
WHERE scope = 'mail' AND day > (SELECT max(day) FROM standard_day) - 30
GROUP BY day, standard ORDER BY day, standard;

-- Domains that failed DMARC most in the last 30 days there are, and how much of their mail did.
SELECT subject, sum(CASE WHEN result = 'fail' THEN count ELSE 0 END) AS failed, sum(count) AS mails
FROM subject_day WHERE standard = 'dmarc' AND scope = 'mail' AND day > (SELECT max(day) FROM standard_day) - 30
GROUP BY subject HAVING sum(CASE WHEN result = 'fail' THEN count ELSE 0 END) > 0
ORDER BY failed DESC, subject LIMIT 20;

-- Who would be hit if `require dmarc` took the place of `follow dmarc`: no pass, and not refused today.
SELECT subject, result, sum(count) AS mails
FROM subject_day
WHERE standard = 'dmarc' AND scope = 'mail' AND result <> 'pass' AND day > (SELECT max(day) FROM standard_day) - 30
GROUP BY subject, result ORDER BY mails DESC, subject LIMIT 50;

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

-- Unsigned zones that the resolver was asked for most: those that are unsigned by the newest answer.
SELECT z.name, z.count, z.reason FROM zone z
WHERE z.state = 'insecure' AND NOT EXISTS (SELECT 1 FROM zone n WHERE n.name = z.name AND n.last_seen > z.last_seen)
ORDER BY z.count DESC, z.name LIMIT 50;

-- Zones that are bogus by the newest answer, and why.
SELECT z.name, z.count, z.reason FROM zone z
WHERE z.state = 'bogus' AND NOT EXISTS (SELECT 1 FROM zone n WHERE n.name = z.name AND n.last_seen > z.last_seen)
ORDER BY z.last_seen DESC, z.name LIMIT 50;

-- DMARC reports that did not go out, by reason (assay ledger suppressed).
SELECT state, reason, count(*) AS reports, sum(mails) AS mails, max(day) AS last
FROM report_out WHERE state NOT IN ('sent', 'answered') GROUP BY state, reason ORDER BY reports DESC, reason;

-- What others report about our domains: sources that failed both ways. Reports that anyone may have written are left out.
SELECT w.domain, w.source, w.header_from, sum(w.count) AS mails, max(w.detail) AS detail
FROM report_in i JOIN report_in_row w ON w.kind = i.kind AND w.org = i.org AND w.report_id = i.report_id AND w.domain = i.domain
WHERE i.ours = 1 AND i.authenticated <> 0 AND w.kind = 'dmarc' AND w.dkim <> 'pass' AND w.spf <> 'pass'
GROUP BY w.domain, w.source, w.header_from ORDER BY mails DESC, w.source LIMIT 50;

-- TLS failures that others had when they sent to us.
SELECT w.header_from, w.result, w.detail, sum(w.count) AS sessions
FROM report_in i JOIN report_in_row w ON w.kind = i.kind AND w.org = i.org AND w.report_id = i.report_id AND w.domain = i.domain
WHERE i.ours = 1 AND i.authenticated <> 0 AND w.kind = 'tls' AND w.result <> 'pass'
GROUP BY w.header_from, w.result, w.detail ORDER BY sessions DESC;

-- Hosts that lost findings, or that have been silent longest.
SELECT name, dropped, lost, last_seen FROM host ORDER BY lost + dropped DESC, last_seen;
