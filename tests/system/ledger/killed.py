#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""PostgreSQL dies in the middle of ingest, retention, forget and of an upgrade: SIGKILL of all its processes, an immediate stop, the
backend terminated, the connection cut. Two moments of each: a statement waits for a lock in the middle of its transaction, and a COMMIT
that the server has done and not acknowledged. assay-ledger goes on by itself, a command ends with 75 and does the rest when it is run
once more; nothing acknowledged is lost, nothing is counted twice, and the sums are those of a recount.

    killed.py BUILD FOLDER"""
import atexit
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from checks import Checks
from old_store import TODAY, record, steps, tuple_of
from psql import OURS, Psql, PsqlError

BUILD, SPACE = sys.argv[1:3]
BIN = sorted(glob.glob('/usr/lib/postgresql/*/bin'))[-1]
AS = ['runuser', '-u', 'postgres', '--'] if os.getuid() == 0 else []
DATA, SOCKET, CUT = SPACE + '/pg', SPACE + '/socket', SPACE + '/cut'
JOURNALS, POLICY, LOG = SPACE + '/journal', SPACE + '/policy', SPACE + '/log'
TABLES = ('mail', 'subject_day', 'standard_day', 'standard_hour', 'verdict_hour', 'outcome_day', 'org_day')
SUMS = ('standard_day', 'org_day', 'org_miss_day', 'org_failed_day')
check = Checks('killed')
NOT_WAITING = dict(os.environ, PGOPTIONS='-c synchronous_commit=local')
session = Psql('-h', SOCKET, '-U', 'assay', 'postgres', program=BIN + '/psql', env=NOT_WAITING)


def asked(text):
    """As sql(), by a session that stays, in a database of its own: the one of the ledger is dropped, and made from others."""
    try:
        return [word for row in session.ask(text) for word in row.split()]
    except PsqlError:
        return None


def sql(text, database='ledger'):
    """What comes back, in words; None after an error. Its own commits never wait for a standby."""
    done = subprocess.run([BIN + '/psql', '-qAtX', '-v', 'ON_ERROR_STOP=1', '-h', SOCKET, '-U', 'assay', database], input=text,
                          capture_output=True, text=True, check=False, env=NOT_WAITING)
    return done.stdout.split() if done.returncode == 0 else None


def until(condition, what):
    last = time.time() + 60
    while time.time() < last:
        if condition():
            return
        time.sleep(0.1)
    if os.path.exists(LOG):
        with open(LOG, encoding='utf-8') as f:
            print(f.read()[-3000:])
    check(False, what)


# ---- the server, and what happens to it ----

class Server:
    def start(self):
        words = [BIN + '/postgres', '-D', DATA, '-k', SOCKET, '-c', 'listen_addresses=', '-c', 'max_connections=40', '-c', 'fsync=off',
                 '-c', 'autovacuum=off', '-c', 'jit=off']
        self.child = subprocess.Popen(AS + words, cwd='/', stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      start_new_session=True)
        until(lambda: asked('SELECT 1') == ['1'], 'the server does not start')

    def postmaster(self):
        with open(DATA + '/postmaster.pid', encoding='ascii') as f:
            return int(f.readline())

    def end(self, immediate):
        first = self.postmaster()
        if immediate:
            os.kill(first, signal.SIGQUIT)  # as `pg_ctl stop -m immediate` does
        else:
            others = subprocess.run(['ps', '-o', 'pid=', '--ppid', str(first)], capture_output=True, text=True, check=False).stdout.split()
            for number in [first] + [int(n) for n in others]:
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.child.wait(60)

    def killed(self):
        self.end(immediate=False)
        self.start()

    def stopped(self):
        self.end(immediate=True)
        self.start()

    def terminated(self):
        ended = asked(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}")
        check(ended == ['t'], 'one backend')

    def cut(self):
        relay.cut()


class Relay:
    """The way to the server that the ledger takes, which can be cut."""

    def __init__(self):
        self.pairs, self.listener = [], socket.socket(socket.AF_UNIX)
        self.listener.bind(CUT + '/.s.PGSQL.5432')
        self.listener.listen(20)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, far = self.listener.accept()[0], socket.socket(socket.AF_UNIX)
            try:
                far.connect(SOCKET + '/.s.PGSQL.5432')
            except OSError:
                near.close()
                continue
            self.pairs.append((near, far))
            for one, other in (near, far), (far, near):
                threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    @staticmethod
    def carry(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for end in one, other:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []


# ---- the two moments ----

WAITS = f"SELECT count(*) FROM pg_stat_activity WHERE {OURS} AND "


class Lock:
    """A statement waits for this table, in the middle of its transaction."""

    def __init__(self, table):
        self.table = table

    def arm(self):
        self.holder = subprocess.Popen([BIN + '/psql', '-qX', '-h', SOCKET, '-U', 'assay', 'ledger'], stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
        self.holder.stdin.write(f'BEGIN; LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE;\n')
        self.holder.stdin.flush()
        held = f"SELECT count(*) FROM pg_locks WHERE relation = '{self.table}'::regclass AND mode = 'AccessExclusiveLock' AND granted"
        until(lambda: sql(held) == ['1'], f'the lock of {self.table} is not held')

    def met(self):
        return asked(WAITS + "wait_event_type = 'Lock'") == ['1']

    def release(self):
        self.holder.stdin.close()
        self.holder.wait(60)


class Commit(Lock):
    """The server has committed the transaction that writes to this table, and waits with its answer for a standby that is not there."""

    def met(self):
        if not Lock.met(self):
            return False
        asked("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        asked('SELECT pg_reload_conf()')
        until(lambda: asked('SHOW synchronous_standby_names') == ['nobody'], 'the standby is not waited for')
        Lock.release(self)
        until(lambda: asked(WAITS + "wait_event = 'SyncRep'") == ['1'], 'the commit does not wait')
        return True

    def release(self):
        asked('ALTER SYSTEM RESET synchronous_standby_names')
        asked('SELECT pg_reload_conf()')


# ---- the ledger ----

def policy(database, keep='365d'):
    uri = f'postgresql://assay@/{database}?host=' + CUT.replace('/', '%2F')
    with open(POLICY, 'w', encoding='ascii') as f:
        f.write(f'policy "x" owner "x@example.org"\nset journal.dir "{JOURNALS}"\nset ledger.store "{uri}"\n'
                f'set ledger.knowledge "{SPACE}/knowledge"\nset ledger.keep-identity {keep}\nset ledger.keep-mails {keep}\n'
                f'set ledger.keep-days {keep}\nrecord spf of everyone\n')


def fresh(template):
    check(sql(f'DROP DATABASE IF EXISTS ledger WITH (FORCE);\nCREATE DATABASE ledger TEMPLATE {template};', 'postgres') is not None,
          'a database')


def start(*words):
    child = subprocess.Popen([BUILD + '/' + words[0], *words[1:], '-P', POLICY], stdout=subprocess.DEVNULL, stderr=open(LOG, 'ab'))
    atexit.register(child.kill)  # of no effect once it has ended
    return child


def daemon():
    return start('assay-ledger', '-S', SPACE)


def said(text):
    with open(LOG, encoding='utf-8') as f:
        return f.read().count(text)


def ended(child, code, what):
    got = child.wait(60)
    check(got == code, f'{what}: exit {got}, not {code}')


def state(tables):
    """Rows and a sum of them, of each table."""
    return [sql(f'SELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM {table} t') for table in tables]


def recounts(what):
    before = state(SUMS)
    check.run(BUILD + '/assay', 'ledger', 'recount', '-P', POLICY)
    check(state(SUMS) == before, f'{what}: the sums are not those of a recount')


def old_mails():
    """Mails of the last 40 days, of three domains."""
    lines = [dict(v=1, t=time.strftime('%Y-%m-%dT%H:%M:%SZ'), host='mx1', kind='segment', segment='00000001', writer='milter')]
    for n in range(2000):
        when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime((TODAY - n % 40) * 86400 - 43200))
        domain = ('gone.example', 'a.example', 'b.example')[n % 3]
        lines.append(dict(v=1, t=when, host='mx1', kind='mail', id=f'Q{n}', source='internet', client=f'192.0.2.{n % 200}', rcpts=1,
                          mail_from=domain, verdict=dict(action='deliver', would='deliver'), **{'from': domain},
                          findings=[dict(standard='spf', subject=domain, result='pass')]))
    with open(JOURNALS + '/milter-20261120T100000Z-00000001.journal', 'w', encoding='ascii') as f:
        f.write(''.join(json.dumps(line) + '\n' for line in lines))


def of_ingest(server):
    fresh('template0')
    policy('ledger')
    with open(SPACE + '/written', 'w+', encoding='ascii') as out:
        ledger = daemon()
        writer = subprocess.Popen([BUILD + '/tests/ledger_crash', 'write', JOURNALS, 'mx1', '100000'], stdout=out)
        atexit.register(writer.kill)
        rows = lambda: int((sql('SELECT count(*) FROM mail') or ['0'])[0])
        cases = ((server.killed, Commit('subject_day')), (server.stopped, Lock('host')), (server.cut, Commit('subject_day')),
                 (server.terminated, Commit('subject_day')))
        until(lambda: rows() > 0, 'nothing is taken in')
        for number, (how, moment) in enumerate(cases, 1):
            moment.arm()
            until(moment.met, f'ingest: {moment.__class__.__name__} is not met')
            how()
            if how == server.cut:  # it takes the same records in again before it sees that they are stored
                until(lambda: asked(WAITS + "wait_event_type = 'Lock'") == ['1'], 'it does not wait for the transaction that was cut off')
            moment.release()
            until(lambda n=number: said('the store is back') == n, f'{how.__name__}: it does not say that the store is back')
            check(ledger.poll() is None, f'assay-ledger ended: {how.__name__}')
        writer.send_signal(signal.SIGTERM)
        ended(writer, 0, 'the writer')
        out.seek(0)
        ids = sorted(out.read().split())
    until(lambda: rows() >= len(ids), 'it does not catch up')
    ledger.send_signal(signal.SIGTERM)
    ended(ledger, 0, 'the end')
    for words in 'the store is not available', 'the store is back':
        check(said(words) == len(cases), f'{words}: told {said(words)} times, not once each')
    check(sql('SELECT queue_id FROM mail ORDER BY queue_id COLLATE "C"') == ids, f'not the {len(ids)} mails that were written, once')
    for table in 'subject_day', 'standard_day':
        check(sql(f"SELECT sum(count) FROM {table} WHERE standard = 'spf'") == [str(len(ids))], f'the sum of {table}')
    check(sql('SELECT sum(mails) FROM host') == [str(len(ids))], 'the sum by host')
    recounts('ingest')
    return len(ids)


def of_command(name, words, cases):
    """Disturbed in each way, and done once more, it gives what an undisturbed one gives."""
    fresh('base')
    ended(start(*words), 0, name)
    want = state(TABLES)
    for how, moment in cases:
        case = f'{name}, {how.__name__}, {moment.__class__.__name__}'
        fresh('base')
        moment.arm()
        child = start(*words)
        until(moment.met, case + ': it is not met')
        how()
        moment.release()
        ended(child, 75, case)
        ended(start(*words), 0, case + ', once more')
        got = state(TABLES)
        check(got == want, f'{case}: {got}, not {want}')
    recounts(name)


def old_store():
    """Of schema 9."""
    rows = [f"({TODAY - n % 3}, 'o{n % 97}.example', '{tuple_of(n, 9)}', {n % 7 + 1})" for n in range(2000)]
    mails = [f"({TODAY * 86400000000 + n}, 'mx1', 'Q{n}', 'internet', 'd{n % 997}.example', '{record(n)}', 1, 1, 'reject', 'reject')"
             for n in range(200)]
    text = 'CREATE TABLE assay_schema (version BIGINT NOT NULL); INSERT INTO assay_schema VALUES (9);\n'
    text += ''.join(';\n'.join(steps(v, True)) + ';\n' for v in range(1, 10)) + 'CREATE TABLE mail_default PARTITION OF mail DEFAULT;\n'
    text += 'INSERT INTO dmarc_row (day, domain, tuple, count) VALUES ' + ',\n'.join(rows) + ';\n'
    text += ('INSERT INTO mail (t, host, queue_id, source, from_domain, record, exact, rcpts, action, would) VALUES ' + ',\n'.join(mails) +
             ';\n')
    check(sql('CREATE DATABASE old', 'postgres') is not None and sql(text, 'old') is not None, 'a store of schema 9')


def of_upgrade(server):
    """The daemon goes on with it by itself."""
    old_store()
    want = [str(2000), str(sum(n % 7 + 1 for n in range(2000)))]
    done = ("SELECT count(*) FROM pg_class WHERE relname = 'dmarc_row_9' UNION ALL "
            "SELECT count(*) FROM ledger_state WHERE name IN ('convert_10', 'rebuild')")
    for how, moment in ((server.killed, Lock('mail')), (server.stopped, Commit('mail')), (server.cut, Lock('ledger_state'))):
        case = f'upgrade, {how.__name__}, {moment.__class__.__name__}'
        fresh('old')
        moment.arm()
        ledger = daemon()
        until(moment.met, case + ': it is not met')
        how()
        moment.release()
        until(lambda: sql(done) == ['0', '0'], case + ': it does not go on')
        until(lambda: sql("SELECT count(*) FROM mail WHERE record LIKE '1%'") == ['200'], case + ': the records')
        check(ledger.poll() is None, case + ': assay-ledger ended')
        ledger.send_signal(signal.SIGTERM)
        ended(ledger, 0, case)
        check(sql("SELECT count(*) || ' ' || sum(count) FROM dmarc_row") == want, case + ': rows and their sum')
        check(sql('SELECT count(*), count(DISTINCT queue_id) FROM mail') == ['200|200'], case + ': mails')


def main():
    global relay
    os.chmod(SPACE, 0o755)
    for folder in JOURNALS, SOCKET, DATA, CUT:
        os.makedirs(folder)
    if AS:
        subprocess.run(['chown', 'postgres', DATA, SOCKET], check=True)
    subprocess.run(AS + [BIN + '/initdb', '-D', DATA, '-U', 'assay', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'], check=True,
                   capture_output=True, cwd='/')
    server, relay = Server(), Relay()
    server.start()
    atexit.register(lambda: server.end(immediate=True))
    mails = of_ingest(server)
    check(sql('CREATE DATABASE base', 'postgres') is not None, 'a database')
    policy('base')
    old_mails()
    ended(start('assay-ledger', '-1', '-S', SPACE), 0, 'old mails')
    policy('ledger')
    of_command('forget', ('assay', 'ledger', 'forget', '--yes', 'gone.example'),
               ((server.killed, Lock('subject_day')), (server.terminated, Commit('mail')), (server.cut, Commit('mail'))))
    policy('ledger', '15d')
    of_command('retention', ('assay', 'ledger', 'tidy', '--now'),
               ((server.killed, Commit('mail')), (server.stopped, Lock('subject_day')), (server.cut, Lock('mail'))))
    policy('ledger')
    of_upgrade(server)
    print(f'{mails} mails, the server died 4 times in ingest, 9 times in retention, forget and an upgrade: {check.count} checks')


main()
