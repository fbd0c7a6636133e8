# SPDX-License-Identifier: BSD-2-Clause
"""The way to PostgreSQL goes silent: a firewall that forgot an idle connection, a host that lost its power. No packet comes back, no error
either. assay-ledger says so within a minute, while it is idle and in the middle of a transaction; with the way back everything is taken
in, once, and no session that the server cannot reach any more holds a lock. As root in a network of its own (tests/world/private --net).

    silent.py BUILD FOLDER"""
import atexit
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from checks import Checks

BUILD, SPACE = sys.argv[1:3]
BIN = sorted(glob.glob('/usr/lib/postgresql/*/bin'))[-1]
SERVER, JOURNAL, LOG = SPACE + '/server', SPACE + '/journal', SPACE + '/log'
AS = ['runuser', '-u', 'postgres', '--']
check = Checks('silent')
mails = 0


def sql(text):
    """By the unix socket, which has no way that could be cut."""
    done = subprocess.run([BIN + '/psql', '-qXtA', '-h', SERVER, '-U', 'assay', 'postgres', '-c', text], capture_output=True, text=True)
    return done.stdout.strip()


def until(condition, seconds, what):
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        if condition():
            return time.monotonic() - began
        time.sleep(0.2)
    with open(LOG, encoding='utf-8') as f:
        check(False, f'{what}: {f.read()[-600:]}')


def start_server():
    os.makedirs(SERVER)
    shutil.chown(SERVER, 'postgres', 'postgres')
    subprocess.run(
        AS + [BIN + '/initdb', '-D', SERVER + '/data', '-U', 'assay', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'],
        check=True,
        capture_output=True,
        cwd='/',
    )
    words = [
        BIN + '/postgres',
        '-D',
        SERVER + '/data',
        '-k',
        SERVER,
        '-c',
        'listen_addresses=127.0.0.1',
        '-c',
        'fsync=off',
        '-c',
        'jit=off',
    ]
    child = subprocess.Popen(AS + words, cwd='/', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    atexit.register(end_server, child)
    until(lambda: sql('SELECT 1') == '1', 60, 'the server does not start')


def end_server(child):
    with open(SERVER + '/data/postmaster.pid', encoding='ascii') as f:
        os.kill(int(f.readline()), signal.SIGQUIT)
    child.wait(60)


def segment(count):
    global mails
    head = dict(v=1, t='2026-11-18T00:00:00Z', host='mx1', kind='segment', segment=f's{mails}', writer='milter')
    name = f'{JOURNAL}/milter-20261118T000000Z-{mails:08d}.journal'
    with open(name + '.tmp', 'w', encoding='ascii') as f:
        f.write(json.dumps(head) + '\n')
        for mails in range(mails + 1, mails + count + 1):
            record = dict(v=1, t='2026-11-18T10:00:00Z', host='mx1', kind='mail', id=f'Q{mails}', source='internet', rcpts=1)
            f.write(json.dumps(record) + '\n')
    os.rename(name + '.tmp', name)


def way(state):
    subprocess.run(['ip', 'link', 'set', 'lo', state], check=True)


def there():
    return sql('SELECT count(*) FROM mail') == str(mails)


def said(text):
    with open(LOG, encoding='utf-8') as f:
        return f.read().count(text)


def is_noticed(what):
    took = until(lambda: said('the store is not available') > said('the store is back'), 60, what + ': nothing is said')
    way('up')
    until(there, 90, what + ': not all is taken in')
    check(sql('SELECT count(DISTINCT queue_id) FROM mail') == str(mails), what + ': a mail is there twice')
    until(lambda: said('the store is back') == said('the store is not available'), 60, what + ': it does not say that it is back')
    return took


def in_a_transaction():
    """The server waits for a lock, so that the ledger waits for it, when the way ends."""
    holder = subprocess.Popen([BIN + '/psql', '-qX', '-h', SERVER, '-U', 'assay', 'postgres'], stdin=subprocess.PIPE, text=True)
    holder.stdin.write('BEGIN; LOCK TABLE mail IN ACCESS EXCLUSIVE MODE;\n')
    holder.stdin.flush()
    until(
        lambda: sql("SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'mail'::regclass"), 20, 'a lock'
    )
    segment(50)
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'assay-ledger'"
    until(lambda: sql(waits) == '1', 60, 'the ledger does not wait')
    way('down')
    holder.stdin.write('COMMIT;\n')
    holder.stdin.close()
    holder.wait(60)
    return is_noticed('in a transaction')


def main():
    os.chmod(SPACE, 0o755)
    for folder in JOURNAL, SPACE + '/state':
        os.makedirs(folder)
    way('up')
    start_server()
    with open(SPACE + '/policy', 'w', encoding='ascii') as f:
        f.write(
            f'policy "x" owner "x@example.org"\nset journal.dir "{JOURNAL}"\nset ledger.store "postgresql://assay@127.0.0.1/postgres"\n'
            f'set ledger.knowledge "{SPACE}/knowledge"\n'
        )
    command = [BUILD + '/assay-ledger', '-P', SPACE + '/policy', '-S', SPACE + '/state']
    ledger = subprocess.Popen(command, stderr=open(LOG, 'ab'))
    atexit.register(ledger.kill)
    segment(100)
    until(there, 60, 'nothing is taken in')
    way('down')
    segment(50)
    idle = is_noticed('idle')
    middle = in_a_transaction()
    ledger.terminate()
    check(ledger.wait(30) == 0, "assay-ledger's end")
    print(f'{mails} mails, all there, once; noticed after {idle:.0f} s and {middle:.0f} s')


main()
