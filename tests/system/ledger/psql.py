# SPDX-License-Identifier: BSD-2-Clause
"""psql - one psql that stays and is asked often: a start of it, and of the server's process for it, costs a hundred times what most
questions cost.

    session = Psql(URI)
    session.ask('SELECT 1')     # ['1']: the rows, each a line; several statements and COPY ... FROM STDIN with its data, too

After an error (PsqlError, with psql's words) the next question starts it anew. A session that the server ended since the last question,
because it died or the database was dropped, is replaced, and the question is asked again. It ends with the script."""
import subprocess
import tempfile

END = '-- answered --'
CONNECTION_LOST = 2  # psql's exit code

# Of pg_stat_activity: our sessions, by name, also while they say what long work they do (assay-ledger(8)).
OURS = "application_name ~ '^assay-ledger$|^[a-z ]+ by assay'"


class PsqlError(Exception):
    pass


class Psql:
    def __init__(self, *where, program='psql', env=None):
        self.command = [program, '-qAtX', '-v', 'ON_ERROR_STOP=1', *where]
        self.env, self.process, self.words = env, None, None

    def ask(self, script):
        used = self.process is not None
        rows = self.rows_of(script)
        if rows is None and used and self.process.wait() == CONNECTION_LOST:
            self.process = None
            rows = self.rows_of(script)
        if rows is None:
            self.process.wait()
            self.process = None
            self.words.seek(0)
            raise PsqlError(self.words.read())
        return rows

    def rows_of(self, script):
        """None: psql has ended before it answered all."""
        if not self.process:
            self.words = tempfile.TemporaryFile('w+', encoding='utf-8')
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.words, text=True, env=self.env
            )
        rows = []
        try:
            self.process.stdin.write(f'{script}\n;\n\\echo {END}\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        for line in self.process.stdout:
            if line == END + '\n':
                return rows
            rows.append(line.rstrip('\n'))
        return None
