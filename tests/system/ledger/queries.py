# SPDX-License-Identifier: BSD-2-Clause
"""queries.py - the example queries and the dashboard of contrib/grafana run on a ledger, and give rows where there must be some.

    queries.py SQLITE-FILE POSTGRES-URI     two ledgers with the same mails
"""
import json
import re
import sqlite3
import subprocess
import sys

file, uri = sys.argv[1:3]
db = sqlite3.connect(file)


def postgres(sql):
    done = subprocess.run(['psql', '-qAtX', '-v', 'ON_ERROR_STOP=1', uri, '-c', sql], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f'{done.stderr}in: {sql}')
    return [line for line in done.stdout.split('\n') if line]


queries = [q.strip() for q in re.sub(r'--.*', '', open('contrib/grafana/queries.sql').read()).split(';') if q.strip()]
rows = 0
for sql in queries:
    one, two = db.execute(sql).fetchall(), postgres(sql)
    if len(one) != len(two):
        sys.exit(f'{len(one)} rows on SQLite, {len(two)} on PostgreSQL: {sql}')
    rows += len(one)
panels = json.load(open('contrib/grafana/dashboard.json'))['panels']
filled = 0
for panel in panels:
    sql = panel['targets'][0]['rawSql'].replace('$__unixEpochFrom()', '0').replace('$__unixEpochTo()', '4000000000')
    filled += bool(postgres(sql))
if rows < 10 or filled < 4:
    sys.exit(f'{rows} rows, {filled} panels with rows')
print(f'{len(queries)} queries the same on both, {rows} rows; {len(panels)} panels, {filled} with rows')
