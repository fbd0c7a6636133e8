# SPDX-License-Identifier: BSD-2-Clause
"""mailbox.py - reports that come by mail: `assay ledger read-report --maildir FOLDER [--watch]`; in a network of its own, as root.

    mailbox.py BUILD FOLDER

The way that assay-ledger(1) describes, with a real Postfix and assay-milter before it: rua points at an address, an alias puts its mail
into a maildir, the reports are read, and each is marked by what our own Authentication-Results say of its mail. Then mailboxes as nobody
should fill them: forged fields, floods, what is no file, mails that cannot be read; and a daemon's day: --watch, a store that is replaced,
a reader that is killed.
"""
import base64
import gzip
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

BUILD, FOLDER = (os.path.abspath(a) for a in sys.argv[1:3])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../world'))
import milter  # noqa: E402
import postfix  # noqa: E402
import smtp  # noqa: E402

US = 'mx.example.org'
SENDER = '192.0.2.25'
SERVER = '203.0.113.1'
BEGIN = int(time.time()) // 86400 * 86400 - 86400
STORE = FOLDER + '/ledger.db'
cases = number = 0


def check(condition, text):
    global cases
    cases += 1
    if not condition:
        sys.exit('mailbox: ' + text)


def report(org='google.example', email=None, domain='example.org', ident=None, count=3):
    global number
    number += 1
    email = f'reports@{org}' if email is None else email
    return (
        f'<feedback><report_metadata><org_name>{org}</org_name><email>{email}</email><report_id>{ident or f"id{number}"}</report_id>'
        f'<date_range><begin>{BEGIN}</begin><end>{BEGIN + 86399}</end></date_range></report_metadata><policy_published>'
        f'<domain>{domain}</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>{count}</count>'
        f'<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row><identifiers>'
        f'<header_from>{domain}</header_from></identifiers><auth_results/></record></feedback>'
    ).encode()


def mail(text, sender='reports@google.example', head=''):
    """The mail that brings it, as RFC 9990 3.5.2 has it."""
    packed = base64.encodebytes(gzip.compress(text)).decode()
    return (
        f'{head}From: {sender}\nTo: dmarc-reports@example.org\nDate: Thu, 01 Jan 2026 00:00:00 +0000\nMessage-ID: <{number}@x.example>\n'
        f'Subject: Report Domain: example.org Submitter: google.example Report-ID: <{number}>\nMIME-Version: 1.0\n'
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/gzip\n'
        f'Content-Disposition: attachment; filename="google.example!example.org!{BEGIN}!{BEGIN + 86399}.xml.gz"\n'
        f'Content-Transfer-Encoding: base64\n\n{packed}\n--b--\n'
    ).encode()


def policy(path, *lines):
    with open(path, 'w') as out:
        out.write(
            f'policy "mailbox" owner "postmaster@example.org"\nown domains example.org\nset authserv-id "{US}"\n'
            f'set ledger.store "{STORE}"\n' + ''.join(line + '\n' for line in lines)
        )


def new_maildir(name):
    folder = f'{FOLDER}/{name}'
    for sub in ('', '/new', '/cur', '/tmp'):
        os.mkdir(folder + sub)
    return folder


def read(folder, expect=0, *more):
    expect = expect if isinstance(expect, tuple) else (expect,)
    done = subprocess.run(
        [BUILD + '/assay', 'ledger', 'read-report', '--maildir', folder, '--json', '-P', FOLDER + '/policy', *more],
        capture_output=True,
        text=True,
        timeout=60,
    )
    check(done.returncode in expect, f'{folder}: ended with {done.returncode}, not {expect}: {done.stdout}{done.stderr}')
    return json.loads(done.stdout or '[]'), done.stderr


def put(folder, name, octets):
    with open(f'{folder}/new/{name}', 'wb') as out:
        out.write(octets)


def sql(text):
    with sqlite3.connect(STORE) as db:
        return db.execute(text).fetchall()


# ---- a real Postfix ----


def journal(place):
    """The milter's records of mails, as they came."""
    records = []
    for name in sorted(os.listdir(place + '/state/journal')):
        if '.journal' in name or '.open' in name:
            for line in open(f'{place}/state/journal/{name}'):
                records.append(json.loads(line))
    return sorted((r for r in records if r.get('kind') == 'mail'), key=lambda r: r['t'])


def start_milter(place):
    """assay-milter that runs, with saved DNS answers."""
    os.mkdir(place, 0o755)
    m = milter.Milter(place)
    m.write_policy(
        f'policy "mailbox" owner "postmaster@example.org"\nown domains example.org\nset authserv-id "{US}"\nfollow dmarc of everyone\n'
        f'set journal.dir "{place}/state/journal"\nset mode dry-run\n'
    )
    with open(FOLDER + '/dns', 'w') as out:
        for domain, addresses in (('google.example', SENDER), ('evil.example', SENDER), ('other.example', '198.51.100.1')):
            out.write(f'{domain} secure TXT "v=spf1 ip4:{addresses} -all"\n_dmarc.{domain} secure TXT "v=DMARC1; p=reject"\n')
        out.write('_dmarc.example.org secure TXT "v=DMARC1; p=none; rua=mailto:dmarc-reports@example.org"\nzone example secure\n')
    m.start('--dns', FOLDER + '/dns')
    return m


def start_postfix(m):
    """Postfix that runs, and the maildir of the reports: mail to it is delivered by a file of aliases."""
    owner = postfix.user()
    reports, bob = new_maildir('reports'), new_maildir('bob')
    for folder in (reports, bob):
        for sub in ('', '/new', '/cur', '/tmp'):
            os.chown(folder + sub, owner.pw_uid, owner.pw_gid)
    # The manual's words: a file of aliases that belongs to the user who is to own the mails.
    aliases = FOLDER + '/aliases'
    with open(aliases, 'w') as out:
        out.write(f'dmarc-reports: {reports}/\nbob: {bob}/\n')
    p = postfix.Postfix(
        FOLDER + '/postfix',
        US,
        [SERVER],
        {
            'mydestination': 'example.org',
            'alias_maps': 'hash:' + aliases,
            'local_recipient_maps': '$alias_maps',
            'allow_mail_to_files': 'alias',
            'smtpd_milters': m.address,
            'milter_default_action': 'tempfail',
        },
    )
    p.write()
    subprocess.run(['postalias', '-c', p.config, 'hash:' + aliases], check=True)
    for name in (aliases, aliases + '.db'):
        shutil.chown(name, owner.pw_uid, owner.pw_gid)
    p.start()
    return p, reports


def by_postfix():
    for address in (SENDER, SERVER):
        subprocess.run(['ip', 'addr', 'add', address + '/32', 'dev', 'lo'], check=True)
    place = FOLDER + '/m'
    m = start_milter(place)
    p, reports = start_postfix(m)
    try:
        forged = f'Authentication-Results: {US}; dmarc=pass header.from=google.example\n'
        for sender, octets in (
            ('reports@google.example', mail(report(ident='honest'))),
            ('me@evil.example', mail(report(ident='in-their-name'), 'me@evil.example')),
            ('reports@other.example', mail(report(org='other.example', ident='spoofed'), 'reports@other.example', forged)),
        ):
            said = smtp.send(SENDER, SERVER, 'mail.google.example', sender, ['dmarc-reports@example.org'], octets.replace(b'\n', b'\r\n'))
            check(said[-1][0] == 'end' and said[-1][1] == 250, f'{sender}: {said}')
        end = time.monotonic() + 20
        while time.monotonic() < end and len(os.listdir(reports + '/new')) < 3:
            time.sleep(0.1)
        check(len(os.listdir(reports + '/new')) == 3, f'{len(os.listdir(reports + "/new"))} mails came by the alias')
        # What the milter takes for a report: two signs, wherever they are; a forged subject alone is none.
        forged = b'From: x@evil.example\r\nSubject: Report Domain: example.org Submitter: x\r\n'
        forged += b'Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n\r\nhi\r\n'
        for to in ('bob@example.org', 'dmarc-reports@example.org'):
            said = smtp.send(SENDER, SERVER, 'x.example', f'to-{to.partition("@")[0]}@evil.example', [to], forged)
            check(said[-1][0] == 'end' and said[-1][1] == 250, f'{to}: {said}')
        while time.monotonic() < end and len(os.listdir(reports + '/new')) < 4:
            time.sleep(0.1)
        signs = [r.get('report', False) for r in journal(place)]
        check(signs == [True, True, True, False, True], f'reports by the milter: {signs}')
        for name in os.listdir(reports + '/new'):
            if b'\nhi\n' in open(f'{reports}/new/{name}', 'rb').read():
                os.remove(f'{reports}/new/{name}')
    finally:
        p.master.terminate()
        p.master.wait()
        m.stop()
    rows, _ = read(reports)
    got = {(r['org'], r['sender'], r['authenticated']) for r in rows}
    check(
        got == {('google.example', 'google.example', 'yes'), ('google.example', 'evil.example', 'no'), ('other.example', '', 'no')},
        f'by Postfix: {got}',
    )
    kept = dict(sql('SELECT report_id, authenticated FROM report_in'))
    check(kept == {'honest': 1, 'in-their-name': 0, 'spoofed': 0}, f'kept: {kept}')
    check(not os.listdir(reports + '/new') and len(os.listdir(reports + '/cur')) == 3, 'what was read is in cur')
    said = subprocess.run([BUILD + '/assay', 'report', '--json', '-P', FOLDER + '/policy'], capture_output=True, text=True)
    sections = json.loads(said.stdout)
    apart = {(r['org'], r['reports']) for r in sections['not_authenticated']}
    check(apart == {('google.example', 1), ('other.example', 1)}, f'assay report: {said.stderr}{apart}')
    check(sections['about_us'][0]['mails'] == 3, f'only the authenticated one is counted: {sections["about_us"]}')


# ---- what our own field says ----


def by_field():
    folder = new_maildir('fields')
    ours = f'Authentication-Results: {US}; '
    others = 'Authentication-Results: mx.other.example; dmarc=pass header.from=google.example\n'
    wanted = {}
    for n, (head, proof) in enumerate(
        (
            (ours + 'dmarc=pass header.from=google.example\n', 'yes'),
            (ours.upper() + 'DMARC=PASS header.from=GOOGLE.example\n', 'yes'),
            (
                'Received: from x by y; Thu, 01 Jan 2026 00:00:00 +0000\n'
                + ours
                + 'spf=fail;\n dmarc=pass (p=reject) header.from=google.example\n',
                'yes',
            ),
            (others + ours + 'dmarc=pass header.from=mail.google.example\n', 'yes'),
            (others, 'no'),
            ('', 'no'),
            (ours + 'none\n', 'no'),
            (ours + 'dmarc=fail header.from=google.example\n', 'no'),
            (ours + 'dmarc=pass\n', 'no'),
            (ours + 'dmarc=pass header.from=evil.example\n', 'no'),
            (ours + 'dmarc=pass header.from=example\n', 'no'),
            (ours + 'dmarc=pass header.from=notgoogle.example\n', 'no'),
            (ours + 'dkim=pass header.d=google.example\n', 'no'),
            (ours + 'dmarc=fail header.from=google.example; dmarc=pass header.from=google.example\n', 'no'),
            (ours + 'dmarc=pass header.from=google.example; dmarc=fail header.from=google.example\n', 'no'),
            (ours + 'dmarc=fail header.from=google.example\n' + ours + 'dmarc=pass header.from=google.example\n', 'no'),
            (ours + 'dmarc=pass header.from="google.example\n', 'no'),
            ('X: y\n' * 3000 + ours + 'dmarc=fail header.from=google.example\n', 'no'),
        )
    ):
        put(folder, f'm{n:02d}', mail(report(), head=head))
        wanted[f'm{n:02d}'] = (proof, head)
    rows, _ = read(folder)
    check(len(rows) == len(wanted), f'{len(rows)} of {len(wanted)} read')
    for r in rows:
        proof, head = wanted[r['file'].split('/new/')[1].split(':')[0]]
        check(r['authenticated'] == proof, f'{head[-200:]!r}: {r["authenticated"]}')


# ---- malformed mailboxes ----


def floods():
    now = int(time.time() * 1000000)
    insert = (
        'INSERT INTO report_in (kind, org, report_id, domain, begins, ends, policy, file, taken, authenticated, sender, octets) VALUES '
        "('dmarc', '{0}', '{1}', 'example.org', 0, 0, '', '', {2}, {3}, '{4}', {5})"
    )
    with sqlite3.connect(STORE) as db:
        for n in range(1000):
            db.execute(insert.format('busy.example', f'f{n}', now, 1, 'busy.example', 10))
            db.execute(insert.format('strange.example', f's{n}', now, 0, '', 10))
        db.execute(insert.format('large.example', 'l', now, 1, 'large.example', 1000000000 - 5))
        db.execute(insert.format('yesterday.example', 'y', now - 86400 * 1000000, 1, 'yesterday.example', 10**9))
    folder = new_maildir('floods')
    for n, (domain, proved) in enumerate(
        (('busy.example', 1), ('strange.example', 0), ('large.example', 1), ('yesterday.example', 1), ('fresh.example', 1))
    ):
        head = f'Authentication-Results: {US}; dmarc=pass header.from={domain}\n' if proved else ''
        put(folder, str(n), mail(report(org=domain), f'r@{domain}', head))
    rows, said = read(folder, 65)
    check({r['org'] for r in rows} == {'yesterday.example', 'fresh.example'}, f'taken: {rows}')
    check(said.count('its sender has brought as many reports today') == 2 and said.count('not authenticated') == 1, said)
    # A file named on the command line has no such bound.
    with open(FOLDER + '/file.xml', 'wb') as out:
        out.write(report(org='busy.example'))
    done = subprocess.run(
        [BUILD + '/assay', 'ledger', 'read-report', FOLDER + '/file.xml', '--json', '-P', FOLDER + '/policy'], capture_output=True
    )
    check(done.returncode == 0 and json.loads(done.stdout)[0]['authenticated'] == 'not known', f'by hand: {done}')


def bounces():
    """RFC 3464: a report of ours that came back for good; its address is left alone, and nobody else's is."""
    row = (
        "INSERT INTO report_out (day, domain, destination, report_id, state, tries, next_try, reason, rows, octets, claimed_by, changed) "
        "VALUES (20770, '{0}.example', 'dmarc@{0}.example', '2026-11-13.{0}.example@example.org', 'sent', 1, 0, '', 1, 1, '', 0)"
    )
    for name in ('gone', 'slow', 'well', 'second'):
        sql(row.format(name))
    dsn = (
        'Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: Undelivered\nMIME-Version: 1.0\nContent-Type: multipart/report; '
        'report-type=delivery-status; boundary="b"\n\n--b\nContent-Type: text/plain\n\nsorry\n--b\nContent-Type: '
        'message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; {0}\nAction: {1}\nStatus: {2}\n\n--b\n'
        'Content-Type: text/rfc822-headers\n\nMessage-ID: <{3}@example.org>\n\n--b--\n'
    )
    folder = new_maildir('bounces')
    for n, fields in enumerate(
        (
            ('DMARC@gone.example', 'failed', '5.1.1', '2026-11-13.gone.example'),
            ('dmarc@slow.example', 'delayed', '4.4.7', '2026-11-13.slow.example'),
            ('dmarc@second.example', 'failed', '5.7.1', '2026-11-13.second.example.abcd1234'),
            ('dmarc@well.example', 'failed', '5.1.1', '2026-11-12.well.example'),
            ('dmarc@other.example', 'failed', '5.1.1', '2026-11-13.well.example'),
        )
    ):
        put(folder, str(n), dsn.format(*fields).encode())
    rows, said = read(folder, 65)
    check({r['org'] for r in rows} == {'DMARC@gone.example', 'dmarc@second.example'} and {r['kind'] for r in rows} == {'bounce'}, str(rows))
    check(said.count('a bounce of no report') == 2, said)
    states = dict(sql("SELECT domain, state || ' ' || reason FROM report_out"))
    wanted = {'gone': 'refused bounced: 5.1.1', 'second': 'refused bounced: 5.7.1', 'slow': 'sent ', 'well': 'sent '}
    check(states == {f'{name}.example': state for name, state in wanted.items()}, f'states {states}')
    check(not os.listdir(folder + '/new'), 'a bounce is read again')
    told = subprocess.run([BUILD + '/assay', 'ledger', 'suppressed', '--json', '-P', FOLDER + '/policy'], capture_output=True, text=True)
    check('bounced: 5.1.1' in told.stdout, f'suppressed: {told.stdout}{told.stderr}')


def odd_files():
    sql("DELETE FROM report_in WHERE org = 'strange.example'")
    folder = new_maildir('odd')
    os.mkfifo(folder + '/new/fifo')
    os.symlink('/dev/zero', folder + '/new/device')
    os.symlink('/etc/passwd', folder + '/new/link')
    os.mkdir(folder + '/new/folder')
    socket.socket(socket.AF_UNIX).bind(folder + '/new/socket')
    put(folder, '.hidden', mail(report()))
    put(folder, 'empty', b'')
    put(folder, 'spam', b'From: a@b.example\nSubject: buy\n\nbuy\n')
    put(folder, 'x' * 252, mail(report()))
    put(folder, 'good\n\x1b[31m', mail(report()))
    put(folder, 'flagged:2,F', mail(report()))
    put(folder, 'zz', mail(report()))
    rows, said = read(folder, (65, 66))  # the code of the last that failed
    check(len(rows) == 4, f'{len(rows)} read: {rows}')
    check('flagged:2,F' in os.listdir(folder + '/cur'), 'a name with flags gets them twice')
    check('\x1b' not in said, 'a name of a file reaches the terminal as it is')
    check(os.listdir(folder + '/new') == ['.hidden'], f'left in new: {os.listdir(folder + "/new")}')
    check(said.count('not a plain file') == 5, said)
    shutil.rmtree(folder + '/cur')
    put(folder, 'again', mail(report()))
    read(folder, 73)
    check(read(FOLDER + '/nowhere', 66)[1].count('no maildir') == 1, 'a folder that is not there')


def watching():
    folder = new_maildir('watch')
    command = [BUILD + '/assay', 'ledger', 'read-report', '--maildir', folder, '--watch', '-P', FOLDER + '/policy']
    log = open(FOLDER + '/watch.log', 'w')
    reader = subprocess.Popen(command, stdout=log, stderr=log)

    def there(ident):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                if sql(f"SELECT 1 FROM report_in WHERE report_id = '{ident}'"):
                    return True
            except sqlite3.Error:
                pass
            time.sleep(0.2)
        return False

    put(folder, '1', mail(report(ident='watched')))
    check(there('watched'), 'a mail that comes is read')
    # A backup is put in the ledger's place while it runs: what comes then is in the new one.
    subprocess.run([BUILD + '/assay', 'ledger', 'backup', FOLDER + '/copy.db', '-P', FOLDER + '/policy'], check=True, capture_output=True)
    for end in ('-wal', '-shm'):
        if os.path.exists(STORE + end):
            os.remove(STORE + end)
    os.rename(FOLDER + '/copy.db', STORE)
    put(folder, '2', mail(report(ident='replaced')))
    check(there('replaced'), 'after the ledger was replaced, reports go to the old file')
    reader.send_signal(signal.SIGKILL)
    reader.wait()
    # Killed between store and rename: the mail is still in new, and is a repeat.
    os.rename(folder + '/cur/2:2,S', folder + '/new/2')
    rows, _ = read(folder)
    check([r['state'] for r in rows] == ['was there'], f'{rows}')
    # If the database cannot be reached, the mail stays in the mailbox.
    put(folder, '3', mail(report(ident='late')))
    blocker = sqlite3.connect(STORE, isolation_level=None)
    blocker.execute('PRAGMA wal_checkpoint')
    os.rename(STORE, STORE + '.away')
    os.mkdir(STORE)
    done = subprocess.run(command[:-3] + command[-2:], capture_output=True, text=True)
    check(done.returncode != 0 and os.path.exists(folder + '/new/3'), f'the store is away: {done}')
    os.rmdir(STORE)
    os.rename(STORE + '.away', STORE)
    blocker.close()
    read(folder)
    check(there('late'), 'read once the store is back')


def two_readers():
    """Of one mailbox, and a mail program that takes mails away: none of them stops, each report is taken once."""
    folder = new_maildir('two')
    command = [BUILD + '/assay', 'ledger', 'read-report', '--maildir', folder, '-P', FOLDER + '/policy']
    idents = [f'two{n}' for n in range(150)]
    for n, ident in enumerate(idents):
        put(folder, f'{n:03}', mail(report(org='pair.example', ident=ident)))
    readers = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for n in range(149, 120, -1):
        try:
            os.rename(f'{folder}/new/{n:03}', f'{folder}/cur/{n:03}:2,')
        except FileNotFoundError:
            pass
    for reader in readers:
        said = reader.communicate(timeout=60)[1]
        check(reader.returncode in (0, 75) and 'No such file' not in said, f'a reader ended with {reader.returncode}: {said}')
    read(folder)
    check(not os.listdir(folder + '/new'), f'left in new: {os.listdir(folder + "/new")}')
    counts = sql("SELECT count(*), count(DISTINCT report_id) FROM report_in WHERE org = 'pair.example' AND ours >= 0")
    check(counts[0][0] == counts[0][1] >= 121, f'taken: {counts}')


def main():
    os.chmod(os.path.dirname(FOLDER), 0o711)
    os.makedirs(FOLDER, mode=0o755)
    os.chmod(FOLDER, 0o755)
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    policy(FOLDER + '/policy')
    by_postfix()
    by_field()
    floods()
    bounces()
    odd_files()
    watching()
    two_readers()
    print(f'{cases} checks with a real Postfix, by alias')


main()
