#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""SIGTERM to assay-ledger in the middle of what takes long: a lock that another program holds, an index that is made, a server that does
not answer, a mail command that does not end. It ends within 5 s, and after the next start everything is there, once.

    ending.py BUILD FOLDER POSTGRES-URI"""
import atexit
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time

from checks import Checks
from psql import OURS, Psql

BUILD, SPACE, URI = sys.argv[1:4]
LEDGER = BUILD + '/assay-ledger'
STORE, JOURNALS = SPACE + '/ledger.db', SPACE + '/journal'
END_WITHIN = 5  # seconds: what assay-ledger(8) promises
check = Checks('ending')
slowest = [0, '']


def policy(store, more=''):
    path = SPACE + '/policy'
    with open(path, 'w', encoding='ascii') as f:
        f.write(f'set ledger.store "{store}"\nset journal.dir "{JOURNALS}"\nset ledger.knowledge "{SPACE}/knowledge"\n{more}'
                'record spf of everyone\n')
    return path


def segment(name, count, day=0, domain='a.example', dmarc=False):
    """A closed segment of `count` mails."""
    when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - day * 86400))
    lines = [dict(v=1, t=when, host='mx1', kind='segment', segment=name, writer='milter')]
    finding = dict(standard='dmarc', subject=domain, record=domain, org=domain, result='pass', p='none', applied='none',
                   rua='mailto:r@' + domain, dkim_aligned=True)
    for n in range(count):
        lines.append(dict(v=1, t=when, host='mx1', kind='mail', id=f'{name}-{n}', source='internet', client='192.0.2.7',
                          mail_from=domain, rcpts=1, verdict=dict(action='deliver', would='deliver'),
                          findings=[finding] if dmarc else [], **{'from': domain}))
    path = f'{JOURNALS}/{name}.x'
    with open(path, 'w', encoding='ascii') as f:
        f.write(''.join(json.dumps(line) + '\n' for line in lines))
    os.rename(path, f'{JOURNALS}/milter-20261120T100000Z-{name}.journal')
    return {f'{name}-{n}' for n in range(count)}


def start(*more):
    """It runs, and has said which store it writes to: before that it may not be told to end, since SIGTERM is not caught yet."""
    with open(SPACE + '/log', 'ab') as to:
        before = len(log())
        child = subprocess.Popen([LEDGER, '-P', SPACE + '/policy', '-S', SPACE, *more], stderr=to)
    atexit.register(child.kill)  # of no effect once it has ended
    until(lambda: ', store ' in log()[before:], 'it does not start')
    return child


def until(condition, what, seconds=120):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return
        time.sleep(0.05)
    print(open(SPACE + '/log', encoding='utf-8').read()[-3000:])
    check(False, what)


def end(child, what):
    """Told to end, it does in time."""
    time.sleep(0.5)  # it is in the middle of it by now; if not, the test is only easier
    check(child.poll() is None, what + ': it ended by itself')
    began = time.time()
    child.send_signal(signal.SIGTERM)
    try:
        code = child.wait(60)
    except subprocess.TimeoutExpired:
        child.kill()
        check(False, what + ': it does not end')
    took = time.time() - began
    slowest[:] = max(slowest, [took, what])
    check(took < END_WITHIN, f'{what}: it ended after {took:.1f} s')
    check(code == 0, f'{what}: exit {code}')


def once():
    done = subprocess.run([LEDGER, '-1', '-P', SPACE + '/policy', '-S', SPACE], capture_output=True, text=True, check=False)
    check(done.returncode == 0, f'assay-ledger -1: exit {done.returncode}: {done.stderr}')


session = Psql(URI)


def psql(sql):
    return [word for row in session.ask(sql) for word in row.split()]


def stored(store):
    if store == URI:
        return sorted(psql('SELECT queue_id FROM mail'))
    db = sqlite3.connect(store)
    rows = sorted(r[0] for r in db.execute('SELECT queue_id FROM mail'))
    db.close()
    return rows


def mails_in(store):
    db = sqlite3.connect(store)
    count = db.execute('SELECT count(queue_id) FROM mail').fetchone()[0]
    db.close()
    return count


def log():
    return open(SPACE + '/log', encoding='utf-8').read()


def another_writer():
    """SQLite: another program keeps the file locked; assay-ledger would wait for 30 s."""
    policy(STORE)
    ids = segment('00000001', 50)
    once()
    db = sqlite3.connect(STORE, isolation_level=None)
    db.execute('BEGIN IMMEDIATE')
    ids |= segment('00000002', 50)
    child = start()
    end(child, 'another writer')
    db.execute('ROLLBACK')
    db.close()
    check(len(os.listdir(JOURNALS)) == 1, 'the journal waits')
    once()
    check(stored(STORE) == sorted(ids), 'not every mail is there, once')


def a_large_rebuild():
    """SQLite: a store is written anew, with its indexes. The end comes somewhere in it, several times."""
    db = sqlite3.connect(STORE)
    db.execute("WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200000) INSERT INTO mail (t, host, queue_id, "
               "message_id, source, exact, from_domain, rcpts, action, would) SELECT 1000000 * (strftime('%s', 'now') - n % 1000), 'mx', "
               "'R' || n, hex(randomblob(20)), 'milter', 1, 'd' || n % 5000 || '.example', 1, 'deliver', 'deliver' FROM c")
    db.execute("INSERT INTO ledger_state VALUES ('rebuild', 1)")
    db.commit()
    db.close()
    before, ends = mails_in(STORE), 0
    while ends < 5:
        size = os.path.getsize(STORE + '.rebuilt') if os.path.exists(STORE + '.rebuilt') else 0
        child = start()
        moved = lambda: os.path.exists(STORE + '.rebuilt') and os.path.getsize(STORE + '.rebuilt') > size
        until(lambda: moved() or 'was rebuilt' in log(), 'it is not rebuilt')
        end(child, 'a rebuild')
        check(mails_in(STORE) == before, 'a mail is lost in the rebuild')
        if 'was rebuilt' in log():
            break
        ends += 1
    check(ends > 0, 'the rebuild was over before it could be ended')
    once()
    check(mails_in(STORE) == before and not os.path.exists(STORE + '.rebuilt'), 'it is rebuilt in the end')


def a_lock_at_the_server():
    policy(URI)
    ids = segment('00000011', 50)
    once()
    for table in 'mail', 'segment', 'ledger_state', 'host':
        holder = subprocess.Popen(['psql', '-qX', URI], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        holder.stdin.write(f'BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n')
        holder.stdin.flush()
        waits = lambda: psql(f"SELECT count(*) FROM pg_stat_activity WHERE {OURS} AND wait_event_type = 'Lock'")
        held = f"SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND mode = 'AccessExclusiveLock' AND granted"
        until(lambda: psql(held) == ['1'], 'the lock is not held')
        ids |= segment(f'0000012{len(ids) % 7}', 20)
        child = start()
        until(lambda: waits() == ['1'], f'it does not wait for {table}')
        end(child, f'a lock of {table}')
        until(lambda: psql(f"SELECT count(*) FROM pg_stat_activity WHERE {OURS}") == ['0'],
              'the statement goes on at the server')
        holder.stdin.close()
        holder.wait(60)
        once()
        check(stored(URI) == sorted(ids), f'a lock of {table}: not every mail is there, once')


def a_server_that_does_not_answer():
    """It takes the connection, and says nothing more."""
    mute = socket.create_server(('127.0.0.1', 0))
    policy(f'postgresql://assay@127.0.0.1:{mute.getsockname()[1]}/x')
    segment('00000021', 5)
    child = start()
    mute.settimeout(60)
    peer, _ = mute.accept()
    end(child, 'a server that does not answer')
    check(len(os.listdir(JOURNALS)) == 1, 'the journal waits')
    check('ended in the middle' in log(), 'it is not said')
    peer.close()
    mute.close()
    os.unlink(f'{JOURNALS}/{os.listdir(JOURNALS)[0]}')


def a_mail_command():
    """The report is sent after the next start, and only then."""
    command, sent, begun = SPACE + '/command', SPACE + '/sent', SPACE + '/begun'
    with open(command, 'w', encoding='ascii') as f:
        f.write(f'#!/bin/sh\ncat >/dev/null\n[ -e {SPACE}/quick ] && {{ echo x >>{sent}; exit 0; }}\n: >{begun}\nexec sleep 600\n')
    os.chmod(command, 0o755)
    store = SPACE + '/reports.db'
    policy(store, 'set report.contact "p@example.org"\nset report.from "n@example.org"\nset report.to all\n'
                  f'set report.sendmail "{command}"\n')
    ids = segment('00000031', 30, day=2, domain='one.example', dmarc=True)
    child = start('-1')
    until(lambda: os.path.exists(begun), 'no report is sent: ' + log()[-500:])
    began = time.time()
    child.send_signal(signal.SIGTERM)
    child.wait(60)
    check(time.time() - began < END_WITHIN, f'a mail command: it ended after {time.time() - began:.1f} s')
    check(not os.path.exists(sent), 'it was sent')
    db = sqlite3.connect(store)
    states = [r[0] for r in db.execute("SELECT state FROM report_out WHERE destination <> ''")]
    check(states == ['retry'], f'the state of the report is {states}')
    db.execute('UPDATE report_out SET next_try = 0')
    db.commit()
    db.close()
    open(SPACE + '/quick', 'w', encoding='ascii').close()
    once()
    check(open(sent, encoding='ascii').read() == 'x\n', 'it is not sent once')
    check(stored(store) == sorted(ids), 'the mails of the report')


os.makedirs(JOURNALS)
psql('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
for step in another_writer, a_large_rebuild, a_lock_at_the_server, a_server_that_does_not_answer, a_mail_command:
    open(SPACE + '/log', 'w', encoding='ascii').close()
    step()
print(f'{check.count} checks; the slowest end took {slowest[0]:.1f} s: {slowest[1]}')
