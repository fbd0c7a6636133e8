# SPDX-License-Identifier: BSD-2-Clause
"""reports.py - DMARC aggregate reports from end to end: a day's mail in a journal, taken in, reported, sent, read back.

    reports.py BUILD FOLDER STORE MAILS

Checked: every report is as RFC 9990's tables want it, and valid against its schema where that is at hand; its sums are
those of the mails; the numbers stand in the mail as the RFC's grammar wants them; whom it goes to (consent, override,
refusal, time-out); that
two ledgers racing send each once; that a failure is sent again under the same names; that our own reader gives back what was written; that
RFC 7489's form has its own elements. Ends with a line of figures.
"""
import collections
import email
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as tree

from judged import judged

BUILD, FOLDER, STORE, MAILS = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
BEGIN = (int(time.time()) // 86400 - 2) * 86400  # a day whose rows retention has not yet taken out
DAY, LONG_AGO = (time.strftime('%Y-%m-%d', time.gmtime(BEGIN - n * 86400)) for n in (0, 10))
NS = '{urn:ietf:params:xml:ns:dmarc-2.0}'
DOMAINS = {  # policy domain: rua, [header From domains]
    'example.net': ('mailto:dmarc@example.net', ['example.net', 'sub.example.net']),
    'example.com': ('mailto:a@third.example!10m,mailto:b@example.com', ['example.com']),
    'bank.example': ('MAILTO:c@third.example', ['bank.example']),
    'refused.example': ('mailto:d@third.example', ['refused.example']),
    'slow.example': ('mailto:e@third.example', ['slow.example']),
    'old.example': ('mailto:f@old-form.example', ['old.example']),
    'odd.example': (
        'https://odd.example/x, mailto:, mailto:-x@odd.example, mailto:a b@odd.example, mailto:g%2Bh@odd.example',
        ['odd.example'],
    ),
}
REPORTED = [d for d in DOMAINS if d not in ('refused.example', 'slow.example')] + ['relayed.example']
CONSENT = '''example.com._report._dmarc.third.example secure TXT "v=DMARC1;"
bank.example._report._dmarc.third.example secure TXT "v=DMARC1; rua=mailto:other@third.example"
refused.example._report._dmarc.third.example secure TXT "v=spf1 -all"
slow.example._report._dmarc.third.example timeout TXT
old.example._report._dmarc.old-form.example secure TXT "v=DMARC1"
'''
HOSTILE = ['s1', 'a<b>&"\'', 'tab\tx', 'r\u202eevil', '\u0001\u0002', ']]>', '<!ENTITY x>']


def fail(text):
    sys.exit('reports: ' + text)


def check(condition, text):
    if not condition:
        fail(text)


def mail_of(domain, day, number, **more):
    dmarc = dict(
        standard='dmarc',
        subject=domain,
        record=domain,
        org=domain,
        result='pass',
        p='none',
        applied='none',
        rua='mailto:r@' + domain,
        dkim_aligned=True,
    )
    return {
        **dict(
            v=1,
            t='%sT%02d:00:00Z' % (day, number % 24),
            host='mx2',
            kind='mail',
            id='R%d' % number,
            source='internet',
            client='203.0.113.7',
            mail_from=domain,
            rcpts=1,
            verdict=dict(action='deliver', would='deliver'),
            findings=[dmarc],
        ),
        'from': domain,
        **more,
    }


def take_in(name, *records):
    """A separate journal, ingested with reports off, so that nothing is sent meanwhile."""
    with open(f'{FOLDER}/journal/milter-20261119T000000Z-{name}.journal', 'w') as out:
        for r in (dict(v=1, t=DAY + 'T00:00:00Z', host='mx2', kind='segment', segment=f'{name}-{os.getpid()}', writer='milter'), *records):
            out.write(json.dumps(r) + '\n')
    write_policy(FOLDER + '/sendmail', contact='')
    run(os.path.join(BUILD, 'assay-ledger'), '-1', '-P', FOLDER + '/policy', '-S', FOLDER)
    write_policy(FOLDER + '/sendmail')


def check_late(common):
    """What a host brings after the cut-off is in no second report, and is named."""
    before = len(sent_mails())
    short = [c for c in common if c not in ('--day', DAY)]
    take_in(
        '00000002',
        *[
            dict(
                mail_of('example.net', DAY, n),
                host='mx2' if n else 'mx3',
                findings=[dict(mail_of('example.net', DAY, n)['findings'][0], rua='mailto:dmarc@example.net')],
            )
            for n in range(3)
        ],
        mail_of('later.example', DAY, 4),
        mail_of('early.example', LONG_AGO, 5),
    )
    said = {(r['domain'], r['destination']): (r['state'], r['reason']) for r in json.loads(assay(*common, '--json'))}
    check(
        said
        == {
            ('later.example', 'r@later.example'): ('sent', ''),
            ('example.net', 'dmarc@example.net'): ('late', '3 mails came after the report was sent: mx2 2, mx3 1'),
        },
        f'late: {said}',
    )
    check(len(sent_mails()) == before + 1, 'a second report of the same day')
    # A closed day, for which no reports are made: it is sent by hand, then mail of a new domain is ingested.
    assay('dmarc-reports', '--dns', FOLDER + '/dns', '--day', LONG_AGO)
    take_in('00000003', mail_of('forgotten.example', LONG_AGO, 6), mail_of('forgotten.example', LONG_AGO, 7))
    said = [(r['day'], r['domain'], r['state'], r['reason']) for r in json.loads(assay(*short, '--json'))]
    check(
        said
        == [
            (DAY, 'example.net', 'late', '3 mails came after the report was sent: mx2 2, mx3 1'),
            (LONG_AGO, 'forgotten.example', 'late', '2 mails came after the last day on which a first report is made: mx2 2'),
        ],
        f'late: {said}',
    )
    check(len(said) == 2 and len(sent_mails()) == before + 2, f'late: {said}')


def check_left_alone(common):
    """A destination that takes nothing, and one that would be flooded, with the reason."""
    before, day = len(sent_mails()), BEGIN // 86400
    store_sql(
        "UPDATE report_out SET state = 'retry', next_try = 0, tries = 1 WHERE destination IN ('f@old-form.example', 'a@third.example', "
        "'c@third.example')"
    )
    for n in (2, 3, 4):
        store_sql(
            'INSERT INTO report_out (day, domain, destination, report_id, state, tries, next_try, reason, rows, octets, claimed_by, '
            'changed) '
            f"VALUES ({day - n}, 'x.example', 'f@old-form.example', 'x', 'dead', 8, 0, '', 0, 0, '', 0)"
        )
    with open(FOLDER + '/policy', 'a') as out:
        out.write('set report.per-host 1\n')
    said = {
        (r['domain'], r['destination']): (r['state'], r['reason']) for r in json.loads(assay(*common, '--json')) if r['state'] != 'late'
    }
    flood = 'as many reports as report.per-host allows went to this host for the day'
    check(
        said
        == {
            ('bank.example', 'other@third.example'): ('sent', ''),
            ('example.com', 'a@third.example'): ('suppressed', flood),
            ('old.example', 'f@old-form.example'): ('suppressed', 'it took no report on three days of the last week'),
        },
        f'left alone: {said}',
    )
    check(len(sent_mails()) == before + 1, 'sent all the same')


def check_independent(name, text, domain):
    """dmarc-cat reads the same: who reports, the days, the domain, and each client's mails. With more than one job it
    tells other figures each time."""
    done = subprocess.run(['dmarc-cat', '-N', '-j', '1', name], capture_output=True, text=True, cwd=FOLDER + '/out')
    check(done.returncode == 0, f'dmarc-cat {name}: {done.stderr}')
    check(
        'Reporting by: Example & <Sons> — postmaster@example.org' in done.stdout and f'Domain: {domain}\n' in done.stdout,
        f'dmarc-cat {name}: {done.stdout[:400]}',
    )
    check(f'From {DAY} 00:00:00 +0000 UTC to {DAY} 23:59:59 +0000 UTC' in done.stdout, f'dmarc-cat {name}: {done.stdout[:400]}')
    rows = [line.split() for line in done.stdout.partition('\nIP ')[2].splitlines()[1:] if line.strip()]
    wanted = sorted(re.findall(r'<source_ip>([^<]*)</source_ip>\s*<count>(\d+)</count>', text.decode()))
    check(sorted((r[0], r[1]) for r in rows) == wanted, f'dmarc-cat {name}: {len(rows)} rows, not {len(wanted)}')


def random_findings(chance, n, sender, policy_domain, passed):
    result = 'pass' if passed else 'fail'
    findings = [
        dict(
            standard='dkim',
            subject=sender,
            selector=chance.choice(HOSTILE),
            result=chance.choice(['pass', 'fail', 'temperror', 'policy', 'untested']),
            algorithm='rsa-sha256',
            bits=2048,
            aligned=True,
        )
        for _ in range(chance.randrange(3))
    ]
    findings.append(dict(standard='spf', subject='mail.' + sender, identity=chance.choice(['mailfrom', 'helo']), result=result))
    findings.append(
        dict(
            standard='dmarc',
            subject=sender,
            record=policy_domain,
            org=policy_domain,
            result=result,
            p='reject',
            sp='quarantine',
            np='reject',
            adkim='r',
            aspf='s',
            t='n',
            fo='1:d',
            rua=DOMAINS[policy_domain][0],
            applied='reject' if sender == policy_domain else 'quarantine',
            discovery='treewalk',
            spf_aligned=passed,
            dkim_aligned=passed and n % 2 == 0,
        )
    )
    return findings


def random_mail(chance, n):
    """(policy domain, the record of the day's mail n); the milter says why where it does otherwise than was published."""
    policy_domain = chance.choice(list(DOMAINS))
    sender = chance.choice(DOMAINS[policy_domain][1])
    passed = chance.random() < 0.7
    action = 'deliver' if passed else chance.choice(['reject', 'quarantine', 'deliver', 'defer'])
    source = chance.choices(['internet', 'relay', 'submission'], [20, 1, 1])[0]
    override = chance.choice([None, 'mailing_list', 'trusted_forwarder']) if action == 'deliver' and not passed else None
    if not passed and not override:  # the milter says why where it does otherwise than was published (RFC 9990 3.1.1.8)
        asked = 'reject' if sender == policy_domain else 'quarantine'
        override = 'local_policy' if (action if action != 'deliver' else 'none') != asked else None
    client = '2001:db8::%x' % chance.randrange(1, 60) if n % 5 == 0 else '192.0.2.%d' % chance.randrange(1, 250)
    verdict = dict(action=action, would=action, statement='L5')
    if override:
        verdict.update(override=override, comment='because <of> "this" & that')
    findings = random_findings(chance, n, sender, policy_domain, passed)
    record = dict(
        v=1,
        t='%sT%02d:%02d:%02d.5Z' % (DAY, n * 24 // MAILS, n % 60, n % 59),
        host='mx1',
        kind='mail',
        id='Q%d' % n,
        source=source,
        client=client,
        mail_from='mail.' + sender,
        rcpts=1,
        verdict=verdict,
        findings=findings,
        **{'from': sender},
    )
    return policy_domain, record


def make_journal(path):
    """Writes MAILS mails of the day and some special ones; the mails of each policy domain that are reported."""
    chance = random.Random(5)
    sums = collections.Counter()
    with open(path, 'w') as out:

        def put(record):
            out.write(json.dumps(record, separators=(',', ':')) + '\n')

        put(dict(v=1, t=DAY + 'T00:00:00Z', host='mx1', kind='segment', segment='reports' + str(os.getpid()), writer='milter'))
        for n in range(MAILS):
            policy_domain, record = random_mail(chance, n)
            put(record)
            if record['source'] != 'submission' and record['verdict']['action'] != 'defer':
                sums[policy_domain] += 1
        sums['relayed.example'] = 1
        # Mail that is reported under the client behind our relay, and mail that is never: of a client that nobody
        # knows, of ours, judged elsewhere.
        for n, (source, client) in enumerate(
            (
                ('relay', '203.0.113.9'),
                ('relay', None),
                ('own-network', '203.0.113.10'),
                ('local', None),
                ('submission', '203.0.113.11'),
                ('fleet', '203.0.113.12'),
            )
        ):
            record = mail_of('relayed.example', DAY, n, source=source, client=client, relay='198.51.100.25')
            put({key: value for key, value in record.items() if value is not None})
        # A domain whose only mail of the day is a report: it gets none.
        put(
            dict(
                v=1,
                t=DAY + 'T12:00:00Z',
                host='mx1',
                kind='mail',
                source='internet',
                client='192.0.2.1',
                report=True,
                verdict=dict(action='deliver', would='deliver'),
                findings=[
                    dict(standard='dmarc', record='loop.example', result='pass', p='none', applied='none', rua='mailto:x@loop.example')
                ],
                **{'from': 'loop.example'},
            )
        )
    return sums


def run(*arguments, expect=0):
    done = subprocess.run(list(arguments), capture_output=True, text=True)
    check(done.returncode == expect, f'{arguments} ended with {done.returncode}, not {expect}: {done.stdout}{done.stderr}')
    return done.stdout


def assay(*arguments, expect=0):
    """stdout of `assay ledger`."""
    return run(os.path.join(BUILD, 'assay'), 'ledger', *arguments, '-P', FOLDER + '/policy', expect=expect)


def total(root, ns):
    return sum(int(c.text) for c in root.iter(ns + 'count'))


# RFC 9990 section 3.1, its tables: element: (in this order?, {child: (least, most)}), or the pattern its text must match.
MANY, DISPOSITION, ANY = 10**9, 'none|quarantine|reject', r'(?s).*'
GRAMMAR = {
    'feedback': (True, dict(version=(0, 1), report_metadata=(1, 1), policy_published=(1, 1), extension=(0, 1), record=(1, MANY))),
    'report_metadata': (
        False,
        dict(org_name=(1, 1), email=(1, 1), extra_contact_info=(0, 1), report_id=(1, 1), date_range=(1, 1), error=(0, 1), generator=(0, 1)),
    ),
    'date_range': (False, dict(begin=(1, 1), end=(1, 1))),
    'policy_published': (
        False,
        dict(domain=(1, 1), p=(1, 1), sp=(0, 1), np=(0, 1), adkim=(0, 1), aspf=(0, 1), discovery_method=(0, 1), fo=(0, 1), testing=(0, 1)),
    ),
    'record': (True, dict(row=(1, 1), identifiers=(1, 1), auth_results=(1, 1))),
    'row': (False, dict(source_ip=(1, 1), count=(1, 1), policy_evaluated=(1, 1))),
    'policy_evaluated': (True, dict(disposition=(1, 1), dkim=(1, 1), spf=(1, 1), reason=(0, MANY))),
    'reason': (False, dict(type=(1, 1), comment=(0, 1))),
    'identifiers': (False, dict(header_from=(1, 1), envelope_from=(0, 1), envelope_to=(0, 1))),
    'auth_results': (True, dict(dkim=(0, 100), spf=(0, 1))),
    'auth_results/dkim': (False, dict(domain=(1, 1), selector=(1, 1), result=(1, 1), human_result=(0, 1))),
    'auth_results/spf': (False, dict(domain=(1, 1), scope=(0, 1), result=(1, 1), human_result=(0, 1))),
    'version': r'1\.0',
    'begin': r'\d+',
    'end': r'\d+',
    'count': r'[1-9]\d*',
    'p': DISPOSITION,
    'sp': DISPOSITION,
    'np': DISPOSITION,
    'adkim': 'r|s',
    'aspf': 'r|s',
    'discovery_method': 'psl|treewalk',
    'testing': 'y|n',
    'disposition': DISPOSITION + '|pass',
    'policy_evaluated/dkim': 'pass|fail',
    'policy_evaluated/spf': 'pass|fail',
    'type': 'local_policy|mailing_list|other|policy_test_mode|trusted_forwarder',
    'scope': 'mfrom',
    'source_ip': r'[0-9a-f:.]+',
    'dkim/result': 'none|pass|fail|policy|neutral|temperror|permerror',
    'spf/result': 'none|pass|fail|softfail|policy|neutral|temperror|permerror',
}


def conforms(node, parent=''):
    check(node.tag.startswith(NS), f'{node.tag} is not in the namespace')
    name = node.tag[len(NS) :]
    rule = GRAMMAR.get(f'{parent}/{name}', GRAMMAR.get(name, ANY))
    if isinstance(rule, str):
        check(len(node) == 0 and re.fullmatch(rule, node.text or ''), f'<{name}> in <{parent}> is {node.text!r}')
        return
    ordered, children = rule
    names = [c.tag[len(NS) :] for c in node]
    for child, (least, most) in children.items():
        check(least <= names.count(child) <= most, f'<{name}> has {names.count(child)} of <{child}>')
    check(set(names) <= set(children), f'<{name}> has {set(names) - set(children)}')
    check(not ordered or names == sorted(names, key=list(children).index), f'<{name}> has its elements in the order {names}')
    for child in node:
        conforms(child, name)


def schema():
    """The schema of the RFC, if the folder of suites is there."""
    path = os.path.join(os.environ.get('SUITES') or '../shared/suites', '..', 'reference', 'dmarc', 'dmarc-xml-0.2.xsd')
    return path if os.path.exists(path) else None


def write_policy(sendmail, contact='postmaster@example.org'):
    with open(FOLDER + '/policy', 'w') as out:
        out.write(
            f'''policy "reports" owner "postmaster@example.org"
set journal.dir "{FOLDER}/journal"
set ledger.store "{STORE}"
set ledger.knowledge "{FOLDER}/knowledge"
set report.contact "{contact}"
set report.from "noreply-dmarc@example.org"
set report.org "Example & <Sons>"
set report.rfc7489-to old-form.example
set report.to all
set report.sendmail "{sendmail}"
set report.dkim-key "{FOLDER}/key.pem"
set report.dkim-selector "rpt"
'''
        )


def make_key():
    """A key to sign reports with; what stands in DNS for it and for DMARC of our domain."""
    key = FOLDER + '/key.pem'
    run('openssl', 'genrsa', '-out', key, '2048')
    os.chmod(key, 0o640)
    public = ''.join(run('openssl', 'rsa', '-in', key, '-pubout').splitlines()[1:-1])
    text = ' '.join(f'"{part}"' for part in ('v=DKIM1; k=rsa; p=' + public[:200], public[200:]))
    return f'rpt._domainkey.example.org TXT {text}\n_dmarc.example.org TXT "v=DMARC1; p=reject; adkim=s; aspf=s"\n'


def passes_dmarc(path):
    """By the milter's own verdict, as a receiver that knows nothing of us but DNS: the null sender, a client without SPF."""
    findings = judged(BUILD, FOLDER, path)
    got = {f['standard']: f['result'] for f in findings if f['standard'] in ('dkim', 'dmarc')}
    check(
        got == dict(dkim='pass', dmarc='pass'),
        f'a report mail is judged {got}: {[f for f in findings if f["standard"] in ("dkim", "dmarc")]}',
    )


def sent_mails():
    return [email.message_from_binary_file(open(os.path.join(FOLDER, 'sent', n), 'rb')) for n in sorted(os.listdir(FOLDER + '/sent'))]


def make_place():
    """Folders, name servers' answers, and two programs to hand mail to: one that keeps it, one that fails."""
    os.makedirs(FOLDER + '/journal')
    os.makedirs(FOLDER + '/out')
    os.makedirs(FOLDER + '/sent')
    if STORE.startswith('postgres'):
        run('psql', '-qX', STORE, '-c', 'DROP SCHEMA public CASCADE', '-c', 'CREATE SCHEMA public')
    with open(FOLDER + '/dns', 'w') as out:
        out.write(CONSENT + make_key())
    with open(FOLDER + '/sendmail', 'w') as out:
        out.write(f'#!/bin/sh\nt=$(mktemp {FOLDER}/part-XXXXXX) && cat >"$t" && mv "$t" {FOLDER}/sent/$(basename "$t")\n')
    with open(FOLDER + '/broken', 'w') as out:
        out.write('#!/bin/sh\necho "queue file system full" >&2\nexit 75\n')
    os.chmod(FOLDER + '/sendmail', 0o755)
    os.chmod(FOLDER + '/broken', 0o755)
    write_policy(FOLDER + '/broken', contact='')


def check_plan(common):
    """Whom it would go to."""
    plan = {(r['domain'], r['destination']): r['state'] for r in json.loads(assay(*common, '--dry-run', '--json'))}
    check(
        plan
        == {
            ('example.net', 'dmarc@example.net'): 'would send',
            ('example.com', 'a@third.example'): 'would send',
            ('example.com', 'b@example.com'): 'would send',
            ('bank.example', 'other@third.example'): 'would send',
            ('refused.example', 'd@third.example'): 'unwanted',
            ('slow.example', 'e@third.example'): 'ask later',
            ('old.example', 'f@old-form.example'): 'would send',
            ('odd.example', 'g+h@odd.example'): 'would send',
            ('relayed.example', 'r@relayed.example'): 'would send',
        },
        f'the plan is {plan}',
    )


def check_files(common, sums):
    """Valid, and the sums are those of the mails."""
    assay(*common, '--to', FOLDER + '/out')
    files = sorted(os.listdir(FOLDER + '/out'))
    check(files == sorted(f'example.org!{d}!{BEGIN}!{BEGIN + 86399}.xml.gz' for d in REPORTED), f'files: {files}')
    xsd = schema()
    for name in files:
        text = gzip.open(os.path.join(FOLDER, 'out', name)).read()
        domain = name.split('!')[1]
        root = tree.fromstring(text)
        old = domain == 'old.example'
        ns = '' if old else NS
        check(root.tag == ns + 'feedback', f'{name}: {root.tag}')
        check(total(root, ns) == sums[domain], f'{name}: {total(root, ns)} mails, not {sums[domain]}')
        check(root.find(f'{ns}report_metadata/{ns}org_name').text == 'Example & <Sons>', name)
        if old:
            check(root.find('policy_published/pct').text == '100' and all(d.text != 'pass' for d in root.iter('disposition')), name)
            check(not any(t.text == 'policy_test_mode' for t in root.iter('type')), name)
        else:
            conforms(root)
        if xsd or old:
            form = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'rfc7489.xsd') if old else xsd
            done = subprocess.run(['xmllint', '--noout', '--nonet', '--schema', form, '-'], input=text, capture_output=True)
            check(done.returncode == 0, f'{name}: {done.stderr.decode()[:500]}')
        if shutil.which('dmarc-cat'):
            check_independent(name, text, domain)
        if domain == 'relayed.example':
            check([ip.text for ip in root.iter(ns + 'source_ip')] == ['203.0.113.9'], f'{name}: not the client behind the relay')
        for record in root.iter(ns + 'record'):
            evaluated = record.find(f'{ns}row/{ns}policy_evaluated')
            failed = evaluated.find(ns + 'dkim').text == 'fail' and evaluated.find(ns + 'spf').text == 'fail'
            want = 'reject' if record.find(f'{ns}identifiers/{ns}header_from').text == domain else 'quarantine'
            if failed and evaluated.find(ns + 'disposition').text != want:
                check(evaluated.find(ns + 'reason') is not None, f'{name}: an override without reason')
    return files, xsd


def check_sending(common):
    """Once handed over, again and again: a failure first."""
    assay(*common, expect=75)
    check(not os.listdir(FOLDER + '/sent'), 'sent although the command failed')
    write_policy(FOLDER + '/sendmail')
    store_sql("UPDATE report_out SET next_try = 0 WHERE state = 'retry'")
    racers = [
        subprocess.Popen([os.path.join(BUILD, 'assay'), 'ledger', *common, '-P', FOLDER + '/policy'], stdout=subprocess.DEVNULL)
        for _ in range(3)
    ]
    codes = [r.wait() for r in racers]
    check(all(c in (0, 75) for c in codes), f'racers ended with {codes}')
    mails = sent_mails()
    to = sorted(m['To'] for m in mails)
    check(
        to
        == [
            'a@third.example',
            'b@example.com',
            'dmarc@example.net',
            'f@old-form.example',
            'g+h@odd.example',
            'other@third.example',
            'r@relayed.example',
        ],
        f'sent to {to}',
    )
    for m in mails:
        check_mail(m)
    for name in os.listdir(FOLDER + '/sent'):
        passes_dmarc(os.path.join(FOLDER, 'sent', name))
    return mails


def check_bad_keys(common, mails):
    """A key that everybody may read, or that is none, stops nothing but the sending."""
    for mode, text, says in ((0o644, None, 'by everybody'), (0o600, 'no key', 'key.pem')):
        os.chmod(FOLDER + '/key.pem', mode)
        key = open(FOLDER + '/key.pem').read()
        if text:
            open(FOLDER + '/key.pem', 'w').write(text)
        store_sql("UPDATE report_out SET state = 'retry', next_try = 0, tries = 1 WHERE destination = 'b@example.com'")
        check(says in assay(*common, '--json', expect=75), f'a key that {says}')
        os.chmod(FOLDER + '/key.pem', 0o600)
        open(FOLDER + '/key.pem', 'w').write(key)
    store_sql("UPDATE report_out SET state = 'sent' WHERE destination = 'b@example.com'")
    assay(*common, expect=0)
    check(len(sent_mails()) == len(mails), 'a report was sent twice')


def check_sent_again(common, mails):
    """Dead in the middle of sending: the claim ends, and the same report goes out again."""
    first = {m['To']: (m['Message-ID'], m['Subject']) for m in mails}
    store_sql("UPDATE report_out SET state = 'sending', changed = 1 WHERE destination = 'b@example.com'")
    assay(*common)
    again = [m for m in sent_mails() if m['To'] == 'b@example.com']
    check(
        len(again) == 2
        and (again[0]['Message-ID'], again[0]['Subject']) == (again[1]['Message-ID'], again[1]['Subject']) == first['b@example.com'],
        'not the same names again',
    )
    check(again[0].get_payload()[1].get_payload() == again[1].get_payload()[1].get_payload(), 'not the same octets again')


def check_read_back(files, mails, sums):
    """Read back by our own reader: files, and whole mails."""
    with open(FOLDER + '/mail.eml', 'wb') as out:
        out.write([m for m in mails if m['To'] == 'dmarc@example.net'][0].as_bytes())
    back = json.loads(
        assay('read-report', '--json', *[os.path.join(FOLDER, 'out', f) for f in files if 'example.net' not in f], FOLDER + '/mail.eml')
    )
    check({r['domain']: r['count'] for r in back} == {d: sums[d] for d in REPORTED}, f'read back: {back}')
    check(all(r['state'] == 'taken' for r in back), 'not fresh')
    back = json.loads(assay('read-report', '--json', FOLDER + '/mail.eml'))
    check(back[0]['state'] == 'was there', 'taken twice')


def main():
    make_place()
    sums = make_journal(FOLDER + '/journal/milter-20261119T000000Z-00000001.journal')
    begun = time.time()
    run(os.path.join(BUILD, 'assay-ledger'), '-1', '-P', FOLDER + '/policy', '-S', FOLDER)
    took = time.time() - begun
    common = ['dmarc-reports', '--day', DAY, '--dns', FOLDER + '/dns']

    # Off until contact and From are set.
    assay(*common, expect=78)
    write_policy(FOLDER + '/broken')
    check_plan(common)
    files, xsd = check_files(common, sums)
    mails = check_sending(common)
    check_bad_keys(common, mails)
    check_sent_again(common, mails)
    check_late(common)
    check_left_alone(common)
    check_read_back(files, mails, sums)
    rows = sum(len(list(tree.fromstring(gzip.open(os.path.join(FOLDER, 'out', f)).read()).iter('record'))) for f in files if 'old.' in f)
    other = ' and by dmarc-cat' if shutil.which('dmarc-cat') else ' (dmarc-cat is not installed)'
    print(
        f'{MAILS} mails ({MAILS / took:.0f} a second taken in), {len(files)} '
        f'reports{" valid by the schema" if xsd else " by the tables of RFC 9990 (its schema is not at hand)"}, '
        f'{len(mails)} sent once each by three racers, signed and passing DMARC, read back equal{other}; {rows} rows in the old form'
    )


def store_sql(sql):
    if STORE.startswith('postgres'):
        run('psql', '-qX', STORE, '-c', sql)
    else:
        run('sqlite3', STORE, sql)


def check_mail(m):
    subject = m['Subject'].replace('\n', '').replace('\r', '')
    found = re.fullmatch(r'Report\s+Domain:\s+(\S+)\s+Submitter:\s+example\.org\s+Report-ID:\s+<([^>]+)>', subject)
    check(found, f'Subject: {subject}')
    domain, report_id = found.groups()
    check(
        re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9.-]+", report_id),
        f'Report-ID {report_id}',
    )
    check(m['Auto-Submitted'] == 'auto-generated', 'Auto-Submitted')
    check(m['From'] == 'noreply-dmarc@example.org', 'From')
    parts = m.get_payload()
    check([p.get_content_type() for p in parts] == ['text/plain', 'application/gzip'], 'parts')
    check(parts[1].get_filename() == f'example.org!{domain}!{BEGIN}!{BEGIN + 86399}.xml.gz', f'file name {parts[1].get_filename()}')
    text = gzip.decompress(parts[1].get_payload(decode=True)).decode()
    check(f'<report_id>{report_id}</report_id>' in text, 'Report-ID differs between mail and report')


main()
