#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reports as they are met in the field, in kinds that shapes.py does not have: all are given to one reader, and what it says and keeps of
each is compared with the right answer.

    shapes_met.py BUILD FOLDER [WORDS]     WORDS: only shapes whose name holds them
    shapes_met.py --write FOLDER           writes the shapes, for mutations of them

Each has a name, octets, [(state, rows, count)] that are taken, how many are named as unread, words of the complaint, and what is kept:
columns of the first report and of its first row ('begin': as the command shows it). What is not said otherwise is about
example.org, and begins on the day that shapes_made.py writes."""
import json
import os
import sqlite3
import subprocess
import sys
import time
import shapes_met_mail
import shapes_met_text
import shapes_rare_mail
import shapes_rare_text
from shapes_made import BEGIN

SHAPES = [*shapes_met_mail.shapes(), *shapes_met_text.shapes(), *shapes_rare_mail.shapes(), *shapes_rare_text.shapes()]
TLS_BEGIN = '2026-11-19T00:00:00Z'


def write(folder):
    os.makedirs(folder, exist_ok=True)
    for number, shape in enumerate(SHAPES):
        with open(f'{folder}/{number:03}', 'wb') as f:
            f.write(shape[1])


def first_row(db, where):
    db.row_factory = sqlite3.Row
    return db.execute(
        'SELECT * FROM report_in r LEFT JOIN report_in_row w USING (kind, org, report_id, domain) WHERE r.file = ? ORDER BY '
        'r.taken, w.row LIMIT 1',
        (where,),
    ).fetchone()


def faults(shape, lines, complaints, db):
    """What is not as it should be."""
    _, _, taken, unread, says, kept = shape
    got = [(line['state'], line['rows'], line['count']) for line in lines]
    if got != taken or len(complaints) != unread or says not in '\n'.join(complaints):
        yield f'{got}, not {taken}; {len(complaints)} complaints, not {unread} with "{says}": {" / ".join(complaints)[:300]}'
        return
    for line in lines:
        begin = kept.get(
            'begin', TLS_BEGIN if line['kind'] == 'tls' else time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(kept.get('begins', BEGIN)))
        )
        if line['begin'] != begin:
            yield f'begins {line["begin"]}, not {begin}'
        if line['domain'] not in (kept.get('domain', 'example.org'), '_25._tcp.mx.example.org'):
            yield f'is about {line["domain"]}'
        if line['state'] == 'taken in part' and not line['partial']:
            yield 'does not say what is missing'
    found = first_row(db, lines[0]['file']) if lines else {}
    for column, want in kept.items():
        if column != 'begin' and found[column] != want:
            yield f'{column} is kept as "{found[column]}", not "{want}"'


def main(build, space, words=''):
    policy = space + '/policy'
    write(space)
    with open(policy, 'w') as f:
        f.write(f'own domains example.org\nset ledger.store "{space}/ledger.db"\n')
    chosen = [n for n, shape in enumerate(SHAPES) if words in shape[0]]
    done = subprocess.run(
        [build + '/assay', 'ledger', 'read-report', '-P', policy, '--json', *(f'{n:03}' for n in chosen)],
        cwd=space,
        capture_output=True,
        text=True,
    )
    lines = json.loads(done.stdout)
    complaints = [line for line in done.stderr.splitlines() if line.strip()]
    wrong = 0
    with sqlite3.connect(f'file:{space}/ledger.db?mode=ro', uri=True) as db:
        for n in chosen:
            for fault in faults(
                SHAPES[n],
                [line for line in lines if line['file'][:3] == f'{n:03}'],
                [c for c in complaints if f'read-report: {n:03}: ' in c],
                db,
            ):
                print(f'{n:03} {SHAPES[n][0]}: {fault}')
                wrong += 1
    if done.returncode != (65 if complaints else 0):
        sys.exit(f'exit {done.returncode}: {done.stderr[-400:]}')
    if wrong:
        sys.exit(f'{wrong} of {len(chosen)} shapes are not as they should be')
    print(f'{len(chosen)} shapes as they are met, each as it should be')


if __name__ == '__main__':
    if sys.argv[1] == '--write':
        write(sys.argv[2])
    else:
        main(*sys.argv[1:])
