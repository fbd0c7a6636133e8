# SPDX-License-Identifier: BSD-2-Clause
"""failures.py - DMARC failure reports: who gets one, what is in it, and what must not be.

    failures.py BUILD FOLDER STORE

Checked: off by default; fo= of the owner; consent, override and refusal of destinations elsewhere; none about mail with
the null sender, report mail, mail that
comes again, that is ours, too old or of a client nobody knows, nor to a public suffix; the day's cap; one each by three
racers, the same again after a failure, and after a
ledger was killed while it sent; that each mail is read by Python's email package as multipart/report and its fields
stand by the grammars of RFC 5965, 6591 and 9991; that no local part is in it, and that it passes DMARC.
"""
import collections
import datetime
import email
import json
import os
import re
import subprocess
import sys
import time

from checks import Checks
from judged import judged

BUILD, FOLDER, STORE = sys.argv[1:4]
SPF = 'v=spf1 ip4:198.51.100.0/24 exp="a\\b" -all'
LONG_SPF = 'v=spf1  ' + ' '.join(f'ip4:198.51.{n}.0/24' for n in range(100)) + '   include:' + 'x' * 300 + '.example -all'
CONSENT = '''out.example._report._dmarc.third.example secure TXT "v=DMARC1;"
moved.example._report._dmarc.third.example secure TXT "v=DMARC1; rua=mailto:wrong@third.example; ruf=mailto:other@third.example"
slow.example._report._dmarc.third.example timeout TXT
'''
check = Checks('failures', STORE)
run, sql = check.run, check.sql


def ask(text):
    return run('psql', '-qAtX', STORE, '-c', text) if STORE.startswith('postgres') else run('sqlite3', STORE, text)


def number(text):
    return int(ask(text))


def states():
    return collections.Counter(ask('SELECT state FROM failure_out').split())


def policy(sendmail, failure='redacted', contact='postmaster@example.org'):
    with open(FOLDER + '/policy', 'w') as out:
        out.write(
            f'policy "failures" owner "postmaster@example.org"\nset journal.dir "{FOLDER}/journal"\nset ledger.store "{STORE}"\n'
            f'set ledger.knowledge "{FOLDER}/knowledge"\n'
            f'set report.contact "{contact}"\nset report.from "noreply@example.org"\nset report.sendmail "{FOLDER}/{sendmail}"\n'
            f'set report.dkim-key "{FOLDER}/key.pem"\n'
            'set report.dkim-selector "rpt"\n' + (f'set report.failure {failure}\n' if failure else '')
        )


def record(domain, fo='0', dkim='fail', spf='fail', ruf=None, aligned=(False, False), ago=600, dmarc=None, txt=SPF, psd='u', **more):
    """A mail from domain; aligned: by DKIM, by SPF."""
    at = datetime.datetime.fromtimestamp(time.time() - ago, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    record.number += 1
    findings = [
        dict(standard='dkim', subject=domain, selector='s1', result=dkim),
        dict(standard='spf', identity='mailfrom', subject='mail.' + domain, result=spf, txt=txt),
        dict(
            standard='dmarc',
            subject=domain,
            record=domain,
            org=domain,
            p='none',
            fo=fo,
            psd=psd,
            ruf=ruf or 'mailto:r@' + domain,
            dkim_aligned=aligned[0],
            spf_aligned=aligned[1],
            result=dmarc or ('pass' if any(aligned) else 'fail'),
        ),
    ]
    whole = {
        **dict(
            v=1,
            t=at,
            host='mx1',
            kind='mail',
            id='F%d' % record.number,
            source='internet',
            client='192.0.2.66',
            mail_from='mail.' + domain,
            rcpts=1,
            message_id='<abc.%d@%s>' % (record.number, domain),
            verdict=dict(action='quarantine', would='quarantine'),
            findings=findings,
        ),
        'from': domain,
        **more,
    }
    return {key: value for key, value in whole.items() if value is not None}


record.number = 0


def mails():
    """(record, whether it gets a report); a destination for each."""
    yes = [
        record('zero.example'),
        record('one.example', '1', dkim='pass', aligned=(True, False)),
        record('dee.example', '1:d:s', dkim='fail', spf='pass', aligned=(False, True)),
        record('ess.example', 's', dkim='pass', aligned=(True, False)),
        record('out.example', ruf='mailto:x@third.example!10m'),
        record('moved.example', ruf='mailto:y@third.example'),
        record('unset.example', None),
        record('relayed.example', source='relay', client='2001:db8::7', relay='198.51.100.1'),
        record('long.example', txt=LONG_SPF),
        record('endless.example', txt='v=spf1 include:' + 'x' * 500),
        record('both.example', 'd', dkim='pass', spf='pass', aligned=(True, True)),
        record('odd.example', message_id='<x@y>\r\nBcc: victim@example.net>', verdict=dict(action='reject', would='reject')),
    ]
    for r in yes:  # a list's signature fails, and the owner's own: the report is about the latter
        if r['from'] in ('both.example', 'zero.example'):
            r['findings'].insert(0, dict(standard='dkim', subject='list.example', selector='l', result='fail', aligned=False))
            r['findings'][1]['aligned'] = True
    # Values that the milter never writes: no line of theirs may reach the mail.
    hostile = record('bad.example')
    hostile['findings'][0].update(selector='s\r\nX: y', subject='a b')
    hostile['findings'][1].update(txt='v=spf1\r\nX-Evil: 1')
    hostile['mail_from'] = 'x>\r\nX-Evil: 2'
    no = [
        record('no0.example', dkim='pass', aligned=(True, False)),
        record('no1.example', '1', dkim='pass', spf='pass', aligned=(True, True)),
        record('nod.example', 'd', dkim='pass', aligned=(False, False)),
        record('nos.example', 's', spf='softfail', aligned=(True, False)),
        record('refused.example', ruf='mailto:z@third.example'),
        record('slow.example', ruf='mailto:z@third.example'),
        record('null.example', mail_from=None),
        record('looped.example', report=True),
        record('again.example', verdict=dict(action='defer', would='defer')),
        record('ours.example', source='submission'),
        record('own.example', source='own-network'),
        record('hidden.example', source='relay', client=None),
        record('old.example', ago=7 * 3600),
        record('suffix.example', psd='y'),
        record('temp.example', dmarc='temperror'),
        record('web.example', ruf='https://web.example/r, mailto:'),
        record('from.example', **{'from': 'a b@c'}),
    ]
    return yes + [hostile], no, [record('cap.example', ago=100 + n) for n in range(30)]


FIELDS = {  # name: (least, most, the pattern of its value), RFC 5965 section 3, RFC 6591 section 3, RFC 9991 section 4
    'Feedback-Type': (1, 1, 'auth-failure'),
    'User-Agent': (1, 1, r'Assay/[0-9.]+'),
    'Version': (1, 1, '1'),
    'Auth-Failure': (1, 1, 'dmarc'),
    'Identity-Alignment': (1, 1, 'none|dkim|spf|dkim, spf'),
    'Delivery-Result': (0, 1, 'delivered|spam|policy|reject|other'),
    'Arrival-Date': (0, 1, r'(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000'),
    'Source-IP': (1, 1, r'[0-9a-f.:]+'),
    'Reported-Domain': (1, 1, r'[a-z0-9.-]+'),
    'Original-Mail-From': (0, 1, r'<redacted@[a-z0-9.-]+>'),
    'Authentication-Results': (1, 1, r'example\.org;\s+dmarc=\w+ header\.from=[a-z0-9.-]+(;\s+\w+=\w+( \w+\.\w+=[\w.-]+)+)*'),
    'DKIM-Domain': (0, 1, r'[a-z0-9.-]+'),
    'DKIM-Identity': (0, 1, r'@[a-z0-9.-]+'),
    'DKIM-Selector': (0, 1, r'[\w.-]+'),
    'SPF-DNS': (0, 1, r'txt : [a-z0-9.-]+ :\s+"(?:[^"\\]|\\.)*"'),
}


def check_mail(path):
    with open(path, 'rb') as f:
        text = f.read()
    check(all(len(line) <= 998 for line in text.splitlines()) and text.isascii(), f'{path}: a line')
    m = email.message_from_bytes(text)
    check(
        m.get_content_type() == 'multipart/report' and m.get_param('report-type') == 'feedback-report' and not m.defects,
        f'{path}: {m.get_content_type()} {m.defects}',
    )
    check(m['Auto-Submitted'] == 'auto-generated' and len(m.get_all('To')) == 1 and not m['Bcc'], 'header')
    parts = m.get_payload()
    check(
        [p.get_content_type() for p in parts] == ['text/plain', 'message/feedback-report', 'text/rfc822-headers'],
        f'parts {[p.get_content_type() for p in parts]}',
    )
    words = ' '.join(parts[0].get_payload().split())
    said = [phrase for phrase in ('This is a DMARC failure report', 'showed that the mail came from', 'DMARC passed',
                                  'We accepted the mail', 'We refused the mail', 'let it sign with DKIM', 'You get this report since',
                                  'names this address in ruf=', 'Questions: postmaster@example.org') if phrase in words]
    check(len(said) == 7, f'{path}: its words: {said}')  # failed or passed, accepted or refused, and the others
    feedback = parts[1].get_payload()
    feedback = feedback[0] if isinstance(feedback, list) else email.message_from_string(feedback)
    check(set(feedback.keys()) <= set(FIELDS), f'{path}: {set(feedback.keys()) - set(FIELDS)}')
    for name, (least, most, pattern) in FIELDS.items():
        values = feedback.get_all(name) or []
        check(least <= len(values) <= most and all(re.fullmatch(pattern, v) for v in values), f'{path}: {name}: {values}')
    original = email.message_from_string(parts[2].get_payload())
    check(
        set(original.keys()) <= {'From', 'Message-ID'} and re.fullmatch(r'redacted@[a-z0-9.-]+', original['From']),
        f'{path}: {original.items()}',
    )
    check(b'Evil' not in text and b'victim' not in text, f'{path}: what a sender wrote')
    return m, feedback, original


def reports(expect=0, *more):
    return json.loads(
        run(BUILD + '/assay', 'ledger', 'dmarc-reports', '--dns', FOLDER + '/dns', '--json', '-P', FOLDER + '/policy', *more, expect=expect)
    )


def sent():
    return sorted(os.listdir(FOLDER + '/sent'))


def prepare(records):
    for name in ('journal', 'sent'):
        os.makedirs(f'{FOLDER}/{name}')
    if STORE.startswith('postgres'):
        run('psql', '-qX', STORE, '-c', 'DROP SCHEMA public CASCADE', '-c', 'CREATE SCHEMA public')
    for name, text in (
        ('deadly', 'kill -9 $PPID'),
        ('sendmail', f't=$(mktemp {FOLDER}/part-XXXXXX) && cat >"$t" && mv "$t" {FOLDER}/sent/$(basename "$t")'),
        ('broken', 'echo full >&2; exit 75'),
    ):
        with open(f'{FOLDER}/{name}', 'w') as out:
            out.write(f'#!/bin/sh\n{text}\n')
        os.chmod(f'{FOLDER}/{name}', 0o755)
    run('openssl', 'genrsa', '-out', FOLDER + '/key.pem', '2048')
    os.chmod(FOLDER + '/key.pem', 0o600)
    public = ''.join(run('openssl', 'rsa', '-in', FOLDER + '/key.pem', '-pubout').splitlines()[1:-1])
    with open(FOLDER + '/dns', 'w') as out:
        out.write(
            CONSENT
            + f'rpt._domainkey.example.org TXT "v=DKIM1; p={public[:200]}" "{public[200:]}"\n'
              '_dmarc.example.org TXT "v=DMARC1; p=reject; adkim=s"\n'
        )
    with open(FOLDER + '/journal/milter-20261119T000000Z-00000001.journal', 'w') as out:
        for r in [dict(v=1, t=records[0]['t'], host='mx1', kind='segment', segment=f'failures{os.getpid()}', writer='milter')] + records:
            out.write(json.dumps(r, separators=(',', ':')) + '\n')  # as the milter writes them
    policy('broken', contact='')
    run(BUILD + '/assay-ledger', '-1', '-P', FOLDER + '/policy', '-S', FOLDER)


def spf_told(feedback):
    """Unfolded (RFC 5322 section 2.2.3) and unquoted."""
    return re.sub(r'\\(.)', r'\1', re.search('"(.*)"', feedback['SPF-DNS'].replace('\n', ''))[1])


def check_content(found):
    """found: by domain. Identity-Alignment: "a comma-separated list of authentication mechanism names that failed to
    authenticate an aligned identity, or the
    keyword "none" if none did" (RFC 9991)."""
    _, feedback, original = found['zero.example']
    check(
        feedback['Identity-Alignment'] == 'dkim, spf' and feedback['Delivery-Result'] == 'spam' and feedback['Source-IP'] == '192.0.2.66',
        f'{feedback.items()}',
    )
    check(
        (feedback['DKIM-Domain'], feedback['DKIM-Identity'], feedback['DKIM-Selector']) == ('zero.example', '@zero.example', 's1'),
        f'{feedback.items()}',
    )
    check(spf_told(feedback) == SPF and feedback['SPF-DNS'].startswith('txt : mail.zero.example :'), f'SPF-DNS {feedback["SPF-DNS"]}')
    check(spf_told(found['long.example'][1]) == LONG_SPF, f'a long record: {found["long.example"][1]["SPF-DNS"]}')
    check(found['endless.example'][1]['SPF-DNS'] is None, 'a word longer than a line')
    check(original['Message-ID'].endswith('@zero.example>'), 'Message-ID')
    got = {name: found[name + '.example'][1]['Identity-Alignment'] for name in ('one', 'dee', 'both')}
    check(got == {'one': 'spf', 'dee': 'dkim', 'both': 'none'}, f'what failed to align: {got}')
    check(
        found['one.example'][1]['DKIM-Domain'] is None and found['dee.example'][1]['DKIM-Domain'] == 'dee.example',
        'a signature is told of where it failed',
    )
    check(found['both.example'][1]['DKIM-Domain'] == 'list.example', 'any signature that failed, where the owner\'s own did not')
    check(found['odd.example'][1]['Delivery-Result'] == 'reject' and found['odd.example'][2]['Message-ID'] is None, 'an odd Message-ID')
    check(found['relayed.example'][1]['Source-IP'] == '2001:db8::7', 'the client behind the relay')
    check(found['bad.example'][1]['DKIM-Selector'] is None and found['bad.example'][1]['SPF-DNS'] is None, 'hostile values')


def main():
    yes, no, capped = mails()
    prepare(yes + no + capped)
    policy('sendmail', failure=None)
    check(reports() == [], 'off, and something was due')
    policy('broken')
    plan = collections.Counter(r['domain'] for r in reports(0, '--dry-run') if r['state'] == 'failure would send')
    wanted = {r['from'] for r in yes}
    check(set(plan) == wanted | {'cap.example'}, f'the plan: {set(plan) ^ (wanted | {"cap.example"})}')
    # A failure first; then by three at once, each report once and under the name it had.
    first = {r['file']: r['state'] for r in reports(75)}
    check(len(first) == len(yes) + 10 and set(first.values()) == {'failure retry'} and not sent(), f'{len(first)} tried: {first}')
    policy('sendmail')
    check(reports() == [] and not sent(), 'tried again at once')
    # The ledger dies while it sends one: that one is let alone for a while, then sent like the others.
    sql("UPDATE failure_out SET next_try = 0 WHERE domain IN ('zero.example', 'one.example')")
    policy('deadly')
    run(BUILD + '/assay', 'ledger', 'dmarc-reports', '--dns', FOLDER + '/dns', '-P', FOLDER + '/policy', expect=-9)
    check(states()['sending'] == 1 and not sent(), f'killed while it sent: {states()}')
    policy('sendmail')
    check(
        [r['state'] for r in reports()] == ['failure sent'] and states()['sending'] == 1,
        f'the other one is sent, the claimed one not yet: {states()}',
    )
    check(
        number("SELECT next_try FROM failure_out WHERE state = 'sending'") - time.time() > 300, 'its claim is for longer than sending takes'
    )
    sql(f"UPDATE failure_out SET next_try = {int(time.time())} WHERE state = 'retry' OR state = 'sending'")
    racers = [
        subprocess.Popen(
            [BUILD + '/assay', 'ledger', 'dmarc-reports', '--dns', FOLDER + '/dns', '-P', FOLDER + '/policy'], stdout=subprocess.DEVNULL
        )
        for _ in range(3)
    ]
    check(all(r.wait() == 0 for r in racers), 'a racer failed')
    checked = [check_mail(f'{FOLDER}/sent/{name}') for name in sent()]
    check(
        sorted(m['Message-ID'] for m, _, _ in checked) == sorted(f'<{i}@example.org>' for i in first), 'not each once, under its own name'
    )
    domains = collections.Counter(f['Reported-Domain'] for _, f, _ in checked)
    check(domains == collections.Counter({**{d: 1 for d in wanted}, 'cap.example': 10}), f'about {domains}')
    to = {f['Reported-Domain']: m['To'] for m, f, _ in checked}
    check(
        (to['out.example'], to['moved.example'], to['zero.example']) == ('x@third.example', 'other@third.example', 'r@zero.example'),
        f'to {to}',
    )
    check_content({f['Reported-Domain']: (m, f, o) for m, f, o in checked})
    check(reports() == [] and len(sent()) == len(checked) and states().keys() == {'sent'}, f'sent twice: {states()}')
    sql("UPDATE failure_out SET state = 'sending', next_try = next_try - 7 * 3600 WHERE domain = 'zero.example'")
    sql("DELETE FROM mail WHERE from_domain = 'zero.example'")
    check(reports() == [] and states()['dead'] == 1, f'given up with its mail: {states()}')
    got = {f['standard']: f['result'] for f in judged(BUILD, FOLDER, f'{FOLDER}/sent/{sent()[0]}')}
    check((got['dkim'], got['dmarc']) == ('pass', 'pass'), f'judged {got}')
    print(
        f'{len(checked)} failure reports of {len(yes + no + capped)} mails, each once by three racers, signed and passing DMARC, '
        f'{check.count} checks'
    )


main()
