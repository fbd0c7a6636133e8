# SPDX-License-Identifier: BSD-2-Clause
"""publish.py - the page for the world (assay report --publish), with the ledger in SQLite and in PostgreSQL.

    publish.py BUILD FOLDER STORE...

Two lists that differ by two organisations may not both be shown, whoever shows them: one page, two pages one behind the other, or two
programs at once. The table published says what stands on each page.
"""
import os
import re
import subprocess
import sys

from checks import Checks

BUILD, FOLDER, *STORES = sys.argv[1:]
os.environ['BUILD'] = BUILD  # before fleet looks at it
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../report'))
import fleet  # noqa: E402

ROUNDS = 5


def filled(folder, store):
    """14 organisations of the government; suppliers are these and two more; 24 others."""
    f = fleet.Fleet(folder, store=store)
    with open(f'{folder}/suppliers.list', 'w', encoding='ascii') as out:
        out.write(''.join(f'government-{i}.example\n' for i in range(14)) + 'supplier-0.example\nsupplier-1.example\n')
    for name, count in (('government', 14), ('supplier', 2), ('partner', 24)):
        for i in range(count):
            for _ in range(6):
                f.mail(fleet.NOW, f'{name}-{i}.example', ['dmarc'], ['dmarc'] if name == 'supplier' else [])
    f.take_in()
    return f


def without(f, name):
    """A policy of another host, which does not know this list."""
    path = f'{f.folder}/without-{name}'
    with open(f.policy, encoding='utf-8') as old, open(path, 'w', encoding='utf-8') as new:
        new.writelines(line for line in old if f'list {name}' not in re.sub(r' +', ' ', line) and f'list     {name}' not in line)
    return path


def command(policy, where):
    return [f'{BUILD}/assay', 'report', '-P', policy, '--publish', where]


def main(store, name):
    check = Checks('publish', store)
    folder = f'{FOLDER}/{name}'
    os.makedirs(folder)
    f = filled(folder, store)

    def rows():
        return sorted(x.replace('|', '\x1f').split('\x1f') for x in check.sql('SELECT list, organisations, meets FROM published').split())

    check.run(*command(f.policy, f'{folder}/www'))
    check(rows() == [['*', '40', '38'], ['government', '14', '14']], f'one page: {rows()}')
    check.run(*command(f.policy, f'{folder}/www'))
    check(rows() == [['*', '40', '38'], ['government', '14', '14']], f'the same again: {rows()}')

    check.sql('DELETE FROM published')
    check.sql('DELETE FROM published_set')
    os.unlink(f'{folder}/www.published')
    one, two = without(f, 'suppliers'), without(f, 'government')
    check.run(*command(two, f'{folder}/second'))
    check.run(*command(one, f'{folder}/first'))
    lists = [r[0] for r in rows() if r[0] != '*']
    check(lists == ['suppliers'], f'the page that came first shows its list, the other one does not: {rows()}')

    # What a page shows under a name that this policy does not know, and nobody kept who was counted: another host's list, or this one
    # before it was renamed. Of 40, 21 and the 16 suppliers may leave three.
    others = ((18, 14, False), (12, 12, False), (16, 14, True), (16, 13, False), (21, 14, False), (26, 14, True))
    for number, (told, meets, shown) in enumerate(others):
        check.sql('DELETE FROM published')
        check.sql('DELETE FROM published_set')
        check.sql(f"INSERT INTO published VALUES ('there', 'vendors', 1, {told}, {meets})")
        check.run(*command(two, f'{folder}/renamed-{number}'))
        lists = [r[0] for r in rows() if r[0] != '*']
        check(lists == ['suppliers', 'vendors'][not shown :], f'beside vendors {told} {meets}: {rows()}')

    for again in range(ROUNDS):
        check.sql('DELETE FROM published')
        check.sql('DELETE FROM published_set')
        both = [subprocess.Popen(command(p, f'{folder}/at-once-{again}-{n}')) for n, p in enumerate((one, two))]
        check([p.wait(timeout=60) for p in both] == [0, 0], 'both publish')
        lists = [r[0] for r in rows() if r[0] != '*']
        check(len(lists) == 1, f'of two programs at once one shows its list: {lists}')
        with open(f'{folder}/at-once-{again}-{0 if lists == ["government"] else 1}/index.html', encoding='utf-8') as page:
            check(lists[0] in page.read(), f'and the page says so: {lists}')
        with open(f'{folder}/at-once-{again}-{1 if lists == ["government"] else 0}/index.html', encoding='utf-8') as page:
            other = 'suppliers' if lists == ['government'] else 'government'
            check(not re.search(r'<td[^>]*><bdi>1[46]<', page.read()), f'the other page tells nothing of {other}')
    return check.count


total = 0
for number, where in enumerate(STORES):
    if where.startswith('postgres'):
        clean = ['-c', 'DROP SCHEMA public CASCADE', '-c', 'CREATE SCHEMA public']
        subprocess.run(['psql', '-qX', where, *clean], check=True, capture_output=True)
    total += main(where, f'store-{number}')
print(f'the page for the world on {len(STORES)} stores, one shows it at a time: {total} checks')
