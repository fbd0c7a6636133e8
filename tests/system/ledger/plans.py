# SPDX-License-Identifier: BSD-2-Clause
"""plans.py - no statement of ingest, retention, forget or recount reads what is kept, on PostgreSQL: it chooses its plans by what it
knows of the tables, so that they can be told only on tables of some size.

    plans.py BUILD FOLDER POSTGRES-URI [ROWS]     ROWS of each table that stay (50000)

Every table of subjects.def gets rows of today, and a few old ones, by the types and names of its columns, so that a new table is looked
at, too. The server's auto_explain then writes the plan of every statement that our programs send, with the rows that were really read.
For SQLite: tests/unit/test_retention_cost.c. POSTGRES_DIR in the environment has the server's log (postgres beside this)."""
import json
import os
import re
import sys
import time

from checks import Checks
from psql import Psql

BUILD, SPACE, URI = sys.argv[1:4]
ROWS = int(sys.argv[4]) if len(sys.argv) > 4 else 50000
DAYS, OLD_DAYS, OLD_ROWS = 2, 1000, 300
MAILS = 500
# A step goes through RANGE_ROWS * RETENTION_STEP rows (ledger/retention.c).
READ_MOST = 16000
LARGE = ROWS // 2
TODAY = int(time.time()) // 86400
LOG = os.environ['POSTGRES_DIR'] + '/server.log'
HERE = os.path.dirname(os.path.abspath(__file__))
check = Checks('plans')
session = Psql(URI)

A_DAY = {'day': 1, 'until': 1, 'hour': 24, 'begins': 86400, 'ends': 86400}
A_DAY.update(dict.fromkeys(('t', 'first_seen', 'last_seen', 'taken', 'changed', 'sent'), 86400000000))
CONSTANT = {
    'exact': '1',
    'row': '1',
    ('segment', 'state'): "'done'",
    ('report_in', 'kind'): "'dmarc'",
    ('report_in_row', 'kind'): "'dmarc'",
}


def tables():
    with open(HERE + '/../../../ledger/subjects.def', encoding='ascii') as f:
        names = re.findall(r'^TABLE\((\w+),', f.read(), re.M)
    return [name for name in names if name != 'ledger_state']


def value(table, column, is_text, day, days):
    """An SQL expression of n, the number of the row."""
    if (table, column) in CONSTANT or column in CONSTANT:
        return CONSTANT.get((table, column)) or CONSTANT[column]
    if column in A_DAY:
        return f"({day} - n % {days}) * {A_DAY[column]}{' + n' if column == 't' else ''}"
    return f"'s' || n || '.d{day}.example'" if is_text else f'{day} + n'


def fill(table, day, days, rows):
    columns = [
        line.split('|')
        for line in session.ask(
            f"SELECT column_name, data_type = 'text' FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
        )
    ]
    names = ', '.join(f'"{name}"' for name, _ in columns)
    values = ', '.join(value(table, name, text == 't', day, days) for name, text in columns)
    session.ask(f'INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {rows}) n')


def segment():
    """Mails of today, of senders that were seen and of new ones."""
    when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - 60))
    lines = [dict(v=1, t=when, host='mx1', kind='segment', segment='plans-1', writer='milter')]
    for n in range(MAILS):
        domain = f's{n + 1}.d{TODAY - n % 2}.example'
        dmarc = dict(standard='dmarc', subject=domain, record=domain, org=domain, result='fail', p='none', rua=f'mailto:r@{domain}')
        found = [
            dmarc,
            dict(standard='spf', identity='mailfrom', subject=domain, result='pass'),
            dict(standard='dkim', subject=domain, selector='s', algorithm='rsa-sha256', bits=2048, result='pass', aligned=True),
        ]
        line = dict(standard='dmarc', subject=domain, result='fail', level='follow', action='quarantine', statement='L5')
        lines.append(
            {
                **dict(
                    v=1,
                    t=when,
                    host='mx1',
                    kind='mail',
                    id=f'Q{n}',
                    message_id=f'<{n}@{domain}>',
                    source='internet',
                    client='192.0.2.7',
                    mail_from=domain,
                    helo=domain,
                    rcpts=1,
                    policy='1a2b3c4d',
                    lines=[line],
                    verdict=dict(action='quarantine', would='quarantine', statement='L5'),
                    findings=found,
                ),
                'from': domain,
            }
        )
    with open(SPACE + '/journal/milter-20261119T000000Z-00000001.journal', 'w', encoding='ascii') as f:
        f.write(''.join(json.dumps(line) + '\n' for line in lines))


def nodes(plan):
    yield plan
    for below in plan.get('Plans', ()):
        yield from nodes(below)


def read_rows(node):
    """How many rows a scan has looked at."""
    rows = sum(node.get(name, 0) for name in ('Actual Rows', 'Rows Removed by Filter', 'Rows Removed by Index Recheck'))
    return rows * node.get('Actual Loops', 1)


def plans(since):
    """Those that the server has written since that place of its log."""
    with open(LOG, encoding='utf-8', errors='replace') as f:
        f.seek(since)
        text = f.read()
    for plan in re.findall(r'LOG:  duration: [\d.]+ ms  plan:\n((?:\t.*\n)+)', text):
        yield json.loads(plan, strict=False)


def look(name, sizes, *words, least):
    """Runs the command, and looks at the plan of each of its statements."""
    since, worst, wrong, seen = os.path.getsize(LOG), (0, ''), {}, set()
    began = time.time()
    check.run(*words)
    took = time.time() - began
    for plan in plans(since):
        sql = plan['Query Text']
        seen.add(re.sub(r'\d+', '0', sql))
        for node in nodes(plan['Plan']):
            if 'Relation Name' not in node and 'Index Name' not in node:
                continue
            rows, table = read_rows(node), node.get('Relation Name', node.get('Index Name'))
            worst = max(worst, (rows, sql))
            scans_all = node['Node Type'] == 'Seq Scan' and sizes.get(table, 0) > LARGE and node.get('Actual Loops', 1)
            if rows > READ_MOST or scans_all:
                wrong[sql] = f"{node['Node Type']} of {table}, {rows} rows: {sql}"
    check(len(seen) >= least, f'{name}: only {len(seen)} statements were explained')
    check(not wrong, f'{name}: {len(wrong)} statements read what is kept:\n' + '\n'.join(wrong.values()))
    print(f'{name}: {len(seen)} statements, at most {worst[0]} rows read by one, {took:.1f} s', flush=True)


def main():
    os.makedirs(SPACE + '/journal')
    with open(SPACE + '/policy', 'w', encoding='ascii') as f:
        f.write(
            f'policy "x" owner "x@example.org"\nset journal.dir "{SPACE}/journal"\nset ledger.knowledge "{SPACE}/knowledge"\n'
            f'set ledger.store "{URI}"\n'
        )
    session.ask('DROP SCHEMA public CASCADE; CREATE SCHEMA public;')
    once = (BUILD + '/assay-ledger', '-1', '-P', SPACE + '/policy', '-S', SPACE)
    check.run(*once)
    for table in tables():
        fill(table, TODAY, DAYS, ROWS)
        fill(table, TODAY - OLD_DAYS, 1, OLD_ROWS)
    # Mails whose identities were cleared, and some that are due: in the same partitions as those that stay.
    session.ask(
        'INSERT INTO mail (t, host, source, exact, rcpts, action, would) SELECT '
        f"({TODAY - 16} - n % 30) * 86400000000 + n, 'mx1', 'internet', n % ({ROWS // OLD_ROWS}) / ({ROWS // OLD_ROWS} - 1), 1, "
        f"'deliver', 'deliver' FROM generate_series(1, {ROWS}) n"
    )
    session.ask('ANALYZE')
    sizes = dict(line.split('|') for line in session.ask('SELECT relname, reltuples::bigint FROM pg_class WHERE reltuples > 0'))
    sizes = {name: int(rows) for name, rows in sizes.items()}
    check(sum(rows > LARGE for rows in sizes.values()) >= 30, f'the tables are large: {sizes}')
    database = session.ask('SELECT current_database()')[0]
    session.ask(f"ALTER DATABASE {database} SET session_preload_libraries = 'auto_explain'")
    for name, setting in (('min_duration', '0'), ('analyze', 'on'), ('timing', 'off'), ('format', 'json'), ('nested_statements', 'on')):
        session.ask(f"LOAD 'auto_explain'; ALTER DATABASE {database} SET auto_explain.log_{name} = '{setting}'")
    tool = lambda *words: (BUILD + '/assay', 'ledger', *words, '-P', SPACE + '/policy')
    try:
        look('retention', sizes, *tool('tidy', '--now'), least=40)
        segment()
        look('ingest and forget', sizes, *tool('forget', '--yes', f's7.d{TODAY}.example'), least=80)
    finally:
        session.ask(f'ALTER DATABASE {database} RESET ALL')
    print(f'no statement reads what is kept, of {ROWS} rows of each table; {check.count} checks')


main()
