# SPDX-License-Identifier: BSD-2-Clause
"""trouble.py - the real assay-ledger in trouble: its database goes away and comes back, the disk is full, the disk is
read-only, the policy breaks.

    trouble.py BUILD FOLDER POSTGRES-URI STEP      STEP: away (with the server), disk (as root, in a mount namespace of its own)

The server is paused and resumed by the functions of tests/system/ledger/postgres, in the environment. Writers are ledger_crash's.
"""
import os
import signal
import sqlite3
import subprocess
import sys
import time

BUILD, FOLDER, URI, STEP = sys.argv[1:5]


def fail(text):
    for name in ('log',):
        path = os.path.join(FOLDER, name)
        if os.path.exists(path):
            print(open(path).read(), file=sys.stderr)
    sys.exit('trouble: ' + text)


def check(condition, text):
    if not condition:
        fail(text)


def until(condition, seconds, text):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return
        time.sleep(0.1)
    fail(text)


def write_policy(store, more=''):
    with open(FOLDER + '/policy', 'w') as out:
        out.write(
            f'policy "x" owner "p@example.org"\nset journal.dir "{FOLDER}/disk/journal"\nset ledger.store "{store}"\n'
            f'set ledger.knowledge "{FOLDER}/knowledge"\n{more}'
        )


class Ledger:
    def __init__(self):
        self.log = open(FOLDER + '/log', 'ab')
        self.child = subprocess.Popen([BUILD + '/assay-ledger', '-P', FOLDER + '/policy', '-S', FOLDER], stderr=self.log)

    def said(self, text):
        return open(FOLDER + '/log').read().count(text)

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(timeout=30)
        check(code == 0, f'assay-ledger ended with {code}')


def write_for(seconds, between=None):
    """Writes mails, 5,000 a second, and returns the ids that were acknowledged. between: called in the middle of the time."""
    with open(FOLDER + '/acknowledged', 'w+') as out:
        child = subprocess.Popen([BUILD + '/tests/ledger_crash', 'write', FOLDER + '/disk/journal', 'mx1', '3000'], stdout=out)
        time.sleep(seconds)
        if between:
            between()
            time.sleep(seconds)
        child.send_signal(signal.SIGTERM)
        check(child.wait(timeout=30) == 0, 'the writer failed')
        out.seek(0)
        return out.read().split()


def psql(sql):
    return subprocess.run(['psql', '-qAtX', URI, '-c', sql], check=True, capture_output=True, text=True).stdout.split()


def server(what):
    nothing = subprocess.DEVNULL
    subprocess.run(['bash', '-c', f'. tests/system/ledger/postgres; {what}'], check=True, stdin=nothing, stdout=nothing)


def away():
    os.makedirs(FOLDER + '/disk/journal')
    psql('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    write_policy(URI)
    ledger = Ledger()
    ids = write_for(1)
    # The first start makes the tables: until then there is nothing to ask.
    until(lambda: psql("SELECT to_regclass('mail') IS NOT NULL") == ['t'], 20, 'no tables were made')
    until(lambda: set(ids) <= set(psql('SELECT queue_id FROM mail')), 20, 'not taken in while all was well')
    server('postgres_pause')
    try:
        more = write_for(3)
        time.sleep(3)
        check(ledger.child.poll() is None, 'assay-ledger ended while its database was away')
        check(os.listdir(FOLDER + '/disk/journal'), 'journals are gone while the database was away')
        check(ledger.said('the store is not available') == 1, f'said that it is away {ledger.said("the store is not available")} times')
    finally:
        server('postgres_resume')
    until(lambda: len(psql('SELECT queue_id FROM mail')) == len(ids) + len(more), 90, 'did not catch up')
    check(sorted(psql('SELECT queue_id FROM mail')) == sorted(ids + more), 'not the same records')
    check(ledger.said('the store is back') == 1, 'did not say that it is back')
    # A policy that breaks leaves the one in force; one that is mended is taken.
    with open(FOLDER + '/policy', 'a') as out:
        out.write('nonsense\n')
    ledger.child.send_signal(signal.SIGHUP)
    until(lambda: ledger.said('the policy in force stays') == 1, 10, 'a bad policy was not complained of')
    write_policy(URI, '# mended\n')
    ledger.child.send_signal(signal.SIGHUP)
    until(lambda: ledger.said('policy ') >= 2, 10, 'the mended policy was not taken')
    ledger.end()
    # It starts on the last good policy where the file is bad.
    with open(FOLDER + '/policy', 'a') as out:
        out.write('nonsense\n')
    ledger = Ledger()
    until(lambda: ledger.said('running on the last good policy') == 1, 10, 'did not start on the last good policy')
    ledger.end()
    print(f'{len(ids)} mails before, {len(more)} while the database was away: all there, once')


def mount(*arguments):
    subprocess.run(['mount', *arguments], check=True)


def disk():
    os.makedirs(FOLDER + '/disk')
    mount('-t', 'tmpfs', '-o', 'size=3m', 'assay-test', FOLDER + '/disk')
    db = FOLDER + '/disk/ledger.db'
    write_policy(db)
    os.mkdir(FOLDER + '/disk/journal')
    ledger = Ledger()

    def make_room():
        check(ledger.child.poll() is None, 'assay-ledger ended with the disk full')
        mount('-o', 'remount,size=300m', FOLDER + '/disk')

    ids = write_for(5, make_room)
    more = write_for(1)

    def stored():
        return ask('SELECT queue_id FROM mail')

    def ask(sql):
        base = sqlite3.connect(db, timeout=30)
        out = [r[0] for r in base.execute(sql)]
        base.close()
        return out

    until(lambda: len(stored()) >= len(ids) + len(more), 120, 'did not catch up after the disk was full')
    check(sorted(stored()) == sorted(ids + more), 'not the same records')
    lost = ask('SELECT sum(lost) FROM host')[0]
    check(lost > 0, 'a loss was not counted')
    ledger.end()
    mount('-o', 'remount,ro', FOLDER + '/disk')
    ledger = Ledger()
    time.sleep(3)
    check(ledger.child.poll() is None, 'assay-ledger ended with the disk read-only')
    check(ledger.said('journals wait') >= 2, 'did not say that the disk is read-only')
    mount('-o', 'remount,rw', FOLDER + '/disk')
    last = write_for(1)
    until(lambda: len(stored()) == len(ids) + len(more) + len(last), 60, 'did not go on after the disk was read-only')
    ledger.end()
    subprocess.run(['umount', FOLDER + '/disk'], check=True)
    print(
        f'{len(ids)} acknowledged while the disk filled up and was made larger, {lost} lost and counted; {len(more) + len(last)} after: '
        'all there, once'
    )


{'away': away, 'disk': disk}[STEP]()
