# SPDX-License-Identifier: BSD-2-Clause
"""submission.py - DMARC reports given to a real Postfix by SMTP, with STARTTLS and a login that Cyrus SASL checks; in a
network of its own, as root.

    submission.py BUILD FOLDER

Checked: with the right password the report is taken and delivered, over TLS, by that user, and passes DMARC where it
arrives; with a wrong one, with none, and where
the server offers no TLS, nothing is delivered, the reason is told, and it goes once the reason is gone.
"""
import os
import pwd
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smtp  # noqa: E402
import judged as verify_mail  # noqa: E402

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../world'))
import postfix  # noqa: E402

BUILD, FOLDER = sys.argv[1], sys.argv[2]
check = smtp.check


def server(ca):
    """Postfix with AUTH for one user, and no relaying for anybody else."""
    folder = FOLDER + '/postfix'
    os.makedirs(folder + '/etc/sasl')  # where Debian's Postfix looks, whatever cyrus_sasl_config_path says
    with open(folder + '/etc/sasl/smtpd.conf', 'w') as out:
        out.write(f'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {folder}/etc/sasl/users\n')
    set_password(folder, smtp.PASSWORD)
    mails = folder + '/mails'
    p = postfix.Postfix(
        folder,
        'localhost',
        ['127.0.0.1'],
        {
            **postfix.maildir_settings(mails, ['example.net']),
            'mynetworks': '203.0.113.0/24',
            'smtpd_sasl_auth_enable': 'yes',
            'cyrus_sasl_config_path': folder + '/etc/sasl',
            'smtpd_sasl_local_domain': 'localhost',
            'smtpd_tls_security_level': 'may',
            'smtpd_tls_auth_only': 'yes',
            'smtpd_tls_cert_file': f'{FOLDER}/house.crt',
            'smtpd_tls_key_file': f'{FOLDER}/house.key',
            'smtpd_tls_received_header': 'yes',
            'smtpd_sasl_authenticated_header': 'yes',
            'smtpd_client_restrictions': 'permit_sasl_authenticated, reject',
            'smtpd_delay_reject': 'yes',
        },
    )
    p.start()
    return p, mails


def set_password(folder, password):
    users = folder + '/etc/sasl/users'
    done = smtp.subprocess.run(
        ['saslpasswd2', '-p', '-c', '-f', users, '-u', 'localhost', 'reports'], input=password, text=True, capture_output=True
    )
    check(done.returncode == 0, 'saslpasswd2: ' + done.stderr)
    shutil.chown(users, pwd.getpwnam('postfix').pw_uid)


def arrived(mails, count):
    end = time.monotonic() + 15
    while time.monotonic() < end and len(postfix.delivered(mails)) < count:
        time.sleep(0.1)
    found = postfix.delivered(mails)
    check(len(found) == count, f'{len(found)} mails have arrived, not {count}')
    return found[-1][1] if found else b''


def logins(p):
    with open(p.log, encoding='utf-8', errors='replace') as log:
        return log.read().count('sasl_username=')


def judged(octets):
    with open(FOLDER + '/taken.eml', 'wb') as out:
        out.write(octets)
    return {f['standard']: f['result'] for f in verify_mail.judged(BUILD, FOLDER, FOLDER + '/taken.eml', 'dmarc@example.net')}


def send_all(p, mails, ca):
    login = [f'login "{FOLDER}/login"', f'ca "{ca}"']
    smtp.policy('smtp://localhost:25', f'ca "{ca}"')
    smtp.run(BUILD + '/assay-ledger', '-1', '-P', FOLDER + '/policy', '-S', FOLDER)

    said, row = smtp.send(75)
    check('554' in said or '550' in said or 'denied' in said.lower(), f'without a login Postfix refuses, and it is told: {said}')
    check(row[0] == 'retry' and not postfix.delivered(mails), f'and it is tried again: {row}')

    smtp.policy('smtp://localhost:25', *login)
    set_password(p.folder, 'another')
    said, row = smtp.send(75)
    check('535' in said and row[0] == 'retry' and not postfix.delivered(mails), f'a wrong password: {said} {row}')

    set_password(p.folder, smtp.PASSWORD)
    _, row = smtp.send()
    check(row[0] == 'sent', f'the right password: {row}')
    mail = arrived(mails, 1)
    head = mail.split(b'\n\n', 1)[0].decode()
    check('Authenticated sender: reports' in head, f'by that user: {head}')
    check(re.search(r'using TLSv1\.[23]', head), f'over TLS: {head}')
    check(re.search(r'^Return-Path: <>', head, re.M), f'the null sender: {head}')
    found = judged(mail)
    check((found['dkim'], found['dmarc']) == ('pass', 'pass'), f'passes where it arrives: {found}')

    before = logins(p)
    check(before >= 2, f'the logins stand in the log: {before}')
    p.settings['smtpd_tls_security_level'] = 'none'
    p.settings['smtpd_tls_auth_only'] = 'no'
    p.write()
    smtp.run('postfix', '-c', p.config, 'reload')
    time.sleep(1)
    said, row = smtp.send(75)
    check('STARTTLS' in said and row[0] == 'retry', f'no TLS offered: {said} {row}')
    check(logins(p) == before, 'and no login was tried in the clear')
    arrived(mails, 1)


def main():
    os.chmod(os.path.dirname(FOLDER), 0o711)
    os.makedirs(FOLDER, mode=0o711)
    os.chmod(FOLDER, 0o711)
    smtp.prepare()
    smtp.run('ip', 'link', 'set', 'lo', 'up')
    ca, _ = smtp.certificate('house', 'localhost')
    p, mails = server(ca)
    try:
        send_all(p, mails, ca)
    finally:  # a server with no network is left by nobody else
        p.master.terminate()
        p.master.wait()
    print(f'{smtp.check.count} checks with a real Postfix')


main()
