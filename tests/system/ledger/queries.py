# SPDX-License-Identifier: BSD-2-Clause
"""queries.py - the example queries and the dashboard of contrib/grafana, on a ledger that has something for each of them.

    queries.py BUILD FOLDER POSTGRES-URI

Each query and each panel gives the same rows on SQLite and on PostgreSQL, and at least one; a zone that is signed by now is not shown as
unsigned, a domain that failed long ago is not among those that fail most, a report that anyone may have written is not counted. So do the
views of organisations.sql, which say what `assay report --json` says.
"""
import json
import os
import re
import sqlite3
import subprocess
import sys
import time

from checks import Checks

BUILD, FOLDER, URI = sys.argv[1:4]
TODAY = int(time.time()) // 86400
check = Checks('queries')


def run(*arguments):
    done = subprocess.run(list(arguments), capture_output=True, text=True)
    check(done.returncode == 0, f'{arguments}: {done.returncode} {done.stdout}{done.stderr}')
    return done.stdout


def moment(days_ago, hour=12):
    return time.strftime('%Y-%m-%dT', time.gmtime((TODAY - days_ago) * 86400)) + '%02d:00:00Z' % hour


def mail(number, domain, days_ago, result='pass', **line):
    action = line.pop('action', 'deliver' if result == 'pass' else 'quarantine')
    found = dict(standard='dmarc', subject=domain, record=domain, org=domain, result=result, p='none', rua='mailto:r@' + domain)
    signature = dict(standard='dkim', subject=domain, selector='s', algorithm='rsa-sha256', bits=1024, result=result, aligned=True)
    one = dict(standard='dmarc', subject=domain, result=result, level='follow', action=action, statement='L5', **line)
    return {
        **dict(v=1, t=moment(days_ago), host='mx1', kind='mail', id=f'Q{number}', source='internet', client='192.0.2.1'),
        **dict(mail_from=domain, rcpts=1, policy='1a2b3c4d', verdict=dict(action=action, would=action, statement='L5')),
        **dict(lines=[one], findings=[found, signature]),
        'from': domain,
    }


def zone(name, state, days_ago, count, **more):
    return dict(v=1, t=moment(days_ago), host='ns1', kind='names', zone=name, state=state, count=count, first=moment(days_ago),
                last=moment(days_ago), **more)  # fmt: skip


RECORDS = (
    [mail(n, 'fails.example', 2, 'fail') for n in range(3)]
    + [mail(n, 'passes.example', 2) for n in range(10, 13)]
    + [mail(n, 'once.example', 60, 'fail') for n in range(20, 29)]
    + [mail(30, 'excused.example', 2, 'fail', action='deliver', exemption='L9'), mail(31, 'ended.example', 2, 'fail', expired='L8')]
    + [zone('signed-now.example', 'insecure', 6, 900, reason='no DS'), zone('signed-now.example', 'secure', 1, 3)]
    + [zone('unsigned.example', 'insecure', 2, 50, reason='no DS'), zone('bogus.example', 'bogus', 2, 5, reason='expired')]
    + [dict(v=1, t=moment(1), host='mx1', kind='note', note='lost', lost=4)]
    + [mail(40 + n, f'organisation-{n % 3}.example', 1, 'fail' if n % 3 == 0 else 'pass') for n in range(18)]
    + [mail(60 + n, 'fails.example', 1) for n in range(6)]  # our own domain is no correspondent
)


def report(ident, source, domain='fails.example'):
    begin = (TODAY - 2) * 86400
    return (
        f'<feedback><report_metadata><org_name>r.example</org_name><email>a@r.example</email><report_id>{ident}</report_id><date_range>'
        f'<begin>{begin}</begin><end>{begin + 86399}</end></date_range></report_metadata><policy_published><domain>{domain}</domain>'
        f'<p>none</p></policy_published><record><row><source_ip>{source}</source_ip><count>7</count><policy_evaluated><disposition>none'
        '</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>fails.example</header_from>'
        '</identifiers><auth_results/></record></feedback>'
    )


TLS = {
    **{'organization-name': 'r.example', 'contact-info': 'a@r.example', 'report-id': 't1'},
    'date-range': {'start-datetime': moment(2, 0), 'end-datetime': moment(2, 23)},
    'policies': [
        {
            'policy': {'policy-type': 'sts', 'policy-domain': 'fails.example'},
            'summary': {'total-successful-session-count': 1, 'total-failure-session-count': 2},
            'failure-details': [{'result-type': 'certificate-expired', 'failed-session-count': 2}],
        }
    ],
}


def fill(store, name):
    folder = f'{FOLDER}/{name}'
    for sub in ('/journal', '/box/new', '/box/cur'):
        os.makedirs(folder + sub)
    with open(folder + '/policy', 'w') as out:
        out.write(
            f'policy "queries" owner "postmaster@example.org"\nown domains fails.example\nset journal.dir "{folder}/journal"\n'
            f'set ledger.store "{store}"\nset ledger.knowledge "{folder}/knowledge"\nset report.contact "a@example.org"\n'
            'set report.from "a@example.org"\nset report.sendmail "/bin/true"\n'
            f'list known in "{folder}/known.list"\n'
        )
    with open(folder + '/known.list', 'w') as out:
        out.write('organisation-1.example\norganisation-2.example\n')
    with open(folder + '/journal/milter-20261119T000000Z-00000001.journal', 'w') as out:
        head = dict(v=1, t=moment(3), host='mx1', kind='segment', segment=f'queries-{name}-{os.getpid()}', writer='milter')
        for r in (head, *RECORDS):
            out.write(json.dumps(r) + '\n')
    for file, text in (
        ('1.xml', report('d1', '203.0.113.77')),
        ('2.json', json.dumps(TLS)),
        ('3.xml', report('d3', '203.0.113.1', 'x.example')),
    ):
        with open(f'{folder}/{file}', 'w') as out:
            out.write(text)
    with open(folder + '/box/new/1', 'w') as out:
        out.write('Content-Type: text/xml\nSubject: x\n\n' + report('d2', '203.0.113.66'))
    open(folder + '/dns', 'w').close()
    ledger = [BUILD + '/assay', 'ledger']
    run(BUILD + '/assay-ledger', '-1', '-P', folder + '/policy', '-S', folder)
    run(*ledger, 'read-report', *(f'{folder}/{n}' for n in ('1.xml', '2.json', '3.xml')), '-P', folder + '/policy')
    run(*ledger, 'read-report', '--maildir', folder + '/box', '-P', folder + '/policy')
    run(*ledger, 'dmarc-reports', '--dns', folder + '/dns', '-P', folder + '/policy')


def postgres(sql):
    done = subprocess.run(['psql', '-qAtX', '-F', '\x1f', '-v', 'ON_ERROR_STOP=1', URI, '-c', sql], capture_output=True, text=True)
    check(done.returncode == 0, f'{done.stderr}in: {sql}')
    return [plain(line.split('\x1f')) for line in done.stdout.split('\n') if line]


def plain(row):
    """Both write numbers their own way."""
    out = []
    for value in row:
        text = '' if value is None else str(value)
        out.append('%.3f' % float(text) if re.fullmatch(r'-?\d+(\.\d+)?', text) else text)
    return out


def views(db):
    """The views of organisations.sql, loaded twice into each."""
    with open('contrib/grafana/organisations.sql') as file:
        script = file.read()
    for _ in range(2):
        db.executescript(script)
        done = subprocess.run(['psql', '-qX', '-v', 'ON_ERROR_STOP=1', URI], input=script, capture_output=True, text=True)
        check(done.returncode == 0, f'psql: {done.stderr}')
    names = re.findall(r'^CREATE VIEW (\w+)', script, re.M)
    rows = {name: sorted(plain(row) for row in db.execute(f'SELECT * FROM {name}')) for name in names}
    for name in names:
        there = sorted(postgres(f'SELECT * FROM {name}'))
        check(rows[name] and rows[name] == there, f'{name}: {rows[name]} on SQLite, {there} on PostgreSQL')
    said = json.loads(run(BUILD + '/assay', 'report', '--json', '-P', FOLDER + '/sqlite/policy'))
    states = ('meets', 'explained', 'misses', 'untested')
    told = {(row['standard'], s): row[s] for row in said['organisations'] for s in states if row[s]}
    got = {('all', s): int(float(n)) for s, n in rows['assay_organisation_state']}
    got.update({(standard, s): int(float(n)) for standard, s, n in rows['assay_standard_state']})
    check(got == told and told[('all', 'meets')] == 2 and told[('all', 'misses')] == 1, f'views {got}, report {told}')
    lists = {(row['list'], s): row[s] for row in said['lists'] for s in states if row[s]}
    got = {(name, s): int(float(n)) for name, s, n in rows['assay_group_state']}
    check(got == lists == {('known', 'meets'): 2}, f'views {got}, report {lists}')
    check('fails.example' not in [row[0] for row in rows['assay_organisation']], 'our own domain is left out')
    return len(names)


def main():
    subprocess.run(['psql', '-qX', URI, '-c', 'DROP SCHEMA public CASCADE', '-c', 'CREATE SCHEMA public'], check=True, capture_output=True)
    fill(FOLDER + '/ledger.db', 'sqlite')
    fill(URI, 'postgres')
    db = sqlite3.connect(FOLDER + '/ledger.db')
    shown = {}
    queries = re.findall(r'-- ([^\n]*)\n(SELECT.*?);', open('contrib/grafana/queries.sql').read(), re.S)
    for panel in json.load(open('contrib/grafana/dashboard.json'))['panels']:
        queries.append((panel['title'], panel['targets'][0]['rawSql']))
    for title, sql in queries:
        for name, value in (('from', (TODAY - 7) * 86400), ('to', (TODAY + 1) * 86400)):
            sql = sql.replace('${__%s:date:seconds}' % name, str(value))
        check('$' not in sql, f'{title}: a macro that is not replaced: {sql}')
        one, two = [plain(row) for row in db.execute(sql).fetchall()], postgres(sql)
        check(one, f'{title}: no row')
        check(sorted(one) == sorted(two), f'{title}: {one} on SQLite, {two} on PostgreSQL')
        shown[title] = one
    text = {title: json.dumps(rows) for title, rows in shown.items()}
    for title, rows in text.items():
        if 'nsigned zones' in title:
            check('unsigned.example' in rows and 'signed-now' not in rows, f'{title}: {rows}')
        if 'DMARC most' in title:
            check('fails.example' in rows and 'once.example' not in rows, f'{title}: {rows}')
        if 'others report' in title:
            check('203.0.113.77' in rows and '203.0.113.66' not in rows and '203.0.113.1"' not in rows, f'{title}: {rows}')
    count = views(db)
    total = sum(map(len, shown.values()))
    print(f'{count} views, {len(queries)} queries and panels, the same rows on both, {total} in all; {check.count} checks')


main()
