# SPDX-License-Identifier: BSD-2-Clause
"""ask.py - the questions of `assay ledger` and `assay why`: counted by hand, the same on both databases, in every form,
before and after taking in.

    ask.py BUILD FOLDER POSTGRES-URI
"""
import csv
import io
import json
import os
import subprocess
import sys

BUILD, FOLDER, URI = sys.argv[1:4]
DAY = '2026-11-18'


def fail(text):
    sys.exit('ask: ' + text)


def check(got, want, what):
    if got != want:
        fail(f'{what}: {got!r}, not {want!r}')


def mail(n, sender, result, action, **more):
    line = dict(standard='dmarc', subject=sender, result=result, level='follow', action=action, statement='L7', reason='because it failed')
    line.update(more.pop('line', {}))
    record = dict(
        v=1,
        t=f'{DAY}T10:00:{n:02d}.000001Z',
        host='mx1',
        kind='mail',
        id=f'Q{n}',
        message_id=f'<{n}@{sender}>',
        source='internet',
        client='192.0.2.9',
        helo='h',
        mail_from=sender,
        rcpts=1,
        policy='abcd1234',
        verdict=dict(action=more.pop('done', action), would=action, statement='L7', text='550 no'),
        lines=[line],
        findings=[
            dict(standard='spf', subject=sender, result='temperror' if n == 3 else 'pass', security='insecure'),
            dict(standard='dkim', subject=sender, selector='s\x1b[31m', algorithm='rsa-sha256', bits=1024, result='pass'),
            dict(standard='dmarc', subject=sender, result=result, security='secure'),
        ],
    )
    record.update(more)
    record['from'] = sender
    return record


OTHER_DAY = '2026-11-17'
UNTIL = f'The ledger holds what was found until {DAY} 11:00:00; newer findings come within a minute.'
RECORDS = [
    dict(v=1, t=f'{DAY}T00:00:00Z', host='mx1', kind='segment', segment='ask', writer='milter'),
    mail(1, 'good.example', 'pass', 'deliver'),
    mail(2, 'good.example', 'pass', 'deliver'),
    mail(3, 'bad.example', 'fail', 'reject', reference='K3V7QX2M5A', client='198.51.100.7', rcpt_domains=['office.example.org']),
    mail(4, 'bad.example', 'fail', 'reject', done='deliver'),
    mail(5, 'excused.example', 'fail', 'tag', line=dict(exemption='L9')),
    mail(6, 'late.example', 'fail', 'quarantine', line=dict(expired='L8')),
    mail(7, '=cmd.example', 'none', 'deliver'),
    dict(v=1, t=f'{DAY}T11:00:00Z', host='r1', kind='names', zone='unsigned.example', state='insecure', count=50, reason='no DS'),
    dict(v=1, t=f'{DAY}T11:00:00Z', host='r1', kind='names', zone='signed.example', state='secure', count=30, algorithm=[13], bits=256),
    dict(v=1, t=f'{DAY}T11:00:00Z', host='r1', kind='note', note='lost', dropped=4, lost=5, error='No space left on device'),
]


def run(*arguments, code=0):
    done = subprocess.run([BUILD + '/assay', *arguments], capture_output=True, text=True, env=dict(os.environ, TZ='UTC'))
    if done.returncode != code:
        fail(f'{arguments} ended with {done.returncode}, not {code}: {done.stdout}{done.stderr}')
    return done.stdout if code == 0 else done.stderr


def policy(name, store):
    with open(f'{FOLDER}/{name}', 'w') as out:
        out.write(
            f'policy "x" owner "p@example.org"\nset journal.dir "{FOLDER}/journal"\nset ledger.store "{store}"\n'
            f'set ledger.knowledge "{FOLDER}/knowledge"\n'
        )
    return f'{FOLDER}/{name}'


def journal():
    with open(FOLDER + '/journal/milter-20261118T000000Z-00000001.journal', 'w') as out:
        out.writelines(json.dumps(r) + '\n' for r in RECORDS)


def searches(path):
    def known_as(*words):
        return [json.loads(line)['t'][17:19] for line in run('why', *words, '--json', '-P', path).splitlines()]

    check(known_as('K3V7QX2M5A'), ['03'], 'why by reference')
    check(known_as('k3v7qx2m5a'), ['03'], 'why by reference, as typed')
    check('reference    K3V7QX2M5A' in run('why', 'K3V7QX2M5A', '-P', path), True, 'why shows the reference')
    check(known_as('--client', '198.51.100.0/24'), ['03'], 'why by network')
    check(known_as('--client', '198.51.100.7', '--from', 'x@bad.example'), ['03'], 'why by client and sender')
    check(known_as('--to-domain', 'example.org'), ['03'], 'why by recipient')
    check(known_as('--from', 'bad.example'), ['04', '03'], 'why by sender, the newest first')
    check(known_as('--from', 'bad.example', '-n', '1'), ['04'], 'why -n')
    check(len(known_as('--since', DAY)), 7, 'why since')
    listed = run('why', '--from', 'bad.example', '-P', path)
    check('Q4' in listed and 'Q3' in listed and '198.51.100.7' in listed, True, 'why lists')
    check('dmarc: because it failed' in listed, True, 'why: the reason of what was done')
    check('dmarc=pass' in run('why', '--from', 'good.example', '-P', path), True, 'why: nothing failed')
    check(known_as('--since', DAY, '--until', DAY + ' 10:00:02'), ['01'], 'why until')
    check(len(known_as('--since', DAY, '--until', DAY)), 7, 'why until a day: its end')
    check('no such mail' in run('why', '--since', DAY, '--until', OTHER_DAY, '-P', path, code=66), True, 'why until the day before')
    check('no such mail' in run('why', '--client', '198.51.100.8', '-P', path, code=66), True, 'why: another client')
    check('no such mail' in run('why', '--from', 'bad.example', '--client', '192.0.2.8', '-P', path, code=66), True, 'why: both')
    check('no such mail' in run('why', '--to-domain', 'example.net', '-P', path, code=66), True, 'why finds none')
    for words, says in (
        ([], 'needs a queue ID'),
        (['--from', 'a b'], '--from wants a domain'),
        (['--client', 'x'], '--client wants an address'),
        (['Q3', '--from', 'bad.example'], 'either'),
    ):
        check(says in run('why', *words, '-P', path, code=64), True, f'why {words}')


def forged(path):
    """Mail that failed everything and comes from a network that its domain never used is counted as stopped forgery."""

    def strict(n, client):
        m = mail(n, 'victim.example', 'fail', 'reject', client=client)
        m['findings'] = [
            dict(standard='spf', subject='victim.example', result='fail'),
            dict(standard='dmarc', subject='victim.example', result='fail', applied='reject', p='reject'),
        ]
        return m

    def recorded(n):
        m = mail(n, 'little.example', 'fail', 'deliver', client='203.0.113.77')
        m['t'] = f'{OTHER_DAY}T09:00:{n:02d}Z'
        return m

    passed = mail(40, 'victim.example', 'pass', 'deliver', client='198.51.100.9')
    head = dict(v=1, t=f'{DAY}T00:00:00Z', host='mx1', kind='segment', segment='forged', writer='milter')
    weak = [mail(n, 'little.example', 'fail', 'quarantine', client='203.0.113.77') for n in (45, 46)]
    for m in weak:
        m['findings'] = [dict(standard='dmarc', subject='little.example', result='fail', applied='none', p='none')]
    with open(FOLDER + '/journal/milter-20261118T000000Z-00000002.journal', 'w') as out:
        all_strict = [*(strict(n, '203.0.113.9') for n in (41, 42, 43)), strict(44, '198.51.100.200')]
        for r in (head, passed, *all_strict, *weak, recorded(50), recorded(51)):
            out.write(json.dumps(r) + '\n')
    subprocess.run([BUILD + '/assay-ledger', '-1', '-P', path, '-S', FOLDER], check=True, capture_output=True)
    rows = json.loads(run('ledger', 'stopped', '--json', '-P', path))
    check([(r['domain'], r['mails']) for r in rows], [('victim.example', 3)], 'stopped')
    rows = json.loads(run('ledger', 'unexplained', '--json', '-P', path))
    check([r['count'] for r in rows if r['subject'] == 'victim.example'], [1], 'unexplained: the one from the domain\'s own network')
    little = [(r['count'], r['may_be_forged']) for r in rows if r['subject'] == 'little.example']
    check(little, [(2, 2)], 'too little seen to tell')
    check([r['may_be_forged'] for r in rows if r['subject'] == 'victim.example'], [0], 'what is not forged')
    said = run('ledger', 'unexplained', '-P', path)
    check('Do not ask its owner to mend anything yet.' in said, True, 'unexplained: what may be forged')
    said = run('ledger', 'unexplained', '--since', OTHER_DAY, '--until', OTHER_DAY, '-P', path)
    check('The policy asks nothing of 2 mails that failed DMARC' in said, True, 'unexplained: only recorded')
    check('all that was seen' in said, False, 'unexplained: not all meets the policy')
    said = run('report', '--since', OTHER_DAY, '--until', OTHER_DAY, '-P', path)
    check('nothing is asked of it yet' in said and 'all that was seen' not in said, True, 'report: only recorded')
    check('3 forged mails are not counted' in run('ledger', 'unexplained', '-P', path), True, 'unexplained says so')
    page = json.loads(run('report', '--json', '-P', path))
    check([(r['domain'], r['mails']) for r in page['stopped']], [('victim.example', 3)], 'report: stopped')
    check([r['count'] for r in page['unexplained'] if r['subject'] == 'victim.example'], [1], 'report: unexplained')
    check([r['may_be_forged'] for r in page['unexplained'] if r['subject'] == 'little.example'], [2], 'report: may be forged')


def popular(path):
    """A domain of which much is seen: what decides is behind many mails that do not."""
    day = '2026-11-16'

    def one(n, result, action, client, hour):
        m = mail(n, 'popular.example', result, action, client=client)
        m.update(t=f'{day}T{hour:02d}:00:{n - 100:02d}Z', id=f'P{n}')
        m['findings'] = [dict(standard='dmarc', subject='popular.example', result=result, applied='none', p='none')]
        return m

    records = [dict(v=1, t=f'{day}T00:00:00Z', host='mx1', kind='segment', segment='popular', writer='milter')]
    records.append(one(101, 'pass', 'deliver', '203.0.113.200', 1))  # a network of its own, long ago
    records += [one(102, 'fail', 'quarantine', '192.0.2.99', 2), one(103, 'fail', 'quarantine', '2001:db8:0:100::1', 2)]
    records += [one(n, 'pass', 'deliver', '198.51.100.9', 3) for n in range(110, 150)]
    records += [one(n, 'fail', 'quarantine', '203.0.113.9', 4) for n in (150, 151)]
    records += [one(152, 'fail', 'quarantine', '198.51.100.10', 4), one(153, 'pass', 'deliver', '2001:db8:0:200::1', 1)]
    with open(FOLDER + '/journal/milter-20261116T000000Z-00000003.journal', 'w') as out:
        out.writelines(json.dumps(r) + '\n' for r in records)
    subprocess.run([BUILD + '/assay-ledger', '-1', '-P', path, '-S', FOLDER], check=True, capture_output=True)
    check(len(json.loads(run('ledger', 'refused', '--json', '--since', day, '--until', day, '-P', path))), 5, 'refused on a day')
    rows = json.loads(run('ledger', 'stopped', '--json', '--since', day, '--until', day, '-P', path))
    check([(r['domain'], r['mails']) for r in rows], [('popular.example', 1)], 'stopped: only from where nothing passed')
    rows = json.loads(run('ledger', 'unexplained', '--json', '--since', day, '--until', day, '-P', path))
    check([(r['subject'], r['count']) for r in rows], [('popular.example', 4)], 'unexplained: from where something passed')


def answers(path):
    def ask(*words):
        return json.loads(run('ledger', *words, '--json', '-P', path))

    answers_by_domain(ask)
    answers_about_mail(ask)
    answers_about_names_and_hosts(ask)
    answers_why(path)
    searches(path)
    answers_as_csv(path)


def answers_by_domain(ask):
    rows = ask('domain', 'bad.example')
    check(
        [(r['what'], r['standard'], r['result'], r['count'], r['statement']) for r in rows],
        [
            ('mail seen', 'dkim', 'pass', 2, ''),
            ('mail seen', 'dmarc', 'fail', 2, ''),
            ('mail seen', 'spf', 'pass', 1, ''),
            ('mail seen', 'spf', 'temperror', 1, ''),
            ('reject', 'dmarc', 'fail', 2, 'L7'),
        ]
        if rows[2]['result'] == 'pass'
        else [
            ('mail seen', 'dkim', 'pass', 2, ''),
            ('mail seen', 'dmarc', 'fail', 2, ''),
            ('mail seen', 'spf', 'temperror', 1, ''),
            ('mail seen', 'spf', 'pass', 1, ''),
            ('reject', 'dmarc', 'fail', 2, 'L7'),
        ],
        'domain',
    )
    check(
        {
            (r['standard'], r['count'], r['pass'], r['fail'], r['none'], r['unsure'])
            for r in ask('standards', '--by', 'day', '--since', DAY)
        },
        {('spf', 7, 85.7, 0.0, 0.0, 14.2), ('dkim', 7, 100.0, 0.0, 0.0, 0.0), ('dmarc', 7, 28.5, 57.1, 14.2, 0.0)},
        'standards',
    )


def answers_about_mail(ask):
    check(
        [(r['from'], r['action'], r['would'], r['id'], r['reason']) for r in ask('refused', '--since', DAY)],
        [
            ('late.example', 'quarantine', 'quarantine', 'Q6', 'dmarc: because it failed'),
            ('bad.example', 'deliver', 'reject', 'Q4', 'dmarc: because it failed'),
            ('bad.example', 'reject', 'reject', 'Q3', 'dmarc: because it failed'),
        ],
        'refused',
    )
    check([(r['subject'], r['count']) for r in ask('top', '--standard', 'dmarc')][0], ('bad.example', 2), 'top')
    check(
        [(r['subject'], r['action'], r['count'], r['expired']) for r in ask('unexplained')],
        [('bad.example', 'reject', 2, ''), ('late.example', 'quarantine', 1, 'L8')],
        'unexplained',
    )
    check([(r['domain'], r['bits'], r['count']) for r in ask('selectors', 'good.example')], [('good.example', 1024, 2)], 'selectors')
    check(
        [(r['mail_from'], r['reference']) for r in ask('refused', '--since', DAY)],
        [('late.example', ''), ('bad.example', ''), ('bad.example', 'K3V7QX2M5A')],
        'refused: MAIL FROM and reference',
    )


def answers_about_names_and_hosts(ask):
    check(
        [(r['from'], r['standard'], r['count'], r['pass']) for r in ask('standards', '--names', '--since', DAY)],
        [('2026-11-16', 'dnssec', 80, 37.5)],
        'standards of names',
    )
    check(
        [(r['subject'], r['scope'], r['count']) for r in ask('top', '--standard', 'dnssec', '--state', 'insecure')],
        [('unsigned.example', 'names', 50)],
        'top of names',
    )
    check(
        [(r['host'], r['mails'], r['names'], r['dropped'], r['lost']) for r in ask('hosts')],
        [('mx1', 7, 0, 0, 0), ('r1', 0, 80, 4, 5)],
        'hosts',
    )


def answers_why(path):
    check(json.loads(run('why', 'Q3', '--json', '-P', path))['id'], 'Q3', 'why')
    check('by line      L7' in run('why', '3@bad.example', '-P', path), True, 'why by Message-ID without brackets')
    check('Excused by' in run('why', '<5@excused.example>', '-P', path) and 'L9' in run('why', 'Q5', '-P', path), True, 'why, excused')
    check("no mail with queue ID, Message-ID or reference 'Q99'" in run('why', 'Q99', '-P', path, code=66), True, 'why of none')


def answers_as_csv(path):
    cells = list(csv.DictReader(io.StringIO(run('ledger', 'refused', '--csv', '--since', DAY, '-P', path))))
    check([c['id'] for c in cells], ['Q6', 'Q4', 'Q3'], 'csv')
    text = run('ledger', 'selectors', 'good.example', '-P', path)
    check('\x1b' in text, False, 'a terminal\'s escape in a table')
    cells = list(csv.reader(io.StringIO(run('ledger', 'domain', 'bad.example', '--csv', '-P', path))))
    check(len(cells), 6, 'rows of csv')


def report(path):
    got = json.loads(run('report', '--since', DAY, '--until', DAY, '--json', '-P', path))
    check(
        {(r['action'], r['would'], r['mails']) for r in got['mail']},
        {('deliver', 'deliver', 3), ('reject', 'reject', 1), ('deliver', 'reject', 1), ('tag', 'tag', 1), ('quarantine', 'quarantine', 1)},
        'report: mail',
    )
    check(
        {(r['standard'], r['mails'], r['met'], r['before'], r['failed']) for r in got['standards']},
        {('spf', 7, 85.7, None, 0.0), ('dkim', 7, 100.0, None, 0.0), ('dmarc', 7, 28.5, None, 57.1)},
        'report: standards',
    )
    check(
        [(r['subject'], r['action'], r['count'], r['ended']) for r in got['unexplained']],
        [('bad.example', 'reject', 2, ''), ('late.example', 'quarantine', 1, 'L8')],
        'report: unexplained',
    )
    check(
        [(r['scope'], r['standard'], r['domains'], r['count'], r['because']) for r in got['explained']],
        [('L9', 'dmarc', 1, 1, None)],
        'report: explained',
    )
    check([(r['state'], r['names'], r['share']) for r in got['names']], [('insecure', 50, 62.5), ('secure', 30, 37.5)], 'report: names')
    check([(r['zone'], r['count']) for r in got['zones']], [('unsigned.example', 50)], 'report: zones')
    check(got['about_us'], [], 'report: about us')
    check([(r['host'], r['dropped'], r['lost']) for r in got['hosts']], [('mx1', 0, 0), ('r1', 4, 5)], 'report: hosts')
    later = json.loads(run('report', '--since', '2026-11-19', '--until', '2026-11-19', '--json', '-P', path))
    check(
        {(r['standard'], r['mails'], r['before']) for r in later['standards']},
        {('spf', 0, 85.7), ('dkim', 0, 100.0), ('dmarc', 0, 28.5)},
        'report: the day before',
    )
    run('report', '--since', DAY, '--html', FOLDER + '/www', '-P', path)
    page = open(FOLDER + '/www/explained.html').read() + open(FOLDER + '/www/names.html').read()
    check('>unsigned.example<' in page and '>bad.example<' in page, True, 'the pages\' cells')  # the rest: tests/system/report
    check('Mail that did not meet the policy, by domain' in run('report', '-P', path), True, 'report as text')
    check(
        'zones\nzone,state,count\nunsigned.example,insecure,50\n\n' in run('report', '--since', DAY, '--csv', '-P', path).replace('\r', ''),
        True,
        'report as csv',
    )
    check('lies behind' in run('report', '--since', '2026-11-19', '--until', DAY, '-P', path, code=64), True, 'report: usage')
    check('Not a directory' in run('report', '--html', path + '/x', '-P', path, code=73), True, 'report: no folder')


def usage():
    path = FOLDER + '/sqlite'
    for words, says in (
        (['domain'], "'domain' needs a"),
        (['domain', 'a', 'b'], "unexpected argument 'b'"),
        (['domain', 'bad name'], 'no domain name'),
        (['top'], '--standard wants'),
        (['top', '--standard', 'x'], '--standard wants'),
        (['hosts', '--since', '1d'], "unknown option '--since'"),
        (['standards', '--by', 'x'], '--by wants'),
        (['standards', '--since', 'soon'], "--since: 'soon' is not a time"),
        (['refused', '-n', '0'], 'a number'),
        (['nonsense'], 'no command'),
        (['refused', '-n', 'x'], 'a number'),
        (['forget', 'a b'], 'neither'),
        (['forget', 'good.example'], 'say --yes'),
    ):
        check(says in run('ledger', *words, *([] if words[0] == 'nonsense' else ['-P', path]), code=64), True, f'usage {words}')
    check('there is no ledger' in run('ledger', 'hosts', '--store', FOLDER + '/none.db', code=66), True, 'no ledger')
    check('not a database' in run('ledger', 'hosts', '--store', FOLDER + '/sqlite', code=65), True, 'not a ledger')
    check('cannot read' in run('ledger', 'hosts', '-P', FOLDER + '/none', code=78), True, 'no policy')


def main():
    os.makedirs(FOLDER + '/journal')
    subprocess.run(['psql', '-qX', URI, '-c', 'DROP SCHEMA public CASCADE', '-c', 'CREATE SCHEMA public'], check=True, capture_output=True)
    count = 0
    for name, store in (('sqlite', FOLDER + '/ledger.db'), ('postgres', URI)):
        path = policy(name, store)
        journal()
        shown = [json.loads(line) for line in run('ledger', 'show', '--json', '-P', path).splitlines()]
        check(len(shown), 10, 'show')
        check(
            [json.loads(line)['id'] for line in run('ledger', 'show', '--json', '--domain', 'bad.example', '-P', path).splitlines()],
            ['Q3', 'Q4'],
            'show --domain',
        )
        check(len(run('ledger', 'show', '-n', '3', '-P', path).splitlines()), 4, 'show -n')
        check('by line      L7' in run('why', 'Q3', '-P', path), True, 'why from the journal')
        searches(path)
        subprocess.run([BUILD + '/assay-ledger', '-1', '-P', path, '-S', FOLDER], check=True, capture_output=True)
        check(run('ledger', 'show', '-P', path), 'Nothing in the journals.\n', 'show of what was taken in')
        answers(path)
        report(path)
        forged(path)
        popular(path)
        check('entries about good.example.' in run('ledger', 'forget', '--yes', 'good.example', '-P', path), True, 'forget')
        gone = run('ledger', 'domain', 'good.example', '-P', path).splitlines()
        check(gone[0], 'Nothing was seen of this domain.', 'domain forgotten')
        check(gone[1:], [UNTIL], 'an empty answer says until when the ledger knows')
        for words in (['refused'], ['unexplained'], ['top', '--standard', 'dmarc']):
            empty = run('ledger', *words, '--since', '2026-11-20', '-P', path).splitlines()
            check(empty[-1], UNTIL, f'an empty answer of {words[0]}')
            check(json.loads(run('ledger', *words, '--since', '2026-11-20', '--json', '-P', path)), [], f'{words[0]} for programs')
        count += 1
    usage()
    print(f'every question the same on {count} databases, from the journal and from the ledger')


main()
