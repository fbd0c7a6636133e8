#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the admin does with the store's file: backup while it is in use, restore, a copy put in its place under a running daemon,
retention under a wrong clock, forgetting in journals and segments set aside.

    keep.py BUILD FOLDER"""
import fcntl
import glob
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import threading
import time

from checks import Checks

BUILD, SPACE = sys.argv[1:3]
ASSAY, LEDGER = BUILD + '/assay', BUILD + '/assay-ledger'
STORE, JOURNALS, POLICY = SPACE + '/ledger.db', SPACE + '/journals', SPACE + '/policy'
check = Checks('keep')


def segment(name, first, count, domain='a.example', when=None):
    """A closed segment of `count` mails."""
    when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() if when is None else when))
    lines = [dict(v=1, t=when, host='mx1', kind='segment', segment=name, writer='milter')]
    for n in range(first, first + count):
        lines.append(dict(v=1, t=when, host='mx1', kind='mail', id='Q%05d' % n, message_id='<%d@%s>' % (n, domain), source='internet',
                          client='192.0.2.7', mail_from=domain, rcpts=1, verdict=dict(action='deliver'), findings=[],
                          **{'from': domain}))
    path = '%s/%s.x' % (JOURNALS, name)
    with open(path, 'w') as f:
        f.write(''.join(json.dumps(line) + '\n' for line in lines))
    os.rename(path, '%s/milter-20261120T100000Z-%s.journal' % (JOURNALS, name))


def run(*words, code=0, env=None):
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **(env or {})})
    check(done.returncode == code, f'{words[1:4]}: exit {done.returncode}, not {code}: {done.stdout}{done.stderr}')
    return done.stdout + done.stderr


def on_terminal(argv, answer):
    """The exit code and what it said on a terminal, where its question gets this answer."""
    child, fd = pty.fork()
    if child == 0:
        os.execv(argv[0], argv)
    said, answered = b'', False
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:
            break
        if not part:
            break
        said += part
        if not answered and b'[y/N]' in said:
            os.write(fd, answer.encode() + b'\n')
            answered = True
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode('utf-8', 'replace')


def ask(sql):
    db = sqlite3.connect(STORE)
    n = db.execute(sql).fetchone()[0]
    db.close()
    return n


def until(sql, want, what):
    for _ in range(200):
        try:
            if ask(sql) == want:
                return
        except sqlite3.Error:
            pass
        time.sleep(0.1)
    check(False, f'{what}: {ask(sql)}, not {want}')


MAILS = 'SELECT count(*) FROM mail'
os.makedirs(JOURNALS)
with open(POLICY, 'w') as f:
    f.write(f'set ledger.store "{STORE}"\nset journal.dir "{JOURNALS}"\nset ledger.knowledge "{SPACE}/knowledge"\n'
            'record spf of everyone\n')
once = (LEDGER, '-1', '-P', POLICY, '-S', SPACE)
tool = lambda *words, **more: run(ASSAY, 'ledger', words[0], '-P', POLICY, *words[1:], **more)

# Backup while it is in use; a copy is whole; not over a file.
segment('00000001', 0, 100)
run(*once)
daemon = subprocess.Popen([LEDGER, '-P', POLICY, '-S', SPACE], stderr=open(SPACE + '/log', 'w'))
until(MAILS, 100, 'taken in')
tool('backup', SPACE + '/backup.db')
check(sqlite3.connect(SPACE + '/backup.db').execute(MAILS).fetchone()[0] == 100, 'the backup is not whole')
check(os.stat(SPACE + '/backup.db').st_mode & 0o077 == 0, 'others can read the backup')
check('exists' in tool('backup', SPACE + '/backup.db', code=73), 'a backup over a file')

# Restore: not while the daemon runs.
for _ in range(100):
    if os.path.exists(STORE + '.lock'):
        break
    time.sleep(0.1)
check('stop it first' in tool('restore', SPACE + '/backup.db', code=75), 'restored under a running daemon')

# The running daemon notices that its file was replaced: no mail is written to the deleted file.
with open(SPACE + '/copy.db', 'wb') as f:
    f.write(open(SPACE + '/backup.db', 'rb').read())
os.rename(SPACE + '/copy.db', STORE)
for end in ('-wal', '-shm'):
    if os.path.exists(STORE + end):
        os.unlink(STORE + end)
segment('00000002', 100, 150)
until(MAILS, 250, 'mails after the file was replaced')
check('replaced' in open(SPACE + '/log').read(), 'the replaced file was not told')
daemon.send_signal(signal.SIGTERM)
check(daemon.wait(20) == 0, 'the daemon did not end well')

# Restore: the state of the backup; rubbish, damage and a newer schema are refused, and the store stays.
for name, text, says in (('rubbish', b'x' * 5000, 'no ledger'), ('empty', b'', 'no ledger')):
    with open(f'{SPACE}/{name}', 'wb') as f:
        f.write(text)
    check(says in tool('restore', f'{SPACE}/{name}', code=65), name)
newer = sqlite3.connect(SPACE + '/newer.db')
newer.execute('CREATE TABLE assay_schema (version BIGINT)')
newer.execute('INSERT INTO assay_schema VALUES (999)')
newer.commit()
newer.close()
check('newer' in tool('restore', SPACE + '/newer.db', code=65), 'a newer schema')
check(ask(MAILS) == 250, 'a refused restore changed the store')
tool('restore', SPACE + '/backup.db')
check(ask(MAILS) == 100, 'restored')

# A clock ten years ahead deletes nothing.
segment('00000003', 250, 10)
run(*once)
ahead = dict(LD_PRELOAD=''.join(glob.glob('/usr/lib/*/faketime/libfaketime.so.1')), FAKETIME='+3650d', DONT_FAKE_MONOTONIC='1')
if ahead['LD_PRELOAD']:
    said = run(*once, env=ahead)
    check('jumped ahead' in said, 'the jump was not told: ' + said)
    check(ask(MAILS) == 110 and ask('SELECT count(*) FROM mail WHERE record IS NOT NULL') == 110, 'the clock erased the ledger')
    check('jumped ahead' in tool('tidy', code=75, env=ahead), 'tidy under a wrong clock')
    tool('tidy', '--now')
    check(ask(MAILS) == 110, 'tidy --now with the right clock')

# A record dated ahead is kept aside.
segment('00000004', 300, 5, when=time.time() + 86400 * 30)
check('ahead' in run(*once), 'records dated ahead were not told')
check(ask(MAILS) == 110 and ask('SELECT count(*) FROM ahead') == 5, 'records dated ahead')

# Forget: in any spelling; journals that wait are taken in first; a segment set aside is stripped; backups are named.
segment('00000005', 400, 7, domain='sub.gone.example')
with open(JOURNALS + '/milter-20261119T100000Z-00000009.bad', 'w') as f:
    f.write('{"from":"gone.example"}\n{"from":"other.example"}\n')
there = ask("SELECT count(*) FROM mail WHERE from_domain LIKE '%gone.example'")
check('Would delete' in tool('forget', '--dry-run', 'gone.example'), 'forget --dry-run')
check(ask("SELECT count(*) FROM mail WHERE from_domain LIKE '%gone.example'") == there, 'forget --dry-run deletes nothing')
for answer in ('n', '', 'no', 'yess', 'yes, but not that one', 'yno', 'ye', 'y y', 'yes' + ' ' * 20 + 'not', 'y\\', 'Y' * 200):
    code, said = on_terminal([ASSAY, 'ledger', 'forget', 'gone.example', '-P', POLICY], answer)
    check(code == 0 and 'Would delete' in said and 'Delete all of it for good?' in said and 'Nothing was deleted' in said,
          f'forget asks: {answer!r}: {code} {said}')
    check(ask("SELECT count(*) FROM mail WHERE from_domain LIKE '%gone.example'") == there, f'forget after {answer!r} deletes nothing')
for number, answer in enumerate(('y', 'Y', 'yes', 'YES', ' Yes ')):
    segment(f'0000001{number}', 500 + 3 * number, 3, domain='asked.example')
    run(*once)
    check(ask("SELECT count(*) FROM mail WHERE from_domain = 'asked.example'") == 3, 'mail to be forgotten')
    code, said = on_terminal([ASSAY, 'ledger', 'forget', 'asked.example', '-P', POLICY], answer)
    check(code == 0 and 'Deleted' in said, f'forget after {answer!r}: {code} {said}')
    check(ask("SELECT count(*) FROM mail WHERE from_domain = 'asked.example'") == 0, f'asked, {answer!r}, and still there')
said = tool('forget', '--yes', 'Gone.EXAMPLE.')
check('Deleted' in said and 'backup.db' in said, 'forget: ' + said)
check(ask("SELECT count(*) FROM mail WHERE from_domain LIKE '%gone.example'") == 0, 'forgotten, and still there')
check(open(JOURNALS + '/milter-20261119T100000Z-00000009.bad').read() == '{"from":"other.example"}\n', 'the segment set aside')
for name in os.listdir(SPACE):
    if name.startswith('ledger.db'):
        check(b'gone.example' not in open(f'{SPACE}/{name}', 'rb').read(), f'{name} still names it')
tool('forget', '--yes', '::ffff:192.0.2.7')
check(ask('SELECT count(*) FROM mail') == 0, 'an address in another spelling')


# One long work at a time: tidy leaves it to the other, but for --now; what must be done waits, and says for whom; so does the daemon.
def log_says(words):
    for _ in range(200):
        if words in open(SPACE + '/log').read():
            return True
        time.sleep(0.1)
    return False


holder = open(STORE + '.work', 'r+')
fcntl.flock(holder, fcntl.LOCK_EX)
holder.write('retention by another, process 7')
holder.flush()
BUSY = 'the ledger is busy: retention by another, process 7'
check(BUSY in tool('tidy', code=75), 'tidy beside a long work')
check(BUSY in run(*once), 'assay-ledger -1 beside a long work')
segment('00000020', 600, 5, domain='later.example')
run(*once)
check(ask(MAILS) == 5, 'records do not wait for a long work of another')
waiting = {}
for words in (('backup', SPACE + '/late.db'), ('forget', '--yes', 'later.example'), ('recount',), ('tidy', '--now')):
    waiting[words[0]] = subprocess.Popen([ASSAY, 'ledger', words[0], '-P', POLICY, *words[1:]], stderr=subprocess.PIPE, text=True)
for name, process in waiting.items():
    said = process.stderr.readline()
    check(f'waits: {BUSY}' in said, f'{name} beside a long work: {said}')
time.sleep(0.5)
check(all(process.poll() is None for process in waiting.values()), 'one did not wait')
check(ask(MAILS) == 5 and not os.path.exists(SPACE + '/late.db'), 'one did not wait')
daemon = subprocess.Popen([LEDGER, '-P', POLICY, '-S', SPACE], stderr=open(SPACE + '/log', 'w'))
check(log_says('must wait: ' + BUSY), 'the daemon beside a long work: ' + open(SPACE + '/log').read())
holder.close()
for name, process in waiting.items():
    check(process.wait(60) == 0, f'{name} after a long work of another: {process.stderr.read()}')
check(ask(MAILS) == 0 and os.path.exists(SPACE + '/late.db'), 'what had waited was not done')
daemon.send_signal(signal.SIGTERM)
check(daemon.wait(20) == 0, 'the daemon did not end well')

# A backup of a ledger that somebody writes to all the time: it is of one moment, and it ends.
big = sqlite3.connect(STORE, timeout=30, isolation_level=None)
big.execute(
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4000) "
    "INSERT INTO ahead (t, number, line) SELECT 9000000000000000 + n, n, hex(zeroblob(5000)) FROM c"
)
big.close()
over = threading.Event()


def write_all_the_time():
    db = sqlite3.connect(STORE, timeout=30, isolation_level=None)
    db.execute('PRAGMA synchronous = OFF')
    while not over.is_set():
        db.execute("UPDATE ledger_state SET number = number + 1 WHERE name = 'written'")
    db.close()


sqlite3.connect(STORE, isolation_level=None).execute("INSERT INTO ledger_state (name, number) VALUES ('written', 0)")
thread = threading.Thread(target=write_all_the_time)
thread.start()
WRITTEN = "SELECT number FROM ledger_state WHERE name = 'written'"
try:
    until('SELECT min(number, 10) FROM ledger_state WHERE name = \'written\'', 10, 'the writer')
    before = ask(WRITTEN)
    subprocess.run([ASSAY, 'ledger', 'backup', '-P', POLICY, SPACE + '/busy.db'], check=True, timeout=100, stdout=subprocess.DEVNULL)
    after = ask(WRITTEN)
finally:
    over.set()
    thread.join()
copy = sqlite3.connect(SPACE + '/busy.db')
check(before <= copy.execute(WRITTEN).fetchone()[0] <= after and before < after, 'the moment of the backup')
check(copy.execute('SELECT count(*) FROM ahead').fetchone()[0] == 4000, 'all of it is in the backup')
check(copy.execute('PRAGMA integrity_check').fetchone()[0] == 'ok', 'the backup is sound')
print(f'{check.count} checks')
