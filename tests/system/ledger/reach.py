# SPDX-License-Identifier: BSD-2-Clause
"""reach.py - who gets DMARC reports of ours, and who must not: `set report.to`, whose fault a failure is, turns, backlog.

    reach.py BUILD FOLDER STORE

A day of 400 honest domains and 81 spammers' (all of them ask for reports): each of the 400 gets one, none of the 81. Then the ceiling,
--resend, report.never-to, turns below report.per-host, destinations that do not consent, a mail command that fails, an address that
there is none of, a backlog of days, a policy that changed during the day, SPF of the null sender in both forms.
Ends with a line of figures.
"""
import gzip
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as tree

from checks import Checks

BUILD, FOLDER, STORE = sys.argv[1:4]
TODAY = int(time.time()) // 86400
LAST = TODAY - 2  # due whatever the hour
NS = '{urn:ietf:params:xml:ns:dmarc-2.0}'
check = Checks('reach', STORE)
run, sql = check.run, check.sql


def day_text(day):
    return time.strftime('%Y-%m-%d', time.gmtime(day * 86400))


def mail(domain, day, number=0, result='pass', action='deliver', **more):
    dmarc = dict(
        standard='dmarc',
        subject=domain,
        record=domain,
        org=domain,
        result=result,
        p='reject',
        applied='reject',
        rua='mailto:dmarc@' + domain,
        dkim_aligned=result == 'pass',
    )
    dmarc.update(more.pop('dmarc', {}))
    record = dict(
        v=1,
        t='%sT%02d:%02d:00Z' % (day_text(day), number % 24, number // 24 % 60),
        host='mx1',
        kind='mail',
        id='Q%d' % number,
        source='internet',
        client='192.0.2.%d' % (number % 250 + 1),
        mail_from=domain,
        rcpts=1,
        verdict=dict(action=action, would=action),
        findings=more.pop('findings', []) + [dmarc],
    )
    record['from'] = domain
    record.update(more)
    return {key: value for key, value in record.items() if value is not None}


def written(day, number, *domains):
    """A mail of a user of ours."""
    return dict(
        v=1,
        t=day_text(day) + 'T08:00:00Z',
        host='mx1',
        kind='mail',
        id='S%d' % number,
        source='submission',
        client='203.0.113.9',
        rcpts=len(domains),
        rcpt_domains=list(domains),
        verdict=dict(action='deliver', would='deliver'),
        findings=[],
    )


class Place:
    """A separate ledger, filled from a journal, and a mail command that stores its input."""

    def __init__(self, name, *records, dns=''):
        self.folder = f'{FOLDER}/{name}'
        os.makedirs(self.folder + '/journal')
        os.makedirs(self.folder + '/sent')
        self.store = STORE
        if STORE.startswith('postgres'):
            run('psql', '-qX', STORE, '-c', 'DROP SCHEMA public CASCADE', '-c', 'CREATE SCHEMA public')
        else:
            for end in ('', '-wal', '-shm'):
                if os.path.exists(STORE + end):
                    os.remove(STORE + end)
        with open(self.folder + '/dns', 'w') as out:
            out.write(dns)
        self.command('cd %s/sent || exit; n=$$; while [ -e $n ]; do n=${n}x; done; cat >.part-$n && mv .part-$n $n' % self.folder)
        self.policy(contact='')
        self.take_in(*records)
        self.policy()

    def command(self, text):
        path = self.folder + '/command'
        with open(path + '.new', 'w') as out:
            out.write('#!/bin/sh\n' + text + '\n')
        os.chmod(path + '.new', 0o755)
        os.rename(path + '.new', path)

    def policy(self, *lines, contact='postmaster@example.org'):
        with open(self.folder + '/policy', 'w') as out:
            out.write(
                f'''policy "reach" owner "postmaster@example.org"
set journal.dir "{self.folder}/journal"
set ledger.store "{self.store}"
set ledger.knowledge "{self.folder}/knowledge"
set report.contact "{contact}"
set report.from "noreply-dmarc@example.org"
set report.sendmail "{self.folder}/command"
'''
                + ''.join(line + '\n' for line in lines)
            )

    def take_in(self, *records):
        number = len(os.listdir(self.folder))
        with open(f'{self.folder}/journal/milter-20261119T000000Z-{number:08d}.journal', 'w') as out:
            name = f'{self.folder}-{number}'
            head = dict(v=1, t=day_text(LAST) + 'T00:00:00Z', host='mx1', kind='segment', segment=name, writer='milter')
            for r in (head, *records):
                out.write(json.dumps(r) + '\n')
        run(os.path.join(BUILD, 'assay-ledger'), '-1', '-P', self.folder + '/policy', '-S', self.folder)
        open(f'{self.folder}/taken-{number}', 'w').close()

    def assay(self, *arguments, expect=0):
        return run(os.path.join(BUILD, 'assay'), 'ledger', *arguments, '-P', self.folder + '/policy', expect=expect)

    def reports(self, *arguments, expect=0):
        return json.loads(self.assay('dmarc-reports', '--dns', self.folder + '/dns', '--json', *arguments, expect=expect) or '[]')

    def states(self, *arguments, expect=0):
        return {(r['domain'], r['destination']): r['state'] for r in self.reports(*arguments, expect=expect) if r['state'] != 'late'}

    def sent(self):
        """The destinations of what the command was given."""
        to = []
        for name in os.listdir(self.folder + '/sent'):
            with open(self.folder + '/sent/' + name) as f:
                to.append(re.search(r'^To: (.*)$', f.read(), re.M).group(1))
        return sorted(to)

    def suppressed(self, *arguments):
        return json.loads(self.assay('suppressed', '--json', *arguments))


def honest_and_spam():
    honest = ['good%d.example' % n for n in range(400)]
    spam = ['spam%d.example' % n for n in range(81)]
    place = Place('day', *mail_of(honest, spam))
    with open(place.folder + '/members.list', 'w') as out:
        out.write(''.join(domain + '\n' for domain in honest[350:375]))
    lines = (
        f'list members in "{place.folder}/members.list"',
        'record dmarc of list members',
        'set report.always-to ' + ', '.join(honest[375:]),
    )
    place.policy(*lines)
    planned(place, honest, spam)
    place.reports('--day', day_text(LAST))
    check(place.sent() == sorted('dmarc@' + d for d in honest), f'{len(place.sent())} sent')
    why = place.suppressed()
    check(sum(r['reports'] for r in why) == 82 and all(r['state'] == 'left out' for r in why), f'suppressed: {why}')
    check(place.suppressed('--domain', 'spam80.example')[0]['mails'] == 1, 'suppressed of one domain')
    check(place.states('--day', day_text(LAST)) == {}, 'a second run sends again')
    sent_by_name(place, lines)
    sent_within_30_days(place)
    return len(honest), len(spam)


def mail_of(honest, spam):
    records = []
    for n, domain in enumerate(honest):
        records.append(mail(domain, LAST, n))
        if n < 250:  # known by their mail: a pass on another day
            records.append(mail(domain, LAST - 1 - n % 5, n))
        elif n < 350:  # known since somebody wrote to them, or to a host of theirs
            records.append(written(LAST - 3, n, ('mail.' if n % 2 else '') + domain))
    for n, domain in enumerate(spam):
        if n < 27:  # made today, and passes by itself
            records += [mail(domain, LAST, n), mail(domain, LAST, n + 1)]
        elif n < 54:  # refused, again and again
            records += [mail(domain, LAST - k, n, result='fail', action='reject') for k in range(3)]
        else:  # tagged and let in
            records.append(mail(domain, LAST, n, result='fail', dmarc=dict(p='none', applied='none')))
    # Passed on two days long since, and all its mail of today is refused.
    records += [mail('turned.example', LAST - k, k) for k in (2, 3)] + [mail('turned.example', LAST, 9, action='reject')]
    records += [written(LAST, 1000 + n, 'elsewhere.example') for n in range(2100)]
    return records


def planned(place, honest, spam):
    plan = place.reports('--dry-run', '--day', day_text(LAST))
    would = {r['domain'] for r in plan if r['state'] == 'would send'}
    left = {r['domain']: r['reason'] for r in plan if r['state'] == 'left out'}
    check(would == set(honest), f'the plan misses {set(honest) - would}, and has {would - set(honest)}')
    check(set(left) == set(spam) | {'turned.example'}, f'left out: {sorted(left)}')
    check(left['spam30.example'] == left['turned.example'] == 'all its mail of the day was refused', f'because {left["turned.example"]}')
    check('passed DMARC on 1 of the last 90 days (2 are needed)' in left['spam0.example'], f'because {left["spam0.example"]}')
    check('passed DMARC on 0 of the last 90 days' in left['spam80.example'], f'because {left["spam80.example"]}')
    check(not place.sent(), 'sent by --dry-run')


def sent_by_name(place, lines):
    """--resend: by name, and never about a domain all of whose mail was refused."""
    check(
        '--resend needs'
        in subprocess.run(
            [BUILD + '/assay', 'ledger', 'dmarc-reports', '--resend', '-P', place.folder + '/policy'], capture_output=True, text=True
        ).stderr,
        '--resend without a day or domain',
    )
    place.reports('--resend', '--domain', 'spam0.example')
    check(place.sent().count('dmarc@spam0.example') == 1, 'not sent by --resend')
    place.reports('--resend', '--domain', 'spam30.example')
    check('dmarc@spam30.example' not in place.sent(), 'a refused spammer gets a report by --resend')
    place.policy(*lines, 'set report.never-to spam1.example')
    place.reports('--resend', '--domain', 'spam1.example')
    check('dmarc@spam1.example' not in place.sent(), 'report.never-to')
    check(place.states('--resend', '--domain', 'spam0.example') == {}, 'sent twice by --resend')


def sent_within_30_days(place):
    """What was left out can be sent within 30 days, past ledger.keep-identity (14 days)."""
    for table in ('dmarc_row', 'dmarc_domain', 'dmarc_policy', 'report_out'):
        sql(f"UPDATE {table} SET day = day - 29 WHERE domain = 'spam2.example' AND day = {LAST}")
    subprocess.run([BUILD + '/assay', 'ledger', 'tidy', '--now', '-P', place.folder + '/policy'], check=True, capture_output=True)
    place.reports('--resend', '--domain', 'spam2.example')
    check(place.sent().count('dmarc@spam2.example') == 1, 'what was left out 30 days ago is not sent by --resend')


def all_and_ceiling():
    """report.to all; then no more than 50 where hardly anything goes out, and others on the next day."""
    records = [mail('d%d.example' % n, LAST - k, n) for n in range(60) for k in (0, 1)]
    records.append(mail('refused.example', LAST, 5, result='fail', action='reject'))
    place = Place('ceiling', *records)
    place.policy('set report.to all')
    for k in (1, 0):
        place.reports('--day', day_text(LAST - k))
        of_day = sql(f"SELECT domain FROM report_out WHERE day = {LAST - k} AND state = 'sent' ORDER BY domain").split()
        check(len(of_day) == 50, f'{len(of_day)} reports of a day, not 50')
    never = set('d%d.example' % n for n in range(60)) - set(sql("SELECT domain FROM report_out WHERE state = 'sent'").split())
    check(not never, f'never had their turn: {never}')
    said = {r['domain']: r['reason'] for r in place.suppressed('--domain', 'refused.example')}
    check(said == {'refused.example': 'all its mail of the day was refused'}, f'{said}')
    check(any('report.ceiling' in r['reason'] and r['reports'] == 20 for r in place.suppressed()), f'{place.suppressed()}')


def destinations():
    """Five that do not consent do not take the owner's own place; no more than five get it; report.never-to by destination."""
    dns = ''.join(f'yes.example._report._dmarc.x{n}.test secure TXT "v=DMARC1"\n' for n in range(9))
    foreign = ','.join('mailto:a@no%d.test' % n for n in range(6))
    records = [mail('own.example', LAST - k, 1, dmarc=dict(rua=foreign + ',mailto:me@own.example')) for k in (0, 1)]
    willing = ','.join('mailto:a@x%d.test' % n for n in range(9))
    records += [mail('yes.example', LAST - k, 2, dmarc=dict(rua=willing + ',mailto:me@mail.yes.example')) for k in (0, 1)]
    records += [mail('never.example', LAST - k, 3, dmarc=dict(rua='mailto:me@sub.never.example')) for k in (0, 1)]
    place = Place('destinations', *records, dns=dns)
    place.policy('set report.never-to sub.never.example')
    states = place.states('--day', day_text(LAST))
    check(states[('own.example', 'me@own.example')] == 'sent', f'{states}')
    to = [d for (domain, d), state in states.items() if domain == 'yes.example' and state == 'sent']
    check(to == ['me@mail.yes.example'] + ['a@x%d.test' % n for n in range(4)], f'{to}')
    check(states[('never.example', 'me@sub.never.example')] == 'suppressed', f'{states}')
    check(len(place.sent()) == 6, f'{place.sent()}')


def turns():
    """report.per-host 2: of five domains at one host each has its turn."""
    dns = ''.join(f'c{n}.example._report._dmarc.collector.test secure TXT "v=DMARC1"\n' for n in range(5))
    records = [mail('c%d.example' % n, LAST - k, n, dmarc=dict(rua='mailto:c%d@collector.test' % n)) for n in range(5) for k in range(4)]
    place = Place('turns', *records, dns=dns)
    place.policy('set report.to all', 'set report.per-host 2')
    for k in (2, 1, 0):
        place.reports('--day', day_text(LAST - k))
    check(set(place.sent()) == {'c%d@collector.test' % n for n in range(5)} and len(place.sent()) == 6, f'{place.sent()}')


def own_faults():
    """A mail command that fails for days stops no destination; an address that does not exist does."""
    records = [mail('f%d.example' % n, LAST - k, n) for n in range(10) for k in range(4)]
    place = Place('faults', *records)
    good = open(place.folder + '/command').read().split('\n', 1)[1]
    place.policy('set report.to all')
    for program in ('echo "queue file system full" >&2; exit 75', 'exit 1', 'kill -9 $$'):
        place.command(program)
        for k in range(4):
            sql('UPDATE report_out SET next_try = 0')
            done = subprocess.run(
                [BUILD + '/assay', 'ledger', 'dmarc-reports', '--dns', place.folder + '/dns', '-P', place.folder + '/policy'],
                capture_output=True,
                text=True,
            )
            check(done.returncode == 75 and 'cannot be sent from here' in done.stderr, f'{done.returncode} {done.stderr}')
    check(not place.suppressed(), f'suppressed: {place.suppressed()}')
    tried = sql("SELECT count(*) FROM report_out WHERE state = 'retry'").strip()
    check(int(tried) <= 12, f'{tried} reports were tried by a command that fails')
    place.command(good)
    sql('UPDATE report_out SET next_try = 0')
    place.reports()
    check(len(place.sent()) == 40, f'{len(place.sent())} of 40 sent once the command works')
    # EX_NOUSER: the address's own fault, and it is left alone from then on.
    place = Place('nobody', *[mail(d, LAST - k, k) for d in ('gone.example', 'here.example') for k in range(3)])
    place.policy('set report.to all')
    place.command('if grep -q "^To: dmarc@gone"; then echo "no such user" >&2; exit 67; fi')
    states = place.states('--day', day_text(LAST - 1), expect=75)
    check(states == {('gone.example', 'dmarc@gone.example'): 'refused', ('here.example', 'dmarc@here.example'): 'sent'}, f'{states}')
    states = place.states('--day', day_text(LAST))
    check(states[('gone.example', 'dmarc@gone.example')] == 'suppressed', f'{states}')
    why = [r['reason'] for r in place.suppressed('--domain', 'gone.example')]
    check(any(w.startswith(f'its address was refused for the report of {day_text(LAST - 1)}') for w in why), f'{why}')


def backlog():
    """The ledger was down for days: what can still be sent is, the rest is named."""
    days = range(0, 12)
    records = [mail('b%d.example' % n, LAST - k, n) for n in range(2) for k in days]
    place = Place('backlog', *records)
    place.policy('set report.to all')
    said = place.reports()
    sent = {r['day'] for r in said if r['state'] == 'sent'}
    late = {r['day']: r['reason'] for r in said if r['state'] == 'late'}
    first = min(sent)
    check(sent | set(late) >= {day_text(LAST - k) for k in days}, f'neither sent nor named: sent {sorted(sent)}, late {sorted(late)}')
    check(all(day < first for day in late), f'late {sorted(late)}, sent since {first}')
    check(all(r == '2 mails of 2 domains are in no report: none of this day was made in time' for r in late.values()), f'{late}')


def changed_policy():
    """Rows by the policy that was applied: a report for each (RFC 9990 3.1), under names of their own."""
    changed = dict(p='none', applied='none')
    records = [mail('change.example', LAST, n, result='fail', dmarc=changed) for n in range(3)]
    records += [mail('change.example', LAST, n, result='fail', action='reject') for n in range(12, 14)]
    records.append(
        mail(
            'change.example',
            LAST,
            15,
            mail_from=None,
            findings=[dict(standard='spf', subject='mx.change.example', identity='helo', result='pass')],
            client='198.51.100.77',
        )
    )
    place = Place('change', *records)
    place.policy('set report.to all')
    for old in (False, True):
        if old:
            place.policy('set report.to all', 'set report.rfc7489-to change.example')
        ns, folder = '' if old else NS, f'{place.folder}/out-{old}'
        os.mkdir(folder)
        place.assay('dmarc-reports', '--dns', place.folder + '/dns', '--day', day_text(LAST), '--to', folder)
        counts, ids = {}, set()
        for name in os.listdir(folder):
            check(re.fullmatch(r'example\.org!change\.example!\d+!\d+(![A-Za-z0-9]+)?\.xml\.gz', name), f'file name {name}')
            root = tree.fromstring(gzip.open(f'{folder}/{name}').read())
            ids.add(root.find(f'{ns}report_metadata/{ns}report_id').text)
            counts[root.find(f'{ns}policy_published/{ns}p').text] = sum(int(c.text) for c in root.iter(ns + 'count'))
            for record in root.iter(ns + 'record'):
                if record.find(f'{ns}row/{ns}source_ip').text != '198.51.100.77':
                    continue
                spf = {c.tag[len(ns) :]: c.text for c in record.find(f'{ns}auth_results/{ns}spf')}
                want = dict(domain='mx.change.example', scope='helo' if old else 'mfrom', result='pass')
                check(spf == want, f'SPF of the null sender: {spf}')
        check(counts == dict(none=3, reject=3) and len(ids) == 2, f'{counts} {ids}')
    place.policy('set report.to all')
    place.reports('--day', day_text(LAST))
    check(place.sent() == ['dmarc@change.example'] * 2, f'{place.sent()}')
    check(sql("SELECT mails FROM report_out WHERE state = 'sent'").strip() == '6', 'the claim counts all')


def main():
    begun = time.time()
    good, bad = honest_and_spam()
    all_and_ceiling()
    destinations()
    turns()
    own_faults()
    backlog()
    changed_policy()
    print(f'{good} of {good} honest domains got a report, 0 of {bad} spammers; {check.count} checks in {time.time() - begun:.0f} s')


main()
