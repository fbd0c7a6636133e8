# SPDX-License-Identifier: BSD-2-Clause
"""memory.py - what is asked about all mails needs no more memory than their number, on PostgreSQL: rows are not collected before they are
looked at.

    memory.py BUILD FOLDER POSTGRES-URI [MAILS]     MAILS with records of 4 kB (40000)"""
import os
import subprocess
import sys
import time

from checks import Checks
from psql import Psql

BUILD, SPACE, URI = sys.argv[1:4]
MAILS = int(sys.argv[4]) if len(sys.argv) > 4 else 40000
MOST_MB = 80
DAY = time.strftime('%Y-%m-%d', time.gmtime(time.time() - 86400))
check = Checks('memory')


def peak(*words):
    """MB. A child of its own, since what this one needs is handed on through fork and exec."""
    with open(SPACE + '/said', 'w', encoding='utf-8') as said:
        process = subprocess.Popen(words, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    with open(SPACE + '/said', encoding='utf-8') as said:
        check(process.returncode == 0, f'{words[1:3]}: exit {process.returncode}: {said.read()[:500]}')
    return used.ru_maxrss // 1024


def main():
    os.makedirs(SPACE + '/journal')
    for name in 'policy', 'new':
        with open(f'{SPACE}/{name}', 'w', encoding='ascii') as f:
            f.write(
                f'policy "x" owner "x@example.org"\nset journal.dir "{SPACE}/journal"\nset ledger.knowledge "{SPACE}/knowledge"\n'
                f'set ledger.store "{URI}"\nfollow dmarc of everyone\n'
            )
    session = Psql(URI)
    session.ask('DROP SCHEMA public CASCADE; CREATE SCHEMA public;')
    check.run(BUILD + '/assay-ledger', '-1', '-P', SPACE + '/policy', '-S', SPACE)
    record = (
        f'{{"v":1,"t":"{DAY}T10:00:00Z","host":"mx1","kind":"mail","source":"internet","client":"192.0.2.1","from":"x.example",'
        '"rcpts":1,"verdict":{"action":"deliver"},"lines":[],"findings":[],"pad":"'
    )
    first = int(time.time()) // 86400 * 86400000000 - 50000000000
    session.ask(
        f"INSERT INTO mail (t, host, source, from_domain, exact, rcpts, action, would, record) SELECT {first} + n, 'mx1', "
        f"'internet', 'x.example', 1, 1, 'deliver', 'deliver', '{record}' || repeat('x', 4000) || '\"}}' "
        f"FROM generate_series(1, {MAILS}) n"
    )
    ledger = [BUILD + '/assay', 'ledger']
    used = {
        'recount': peak(*ledger, 'recount', '-P', SPACE + '/policy'),
        'forget': peak(*ledger, 'forget', '--yes', 'nobody.example', '-P', SPACE + '/policy'),
        'what-if': peak(BUILD + '/assay', 'policy', 'what-if', SPACE + '/new', '-P', SPACE + '/policy'),
    }
    for name, most in used.items():
        check(most < MOST_MB, f'{name}: {most} MB of memory for {MAILS} records of 4 kB, {MOST_MB} are enough')
    print(f'{MAILS} records of 4 kB: ' + ', '.join(f'{name} {most} MB' for name, most in used.items()))


main()
