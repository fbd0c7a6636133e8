# SPDX-License-Identifier: BSD-2-Clause
"""smtp.py - DMARC reports given to a mail server by SMTP: a real one (aiosmtpd) on loopback with STARTTLS, TLS from the start, and AUTH.

    smtp.py BUILD FOLDER

Checked: the null sender, the recipient, the mail as it was made (its signature passes DMARC at the other end), TLS and
the login where they are set; that
without them nothing is sent when they are required; that no password goes over a connection that is not checked, or
into a word that is said; that what is
refused is tried again, later each time, under the same Message-ID. Ends with a line of figures.
"""
import datetime
import email
import logging
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from checks import Checks
from judged import judged

BUILD, FOLDER = sys.argv[1], sys.argv[2]
DAY, PASSWORD = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=2)).date().isoformat(), 's3cret word'
check = Checks('smtp')


def run(*arguments, expect=0):
    done = subprocess.run(list(arguments), capture_output=True, text=True)
    check(done.returncode == expect, f'{arguments} ended with {done.returncode}, not {expect}: {done.stdout}{done.stderr}')
    check(PASSWORD not in done.stdout + done.stderr, 'the password was said')
    return done.stdout + done.stderr


class Listener(SMTP):
    """Without the parser of the library between the wire and the sender that is kept."""

    async def smtp_MAIL(self, argument):
        await super().smtp_MAIL(argument)
        self.envelope.wire_from = argument


class Server(Controller):
    """One listener; what it took is in `taken` as (sender, recipients, octets, over TLS, user)."""

    def __init__(self, tls=None, smtps=False, auth=False, answer=None):
        self.taken, self.logins, self.tls, self.smtps, self.auth, self.answer = [], [], tls, smtps, auth, answer
        super().__init__(self, hostname='localhost', port=0, ssl_context=tls if smtps else None)
        self.start()

    def _trigger_server(self):
        """That it answers; the library's own connects to the port that was asked for, which is 0 here."""
        self.port = self.server.sockets[0].getsockname()[1]
        with socket.create_connection(('localhost', self.port), 5) as plain:
            if self.ssl_context:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                plain = context.wrap_socket(plain)
            plain.recv(100)
            plain.close()

    def factory(self):
        return Listener(
            self,
            tls_context=None if self.smtps else self.tls,
            authenticator=self.login if self.auth else None,
            auth_required=self.auth,
            auth_require_tls=not self.smtps,
        )

    def login(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.login == b'reports' and data.password == PASSWORD.encode(), handled=False, auth_data=data)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return '250 ok'

    async def handle_DATA(self, server, session, envelope):
        self.taken.append(
            (envelope.wire_from.split()[0], envelope.rcpt_tos, envelope.content, self.smtps or session.ssl is not None, session.auth_data)
        )
        return '250 taken'


def certificate(name, host):
    """An authority, and a certificate of it for host: (authority's file, context of a server)."""
    at = f'{FOLDER}/{name}'
    run(
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        at + '.ca.key',
        '-out',
        at + '.ca',
        '-subj',
        f'/CN={name}',
        '-days',
        '2',
        '-addext',
        'basicConstraints=critical,CA:TRUE',
    )
    run('openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-keyout', at + '.key', '-out', at + '.csr', '-subj', '/CN=' + host)
    with open(at + '.ext', 'w') as out:
        out.write('subjectAltName=DNS:' + host)
    run(
        'openssl',
        'x509',
        '-req',
        '-in',
        at + '.csr',
        '-CA',
        at + '.ca',
        '-CAkey',
        at + '.ca.key',
        '-CAcreateserial',
        '-out',
        at + '.crt',
        '-days',
        '2',
        '-extfile',
        at + '.ext',
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(at + '.crt', at + '.key')
    return at + '.ca', context


def policy(url, *more):
    with open(FOLDER + '/policy', 'w') as out:
        out.write(
            f'policy "smtp" owner "postmaster@example.org"\nset journal.dir "{FOLDER}/journal"\nset ledger.store "{FOLDER}/ledger.db"\n'
            f'set ledger.knowledge "{FOLDER}/knowledge"\nset report.to all\nset report.contact "postmaster@example.org"\n'
            'set report.from "noreply@example.org"\n'
            f'set report.dkim-key "{FOLDER}/dkim.key"\nset report.dkim-selector "rpt"\nset report.sendmail "/bin/false"\n'
            f'set report.smtp "{url}"\n'
        )
        out.write(''.join(f'set report.smtp-{line}\n' for line in more))


def send(expect=0):
    """Tries again at once: what is said about each report, and the row of the store."""
    with sqlite3.connect(FOLDER + '/ledger.db') as db:
        db.execute("UPDATE report_out SET state = 'retry', next_try = 0")
    said = run(
        BUILD + '/assay',
        'ledger',
        'dmarc-reports',
        '--day',
        DAY,
        '--dns',
        FOLDER + '/dns',
        '--json',
        '-P',
        FOLDER + '/policy',
        expect=expect,
    )
    with sqlite3.connect(FOLDER + '/ledger.db') as db:
        row = db.execute('SELECT state, tries, next_try - changed, reason FROM report_out').fetchone()
    return said, row


def prepare():
    os.makedirs(FOLDER + '/journal')
    run('openssl', 'genrsa', '-out', FOLDER + '/dkim.key', '2048')
    os.chmod(FOLDER + '/dkim.key', 0o600)
    public = ''.join(run('openssl', 'rsa', '-in', FOLDER + '/dkim.key', '-pubout').replace('writing RSA key\n', '').splitlines()[1:-1])
    with open(FOLDER + '/dns', 'w') as out:
        out.write(
            f'rpt._domainkey.example.org TXT "v=DKIM1; p={public[:200]}" "{public[200:]}"\n'
            '_dmarc.example.org TXT "v=DMARC1; p=reject; adkim=s"\n'
        )
    dmarc = dict(
        standard='dmarc',
        subject='example.net',
        record='example.net',
        org='example.net',
        result='pass',
        p='none',
        rua='mailto:dmarc@example.net',
        dkim_aligned=True,
    )
    with open(FOLDER + '/journal/milter-20261119T000000Z-00000001.journal', 'w') as out:
        for r in (
            dict(v=1, t=DAY + 'T00:00:00Z', host='mx1', kind='segment', segment='smtp', writer='milter'),
            dict(
                v=1,
                t=DAY + 'T09:00:00Z',
                host='mx1',
                kind='mail',
                id='Q1',
                source='internet',
                client='192.0.2.7',
                mail_from='example.net',
                rcpts=1,
                verdict=dict(action='deliver', would='deliver'),
                findings=[dmarc],
                **{'from': 'example.net'},
            ),
        ):
            out.write(json.dumps(r) + '\n')
    with open(FOLDER + '/login', 'w') as out:
        out.write(f'reports\n{PASSWORD}\n')
    os.chmod(FOLDER + '/login', 0o640)


def check_taken(server, tls, user):
    check(len(server.taken) == 1, f'{len(server.taken)} mails')
    sender, to, octets, was_tls, login = server.taken[0]
    check((sender, to, was_tls) == ('FROM:<>', ['dmarc@example.net'], tls), f'{sender!r} {to} TLS {was_tls}')
    check((login.login if login else None) == user, f'login {login}')
    mail = email.message_from_bytes(octets)
    check(mail['Auto-Submitted'] == 'auto-generated' and mail['To'] == 'dmarc@example.net', 'header')
    with open(FOLDER + '/taken.eml', 'wb') as out:
        out.write(octets)
    found = {f['standard']: f['result'] for f in judged(BUILD, FOLDER, FOLDER + '/taken.eml')}
    check((found['dkim'], found['dmarc']) == ('pass', 'pass'), f'judged {found}')
    return mail['Message-ID'], octets


def refusals(ca, other_ca, tls, wrong_host):
    """What must not be sent, and what is said of it."""
    login = [f'login "{FOLDER}/login"', f'ca "{ca}"']
    for what, server, url, more, code, says in (
        ('no STARTTLS', Server(), 'smtp://localhost:%d', [f'ca "{ca}"'], 75, 'STARTTLS'),
        ('an unknown authority', Server(tls=tls), 'smtp://localhost:%d', [f'ca "{other_ca}"'], 75, 'certificate'),
        ('another host\'s certificate', Server(tls=wrong_host), 'smtp://localhost:%d', [f'ca "{other_ca}"'], 75, 'localhost'),
        ('no login', Server(tls=tls, auth=True), 'smtp://localhost:%d', [f'ca "{ca}"'], 75, '530'),
        ('no AUTH offered', Server(tls=tls), 'smtp://localhost:%d', login, 75, 'localhost'),
        ('a password in the clear', Server(auth=True), 'smtp://localhost:%d', login + ['tls opportunistic'], 78, 'certificate is checked'),
        ('a user in the address', Server(), 'smtp://me:pw@localhost:%d', [], 78, 'names a user'),
        ('another scheme', Server(), 'http://localhost:%d', [], 78, 'smtp://HOST'),
        ('a path', Server(), 'smtp://localhost:%d/x', [], 78, 'smtp://HOST'),
    ):
        policy(url % server.port, *more)
        said, row = send(code)
        check(says in said, f'{what}: {says!r} is not in {said!r}')
        check(not server.taken and not (code == 78 and server.logins), f'{what}: sent all the same')
        server.stop()
    server = Server(tls=tls, auth=True)
    policy(f'smtp://localhost:{server.port}', *login)
    for mode, text, says in (
        (0o644, f'reports\n{PASSWORD}\n', 'open to everybody'),
        (0o600, 'reports\n', 'two lines'),
        (0o600, f'a\n{PASSWORD}\nb\n', 'two lines'),
        (0o600, 'reports\n' + 'x' * 2000, 'too long'),
        (0o600, 'reports\nwrong\n', '535'),
    ):
        with open(FOLDER + '/login', 'w') as out:
            out.write(text)
        os.chmod(FOLDER + '/login', mode)
        said, _ = send(75)
        check(says in said and not server.taken, f'a login file that is {says}: {said}')
    os.remove(FOLDER + '/login')
    check('No such file' in send(75)[0], 'a login file that is not there')
    server.stop()
    policy(f'smtp://localhost:{server.port}')
    check("connect" in send(75)[0], 'a server that is not there')


def main():
    logging.disable(logging.CRITICAL)
    prepare()
    ca, tls = certificate('house', 'localhost')
    other_ca, wrong_host = certificate('other', 'elsewhere.example')
    policy('smtp://localhost:1')
    run(BUILD + '/assay-ledger', '-1', '-P', FOLDER + '/policy', '-S', FOLDER)
    send(75)

    # Each way that must work.
    ids, ways = set(), 0
    for server, scheme, more, over_tls, user in (
        (Server(tls=tls, auth=True), 'smtp', [f'ca "{ca}"', f'login "{FOLDER}/login"'], True, b'reports'),
        (Server(tls=tls, smtps=True, auth=True), 'smtps', [f'ca "{ca}"', f'login "{FOLDER}/login"'], True, b'reports'),
        (Server(tls=tls), 'smtp', [f'ca "{ca}"'], True, None),
        (Server(tls=wrong_host), 'smtp', ['tls opportunistic'], True, None),
        (Server(), 'smtp', ['tls opportunistic'], False, None),
    ):
        policy(f'{scheme}://localhost:{server.port}', *more)
        _, row = send()
        check(row[0] == 'sent', f'{row}')
        ids.add(check_taken(server, over_tls, user)[0])
        server.stop()
        ways += 1
    check(len(ids) == 1, f'not the same Message-ID each time: {ids}')

    # Refused for now, later each time, until it is dead; then taken under the same names.
    server = Server(answer='451 4.7.1 come back later')
    policy(f'smtp://localhost:{server.port}', 'tls opportunistic')
    with sqlite3.connect(FOLDER + '/ledger.db') as db:
        db.execute('UPDATE report_out SET tries = 0')
    rows = [send(75)[1] for _ in range(8)]
    check([r[0] for r in rows] == ['retry'] * 7 + ['dead'], f'states {rows}')
    check([r[2] for r in rows] == [900 * 2**n for n in range(8)], f'pauses {rows}')
    check('come back later' in rows[0][3], f'reason {rows[0][3]}')
    server.stop()
    refusals(ca, other_ca, tls, wrong_host)
    print(f'{ways} ways to a server, {check.count} checks')


if __name__ == "__main__":
    main()
