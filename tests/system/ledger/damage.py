#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Pages of the ledger's file (SQLite) are overwritten under a running assay-ledger: of a table, of an index, of the schema, the first
one, of the write-ahead log, and the file is cut short. assay-ledger goes on running, says what is damaged and what to do, and
acknowledges (by removing its segment) no mail that is not in the file; commands exit 65; after `assay ledger restore` every mail that
waited is taken in.

    damage.py BUILD FOLDER"""
import atexit
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from checks import Checks

BUILD, SPACE = sys.argv[1:3]
ASSAY, LEDGER = BUILD + '/assay', BUILD + '/assay-ledger'
PAGE = 4096
check = Checks('damage')


class Case:
    def __init__(self, name):
        self.name, self.folder = name, f'{SPACE}/{name}'
        self.store, self.journals, self.policy = (f'{self.folder}/{n}' for n in ('ledger.db', 'journals', 'policy'))
        os.makedirs(self.journals)
        with open(self.policy, 'w', encoding='ascii') as f:
            f.write(f'set ledger.store "{self.store}"\nset journal.dir "{self.journals}"\n'
                    f'set ledger.knowledge "{self.folder}/knowledge"\nrecord spf of everyone\n')
        self.daemon = None

    def __call__(self, good, what):
        if not good and os.path.exists(self.folder + '/log'):
            print(self.log()[-2000:])
        check(good, f'{self.name}: {what}')

    def log(self):
        with open(self.folder + '/log', encoding='utf-8') as f:
            return f.read()

    def start(self):
        self.daemon = subprocess.Popen([LEDGER, '-P', self.policy, '-S', self.folder], stderr=open(self.folder + '/log', 'ab'))
        atexit.register(self.daemon.kill)  # of no effect once it has ended

    def end(self):
        self.daemon.send_signal(signal.SIGTERM)
        self(self.daemon.wait(60) == 0, 'the daemon did not end well')

    def until(self, condition, what, seconds=120):
        last = time.time() + seconds
        while time.time() < last:
            self(self.daemon is None or self.daemon.poll() is None, f'the daemon ended: {self.daemon and self.daemon.poll()}')
            if condition():
                return
            time.sleep(0.05)
        self(False, what)

    def tool(self, *words, code=0):
        done = subprocess.run([ASSAY, 'ledger', words[0], '-P', self.policy, *words[1:]], capture_output=True, text=True, check=False)
        self(done.returncode == code, f'{words}: exit {done.returncode}, not {code}: {done.stdout}{done.stderr}')
        return done.stdout + done.stderr

    def segment(self, name, count):
        when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
        lines = [dict(v=1, t=when, host='mx1', kind='segment', segment=name, writer='milter')]
        for n in range(count):
            domain = f'd{n % 300}.example'
            lines.append(dict(v=1, t=when, host='mx1', kind='mail', id=f'{name}-{n}', message_id=f'<{n}@{domain}>', source='internet',
                              client=f'192.0.2.{n % 250}', mail_from=domain, rcpts=1, verdict=dict(action='deliver'),
                              findings=[dict(standard='spf', subject=domain, result='pass')], **{'from': domain}))
        path = f'{self.journals}/{name}.x'
        with open(path, 'w', encoding='ascii') as f:
            f.write(''.join(json.dumps(line) + '\n' for line in lines))
        os.rename(path, f'{self.journals}/milter-20261120T100000Z-{name}.journal')
        return {f'{name}-{n}' for n in range(count)}

    def waiting(self):
        return os.listdir(self.journals)

    def ids(self):
        db = sqlite3.connect(self.store)
        rows = [r[0] for r in db.execute('SELECT queue_id FROM mail NOT INDEXED')]
        db.close()
        return rows


def pages_of(store, name):
    """The pages of a table or an index, by SQLite's own table of them."""
    out = subprocess.run(['sqlite3', store, f"SELECT pageno FROM dbstat WHERE name = '{name}'"], capture_output=True, text=True, check=True)
    return [int(n) for n in out.stdout.split()]


def overwrite(path, pages, text=b'\xa5'):
    with open(path, 'r+b') as f:
        for n in pages:
            f.seek((n - 1) * PAGE)
            f.write((text * PAGE)[:PAGE])
        f.flush()
        os.fsync(f.fileno())


def index_name(store):
    out = subprocess.run(['sqlite3', store, "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'mail' AND sql > ''"],
                         capture_output=True, text=True, check=True)
    return out.stdout.split()[0]


def damage_table(store):
    overwrite(store, pages_of(store, 'mail'))


def damage_index(store):
    overwrite(store, pages_of(store, index_name(store)))


def damage_totals(store):
    overwrite(store, pages_of(store, 'subject_day'))


def damage_positions(store):
    overwrite(store, pages_of(store, 'segment'))


def damage_schema(store):
    overwrite(store, pages_of(store, 'sqlite_schema')[1:] or pages_of(store, 'sqlite_schema'))


def damage_header(store):
    overwrite(store, [1])


def damage_log(store):
    """Every frame's page in the write-ahead log, of which readers take them."""
    size = os.path.getsize(store + '-wal')
    with open(store + '-wal', 'r+b') as f:
        for at in range(32, size, PAGE + 24):
            f.seek(at + 24)
            f.write(b'\xa5' * PAGE)


def cut_short(store):
    os.truncate(store, os.path.getsize(store) // 2 // PAGE * PAGE)


def write_beside(store):
    """Another program writes a row: the daemon then reads its pages again, and does not find them in its cache, whole."""
    db = sqlite3.connect(store, timeout=30)
    db.execute("INSERT OR REPLACE INTO ledger_state VALUES ('test', 1)")
    db.commit()
    db.close()


def one(name, damage):
    c = Case(name)
    first = c.segment('00000001', 3000)
    c.start()
    c.until(lambda: not c.waiting(), 'the first mails are not taken in')
    c.tool('backup', c.folder + '/backup.db')
    write_beside(c.store)
    if damage is not damage_log:
        db = sqlite3.connect(c.store, timeout=30)
        c(db.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone()[0] == 0, 'the log is not emptied')
        db.close()
    damage(c.store)
    second = c.segment('00000002', 500)
    said = lambda: 'damaged' in c.log() or 'not a database' in c.log() or 'malformed' in c.log()
    c.until(lambda: said() or not c.waiting(), 'neither taken in nor complained of')
    third = set()
    if said():
        c('restore' in c.log() and c.store in c.log(), 'what is damaged, and what to do, is said: ' + c.log())
        c(c.log().count('ledger restore FILE') == 1, 'it is said once')
        third = c.segment('00000003', 100)
        kept = set(c.waiting())
        time.sleep(3)  # several rounds: none of them may acknowledge
        c(set(c.waiting()) >= kept, 'journals are gone though the ledger is damaged')
        c(c.daemon.poll() is None, 'the daemon ended')
    else:  # it did not need the damaged page: what it acknowledged is there
        c(set(c.ids()) == first | second, 'what was acknowledged is not in the file')
    waits = second | third if said() else set()
    c.end()
    if said():
        done = subprocess.run([LEDGER, '-1', '-P', c.policy, '-S', c.folder], capture_output=True, text=True, check=False)
        c(done.returncode in (65, 75) and 'restore' in done.stderr, f'assay-ledger -1: exit {done.returncode}: {done.stderr}')
        c(set(c.waiting()) >= kept, 'journals are gone')
    c.tool('restore', c.folder + '/backup.db')
    c.start()
    c.until(lambda: not c.waiting(), 'not taken in after the restore')
    c.end()
    got = c.ids()
    c(sorted(got) == sorted(first | waits), f'after the restore {len(got)} mails are there, not {len(first | waits)}')
    check_db = subprocess.run(['sqlite3', c.store, 'PRAGMA integrity_check'], capture_output=True, text=True, check=True)
    c(check_db.stdout.strip() == 'ok', 'the restored file: ' + check_db.stdout[:200])
    shutil.rmtree(c.folder)
    return bool(waits)


def restored_while_it_runs():
    """A whole file put in the place of a damaged one under the daemon: it goes on without a new start."""
    c = Case('replaced')
    first = c.segment('00000001', 1000)
    c.start()
    c.until(lambda: not c.waiting(), 'the first mails are not taken in')
    c.tool('backup', c.folder + '/backup.db')
    write_beside(c.store)
    db = sqlite3.connect(c.store, timeout=30)
    db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    db.close()
    damage_table(c.store)
    second = c.segment('00000002', 50)
    c.until(lambda: 'damaged' in c.log(), 'the damage is not seen')
    for end in '-wal', '-shm':
        if os.path.exists(c.store + end):
            os.unlink(c.store + end)
    shutil.copy(c.folder + '/backup.db', c.folder + '/copy.db')
    os.rename(c.folder + '/copy.db', c.store)
    c.until(lambda: not c.waiting(), 'not taken in from the restored file')
    c(sorted(c.ids()) == sorted(first | second), 'not every mail is there, once')
    c.until(lambda: 'the store is back' in c.log(), 'it is not said that it is back')
    c.end()


def commands():
    """A damaged file and the commands that read it: exit 65, and what to do."""
    c = Case('commands')
    c.segment('00000001', 3000)
    subprocess.run([LEDGER, '-1', '-P', c.policy, '-S', c.folder], check=True, capture_output=True)
    shutil.copy(c.store, c.folder + '/whole.db')
    for damage, words in ((damage_totals, ('domain', 'd1.example')), (damage_header, ('hosts',)),
                          (damage_schema, ('hosts',)), (damage_table, ('recount',)), (damage_table, ('forget', '--yes', 'd1.example'))):
        shutil.copy(c.folder + '/whole.db', c.store)
        damage(c.store)
        said = c.tool(*words, code=65)
        c('restore' in said and c.store in said, f'{damage.__name__}, {words}: {said}')
    shutil.copy(c.folder + '/whole.db', c.store)
    damage_table(c.store)
    said = c.tool('backup', c.folder + '/copy.db')  # page by page, as it is
    c('damaged' in c.tool('restore', c.folder + '/copy.db', code=65), 'a damaged backup is not restored')


def main():
    os.makedirs(SPACE, exist_ok=True)
    seen = {}
    for name, damage in (('table', damage_table), ('index', damage_index), ('totals', damage_totals), ('positions', damage_positions),
                         ('schema', damage_schema), ('header', damage_header), ('log', damage_log), ('short', cut_short)):
        seen[name] = one(name, damage)
    restored_while_it_runs()
    commands()
    check(seen['table'] and seen['totals'] and seen['header'], f'the damage was not met: {seen}')
    print(f'{check.count} checks; met while mails came in: {", ".join(n for n in seen if seen[n])}')


main()
