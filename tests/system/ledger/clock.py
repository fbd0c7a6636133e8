#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The machine's clock jumps while assay-ledger runs, and before it starts: ten years ahead, ten years back, one day ahead. Nothing is
deleted that is not due by the true clock, no mail is lost or counted twice, the log says it once, and when the clock is right again
everything goes on. The daemon's hours pass by its monotonic clock, which is shifted, too (shifted_clock.c).

    clock.py BUILD FOLDER"""
import atexit
import json
import mmap
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time

from checks import Checks

BUILD, SPACE = sys.argv[1:3]
STORE, JOURNALS, POLICY, LOG = SPACE + '/ledger.db', SPACE + '/journal', SPACE + '/policy', SPACE + '/log'
DAY, YEARS = 86400, 3650 * 86400
check = Checks('clock')
written = []  # ids that a writer was told are stored


def ask(sql):
    db = sqlite3.connect(STORE, timeout=60)
    found = db.execute(sql).fetchone()[0]
    db.close()
    return found


def said(text):
    with open(LOG, encoding='utf-8') as f:
        return f.read().count(text)


def until(condition, what):
    last = time.time() + 60
    while time.time() < last:
        try:
            if condition():
                return
        except sqlite3.OperationalError:
            pass  # there is no table yet, or it is locked
        time.sleep(0.05)
    with open(LOG, encoding='utf-8') as f:
        print(f.read()[-3000:])
    check(False, what)


class Clock:
    """The clocks of the programs that are started with `env`."""

    def __init__(self):
        with open(SPACE + '/shift', 'wb') as f:
            f.write(struct.pack('qq', 0, 0))
        self.file = open(SPACE + '/shift', 'r+b')
        self.map = mmap.mmap(self.file.fileno(), 16)
        shim = SPACE + '/shifted_clock.so'
        source = os.path.dirname(os.path.abspath(__file__)) + '/shifted_clock.c'
        subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', shim, source], check=True)
        self.env = dict(os.environ, LD_PRELOAD=shim, SHIFTED_CLOCK=SPACE + '/shift')

    def wall(self, seconds):
        self.map[:8] = struct.pack('q', seconds)

    def hours_pass(self, count=1):
        """Each is noticed: retention looks at the clock, and what it saw last is kept."""
        for _ in range(count):
            before = ask("SELECT coalesce(max(number), 0) FROM ledger_state WHERE name = 'clock_wall'")
            self.map[8:] = struct.pack('q', struct.unpack('q', self.map[8:])[0] + 3700)
            until(lambda last=before: ask("SELECT coalesce(max(number), 0) FROM ledger_state WHERE name = 'clock_wall'") != last,
                  'retention did not look at the clock')
        if self.map[:8] == bytes(8):
            until(lambda: ask(DUE) == 0, 'what is due is not cleared')


DUE = ''  # how many mails keep what they may not keep any more, by the true clock


def segment(name, days, count):
    """A closed segment of mails, so many days old."""
    when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - days * DAY))
    lines = [dict(v=1, t=when, host='mx1', kind='segment', segment=name, writer='milter')]
    for n in range(count):
        lines.append(dict(v=1, t=when, host='mx1', kind='mail', id=f'{name}-{n}', source='internet', client='192.0.2.7',
                          mail_from='a.example', rcpts=1, verdict=dict(action='deliver', would='deliver'), **{'from': 'a.example'},
                          findings=[dict(standard='spf', subject='a.example', result='pass')]))
    with open(f'{JOURNALS}/{name}.x', 'w', encoding='ascii') as f:
        f.write(''.join(json.dumps(line) + '\n' for line in lines))
    os.rename(f'{JOURNALS}/{name}.x', f'{JOURNALS}/milter-20261120T100000Z-{name}.journal')
    return [f'{name}-{n}' for n in range(count)]


def start(clock):
    child = subprocess.Popen([BUILD + '/assay-ledger', '-P', POLICY, '-S', SPACE], stderr=open(LOG, 'ab'), env=clock.env)
    atexit.register(child.kill)  # of no effect once it has ended
    return child


def end(child):
    child.send_signal(signal.SIGTERM)
    check(child.wait(60) == 0, 'assay-ledger ended badly')


class Writer:
    """Mails of now, by the true clock, about 150 a second."""

    def __init__(self):
        self.out = open(SPACE + '/written', 'w+', encoding='ascii')
        self.child = subprocess.Popen([BUILD + '/tests/ledger_crash', 'write', JOURNALS, 'mx1', '100000'], stdout=self.out)
        atexit.register(self.child.kill)

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        check(self.child.wait(60) == 0, 'the writer')
        self.out.seek(0)
        written.extend(self.out.read().split())


MAILS = 'SELECT count(*) FROM mail'
AHEAD = 'SELECT count(*) FROM ahead'


def grows(sql, what):
    before = ask(sql)
    until(lambda: ask(sql) > before, what)


def all_there(kept, what):
    """Each mail once, with its record; those that were not due before are still whole; and the sums are theirs."""
    until(lambda: ask(AHEAD) == 0 and ask(MAILS + " WHERE queue_id LIKE 'mx1-%'") >= len(written), what + ': it does not catch up')
    db = sqlite3.connect(STORE, timeout=60)
    there = sorted(row[0] for row in db.execute('SELECT queue_id FROM mail WHERE record IS NOT NULL'))
    sums = db.execute("SELECT sum(count) FROM subject_day WHERE standard = 'spf' AND subject LIKE 'example.%'").fetchone()[0] or 0
    old = db.execute("SELECT sum(count) FROM subject_day WHERE standard = 'spf' AND subject = 'a.example'").fetchone()[0]
    db.close()
    check(there == sorted(kept + written), f'{what}: {len(kept + written)} mails should be there, {len(there)} are')
    check(sums == len(written), f'{what}: {len(written)} mails, counted {sums} times')
    check(old == len(kept) + 20, f'{what}: the sums of old mails are {old}')


def main():
    global DUE
    os.makedirs(JOURNALS)
    with open(POLICY, 'w', encoding='ascii') as f:
        f.write(f'set ledger.store "{STORE}"\nset journal.dir "{JOURNALS}"\nset ledger.knowledge "{SPACE}/knowledge"\n'
                'set ledger.keep-identity 30d\nset ledger.keep-mails 60d\nset ledger.keep-days 90d\nrecord spf of everyone\n')
    DUE = f'SELECT count(*) FROM mail WHERE queue_id IS NOT NULL AND t < {int((time.time() - 30 * DAY) * 1000000)}'
    clock = Clock()
    kept = segment('00000001', 1, 30) + segment('00000002', 15, 30) + segment('00000003', 29.5, 30)
    segment('00000004', 40, 20)
    child = start(clock)
    until(lambda: ask(MAILS) == 110, 'nothing is taken in')
    clock.hours_pass()
    all_there(kept, 'before')
    years_ahead(clock, kept)
    end(child)
    child = years_back_at_a_start(clock, kept)
    years_back_in_the_middle(clock, kept)
    a_day_ahead(clock, kept)
    end(child)
    sums_are_those_of_a_recount()
    print(f'{len(written)} mails, {check.count} checks')


def years_ahead(clock, kept):
    writer = Writer()
    grows(MAILS, 'nothing is taken in')
    clock.wall(YEARS)
    clock.hours_pass(4)
    grows(MAILS, 'nothing is taken in ten years ahead')
    check(said('the clock jumped ahead') == 1, f'ten years ahead: told {said("the clock jumped ahead")} times')
    clock.wall(0)
    clock.hours_pass(2)
    check(said('the clock is right again') == 1, 'it does not say that the clock is right again')
    writer.end()
    all_there(kept, 'ten years ahead')


def years_back_at_a_start(clock, kept):
    clock.wall(-YEARS)
    writer = Writer()
    child = start(clock)
    until(lambda: ask(AHEAD) > 0, 'nothing is kept back')
    clock.hours_pass(1)
    grows(AHEAD, 'ten years back: nothing more is kept back')
    clock.hours_pass(1)
    check(1 <= said('dated more than an hour ahead') <= 4, f'ten years back: told {said("dated more than an hour ahead")} times')
    writer.end()
    clock.wall(0)
    clock.hours_pass(2)
    all_there(kept, 'ten years back at a start')
    return child


def years_back_in_the_middle(clock, kept):
    writer = Writer()
    grows(MAILS, 'nothing is taken in')
    told = said('dated more than an hour ahead')
    clock.wall(-YEARS)
    until(lambda: ask(AHEAD) > 0, 'nothing is kept back')
    for _ in range(3):
        grows(AHEAD, 'ten years back: nothing more is kept back')
    check(said('dated more than an hour ahead') == told + 1, 'ten years back in the middle: told more than once')
    writer.end()
    clock.hours_pass(1)
    clock.wall(0)
    clock.hours_pass(2)
    all_there(kept, 'ten years back in the middle')


def a_day_ahead(clock, kept):
    writer = Writer()
    clock.wall(DAY)
    clock.hours_pass(4)
    grows(MAILS, 'nothing is taken in a day ahead')
    writer.end()
    all_there(kept, 'a day ahead')
    clock.wall(0)
    clock.hours_pass(2)
    all_there(kept, 'right at last')
    check(said('the clock jumped ahead') == 1 and said('the store is not available') == 0, 'the log')


def sums_are_those_of_a_recount():
    day_sums = "SELECT group_concat(x) FROM (SELECT day || standard || scope || count AS x FROM standard_day ORDER BY x)"
    before = ask(day_sums)
    check.run(BUILD + '/assay', 'ledger', 'recount', '-P', POLICY)
    check(ask(day_sums) == before, 'the sums are not what a recount gives')


main()
