# SPDX-License-Identifier: BSD-2-Clause
"""checks - what the scripts of this folder share: a check that counts and ends the script at the first that fails, commands whose exit
code is checked, and SQL on either database.

    check = Checks('reach', STORE)
    check(condition, 'what should be so')
    check.run('assay', 'ledger', expect=0)     # what it printed
    check.count"""
import subprocess
import sys


class Checks:
    def __init__(self, name, store=None):
        self.name, self.store, self.count = name, store, 0

    def __call__(self, good, what):
        self.count += 1
        if not good:
            sys.exit(f'{self.name}: {what}')

    def run(self, *arguments, expect=0):
        done = subprocess.run(list(arguments), capture_output=True, text=True)
        self(done.returncode == expect, f'{arguments} ended with {done.returncode}, not {expect}: {done.stdout}{done.stderr}')
        return done.stdout

    def sql(self, text):
        """What comes back, a row a line."""
        shared = self.store.startswith('postgres')
        return self.run('psql', '-qAtX', self.store, '-c', text) if shared else self.run('sqlite3', self.store, text)
