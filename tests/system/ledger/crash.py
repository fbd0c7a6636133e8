# SPDX-License-Identifier: BSD-2-Clause
"""crash.py - kills writers and takers at random instants and compares what was acknowledged with what is stored.

    crash.py BUILD FOLDER STORE KILLS [SEED]
    crash.py BUILD FOLDER STORE KILLS adding     the folder's takers have a role that may only add (PostgreSQL); two
    more, the owner's, empty the inbox

Two writers and two takers work on one folder and one store; KILLS times one of them, taken at random, is killed with
SIGKILL after a random time
and started anew. Then the writers end in order, the rest is taken in, and: every acknowledged record is stored; none is stored twice; what
is stored beyond the acknowledged is at most the one record each killed writer had in hand; the counts by day are as many as the mails.
"""
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time


class Process:
    def __init__(self, program, mode, folder, last, out):
        self.arguments = [program, mode, folder, last]
        self.out = out
        self.start()

    def start(self):
        self.child = subprocess.Popen(self.arguments, stdout=self.out, stdin=subprocess.DEVNULL)

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def await_handler(self):
        """A program that has only just started would end by SIGTERM itself: until it catches it (SigCgt), at most a minute."""
        deadline = time.monotonic() + 60
        while self.child.poll() is None and time.monotonic() < deadline:
            with open(f'/proc/{self.child.pid}/status') as f:
                caught = [int(line.split()[1], 16) for line in f if line.startswith('SigCgt:')]
            if caught and caught[0] >> (signal.SIGTERM - 1) & 1:
                return
            time.sleep(0.01)

    def end(self):
        self.await_handler()
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=60)


def ask(store, sql):
    if store.startswith('postgres'):
        out = subprocess.run(['psql', '-qAtX', store, '-c', sql], check=True, capture_output=True, text=True).stdout
        return [line for line in out.split('\n') if line]
    db = sqlite3.connect(store)
    rows = [str(row[0]) for row in db.execute(sql)]
    db.close()
    return rows


def admit(build, program, empty, store):
    """The tables, and a role that may only add for both writers' hosts: the way in for it."""
    subprocess.run([program, 'drain', empty, store], check=True, capture_output=True)
    for host in ('mx1', 'mx2'):
        sql = subprocess.run(
            [f'{build}/assay', 'ledger', 'admit', host, '--role', 'assay_hosts', '--store', store],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        subprocess.run(['psql', '-qX', '-v', 'ON_ERROR_STOP=1', store], input=sql, check=True, capture_output=True, text=True)
    return store.replace('//assay@', '//assay_hosts@')


def main():
    build, folder, store, kills = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    adding = sys.argv[5:] == ['adding']
    seed = int(sys.argv[5]) if len(sys.argv) > 5 and not adding else random.randrange(1 << 32)
    chance = random.Random(seed)
    program = os.path.join(build, 'tests', 'ledger_crash')
    os.makedirs(folder)
    if store.startswith('postgres'):
        subprocess.run(
            ['psql', '-qX', store, '-c', 'DROP SCHEMA public CASCADE', '-c', 'CREATE SCHEMA public'], check=True, capture_output=True
        )
    acknowledged_file = tempfile.TemporaryFile()
    writers = [Process(program, 'write', folder, name, acknowledged_file) for name in ('mx1', 'mx2')]
    way_in, empty = store, folder + '.owner'
    if adding:
        os.makedirs(empty)
        way_in = admit(build, program, empty, store)
    takers = [Process(program, 'take', folder, way_in, subprocess.DEVNULL) for _ in range(2)]
    takers += [Process(program, 'take', empty, store, subprocess.DEVNULL) for _ in range(2 * adding)]
    killed_writers = 0
    for _ in range(kills):
        time.sleep(chance.random() * 0.03)
        process = chance.choice(writers + takers)
        if process.child.poll() is not None:
            sys.exit(f'a process ended by itself with {process.child.returncode}: {process.arguments} (seed {seed})')
        process.kill()
        killed_writers += process in writers
        process.start()
    time.sleep(0.1)
    for process in writers + takers:
        code = process.end()
        if code != 0:
            sys.exit(f'{process.arguments} ended with {code} (seed {seed})')
    for where, to in [(folder, way_in)] + [(empty, store)] * adding:
        drained = subprocess.run([program, 'drain', where, to], capture_output=True, text=True, timeout=300)
        if drained.returncode != 0:
            sys.exit(f'drain: {drained.stdout} {drained.stderr} (seed {seed})')
    if adding and ask(store, 'SELECT count(*) FROM inbox') != ['0']:
        sys.exit(f"left in the inbox: {ask(store, 'SELECT host, refused FROM inbox')} (seed {seed})")
    acknowledged_file.seek(0)
    acknowledged = acknowledged_file.read().decode().split()
    stored = ask(store, 'SELECT queue_id FROM mail')
    lost = set(acknowledged) - set(stored)
    doubled = len(stored) - len(set(stored))
    extra = len(set(stored) - set(acknowledged))
    by_day = int(ask(store, 'SELECT sum(count) FROM subject_day')[0])
    left = [n for n in os.listdir(folder) if not n.startswith('.sent-')]  # notes that a kill left go after a day (rights.py)
    result = (
        f'{kills} kills: {len(acknowledged)} acknowledged, {len(stored)} stored, {len(lost)} lost, {doubled} doubled, '
        f'{extra} stored and not yet acknowledged at a kill, {by_day} counted by day'
    )
    if lost or doubled or extra > killed_writers or by_day != len(stored) or left or not acknowledged:
        sys.exit(f'{result}; left in the folder: {left}; seed {seed}')
    print(result)


main()
